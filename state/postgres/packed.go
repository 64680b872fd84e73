package postgres

import (
	"context"
	"math"
	"slices"

	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/state/packed"
)

// maxSpan is how many ids a block spans at most: writing it holds the row of meta, and
// reads all attempts between its ends, also those of other campaigns.
const maxSpan = 1 << 18

// span is a range of ids of attempts of one campaign revision.
type span struct{ first, last int64 }

// spans reads what the blocks of a campaign revision cover, in order, and how many
// attempts that is.
func (t *tx) spans(campaign string, revision int) (list []span, count int64) {
	var s span
	var n int64
	t.each("SELECT first, last, count::bigint FROM packed WHERE campaign = $1 AND revision = $2 ORDER BY first", args(campaign, int64(revision)), []any{&s.first, &s.last, &n}, func() error {
		list, count = append(list, s), count+n
		return nil
	})
	return list, count
}

// gaps are the ids that no span covers.
func gaps(spans []span) (list []span) {
	next := int64(1)
	for _, s := range spans {
		if s.first > next {
			list = append(list, span{next, s.first - 1})
		}
		next = s.last + 1
	}
	return append(list, span{next, math.MaxInt64})
}

// covered reports whether one of some spans in order has an id.
func covered(spans []span, id int64) bool {
	i, _ := slices.BinarySearchFunc(spans, id, func(s span, id int64) int { return int(min(max(s.last-id, -1), 1)) })
	return i < len(spans) && spans[i].first <= id
}

// packRun writes the blocks of the campaigns of a run that are missing, and packAll
// those of all campaigns. They drop errors: blocks only make plans faster, and the next
// run of a campaign writes them.
func (s *Store) packRun(ctx context.Context, campaigns []state.CampaignRun) {
	for _, c := range campaigns {
		if s.packRevision(ctx, c.Campaign, c.Revision) != nil {
			return
		}
	}
}

func (s *Store) packAll(ctx context.Context) {
	var all []state.CampaignRun
	var c state.CampaignRun
	err := s.read(ctx, func(t *tx) error {
		t.each("SELECT campaign, revision FROM attempts WHERE run <> 0 GROUP BY campaign, revision HAVING count(*) >= $1", args(s.blocks.Least), []any{&c.Campaign, &c.Revision}, func() error {
			all = append(all, c)
			return nil
		})
		return nil
	})
	if err == nil {
		s.packRun(ctx, all)
	}
}

// packRevision packs the attempts of a campaign revision that no block covers yet.
func (s *Store) packRevision(ctx context.Context, campaign string, revision int) error {
	var todo []span
	err := s.read(ctx, func(t *tx) error {
		todo = t.unpacked(campaign, revision)
		return nil
	})
	for _, g := range todo {
		if err != nil {
			return err
		}
		err = s.write(ctx, func(t *tx) error { return t.putBlock(campaign, revision, g) })
	}
	return err
}

// unpacked returns where blocks are missing and can be written.
func (t *tx) unpacked(campaign string, revision int) (todo []span) {
	spans, _ := t.spans(campaign, revision)
	size, n, next := t.s.blocks, 0, span{}
	end := func() {
		if n >= size.Least {
			todo = append(todo, next)
		}
		n = 0
	}
	var id int64
	var settled bool
	t.each("SELECT a.id, o.id IS NOT NULL FROM attempts a LEFT JOIN outcomes o ON o.id = a.id WHERE a.campaign = $1 AND a.revision = $2 AND a.id >= $3 ORDER BY a.id",
		args(campaign, int64(revision), gaps(spans)[0].first), []any{&id, &settled}, func() error {
			if !settled || covered(spans, id) {
				end()
				return nil
			}
			if n == size.Most || n > 0 && id-next.first >= maxSpan {
				end()
			}
			if n == 0 {
				next.first = id
			}
			next.last, n = id, n+1
			return nil
		})
	end()
	return todo
}

// sentColumns are what the packed index says of an attempt.
const (
	sentColumns = "a.id, a.recipient, a.attempt, a.digest, a.arm, o.send, o.code"
	sentTables  = " FROM attempts a LEFT JOIN outcomes o ON o.id = a.id "
	// between finds attempts by their ids alone: the database would rather read a
	// whole campaign for each range where it knows little of its size.
	between = "a.campaign || '' = $1 AND a.revision + 0 = $2 AND a.id BETWEEN "
)

// sentRow receives sentColumns.
type sentRow struct {
	id        int64
	recipient string
	attempt   int32
	digest    []byte
	arm       string
	send      *int16
	code      *string
}

