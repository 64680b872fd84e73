package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"sort"
	"strings"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/state"
)

func (a *app) graphCommand() *cobra.Command {
	var in inputFlags
	cmd := &cobra.Command{
		Use: "graph", Short: "print the dependency graph in Graphviz's language", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := a.load(cmd.Context(), &in)
			if err != nil {
				return err
			}
			defer p.close()
			_, err = fmt.Fprint(a.sys.Stdout, p.config.Graph.DOT())
			return err
		},
	}
	in.bind(cmd.Flags())
	return cmd
}

func (a *app) consoleCommand() *cobra.Command {
	var in inputFlags
	cmd := &cobra.Command{
		Use: "console", Short: "try expressions", Args: cobra.NoArgs,
		Long: `Evaluates expressions from standard input, one a line, with the configuration's
variables, locals, catalogs and functions. "exit" or the end of input ends it.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.console(cmd.Context(), &in) },
	}
	in.bind(cmd.Flags())
	return cmd
}

func (a *app) console(ctx context.Context, in *inputFlags) error {
	p, err := a.load(ctx, in)
	if err != nil {
		return err
	}
	defer p.close()
	lines := bufio.NewScanner(a.sys.Stdin)
	lines.Buffer(nil, 1<<20)
	failed := false
	for {
		if a.sys.StdinTerminal {
			fmt.Fprint(a.sys.Stdout, "> ")
		}
		if !lines.Scan() {
			break
		}
		src := strings.TrimSpace(lines.Text())
		if src == "exit" || src == "quit" {
			break
		}
		if src == "" {
			continue
		}
		value, diags := p.config.EvalConsole(src)
		if a.hclDiags(diags, map[string][]byte{"<console>": []byte(src)}) {
			failed = true
			continue
		}
		fmt.Fprintln(a.sys.Stdout, view.Value(value))
	}
	if failed && !a.sys.StdinTerminal {
		return exit(exitError)
	}
	return lines.Err()
}

// outputs is the name under which the state keeps the outputs of the last
// apply.
const outputs = "outputs"

// storedOutput is an output in the state; a sensitive one is kept without its
// value.
type storedOutput struct {
	Value     json.RawMessage `json:"value,omitempty"`
	Sensitive bool            `json:"sensitive"`
}

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

// storedOutputs are the outputs of the last apply.
func storedOutputs(ctx context.Context, snap *state.Snapshot) (map[string]storedOutput, error) {
	values := map[string]storedOutput{}
	data, err := snap.Get(ctx, outputs)
	if err == nil && len(data) > 0 {
		err = json.Unmarshal(data, &values)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the outputs in the state: %w", err)
	}
	return values, nil
}

// lastOutputs are the values of storedOutputs as planning compares them.
func lastOutputs(ctx context.Context, snap *state.Snapshot) (map[string]string, error) {
	values, err := storedOutputs(ctx, snap)
	last := make(map[string]string, len(values))
	for name, v := range values {
		last[name] = string(v.Value)
	}
	return last, err
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

func (a *app) explainCommand() *cobra.Command {
	return &cobra.Command{
		Use: "explain [CODE]", Short: "say what a diagnostic or a provider's code means, and what to do", Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			codes := append(lang.Codes(), plan.Codes()...)
			sort.SliceStable(codes, func(i, j int) bool { return codes[i].Code < codes[j].Code })
			found := false
			for i, c := range codes {
				if len(args) == 0 {
					if i > 0 && codes[i-1].Code == c.Code {
						continue // said for the configuration and for a plan: one line, two explanations
					}
					fmt.Fprintf(a.sys.Stdout, "%-32s %s\n", c.Code, c.Summary)
				} else if c.Code == args[0] {
					fmt.Fprint(a.sys.Stdout, view.Explanation(c.Code, c.Summary, c.Explanation))
					found = true
				}
			}
			if len(args) == 1 {
				if text := explainProviderCode(args[0]); text != "" {
					fmt.Fprint(a.sys.Stdout, text)
					found = true
				}
			}
			if len(args) == 1 && !found {
				return a.fail("No such code", fmt.Errorf("there is no diagnostic %q, and no provider has that code; \"handbill explain\" lists the diagnostics", message.SafeText(args[0])))
			}
			return nil
		},
	}
}

// planOutputs are the outputs of a plan as views and the state take them.
func planOutputs(p *plan.Plan) ([]view.Output, []byte, error) {
	var list []view.Output
	stored := map[string]storedOutput{}
	for _, o := range p.Outputs {
		if o.Change == "delete" {
			continue
		}
		list = append(list, view.Output{Name: o.Name, Value: o.Value, Sensitive: o.Sensitive})
		s := storedOutput{Sensitive: o.Sensitive}
		if !o.Sensitive {
			s.Value = json.RawMessage(o.Value)
		}
		stored[o.Name] = s
	}
	data, err := json.Marshal(stored)
	return list, data, err
}
