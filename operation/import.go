package operation

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/handbill/handbill/audience"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/workspace"
)

// Import records sends that another program made.
type Import struct {
	Campaign string         // address of the declared campaign whose message was sent
	Revision int            // of it; 0 for the declared one
	Sends    audience.Sends // the file with the sends; Region is the audience's by default
	Skip     bool           // leave out rows that can't be read instead of importing nothing
	DryRun   bool           // count, and change nothing
}

// Imported is the result of an import.
type Imported struct {
	Campaign string
	Revision int
	Rows     int
	// How many rows were imported, known before, repeated in the file, of erased
	// people, or not readable.
	New, Known, Repeated, Erased, Invalid int
	Reasons                               []string // of the first invalid rows
	RecipientColumn, IDColumn, TimeColumn string   // "" for none
	Notes                                 []string // how the file was read
}

// RowsError says that rows of an import can't be read. Nothing was imported,
// because the people in those rows would be sent to again.
type RowsError struct {
	Invalid int
	Reasons []string // of the first few
}

// Error counts the rows.
func (e *RowsError) Error() string {
	return fmt.Sprintf("%d rows can't be read: %s", e.Invalid, strings.Join(e.Reasons, "; "))
}

// Run reads the whole file before it writes anything. Deliveries that the state
// already has stay unchanged. For rows that can't be read it returns a *RowsError.
func (im *Import) Run(ctx context.Context, ws *workspace.Workspace, s state.Store) (*Imported, error) {
	campaign, err := declared(ws.Config, im.Campaign)
	if err != nil {
		return nil, &Error{"No such campaign", err}
	}
	run := &importRun{sends: im.Sends, campaign: campaign, revision: im.Revision}
	run.sends.Latest = ws.Now().Add(state.MaxClockBack)
	if run.sends.Region == "" {
		run.sends.Region = campaign.Audience.Region
	}
	if run.revision == 0 {
		run.revision = campaign.Revision
	}
	r, err := run.survey(ctx, s)
	if err != nil {
		return nil, &Error{"Import not readable", err}
	}
	if r.Invalid > 0 && !im.Skip {
		return nil, &RowsError{Invalid: r.Invalid, Reasons: r.Reasons}
	}
	if !im.DryRun {
		r.New, err = s.Import(ctx, run.deliveries(ctx))
	}
	return r, err
}

// declared finds a declared campaign. An import for any other campaign would never
// be used.
func declared(cfg *lang.Config, address string) (*lang.Campaign, error) {
	var names []string
	for _, c := range cfg.Campaigns {
		if c.Address() == state.Quoted(address) {
			return c, nil
		}
		names = append(names, c.Address())
	}
	if address == "" {
		return nil, fmt.Errorf("say with -campaign whose message they had; declared are: %s", strings.Join(names, ", "))
	}
	return nil, fmt.Errorf("-campaign=%s is not declared; declared are: %s", message.SafeText(address), strings.Join(names, ", "))
}

// importRun imports one file.
type importRun struct {
	sends    audience.Sends
	campaign *lang.Campaign
	revision int
	erased   func(recipient string) bool
}

// shownReasons bounds how many invalid rows are named.
const shownReasons = 3

// survey reads the whole file and counts what would be imported.
func (run *importRun) survey(ctx context.Context, s state.Store) (*Imported, error) {
	snap, err := s.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	defer snap.Close()
	had, err := snap.Compact(ctx, run.campaign.Address(), run.revision)
	if err != nil {
		return nil, err
	}
	if run.erased, err = snap.Erased(ctx); err != nil {
		return nil, err
	}
	r := &Imported{Campaign: run.campaign.Address(), Revision: run.revision}
	seen := map[string]struct{}{}
	for send, err := range run.sends.Rows(ctx) {
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
		case run.erased(key):
			r.Erased++
		case repeated:
			r.Repeated++
		case known:
			r.Known++
		default:
			r.New++
		}
	}
	r.RecipientColumn, r.IDColumn, r.TimeColumn = run.sends.Columns()
	r.Notes = run.sends.Notes()
	return r, nil
}

// deliveries converts the readable rows for the state. An import does not bring
// back the number of an erased person.
func (run *importRun) deliveries(ctx context.Context) iter.Seq2[state.Delivery, error] {
	return func(yield func(state.Delivery, error) bool) {
		for send, err := range run.sends.Rows(ctx) {
			var row *audience.RowError
			if errors.As(err, &row) || err == nil && run.erased(send.To.Key()) {
				continue
			}
			d := state.Delivery{Key: state.Key{Campaign: run.campaign.Address(), Recipient: send.To.Key(), Revision: run.revision},
				Message: run.campaign.Message.Address(), To: send.To, ID: send.ID, Settled: send.At}
			if !yield(d, err) || err != nil {
				return
			}
		}
	}
}
