package audience

import (
	"bytes"
	"io"
	"strconv"
	"strings"

	"github.com/handbill/handbill/message"
)

// csvRows are the rows of a CSV file.
type csvRows struct {
	*scanner
	names []string
	spare int // cells that each row has after the last named column, all empty
	said  string
}

// openCSV reads up to the header.
func openCSV(t *text, delimiter string, in *input) (rows, error) {
	s := newScanner(t, in)
	if err := s.fill(); err != nil {
		return nil, err
	}
	s.nl = lineEnding(s.buf[s.start:s.end])
	comma, err := namedDelimiter(delimiter, in)
	if err != nil {
		return nil, err
	}
	said := s.sepLine()
	switch {
	case comma != 0:
	case said != 0:
		comma = said
	default:
		if comma, err = detectDelimiter(s); err != nil {
			return nil, err
		}
	}
	s.comma = comma
	c := &csvRows{scanner: s, said: sprintf("read as %s, delimiter %s", t, strconv.QuoteRune(rune(comma)))}
	return c, c.header()
}

// lineEnding is what ends the first line: '\r' where no '\n' follows it.
func lineEnding(data []byte) byte {
	inside := false
	for i, c := range data {
		switch {
		case c == '"':
			inside = !inside
		case inside:
		case c == '\n':
			return '\n'
		case c == '\r' && (i+1 == len(data) || data[i+1] != '\n'):
			return '\r'
		}
	}
	return '\n'
}

// namedDelimiter is the delimiter that the configuration names, 0 for none.
func namedDelimiter(name string, in *input) (byte, error) {
	switch strings.ToLower(name) {
	case "":
		return 0, nil
	case "tab", `\t`:
		return '\t', nil
	}
	if len(name) != 1 || strings.ContainsAny(name, "\"\r\n\x00") || name[0] >= 0x80 {
		return 0, in.fail(sprintf("%q cannot be a delimiter", name), `The delimiter is one ASCII character, such as ";", or "tab".`)
	}
	return name[0], nil
}

// sepLine reads past the line "sep=;" that Excel understands, and returns the
// delimiter that it names, or 0.
func (s *scanner) sepLine() byte {
	data := s.buf[s.start:s.end]
	line, _, found := bytes.Cut(data, []byte{s.nl})
	if !found {
		return 0
	}
	word := bytes.Trim(bytes.TrimSuffix(line, []byte("\r")), `"`)
	const key = "sep="
	if len(word) != len(key)+1 || !strings.EqualFold(string(word[:len(key)]), key) {
		return 0
	}
	s.start += len(line) + 1
	s.line++
	return word[len(key)]
}

// trial is the result of splitting the first records by a delimiter.
type trial struct {
	comma      byte
	width      int // cells of the first record
	consistent int // records of the same width
	records    int
}

// detectDelimiter finds the delimiter that splits the first records into more
// than one cell and most consistently into the same number.
func detectDelimiter(s *scanner) (byte, error) {
	best, tied := trial{comma: ','}, false
	for _, comma := range []byte(",;\t|") {
		t := try(s.sample(comma), !s.eof)
		if t.width < 2 {
			continue
		}
		switch c := t.compare(best); {
		case c > 0:
			best, tied = t, false
		case c == 0:
			tied = true
		}
	}
	if tied {
		return 0, s.in.failAt(s.line, "the delimiter cannot be told",
			`Several of , ; | and tab split the first rows equally well. Say which it is: delimiter = ";" in the source.`)
	}
	return best.comma, nil
}

// try reads the first records of the sample; cut says that the sample ends
// within a record.
func try(s *scanner, cut bool) trial {
	const records = 10
	t := trial{comma: s.comma}
	for t.records < records {
		_, err := s.record()
		if err != nil || (cut && s.start == s.end) {
			break
		}
		if len(s.cells) == 0 {
			continue
		}
		if t.records == 0 {
			t.width = len(s.cells)
		}
		if len(s.cells) == t.width {
			t.consistent++
		}
		t.records++
	}
	return t
}

// compare is positive where t is the better delimiter than u.
func (t trial) compare(u trial) int {
	if u.width < 2 {
		return 1
	}
	tAll, uAll := t.consistent == t.records, u.consistent == u.records
	switch {
	case tAll != uAll && tAll:
		return 1
	case tAll != uAll:
		return -1
	case !tAll && t.consistent != u.consistent:
		return t.consistent - u.consistent
	}
	return t.width - u.width
}

