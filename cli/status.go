package cli

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/operation"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/workspace"
)

// statusOptions are the flags of status.
type statusOptions struct {
	in             inputFlags
	campaign       string
	watch          bool
	every          time.Duration
	format         string
	json           bool
	showRecipients bool
}

func (a *app) statusCommand() *cobra.Command {
	var opt statusOptions
	cmd := &cobra.Command{
		Use: "status [flags] [CAMPAIGN]", Short: "show what became of the messages", Args: cobra.MaximumNArgs(1),
		Long: `Shows how many messages were accepted, delivered, read, answered and refused, by
cause, and what is in doubt. CAMPAIGN is an address such as campaign.spring.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				opt.campaign = state.Quoted(args[0])
			}
			return a.status(cmd.Context(), &opt)
		},
	}
	opt.in.bind(cmd.Flags())
	cmd.Flags().BoolVar(&opt.watch, "watch", false, "show it again and again until interrupted")
	cmd.Flags().DurationVar(&opt.every, "every", 2*time.Second, "with -watch: how often")
	cmd.Flags().StringVar(&opt.format, "format", "text", "text, json, html or csv")
	cmd.Flags().BoolVar(&opt.json, "json", false, "the same as -format=json")
	cmd.Flags().BoolVar(&opt.showRecipients, "show-recipients", false, "show numbers as they are")
	return cmd
}

func (a *app) status(ctx context.Context, opt *statusOptions) error {
	p, err := a.load(ctx, &opt.in)
	if err != nil {
		return err
	}
	defer p.Close()
	for {
		found, err := operation.ReadStatus(ctx, p.Workspace, opt.campaign)
		if err != nil {
			return a.failState(err, false)
		}
		report := a.statusReport(found, opt.campaign)
		if opt.watch && a.sys.StdoutTerminal {
			if err := a.show(view.Raw("\x1b[H\x1b[2J"), a.style(), false); err != nil { // clears the screen
				return err
			}
		}
		if err := a.showStatus(report, opt); err != nil {
			return err
		}
		if !opt.watch {
			if view.Errors(report.Diagnostics) {
				return exit(exitError)
			}
			return nil
		}
		select {
		case <-a.sys.Interrupts:
			return exit(exitInterrupted)
		case <-time.After(opt.every):
		}
	}
}

func (a *app) showStatus(r *view.StatusReport, opt *statusOptions) error {
	s := a.style()
	s.ShowRecipients = opt.showRecipients
	render := map[string]func(io.Writer, view.Style) error{"text": r.Text, "json": r.JSON, "html": r.HTML, "csv": r.CSV}[opt.format]
	if opt.json {
		render = r.JSON
	}
	if render == nil {
		return a.fail("Invalid option", fmt.Errorf("-format=%s is not one of text, json, html, csv", message.SafeText(opt.format)))
	}
	if err := a.writeBy(s, render); err != nil {
		return err
	}
	a.diagnose(r.Diagnostics)
	return nil
}

// statusReport converts what the state knows about campaigns into a report.
func (a *app) statusReport(found *operation.Status, campaign string) *view.StatusReport {
	for i := range found.Halts { // providers' words
		found.Halts[i].Advice = sentenceOf(found.Halts[i].Advice)
	}
	r := &view.StatusReport{At: a.sys.Now().UTC(), Waiting: found.Waiting, Notices: view.NewNotices(found.Notices), Diagnostics: unsendable(found.Unsendable)}
	for _, c := range view.BuildStatus(found.Runs, found.Funnel, found.Orders, found.Halts, workspace.Advice) {
		if campaign == "" || c.Address == campaign {
			r.Campaigns = append(r.Campaigns, c)
		}
	}
	r.AddLinks(found.Links)
	for i := range found.Templates {
		m := &found.Templates[i]
		told := m.Told(found.Told)
		r.Templates = append(r.Templates, view.NewTemplateStatus(m, &told))
	}
	for i := range found.Open {
		r.AddRun(runReport(&found.Open[i]))
	}
	for i := range found.Experiments {
		e := &found.Experiments[i]
		arms := make([]view.ArmShare, len(e.Arms))
		for k, arm := range e.Arms {
			arms[k] = view.ArmShare(arm)
		}
		r.AddExperiment(e.Campaign, e.Revision, view.NewExperiment(e.Metric, e.Within, e.Ends, e.Over(r.At), arms, e.Holdout))
	}
	for i := range found.Variants {
		r.AddVariant(found.Variants[i].Variant, found.Variants[i].Row)
	}
	for _, f := range found.Findings {
		r.Findings = append(r.Findings, view.StatusFinding{At: f.At, Kind: f.Kind, Campaign: f.Campaign, Detail: f.Detail})
	}
	for _, d := range found.Doubts {
		r.Doubts = append(r.Doubts, view.Doubt{Address: d.Campaign, Recipient: d.Recipient, Since: d.Intended, Cause: d.Cause})
	}
	return r
}
