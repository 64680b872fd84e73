package sqlite

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"

	"zombiezen.com/go/sqlite"

	"github.com/handbill/handbill/state"
)

// A block is a part of the packed index: it says what became of the attempts of
// one campaign revision between two ids. A plan reads a million deliveries from
// some hundred blocks instead of two million rows. The SQL table has been called
// "sheets" since format 2.
//
// The rows of attempts and outcomes stay the truth. Whoever changes one of them
// deletes the block that covers it, in the same transaction (tx.forget). A block
// holds only attempts that have an outcome, so a new row never belongs to one.
// Blocks are written after a run, an import and a recovery, each in a transaction
// of its own. Attempts that no block covers are read from the rows. Verify
// rebuilds every block from the rows and compares.
//
// The column facts holds, one after another:
//
//	number of kinds                              uvarint
//	for each kind: send, attempt, length of code uvarint each
//	               code                          text; with an arm, code, a zero byte, and the arm
//	for each attempt, by id: its kind            1 byte
//	for each attempt, by id: its recipient       8 bytes, little endian
//	for each attempt, by id: its digest          16 bytes
//
// Three first attempts of which the last was refused with code 131026 are
// 2 kinds, {accepted, 1, ""} and {rejected, 1, "131026"}, and then the bytes
// 0 0 1, three recipients and three digests.
type block struct {
	first, last int64  // ids of attempts
	kinds       []fact // each once
	kind        []byte // of each attempt, an index into kinds
	recipients  []byte // 8 bytes each
	digests     []byte // 16 bytes each
}

// fact is a kind of attempt: nearly all attempts of a campaign share a few.
type fact struct {
	send    state.Send // how the delivery stands
	attempt int        // its number, from 1
	code    string     // of the provider
	arm     string     // of the campaign's experiment
}

// armMark stands between a code and an arm; neither holds it.
const armMark = "\x00"

// text is the code and the arm as they are written.
func (f *fact) text() string {
	if f.arm == "" {
		return f.code
	}
	return f.code + armMark + f.arm
}

// blockSize bounds how many attempts a block covers. Fewer are read quickly from
// the rows; packing more in one transaction would keep other writers waiting.
type blockSize struct{ least, most int }

// wholeBlocks are the sizes outside of tests.
var wholeBlocks = blockSize{least: 2048, most: 8192}

// maxKinds is how many kinds one byte can number.
const maxKinds = 256

// add appends an attempt to the block. It reports false when the block is full.
func (s *block) add(id, recipient int64, digest []byte, f fact, most int) bool {
	kind := -1
	for i := range s.kinds {
		if s.kinds[i] == f {
			kind = i
			break
		}
	}
	if len(s.kind) == most || kind < 0 && len(s.kinds) == maxKinds {
		return false
	}
	if kind < 0 {
		kind = len(s.kinds)
		s.kinds = append(s.kinds, f)
	}
	if len(s.kind) == 0 {
		s.first = id
	}
	s.last = id
	s.kind = append(s.kind, byte(kind))
	s.recipients = binary.LittleEndian.AppendUint64(s.recipients, uint64(recipient))
	s.digests = append(s.digests, digest...)
	return true
}

// facts encodes the block as the column of that name.
func (s *block) facts() []byte {
	out := binary.AppendUvarint(nil, uint64(len(s.kinds)))
	for i := range s.kinds {
		f, text := &s.kinds[i], s.kinds[i].text()
		out = binary.AppendUvarint(out, uint64(f.send))
		out = binary.AppendUvarint(out, uint64(f.attempt))
		out = binary.AppendUvarint(out, uint64(len(text)))
		out = append(out, text...)
	}
	return append(append(append(out, s.kind...), s.recipients...), s.digests...)
}

