package sqlite

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"sync"

	"zombiezen.com/go/sqlite"

	"github.com/handbill/handbill/state"
)

// A sheet is what became of the attempts of one campaign revision between two
// ids, packed: with it a plan reads a million deliveries from some hundred rows
// instead of two million.
//
// The rows of attempts and outcomes stay the truth. Whatever changes one of
// them drops the sheet that it stands on, in the same transaction (tx.forget),
// and only attempts with an outcome are on a sheet, so that no new row belongs
// on one. Sheets are written behind a run and an import, a transaction each;
// what is on none is read from the rows. Verify makes every sheet anew and
// compares.
//
// Facts are: the number of kinds, then each kind (send, attempt, length of the
// code, code), all numbers as uvarints; then for every attempt, in the order of
// ids, the number of its kind (1 byte); then all recipients (8 bytes each,
// little endian); then all digests (16 bytes each).
type sheet struct {
	first, last int64
	kinds       []fact
	kind        []byte
	recipients  []byte
	digests     []byte
}

// fact is what few attempts have for themselves.
type fact struct {
	send    state.Send
	attempt int
	code    string
}

// sheetSize bounds sheets, in attempts: fewer are read from the rows quickly,
// and more would hold the writer's turn for too long.
type sheetSize struct{ least, most int }

var wholeSheets = sheetSize{least: 2048, most: 8192}

// maxKinds is how many kinds a byte tells apart.
const maxKinds = 256

// add puts an attempt on the sheet, unless it is full.
func (s *sheet) add(id, recipient int64, digest []byte, f fact, most int) bool {
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

// facts packs the sheet.
func (s *sheet) facts() []byte {
	out := binary.AppendUvarint(nil, uint64(len(s.kinds)))
	for _, f := range s.kinds {
		out = binary.AppendUvarint(out, uint64(f.send))
		out = binary.AppendUvarint(out, uint64(f.attempt))
		out = binary.AppendUvarint(out, uint64(len(f.code)))
		out = append(out, f.code...)
	}
	return append(append(append(out, s.kind...), s.recipients...), s.digests...)
}

// unpackSheet takes apart what facts made, for n attempts.
func unpackSheet(facts []byte, n int) (*sheet, error) {
	s := &sheet{}
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
			return nil, fmt.Errorf("%w: a sheet of deliveries cannot be read", state.ErrDamaged)
		}
		f.code, facts = string(facts[:size]), facts[size:]
		s.kinds = append(s.kinds, f)
	}
	if len(facts) != n*(1+8+16) {
		return nil, fmt.Errorf("%w: a sheet of deliveries has another length than was written", state.ErrDamaged)
	}
	s.kind, s.recipients, s.digests = facts[:n], facts[n:9*n], facts[9*n:]
	for _, k := range s.kind {
		if int(k) >= len(s.kinds) {
			return nil, fmt.Errorf("%w: a sheet of deliveries names what it does not have", state.ErrDamaged)
		}
	}
	return s, nil
}

// read adds the rows of a scan, which goes from one attempt to another of one
// campaign revision, until the sheet is full. open is the first attempt without
// an outcome, where it ended; 0 for none.
func (s *sheet) read(sc *scan, most int) (open int64, err error) {
	digest := make([]byte, 16)
	err = sc.each(func(send state.Send, outcome, _ bool) bool {
		id := sc.attempts.id
		if !outcome {
			open = id
			return false
		}
		sc.attempts.st.ColumnBytes(scanDigest, digest)
		return s.add(id, sc.attempts.st.ColumnInt64(scanRecipient), digest,
			fact{send, sc.attempts.st.ColumnInt(scanAttempt), sc.outcomes.st.ColumnText(2)}, most)
	})
	return open, errors.Join(err, sc.close())
}

// between scans every attempt of a campaign revision with an id from..to.
func (c *conn) between(campaign int64, revision int, from, to int64) (*scan, error) {
	return c.wholeScan("", "campaign = ? AND revision = ? AND id BETWEEN ? AND ?", false, campaign, revision, from, to)
}

// gap is a range of ids without sheets of one campaign revision.
type gap struct{ from, to int64 }

// gap is the first gap at or after from that has attempts enough for a sheet.
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
			// The write transaction begins where there is something to do.
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

// pack puts on sheets what attempts after one are about and is on none yet.
// Sheets make plans faster and say nothing new: where they cannot be written,
// the next run or import writes them, and whatever is wrong with the file shows
// in what must be written.
func (s *Store) pack(ctx context.Context, after int64) {
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
			err = s.sheetsOf(ctx, o.campaign, o.revision)
		}
	}
}

// writeSheets puts what is on no sheet yet on sheets.
func (s *Store) writeSheets(ctx context.Context, address string, revision int) error {
	var campaign int64
	err := s.read(ctx, func(c *conn) (err error) {
		campaign, err = c.addressID(address)
		return err
	})
	if err != nil || campaign == 0 {
		return err
	}
	return s.sheetsOf(ctx, campaign, revision)
}

func (s *Store) sheetsOf(ctx context.Context, campaign int64, revision int) error {
	for from := int64(1); ; {
		var g gap
		found := false
		err := s.read(ctx, func(c *conn) (err error) {
			g, found, err = c.gap(campaign, revision, from, s.sheets.least)
			return err
		})
		if err != nil || !found {
			return err
		}
		err = s.write(ctx, func(t *tx) (err error) {
			from, err = t.putSheet(campaign, revision, g)
			return err
		})
		if err != nil {
			return fmt.Errorf("packing what was sent: %w", err)
		}
	}
}

