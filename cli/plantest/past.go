package plantest

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/reply"
	"github.com/handbill/handbill/state"
)

var outcomes = map[string]state.Send{"accepted": state.Accepted, "failed": state.Accepted, "rejected": state.Rejected, "in_doubt": state.InDoubt, "held_out": state.HeldOut}

// past is what a run declares as done before, in the form in which planning reads a
// state.
type past struct {
	run        *Run
	deliveries []Delivery // of the run, with what webhooks say of them
	resources  []state.Resource
	people     map[string]*known // by canonical key; the same for every id of a person
	order      []*known
	orders     []state.PlacedOrder
	who        delivery.Registry
}

// known is a person with what the state keeps about them.
type known struct {
	state.Person
	windows map[string]delivery.Window // by sending number; "" is any
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
			k.wrote("", one.LastInbound)
		}
	}
	return p
}

func (p *past) person(who string) *known {
	key := message.Canonical(who)
	if p.people[key] == nil {
		p.people[key] = p.add(who)
	}
	return p.people[key]
}

func (p *past) add(who string) *known {
	k := &known{Person: state.Person{Recipient: who}, windows: map[string]delivery.Window{}, replied: map[string]time.Time{}}
	p.order = append(p.order, k)
	return k
}

// see records what an event tells about a person's ids, as the state does.
func (p *past) see(provider string, ev *message.Event, at time.Time) {
	now, old := ids(ev.From, ev.Parent), []delivery.ID(nil)
	if ev.Kind == message.EventIdentity {
		now, old = ids(ev.NewAddress, ev.NewParent), now
	}
	if len(now)+len(old) == 0 {
		return
	}
	var c delivery.Change
	p.who, c = p.who.See(delivery.Sighting{At: at.UnixMilli(), Number: provider, IDs: now, Old: old})
	for _, t := range c.Parted { // somebody else has the number now
		key := string(t.ID)
		was := p.person(key)
		p.people[key] = p.add(key)
		p.people[key].forbid(was)
	}
	var one *known
	for _, t := range append(firstOf(p.who, c.Person), c.Ties...) {
		key := string(t.ID)
		if one == nil {
			one = p.person(key)
			continue
		}
		if k := p.person(key); k != one {
			one.absorb(k)
			p.order = slices.DeleteFunc(p.order, func(o *known) bool { return o == k })
			for key, o := range p.people {
				if o == k {
					p.people[key] = one
				}
			}
		}
	}
}

// firstOf returns one of a person's ids, if there is any.
func firstOf(who delivery.Registry, person int64) []delivery.Tie {
	ids, _ := who.Of(person)
	return ids[:min(len(ids), 1)]
}

func ids(a message.Address, parent string) (out []delivery.ID) {
	for _, key := range []string{a.Phone, a.UserID, parent} {
		if key != "" {
			out = append(out, delivery.ID(message.Canonical(key)))
		}
	}
	return out
}

// forbid takes over the opt-out and the cooldown of o, who has had the same number.
func (k *known) forbid(o *known) {
	k.setOpt(k.choice.Stricter(o.choice.Passed()))
	k.OptedOut = k.OptedOut || o.OptedOut
	if o.Cooldown.After(k.Cooldown) {
		k.Cooldown = o.Cooldown
	}
}

// absorb merges what was known of the same person under another id.
func (k *known) absorb(o *known) {
	out, why := k.OptedOut || o.OptedOut, cmp.Or(k.OptOut, o.OptOut)
	k.setOpt(k.choice.Stricter(o.choice))
	if out && !k.OptedOut { // the run declares it, without a time
		k.OptedOut, k.OptOut = true, why
	}
	k.ProfileName, k.Handover = cmp.Or(k.ProfileName, o.ProfileName), k.Handover || o.Handover
	for name, v := range o.Attributes {
		if _, mine := k.Attributes[name]; !mine {
			k.Attributes = maps.Clone(k.Attributes)
			if k.Attributes == nil {
				k.Attributes = map[string]string{}
			}
			k.Attributes[name] = v
		}
	}
	for number, w := range o.windows {
		k.windows[number] = k.windows[number].Join(w)
	}
	if o.LastInbound.After(k.LastInbound) {
		k.LastInbound = o.LastInbound
	}
	if o.Cooldown.After(k.Cooldown) {
		k.Cooldown = o.Cooldown
	}
	for rule, at := range o.replied {
		if at.After(k.replied[rule]) {
			k.replied[rule] = at
		}
	}
	k.answers = append(k.answers, o.answers...)
}

// Ties implements plan.Snapshot.
func (p *past) Ties(context.Context) iter.Seq2[state.Tie, error] {
	return func(yield func(state.Tie, error) bool) {
		for _, person := range p.who.Persons() {
			ids, former := p.who.Of(person)
			for i, t := range append(ids, former...) {
				tie := state.Tie{Recipient: string(t.ID), Former: i >= len(ids)}
				if len(ids) > 0 {
					tie.Person = p.person(string(ids[0].ID)).Recipient
				}
				if !yield(tie, nil) {
					return
				}
			}
		}
	}
}

