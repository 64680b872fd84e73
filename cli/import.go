package cli

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/audience"
	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// importOptions are the flags of import.
type importOptions struct {
	stateFlags
	campaign  string
	revision  int
	recipient string // columns
	id        string
	time      string
	region    string
	onInvalid string
	dry       bool
}

func (a *app) importCommand() *cobra.Command {
	var opt importOptions
	cmd := &cobra.Command{
		Use: "import -campaign=ADDRESS [flags] FILE.csv", Short: "take over messages that were sent elsewhere", Args: cobra.ExactArgs(1),
		Long: `Takes over sends that another program made, so that they are not made again: every
row of the file is a recipient who had the campaign's message. The columns are
found by their names (phone, recipient, to, …; message_id, wamid, …; sent_at, time,
…), or named with -recipient, -id and -time. With the provider's message id, outcomes
that come in later are joined. A time is RFC 3339, Unix seconds, or "2026-03-01
14:30:00" in UTC.

A row that can't be read fails the import, since whoever it means would be sent to
again; -on-invalid=skip leaves such rows out. What the state knows already stays as
it is, so importing a file twice changes nothing.`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.importSends(cmd.Context(), &opt, args[0]) },
	}
	opt.bindChange(cmd)
	flags := cmd.Flags()
	flags.StringVar(&opt.campaign, "campaign", "", "the campaign that they had, such as campaign.spring; required")
	flags.IntVar(&opt.revision, "revision", 0, "the campaign's revision that they had; 0 for the declared one")
	flags.StringVar(&opt.recipient, "recipient", "", "the column with the phone number or user id")
	flags.StringVar(&opt.id, "id", "", "the column with the provider's message id")
	flags.StringVar(&opt.time, "time", "", "the column with the time of sending")
	flags.StringVar(&opt.region, "region", "", "country of numbers in national form, such as DE; the audience's by default")
	flags.StringVar(&opt.onInvalid, "on-invalid", "fail", "fail or skip: what a row that can't be read does")
	flags.BoolVar(&opt.dry, "dry-run", false, "read and count, change nothing")
	return cmd
}

func (a *app) importSends(ctx context.Context, opt *importOptions, file string) error {
	if opt.onInvalid != "fail" && opt.onInvalid != "skip" {
		return a.fail("Invalid option", fmt.Errorf("-on-invalid=%s is not one of fail, skip", message.SafeText(opt.onInvalid)))
	}
	do := func(p *project, s state.Store) (view.Report, error) { return a.importFile(ctx, opt, p, s, file) }
	if opt.dry {
		return a.withState(ctx, &opt.stateFlags, do)
	}
	return a.changeState(ctx, &opt.stateFlags, "import", do)
}

func (a *app) importFile(ctx context.Context, opt *importOptions, p *project, s state.Store, file string) (view.Report, error) {
	campaign, err := importCampaign(p.Config, opt.campaign)
	if err != nil {
		return nil, a.fail("No such campaign", err)
	}
	im := &importer{campaign: campaign, revision: opt.revision, sends: audience.Sends{Path: a.path(file),
		Recipient: opt.recipient, ID: opt.id, Time: opt.time, Region: opt.region, Latest: a.sys.Now().Add(maxClockBack)}}
	if im.sends.Region == "" {
		im.sends.Region = campaign.Audience.Region
	}
	if im.revision == 0 {
		im.revision = campaign.Revision
	}
	r, err := im.survey(ctx, s)
	if err != nil {
		return nil, a.fail("Import not readable", err)
	}
	if r.Invalid > 0 && opt.onInvalid == "fail" {
		return nil, a.fail("Rows not readable", fmt.Errorf("%s can't be read, and whoever they mean would be sent to again: %s.\nNothing was imported. Mend the rows, or leave them out with -on-invalid=skip",
			view.Plural(r.Invalid, "row"), strings.Join(r.Reasons, "; ")))
	}
	if r.DryRun = opt.dry; !opt.dry {
		r.Imported, err = s.Import(ctx, im.deliveries(ctx))
	}
	return r, err
}

// importCampaign finds a declared campaign: what is imported for another would
// never be looked at.
func importCampaign(cfg *lang.Config, address string) (*lang.Campaign, error) {
	var names []string
	for _, c := range cfg.Campaigns {
		if c.Address() == address {
			return c, nil
		}
		names = append(names, c.Address())
	}
	if address == "" {
		return nil, fmt.Errorf("say with -campaign whose message they had; declared are: %s", strings.Join(names, ", "))
	}
	return nil, fmt.Errorf("-campaign=%s is not declared; declared are: %s", message.SafeText(address), strings.Join(names, ", "))
}

// importer takes over one file.
type importer struct {
	sends    audience.Sends
	campaign *lang.Campaign
	revision int
	erased   func(recipient string) bool
}

// shownReasons is how many invalid rows are named.
const shownReasons = 3

// survey reads the whole file before anything is written.
func (im *importer) survey(ctx context.Context, s state.Store) (*view.ImportReport, error) {
	snap, err := s.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	defer snap.Close()
	had, err := snap.Compact(ctx, im.campaign.Address(), im.revision)
	if err != nil {
		return nil, err
	}
	if im.erased, err = snap.Erased(ctx); err != nil {
		return nil, err
	}
	r := &view.ImportReport{Campaign: im.campaign.Address(), Revision: im.revision}
	seen := map[string]struct{}{}
	for send, err := range im.sends.Rows(ctx) {
		r.Rows++
		if err != nil {
			var row *audience.RowError
			if !errors.As(err, &row) {
				return nil, err
			}
			if r.Invalid++; r.Invalid <= shownReasons {
				r.Reasons = append(r.Reasons, row.Error())
			}
			continue
		}
		key := send.To.Key()
		_, repeated := seen[key]
		_, known := had.Lookup(key)
		seen[key] = struct{}{}
		switch {
		case im.erased(key):
			r.Erased++
		case repeated:
			r.Repeated++
		case known:
			r.Known++
		default:
			r.Imported++
		}
	}
	r.Columns.Recipient, r.Columns.ID, r.Columns.Time = im.sends.Columns()
	r.Notes = im.sends.Notes()
	return r, nil
}

// deliveries are the rows that can be read, for the state. The number of an
// erased person does not come back by an import.
func (im *importer) deliveries(ctx context.Context) iter.Seq2[state.Delivery, error] {
	return func(yield func(state.Delivery, error) bool) {
		for send, err := range im.sends.Rows(ctx) {
			var row *audience.RowError
			if errors.As(err, &row) || err == nil && im.erased(send.To.Key()) {
				continue
			}
			d := state.Delivery{Key: state.Key{Campaign: im.campaign.Address(), Recipient: send.To.Key(), Revision: im.revision},
				Message: im.campaign.Message.Address(), To: send.To, ID: send.ID, Settled: send.At}
			if !yield(d, err) || err != nil {
				return
			}
		}
	}
}
