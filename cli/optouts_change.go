package cli

import (
	"context"
	"fmt"

	"github.com/handbill/handbill/audience"
	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/state"
)

func note(who, why string) string {
	if why == "" {
		return "by " + who
	}
	return why + ", by " + who
}

// changeOptouts first reads all recipients, then runs change for each of them.
func (a *app) changeOptouts(ctx context.Context, f *stateFlags, operation string, args []string, change func(state.Store, string) error) error {
	for i, arg := range args {
		key, err := audience.RecipientKey(arg, "")
		if err != nil {
			return a.fail("Invalid recipient", fmt.Errorf("argument %d is neither a number with + and a country code, such as +4915112345678, nor a user id", i+1))
		}
		args[i] = key
	}
	return a.changeState(ctx, f, operation, func(_ *project, s state.Store) (view.Report, error) {
		for _, r := range args {
			if err := change(s, r); err != nil {
				return nil, err
			}
		}
		return view.OptOutsChanged(len(args)), nil
	})
}
