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

// Reports and diagnostics are written in this file only: commands make them and
// pass them on.

// show writes a command's final report.
func (a *app) show(r view.Report, s view.Style, asJSON bool) error {
	if asJSON {
		return view.JSON(a.sys.Stdout, s, r)
	}
	return r.Text(a.sys.Stdout, s)
}

// writeBy writes a report with one of its methods, for a format that was asked for.
func (a *app) writeBy(s view.Style, by func(io.Writer, view.Style) error) error {
	return by(a.sys.Stdout, s)
}

// applyStream writes a run while it is in progress, one JSON object per line.
func (a *app) applyStream(s view.Style, now func() time.Time) *view.ApplyStream {
	return view.NewApplyStream(a.sys.Stdout, s, now)
}

// diagnose writes diagnostics to stderr.
func (a *app) diagnose(diags []view.Diagnostic) {
	a.errs.Lock()
	defer a.errs.Unlock()
	view.Diagnostics(a.sys.Stderr, a.style(), diags)
}

// bindJSON binds -json, which every command that shows something has.
func bindJSON(cmd *cobra.Command, to *bool) {
	cmd.Flags().BoolVar(to, "json", false, "one JSON document")
}

// asText is a report with a format of its own.
type asText struct{ write func(io.Writer) error }

// Text writes it.
func (t asText) Text(w io.Writer, _ view.Style) error { return t.write(w) }

// fail shows an error that has no place in a file. Main reports lost output itself.
func (a *app) fail(summary string, err error) error {
	return a.failAs(summary, "", err)
}

// failCode is fail for an error that has a code to explain.
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