// wrote opens the window at a sending number; "" stands for all of them.
func (k *known) wrote(number string, at time.Time) {
	k.windows[number] = k.windows[number].Join(delivery.Window{Inbound: at.UnixMilli()})
	if at.After(k.LastInbound) {
		k.LastInbound = at
	}
}

// shut closes the window at a sending number.
func (k *known) shut(number string, at time.Time) {
	k.windows[number] = k.windows[number].Join(delivery.Window{Shut: at.UnixMilli()})
}

// at returns the person as seen by a rule that answers from a sending number.
func (k *known) at(number string, now time.Time) state.Person {
	p := k.Person
	if ends := k.windows[number].Join(k.windows[""]).Ends(); ends != 0 {
		p.WindowEnds = time.UnixMilli(ends).In(now.Location())
	}
	return p
}

// opt merges an opt-out or opt-in.
func (k *known) opt(choice delivery.Choice, at time.Time, reason string) {
	k.setOpt(k.choice.Join(delivery.Opt{Choice: choice, At: at.UnixMilli(), Reason: reason}))
}

// heed merges what a message says about wanting or not wanting messages.
func (k *known) heed(s reply.Stop, at time.Time) {
	before := k.choice
	if k.OptedOut && before.Choice != delivery.OptedOut { // the run declares it, without a time
		before = delivery.Opt{Choice: delivery.OptedOut, Reason: k.OptOut}
	}
	if after, _ := before.Heed(s.Kind(), delivery.Opt{At: at.UnixMilli(), Reason: s.Reason()}); after != before {
		k.setOpt(after)
	}
}

func (k *known) setOpt(o delivery.Opt) {
	k.choice = o
	k.OptedOut, k.OptOut, k.OptOutAt = o.Choice == delivery.OptedOut, "", time.Time{}
	if k.OptedOut {
		k.OptOut, k.OptOutAt = o.Reason, time.UnixMilli(o.At).UTC()
	}
}

func choice(out bool) delivery.Choice {
	if out {
		return delivery.OptedOut
	}
	return delivery.OptedIn
}

// status merges a webhook's status into the run's delivery with the same provider
// id.
func (p *past) status(provider string, e *message.Event, at time.Time) {
	i := slices.IndexFunc(p.deliveries, func(d Delivery) bool { return d.ID != "" && d.ID == e.ID })
	if i < 0 {
		return
	}
	d := &p.deliveries[i]
	d.Outcome = "accepted" // a provider that reports a status has accepted the message
	if e.Rank > d.Rank {
		d.Rank, d.RankAt = e.Rank, at
	}
	if !e.Failed {
		return
	}
	d.Outcome, d.Code = "failed", e.Code
	switch k := p.person(d.Recipient); delivery.ConsequenceOf(e.Code) {
	case delivery.ConsequenceStop:
		k.opt(delivery.OptedOut, at, e.Code)
	case delivery.ConsequenceCool:
		k.Cooldown = at.Add(delivery.CooldownLength)
	case delivery.ConsequenceShut:
		k.shut(provider, at)
	}
}

// answered finds the delivery that a person's tap or answer refers to.
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
			t[d.Recipient] = state.Sent{Send: outcomes[d.Outcome], Attempt: 1, Code: d.Code, Arm: d.Arm}
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
			v := state.Delivery{Key: state.Key{Campaign: d.Campaign, Recipient: d.Recipient, Revision: d.Revision}, Choice: d.Choice, To: message.AddressOf(d.Recipient),
				Send: outcomes[d.Outcome], Attempt: 1, Code: d.Code, Intended: d.At, Settled: d.At, ID: d.ID, Message: d.Message,
				Rank: d.Rank, RankAt: d.RankAt, Replied: d.Replied, Clicked: d.Clicked, Failed: d.Outcome == "failed" && d.Rank < message.RankDelivered, FailCode: d.Code}
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

// Windows implements plan.Snapshot.
func (p *past) Windows(_ context.Context, number string) iter.Seq2[state.PersonWindow, error] {
	return func(yield func(state.PersonWindow, error) bool) {
		for _, k := range p.order {
			w := k.windows[number].Join(k.windows[""])
			if w != (delivery.Window{}) && !yield(state.PersonWindow{Recipient: k.Recipient, Number: number, Window: w}, nil) {
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

// Orders implements plan.Snapshot.
func (p *past) Orders(context.Context) iter.Seq2[state.PlacedOrder, error] {
	return state.Listed(p.orders, nil)
}

// Erased implements plan.Snapshot.
func (p *past) Erased(context.Context) (func(string) bool, error) {
	return func(string) bool { return false }, nil
}

// table implements state.SentIndex.
type table map[string]state.Sent

// Len is the number of recipients.
func (t table) Len() int { return len(t) }

// Lookup finds one recipient.
func (t table) Lookup(who string) (state.Sent, bool) {
	s, ok := t[who]
	return s, ok
}

// All iterates over all recipients.
func (t table) All() iter.Seq2[string, state.Sent] {
	return func(yield func(string, state.Sent) bool) {
		for who, s := range t {
			if !yield(who, s) {
				return
			}
		}
	}
}
