package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"sort"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/message"
)

func (a *app) outputCommand() *cobra.Command {
	var (
		f      stateFlags
		asJSON bool
		raw    bool
	)
	cmd := &cobra.Command{
		Use: "output [flags] [NAME]", Short: "show the outputs of the last apply", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			values, err := a.readOutputs(cmd.Context(), &f)
			if err != nil {
				return err
			}
			if len(args) == 1 {
				return a.oneOutput(values, args[0], raw, asJSON)
			}
			return a.allOutputs(values, asJSON)
		},
	}
	f.in.bind(cmd.Flags())
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	cmd.Flags().BoolVar(&raw, "raw", false, "with NAME: a string without quotes")
	return cmd
}

func (a *app) readOutputs(ctx context.Context, f *stateFlags) (map[string]storedOutput, error) {
	p, err := a.load(ctx, &f.in)
	if err != nil {
		return nil, err
	}
	defer p.close()
	values := map[string]storedOutput{}
	store, err := a.readState(ctx, p)
	if err != nil || store == nil {
		if err != nil {
			err = a.failState(err, false)
		}
		return values, err
	}
	defer store.Close()
	snap, err := store.Snapshot(ctx)
	if err != nil {
		return nil, a.failState(err, false)
	}
	defer snap.Close()
	if values, err = storedOutputs(ctx, snap); err != nil {
		return nil, a.failState(err, false)
	}
	return values, nil
}

func (a *app) oneOutput(values map[string]storedOutput, name string, raw, asJSON bool) error {
	v, ok := values[name]
	switch {
	case !ok:
		return a.fail("No such output", fmt.Errorf("the last apply left no output %q", message.SafeText(name)))
	case v.Sensitive:
		return a.fail("Sensitive output", fmt.Errorf("the output %q is sensitive: its value is not kept in the state", message.SafeText(name)))
	case raw:
		var s string
		if err := json.Unmarshal(v.Value, &s); err != nil {
			return a.fail("Output is no string", fmt.Errorf("-raw needs a string, and %q is none; use -json", message.SafeText(name)))
		}
		_, err := fmt.Fprint(a.sys.Stdout, s)
		return err
	case asJSON:
		_, err := fmt.Fprintln(a.sys.Stdout, string(v.Value))
		return err
	}
	_, err := fmt.Fprintln(a.sys.Stdout, view.JSONValue(string(v.Value)))
	return err
}

func (a *app) allOutputs(values map[string]storedOutput, asJSON bool) error {
	if asJSON {
		out, err := json.MarshalIndent(values, "", "  ")
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(a.sys.Stdout, string(out))
		return err
	}
	if len(values) == 0 {
		_, err := fmt.Fprintln(a.sys.Stdout, "No outputs. Declare them with output blocks; apply keeps their values.")
		return err
	}
	names := make([]string, 0, len(values))
	for n := range values {
		names = append(names, n)
	}
	sort.Strings(names)
	for _, n := range names {
		value := "<sensitive>"
		if !values[n].Sensitive {
			value = view.JSONValue(string(values[n].Value))
		}
		fmt.Fprintf(a.sys.Stdout, "%s = %s\n", n, value)
	}
	return nil
}
