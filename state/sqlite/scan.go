package sqlite

import (
	"errors"
	"iter"
	"math"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/state/packed"
	"zombiezen.com/go/sqlite"
)

// cursor walks one query in the order of ids, with a statement of its own.
type cursor struct {
	st  *sqlite.Stmt
	id  int64 // of the current row; endID after the last
	err error
}

// endID is the id of a cursor behind its last row: higher than any.
const endID int64 = math.MaxInt64

// cursor starts a query whose first column is the id that it is ordered by.
func (c *conn) cursor(query string, args ...any) (*cursor, error) {
	st, _, err := c.PrepareTransient(query)
	if err != nil {
		return nil, err
	}
	bind(st, args)
	cur := &cursor{st: st}
	cur.next()
	return cur, nil
}

// next moves to the next row. An error ends the walk and is kept for close.
func (c *cursor) next() {
	more, err := c.st.Step()
	if err != nil || !more {
		c.err, c.id = err, endID
		return
	}
	c.id = c.st.ColumnInt64(0)
}

// seek moves forward to id and reports whether there is a row.
func (c *cursor) seek(id int64) bool {
	for c.id < id {
		c.next()
	}
	return c.id == id
}

// close ends the query and returns the error that ended the walk.
func (c *cursor) close() error { return errors.Join(c.err, c.st.Finalize()) }

// scan walks attempts with their outcomes, choices, statuses and prices. The tables
// are read side by side in the order of the attempts' ids, each once, which is
// several times faster than a join. earlier has the attempts after which
// another was made; they are left out.
type scan struct {
	attempts, outcomes, choices, statuses, billings, clicks *cursor
	earlier                                                 map[int64]bool // attempts to leave out; nil for none
}

// The columns of the attempts of a scan.
const (
	scanRecipient = 1 + iota
	scanCampaign
	scanRevision
	scanAttempt
	scanDigest
)

// newScan scans the attempts that a condition selects, only the last of each
// delivery. more names further columns of attempts; with them outcomes are read
// whole. Statuses, prices and clicks may be left out.
func (c *conn) newScan(more, where string, statuses bool, args ...any) (*scan, error) {
	earlier, err := c.earlierAttempts()
	if err != nil {
		return nil, err
	}
	s, err := c.wholeScan(more, where, statuses, args...)
	if err == nil {
		s.earlier = earlier
	}
	return s, err
}

