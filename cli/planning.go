package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/operation"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/workspace"
)

// planFlags are the flags that plan and apply share.
type planFlags struct {
	in     inputFlags
	lock   lockFlags
	target []string
	except []string
	again  []string
	resume []string
	retry  string
	at     string
	expect string
	config string // the digest of the configuration that is expected
	prices string

	parallelism    int
	json           bool
	format         string
	forceDelete    bool
	refresh        bool
	showRecipients bool
	deliveries     bool
}

func (f *planFlags) bind(flags *pflag.FlagSet) {
	f.in.bind(flags)
	f.in.bindHosts(flags)
	f.lock.bind(flags)
	flags.StringArrayVar(&f.target, "target", nil, "only this resource and what it needs; may be repeated")
	flags.StringArrayVar(&f.except, "exclude", nil, "everything but this resource; may be repeated")
	flags.StringArrayVar(&f.again, "replace", nil, `send again: campaign.spring, or campaign.spring["+49…"]; may be repeated`)
	flags.StringVar(&f.retry, "retry", "", `plan refused recipients again: "failed", or one code of the provider`)
	flags.BoolVar(&f.forceDelete, "force-delete-templates", false, "delete templates although messages that name them are declared, or were sent within 30 days")
	flags.BoolVar(&f.refresh, "refresh", true, "read the templates of accounts; false plans with what the state keeps of them")
	flags.Var((*digest)(&f.expect), "expect", "refuse the plan unless this is its digest (sha256:…)")
	flags.Var((*digest)(&f.config), "expect-config", "refuse the plan unless this is the digest of the configuration (sha256:…), whoever the recipients are")
	flags.StringVar(&f.prices, "prices", "", "estimate the cost with this `FILE[,TIERS]`: a price file (CSV: prefix, category, price, currency), or Meta's rates and volume tiers")
	flags.BoolVar(&f.json, "json", false, "one JSON object a line")
	flags.BoolVar(&f.showRecipients, "show-recipients", false, "show numbers and names as they are")
	flags.BoolVar(&f.deliveries, "deliveries", false, "list every recipient and not only counts")
}

// digest is the value of an option that binds to what was approved. It can't be empty: a
// script that found no digest would bind to nothing.
type digest string

func (d *digest) Set(s string) error {
	if strings.TrimSpace(s) == "" {
		return errors.New("it is empty, and would bind to nothing")
	}
	*d = digest(s)
	return nil
}

func (d *digest) String() string { return string(*d) }

func (d *digest) Type() string { return "string" }

// build makes the plan and its report. Errors of the plan itself are in the report,
// so that readers see what the plan would have been.
func (a *app) build(ctx context.Context, p *project, store state.Store, f *planFlags) (*view.PlanReport, error) {
	bar := a.progress()
	opt := workspace.PlanOptions{Unrefreshed: !f.refresh, Prices: f.prices, Parallelism: f.parallelism, Progress: bar.plan, Advice: sentenceOf,
		Options: plan.Options{Target: f.target, Exclude: f.except, Replace: f.again, Retry: f.retry, Resume: f.resume, ForceDeleteTemplates: f.forceDelete}}
	if f.at != "" {
		at, err := time.Parse(time.RFC3339, f.at)
		if err != nil {
			return nil, a.fail("Invalid option", fmt.Errorf("-at=%s is not a time such as 2026-03-01T09:00:00+01:00", message.SafeText(f.at)))
		}
		opt.At = at
	}
	started := a.sys.Now()
	built, diags, err := p.Plan(ctx, store, opt)
	bar.done()
	var prices *workspace.PricesError
	if errors.As(err, &prices) {
		return nil, a.fail("Invalid option", err)
	}
	if err != nil {
		return nil, a.failState(err, false)
	}
	a.log.Info("planned", "digest", built.Digest, "messages", built.Sends(), "took", a.sys.Now().Sub(started))
	report := &view.PlanReport{Plan: built, Deliveries: f.deliveries, Hints: !a.automation()}
	report.Diagnostics = append(p.diags, view.FromHCL(diags, p.Config.Files)...)
	report.Failed = view.Errors(report.Diagnostics)
	return report, nil
}

// render plans one campaign so that every recipient's message can be inspected.
// With unread it asks no account about templates. The caller closes the plan.
func (a *app) render(ctx context.Context, p *project, c *lang.Campaign, unread bool) (*plan.Plan, error) {
	built, diags, err := operation.Render(ctx, p.Workspace, c, unread)
	if err != nil {
		return nil, a.failState(err, false)
	}
	if diags.HasErrors() {
		a.hclDiags(diags, p.Config.Files)
		built.Close()
		return nil, exit(exitError)
	}
	return built, nil
}

// expect refuses a plan whose digest is not the approved one.
func (a *app) expect(r *view.PlanReport, want string, detailed bool) error {
	if want == "" || r.Failed || r.Plan.Digest == want {
		return nil
	}
	err := a.fail("Plan differs", fmt.Errorf("the plan's digest is %s, and %s was expected: files, contacts or the state have changed since it was approved. Nothing was sent. Review the new plan with \"handbill plan\"", r.Plan.Digest, message.SafeText(want)))
	if detailed {
		return exit(exitStale)
	}
	return err
}

// expectConfig refuses a configuration whose digest is not the approved one, before
// anything is planned.
func (a *app) expectConfig(cfg *lang.Config, want string, detailed bool) error {
	if want == "" {
		return nil
	}
	got, err := plan.ConfigDigest(cfg)
	if err != nil {
		return a.fail("Configuration not usable", err)
	}
	if got == want {
		return nil
	}
	err = a.fail("Configuration differs", fmt.Errorf("the digest of the configuration is %s, and %s was expected: a file, a variable or what they read has changed since it was approved. Nothing was sent. Review it with \"handbill plan\"", got, message.SafeText(want)))
	if detailed {
		return exit(exitStale)
	}
	return err
}

// applyCommandFor returns the command that applies the plan in a file.
func (a *app) applyCommandFor(name string) string {
	if a.chdir != "" {
		return "handbill -chdir=" + shellQuote(a.chdir) + " apply " + shellQuote(name)
	}
	return "handbill apply " + shellQuote(name)
}

func shellQuote(s string) string {
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !strings.ContainsRune("./-_=:", r) && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// showPlan renders the plan in the requested format.
func (a *app) showPlan(r *view.PlanReport, f *planFlags) error {
	s := a.style()
	s.ShowRecipients = f.showRecipients
	format := f.format
	if f.json {
		format = "stream"
	}
	var render func(io.Writer, view.Style) error
	switch format {
	case "text", "":
		if err := a.show(r, s, false); err != nil {
			return err
		}
		a.diagnose(r.Diagnostics)
		return nil
	case "stream":
		render = func(w io.Writer, s view.Style) error { return r.Stream(w, s, a.sys.Now, a.sys.Build.Version) }
	case "json":
		render = r.JSON
	case "markdown":
		render = r.Markdown
	case "html":
		render = r.HTML
	default:
		return a.fail("Invalid option", fmt.Errorf("-format=%s is not one of text, json, markdown, html", message.SafeText(format)))
	}
	if err := a.writeBy(s, render); err != nil {
		return err
	}
	if format != "stream" {
		a.diagnose(r.Diagnostics)
	}
	return nil
}
