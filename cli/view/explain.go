package view

import (
	"fmt"
	"io"
	"strings"
)

// ExplainReport is the final report of "explain": the list of all diagnostics, or
// what one code means.
type ExplainReport struct {
	Codes []ExplainedCode `json:"codes"`
	// Listed leaves the explanations out.
	Listed bool `json:"-"`
}

// ExplainedCode is a diagnostic, or a code that a provider answers with.
type ExplainedCode struct {
	Code        string `json:"code"`
	Summary     string `json:"summary"`
	Explanation string `json:"explanation,omitempty"`
	Whose       string `json:"provider,omitempty"` // the provider that answers with it; "" for a diagnostic
	Source      string `json:"source,omitempty"`   // of what is known about a provider's code
}

// Text writes one code per line, or the explanations of a code.
func (r *ExplainReport) Text(w io.Writer, _ Style) error {
	var b strings.Builder
	for i, c := range r.Codes {
		switch {
		case r.Listed:
			fmt.Fprintf(&b, "%-32s %s\n", c.Code, c.Summary)
		case c.Whose == "":
			b.WriteString(explanation(&c))
		default:
			if i > 0 && r.Codes[i-1].Whose != "" {
				b.WriteString("\n")
			}
			fmt.Fprintf(&b, "%s\nA code of %s. Source: %s.\n", explanation(&c), c.Whose, c.Source)
		}
	}
	return say(w, b.String())
}

func explanation(c *ExplainedCode) string {
	return c.Code + ": " + c.Summary + "\n\n" + strings.Join(wrap(c.Explanation, 78), "\n") + "\n"
}
