package audience

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/handbill/handbill/message"
)

// record is one JSON record that is not yet decoded, or what is wrong with it.
type record struct {
	line    int
	element int // 1-based, of a document's array; 0 elsewhere
	raw     string
	err     error
	list    bool // it was refused for being an array
}

// objects are rows made from JSON objects. The columns are the keys of the
// first records. A key that comes up later is left out with a note. That is
// safe: an expression that uses an unknown column has been refused.
type objects struct {
	pull  func() record // the next record; err is io.EOF at the end
	in    *input
	said  string
	names []string
	index map[string]int
	ahead []record
	late  []string // keys that came up after the columns were settled
	late1 []int    // the line of each

	element int // of the record that next read
}

// lookAheadBytes bounds what is kept of the records that are read ahead.
const lookAheadBytes = 8 << 20

// settle reads ahead to find the columns.
func (o *objects) settle(declared []string) error {
	o.index = map[string]int{}
	for _, name := range declared {
		o.column(name)
	}
	for size := 0; len(o.ahead) < lookAhead && size < lookAheadBytes; {
		rec := o.pull()
		o.ahead = append(o.ahead, rec)
		if rec.err != nil {
			if isRowError(rec.err) {
				continue
			}
			break
		}
		size += len(rec.raw)
		// Errors in a record are reported when its row is read.
		_ = eachMember(rec.raw, func(key string, _ message.Value) error {
			o.column(key)
			return nil
		})
		if len(o.names) > maxColumns {
			return nil // Open refuses that many
		}
	}
	if first := o.ahead[0].err; first != nil && first != io.EOF && len(o.names) == len(declared) {
		return first // not even the first record is one: the file is something else
	}
	return nil
}

func (o *objects) column(name string) {
	if _, known := o.index[name]; !known {
		name = strings.Clone(name)
		o.index[name] = len(o.names)
		o.names = append(o.names, name)
	}
}

func (o *objects) columns() []string { return o.names }

func (o *objects) next(dst []message.Value) (int, error) {
	var rec record
	if len(o.ahead) > 0 {
		rec, o.ahead = o.ahead[0], o.ahead[1:]
	} else {
		rec = o.pull()
	}
	o.element = rec.element
	if rec.err != nil {
		return rec.line, rec.err
	}
	clear(dst)
	seen := make([]bool, 0, 64)
	if len(dst) > cap(seen) {
		seen = make([]bool, 0, len(dst))
	}
	seen = seen[:len(dst)]
	err := eachMember(rec.raw, func(key string, v message.Value) error {
		i, known := o.index[key]
		switch {
		case !known:
			o.leftOut(key, rec.line)
		case seen[i]:
			return fmt.Errorf("the key %q stands twice in the object", key)
		default:
			dst[i], seen[i] = v, true
		}
		return nil
	})
	if err != nil {
		return rec.line, atElement(o.bad(rec.line, err.Error(), ""), rec.element)
	}
	return rec.line, nil
}

func (o *objects) leftOut(key string, line int) {
	const named = 10
	if len(o.late) < named && !slices.Contains(o.late, key) {
		o.late, o.late1 = append(o.late, strings.Clone(key)), append(o.late1, line)
	}
}

func (o *objects) bad(line int, summary, detail string) error {
	return &Error{Place: message.Place{File: o.in.name, Line: line}, Summary: summary, Detail: detail, Row: true}
}

// atElement adds the number of its element to a record's error.
func atElement(err error, element int) error {
	var e *Error
	if errors.As(err, &e) {
		e.Place.Element = element
	}
	return err
}

func (o *objects) place(file string, line int) message.Place {
	return message.Place{File: file, Line: line, Element: o.element}
}

func (o *objects) notes() []string {
	notes := []string{o.said}
	for i, key := range o.late {
		notes = append(notes, sprintf("key %q, first seen in line %d after %d records without it, is no column; name it in columns to have it",
			key, o.late1[i], lookAhead))
	}
	return notes
}

func (o *objects) digest() [32]byte { return o.in.digest() }

func (o *objects) close() error { return nil }

// openNDJSON reads ahead in a file of one object per line.
func openNDJSON(t *text, declared []string, in *input) (rows, error) {
	lines := bufio.NewScanner(t)
	lines.Buffer(make([]byte, 0, maxRowBytes), maxRecordBytes)
	o := &objects{in: in, said: "read as " + t.String()}
	line := 0
	o.pull = func() record {
		for lines.Scan() {
			line++
			if raw := bytes.TrimSpace(lines.Bytes()); len(raw) > 0 {
				return o.vet(t, line, raw)
			}
		}
		err := lines.Err()
		switch {
		case err == nil:
			err = io.EOF
		case errors.Is(err, bufio.ErrTooLong):
			err = in.failAt(line+1, sprintf("line of more than %d bytes", maxRecordBytes),
				`Each line must be one record. Is this one JSON document? Then say source "json".`)
		}
		return record{line: line, err: err}
	}
	if err := o.settle(declared); err != nil {
		return nil, err
	}
	if first := o.ahead[0]; first.list {
		return nil, first.err // a document whose other lines may look like records
	}
	return o, nil
}

// vet makes a record of raw if that is one JSON object in UTF-8.
func (o *objects) vet(t *text, line int, raw []byte) record {
	rec := record{line: line}
	switch {
	case firstInvalid(raw) < len(raw):
		rec.err = t.badBytes(o.in, line)
	case t.decoded && bytes.Contains(raw, []byte("\uFFFD")):
		rec.err = t.badBytes(o.in, line)
	case raw[0] == '[':
		rec.list = true
		rec.err = o.bad(line, "the record is an array, not an object", `A document with one array of objects is read by source "json".`)
	case !json.Valid(raw):
		rec.err = o.bad(line, "not JSON", syntaxDetail(raw))
	case raw[0] != '{':
		rec.err = o.bad(line, "the record is not an object", "Each record must be an object, so that its values have names.")
	default:
		rec.raw = string(raw)
	}
	return rec
}

// syntaxDetail says where the JSON is broken, without quoting it.
func syntaxDetail(raw []byte) string {
	var v json.RawMessage
	var syntax *json.SyntaxError
	if err := json.Unmarshal(raw, &v); errors.As(err, &syntax) {
		if strings.Contains(syntax.Error(), "unexpected end") {
			return "The text ends in the middle of a value."
		}
		return sprintf("It breaks at byte %d of the record.", syntax.Offset)
	}
	return ""
}
