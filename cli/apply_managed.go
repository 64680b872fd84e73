package cli

import (
	"errors"

	"github.com/handbill/handbill/plan"
)

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
