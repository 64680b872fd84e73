package view

import (
	"bytes"
	"fmt"
	"io"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
)

// Diagnostic is one finding, as all views show it. The JSON form follows
// Terraform's. It never holds a value of a recipient or of a variable: hcl's
// own writer prints those, which is why it is not used.
type Diagnostic struct {
	Severity string   `json:"severity"` // "error" or "warning"
	Summary  string   `json:"summary"`
	Detail   string   `json:"detail"`
	Code     string   `json:"code,omitempty"` // for "handbill explain"
	Range    *Range   `json:"range,omitempty"`
	Snippet  *Snippet `json:"snippet,omitempty"`
}

// Range is a place in a source file.
type Range struct {
	Filename string `json:"filename"`
	Start    Pos    `json:"start"`
	End      Pos    `json:"end"`
}

// Pos is a position: lines and columns count from 1, bytes from 0.
type Pos struct {
	Line   int `json:"line"`
	Column int `json:"column"`
	Byte   int `json:"byte"`
}

// Snippet is the line of a diagnostic's place.
type Snippet struct {
	Context string `json:"context,omitempty"` // `list_message "browse"`
	Code    string `json:"code"`
	Start   int    `json:"start_line"`
	// Highlight* are byte offsets into Code.
	HighlightStart int `json:"highlight_start_offset"`
	HighlightEnd   int `json:"highlight_end_offset"`
}

// FromHCL converts diags for views, errors before warnings. files provide the
// snippets.
func FromHCL(diags hcl.Diagnostics, files map[string][]byte) []Diagnostic {
	out := make([]Diagnostic, 0, len(diags))
	for _, d := range diags {
		v := Diagnostic{Severity: "error", Summary: d.Summary, Detail: d.Detail, Code: plan.DiagCode(d)}
		if d.Severity == hcl.DiagWarning {
			v.Severity = "warning"
		}
		if d.Subject != nil && d.Subject.Filename != "" {
			v.Range, v.Snippet = place(d, files)
			if v.Code == "literal_secret" && v.Snippet != nil {
				v.Snippet.hide()
			}
		}
		out = append(out, v)
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Severity < out[j].Severity })
	return out
}

// Errors reports whether any of diags is an error.
func Errors(diags []Diagnostic) bool {
	for _, d := range diags {
		if d.Severity == "error" {
			return true
		}
	}
	return false
}

func place(d *hcl.Diagnostic, files map[string][]byte) (*Range, *Snippet) {
	s := d.Subject
	r := &Range{Filename: s.Filename, Start: Pos(s.Start), End: Pos(s.End)}
	src, ok := files[s.Filename]
	if !ok || s.Start.Byte > len(src) {
		return r, nil
	}
	from := bytes.LastIndexByte(src[:s.Start.Byte], '\n') + 1
	to := len(src)
	if i := bytes.IndexByte(src[s.Start.Byte:], '\n'); i >= 0 {
		to = s.Start.Byte + i
	}
	code := strings.TrimRight(string(src[from:to]), "\r")
	end := min(max(s.End.Byte, s.Start.Byte), from+len(code))
	return r, &Snippet{Context: blockContext(src[:from]), Code: code, Start: s.Start.Line,
		HighlightStart: min(s.Start.Byte-from, len(code)), HighlightEnd: max(end-from, 0)}
}

// hide puts dots in place of what the diagnostic is about: its line may end in a log.
func (s *Snippet) hide() {
	const dots = "•••"
	s.Code = s.Code[:s.HighlightStart] + dots + s.Code[max(s.HighlightStart, s.HighlightEnd):]
	s.HighlightEnd = s.HighlightStart + len(dots)
}

// blockContext is the header of the top-level block that is open at the end of src.
// It relies on formatted files, where such blocks begin in the first column; that
// is enough for a hint.
func blockContext(src []byte) string {
	lines := bytes.Split(src, []byte("\n"))
	for i := len(lines) - 1; i >= 0; i-- {
		l := bytes.TrimRight(lines[i], " \r")
		if len(l) == 0 || l[0] == ' ' || l[0] == '\t' || l[0] == '#' {
			continue
		}
		if head, ok := bytes.CutSuffix(l, []byte("{")); ok {
			return string(bytes.TrimSpace(head))
		}
		return ""
	}
	return ""
}

// Diagnostics writes diags as boxes.
func Diagnostics(w io.Writer, s Style, diags []Diagnostic) {
	for _, d := range diags {
		fmt.Fprint(w, inertText(box(s, d)))
	}
}

// box draws one diagnostic.
func box(s Style, d Diagnostic) string {
	head, paint := "Error: ", s.red
	if d.Severity == "warning" {
		head, paint = "Warning: ", s.yellow
	}
	var lines []string
	lines = append(lines, s.bold(paint(head))+s.bold(message.SafeText(d.Summary)), "")
	if d.Range != nil {
		lines = append(lines, located(d), "")
	}
	lines = append(lines, wrap(d.Detail, s.textWidth())...)
	if d.Code != "" {
		lines = append(lines, "", s.dim("handbill explain "+d.Code))
	}
	var b strings.Builder
	b.WriteString(paint("╷") + "\n")
	for _, l := range lines {
		for _, part := range strings.Split(l, "\n") {
			b.WriteString(strings.TrimRight(paint("│")+" "+part, " ") + "\n")
		}
	}
	b.WriteString(paint("╵") + "\n")
	return b.String()
}

// snippetWidth bounds how much of a source line is shown: a message's text may be
// thousands of characters long.
const snippetWidth = 160

// located is the "on FILE line N" part with its snippet.
func located(d Diagnostic) string {
	on := fmt.Sprintf("  on %s line %d", message.SafeText(d.Range.Filename), d.Range.Start.Line)
	if d.Snippet == nil {
		return on + "."
	}
	if d.Snippet.Context != "" {
		on += ", in " + message.SafeText(d.Snippet.Context)
	}
	code := clip(message.SafeText(d.Snippet.Code), snippetWidth)
	return fmt.Sprintf("%s:\n  %4d: %s", on, d.Snippet.Start, strings.TrimRight(code, " "))
}

// textWidth is the width at which paragraphs are wrapped.
func (s Style) textWidth() int {
	if s.Width < 40 || s.Width > 120 {
		return 78
	}
	return s.Width - 2
}

// wrap breaks paragraphs at word boundaries; lines that are indented are left
// as they are, since they are commands and examples to copy.
func wrap(text string, width int) []string {
	var out []string
	for _, para := range strings.Split(text, "\n") {
		if strings.HasPrefix(para, " ") || len(para) <= width {
			out = append(out, message.SafeText(para))
			continue
		}
		line := ""
		for _, word := range strings.Fields(message.SafeText(para)) {
			if line != "" && columns(line)+1+columns(word) > width {
				out = append(out, line)
				line = ""
			}
			if line != "" {
				line += " "
			}
			line += word
		}
		out = append(out, line)
	}
	return out
}

// PlanDiagnostic converts a diagnostic of a saved plan, whose source is not
// available.
func PlanDiagnostic(d plan.Diagnostic) Diagnostic {
	v := Diagnostic{Severity: d.Severity, Summary: d.Summary, Detail: d.Detail, Code: d.Code}
	if d.File != "" {
		at := Pos{Line: d.Line, Column: 1}
		v.Range = &Range{Filename: d.File, Start: at, End: at}
	}
	return v
}
