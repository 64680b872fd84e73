package plantest

import (
	"context"
	"iter"
	"strings"
	"time"

	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/state"
)

var outcomes = map[string]state.Send{"accepted": state.Accepted, "rejected": state.Rejected, "in_doubt": state.InDoubt}

// past is what a run says was done before, as planning reads a state.
type past struct {
	run    *Run
	people map[string]*state.Person
	order  []string
}

func newPast(r *Run) *past {
	p := &past{run: r, people: map[string]*state.Person{}}
	for _, who := range r.OptedOut {
		p.person(who).OptedOut = true
	}
	for _, e := range r.Events {
		who := p.person(e.From)
		if e.Kind == "stop" {
			who.OptedOut, who.OptOut, who.OptOutAt = true, "user_preferences", e.At
			continue
		}
		if e.At.After(who.LastInbound) {
			who.LastInbound, who.WindowEnds = e.At, e.At.Add(24*time.Hour)
		}
	}
	return p
}

func (p *past) person(who string) *state.Person {
	if p.people[who] == nil {
		p.people[who] = &state.Person{Recipient: who}
		p.order = append(p.order, who)
	}
	return p.people[who]
}

// Meta implements plan.Snapshot.
func (p *past) Meta(context.Context) (state.Meta, error) { return state.Meta{}, nil }

// Resources implements plan.Snapshot: a run begins without any.
func (p *past) Resources(context.Context) ([]state.Resource, error) { return nil, nil }

// Compact implements plan.Snapshot.
func (p *past) Compact(_ context.Context, campaign string, revision int) (plan.Table, error) {
	t := table{}
	for d := range p.of(campaign) {
		if d.Revision == revision {
			t[d.Recipient] = state.Sent{Send: outcomes[d.Outcome], Attempt: 1, Code: d.Code}
		}
	}
	return t, nil
}

func (p *past) of(campaign string) iter.Seq[Delivery] {
	return func(yield func(Delivery) bool) {
		for _, d := range p.run.Deliveries {
			address := d.Campaign
			if !strings.Contains(address, ".") {
				address = "campaign." + address
			}
			if d.Campaign = address; (campaign == "" || campaign == address) && !yield(d) {
				return
			}
		}
	}
}

// Deliveries implements plan.Snapshot.
func (p *past) Deliveries(_ context.Context, campaign string) iter.Seq2[state.Delivery, error] {
	return func(yield func(state.Delivery, error) bool) {
		for d := range p.of(campaign) {
			v := state.Delivery{Key: state.Key{Campaign: d.Campaign, Recipient: d.Recipient, Revision: d.Revision},
				Send: outcomes[d.Outcome], Attempt: 1, Code: d.Code, Intended: d.At, Settled: d.At}
			v.To.Phone = d.Recipient
			if !yield(v, nil) {
				return
			}
		}
	}
}

// People implements plan.Snapshot.
func (p *past) People(context.Context) iter.Seq2[state.Person, error] {
	return func(yield func(state.Person, error) bool) {
		for _, who := range p.order {
			if !yield(*p.people[who], nil) {
				return
			}
		}
	}
}

// RecentSends implements plan.Snapshot.
func (p *past) RecentSends(_ context.Context, since time.Time) iter.Seq2[state.RecentSend, error] {
	return func(yield func(state.RecentSend, error) bool) {
		for d := range p.of("") {
			if d.Outcome != "rejected" && !d.At.Before(since) && !yield(state.RecentSend{Recipient: d.Recipient, At: d.At}, nil) {
				return
			}
		}
	}
}

// Erased implements plan.Snapshot.
func (p *past) Erased(context.Context) (func(string) bool, error) {
	return func(string) bool { return false }, nil
}

// table implements plan.Table.
type table map[string]state.Sent

// Len is how many recipients there are.
func (t table) Len() int { return len(t) }

// Lookup finds one recipient.
func (t table) Lookup(who string) (state.Sent, bool) {
	s, ok := t[who]
	return s, ok
}

// All are all recipients.
func (t table) All() iter.Seq2[string, state.Sent] {
	return func(yield func(string, state.Sent) bool) {
		for who, s := range t {
			if !yield(who, s) {
				return
			}
		}
	}
}
