package statetest

import (
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// nameless gives every erased person the same name, since each store may choose its
// own.
func nameless(recipient string) string {
	if state.IsErased(recipient) {
		return "erased"
	}
	return recipient
}

// picture returns all that can be read from a store.
func (p *pair) picture(s state.Store) map[string]any {
	p.t.Helper()
	ctx, out := p.t.Context(), map[string]any{}
	put := func(name string, v any, err error) {
		if err != nil {
			p.t.Fatalf("%s: %v", name, err)
		}
		out[name] = v
	}
	meta, err := s.Meta(ctx)
	meta.Format = 0
	put("meta", meta, err)
	runs, err := s.Runs(ctx)
	for i := range runs {
		runs[i].Campaigns = append([]state.CampaignRun{}, runs[i].Campaigns...)
	}
	put("runs", runs, err)
	funnel, err := s.Funnel(ctx, "")
	put("funnel", funnel, err)
	links, err := s.LinkCounts(ctx, "")
	put("links", links, err)
	tally, err := s.Tally(ctx, "campaign.spring", 1)
	put("tally", tally, err)
	halts, err := s.Halts(ctx)
	put("halts", halts, err)
	bodies, open, err := s.Waiting(ctx)
	put("waiting", [2]int{bodies, open}, err)
	unanswered, err := s.Unanswered(ctx)
	put("unanswered", unanswered, err)
	findings, err := s.Findings(ctx)
	for i := range findings {
		findings[i].ID, findings[i].Recipient = 0, nameless(findings[i].Recipient)
	}
	put("findings", findings, err)
	put("opt-outs", sorted(p.t, s.OptOuts(ctx)), nil)
	counts, err := s.NoticeCounts(ctx)
	put("notice counts", counts, err)
	put("notices", sorted(p.t, s.Notices(ctx, time.Time{})), nil)
	snap, err := s.Snapshot(ctx)
	if err != nil {
		p.t.Fatal(err)
	}
	defer snap.Close()
	resources, err := snap.Resources(ctx)
	for i := range resources {
		resources[i].Refs = nil
	}
	put("resources", resources, err)
	put("people", sorted(p.t, snap.People(ctx)), nil)
	put("ties", sorted(p.t, snap.Ties(ctx)), nil)
	for _, number := range []string{mainNumber, otherNumber} {
		put("windows at "+number, sorted(p.t, snap.Windows(ctx, number)), nil)
	}
	put("recent", sorted(p.t, nameRecent(snap.RecentSends(ctx, noon))), nil)
	put("deliveries", sorted(p.t, nameDeliveries(snap.Deliveries(ctx, ""))), nil)
	index, err := snap.Compact(ctx, "campaign.spring", 1)
	put("index", index.Len(), err)
	return out
}

func nameRecent(seq iter.Seq2[state.RecentSend, error]) iter.Seq2[state.RecentSend, error] {
	return func(yield func(state.RecentSend, error) bool) {
		for r, err := range seq {
			r.Recipient = nameless(r.Recipient)
			if !yield(r, err) {
				return
			}
		}
	}
}

func nameDeliveries(seq iter.Seq2[state.Delivery, error]) iter.Seq2[state.Delivery, error] {
	return func(yield func(state.Delivery, error) bool) {
		for d, err := range seq {
			d.Recipient = nameless(d.Recipient)
			d.To = message.Address{}
			if !yield(d, err) {
				return
			}
		}
	}
}

// sorted returns the values of seq as sorted texts.
func sorted[V any](t T, seq iter.Seq2[V, error]) (out []string) {
	for v, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, fmt.Sprintf("%+v", v))
	}
	slices.Sort(out)
	return out
}
