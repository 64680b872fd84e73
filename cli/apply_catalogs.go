package cli

import (
	"context"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/operation"
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
	return done, a.notManaged(done.Err, "Catalogs not applied", detailed)
}

func appliedCatalog(s operation.CatalogStep) view.AppliedCatalog {
	return view.AppliedCatalog{Address: s.Address, Did: s.Did, Products: s.Products, Detail: s.Detail, Took: s.Took}
}

// catalogsEnd returns the exit code for the result of the managed catalogs; exitDone if
// nothing went wrong.
func catalogsEnd(done *operation.CatalogsDone, detailed bool) exit {
	return managedEnd(done.Failed(), done.Late(), detailed)
}
