package cli

import (
	"context"
	"errors"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/operation"
	"github.com/handbill/handbill/plan"
)

// catalogs carries out the managed catalogs of the plan and reports its progress: as
// lines for people, or as events with -json. The error says why nothing is sent.
func (a *app) catalogs(ctx context.Context, run *operation.Apply, detailed bool, stop <-chan struct{}, stream *view.ApplyStream) (*operation.CatalogsDone, error) {
	done := run.Catalogs(ctx, operation.CatalogOptions{Stop: stop, Sleep: a.sys.Sleep, Observe: func(s operation.CatalogStep) {
		c := appliedCatalog(s)
		switch {
		case stream != nil:
			stream.Catalog(&c)
		case s.Did == operation.CatalogWriting, s.Did == operation.CatalogWaiting:
			a.notice("%s", c.Line())
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
	return done, a.fail("Catalogs not applied", done.Err)
}

func appliedCatalog(s operation.CatalogStep) view.AppliedCatalog {
	return view.AppliedCatalog{Address: s.Address, Did: s.Did, Products: s.Products, Detail: s.Detail, Took: s.Took}
}

// catalogsEnd returns the exit code for the result of the managed catalogs; exitDone if
// nothing went wrong.
func catalogsEnd(done *operation.CatalogsDone, detailed bool) exit {
	switch {
	case done.Failed() && detailed:
		return exitSomeFailed
	case done.Late() && detailed:
		return exitWaiting
	case done.Failed(), done.Late():
		return exitError
	}
	return exitDone
}
