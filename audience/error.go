package audience

import (
	"errors"
	"fmt"
	"strings"

	"github.com/handbill/handbill/message"
)

// Error says what is wrong with a source, where, and how to fix it. It never
// contains a cell's text or a connection string.
type Error struct {
	Place   message.Place // Line is 0 where the whole source is meant
	Summary string
	Detail  string // sentences; may be ""
	// Row is true where only this row is unusable and the rows after it can be
	// read.
	Row bool
	Err error // the cause, such as fs.ErrNotExist; may be nil
}

// Error is "contacts.csv:5: 3 cells, the header has 2: …".
func (e *Error) Error() string {
	var b strings.Builder
	switch {
	case e.Place.Line > 0:
		b.WriteString(e.Place.String() + ": ")
	case e.Place.File != "":
		b.WriteString(e.Place.File + ": ")
	}
	b.WriteString(e.Summary)
	if e.Detail != "" {
		b.WriteString(": " + e.Detail)
	}
	return b.String()
}

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Err }

func isRowError(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Row
}

func sprintf(format string, args ...any) string { return fmt.Sprintf(format, args...) }

// quoteList is `"a", "b" and 3 more`.
func quoteList(names []string) string {
	const shown = 12
	var b strings.Builder
	for i, name := range names {
		if i == shown {
			fmt.Fprintf(&b, " and %d more", len(names)-shown)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%q", name)
	}
	return b.String()
}

// nearest is the name that someone who wrote word most likely meant, or "".
func nearest(word string, names []string) string {
	best, found := len(word)/3+2, ""
	for _, name := range names {
		if d := distance(strings.ToLower(word), strings.ToLower(name)); d < best {
			best, found = d, name
		}
	}
	return found
}

// distance is the Levenshtein distance of a and b in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := diagonal
			if a[i-1] != b[j-1] {
				cost = 1 + min(diagonal, row[j], row[j-1])
			}
			diagonal, row[j] = row[j], cost
		}
	}
	return row[len(b)]
}
