package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/state"
)

// joined says that l is a lane of replies beside which others answer.
const joined = "l.replies AND l.until IS NOT NULL"

// JoinReplies implements state.Shared.
func (s *Store) JoinReplies(ctx context.Context, number string, by state.Owner) (l state.Lane, err error) {
	err = s.write(ctx, func(t *tx) (err error) {
		if l, err = t.take(number, 0); err != nil {
			return err
		}
		l.Limit = state.LaneLimit
		if err := t.own(l, by); err != nil {
			return err
		}
		return t.endAlone(number)
	})
	return l, named(err, "taking a lane of "+number+" for answers")
}

// Answering implements state.Shared.
func (s *Store) Answering(ctx context.Context) (numbers []string, err error) {
	err = s.read(ctx, func(t *tx) error {
		numbers = t.texts("SELECT number FROM lanes l WHERE " + joined + " AND NOT l.done AND l.until > clock_timestamp() GROUP BY number ORDER BY number COLLATE \"C\"")
		return nil
	})
	return numbers, err
}

// Renew implements state.Shared. It waits for no writer, but for one that ends the
// same lanes.
func (s *Store) Renew(ctx context.Context, lanes ...state.Lane) error {
	ids := make([]int64, len(lanes))
	for i := range lanes {
		ids[i] = lanes[i].ID
	}
	n, err := s.change(ctx, "UPDATE lanes SET until = clock_timestamp() + $2 * interval '1 millisecond' WHERE id = ANY($1) AND replies AND NOT done AND until IS NOT NULL", ids, state.LaneLimit.Milliseconds())
	if err == nil && n != int64(len(lanes)) {
		err = state.ErrFenced
	}
	return named(err, "renewing lanes of answers")
}

// RecoverServers implements state.Shared.
func (s *Store) RecoverServers(ctx context.Context) (owners []state.Owner, doubts int, err error) {
	const over = joined + " AND NOT l.done AND l.until <= clock_timestamp()"
	found := false
	err = s.read(ctx, func(t *tx) error {
		t.one("SELECT EXISTS (SELECT FROM lanes l WHERE "+over+")", nil, &found)
		return nil
	})
	if err != nil || !found {
		return nil, 0, err
	}
	err = s.write(ctx, func(t *tx) error {
		owners = nil
		var ids []int64
		var id int64
		var data []byte
		// A lane that is renewed at this moment is not over.
		t.each("UPDATE lanes l SET done = true WHERE "+over+" RETURNING l.id, l.owner", nil, []any{&id, &data}, func() error {
			var o state.Owner
			if err := json.Unmarshal(data, &o); err != nil {
				return fmt.Errorf("%w: the owner of a lane: %w", state.ErrDamaged, err)
			}
			if ids = append(ids, id); !slices.Contains(owners, o) {
				owners = append(owners, o)
			}
			return nil
		})
		doubts = t.endReplies(ids)
		return nil
	})
	return owners, doubts, named(err, "recovering what other servers left")
}

// endAlone ends the lanes of servers that answered at a number alone. Their attempts
// may have no lane, since older formats did not keep it.
func (t *tx) endAlone(number string) error {
	if alone := t.ints("SELECT id FROM lanes WHERE number = $1 AND replies AND until IS NULL AND NOT over", number); len(alone) > 0 {
		t.recover(number, "a.run = 0 AND NOT EXISTS (SELECT FROM lanes l WHERE l.id = a.lane AND "+joined+")")
		t.later("UPDATE lanes SET over = true WHERE id = ANY($1)", alone)
	}
	return t.err
}

// endReplies ends lanes of replies: what they left open is in doubt, and what they
// had claimed is free. It returns how many are in doubt.
func (t *tx) endReplies(ids []int64) int {
	if len(ids) == 0 {
		return 0
	}
	t.later("UPDATE lanes SET done = true, over = true WHERE id = ANY($1)", ids)
	t.later("UPDATE inbound SET lane = NULL WHERE lane = ANY($1) AND NOT answered", ids)
	return t.exec(`INSERT INTO outcomes (id, send, proof, settled, code, title, cause, sent_id)
		SELECT a.id, $1, '', $2, '', '', 'interrupted', '' FROM attempts a WHERE a.run = 0 AND a.lane = ANY($3) AND NOT EXISTS (SELECT FROM outcomes o WHERE o.id = a.id)`,
		int16(state.InDoubt), t.now, ids)
}

// ints reads rows with one number.
func (t *tx) ints(sql string, a ...any) (out []int64) {
	var n int64
	t.each(sql, a, []any{&n}, func() error { out = append(out, n); return nil })
	return out
}

// unclaimed chooses open events that a lane can claim, or has claimed.
const unclaimed = "NOT answered AND provider = $1 AND id > $2 AND (lane IS NULL OR lane = $3)"

