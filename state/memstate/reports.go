package memstate

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// Runs implements state.Store.
func (s *Store) Runs(ctx context.Context) (out []state.Run, err error) {
	err = s.read(ctx, func() error {
		for _, r := range s.runs {
			out = append(out, r.Run)
		}
		return nil
	})
	return out, err
}

// newest returns the newest attempt of each delivery, which stands for it, oldest
// first.
func (s *Store) newest() []*attempt {
	type key struct {
		campaign, who string
		revision      int
	}
	seen := map[key]bool{}
	var out []*attempt
	for _, a := range slices.Backward(s.attempts) {
		if a == nil {
			continue
		}
		k := key{a.key.Campaign, message.Canonical(a.key.Recipient), a.key.Revision}
		if !seen[k] {
			seen[k] = true
			out = append(out, a)
		}
	}
	slices.Reverse(out)
	return out
}

func (s *Store) export(a *attempt) state.Delivery {
	d := state.Delivery{Key: a.key, Choice: a.choice, To: message.AddressOf(a.key.Recipient), Send: a.send(), Attempt: a.number, Ref: a.ref, Message: a.message, Digest: a.digest,
		Intended: state.Moment(a.intended), Rank: a.status.Rank, RankAt: state.Moment(a.status.RankAt), Replied: state.Moment(a.replied),
		Failed: a.status.FailedAt != 0 && a.status.Rank < message.RankDelivered, FailCode: a.status.FailCode, FailTitle: a.status.FailTitle,
		Billing: a.billed.Billing, Clicked: state.Moment(s.clicked(a))}
	if o := a.out; o != nil {
		d.ID, d.Proof, d.Code, d.Title, d.Cause, d.Settled = o.id, o.proof, o.code, o.title, o.cause, state.Moment(o.settled)
	}
	return d
}

// deliveries returns the deliveries of a campaign, or of every campaign for "".
func (s *Store) deliveries(campaign string) (out []state.Delivery) {
	for _, a := range s.newest() {
		if campaign == "" || a.key.Campaign == campaign {
			out = append(out, s.export(a))
		}
	}
	return out
}

// Funnel implements state.Store.
func (s *Store) Funnel(ctx context.Context, campaign string) (out []state.FunnelRow, err error) {
	counts := map[state.FunnelRow]int{}
	err = s.read(ctx, func() error {
		for _, d := range s.deliveries(campaign) {
			r := state.FunnelRow{Campaign: d.Campaign, Revision: d.Revision, Send: d.Send, Rank: d.Rank, Failed: d.Failed, Replied: !d.Replied.IsZero(), Clicked: !d.Clicked.IsZero(), Billing: d.Billing}
			switch {
			case d.Failed:
				r.Code, r.Title = d.FailCode, d.FailTitle
			case d.Send != state.Accepted:
				r.Code, r.Title = d.Code, d.Title
			}
			counts[r]++
		}
		return nil
	})
	for r, n := range counts {
		r.Count = n
		out = append(out, r)
	}
	state.SortFunnel(out)
	return out, err
}

// InDoubt implements state.Store.
func (s *Store) InDoubt(ctx context.Context, campaign string) iter.Seq2[state.Delivery, error] {
	var out []state.Delivery
	err := s.read(ctx, func() error {
		out = slices.DeleteFunc(s.deliveries(campaign), func(d state.Delivery) bool { return d.Send != state.InDoubt })
		return nil
	})
	return state.Listed(out, err)
}

// Orders implements state.Store.
func (s *Store) Orders(ctx context.Context) ([]state.OrderCount, error) {
	var sums state.OrderSums
	err := s.read(ctx, func() error {
		for _, in := range s.inbound {
			if in == nil {
				continue
			}
			campaign := ""
			if in.about != nil && s.attempts[in.about.id-1] != nil {
				campaign = in.about.key.Campaign
			}
			sums.Add(campaign, in.event.Order)
		}
		return nil
	})
	return sums.Counts(), err
}

// Findings implements state.Store.
func (s *Store) Findings(ctx context.Context) (out []state.Finding, err error) {
	err = s.read(ctx, func() error {
		for i, f := range s.findings {
			if at := s.about[i]; at > 0 && s.attempts[at-1] != nil {
				f.Campaign, f.Recipient = s.attempts[at-1].key.Campaign, s.attempts[at-1].key.Recipient
			}
			out = append(out, f)
		}
		return nil
	})
	return out, err
}

// Notices implements state.Store.
func (s *Store) Notices(ctx context.Context, since time.Time) iter.Seq2[state.Notice, error] {
	var out []state.Notice
	err := s.read(ctx, func() error {
		out = slices.DeleteFunc(slices.Clone(s.notices), func(n state.Notice) bool { return state.Millis(n.At) < state.Millis(since) })
		slices.SortStableFunc(out, byTime)
		return nil
	})
	return state.Listed(out, err)
}

