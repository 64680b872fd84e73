package plantest

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

var outcomes = map[string]state.Send{"accepted": state.Accepted, "rejected": state.Rejected, "in_doubt": state.InDoubt}

// past is what a run says was done before, as planning reads a state.
type past struct {
	run        *Run
	deliveries []Delivery // of the run, with what webhooks say of them
	resources  []state.Resource
	people     map[string]*known // by canonical key
	order      []*known
}

// known is a person with what the state keeps beside.
type known struct {
	state.Person
	facts   delivery.Window
	choice  delivery.Opt
	replied map[string]time.Time
	answers []state.Exchange // the newest first
}

func newPast(r *Run) *past {
	p := &past{run: r, people: map[string]*known{}}
	for _, d := range r.Deliveries {
		if !strings.Contains(d.Campaign, ".") {
			d.Campaign = "campaign." + d.Campaign
		}
		p.deliveries = append(p.deliveries, d)
	}
	for _, who := range r.OptedOut {
		p.person(who).OptedOut = true
	}
	for _, one := range r.People {
		k := p.person(one.Recipient)
		k.ProfileName, k.Handover, k.OptedOut, k.Attributes = one.Name, one.Handover, k.OptedOut || one.HasOptOut, one.Attributes
		if !one.LastInbound.IsZero() {
			k.wrote(one.LastInbound)
		}
	}
	return p
}

func (p *past) person(who string) *known {
	key := message.Canonical(who)
	if p.people[key] == nil {
		k := &known{Person: state.Person{Recipient: who}, replied: map[string]time.Time{}}
		p.people[key] = k
		p.order = append(p.order, k)
	}
	return p.people[key]
}

// wrote opens the window.
func (k *known) wrote(at time.Time) {
	k.facts.Inbound = max(k.facts.Inbound, at.UnixMilli())
	k.LastInbound = time.UnixMilli(k.facts.Inbound).In(at.Location())
	k.WindowEnds = time.UnixMilli(k.facts.Ends()).In(at.Location())
}

// shut closes the window.
func (k *known) shut(at time.Time) {
	k.facts.Shut = max(k.facts.Shut, at.UnixMilli())
	k.WindowEnds = time.UnixMilli(k.facts.Ends()).In(at.Location())
}

// opt joins an opt-out or opt-in.
func (k *known) opt(choice delivery.Choice, at time.Time, reason string) {
	k.choice = k.choice.Join(delivery.Opt{Choice: choice, At: at.UnixMilli(), Reason: reason})
	k.OptedOut, k.OptOut, k.OptOutAt = k.choice.Choice == delivery.OptedOut, "", time.Time{}
	if k.OptedOut {
		k.OptOut, k.OptOutAt = k.choice.Reason, time.UnixMilli(k.choice.At).In(at.Location())
	}
}

func choice(out bool) delivery.Choice {
	if out {
		return delivery.OptedOut
	}
	return delivery.OptedIn
}

// status joins what a webhook says of a delivery that the run knows by the
// provider's id.
func (p *past) status(e *message.Event, at time.Time) {
	i := slices.IndexFunc(p.deliveries, func(d Delivery) bool { return d.ID != "" && d.ID == e.ID })
	if i < 0 {
		return
	}
	d := &p.deliveries[i]
	d.Outcome = "accepted" // whoever tells of it has taken it
	if !e.Failed {
		return
	}
	switch k := p.person(d.Recipient); delivery.ConsequenceOf(e.Code) {
	case delivery.ConsequenceStop:
		k.opt(delivery.OptedOut, at, e.Code)
	case delivery.ConsequenceCool:
		k.Cooldown = at.Add(delivery.CooldownLength)
	case delivery.ConsequenceShut:
		k.shut(at)
	}
}

// answered is what a person's tap or answer is about.
func (p *past) answered(id string) *Delivery {
	i := slices.IndexFunc(p.deliveries, func(d Delivery) bool { return id != "" && d.ID == id })
	if i < 0 {
		return nil
	}
	return &p.deliveries[i]
}

// applied notes the resources of the configuration that was applied before.
func (p *past) applied(cfg *lang.Config) error {
	for _, r := range cfg.Resources() {
		tree, err := json.Marshal(r.Tree)
		if err != nil {
			return fmt.Errorf("encoding %s: %w", r.Address, err)
		}
		p.resources = append(p.resources, state.Resource{Address: r.Address, Type: r.Type, Name: r.Name, Tree: tree, Refs: r.Refs})
	}
	return nil
}

// Meta implements plan.Snapshot.
func (p *past) Meta(context.Context) (state.Meta, error) { return state.Meta{}, nil }

// Resources implements plan.Snapshot.
func (p *past) Resources(context.Context) ([]state.Resource, error) { return p.resources, nil }

// Compact implements plan.Snapshot.
func (p *past) Compact(_ context.Context, campaign string, revision int) (state.SentIndex, error) {
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
		for _, d := range p.deliveries {
			if (campaign == "" || campaign == d.Campaign) && !yield(d) {
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
			v.To.Phone, v.ID, v.Message = d.Recipient, d.ID, d.Message
			if !yield(v, nil) {
				return
			}
		}
	}
}

// People implements plan.Snapshot.
func (p *past) People(context.Context) iter.Seq2[state.Person, error] {
	return func(yield func(state.Person, error) bool) {
		for _, k := range p.order {
			if !yield(k.Person, nil) {
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

// table implements state.SentIndex.
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