// claim is Claim for a lane beside which others answer.
func (s *Store) claim(ctx context.Context, lane state.Lane, after int64, n int) (refs []state.InboundRef, upto int64, err error) {
	found := false
	err = s.read(ctx, func(t *tx) error {
		held := false
		t.one("SELECT EXISTS (SELECT FROM inbound WHERE "+unclaimed+"), EXISTS (SELECT FROM lanes l WHERE l.id = $3 AND l.epoch = $4 AND NOT l.done)",
			args(lane.Number, after, lane.ID, lane.Epoch), &found, &held)
		if t.err == nil && !held {
			return state.ErrFenced
		}
		return nil
	})
	if err != nil || !found {
		return nil, after, named(err, "claiming what people wrote")
	}
	err = s.writeSmall(ctx, func(t *tx) error {
		refs, upto = nil, after
		if err := t.fence(lane); err != nil {
			return err
		}
		page := t.inbound(unclaimed+" ORDER BY id LIMIT $4", lane.Number, after, lane.ID, n)
		open := t.openOf(lane.Number, page)
		var mine []int64
		for _, in := range page {
			upto = in.seq
			who, _ := t.writer(in)
			var theirs []*inbound
			for id := range t.everyID(who) {
				theirs = append(theirs, open[id]...)
			}
			slices.SortFunc(theirs, func(a, b *inbound) int { return int(a.seq - b.seq) })
			if oldest, _ := t.first(who, theirs); oldest == nil || oldest.seq == in.seq {
				refs = append(refs, state.InboundRef{Seq: in.seq, Provider: lane.Number, Recipient: who})
				mine = append(mine, in.seq)
			}
		}
		t.later("UPDATE inbound SET lane = $1 WHERE id = ANY($2) AND lane IS NULL", lane.ID, mine)
		return nil
	})
	return refs, upto, named(err, "claiming what people wrote")
}

// openOf reads all open events at a number of the people who wrote some of them, by
// the person's id.
func (t *tx) openOf(number string, of []*inbound) map[string][]*inbound {
	var people []delivery.ID
	for _, in := range of {
		people = append(people, idOf(in.recipient))
	}
	t.loadIDs(people...)
	ids := map[string]bool{}
	for _, in := range of {
		who, _ := t.writer(in)
		maps.Copy(ids, t.everyID(who))
	}
	open := map[string][]*inbound{}
	for _, in := range t.inbound("NOT answered AND provider = $1 AND person = ANY($2)", number, slices.Collect(maps.Keys(ids))) {
		open[person(in.recipient)] = append(open[person(in.recipient)], in)
	}
	return open
}

// claimNext is ClaimNext for a lane beside which others answer.
func (s *Store) claimNext(ctx context.Context, lane state.Lane, recipient string) (ref state.InboundRef, ok bool, err error) {
	next := func(t *tx) *inbound {
		var in *inbound
		in, ref = t.first(recipient, t.inbound("NOT answered AND provider = $1 AND person = ANY($2)", lane.Number, slices.Collect(maps.Keys(t.everyID(recipient)))))
		if ok = in != nil && (in.lane == nil || *in.lane == lane.ID); !ok {
			ref = state.InboundRef{}
		}
		return in
	}
	if err := s.read(ctx, func(t *tx) error { next(t); return nil }); err != nil || !ok {
		return ref, ok, err
	}
	err = s.writeSmall(ctx, func(t *tx) error {
		if err := t.fence(lane); err != nil {
			return err
		}
		if in := next(t); ok {
			t.later("UPDATE inbound SET lane = $1 WHERE id = $2", lane.ID, in.seq)
		}
		return nil
	})
	return ref, ok && err == nil, named(err, "claiming what a person wrote")
}

// sweepSpan is how many messages one transaction of SweepOrphans joins at most.
const sweepSpan = 256

// SweepOrphans implements state.Shared. While writers take turns a status and the
// answer with the id that it is about find each other; the sweep holds for states
// in which they did not.
func (s *Store) SweepOrphans(ctx context.Context) (n int, err error) {
	s.sweeping.Lock()
	defer s.sweeping.Unlock()
	for {
		var upto int64
		var ids []string
		err := s.read(ctx, func(t *tx) error {
			t.one("SELECT coalesce(max(id), 0) FROM orphans", nil, &upto)
			ids = t.texts(`SELECT DISTINCT o.about FROM orphans o WHERE o.id > $1 AND EXISTS (SELECT FROM outcomes u WHERE u.sent_id = o.about AND u.sent_id <> '') LIMIT $2`, s.swept[0], sweepSpan)
			return nil
		})
		if err == nil && len(ids) > 0 {
			err = s.write(ctx, func(t *tx) error {
				for _, id := range ids {
					t.adopt(id)
				}
				return nil
			})
		}
		if n += len(ids); err != nil || len(ids) < sweepSpan {
			if err == nil {
				s.swept = [2]int64{s.swept[1], upto}
			}
			return n, named(err, "joining events that wait")
		}
	}
}
