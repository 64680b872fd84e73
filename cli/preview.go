package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/operation"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/workspace"
)

// previewOptions are the flags of preview.
type previewOptions struct {
	in             inputFlags
	address        string
	recipient      string
	sample         int
	seed           uint64
	html           string
	showRecipients bool
	json           bool
}

func (a *app) previewCommand() *cobra.Command {
	var opt previewOptions
	cmd := &cobra.Command{
		Use: "preview [flags] [ADDRESS]", Short: "draw messages as a phone shows them", Args: cobra.MaximumNArgs(1),
		Long: `Draws the declared messages as a phone shows them: all of them, or the one at an
ADDRESS such as list_message.browse. With the address of a campaign, draws what
its recipients would get: the message nearest to a limit, the longest, the
shortest, and some at random.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				opt.address = state.Quoted(args[0])
			}
			return a.preview(cmd.Context(), &opt)
		},
	}
	opt.in.bind(cmd.Flags())
	opt.in.bindHosts(cmd.Flags())
	bindJSON(cmd, &opt.json)
	cmd.Flags().StringVar(&opt.recipient, "recipient", "", "draw what this recipient would get; with the address of a campaign")
	cmd.Flags().IntVar(&opt.sample, "sample", 3, "how many recipients' messages to draw; with the address of a campaign")
	cmd.Flags().Uint64Var(&opt.seed, "seed", 1, "choose the random ones by this number")
	cmd.Flags().StringVar(&opt.html, "html", "", "write a page to this file instead of drawing in the terminal")
	cmd.Flags().BoolVar(&opt.showRecipients, "show-recipients", false, "show numbers and names as they are")
	return cmd
}

func (a *app) preview(ctx context.Context, opt *previewOptions) error {
	p, err := a.load(ctx, &opt.in)
	if err != nil {
		return err
	}
	defer p.Close()
	s := a.style()
	s.ShowRecipients = opt.showRecipients
	report, err := a.previewReport(ctx, p, opt, s)
	if err != nil {
		return err
	}
	if opt.html == "" {
		return a.show(report, s, opt.json)
	}
	return a.writePage(opt.html, func(w io.Writer) error { return report.HTML(w, s) })
}

// writePage writes a page that may show recipients and says so.
func (a *app) writePage(name string, write func(io.Writer) error) error {
	if err := a.writeFile(name, write); err != nil {
		return a.fail("Page not written", err)
	}
	return a.show(view.Line("Wrote "+message.SafeText(name)+"."), a.style(), false)
}

func (a *app) previewReport(ctx context.Context, p *project, opt *previewOptions, s view.Style) (*view.PreviewReport, error) {
	if c, err := operation.FindCampaign(p.Config, opt.address); err == nil {
		return a.previewCampaign(ctx, p, c, opt, s)
	}
	if opt.recipient != "" {
		return nil, a.fail("Invalid option", fmt.Errorf("-recipient needs the address of a campaign, such as campaign.spring"))
	}
	report := &view.PreviewReport{}
	for _, r := range p.Config.Resources() {
		if view.IsMessage(r.Type) && (opt.address == "" || r.Address == opt.address) {
			report.Groups = append(report.Groups, view.PreviewGroup{Address: r.Address,
				Items: []view.PreviewItem{{Picture: view.TreePicture(r.Type, &r.Tree)}}})
		}
	}
	switch {
	case len(report.Groups) == 0 && opt.address != "":
		return nil, a.fail("No such message", fmt.Errorf("there is no message or campaign %q", message.SafeText(opt.address)))
	case len(report.Groups) == 0:
		return nil, a.fail("Nothing to draw", fmt.Errorf("no message is declared"))
	}
	return report, nil
}

// previewCampaign draws what recipients of a campaign would receive.
func (a *app) previewCampaign(ctx context.Context, p *project, c *lang.Campaign, opt *previewOptions, s view.Style) (*view.PreviewReport, error) {
	pl, err := a.render(ctx, p, c, true)
	if err != nil {
		return nil, err
	}
	defer pl.Close()
	group := view.PreviewGroup{Address: c.Address(), Note: "as if every recipient's window were open"}
	var samples []operation.Sample
	if opt.recipient != "" {
		found, err := operation.FindSample(pl, c.Address(), c.Audience.Region, opt.recipient)
		if err == nil && found.Draft == nil {
			who := &found.Entry.Recipient
			err = fmt.Errorf("%s gets nothing of %s: %s (%s)", message.Mask(who.Key()), c.Address(), view.Reason(found.Entry.Reason), who.Place)
		}
		if err != nil {
			return nil, a.fail("No such recipient", err)
		}
		samples = []operation.Sample{*found}
	} else if samples, err = operation.Choose(pl, c.Address(), workspace.Limits(c.Provider.Type), opt.sample, opt.seed); err != nil {
		return nil, a.fail("Contacts not readable", err)
	}
	for _, sample := range samples {
		caption := s.Recipient(sample.Entry.Recipient.Key())
		if sample.Why != "" {
			caption += " (" + sample.Why + ")"
		}
		group.Items = append(group.Items, view.PreviewItem{Caption: caption, Picture: view.SamplePicture(sample.Draft, sample.Entry.Values, s)})
	}
	if len(group.Items) == 0 {
		return nil, a.fail("Nothing to draw", fmt.Errorf("%s has no recipient who would get a message", c.Address()))
	}
	return &view.PreviewReport{Groups: []view.PreviewGroup{group}}, nil
}
