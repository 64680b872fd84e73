package cli

import (
	"cmp"
	"context"
	"errors"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/operation"
	"github.com/handbill/handbill/plan"
)

// managedDone is what became of what accounts and numbers have.
type managedDone struct {
	singletons *operation.SingletonsDone
	catalogs   *operation.CatalogsDone
	templates  *operation.TemplatesDone
}

// managed carries out what the plan changes in accounts and at numbers, before
// messages. The error says why nothing is sent.
func (a *app) managed(ctx context.Context, run *operation.Apply, detailed bool, stop <-chan struct{}, bar *progress, stream *view.ApplyStream) (*managedDone, error) {
	done := &managedDone{}
	var err error
	if done.singletons, err = a.singletons(ctx, run, detailed, stop, bar, stream); err != nil {
		return nil, err
	}
	if done.catalogs, err = a.catalogs(ctx, run, detailed, stop, stream); err != nil {
		return nil, err
	}
	done.templates, err = a.templates(ctx, run, detailed, stop, bar, stream)
	return done, err
}

// report adds the steps to the report of an apply.
func (d *managedDone) report(r *view.ApplyReport) {
	for _, s := range d.singletons.Steps {
		r.Singletons = append(r.Singletons, appliedTemplate(s))
	}
	for _, s := range d.templates.Steps {
		r.Templates = append(r.Templates, appliedTemplate(s))
	}
	for _, s := range d.catalogs.Steps {
		r.Catalogs = append(r.Catalogs, appliedCatalog(s))
	}
}

// end is the exit code; exitDone if nothing went wrong.
func (d *managedDone) end(detailed bool) exit {
	return cmp.Or(templatesEnd(d.templates, detailed), catalogsEnd(d.catalogs, detailed), managedEnd(d.singletons.Failed(), false, detailed))
}

// notManaged says why the templates or catalogs of a plan could not be carried out; nil
// for no error.
func (a *app) notManaged(err error, title string, detailed bool) error {
	var changed *plan.ChangedError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &changed):
		stale := a.fail("Plan is stale", err)
		if detailed {
			stale = exit(exitStale)
		}
		return stale
	}
	return a.fail(title, err)
}

// managedEnd is the exit code for templates or catalogs: some failed, or what they wait
// for did not come in time.
func managedEnd(failed, late, detailed bool) exit {
	switch {
	case failed && detailed:
		return exitSomeFailed
	case late && detailed:
		return exitWaiting
	case failed, late:
		return exitError
	}
	return exitDone
}