// header reads the names of the columns.
func (c *csvRows) header() error {
	line, err := c.record()
	for err == nil && len(c.cells) == 0 {
		line, err = c.record()
	}
	if err == io.EOF {
		return c.in.fail("no header", "The file is empty. Its first line must name the columns.")
	}
	if err != nil {
		return err
	}
	names := make([]string, len(c.cells))
	for i, cell := range c.cells {
		names[i] = strings.TrimSpace(cell)
	}
	for len(names) > 0 && names[len(names)-1] == "" {
		names = names[:len(names)-1] // every line ends with a delimiter
	}
	c.names, c.spare = names, len(c.cells)-len(names)
	return c.checkHeader(line)
}

func (c *csvRows) checkHeader(line int) error {
	seen := make(map[string]int, len(c.names))
	for i, name := range c.names {
		if name == "" {
			return c.in.failAt(line, sprintf("column %d has no name", i+1), "Give it one in the file's first line, or remove the column.")
		}
		if first, twice := seen[name]; twice {
			return c.in.failAt(line, sprintf("columns %d and %d are both named %q", first, i+1, name), "Rename one of them in the file's first line.")
		}
		seen[name] = i + 1
		if looksLikePhone(name) {
			return c.in.failAt(line, "the first line is a contact, not a header",
				sprintf("Its cell %d holds a phone number. Put a line with the names of the columns before it.", i+1))
		}
	}
	if len(c.names) == 0 {
		return c.in.failAt(line, "no column has a name", "The file's first line must name the columns.")
	}
	return nil
}

// looksLikePhone reports whether a column's name is a phone number: ten digits
// or more, or a plus and seven, and nothing else but what groups them.
func looksLikePhone(name string) bool {
	digits := 0
	for _, r := range name {
		switch {
		case r >= '0' && r <= '9':
			digits++
		case !strings.ContainsRune("+ ()-./'", r):
			return false
		}
	}
	return digits >= 10 || (digits >= 7 && strings.HasPrefix(name, "+"))
}

func (c *csvRows) columns() []string { return c.names }

func (c *csvRows) next(dst []message.Value) (int, error) {
	for {
		line, err := c.record()
		if err != nil {
			return line, err
		}
		if len(c.cells) == 0 {
			continue
		}
		if c.empty() {
			if c.blank++; c.blank == 1 {
				c.blank1 = line
			}
			continue
		}
		if err := c.width(line); err != nil {
			return line, err
		}
		for i := range dst {
			dst[i] = message.Value{Kind: message.String, Text: c.cells[i]}
		}
		return line, nil
	}
}

// empty reports whether a row has only delimiters; spreadsheets write such rows
// below a table.
func (c *csvRows) empty() bool {
	for _, cell := range c.cells {
		if cell != "" {
			return false
		}
	}
	return true
}

// width checks that the row has a cell for each column, no more and no fewer.
func (c *csvRows) width(line int) error {
	got, want := len(c.cells), len(c.names)
	if got == want || got == want+c.spare {
		for i, cell := range c.cells[want:] {
			if cell != "" {
				e := c.ragged(line, sprintf("cell %d stands in a column without a name", want+i+1))
				e.Detail = "Name the column in the file's first line, or fix the row."
				return e
			}
		}
		return nil
	}
	e := c.ragged(line, sprintf("%s, the header has %d", count(got, "cell"), want))
	e.Detail = "Cells may be missing, or the row is no contact. Fix it or take it out."
	if got > want {
		e.Detail = sprintf("A cell that holds the delimiter %s must be in quotation marks.", strconv.QuoteRune(rune(c.comma)))
	}
	return e
}

func (c *csvRows) ragged(line int, summary string) *Error {
	return &Error{Place: message.Place{File: c.in.name, Line: line}, Summary: summary, Row: true}
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return sprintf("%d %ss", n, what)
}

func (c *csvRows) notes() []string {
	notes := []string{c.said}
	if c.blank > 0 {
		notes = append(notes, sprintf("%s without any text left out, the first in line %d", count(c.blank, "row"), c.blank1))
	}
	if c.damaged > 0 {
		notes = append(notes, sprintf("line %d holds U+FFFD: an earlier conversion lost a character there", c.damaged))
	}
	return notes
}

func (c *csvRows) digest() [32]byte { return c.in.digest() }

func (c *csvRows) close() error { return nil }
