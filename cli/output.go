package cli

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/workspace"
)

func (a *app) outputCommand() *cobra.Command {
	var f stateFlags
	var raw bool
	cmd := &cobra.Command{
		Use: "output [flags] [NAME]", Short: "show the outputs of the last apply", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			values, err := a.readOutputs(cmd.Context(), &f)
			if err != nil {
				return err
			}
			if len(args) == 1 {
				return a.oneOutput(values, args[0], raw, f.json)
			}
			return a.show(values, a.style(), f.json)
		},
	}
	f.bindRead(cmd)
	cmd.Flags().BoolVar(&raw, "raw", false, "with NAME: a string without quotes")
	return cmd
}

func (a *app) readOutputs(ctx context.Context, f *stateFlags) (view.OutputsReport, error) {
	p, err := a.load(ctx, &f.in)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	values := view.OutputsReport{}
	store, err := p.ReadState(ctx)
	if err != nil || store == nil {
		if err != nil {
			err = a.failState(err, false)
		}
		return values, err
	}
	defer store.Close()
	if err := a.warnStanding(ctx, p, store); err != nil {
		return values, err
	}
	snap, err := store.Snapshot(ctx)
	if err != nil {
		return nil, a.failState(err, false)
	}
	defer snap.Close()
	stored, err := workspace.Outputs(ctx, snap)
	if err != nil {
		return nil, a.failState(err, false)
	}
	return view.OutputsReport(stored), nil
}

func (a *app) oneOutput(values view.OutputsReport, name string, raw, asJSON bool) error {
	v, ok := values[name]
	switch {
	case !ok:
		return a.fail("No such output", fmt.Errorf("the last apply left no output %q", message.SafeText(name)))
	case v.Sensitive:
		return a.fail("Sensitive output", fmt.Errorf("the output %q is sensitive: its value is not kept in the state", message.SafeText(name)))
	case !raw:
		return a.show(&view.OutputReport{Value: v.Value}, a.style(), asJSON)
	}
	var s string
	if err := json.Unmarshal(v.Value, &s); err != nil {
		return a.fail("Output is no string", fmt.Errorf("-raw needs a string, and %q is none; use -json", message.SafeText(name)))
	}
	return a.show(view.Raw(s), a.style(), false)
}
