package view

import "io"

// FormatReport is what "fmt" says of a file that it changes.
type FormatReport struct {
	File string
	Diff string // unified; "" where it was not asked for
}

// Text is the file's name, and the difference.
func (r *FormatReport) Text(w io.Writer, _ Style) error {
	return say(w, r.File+"\n"+safeLines(r.Diff))
}
