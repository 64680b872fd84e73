package view

import "io"

// FormatReport is what "fmt" reports about a file that it changes.
type FormatReport struct {
	File string
	Diff string // unified diff; "" if it was not requested
}

// Text writes the file's name and the diff.
func (r *FormatReport) Text(w io.Writer, _ Style) error {
	return say(w, r.File+"\n"+safeLines(r.Diff))
}
