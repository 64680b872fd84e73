package view

import (
	"bytes"
	"io"
	"reflect"
)

// Report is the result of a command. Text writes it for people, JSON the same value
// for programs.
type Report interface {
	Text(w io.Writer, s Style) error
}

// JSON writes a report as one JSON document: its fields, after the version of the
// format. A report with a JSON method writes itself.
func JSON(w io.Writer, s Style, r Report) error {
	if own, ok := r.(interface {
		JSON(io.Writer, Style) error
	}); ok {
		return own.JSON(w, s)
	}
	fields, err := encode(filled(r))
	if err != nil {
		return err
	}
	document := []byte(`{"format_version":"` + planFormat + `"`)
	if fields = bytes.TrimPrefix(fields, []byte("{")); fields[0] != '}' {
		document = append(document, ',')
	}
	_, err = w.Write(append(document, fields...))
	return err
}

// filled is r with empty lists instead of nil ones, which JSON would write as null.
func filled(r Report) Report {
	v := reflect.ValueOf(r)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return r
	}
	for i := range v.Elem().NumField() {
		if f := v.Elem().Field(i); f.Kind() == reflect.Slice && f.IsNil() && f.CanSet() {
			f.Set(reflect.MakeSlice(f.Type(), 0, 0))
		}
	}
	return r
}

// say writes the finished text of a report.
func say(w io.Writer, text string) error {
	_, err := io.WriteString(w, text)
	return err
}

// Raw is a report that is written as it is, such as a script or a value that a
// program reads.
type Raw string

// Text writes it.
func (r Raw) Text(w io.Writer, _ Style) error { return say(w, string(r)) }

// Line is a report of one line.
func Line(text string) Raw { return Raw(text + "\n") }
