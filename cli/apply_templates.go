package cli

import (
	"context"
	"errors"
	"slices"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/operation"
	"github.com/handbill/handbill/plan"
)

// templates carries out the template blocks of the plan and reports its progress:
// as lines for people, or as events with -json. The error says why nothing is sent.
func (a *app) templates(ctx context.Context, run *operation.Apply, detailed bool, stop <-chan struct{}, bar *progress, stream *view.ApplyStream) (*operation.TemplatesDone, error) {
	done := run.Templates(ctx, operation.TemplateOptions{Stop: stop, Sleep: a.sys.Sleep, Observe: func(s operation.TemplateStep) {
		t := appliedTemplate(s)
		if stream != nil {
			stream.Template(&t)
		} else if slices.Contains(underWay, s.Did) {
			bar.tell(t.Line())
		}
	}})
	var changed *plan.ChangedError
	switch {
	case done.Err == nil:
		return done, nil
	case errors.As(done.Err, &changed):
		err := a.fail("Plan is stale", done.Err)
		if detailed {
			err = exit(exitStale)
		}
		return done, err
	}
	return done, a.fail("Templates not applied", done.Err)
}

// underWay are the steps that people see before the report.
var underWay = []string{operation.TemplateCreating, operation.TemplateEditing, operation.TemplateWaiting, operation.TemplateDeleting, operation.TemplateArchiving}

func appliedTemplate(s operation.TemplateStep) view.AppliedTemplate {
	return view.AppliedTemplate{Address: s.Address, Did: s.Did, Status: s.Status, ID: s.ID, Detail: s.Detail, Took: s.Took}
}

// templatesEnd returns the exit code for the result of the template blocks;
// exitDone if nothing went wrong.
func templatesEnd(done *operation.TemplatesDone, detailed bool) exit {
	switch {
	case done.Failed() && detailed:
		return exitSomeFailed
	case done.Failed():
		return exitError
	case done.Late() && detailed:
		return exitWaiting
	case done.Late():
		return exitError
	}
	return exitDone
}