// wholeScan is newScan with every attempt of a delivery.
func (c *conn) wholeScan(more, where string, statuses bool, args ...any) (*scan, error) {
	s := &scan{}
	var err error
	if where != "" {
		where = " WHERE " + where
	}
	s.attempts, err = c.cursor("SELECT id, recipient, campaign, revision, attempt, digest"+more+" FROM attempts"+where+" ORDER BY id", args...)
	if err == nil {
		columns := "id, send, code, title"
		if more != "" {
			columns += ", proof, settled, cause, sent_id"
		}
		s.outcomes, err = c.cursor("SELECT "+columns+" FROM outcomes WHERE id >= ? ORDER BY id", s.attempts.id)
	}
	if err == nil {
		s.choices, err = c.cursor("SELECT "+choiceColumns+" FROM choices WHERE id >= ? ORDER BY id", s.attempts.id)
	}
	if err == nil && statuses {
		s.statuses, err = c.cursor("SELECT id, rank, rank_at, failed_at, fail_code, fail_title, replied FROM statuses WHERE id >= ? ORDER BY id", s.attempts.id)
		if err == nil {
			s.billings, err = c.cursor("SELECT "+billingColumns+" FROM billings WHERE id >= ? ORDER BY id", s.attempts.id)
		}
		if err == nil {
			s.clicks, err = c.cursor("SELECT attempt, min(clicked) FROM links WHERE attempt >= ? AND clicked IS NOT NULL GROUP BY attempt ORDER BY attempt", s.attempts.id)
		}
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// earlierAttempts returns the attempts after which another was made. Those are
// few, so a set of them is small.
func (c *conn) earlierAttempts() (map[int64]bool, error) {
	out := map[int64]bool{}
	err := c.each(`SELECT a.id FROM attempts b JOIN attempts a ON a.recipient = b.recipient AND a.campaign = b.campaign
		AND a.revision = b.revision AND a.attempt < b.attempt WHERE b.attempt > 1`, func(st *sqlite.Stmt) error {
		out[st.ColumnInt64(0)] = true
		return nil
	})
	return out, err
}

// each calls row for every delivery: send is its state, and the cursors of
// outcomes and statuses stand on its rows where outcome and status are true.
func (s *scan) each(row func(send state.Send, outcome, status bool) bool) error {
	for ; s.attempts.id != endID; s.attempts.next() {
		id := s.attempts.id
		if len(s.earlier) > 0 && s.earlier[id] {
			continue
		}
		send := state.Sending
		outcome := s.outcomes.seek(id)
		if outcome {
			send = state.Send(s.outcomes.st.ColumnInt(1))
		}
		status := s.statuses != nil && s.statuses.seek(id)
		if !row(send, outcome, status) {
			break
		}
	}
	return errors.Join(s.attempts.err, s.outcomes.err, s.choices.err)
}

// billing is what was told about the price of the attempt.
func (s *scan) billing() (b message.Billing) {
	if s.billings != nil && s.billings.seek(s.attempts.id) {
		b = scanBilling(s.billings.st)
	}
	return b
}

// clicked is when the person first followed a link of the attempt; 0 for never.
func (s *scan) clicked() int64 {
	if s.clicks != nil && s.clicks.seek(s.attempts.id) {
		return s.clicks.st.ColumnInt64(1)
	}
	return 0
}

// choice is which text the attempt sends.
func (s *scan) choice() (c state.Choice) {
	if s.choices.seek(s.attempts.id) {
		c = scanChoice(s.choices.st, 1)
	}
	return c
}

// close ends all queries of the scan.
func (s *scan) close() error {
	var errs []error
	for _, c := range []*cursor{s.attempts, s.outcomes, s.choices, s.statuses, s.billings, s.clicks} {
		if c != nil {
			errs = append(errs, c.close())
		}
	}
	return errors.Join(errs...)
}

// dictionary turns the integers of rows into texts.
type dictionary struct {
	addresses map[int64]string // by their integers
	names     map[int64]string // of recipients that are no phone numbers
	persons   map[int64]int64  // the recipients as which people with several ids are shown
	refHead   string           // how the references of this state begin
}

// dictionary reads all addresses, names and persons.
func (s *Store) dictionary(c *conn) (*dictionary, error) {
	d := &dictionary{refHead: s.refHead}
	var err error
	if d.addresses, err = c.addressNames(); err != nil {
		return nil, err
	}
	if d.names, err = c.names(); err != nil {
		return nil, err
	}
	d.persons, err = c.persons()
	return d, err
}

// recipient is the text of a recipient's integer; a person is shown under one
// of their ids.
func (d *dictionary) recipient(id int64) string {
	if id >= personBit {
		id = d.persons[id]
	}
	if id > 0 {
		return packed.PhoneText(id)
	}
	return d.names[-id]
}

// deliveryColumns are what a Delivery needs beside the columns of every scan.
const deliveryColumns = ", message, intended, ref"

// deliveries streams whole deliveries.
func (s *Store) deliveries(c *conn, where string, args ...any) iter.Seq2[state.Delivery, error] {
	return func(yield func(state.Delivery, error) bool) {
		stopped := false
		err := func() (err error) {
			d, err := s.dictionary(c)
			if err != nil {
				return err
			}
			sc, err := c.newScan(deliveryColumns, where, true, args...)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, sc.close()) }()
			return sc.each(func(send state.Send, outcome, status bool) bool {
				stopped = !yield(sc.delivery(d, send, outcome, status), nil)
				return !stopped
			})
		}()
		if err != nil && !stopped {
			yield(state.Delivery{}, err)
		}
	}
}

// delivery is the delivery that the cursors stand on.
func (s *scan) delivery(d *dictionary, send state.Send, outcome, status bool) state.Delivery {
	a := s.attempts.st
	recipient := d.recipient(a.ColumnInt64(scanRecipient))
	out := state.Delivery{
		Key:     state.Key{Campaign: d.addresses[a.ColumnInt64(scanCampaign)], Recipient: recipient, Revision: a.ColumnInt(scanRevision)},
		Choice:  s.choice(),
		To:      message.AddressOf(recipient),
		Send:    send,
		Attempt: a.ColumnInt(scanAttempt),
		Message: d.addresses[a.ColumnInt64(scanDigest+1)], Intended: state.Moment(a.ColumnInt64(scanDigest + 2)),
		Ref: unpackRef(d.refHead, a, scanDigest+3),
	}
	a.ColumnBytes(scanDigest, out.Digest[:])
	if outcome {
		o := s.outcomes.st
		out.Code, out.Title, out.Proof = o.ColumnText(2), o.ColumnText(3), proofOf(o.ColumnInt64(4))
		out.Settled, out.Cause, out.ID = state.Moment(o.ColumnInt64(5)), o.ColumnText(6), unpackID(o, 7)
	}
	out.Billing, out.Clicked = s.billing(), state.Moment(s.clicked())
	if status {
		st := scanStatus(s.statuses.st, 0, 1)
		out.Rank, out.RankAt = st.joined.Rank, state.Moment(st.joined.RankAt)
		out.Failed = st.joined.FailedAt != 0 && st.joined.Rank < message.RankDelivered
		if st.joined.FailedAt != 0 {
			out.FailCode, out.FailTitle = st.joined.FailCode, st.joined.FailTitle
		}
		out.Replied = state.Moment(st.replied)
	}
	return out
}