// putSheet writes a sheet of the first attempts in g and returns where to go
// on.
func (t *tx) putSheet(campaign int64, revision int, g gap) (next int64, err error) {
	sc, err := t.c.between(campaign, revision, g.from, g.to)
	if err != nil {
		return 0, err
	}
	var s sheet
	open, err := s.read(sc, t.s.sheets.most)
	if err != nil {
		return 0, err
	}
	if len(s.kind) < t.s.sheets.least {
		return max(open, s.last, g.from) + 1, nil
	}
	w := t.insert(tSheets, s.first)
	w.int(s.last)
	w.int(campaign)
	w.int(int64(revision))
	w.int(int64(len(s.kind)))
	w.blob(s.facts())
	_, err = w.done()
	return s.last + 1, err
}

// dropSheets forgets the sheets that an attempt may stand on.
func (t *tx) dropSheets(attempt int64) error {
	_, err := t.removeAll(tSheets, "SELECT id FROM sheets WHERE id <= ? AND last >= ?", attempt, attempt)
	return err
}

// Compact is a table of what became of everybody in one revision of a
// campaign, in some 50 bytes a recipient. It is safe for concurrent use, also
// after Close. Memory of a million recipients is mostly waited for, so each part
// of the table is filled by a goroutine of its own.
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
	packed, _, err := s.c.one("SELECT coalesce(sum(count), 0) FROM sheets WHERE campaign = ? AND revision = ?", id, revision)
	if err != nil {
		return nil, err
	}
	f := newTable(names, int(packed)).filler()
	err = s.fill(f, id, revision)
	return f.wait(), err
}

// fill puts every attempt of a campaign revision, in the order of ids: a later
// one takes the place of an earlier one.
func (s *Snapshot) fill(f *filler, campaign int64, revision int) error {
	from := int64(1)
	var h hasher
	err := s.c.fresh("SELECT id, last, count, sum, facts FROM sheets WHERE campaign = ? AND revision = ? ORDER BY id", func(st *sqlite.Stmt) error {
		first, last, facts := st.ColumnInt64(0), st.ColumnInt64(1), columnBlob(st, 4)
		if err := f.rows(s.c, campaign, revision, gap{from, first - 1}); err != nil {
			return err
		}
		from = last + 1
		h.start(s.s.key, tSheets)
		for _, v := range [...]int64{first, last, campaign, int64(revision), st.ColumnInt64(2)} {
			h.int(v)
		}
		if h.blob(facts); h.sum() != st.ColumnInt64(3) {
			return fmt.Errorf("%w: a sheet of deliveries is not what was written", state.ErrDamaged)
		}
		page, err := unpackSheet(facts, st.ColumnInt(2))
		if err == nil {
			f.put(page)
		}
		return err
	}, campaign, revision)
	if err != nil {
		return err
	}
	return f.rows(s.c, campaign, revision, gap{from, endID})
}

// filler fills the parts of a table side by side.
type filler struct {
	t     *Table
	parts [tableParts]chan *filling
	done  sync.WaitGroup
}

// filling is a sheet with the table's numbers of its kinds' codes.
type filling struct {
	*sheet
	codes []uint16
}

func (t *Table) filler() *filler {
	f := &filler{t: t}
	for i := range f.parts {
		f.parts[i] = make(chan *filling, 4)
		f.done.Go(func() {
			for s := range f.parts[i] {
				t.putSheet(s, i)
			}
		})
	}
	return f
}

func (f *filler) put(s *sheet) {
	next := &filling{s, make([]uint16, len(s.kinds))}
	for i := range s.kinds {
		next.codes[i] = f.t.code(s.kinds[i].code)
	}
	for _, part := range f.parts {
		part <- next
	}
}

// wait is the table, when everything is in it.
func (f *filler) wait() *Table {
	for _, part := range f.parts {
		close(part)
	}
	f.done.Wait()
	return f.t
}

// rows puts what stands in the rows of a gap.
func (f *filler) rows(c *conn, campaign int64, revision int, g gap) error {
	if g.from > g.to {
		return nil
	}
	sc, err := c.between(campaign, revision, g.from, g.to)
	if err != nil {
		return err
	}
	digest := make([]byte, 16)
	s := &sheet{}
	err = sc.each(func(send state.Send, outcome, _ bool) bool {
		kind := fact{send: send, attempt: sc.attempts.st.ColumnInt(scanAttempt)}
		if outcome {
			kind.code = sc.outcomes.st.ColumnText(2)
		}
		sc.attempts.st.ColumnBytes(scanDigest, digest)
		who := sc.attempts.st.ColumnInt64(scanRecipient)
		if !s.add(sc.attempts.id, who, digest, kind, wholeSheets.most) {
			f.put(s)
			s = &sheet{}
			s.add(sc.attempts.id, who, digest, kind, wholeSheets.most)
		}
		return true
	})
	f.put(s)
	return errors.Join(err, sc.close())
}

// sheets makes every sheet anew from the rows and compares.
func (r *Report) sheets(c *conn) error {
	return c.fresh("SELECT id, last, campaign, revision, facts FROM sheets", func(st *sqlite.Stmt) error {
		sc, err := c.between(st.ColumnInt64(2), st.ColumnInt(3), st.ColumnInt64(0), st.ColumnInt64(1))
		if err != nil {
			return err
		}
		var s sheet
		open, err := s.read(sc, math.MaxInt)
		if err == nil && (open != 0 || s.first != st.ColumnInt64(0) || s.last != st.ColumnInt64(1) || !bytes.Equal(s.facts(), columnBlob(st, 4))) {
			r.add(Problem{Table: tSheets.String(), Row: st.ColumnInt64(0), What: "it says something else than the rows of attempts and outcomes"})
		}
		return err
	})
}