func (r *sentRow) into() []any {
	return []any{&r.id, &r.recipient, &r.attempt, &r.digest, &r.arm, &r.send, &r.code}
}

func (r *sentRow) fact() packed.Fact {
	f := packed.Fact{Send: state.Sending, Attempt: int(r.attempt), Arm: r.arm}
	if r.send != nil {
		f.Send, f.Code = state.Send(*r.send), *r.code
	}
	return f
}

// block reads the block of a span. full is false where an attempt has no outcome, or
// they are too many or too different.
func (t *tx) block(campaign string, revision int, g span, most int) (b *packed.Block, full bool) {
	b, full = &packed.Block{}, true
	var r sentRow
	t.each("SELECT "+sentColumns+sentTables+"WHERE "+between+"$3 AND $4 ORDER BY a.id", args(campaign, int64(revision), g.first, g.last), r.into(), func() error {
		full = full && r.send != nil && b.Add(r.id, b.Number(r.recipient), r.digest, r.fact(), most)
		return nil
	})
	return b, full && t.err == nil
}

// putBlock writes the block of a span, if nobody has written one there since.
func (t *tx) putBlock(campaign string, revision int, g span) error {
	taken := false
	t.one("SELECT EXISTS (SELECT FROM packed WHERE campaign = $1 AND revision = $2 AND first <= $4 AND last >= $3)", args(campaign, int64(revision), g.first, g.last), &taken)
	if taken {
		return nil
	}
	if b, full := t.block(campaign, revision, g, t.s.blocks.Most); full && b.Len() >= t.s.blocks.Least {
		t.later("INSERT INTO packed VALUES ($1, $2, $3, $4, $5, $6, $7)", campaign, int64(revision), b.First, b.Last, b.Len(), b.Names, b.Facts())
	}
	return nil
}

// compact reads what was sent of a campaign revision: blocks, and the rows that no
// block covers.
func (t *tx) compact(campaign string, revision int) *packed.Index {
	spans, count := t.spans(campaign, revision)
	f := packed.New(nil, int(count)).Filler()
	var n int
	var names []string
	var facts []byte
	t.each("SELECT count, names, facts FROM packed WHERE campaign = $1 AND revision = $2", args(campaign, int64(revision)), []any{&n, &names, &facts}, func() error {
		b, err := packed.Unpack(facts, n)
		if err != nil {
			return err
		}
		b.Names, names, facts = names, nil, nil
		return f.Put(b)
	})
	t.loose(campaign, revision, spans, count, f)
	return f.Wait()
}

// loose puts the attempts that no block covers.
func (t *tx) loose(campaign string, revision int, spans []span, count int64, f *packed.Filler) {
	b := &packed.Block{}
	put := func() error {
		full := b
		b = &packed.Block{}
		return f.Put(full)
	}
	var r sentRow
	row := func() error {
		if covered(spans, r.id) {
			return nil
		}
		if b.Add(r.id, b.Number(r.recipient), r.digest, r.fact(), packed.Usual.Most) {
			return nil
		}
		if err := put(); err != nil {
			return err
		}
		b.Add(r.id, b.Number(r.recipient), r.digest, r.fact(), packed.Usual.Most)
		return nil
	}
	where, a := t.outside(campaign, revision, spans, count)
	t.each("SELECT "+sentColumns+where, a, r.into(), row)
	if err := put(); err != nil {
		t.fail(err)
	}
}

// outside chooses how to find the attempts outside of spans that cover count of them:
// all of the campaign, or the ids between the spans, whatever is less.
func (t *tx) outside(campaign string, revision int, spans []span, count int64) (where string, a []any) {
	var end int64
	t.one("SELECT coalesce(max(id), 0) FROM attempts", nil, &end)
	var first, last []int64
	wide := int64(0)
	for _, g := range gaps(spans) {
		if g.last = min(g.last, end); g.first <= g.last {
			first, last, wide = append(first, g.first), append(last, g.last), wide+g.last-g.first+1
		}
	}
	if wide > count {
		return sentTables + "WHERE a.campaign = $1 AND a.revision = $2", args(campaign, int64(revision))
	}
	return " FROM unnest($3::bigint[], $4::bigint[]) g(first, last), LATERAL (SELECT * FROM attempts a WHERE " + between + "g.first AND g.last OFFSET 0) a LEFT JOIN outcomes o ON o.id = a.id ",
		args(campaign, int64(revision), first, last)
}
