package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/message"
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
				opt.campaign = args[0]
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
		report, err := a.statusReport(ctx, p, opt.campaign)
		if err != nil {
			return a.failState(err, false)
		}
		if opt.watch && a.sys.StdoutTerminal {
			fmt.Fprint(a.sys.Stdout, "\x1b[H\x1b[2J")
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
	if err := render(a.sys.Stdout, s); err != nil {
		return err
	}
	view.Diagnostics(a.sys.Stderr, s, r.Diagnostics)
	return nil
}

// statusReport reads everything that status shows.
func (a *app) statusReport(ctx context.Context, p *project, campaign string) (*view.StatusReport, error) {
	r := &view.StatusReport{At: a.sys.Now().UTC()}
	store, err := p.ReadState(ctx)
	if err != nil {
		return nil, err
	}
	if store == nil {
		return r, known(p, r, campaign)
	}
	defer store.Close()
	runs, err := store.Runs(ctx)
	if err != nil {
		return nil, err
	}
	funnel, err := store.Funnel(ctx, campaign)
	if err != nil {
		return nil, err
	}
	orders, err := store.Orders(ctx)
	if err != nil {
		return nil, err
	}
	halts, err := store.Halts(ctx)
	if err != nil {
		return nil, err
	}
	worded(halts)
	for _, c := range view.BuildStatus(runs, funnel, orders, halts, workspace.Advice) {
		if campaign == "" || c.Address == campaign {
			r.Campaigns = append(r.Campaigns, c)
		}
	}
	if err := known(p, r, campaign); err != nil {
		return nil, err
	}
	return r, a.statusRest(ctx, store, r, campaign)
}

// known says so when a campaign was asked for that neither the configuration
// nor the state has.
func known(p *project, r *view.StatusReport, campaign string) error {
	if campaign == "" || len(r.Campaigns) > 0 {
		return nil
	}
	var names []string
	for _, c := range p.Config.Campaigns {
		if c.Address() == campaign {
			return nil
		}
		names = append(names, c.Address())
	}
	return fmt.Errorf("there is no %s, neither declared nor in the state; declared are: %s", message.SafeText(campaign), strings.Join(names, ", "))
}

// maxDoubts is how many doubts status lists; the count is in the funnel.
const maxDoubts = 20

func (a *app) statusRest(ctx context.Context, store state.Store, r *view.StatusReport, campaign string) error {
	findings, err := store.Findings(ctx)
	if err != nil {
		return err
	}
	if r.Diagnostics, err = a.standing(ctx, store); err != nil {
		return err
	}
	for _, f := range findings {
		r.Findings = append(r.Findings, view.StatusFinding{At: f.At, Kind: f.Kind, Campaign: f.Campaign, Detail: f.Detail})
	}
	inbox, _, err := store.Waiting(ctx)
	if err != nil {
		return err
	}
	r.Waiting = inbox
	for d, err := range store.InDoubt(ctx, campaign) {
		if err != nil {
			return err
		}
		if len(r.Doubts) == maxDoubts {
			break
		}
		r.Doubts = append(r.Doubts, view.Doubt{Address: d.Campaign, Recipient: d.Recipient, Since: d.Intended, Cause: d.Cause})
	}
	return nil
}