// NoticeCounts implements state.Store.
func (s *Store) NoticeCounts(ctx context.Context) (out []state.NoticeCount, err error) {
	err = s.read(ctx, func() error {
		for _, n := range s.notices {
			i, found := slices.BinarySearchFunc(out, n.Kind, func(c state.NoticeCount, k message.EventKind) int { return cmp.Compare(c.Kind, k) })
			if !found {
				out = slices.Insert(out, i, state.NoticeCount{Kind: n.Kind, Newest: n.At})
			}
			if out[i].Count++; n.At.After(out[i].Newest) {
				out[i].Newest = n.At
			}
		}
		return nil
	})
	return out, err
}

// snapshot is a copy of the data that a plan reads.
type snapshot struct {
	closed     bool
	meta       state.Meta
	resources  []state.Resource
	deliveries []state.Delivery
	people     []state.Person
	ties       []state.Tie
	windows    []state.PersonWindow
	recent     []state.RecentSend
	orders     []state.PlacedOrder
	erased     map[delivery.ID]bool
	halts      []state.Halt
	blobs      map[string][]byte
	managed    []state.Managed
	products   []state.KeptProduct
}

// Snapshot implements state.Store.
func (s *Store) Snapshot(ctx context.Context) (state.Snapshot, error) {
	out := &snapshot{}
	err := s.read(ctx, func() error {
		out.meta, out.resources, out.deliveries = s.meta, slices.Clone(s.resources), s.deliveries("")
		out.erased, out.blobs = maps.Clone(s.erased), maps.Clone(s.blobs)
		if len(s.halts) > 0 {
			out.halts = slices.Clone(s.halts)
		}
		for _, p := range s.everybody() {
			if !p.Empty() {
				out.people = append(out.people, state.PersonOf(p.recipient, &p.Known))
			}
		}
		for _, in := range s.inbound {
			if in != nil && in.event.Order != nil {
				out.orders = append(out.orders, state.PlacedOrder{Recipient: in.recipient, At: state.Moment(delivery.EventTime(&in.event, in.received))})
			}
		}
		out.ties, out.windows, out.managed, out.products = s.listTies(), s.listWindows(), s.listManaged(), s.listProducts()
		for _, a := range s.attempts {
			if a != nil && a.run != 0 && a.send().MayHaveReached() {
				out.recent = append(out.recent, state.RecentSend{Recipient: a.key.Recipient, At: state.Moment(a.intended)})
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (s *snapshot) ready(ctx context.Context) error {
	if s.closed {
		return errors.New("reading a snapshot that is closed")
	}
	return ctx.Err()
}

func (s *snapshot) Close() error { s.closed = true; return nil }

func (s *snapshot) Meta(ctx context.Context) (state.Meta, error) { return s.meta, s.ready(ctx) }

func (s *snapshot) Resources(ctx context.Context) ([]state.Resource, error) {
	return s.resources, s.ready(ctx)
}

func (s *snapshot) Halts(ctx context.Context) ([]state.Halt, error) { return s.halts, s.ready(ctx) }

func (s *snapshot) Get(ctx context.Context, name string) ([]byte, error) {
	return s.blobs[name], s.ready(ctx)
}

func (s *snapshot) Deliveries(ctx context.Context, campaign string) iter.Seq2[state.Delivery, error] {
	list := slices.DeleteFunc(slices.Clone(s.deliveries), func(d state.Delivery) bool { return campaign != "" && d.Campaign != campaign })
	return state.Listed(list, s.ready(ctx))
}

func (s *snapshot) People(ctx context.Context) iter.Seq2[state.Person, error] {
	return state.Listed(s.people, s.ready(ctx))
}

func (s *snapshot) RecentSends(ctx context.Context, since time.Time) iter.Seq2[state.RecentSend, error] {
	list := slices.DeleteFunc(slices.Clone(s.recent), func(r state.RecentSend) bool { return state.Millis(r.At) <= state.Millis(since) })
	return state.Listed(list, s.ready(ctx))
}

func (s *snapshot) Orders(ctx context.Context) iter.Seq2[state.PlacedOrder, error] {
	return state.Listed(s.orders, s.ready(ctx))
}

func (s *snapshot) Erased(ctx context.Context) (func(string) bool, error) {
	return func(recipient string) bool { return s.erased[idOf(recipient)] }, s.ready(ctx)
}

// sentIndex is what was sent, by recipient.
type sentIndex struct{ sent map[string]state.Sent }

func (s *snapshot) Compact(ctx context.Context, campaign string, revision int) (state.SentIndex, error) {
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	x := sentIndex{map[string]state.Sent{}}
	for _, d := range s.deliveries {
		if d.Campaign == campaign && d.Revision == revision {
			x.sent[d.Recipient] = state.Sent{Send: d.Send, Arm: d.Arm, Attempt: d.Attempt, Digest: d.Digest, Code: d.Code}
		}
	}
	return x, nil
}

func (x sentIndex) Len() int { return len(x.sent) }

func (x sentIndex) Lookup(recipient string) (state.Sent, bool) {
	v, ok := x.sent[recipient]
	return v, ok
}

func (x sentIndex) All() iter.Seq2[string, state.Sent] { return maps.All(x.sent) }
