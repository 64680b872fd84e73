package cli

import (
	"errors"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/state/sqlite"
)

// Reports and diagnostics are written here and nowhere else: a command makes
// them and passes them on.

// show writes what a command ends in.
func (a *app) show(r view.Report, s view.Style, asJSON bool) error {
	if asJSON {
		return view.JSON(a.sys.Stdout, s, r)
	}
	return r.Text(a.sys.Stdout, s)
}

// writeBy writes a report by one of its methods, where a format was asked for.
func (a *app) writeBy(s view.Style, by func(io.Writer, view.Style) error) error {
	return by(a.sys.Stdout, s)
}

// applyStream writes a run while it goes on, a JSON object a line.
func (a *app) applyStream(s view.Style, now func() time.Time) *view.ApplyStream {
	return view.NewApplyStream(a.sys.Stdout, s, now)
}

// diagnose writes diagnostics to stderr.
func (a *app) diagnose(diags []view.Diagnostic) {
	a.errs.Lock()
	defer a.errs.Unlock()
	view.Diagnostics(a.sys.Stderr, a.style(), diags)
}

// bindJSON binds the flag that every command has that shows something.
func bindJSON(cmd *cobra.Command, to *bool) {
	cmd.Flags().BoolVar(to, "json", false, "one JSON document")
}

// asText is a report in a form of its own.
type asText struct{ write func(io.Writer) error }

// Text writes it.
func (t asText) Text(w io.Writer, _ view.Style) error { return t.write(w) }

// fail shows an error that is not about a place in a file. Main says itself
// that the output was lost.
func (a *app) fail(summary string, err error) error {
	return a.failAs(summary, "", err)
}

// failCode is fail for an error of a state that can be explained.
func (a *app) failCode(code string, err error) error {
	return a.failAs(state.SummaryOf(code), code, err)
}

func (a *app) failAs(summary, code string, err error) error {
	if lost := a.out.lost(); lost != nil && errors.Is(err, lost) {
		return lost
	}
	detail := a.near(sentence(err))
	if advice := sqlite.DiskAdvice(err); advice != "" {
		detail += "\n\n" + advice
	}
	a.diagnose([]view.Diagnostic{{Severity: "error", Summary: summary, Detail: detail, Code: code}})
	return exit(exitError)
}
