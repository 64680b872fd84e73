package audience

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/handbill/handbill/message"
)

// Sends are the messages that another program sent, read from a CSV file. Each
// row names a recipient, with the provider's message id and the time of sending
// if the file has them.
// of sending where the file has them.
//
//	phone;message_id;sent_at
//	+4915112345671;wamid.HBgN…;2026-02-01T10:00:00Z
type Sends struct {
	// Path is the file.
	Path string
	// Recipient, ID and Time name columns. A column without a name here is found
	// by its usual names.
	Recipient, ID, Time string
	// Region is the country of numbers in national form, such as "DE".
	Region string
	// Latest is the last moment at which a message can have been sent; zero for
	// any.
	Latest time.Time

	numbers *Numbers
	columns [3]string
	notes   []string
}

// Send is one row of Sends.
type Send struct {
	To message.Address
	ID string    // the provider's; "" for not known
	At time.Time // zero for not known
}

// RowError says why a row cannot be read; the rows after it can be.
type RowError struct {
	Place message.Place
	Err   error
}

// Error names the row.
func (e *RowError) Error() string { return e.Place.String() + ": " + e.Err.Error() }

// Unwrap is what is wrong with the row.
func (e *RowError) Unwrap() error { return e.Err }

// Columns are the names of the columns of recipient, id and time that the last
// Rows read; "" for one that the file does not have.
func (s *Sends) Columns() (recipient, id, at string) { return s.columns[0], s.columns[1], s.columns[2] }

// Notes say how the file was read, by the last Rows that reached its end.
func (s *Sends) Notes() []string { return s.notes }

// Rows reads the file from its beginning. A row that cannot be read comes with
// a *RowError; any other error ends the reading.
func (s *Sends) Rows(ctx context.Context) iter.Seq2[Send, error] {
	return func(yield func(Send, error) bool) {
		root, err := os.OpenRoot(filepath.Dir(s.Path))
		if err != nil {
			yield(Send{}, withoutPath(err))
			return
		}
		defer root.Close()
		src, err := Open(ctx, Source{Kind: CSV, Path: filepath.Base(s.Path)}, Options{Root: root})
		var at [3]int
		if err == nil {
			defer src.Close()
			at, err = s.find(src.Columns)
		}
		if err != nil {
			yield(Send{}, err)
			return
		}
		for row, err := range src.Rows() {
			var sent Send
			var unreadable *Error
			switch {
			case err == nil:
				if sent, err = s.row(row.Values, at); err != nil {
					err = &RowError{row.Place, err}
				}
			case errors.As(err, &unreadable) && unreadable.Row:
				err = &RowError{row.Place, errors.New(unreadable.Summary)}
			}
			if !yield(sent, err) {
				return
			}
		}
		s.notes = src.Notes()
	}
}

// withoutPath returns the cause of an error of the file system without its path: the
// caller names the path as people know it.
func withoutPath(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// row reads one row.
func (s *Sends) row(values []message.Value, at [3]int) (Send, error) {
	var sent Send
	raw := values[at[0]].Text
	if id, ok := userID(raw); ok {
		sent.To.UserID = id
	} else {
		if s.numbers == nil {
			s.numbers = NewNumbers()
		}
		phone, err := s.numbers.Parse(raw, s.Region)
		if err != nil {
			return sent, err
		}
		sent.To.Phone = phone
	}
	if c := at[1]; c >= 0 {
		sent.ID = strings.TrimSpace(values[c].Text)
	}
	if c := at[2]; c >= 0 {
		moment, err := sendTime(values[c].Text)
		if err != nil {
			return sent, err
		}
		if !s.Latest.IsZero() && moment.After(s.Latest) {
			return sent, errors.New("the time of sending is in the future")
		}
		sent.At = moment
	}
	return sent, nil
}

// sendTime reads a time as exports write it; an empty one is unknown.
func sendTime(raw string) (time.Time, error) {
	s := strings.TrimSpace(raw)
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range [...]string{time.RFC3339, "2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	const millisFrom = 100_000_000_000 // as seconds this is in the year 5138
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && n > 0 {
		if n >= millisFrom {
			return time.UnixMilli(n).UTC(), nil
		}
		return time.Unix(n, 0).UTC(), nil
	}
	return time.Time{}, errors.New(`the time is none of RFC 3339 ("2026-03-01T14:30:00Z"), Unix seconds, and "2026-03-01 14:30:00" (UTC)`)
}

// sendColumns are the usual names of the columns in exports, in lower case with
// underscores.
var sendColumns = [3][]string{
	{"recipient", "phone", "phone_number", "mobile", "msisdn", "wa_id", "recipient_id", "to", "number", "user_id"},
	{"message_id", "wamid", "messageid", "msg_id", "provider_message_id", "id"},
	{"sent_at", "time", "timestamp", "sent", "sent_time", "date", "created_at", "datetime"},
}

// find returns the positions of recipient, id and time in a row; -1 for none.
func (s *Sends) find(columns []string) (at [3]int, err error) {
	parts := [3]string{"recipient", "id", "time"}
	for i, given := range [3]string{s.Recipient, s.ID, s.Time} {
		at[i] = findColumn(columns, given, sendColumns[i])
		if at[i] < 0 && (given != "" || i == 0) {
			return at, missingColumn(parts[i], given, columns)
		}
		s.columns[i] = ""
		if at[i] >= 0 {
			s.columns[i] = columns[at[i]]
		}
	}
	return at, nil
}

func findColumn(columns []string, given string, names []string) int {
	if given != "" {
		return slices.Index(columns, given)
	}
	plain := strings.NewReplacer(" ", "_", "-", "_")
	for _, name := range names {
		for i, column := range columns {
			if plain.Replace(strings.ToLower(strings.TrimSpace(column))) == name {
				return i
			}
		}
	}
	return -1
}

// missingColumn is the error for a missing column, and names those that the file
// has. given is the name that was asked for; "" if none was and no usual name
// was found.
func missingColumn(part, given string, columns []string) error {
	have := message.SafeText(strings.Join(columns, ", "))
	if given == "" {
		return fmt.Errorf("no column looks like the recipient's. Say which it is with -%s=COLUMN; there are: %s", part, have)
	}
	return fmt.Errorf("-%s=%s is no column; there are: %s", part, message.SafeText(given), have)
}
