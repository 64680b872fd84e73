package view

import (
	"fmt"
	"io"
)

// ValidateReport is the final report of "handbill validate".
type ValidateReport struct{ Diagnostics []Diagnostic }

// count is how many diagnostics have a severity.
func count(diags []Diagnostic, severity string) int {
	n := 0
	for _, d := range diags {
		if d.Severity == severity {
			n++
		}
	}
	return n
}

// Text writes the verdict in one line. It writes nothing about errors, since the
// diagnostics show them.
func (r *ValidateReport) Text(w io.Writer, s Style) error {
	switch warnings := count(r.Diagnostics, "warning"); {
	case Errors(r.Diagnostics):
		return nil
	case warnings > 0:
		return say(w, fmt.Sprintf("%s The configuration is valid, with %s.\n", s.green("Success!"), Plural(warnings, "warning")))
	}
	return say(w, s.green("Success!")+" The configuration is valid.\n")
}

// JSON writes the document of Terraform's validate -json.
func (r *ValidateReport) JSON(w io.Writer, _ Style) error {
	diags := r.Diagnostics
	if diags == nil {
		diags = []Diagnostic{}
	}
	out, err := encode(struct {
		FormatVersion string       `json:"format_version"`
		Valid         bool         `json:"valid"`
		ErrorCount    int          `json:"error_count"`
		WarningCount  int          `json:"warning_count"`
		Diagnostics   []Diagnostic `json:"diagnostics"`
	}{"1.0", !Errors(diags), count(diags, "error"), count(diags, "warning"), diags})
	if err != nil {
		return err
	}
	_, err = w.Write(out)
	return err
}

// Unique drops repeated diagnostics: those that say the same about the same place.
func Unique(diags []Diagnostic) []Diagnostic {
	type key struct {
		code, summary, detail, file string
		line, column                int
	}
	seen := map[key]bool{}
	out := diags[:0]
	for _, d := range diags {
		k := key{code: d.Code, summary: d.Summary, detail: d.Detail}
		if d.Range != nil {
			k.file, k.line, k.column = d.Range.Filename, d.Range.Start.Line, d.Range.Start.Column
		}
		if !seen[k] {
			seen[k] = true
			out = append(out, d)
		}
	}
	return out
}