// unpackBlock decodes the column facts of a block of n attempts. Every length and
// number is checked, since the file may be damaged.
func unpackBlock(facts []byte, n int) (*block, error) {
	s := &block{}
	number := func() int {
		v, size := binary.Uvarint(facts)
		if size <= 0 || v > math.MaxInt32 {
			facts = nil
			return -1
		}
		facts = facts[size:]
		return int(v)
	}
	for range min(number(), maxKinds) {
		f := fact{send: state.Send(number()), attempt: number()}
		size := number()
		if size < 0 || size > len(facts) {
			return nil, fmt.Errorf("%w: a block of the packed index cannot be read", state.ErrDamaged)
		}
		f.code, f.arm, _ = strings.Cut(string(facts[:size]), armMark)
		facts = facts[size:]
		s.kinds = append(s.kinds, f)
	}
	if len(facts) != n*(1+8+16) {
		return nil, fmt.Errorf("%w: a block of the packed index has another length than was written", state.ErrDamaged)
	}
	s.kind, s.recipients, s.digests = facts[:n], facts[n:9*n], facts[9*n:]
	for _, k := range s.kind {
		if int(k) >= len(s.kinds) {
			return nil, fmt.Errorf("%w: a block of the packed index names a kind that it does not have", state.ErrDamaged)
		}
	}
	return s, nil
}

// read adds attempts from a scan of one campaign revision until the block is
// full or an attempt has no outcome yet. open is that attempt; 0 for none.
func (s *block) read(sc *scan, most int) (open int64, err error) {
	digest := make([]byte, 16)
	err = sc.each(func(send state.Send, outcome, _ bool) bool {
		id := sc.attempts.id
		if !outcome {
			open = id
			return false
		}
		sc.attempts.st.ColumnBytes(scanDigest, digest)
		return s.add(id, sc.attempts.st.ColumnInt64(scanRecipient), digest,
			fact{send, sc.attempts.st.ColumnInt(scanAttempt), sc.outcomes.st.ColumnText(2), sc.choice().Arm}, most)
	})
	return open, errors.Join(err, sc.close())
}

// between scans every attempt of a campaign revision with an id from..to.
func (c *conn) between(campaign int64, revision int, from, to int64) (*scan, error) {
	return c.wholeScan("", "campaign = ? AND revision = ? AND id BETWEEN ? AND ?", false, campaign, revision, from, to)
}

// gap is a range of ids that no block of a campaign revision covers.
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
			g, found, err = c.gap(campaign, revision, from, s.blockSize.least)
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

// putBlock writes a block of the first attempts in g, unless there are too few
// before one without an outcome. It returns the id to go on from.
func (t *tx) putBlock(campaign int64, revision int, g gap) (next int64, err error) {
	sc, err := t.c.between(campaign, revision, g.from, g.to)
	if err != nil {
		return 0, err
	}
	var s block
	open, err := s.read(sc, t.s.blockSize.most)
	if err != nil {
		return 0, err
	}
	if len(s.kind) < t.s.blockSize.least {
		return max(open, s.last, g.from) + 1, nil
	}
	w := t.insert(tBlocks, s.first)
	w.int(s.last)
	w.int(campaign)
	w.int(int64(revision))
	w.int(int64(len(s.kind)))
	w.blob(s.facts())
	_, err = w.done()
	return s.last + 1, err
}

// dropBlocks deletes the blocks that may cover an attempt.
func (t *tx) dropBlocks(attempt int64) error {
	_, err := t.removeAll(tBlocks, "SELECT id FROM sheets WHERE id <= ? AND last >= ?", attempt, attempt)
	return err
}

// Compact implements state.Snapshot. The index takes some 50 bytes a recipient.
// Filling it mostly waits for memory, so each of its parts has a goroutine.
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
	packed, _, err := s.c.queryInt("SELECT coalesce(sum(count), 0) FROM sheets WHERE campaign = ? AND revision = ?", id, revision)
	if err != nil {
		return nil, err
	}
	f := newSentIndex(names, int(packed)).filler()
	err = s.fill(f, id, revision)
	return f.wait(), err
}

