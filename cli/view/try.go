package view

import (
	"fmt"
	"io"
	"strings"

	"github.com/handbill/handbill/message"
)

// TryReport is the final report of "try".
type TryReport struct {
	Campaign string `json:"campaign"`
	Tries    []Try  `json:"tries"`
	Accepted int    `json:"accepted"`
}

// Try is one message to one tester.
type Try struct {
	Tester  string `json:"tester"` // masked
	Why     string `json:"why"`    // why this recipient's message was chosen
	Outcome string `json:"outcome"`
	Code    string `json:"code,omitempty"`
	Title   string `json:"title,omitempty"` // the provider's words
	Advice  string `json:"advice,omitempty"`
}

// Add adds a try to the report.
func (r *TryReport) Add(tester, why string, answer *message.Answer) {
	t := Try{Tester: message.Mask(tester), Why: why, Outcome: answer.Class.String(), Code: answer.Code, Advice: answer.Advice}
	if answer.Class == message.Accepted {
		r.Accepted++
	} else {
		t.Title = answer.Title
	}
	r.Tries = append(r.Tries, t)
}

// Text writes one line per try, and how many were accepted.
func (r *TryReport) Text(w io.Writer, _ Style) error {
	var b strings.Builder
	for _, t := range r.Tries {
		fmt.Fprintf(&b, "try to %s (%s): %s", t.Tester, t.Why, Reason(t.Outcome))
		if t.Code != "" {
			fmt.Fprintf(&b, ", code %s", message.SafeText(t.Code))
		}
		if t.Title != "" {
			fmt.Fprintf(&b, ": %s", message.SafeText(t.Title))
		}
		b.WriteString("\n")
		if t.Advice != "" {
			fmt.Fprintf(&b, "  %s\n", message.SafeText(t.Advice))
		}
	}
	fmt.Fprintf(&b, "\n%d of %s accepted. The campaign's deliveries are as they were.\n", r.Accepted, Plural(len(r.Tries), "message"))
	return say(w, b.String())
}
