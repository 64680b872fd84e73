package view

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/handbill/handbill/lang"
)

// FunctionsReport is the final report of "metadata functions".
type FunctionsReport []lang.FunctionInfo

// Text writes the signatures, each with what it does.
func (r FunctionsReport) Text(w io.Writer, _ Style) error {
	var b strings.Builder
	for _, f := range r {
		fmt.Fprintf(&b, "%s\n    %s\n", f.Signature, f.Description)
	}
	return say(w, b.String())
}

// JSON writes the functions by name.
func (r FunctionsReport) JSON(w io.Writer, s Style) error {
	type function struct {
		Signature   string `json:"signature"`
		Description string `json:"description"`
	}
	byName := map[string]function{}
	for _, f := range r {
		byName[f.Name] = function{f.Signature, f.Description}
	}
	return Document{map[string]any{"format_version": "1.0", "functions": byName}}.Text(w, s)
}

// Document is a report that is JSON in every form, indented.
type Document struct{ Value any }

// Text writes the document.
func (d Document) Text(w io.Writer, _ Style) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(d.Value)
}

// JSON writes the document.
func (d Document) JSON(w io.Writer, s Style) error { return d.Text(w, s) }
