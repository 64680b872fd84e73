package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/operation"
	"github.com/handbill/handbill/state"
)

// standing returns what keeps apply from sending with this state, for commands that
// only read it; nil if nothing does.
func (a *app) standing(ctx context.Context, p *project, store state.Store) ([]view.Diagnostic, error) {
	why, err := operation.Unsendable(ctx, store, p.Workspace)
	return unsendable(why), err
}

// unsendable turns the reason why nothing is sent into diagnostics.
func unsendable(why error) []view.Diagnostic {
	var halt *state.HaltError
	var clock *state.ClockError
	switch {
	case errors.As(why, &halt):
		return []view.Diagnostic{haltDiagnostic(halt)}
	case errors.As(why, &clock):
		return []view.Diagnostic{{Severity: "warning", Summary: state.SummaryOf(state.CodeClockBehind), Detail: sentence(clock), Code: state.CodeClockBehind}}
	}
	return nil
}

// showStanding shows what standing returned, and fails if one of them is an error.
func (a *app) showStanding(found []view.Diagnostic) error {
	a.diagnose(found)
	if view.Errors(found) {
		return exit(exitError)
	}
	return nil
}

// warnStanding warns about anything that keeps apply from sending. Every command
// that opens the state calls it.
func (a *app) warnStanding(ctx context.Context, p *project, store state.Store) error {
	found, err := a.standing(ctx, p, store)
	if err != nil {
		return a.failState(err, false)
	}
	for i := range found {
		found[i].Severity = "warning"
	}
	a.diagnose(found)
	return nil
}

// haltDiagnostic says what happened to a halted state, what that means, and what to
// do.
func haltDiagnostic(halt *state.HaltError) view.Diagnostic {
	if halt.Sealed() {
		return sealedDiagnostic(message.SafeText(halt.To), halt.Kind == state.HaltMoved)
	}
	newer := "Look for a newer state: beside it lie \"….backup-…\" files, and \"….replaced\" after a restore. \"handbill state restore FILE\" puts one in its place."
	if halt.Database {
		newer = "After an upgrade, and after a switch to a synchronous standby, nothing is missing: continue with 3. Otherwise look for a newer database: another standby, or the archive of its log."
	}
	detail := fmt.Sprintf("Nothing is sent: the state does not know everything that was sent. What happened: %s.\n\n", halt.Why) +
		"What it means: people who got a message after that point look to handbill as if they had not, and would get it a second time. Who asked for no more messages after it is not known either.\n\n" +
		"What to do:\n" +
		"  1. " + newer + "\n" +
		"  2. Import what is missing from the provider's own list: \"handbill import -campaign=campaign.NAME FILE.csv\", and opt-outs with \"handbill state optouts import\".\n" +
		"  3. When nothing was sent since, or what was sent is imported, say so: \"handbill state acknowledge -why='…'\". Then apply and serve work again."
	return view.Diagnostic{Severity: "error", Summary: state.SummaryOf(state.CodeHalted), Detail: detail, Code: state.CodeHalted}
}

// sealedDiagnostic says where a state is that was moved.
func sealedDiagnostic(to string, done bool) view.Diagnostic {
	detail := fmt.Sprintf("This state was moved to %s, and nothing is sent from it or written to it any more. Name that place in the configuration: handbill { state … }.", to)
	if !done {
		detail = fmt.Sprintf("This state was being moved to %s, and the command did not finish. Run \"handbill state migrate\" again. If that says that there is a state already, the move was complete: name that place in the configuration, handbill { state … }.", to)
	}
	return view.Diagnostic{Severity: "error", Summary: state.SummaryOf(state.CodeSealed), Detail: detail, Code: state.CodeSealed}
}
