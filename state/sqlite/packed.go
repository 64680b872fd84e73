package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"

	"zombiezen.com/go/sqlite"

	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/state/packed"
)

// The packed index (package packed) is a table of blocks, which has been called
// "sheets" since format 2:
//
//	id        of the block's first attempt
//	last      id of its last attempt
//	campaign  number of the campaign's address
//	revision  of the campaign
//	count     how many attempts it covers
//	sum       checksum of the row, as in every table
//	facts     the block
//
// Recipients in blocks are the numbers that the rows have: a number below zero is a
// name in the table of names.
//
// The rows of attempts and outcomes stay the truth. Whoever changes one of them
// deletes the block that covers it, in the same transaction (tx.forget). Triggers
// would not see more: SQLite fires none for the row that INSERT OR REPLACE takes
// away. A block holds only attempts that have an outcome, so a new row never
// belongs to one.
//
// Blocks are written after a run, an import and a recovery, each in a transaction
// of its own, so that no other writer waits long. Attempts that no block covers are
// read from the rows. Verify rebuilds every block from the rows and compares.

// readBlock adds attempts from a scan of one campaign revision until the block is
// full or an attempt has no outcome yet. open is that attempt; 0 for none.
func readBlock(s *packed.Block, sc *scan, most int) (open int64, err error) {
	digest := make([]byte, 16)
	err = sc.each(func(send state.Send, outcome, _ bool) bool {
		id := sc.attempts.id
		if !outcome {
			open = id
			return false
		}
		sc.attempts.st.ColumnBytes(scanDigest, digest)
		return s.Add(id, sc.attempts.st.ColumnInt64(scanRecipient), digest,
			packed.Fact{Send: send, Attempt: sc.attempts.st.ColumnInt(scanAttempt), Code: sc.outcomes.st.ColumnText(2), Arm: sc.choice().Arm}, most)
	})
	return open, errors.Join(err, sc.close())
}

// between scans every attempt of a campaign revision with an id from..to.
func (c *conn) between(campaign int64, revision int, from, to int64) (*scan, error) {
	return c.wholeScan("", "campaign = ? AND revision = ? AND id BETWEEN ? AND ?", false, campaign, revision, from, to)
}

// gap is a range of ids that no block of a campaign revision covers. Ids of other
// campaigns may lie in it, and of attempts that have no outcome yet.
type gap struct{ from, to int64 }

// gap finds the first gap at or after from with enough attempts for a block.
func (c *conn) gap(campaign int64, revision int, from int64, least int) (g gap, ok bool, err error) {
	for {
		g = gap{from, endID}
		next := int64(endID)
		err := c.each("SELECT id, last FROM sheets WHERE campaign = ? AND revision = ? AND id >= ? ORDER BY id LIMIT 1", func(st *sqlite.Stmt) error {
			g.to, next = st.ColumnInt64(0)-1, st.ColumnInt64(1)+1
			return nil
		}, campaign, revision, from)
		if err != nil {
			return g, false, err
		}
		if g.from <= g.to {
			// Count first, so that a write transaction begins only where there is
			// something to write.
			n, first := int64(0), int64(0)
			err = c.each("SELECT count(*), min(id) FROM (SELECT id FROM attempts WHERE campaign = ? AND revision = ? AND id BETWEEN ? AND ? LIMIT ?)", func(st *sqlite.Stmt) error {
				n, first = st.ColumnInt64(0), st.ColumnInt64(1)
				return nil
			}, campaign, revision, g.from, g.to, least)
			if err != nil {
				return g, false, err
			}
			if n == int64(least) {
				g.from = first
				return g, true, nil
			}
		}
		if next == endID {
			return g, false, nil
		}
		from = next
	}
}

// packSince packs every campaign revision that has an attempt after the given
// one. It drops errors: blocks only make plans faster, the next run or import
// writes those that are missing, and a fault of the file shows at the next write
// that matters.
func (s *Store) packSince(ctx context.Context, after int64) {
	type one struct {
		campaign int64
		revision int
	}
	var all []one
	err := s.read(ctx, func(c *conn) error {
		return c.each("SELECT DISTINCT campaign, revision FROM attempts WHERE id > ? AND "+ofCampaigns, func(st *sqlite.Stmt) error {
			all = append(all, one{st.ColumnInt64(0), st.ColumnInt(1)})
			return nil
		}, after)
	})
	for _, o := range all {
		if err == nil {
			err = s.packCampaign(ctx, o.campaign, o.revision)
		}
	}
}

// packRevision packs the attempts of a campaign revision that no block covers yet.
func (s *Store) packRevision(ctx context.Context, address string, revision int) error {
	var campaign int64
	err := s.read(ctx, func(c *conn) (err error) {
		campaign, err = c.addressID(address)
		return err
	})
	if err != nil || campaign == 0 {
		return err
	}
	return s.packCampaign(ctx, campaign, revision)
}

// packCampaign is packRevision by the campaign's number.
func (s *Store) packCampaign(ctx context.Context, campaign int64, revision int) error {
	for from := int64(1); ; {
		var g gap
		found := false
		err := s.read(ctx, func(c *conn) (err error) {
			g, found, err = c.gap(campaign, revision, from, s.blockSize.Least)
			return err
		})
		if err != nil || !found {
			return err
		}
		err = s.write(ctx, func(t *tx) (err error) {
			from, err = t.putBlock(campaign, revision, g)
			return err
		})
		if err != nil {
			return fmt.Errorf("packing what was sent: %w", err)
		}
	}
}

