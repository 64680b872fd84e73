package plan

import (
	"context"
	"fmt"
	"time"

	"github.com/handbill/handbill/internal/openmap"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// Messaging compares the conversations that a campaign would start with the
// number of people whom its number may write to outside their windows in 24 hours.
type Messaging struct {
	Starts int       `json:"starts"`        // people whose window is closed
	Limit  int       `json:"limit"`         // of the business portfolio; state.NoLimit for none, 0 where it is unknown
	Told   time.Time `json:"told,omitzero"` // when the provider reported the limit
}

// reach counts the people with whom the numbers that share a limit start a
// conversation.
type reach struct {
	ids   recipientIDs
	seen  openmap.Map[struct{}]
	first *lang.Campaign // the first campaign that counts
	limit int
}

// add counts a person once, whatever campaign reaches them.
func (r *reach) add(key string) { r.seen.Put(r.ids.add(key)) }

// messaging returns what is known about the limit of a campaign's number, and
// what counts against it. Numbers of one portfolio share it.
func (b *builder) messaging(decl *lang.Campaign) (*Messaging, *reach) {
	if b.in.Messaging == nil {
		return nil, nil
	}
	l, counts := b.in.Messaging(decl.Provider)
	if !counts {
		return nil, nil
	}
	m := &Messaging{Limit: l.People, Told: l.Told}
	if l.People <= 0 {
		return m, nil
	}
	if b.reached == nil {
		b.reached = map[string]*reach{}
	}
	shared := b.shares(&l)
	r := b.reached[shared]
	if r == nil {
		r = &reach{first: decl, limit: l.People}
		b.reached[shared] = r
	}
	return m, r
}

// shares names the group of numbers that share a limit: the portfolio, if it is
// known of all numbers with that limit. Otherwise all of them are assumed to be of
// one portfolio, which is the safe side.
func (b *builder) shares(l *state.MessagingLimit) string {
	for _, decl := range b.cfg.Campaigns {
		if decl.Provider == nil {
			continue
		}
		o, counts := b.in.Messaging(decl.Provider)
		if counts && o.People == l.People && o.Portfolio == "" {
			return fmt.Sprint("limit ", l.People)
		}
	}
	return "portfolio " + l.Portfolio
}

// limits compares the conversations that the plan would start, and the messages
// of the last 24 hours, with the messaging limits. Which of those people had an open
// window is not known, so exceeding the limit because of them only warns.
func (b *builder) limits(ctx context.Context) error {
	for _, r := range b.reached {
		starts, limit := r.seen.Len(), r.limit
		if starts == 0 {
			continue
		}
		head := fmt.Sprintf("The plan starts a conversation with %s whose 24-hour window is closed. The business portfolio of %s may start one with %d in 24 hours, from all its numbers together, as was told on %s.",
			people(starts), r.first.Provider.Address(), limit, b.told(r.first).UTC().Format(time.DateOnly))
		if starts > limit {
			b.diags = append(b.diags, fail("messaging_limit", r.first.DeclRange,
				"%s WhatsApp refuses the rest.\n\nSend a part a day, with limit { total = %d } in the campaign and one apply a day. If the limit has been raised since, run \"handbill refresh\", which keeps what the provider tells.", head, limit))
			continue
		}
		if b.in.State == nil {
			continue
		}
		for recent, err := range b.in.State.RecentSends(ctx, b.in.At.Add(-24*time.Hour)) {
			if err != nil {
				return fmt.Errorf("reading recent sends from the state: %w", err)
			}
			r.add(message.Canonical(recent.Recipient))
		}
		if r.seen.Len() > limit {
			b.diags = append(b.diags, warn("messaging_limit_near", r.first.DeclRange,
				"%s With those who were sent something in the last 24 hours they are %d: whoever of these had no open window counts too, so WhatsApp may refuse a part.", head, r.seen.Len()))
		}
	}
	return nil
}

func people(n int) string {
	if n == 1 {
		return "1 person"
	}
	return fmt.Sprintf("%d people", n)
}

// told returns when the limit of a campaign's number was reported.
func (b *builder) told(decl *lang.Campaign) time.Time {
	l, _ := b.in.Messaging(decl.Provider)
	return l.Told
}

// MessagingLimits returns what is known about the limit of a number; the zero
// value when nothing is. counts is false for numbers that start no conversation
// on WhatsApp, such as simulated ones.
type MessagingLimits func(*lang.Provider) (l state.MessagingLimit, counts bool)
