package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/plantest"
	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/serve"
	"github.com/handbill/handbill/workspace"
)

// testOptions are the flags of test.
type testOptions struct {
	vars     inputFlags
	update   bool
	json     bool
	junit    string
	filter   []string
	parallel int
}

func (a *app) testCommand() *cobra.Command {
	var opt testOptions
	cmd := &cobra.Command{
		Use: "test [flags] [FILTER...]", Short: "run the tests of plans and reply rules (*.test.hcl)",
		Long: `Runs the run blocks of *.test.hcl files. Each plans the configuration with its own
variables, clock, contacts and history, tries the reply rules on the events and
recorded webhooks that it names, and checks the plan and the replies by assertions,
expected errors and golden files. Nothing is sent, and no account, network or state
is used. A FILTER is a regular expression that the name of a file or a run must
match.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			opt.filter = append(opt.filter, args...)
			return a.test(cmd.Context(), &opt)
		},
	}
	opt.vars.bind(cmd.Flags())
	cmd.Flags().BoolVar(&opt.update, "update", false, "write golden files instead of comparing with them")
	cmd.Flags().BoolVar(&opt.json, "json", false, "one JSON document")
	cmd.Flags().StringVar(&opt.junit, "junit", "", "also write the results to this file as JUnit XML")
	cmd.Flags().StringArrayVar(&opt.filter, "filter", nil, "only what matches this regular expression; may be repeated")
	cmd.Flags().IntVar(&opt.parallel, "parallelism", runtime.GOMAXPROCS(0), "how many runs at a time")
	return cmd
}

func (a *app) test(ctx context.Context, opt *testOptions) error {
	root, err := os.OpenRoot(a.dir())
	if err != nil {
		return a.fail("Unreadable directory", fmt.Errorf("opening %s: %w", a.display(a.dir()), workspace.PathCause(err)))
	}
	defer root.Close()
	runs, files, diags := plantest.Load(root)
	if a.hclDiags(diags, files) {
		return exit(exitError)
	}
	if runs, err = filtered(runs, opt.filter); err != nil {
		return a.fail("Invalid option", err)
	}
	if len(runs) == 0 {
		return a.fail("No tests", fmt.Errorf("no run block of a *.test.hcl file in %s matches", a.display(a.dir())))
	}
	runner := &plantest.Runner{Dir: a.dir(), Root: root, Options: a.hostOf(&opt.vars).LangOptions(a.dir(), opt.vars.vars), Update: opt.update, Now: a.sys.Now,
		Render: renderGolden, RenderReplies: renderReplies, Decode: a.decodeWebhook, ForwardBody: serve.ForwardBody,
		Inputs: func() plan.Inputs {
			in := workspace.Inputs()
			in.Parallelism, in.Templates.Unread = 1, true // a test asks nobody
			return in
		}}
	report := &plantest.Report{Results: runner.All(ctx, runs, opt.parallel)}
	if opt.junit != "" {
		if err := a.writeFile(opt.junit, report.JUnit); err != nil {
			return a.fail("Report not written", err)
		}
	}
	show := report.Text
	if opt.json {
		show = report.JSON
	}
	if err := a.show(asText{show}, a.style(), false); err != nil {
		return err
	}
	if report.Failed() > 0 {
		return exit(exitError)
	}
	return nil
}

// decodeWebhook decodes a recorded webhook as the provider at address does.
func (a *app) decodeWebhook(cfg *lang.Config, address string, body []byte) ([]message.Event, error) {
	made, err := a.host().Provider(cfg, address)
	if err != nil {
		return nil, err
	}
	hook, ok := made.(providers.Webhook)
	if !ok {
		return nil, fmt.Errorf("%s has no webhooks", address)
	}
	return hook.Decode(body)
}

// filtered returns the runs that match every filter.
func filtered(runs []*plantest.Run, filters []string) ([]*plantest.Run, error) {
	for _, f := range filters {
		re, err := regexp.Compile(f)
		if err != nil {
			return nil, fmt.Errorf("the filter %q is no regular expression", message.SafeText(f))
		}
		var left []*plantest.Run
		for _, r := range runs {
			if re.MatchString(r.File) || re.MatchString(r.Name) {
				left = append(left, r)
			}
		}
		runs = left
	}
	return runs, nil
}

// renderGolden renders a plan in the format that the golden file's name asks for.
func renderGolden(name string, p *plan.Plan, diags hcl.Diagnostics, files map[string][]byte) ([]byte, error) {
	r := &view.PlanReport{Plan: p, Diagnostics: view.FromHCL(diags, files)}
	r.Failed = view.Errors(r.Diagnostics)
	render := map[string]func(io.Writer, view.Style) error{".md": r.Markdown, ".html": r.HTML, ".json": r.JSON}[strings.ToLower(filepath.Ext(name))]
	var b bytes.Buffer
	if render == nil {
		err := r.Text(&b, view.Style{})
		view.Diagnostics(&b, view.Style{}, r.Diagnostics)
		return b.Bytes(), err
	}
	err := render(&b, view.Style{})
	return b.Bytes(), err
}

// renderReplies renders the answers of the rules in the format that the golden
// file's name asks for: .json is an array, .md has the messages in words.
func renderReplies(name string, list []*plantest.Reply) ([]byte, error) {
	var b strings.Builder
	if strings.EqualFold(filepath.Ext(name), ".json") {
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		err := enc.Encode(list)
		return []byte(b.String()), err
	}
	inWords := strings.EqualFold(filepath.Ext(name), ".md")
	for _, r := range list {
		b.WriteString(r.Told(plantest.Look{Bodies: true, Draw: func(m message.Message) string {
			p := view.MessagePicture(m)
			if inWords {
				return plantest.Indent(plantest.Indent(strings.Join(p.Words(), "\n")))
			}
			return p.Terminal(view.Style{})
		}}))
	}
	text := strings.TrimRight(b.String(), "\n") + "\n"
	if inWords { // a block of code, which no text can leave
		text = plantest.Indent(plantest.Indent(text))
	}
	return []byte(text), nil
}