// putBlock writes a block of the first attempts in g. It reads them anew, since others
// may have written since the gap was found. It writes none where there are too few
// before one without an outcome. It returns the id to go on from.
func (t *tx) putBlock(campaign int64, revision int, g gap) (next int64, err error) {
	sc, err := t.c.between(campaign, revision, g.from, g.to)
	if err != nil {
		return 0, err
	}
	var s packed.Block
	open, err := readBlock(&s, sc, t.s.blockSize.Most)
	if err != nil {
		return 0, err
	}
	if s.Len() < t.s.blockSize.Least {
		return max(open, s.Last, g.from) + 1, nil
	}
	w := t.insert(tBlocks, s.First)
	w.int(s.Last)
	w.int(campaign)
	w.int(int64(revision))
	w.int(int64(s.Len()))
	w.blob(s.Facts())
	_, err = w.done()
	return s.Last + 1, err
}

// dropBlocks deletes the blocks that may cover an attempt.
func (t *tx) dropBlocks(attempt int64) error {
	_, err := t.removeAll(tBlocks, "SELECT id FROM sheets WHERE id <= ? AND last >= ?", attempt, attempt)
	return err
}

// Compact implements state.Snapshot.
func (s *Snapshot) Compact(ctx context.Context, campaign string, revision int) (state.SentIndex, error) {
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	id, err := s.c.addressID(campaign)
	if err != nil {
		return nil, err
	}
	names, err := s.c.names()
	if err != nil {
		return nil, err
	}
	room, _, err := s.c.queryInt("SELECT coalesce(sum(count), 0) FROM sheets WHERE campaign = ? AND revision = ?", id, revision)
	if err != nil {
		return nil, err
	}
	f := packed.New(names, int(room)).Filler()
	err = s.fill(f, id, revision)
	return f.Wait(), err
}

// fill hands every attempt of a campaign revision to f: blocks, and between them the
// rows that no block covers.
func (s *Snapshot) fill(f *packed.Filler, campaign int64, revision int) error {
	from := int64(1)
	var h hasher
	err := s.c.eachNested("SELECT id, last, count, sum, facts FROM sheets WHERE campaign = ? AND revision = ? ORDER BY id", func(st *sqlite.Stmt) error {
		first, last, facts := st.ColumnInt64(0), st.ColumnInt64(1), columnBlob(st, 4)
		if err := s.c.looseRows(f, campaign, revision, gap{from, first - 1}); err != nil {
			return err
		}
		from = last + 1
		h.start(s.s.key, tBlocks)
		for _, v := range [...]int64{first, last, campaign, int64(revision), st.ColumnInt64(2)} {
			h.int(v)
		}
		if h.blob(facts); h.sum() != st.ColumnInt64(3) {
			return fmt.Errorf("%w: a block of the packed index is not what was written", state.ErrDamaged)
		}
		b, err := packed.Unpack(facts, st.ColumnInt(2))
		if err == nil {
			err = f.Put(b)
		}
		return err
	}, campaign, revision)
	if err != nil {
		return err
	}
	return s.c.looseRows(f, campaign, revision, gap{from, endID})
}

// looseRows puts the attempts of a gap, read from their rows: an attempt without an
// outcome is being sent.
func (c *conn) looseRows(f *packed.Filler, campaign int64, revision int, g gap) error {
	if g.from > g.to {
		return nil
	}
	sc, err := c.between(campaign, revision, g.from, g.to)
	if err != nil {
		return err
	}
	digest := make([]byte, 16)
	s, full := &packed.Block{}, error(nil)
	err = sc.each(func(send state.Send, outcome, _ bool) bool {
		kind := packed.Fact{Send: send, Attempt: sc.attempts.st.ColumnInt(scanAttempt), Arm: sc.choice().Arm}
		if outcome {
			kind.Code = sc.outcomes.st.ColumnText(2)
		}
		sc.attempts.st.ColumnBytes(scanDigest, digest)
		who := sc.attempts.st.ColumnInt64(scanRecipient)
		if !s.Add(sc.attempts.id, who, digest, kind, packed.Usual.Most) {
			full = f.Put(s)
			s = &packed.Block{}
			s.Add(sc.attempts.id, who, digest, kind, packed.Usual.Most)
		}
		return full == nil
	})
	return errors.Join(err, full, f.Put(s), sc.close())
}

// blocks rebuilds every block of the packed index from the rows and compares.
func (r *Report) blocks(c *conn) error {
	return c.eachNested("SELECT id, last, campaign, revision, facts FROM sheets", func(st *sqlite.Stmt) error {
		sc, err := c.between(st.ColumnInt64(2), st.ColumnInt(3), st.ColumnInt64(0), st.ColumnInt64(1))
		if err != nil {
			return err
		}
		var s packed.Block
		open, err := readBlock(&s, sc, math.MaxInt)
		if err == nil && (open != 0 || s.First != st.ColumnInt64(0) || s.Last != st.ColumnInt64(1) || !bytes.Equal(s.Facts(), columnBlob(st, 4))) {
			r.add(Problem{Table: tBlocks.String(), Row: st.ColumnInt64(0), What: "it says something else than the rows of attempts and outcomes"})
		}
		return err
	})
}