// fill hands every attempt of a campaign revision to f, in the order of ids, so
// that a later attempt takes the place of an earlier one: blocks, and between
// them the rows that no block covers.
func (s *Snapshot) fill(f *indexFiller, campaign int64, revision int) error {
	from := int64(1)
	var h hasher
	err := s.c.eachNested("SELECT id, last, count, sum, facts FROM sheets WHERE campaign = ? AND revision = ? ORDER BY id", func(st *sqlite.Stmt) error {
		first, last, facts := st.ColumnInt64(0), st.ColumnInt64(1), columnBlob(st, 4)
		if err := f.rows(s.c, campaign, revision, gap{from, first - 1}); err != nil {
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
		b, err := unpackBlock(facts, st.ColumnInt(2))
		if err == nil {
			f.put(b)
		}
		return err
	}, campaign, revision)
	if err != nil {
		return err
	}
	return f.rows(s.c, campaign, revision, gap{from, endID})
}

// indexFiller fills the parts of an index side by side.
type indexFiller struct {
	t     *sentIndex
	parts [indexParts]chan *codedBlock
	done  sync.WaitGroup
}

// codedBlock is a block whose codes and arms have the numbers that the index gave
// them.
type codedBlock struct {
	*block
	codes, arms []uint16
}

// filler starts the goroutines that fill the index.
func (t *sentIndex) filler() *indexFiller {
	f := &indexFiller{t: t}
	for i := range f.parts {
		f.parts[i] = make(chan *codedBlock, 4)
		f.done.Go(func() {
			for s := range f.parts[i] {
				t.putBlock(s, i)
			}
		})
	}
	return f
}

// put hands a block to every part, each of which takes its own recipients.
func (f *indexFiller) put(s *block) {
	next := &codedBlock{s, make([]uint16, len(s.kinds)), make([]uint16, len(s.kinds))}
	for i := range s.kinds {
		next.codes[i], next.arms[i] = f.t.number(s.kinds[i].code), f.t.number(s.kinds[i].arm)
	}
	for _, part := range f.parts {
		part <- next
	}
}

// wait returns the index once every block that was put is in it.
func (f *indexFiller) wait() *sentIndex {
	for _, part := range f.parts {
		close(part)
	}
	f.done.Wait()
	return f.t
}

// rows puts the attempts of a gap, read from their rows.
func (f *indexFiller) rows(c *conn, campaign int64, revision int, g gap) error {
	if g.from > g.to {
		return nil
	}
	sc, err := c.between(campaign, revision, g.from, g.to)
	if err != nil {
		return err
	}
	digest := make([]byte, 16)
	s := &block{}
	err = sc.each(func(send state.Send, outcome, _ bool) bool {
		kind := fact{send: send, attempt: sc.attempts.st.ColumnInt(scanAttempt), arm: sc.choice().Arm}
		if outcome {
			kind.code = sc.outcomes.st.ColumnText(2)
		}
		sc.attempts.st.ColumnBytes(scanDigest, digest)
		who := sc.attempts.st.ColumnInt64(scanRecipient)
		if !s.add(sc.attempts.id, who, digest, kind, wholeBlocks.most) {
			f.put(s)
			s = &block{}
			s.add(sc.attempts.id, who, digest, kind, wholeBlocks.most)
		}
		return true
	})
	f.put(s)
	return errors.Join(err, sc.close())
}

// blocks rebuilds every block of the packed index from the rows and compares.
func (r *Report) blocks(c *conn) error {
	return c.eachNested("SELECT id, last, campaign, revision, facts FROM sheets", func(st *sqlite.Stmt) error {
		sc, err := c.between(st.ColumnInt64(2), st.ColumnInt(3), st.ColumnInt64(0), st.ColumnInt64(1))
		if err != nil {
			return err
		}
		var s block
		open, err := s.read(sc, math.MaxInt)
		if err == nil && (open != 0 || s.first != st.ColumnInt64(0) || s.last != st.ColumnInt64(1) || !bytes.Equal(s.facts(), columnBlob(st, 4))) {
			r.add(Problem{Table: tBlocks.String(), Row: st.ColumnInt64(0), What: "it says something else than the rows of attempts and outcomes"})
		}
		return err
	})
}
