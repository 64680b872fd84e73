package plan

import (
	"context"
	"errors"
	"fmt"

	"github.com/hashicorp/hcl/v2"

	"github.com/handbill/handbill/audience"
	"github.com/handbill/handbill/internal/openmap"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
)

// loadTables reads, before the first row is judged, what the state knows of the
// campaign: who was sent this revision, and the one before if max_change compares
// with it; the windows at its sending number; and recent sends of all campaigns if
// a cap counts them. Without a state everything is empty.
func (b *builder) loadTables(ctx context.Context, j *judge, l *sequencer) error {
	j.table.table, j.table.ties = noTable{}, b.known.ties
	c := j.campaign
	if c.CapCount > 0 {
		recent, err := loadSends(ctx, b.in.State, b.known.ties, b.in.At.Add(-c.CapPer))
		if err != nil {
			return err
		}
		l.recent, l.planned = recent, b.planned
	}
	if b.capped {
		l.planned = b.planned
	}
	if b.in.State == nil {
		return nil
	}
	address := b.addressInState(c.Address)
	var err error
	if j.windows, err = b.known.at(ctx, b.in.State, b.addressInState(c.Provider)); err != nil {
		return err
	}
	if j.table.table, err = b.in.State.Compact(ctx, address, c.Revision); err != nil {
		return fmt.Errorf("reading the deliveries of %s: %w", c.Address, err)
	}
	if guards(j.decl) && j.table.table.Len() == 0 && c.Revision > 1 {
		j.last = &aliases{ties: b.known.ties}
		if j.last.table, err = b.in.State.Compact(ctx, address, c.Revision-1); err != nil {
			return fmt.Errorf("reading the deliveries of %s: %w", c.Address, err)
		}
	}
	if j.decl.PreventResend {
		return b.loadEarlier(ctx, j, address)
	}
	return nil
}

// guards reports whether the campaign compares its audience with the last one.
func guards(decl *lang.Campaign) bool { return decl.Limit != nil && decl.Limit.MaxChange > 0 }

// loadEarlier reads who was sent another revision of the campaign, for
// prevent_resend. A message that may have arrived counts as one that did.
func (b *builder) loadEarlier(ctx context.Context, j *judge, address string) error {
	j.earlier, j.earlierIDs = &openmap.Map[struct{}]{}, &recipientIDs{}
	for d, err := range b.in.State.Deliveries(ctx, address) {
		if err != nil {
			return fmt.Errorf("reading the deliveries of %s: %w", j.campaign.Address, err)
		}
		if d.Revision != j.campaign.Revision && mayHaveArrived(d.Send) {
			key := message.Canonical(d.Recipient)
			for _, person := range append(b.known.ties.earlier(key), b.known.ties.person(key)) {
				j.earlier.Put(j.earlierIDs.add(person))
			}
		}
	}
	return nil
}

// excludedSet holds the people of an audience that a campaign excludes.
type excludedSet struct {
	ids recipientIDs
	set openmap.Map[struct{}]
	// unusable is how many rows could not be read, so that they exclude nobody.
	unusable int
}

// excludedUnusable reports rows of an exclusion list that could not be read. The
// people in them would be sent to, so the plan fails unless the audience allows
// it with on_invalid = "skip".
func excludedUnusable(a *lang.Audience, rows int, c *lang.Campaign) *hcl.Diagnostic {
	what := "rows of %s have no usable address, so they exclude nobody"
	if rows == 1 {
		what = "row of %s has no usable address, so it excludes nobody"
	}
	if c.OnInvalid == "skip" {
		return warn("excluded_unusable", a.DeclRange, "%d "+what+".", rows, a.Address())
	}
	return fail("excluded_unusable", a.DeclRange, "%d "+what+". Correct the list, or set on_invalid = \"skip\" in %s to send all the same.", rows, a.Address(), c.Address())
}

// loadExcluded reads the audiences that the campaign's audience excludes.
func (b *builder) loadExcluded(ctx context.Context, j *judge) error {
	for _, a := range j.decl.Audience.Exclude {
		set, known := b.excluded[a.Address()]
		if !known {
			var err error
			if set, err = b.readExcluded(ctx, a); err != nil {
				return err
			}
			b.excluded[a.Address()] = set
		}
		if set.unusable > 0 {
			b.diags = append(b.diags, excludedUnusable(a, set.unusable, j.decl))
		}
		j.excluded = append(j.excluded, set)
	}
	return nil
}

// errReported ends a campaign whose error is a diagnostic already.
var errReported = errors.New("reported already")

// readExcluded reads an excluded audience into a set of people.
func (b *builder) readExcluded(ctx context.Context, a *lang.Audience) (*excludedSet, error) {
	src, rows, ok := b.open(ctx, a)
	if !ok {
		return nil, errReported
	}
	defer src.Close()
	set, unusable := &excludedSet{}, 0
	var p lang.Person
	for row, err := range src.Rows() {
		var unreadable *audience.Error
		if errors.As(err, &unreadable) && unreadable.Row {
			unusable++
			continue
		}
		if err != nil {
			b.diags = append(b.diags, sourceError(a, err))
			return nil, errReported
		}
		if err := rows.Eval(row.Values, &p); err != nil {
			unusable++
			continue
		}
		if !p.Keep {
			continue
		}
		key := p.UserID
		if p.Phone != "" || key == "" {
			phone, err := b.numbers.Parse(p.Phone, a.Region)
			if err != nil {
				unusable++
				continue
			}
			key = message.Canonical(phone)
		}
		set.set.Put(set.ids.add(b.known.ties.person(key)))
	}
	if unusable > 0 {
		set.unusable = unusable
	}
	b.input(a.Address(), src)
	return set, nil
}
