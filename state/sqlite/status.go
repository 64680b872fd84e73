package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
	"zombiezen.com/go/sqlite"
)

// funnelKey is what a FunnelRow counts by, in integers.
type funnelKey struct {
	campaign int64 // its integer
	revision int
	send     state.Send
	rank     message.Rank // how far the message got
	failed   bool         // and did not arrive
	replied  bool
	clicked  bool
	code     string // of the refusal or the failure
	title    string
	billing  message.Billing // what was told of the price
}

// Funnel implements state.Store. Codes are those of the refusal, or of the
// failure while that is shown.
func (s *Store) Funnel(ctx context.Context, campaign string) ([]state.FunnelRow, error) {
	var out []state.FunnelRow
	err := s.read(ctx, func(c *conn) error {
		names, err := c.addressNames()
		if err != nil {
			return err
		}
		counts, err := c.funnel(campaign)
		if err != nil {
			return err
		}
		for k, n := range counts {
			out = append(out, state.FunnelRow{Campaign: names[k.campaign], Revision: k.revision, Send: k.send, Rank: k.rank,
				Failed: k.failed, Replied: k.replied, Clicked: k.clicked, Code: k.code, Title: k.title, Billing: k.billing, Count: *n})
		}
		return nil
	})
	state.SortFunnel(out)
	return out, err
}

// funnel counts deliveries by everything that the funnel shows.
func (c *conn) funnel(campaign string) (counts map[funnelKey]*int, err error) {
	where, args := "", []any(nil)
	if campaign != "" {
		id, err := c.addressID(campaign)
		if err != nil {
			return nil, err
		}
		where, args = "campaign = ?", []any{id}
	}
	sc, err := c.newScan("", where, true, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, sc.close()) }()
	counts = map[funnelKey]*int{}
	var last funnelKey
	var n *int
	err = sc.each(func(send state.Send, outcome, status bool) bool {
		k := sc.funnelKey(send, outcome, status)
		if n == nil || k != last { // neighbours are often alike
			if n = counts[k]; n == nil {
				n = new(int)
				counts[k] = n
			}
			last = k
		}
		*n++
		return true
	})
	return counts, err
}

// funnelKey is what the delivery that the cursors stand on counts as.
func (s *scan) funnelKey(send state.Send, outcome, status bool) funnelKey {
	a := s.attempts.st
	k := funnelKey{campaign: a.ColumnInt64(scanCampaign), revision: a.ColumnInt(scanRevision), send: send, billing: s.billing(), clicked: s.clicked() != 0}
	if outcome && send != state.Accepted {
		k.code, k.title = s.outcomes.st.ColumnText(2), s.outcomes.st.ColumnText(3)
	}
	if !status {
		return k
	}
	st := s.statuses.st
	k.rank = message.Rank(st.ColumnInt(1))
	k.replied = st.ColumnType(6) != sqlite.TypeNull
	if st.ColumnType(3) != sqlite.TypeNull && k.rank < message.RankDelivered {
		k.failed, k.code, k.title = true, st.ColumnText(4), st.ColumnText(5)
	}
	return k
}

// InDoubt implements state.Store.
func (s *Store) InDoubt(ctx context.Context, campaign string) iter.Seq2[state.Delivery, error] {
	return func(yield func(state.Delivery, error) bool) {
		c, err := s.reader(ctx)
		if err != nil {
			yield(state.Delivery{}, err)
			return
		}
		defer s.free(c)
		where, args := "id IN (SELECT id FROM outcomes WHERE send = 4)", []any(nil)
		if campaign != "" {
			id, err := c.addressID(campaign)
			if err != nil {
				yield(state.Delivery{}, err)
				return
			}
			where, args = where+" AND campaign = ?", []any{id}
		}
		s.deliveries(c, where, args...)(yield)
	}
}

