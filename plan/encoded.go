package plan

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"github.com/handbill/handbill/delivery"
)

// Attach makes the entries in s the entries of p. p.Close closes s.
func (p *Plan) Attach(s Spool) {
	p.spool = s
	p.Entries = entries(s.Open, p.Campaigns)
}

// AppendEntry appends e, an entry of the campaign c, to dst as a Spool holds
// it: the length of what follows, as a varint, and that many bytes.
func AppendEntry(dst []byte, e *Entry, c *Campaign) []byte {
	return appendEntry(dst, e, c.Source, appendCore(nil, e))
}

// EachEncoded calls visit for every entry of p, in order, and counts them. raw is
// the entry as AppendEntry makes it, without the length before it. unsent is the
// decoded entry if apply does nothing about it, else nil. Both are valid until visit returns.
// An error of visit ends the walk.
func (p *Plan) EachEncoded(visit func(raw []byte, unsent *Entry) error) (n uint64, err error) {
	src, err := p.spool.Open()
	if err != nil {
		return 0, err
	}
	r := bufio.NewReaderSize(src, 256<<10)
	var raw []byte
	var e Entry
	var d decoder
	for ; ; n++ {
		raw, err = nextEntry(r, raw)
		if err == io.EOF {
			return n, nil
		}
		var unsent *Entry
		if err == nil && (len(raw) == 0 || !Action(raw[0]).acts()) {
			d.b, d.bad, unsent = raw, false, &e
			_, err = d.entry(p.Campaigns, unsent)
		}
		if err == nil {
			err = visit(raw, unsent)
		}
		if err != nil {
			return n, fmt.Errorf("entry %d of the plan: %w", n+1, err)
		}
	}
}

// Sums holds the totals of a plan's entries.
type Sums struct {
	Entries    uint64
	Recipients []int    // by campaign
	Counts     []Counts // by campaign
	Digest     string   // as Plan.Digest
}

// Sum reads every entry of p. It fails at an entry that apply could not rely
// on: one without a recipient, with a message that its campaign does not have,
// or with other values than the message has slots.
func (p *Plan) Sum() (*Sums, error) {
	s := &Sums{Recipients: make([]int, len(p.Campaigns)), Counts: make([]Counts, len(p.Campaigns))}
	for i := range s.Counts {
		s.Counts[i] = Counts{Skip: map[delivery.Reason]int{}, Defer: map[delivery.Reason]int{}}
	}
	h := sha256.New()
	var buf []byte
	var bad error
	err := decodeEach(&decoder{skim: true}, p.spool.Open, p.Campaigns, func(e *Entry, core []byte) bool {
		s.Entries++
		if bad = p.usable(e); bad != nil {
			return false
		}
		s.Recipients[e.Campaign]++
		s.Counts[e.Campaign].add(e)
		buf = appendDecided(buf[:0], e, &p.Campaigns[e.Campaign], core)
		h.Write(buf)
		return true
	})
	if err = errors.Join(err, bad); err != nil {
		return nil, err
	}
	s.Digest, err = digest(p, h)
	return s, err
}

// has reports whether the campaign sends this draft.
func has(c *Campaign, draft int) bool {
	_, _, ok := c.MessageOf(draft)
	return ok
}

// usable returns why apply could not rely on an entry of p; nil when it can.
func (p *Plan) usable(e *Entry) error {
	c := &p.Campaigns[e.Campaign]
	switch {
	case e.Action.acts() && e.Recipient.Key() == "":
		return errors.New("an entry is about nobody")
	case !e.Action.Sends():
		if e.Draft != -1 || len(e.Values) > 0 {
			return errors.New("an entry has a message and sends none")
		}
		return nil
	case !has(c, e.Draft):
		return errors.New("an entry names a message that its campaign does not have")
	case len(e.Values) != len(p.Drafts[e.Draft].Slots):
		return fmt.Errorf("an entry has %d values for %d slots", len(e.Values), len(p.Drafts[e.Draft].Slots))
	}
	return nil
}
