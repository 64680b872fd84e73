package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/audience"
	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/operation"
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
		Use: "import {ADDRESS ID | -campaign=ADDRESS FILE.csv} [flags]", Short: "take over what exists: what an account or number has, or messages sent elsewhere", Args: cobra.RangeArgs(1, 2),
		Long: `With an address and an id, records what the account has as the template block at
the address, or as one of its translations, so that it is looked after from then
on. The block has to be declared; "handbill plan -generate-config-out=FILE" writes
blocks for import blocks that have none. ID is the template's name (all declared
languages), NAME/LANGUAGE, or the number that Meta gave one language. For a catalog
with a manage block, ID is the catalog's, or CATALOG/RETAILER_ID for one product: the
declared products that it has are recorded. For a block such as business_profile, ID is
that of its number or account. Nothing is changed in the account.

With -campaign and a file, records sends that another program made, so that they are not made again: every
row of the file is a recipient who got the campaign's message. Columns are found by
their names (phone, recipient, to, …; message_id, wamid, …; sent_at, time, …), or
named with -recipient, -id and -time. With the provider's message id, statuses that
arrive later find their message. A time is RFC 3339, Unix seconds, or "2026-03-01
14:30:00" in UTC.

A row that can't be read fails the import, since its person would get the message
again; -on-invalid=skip leaves such rows out. What the state knows already stays as
it is, so importing a file twice changes nothing.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 2 {
				return a.importTemplate(cmd, &opt, args[0], args[1])
			}
			return a.importSends(cmd.Context(), &opt, args[0])
		},
	}
	opt.bindChange(cmd)
	flags := cmd.Flags()
	flags.StringVar(&opt.campaign, "campaign", "", "the campaign whose message they got, such as campaign.spring; required")
	flags.IntVar(&opt.revision, "revision", 0, "the revision of the campaign that they got; 0 for the declared one")
	flags.StringVar(&opt.recipient, "recipient", "", "the column with the phone number or user id")
	flags.StringVar(&opt.id, "id", "", "the column with the provider's message id")
	flags.StringVar(&opt.time, "time", "", "the column with the time of sending")
	flags.StringVar(&opt.region, "region", "", "country of numbers in national form, such as DE; the audience's by default")
	flags.StringVar(&opt.onInvalid, "on-invalid", "fail", "fail or skip: what to do when a row can't be read")
	flags.BoolVar(&opt.dry, "dry-run", false, "read and count, change nothing")
	return cmd
}

// importTemplate records what an account has as a template block, or a catalog.
func (a *app) importTemplate(cmd *cobra.Command, opt *importOptions, address, id string) error {
	for _, name := range []string{"campaign", "revision", "recipient", "id", "time", "region", "on-invalid", "dry-run"} {
		if cmd.Flags().Changed(name) {
			return a.fail("Invalid option", fmt.Errorf("-%s is for a file with messages that were sent elsewhere, which is the only argument then", name))
		}
	}
	if address = state.Quoted(address); message.AddressType(address) == "catalog" {
		return a.changeState(cmd.Context(), &opt.stateFlags, "import", func(p *project, s state.Store) (view.Report, error) {
			steps, err := operation.ImportCatalog(cmd.Context(), p.Workspace, s, address, id)
			if err != nil {
				return nil, err
			}
			report := &view.CatalogsImported{}
			for _, step := range steps {
				report.Catalogs = append(report.Catalogs, appliedCatalog(step))
			}
			return report, nil
		})
	}
	take := operation.ImportTemplate
	if account.SingletonOf(message.AddressType(address)) != nil {
		take = operation.ImportSingleton
	}
	return a.changeState(cmd.Context(), &opt.stateFlags, "import", func(p *project, s state.Store) (view.Report, error) {
		steps, err := take(cmd.Context(), p.Workspace, s, address, id)
		if err != nil {
			return nil, err
		}
		report := &view.TemplatesImported{}
		for _, step := range steps {
			report.Templates = append(report.Templates, appliedTemplate(step))
		}
		return report, nil
	})
}

func (a *app) importSends(ctx context.Context, opt *importOptions, file string) error {
	if kind := message.AddressType(file); (kind == "template" || kind == "catalog" || account.SingletonOf(kind) != nil) && opt.campaign == "" {
		return a.fail("Invalid option", fmt.Errorf("to take over a %s, say which one, too: handbill import %s ID", kind, message.SafeText(file)))
	}
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
	im := operation.Import{Campaign: opt.campaign, Revision: opt.revision, Skip: opt.onInvalid == "skip", DryRun: opt.dry,
		Sends: audience.Sends{Path: a.path(file), Recipient: opt.recipient, ID: opt.id, Time: opt.time, Region: opt.region}}
	done, err := im.Run(ctx, p.Workspace, s)
	var rows *operation.RowsError
	switch {
	case errors.As(err, &rows):
		return nil, a.fail("Rows not readable", fmt.Errorf("%s can't be read, and the people in them would get the message again: %s.\nNothing was imported. Fix the rows, or leave them out with -on-invalid=skip",
			view.Plural(rows.Invalid, "row"), strings.Join(rows.Reasons, "; ")))
	case err != nil:
		return nil, err
	}
	return &view.ImportReport{Campaign: done.Campaign, Revision: done.Revision, DryRun: opt.dry, Notes: done.Notes, Rows: done.Rows,
		Columns:  view.ImportColumns{Recipient: done.RecipientColumn, ID: done.IDColumn, Time: done.TimeColumn},
		Imported: done.New, Known: done.Known, Repeated: done.Repeated, Erased: done.Erased, Invalid: done.Invalid, Reasons: done.Reasons}, nil
}
