package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/workspace"
)

func (a *app) explainCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "explain [CODE]", Short: "explain a diagnostic or a provider's code, and what to do", Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return a.show(&view.ExplainReport{Codes: diagnosticCodes(), Listed: true}, a.style(), asJSON)
			}
			r := explain(args[0])
			if len(r.Codes) == 0 {
				return a.fail("No such code", fmt.Errorf("there is no diagnostic %q, and no provider has that code; \"handbill explain\" lists the diagnostics", message.SafeText(args[0])))
			}
			return a.show(r, a.style(), asJSON)
		},
	}
	bindJSON(cmd, &asJSON)
	return cmd
}

// diagnosticCodes lists the codes of diagnostics without explanations. A code that
// both a configuration and a plan can raise has two explanations, but one line
// here.
func diagnosticCodes() []view.ExplainedCode {
	var out []view.ExplainedCode
	for _, c := range allCodes() {
		if len(out) == 0 || out[len(out)-1].Code != c.Code {
			out = append(out, view.ExplainedCode{Code: c.Code, Summary: c.Summary})
		}
	}
	return out
}

// explain says what a code means, both as a diagnostic and as a provider's code.
func explain(code string) *view.ExplainReport {
	r := &view.ExplainReport{}
	for _, c := range allCodes() {
		if c.Code == code {
			r.Codes = append(r.Codes, view.ExplainedCode{Code: c.Code, Summary: c.Summary, Explanation: c.Explanation})
		}
	}
	r.Codes = append(r.Codes, explainProviderCode(code)...)
	return r
}

// classWords say what handbill does about an answer of each class.
var classWords = map[message.Class]string{
	message.Refused:       "The message was not taken. That recipient is counted as refused, and the campaign continues. A retry is an order: -retry=CODE.",
	message.Throttled:     "The message was not taken. The number slows down and tries again automatically.",
	message.PairThrottled: "The message was not taken. That recipient waits and is tried again automatically; the others continue.",
	message.NotSent:       "The message was not taken. It is tried again automatically.",
	message.AccountFault:  "The message was not taken, and no other would be. The number's campaigns halt, and recipients stay pending.",
	message.WindowClosed:  "The message was not taken: the 24-hour window is closed. That recipient is counted as refused.",
	message.OptedOut:      "The message was not taken: the person stopped marketing. The opt-out is recorded.",
	message.Unknown:       "It is not known whether the message was taken. It is in doubt and is not sent again automatically.",
}

// explainProviderCode explains a code that a provider answers with, such as
// 131049, "(#131049)" or WA401.
func explainProviderCode(code string) []view.ExplainedCode {
	code = strings.ToUpper(strings.Trim(strings.ReplaceAll(code, "-", ""), "(#)"))
	tables := workspace.Codes()
	var out []view.ExplainedCode
	for _, whose := range slices.Sorted(maps.Keys(tables)) {
		for _, c := range tables[whose] {
			if c.Code != code {
				continue
			}
			text := classWords[c.Class]
			if c.Advice != "" {
				text += " What to do: " + c.Advice + "."
			}
			out = append(out, view.ExplainedCode{Code: c.Code, Summary: c.Title, Explanation: text, Whose: whose, Source: c.Source})
		}
	}
	return out
}
