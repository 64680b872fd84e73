package cli

import (
	"context"
	"slices"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/operation"
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
	return done, a.notManaged(done.Err, "Templates not applied", detailed)
}

// singletons carries out the singletons of the plan and reports its progress, as
// templates does.
func (a *app) singletons(ctx context.Context, run *operation.Apply, detailed bool, stop <-chan struct{}, bar *progress, stream *view.ApplyStream) (*operation.SingletonsDone, error) {
	done := run.Singletons(ctx, operation.TemplateOptions{Stop: stop, Sleep: a.sys.Sleep, Observe: func(s operation.TemplateStep) {
		t := appliedTemplate(s)
		if stream != nil {
			stream.Singleton(&t)
		} else if slices.Contains(underWay, s.Did) {
			bar.tell(t.Line())
		}
	}})
	return done, a.notManaged(done.Err, "Settings not applied", detailed)
}

// underWay are the steps that people see before the report.
var underWay = []string{operation.TemplateCreating, operation.TemplateEditing, operation.TemplateWaiting, operation.TemplateDeleting, operation.TemplateArchiving}

func appliedTemplate(s operation.TemplateStep) view.AppliedTemplate {
	return view.AppliedTemplate{Address: s.Address, Did: s.Did, Status: s.Status, ID: s.ID, Detail: s.Detail, Took: s.Took}
}

// templatesEnd returns the exit code for the result of the template blocks;
// exitDone if nothing went wrong.
func templatesEnd(done *operation.TemplatesDone, detailed bool) exit {
	return managedEnd(done.Failed(), done.Late(), detailed)
}