// Orders sums the orders that came, by the campaign that they answer and by
// currency.
func (s *Store) Orders(ctx context.Context) ([]state.OrderCount, error) {
	var sums state.OrderSums
	err := s.read(ctx, func(c *conn) error {
		names, err := c.addressNames()
		if err != nil {
			return err
		}
		return c.each("SELECT i.event, a.campaign FROM inbound i LEFT JOIN attempts a ON a.id = i.attempt WHERE i.cart = 1", func(st *sqlite.Stmt) error {
			var ev message.Event
			if err := json.Unmarshal(columnBlob(st, 0), &ev); err != nil {
				return fmt.Errorf("%w: an order: %w", state.ErrDamaged, err)
			}
			sums.Add(names[st.ColumnInt64(1)], ev.Order)
			return nil
		})
	})
	return sums.Counts(), err
}

// Findings are the contradictions that were seen, oldest first.
func (s *Store) Findings(ctx context.Context) ([]state.Finding, error) {
	var out []state.Finding
	err := s.read(ctx, func(c *conn) error {
		d, err := s.dictionary(c)
		if err != nil {
			return err
		}
		return c.each(`SELECT f.id, f.at, f.kind, f.detail, a.campaign, a.recipient FROM findings f LEFT JOIN attempts a ON a.id = f.attempt
			ORDER BY f.id`, func(st *sqlite.Stmt) error {
			f := state.Finding{ID: st.ColumnInt64(0), At: state.Moment(st.ColumnInt64(1)), Kind: st.ColumnText(2), Detail: st.ColumnText(3)}
			if st.ColumnType(4) != sqlite.TypeNull {
				f.Campaign, f.Recipient = d.addresses[st.ColumnInt64(4)], d.recipient(st.ColumnInt64(5))
			}
			out = append(out, f)
			return nil
		})
	})
	return out, err
}

// Notices are the account's events and those that were not understood, since a
// moment, oldest first.
func (s *Store) Notices(ctx context.Context, since time.Time) iter.Seq2[state.Notice, error] {
	return func(yield func(state.Notice, error) bool) {
		err := s.read(ctx, func(c *conn) error {
			names, err := c.addressNames()
			if err != nil {
				return err
			}
			return c.eachNested("SELECT provider, at, kind, field, reason, raw FROM notices WHERE at >= ? ORDER BY at, id", func(st *sqlite.Stmt) error {
				n := state.Notice{Provider: names[st.ColumnInt64(0)], At: state.Moment(st.ColumnInt64(1)), Kind: message.EventKind(st.ColumnText(2)),
					Field: st.ColumnText(3), Reason: st.ColumnText(4), Raw: columnBlob(st, 5)}
				if !yield(n, nil) {
					return errStop
				}
				return nil
			}, state.Millis(since))
		})
		if err != nil && !errors.Is(err, errStop) {
			yield(state.Notice{}, err)
		}
	}
}

// NoticeCounts counts all notices by kind.
func (s *Store) NoticeCounts(ctx context.Context) (out []state.NoticeCount, err error) {
	err = s.read(ctx, func(c *conn) error {
		return c.each("SELECT kind, count(*), max(at) FROM notices GROUP BY kind ORDER BY kind", func(st *sqlite.Stmt) error {
			out = append(out, state.NoticeCount{Kind: message.EventKind(st.ColumnText(0)), Count: st.ColumnInt(1), Newest: state.Moment(st.ColumnInt64(2))})
			return nil
		})
	})
	return out, err
}

// OptOuts implements state.Store. People who were erased are left out, since
// nothing is known of them.
func (s *Store) OptOuts(ctx context.Context) iter.Seq2[state.OptOutEntry, error] {
	return func(yield func(state.OptOutEntry, error) bool) {
		err := s.read(ctx, func(c *conn) error {
			d, err := s.dictionary(c)
			if err != nil {
				return err
			}
			return c.eachNested("SELECT id, reason, evidence, opt_at FROM people WHERE opt = 1 ORDER BY id", func(st *sqlite.Stmt) error {
				e := state.OptOutEntry{Reason: st.ColumnText(1), Evidence: st.ColumnText(2), At: state.Moment(st.ColumnInt64(3))}
				held, err := d.held(c, st.ColumnInt64(0))
				for _, e.Recipient = range held {
					if !yield(e, nil) {
						return errStop
					}
				}
				return err
			})
		})
		if err != nil && !errors.Is(err, errStop) {
			yield(state.OptOutEntry{}, err)
		}
	}
}
