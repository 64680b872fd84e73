package cli

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

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
	opt.in.bind(cmd.Flags())
	opt.lock.bind(cmd.Flags())
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
	do := func(p *project, s state.Store) error { return a.importFile(ctx, opt, p, s, file) }
	if opt.dry {
		return a.withState(ctx, &opt.stateFlags, do)
	}
	return a.changeState(ctx, &opt.stateFlags, "import", do)
}

func (a *app) importFile(ctx context.Context, opt *importOptions, p *project, s state.Store, file string) error {
	campaign, err := importCampaign(p.config, opt.campaign)
	if err != nil {
		return a.fail("No such campaign", err)
	}
	im := &importer{app: a, opt: opt, path: a.path(file), numbers: audience.NewNumbers(), campaign: campaign, region: opt.region, revision: opt.revision}
	if im.region == "" {
		im.region = campaign.Audience.Region
	}
	if im.revision == 0 {
		im.revision = campaign.Revision
	}
	count, err := im.survey(ctx, s)
	if err != nil {
		return a.fail("Import not readable", err)
	}
	if count.invalid > 0 && opt.onInvalid == "fail" {
		return a.fail("Rows not readable", fmt.Errorf("%s can't be read, and whoever they mean would be sent to again: %s.\nNothing was imported. Mend the rows, or leave them out with -on-invalid=skip",
			view.Plural(count.invalid, "row"), strings.Join(count.reasons, "; ")))
	}
	if !opt.dry {
		if count.fresh, err = s.Import(ctx, im.deliveries(ctx)); err != nil {
			return a.failState(err, false)
		}
	}
	fmt.Fprint(a.sys.Stdout, im.report(count))
	return nil
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

// importer reads one file.
type importer struct {
	app      *app
	opt      *importOptions
	path     string
	numbers  *audience.Numbers
	campaign *lang.Campaign
	region   string
	revision int
	erased   func(recipient string) bool
	columns  importColumns
	notes    []string
}

// importColumns are where things stand in a row; -1 for nowhere.
type importColumns struct {
	recipient, id, time int
	names               []string
}

// importCount is what a file holds.
type importCount struct {
	rows, fresh, known, repeated, erased, invalid int

	reasons []string // of the first invalid rows
}

// shownReasons is how many invalid rows are named.
const shownReasons = 3

// survey reads the whole file before anything is written.
func (im *importer) survey(ctx context.Context, s state.Store) (*importCount, error) {
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
	count := &importCount{}
	seen := map[string]struct{}{}
	for d, err := range im.rows(ctx) {
		count.rows++
		if err != nil {
			var row *importRowError
			if !errors.As(err, &row) {
				return nil, err
			}
			if count.invalid++; count.invalid <= shownReasons {
				count.reasons = append(count.reasons, row.Error())
			}
			continue
		}
		_, repeated := seen[d.Recipient]
		_, known := had.Lookup(d.Recipient)
		seen[d.Recipient] = struct{}{}
		switch {
		case im.erased(d.Recipient):
			count.erased++
		case repeated:
			count.repeated++
		case known:
			count.known++
		default:
			count.fresh++
		}
	}
	return count, nil
}

// deliveries are the rows that can be read, for the state. The number of an
// erased person does not come back by an import.
func (im *importer) deliveries(ctx context.Context) iter.Seq2[state.Delivery, error] {
	return func(yield func(state.Delivery, error) bool) {
		for d, err := range im.rows(ctx) {
			var row *importRowError
			if errors.As(err, &row) || err == nil && im.erased(d.Recipient) {
				continue
			}
			if !yield(d, err) || err != nil {
				return
			}
		}
	}
}

// importRowError is about one row; the rows after it can be read.
type importRowError struct {
	place message.Place
	err   error
}

func (e *importRowError) Error() string { return e.place.String() + ": " + e.err.Error() }
func (e *importRowError) Unwrap() error { return e.err }

// rows reads the file from its beginning.
func (im *importer) rows(ctx context.Context) iter.Seq2[state.Delivery, error] {
	return func(yield func(state.Delivery, error) bool) {
		root, err := os.OpenRoot(filepath.Dir(im.path))
		if err != nil {
			yield(state.Delivery{}, plainPathError(err))
			return
		}
		defer root.Close()
		src, err := audience.Open(ctx, audience.Source{Kind: audience.CSV, Path: filepath.Base(im.path)}, audience.Options{Root: root})
		if err == nil {
			defer src.Close()
			im.columns, err = importColumnsOf(src.Columns, im.opt)
		}
		if err != nil {
			yield(state.Delivery{}, err)
			return
		}
		for row, err := range src.Rows() {
			var d state.Delivery
			var unreadable *audience.Error
			switch {
			case err == nil:
				if d, err = im.delivery(row.Values); err != nil {
					err = &importRowError{row.Place, err}
				}
			case errors.As(err, &unreadable) && unreadable.Row:
				err = &importRowError{row.Place, errors.New(unreadable.Summary)}
			}
			if !yield(d, err) {
				return
			}
		}
		im.notes = src.Notes()
	}
}

// delivery is what one row says was sent.
func (im *importer) delivery(values []message.Value) (state.Delivery, error) {
	d := state.Delivery{Key: state.Key{Campaign: im.campaign.Address(), Revision: im.revision}, Message: im.campaign.Message.Address()}
	raw := values[im.columns.recipient].Text
	if id, ok := audience.UserID(raw); ok {
		d.To.UserID = id
	} else {
		phone, err := im.numbers.Parse(raw, im.region)
		if err != nil {
			return d, err
		}
		d.To.Phone = phone
	}
	d.Recipient = d.To.Key()
	if c := im.columns.id; c >= 0 {
		d.ID = strings.TrimSpace(values[c].Text)
	}
	if c := im.columns.time; c >= 0 {
		at, err := importTime(values[c].Text)
		if err != nil {
			return d, err
		}
		if at.After(im.app.sys.Now().Add(maxClockBack)) {
			return d, errors.New("the time of sending is in the future")
		}
		d.Settled = at
	}
	return d, nil
}

// importTime reads a time as exports have it; an empty one is unknown.
func importTime(raw string) (time.Time, error) {
	s := strings.TrimSpace(raw)
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range [...]string{time.RFC3339, "2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	const millisFrom = 100_000_000_000 // as seconds this is in the year 5138
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && n > 0 {
		if n >= millisFrom {
			return time.UnixMilli(n).UTC(), nil
		}
		return time.Unix(n, 0).UTC(), nil
	}
	return time.Time{}, errors.New(`the time is none of RFC 3339 ("2026-03-01T14:30:00Z"), Unix seconds, and "2026-03-01 14:30:00" (UTC)`)
}

// The names under which exports have their columns, in lower case with
// underscores.
var (
	recipientNames = []string{"recipient", "phone", "phone_number", "mobile", "msisdn", "wa_id", "recipient_id", "to", "number", "user_id"}
	idNames        = []string{"message_id", "wamid", "messageid", "msg_id", "provider_message_id", "id"}
	timeNames      = []string{"sent_at", "time", "timestamp", "sent", "sent_time", "date", "created_at", "datetime"}
)

func importColumnsOf(columns []string, opt *importOptions) (importColumns, error) {
	c := importColumns{names: columns}
	for _, part := range []struct {
		to    *int
		flag  string
		given string
		names []string
	}{{&c.recipient, "recipient", opt.recipient, recipientNames}, {&c.id, "id", opt.id, idNames}, {&c.time, "time", opt.time, timeNames}} {
		at, err := findColumn(columns, part.flag, part.given, part.names)
		if err != nil {
			return c, err
		}
		*part.to = at
	}
	if c.recipient < 0 {
		return c, fmt.Errorf("no column looks like the recipient's. Say which it is with -recipient=COLUMN; there are: %s", safeList(columns))
	}
	return c, nil
}

func findColumn(columns []string, flag, given string, names []string) (int, error) {
	if given != "" {
		if at := slices.Index(columns, given); at >= 0 {
			return at, nil
		}
		return -1, fmt.Errorf("-%s=%s is no column; there are: %s", flag, message.SafeText(given), safeList(columns))
	}
	plain := strings.NewReplacer(" ", "_", "-", "_")
	for _, name := range names {
		for i, column := range columns {
			if plain.Replace(strings.ToLower(strings.TrimSpace(column))) == name {
				return i, nil
			}
		}
	}
	return -1, nil
}

func safeList(names []string) string { return message.SafeText(strings.Join(names, ", ")) }

// report says what was done, or with -dry-run would be.
func (im *importer) report(count *importCount) string {
	var b strings.Builder
	c := im.columns
	column := func(at int, otherwise string) string {
		if at < 0 {
			return otherwise
		}
		return fmt.Sprintf("%q", message.SafeText(c.names[at]))
	}
	fmt.Fprintf(&b, "Read %s: recipient from %s, message id from %s, time from %s.\n", view.Plural(count.rows, "row"),
		column(c.recipient, ""), column(c.id, "nowhere"), column(c.time, "nowhere (taken as now)"))
	for _, n := range im.notes {
		fmt.Fprintf(&b, "  %s\n", message.SafeText(n))
	}
	head := "Taken over"
	if im.opt.dry {
		head = "Would be taken over"
	}
	fmt.Fprintf(&b, "%s: %s of %s, revision %d.\n", head, deliveries(count.fresh), im.campaign.Address(), im.revision)
	for _, line := range []struct {
		n    int
		what string
	}{{count.known, "known already"}, {count.repeated, "twice in the file"}, {count.erased, "of people who were erased, left out"}, {count.invalid, "not readable, left out"}} {
		if line.n > 0 {
			fmt.Fprintf(&b, "  %s %s\n", view.Plural(line.n, "row"), line.what)
		}
	}
	for _, r := range count.reasons {
		fmt.Fprintf(&b, "    %s\n", r)
	}
	if im.opt.dry {
		b.WriteString("Nothing was changed.\n")
	}
	return b.String()
}
