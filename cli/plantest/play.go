package plantest

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/reply"
	"github.com/handbill/handbill/state"
)

// maxWebhook bounds a recorded webhook, as serve bounds those that it receives.
const maxWebhook = 4 << 20

// finding is something that a run did not expect; expect_errors may name its code.
type finding struct{ code, text string }

// player plays a run's events in order. It keeps what they change for the plan and
// for later events, and what the rules answer.
type player struct {
	runner   *Runner
	run      *Run
	cfg      *lang.Config
	past     *past
	rules    *reply.Rules
	replies  []*Reply
	findings []finding
}

// play plays all events of the run.
func (r *Runner) play(cfg *lang.Config, run *Run, p *past) *player {
	pl := &player{runner: r, run: run, cfg: cfg, past: p}
	if len(run.Events) == 0 {
		pl.knownLookups(run.Range, run.Lookups)
		return pl
	}
	rules, diags := reply.Compile(cfg, reply.Options{Limits: r.Inputs().Limits})
	if diags.HasErrors() {
		pl.fail("reply_failed", "The reply rules cannot be tried: %s", diags.Error())
		return pl
	}
	pl.rules = rules
	pl.knownLookups(run.Range, run.Lookups)
	for i := range run.Events {
		pl.event(&run.Events[i])
	}
	return pl
}

func (pl *player) fail(code, format string, args ...any) {
	pl.findings = append(pl.findings, finding{code, fmt.Sprintf(format, args...)})
}

func (pl *player) at(rng hcl.Range) string { return fmt.Sprintf("%s:%d", pl.run.File, rng.Start.Line) }

func (pl *player) event(e *Event) {
	provider, ok := pl.provider(e)
	if !ok || !pl.known(e) {
		return
	}
	switch e.Kind {
	case "stop":
		pl.past.person(e.Message.From.Key()).opt(delivery.OptedOut, e.At, "user_preferences")
	case "inbound":
		pl.inbound(e, provider, &e.Message)
	case "webhook":
		pl.webhook(e, provider)
	}
}

// known reports whether everything that the event refers to is declared.
func (pl *player) known(e *Event) bool {
	if e.Answers != "" && !slices.ContainsFunc(pl.cfg.Messages, func(m *lang.Message) bool { return m.Address() == e.Answers }) {
		pl.fail("unknown_reference", "%s: there is no message %s that the event could answer.", pl.at(e.Range), e.Answers)
		return false
	}
	return pl.knownLookups(e.Range, e.Lookups)
}

// knownLookups reports whether some rule has a lookup for each of the answers.
func (pl *player) knownLookups(rng hcl.Range, answers map[string]json.RawMessage) bool {
	names := map[string]bool{}
	for _, r := range pl.cfg.ReplyRules {
		for _, lk := range r.Lookups {
			names[lk.Name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(answers)) {
		if !names[name] {
			pl.fail("unknown_reference", "%s: no reply rule has a lookup %q. There is: %s.", pl.at(rng), name, nameOr(strings.Join(slices.Sorted(maps.Keys(names)), ", "), "none"))
			return false
		}
	}
	return true
}

// provider returns the address of the number that received the event.
func (pl *player) provider(e *Event) (string, bool) {
	var known []string
	for _, p := range pl.cfg.Providers {
		if known = append(known, p.Address()); e.Provider == "" || e.Provider == p.Address() {
			return p.Address(), true
		}
	}
	if e.Provider == "" && e.Kind != "webhook" {
		return "", true
	}
	pl.fail("unreadable_webhook", "%s: %s is not declared. There is: %s.", pl.at(e.Range), nameOr(e.Provider, "a provider"), nameOr(strings.Join(known, ", "), "none"))
	return "", false
}

func nameOr(name, otherwise string) string {
	if name == "" {
		return otherwise
	}
	return name
}

// webhook decodes a recorded webhook and plays its events.
func (pl *player) webhook(e *Event, provider string) {
	body, err := fs.ReadFile(pl.runner.Root.FS(), filepath.ToSlash(e.File))
	if err != nil || len(body) > maxWebhook {
		pl.fail("unreadable_webhook", "%s: %s cannot be read below the configuration's directory, or is larger than %d MiB.", pl.at(e.Range), e.File, maxWebhook>>20)
		return
	}
	events, err := pl.runner.Decode(pl.cfg, provider, body)
	if err != nil {
		pl.fail("unreadable_webhook", "%s: %s is no webhook of %s: %s.", pl.at(e.Range), e.File, provider, strings.TrimSuffix(err.Error(), "."))
		return
	}
	understood, reason := 0, "it holds no event"
	for i := range events {
		one := &events[i]
		if one.Kind == message.EventOther {
			reason = one.Reason
			continue
		}
		understood++
		if !e.At.IsZero() {
			one.At = e.At
		}
		pl.decoded(e, provider, one)
	}
	if understood == 0 {
		pl.fail("unreadable_webhook", "%s: nothing in %s is understood as a webhook of %s: %s.", pl.at(e.Range), e.File, provider, reason)
	}
}

func (pl *player) decoded(e *Event, provider string, one *message.Event) {
	at := pl.time(one)
	if one.Kind != message.EventInbound {
		pl.past.see(provider, one, at)
	}
	switch one.Kind {
	case message.EventInbound:
		pl.inbound(e, provider, one)
	case message.EventStatus:
		pl.past.status(provider, one, at)
	case message.EventGroup: // no rule is tried
		if w := pl.rules.Words().Wish(one, at); w.Kind == state.WishStop && one.From.Key() != "" {
			pl.past.person(one.From.Key()).opt(delivery.OptedOut, at, w.Reason)
		}
	case message.EventPreference:
		if one.From.Key() != "" {
			pl.past.person(one.From.Key()).opt(choice(one.OptOut), at, "user_preferences")
		}
	}
}

func (pl *player) time(e *message.Event) time.Time {
	if e.At.IsZero() {
		return pl.run.At
	}
	return e.At
}

// inbound records that a person wrote, tries the rules, and records what they
// change.
func (pl *player) inbound(e *Event, provider string, m *message.Event) {
	if m.From.Key() == "" {
		pl.fail("unreadable_webhook", "%s: it does not say who wrote.", pl.at(e.Range))
		return
	}
	at := pl.time(m)
	pl.past.see(provider, m, at)
	k := pl.past.person(m.From.Key())
	ev := state.InboundEvent{Seq: int64(len(pl.replies) + 1), Provider: provider, Received: at, Recipient: k.Recipient,
		First: k.LastInbound.IsZero(), Message: e.Answers, Event: *m}
	if e.First != nil {
		ev.First = *e.First
	}
	if d := pl.past.answered(m.ContextID); d != nil {
		if d.Replied.IsZero() || at.Before(d.Replied) {
			d.Replied = at
		}
		ev.Campaign, ev.Message = d.Campaign, nameOr(e.Answers, nameOr(d.Message, pl.messageOf(d.Campaign)))
	}
	if m.ProfileName != "" {
		k.ProfileName = m.ProfileName
	}
	k.wrote(provider, at)
	if m.Order != nil {
		pl.past.orders = append(pl.past.orders, state.PlacedOrder{Recipient: k.Recipient, At: at})
	}
	r := Judge(pl.rules, &Inbound{Event: ev, Known: reply.Known{Person: k.at(provider, at), Now: at, LastReply: k.replied, Exchanges: k.answers}, Lookups: pl.lookups(e), ForwardBody: pl.runner.ForwardBody})
	r.Event = fmt.Sprintf("event %d", len(pl.replies)+1)
	if e.File != "" {
		r.Event += " (" + e.File + ")"
	}
	r.Passed = nil
	pl.replies = append(pl.replies, r)
	pl.changes(e, k, r, at)
}

// messageOf is the address of a campaign's message.
func (pl *player) messageOf(campaign string) string {
	for _, c := range pl.cfg.Campaigns {
		if c.Address() == campaign && c.Message != nil {
			return c.Message.Address()
		}
	}
	return ""
}

// lookups returns the event's answers of lookups, or the run's if the event has
// none.
func (pl *player) lookups(e *Event) map[string]json.RawMessage {
	out := maps.Clone(pl.run.Lookups)
	if out == nil {
		out = map[string]json.RawMessage{}
	}
	maps.Copy(out, e.Lookups)
	return out
}

// changes records the effects of answering, as serve records them in the state.
func (pl *player) changes(e *Event, k *known, r *Reply, at time.Time) {
	k.heed(r.stop, at)
	k.Handover = k.Handover || r.Silent == reply.SpentBudget || r.Silent == reply.SpentAutomaton
	for i := range r.Answers {
		a := &r.Answers[i]
		if a.Error != "" {
			pl.fail("reply_failed", "%s: %s cannot answer: %s.%s", pl.at(e.Range), a.Rule, strings.TrimSuffix(strings.TrimPrefix(a.Error, a.Rule+": "), "."), lookupHint(a))
			continue
		}
		if k.Attributes = maps.Clone(k.Attributes); k.Attributes == nil {
			k.Attributes = map[string]string{}
		}
		maps.Copy(k.Attributes, a.Set)
		maps.DeleteFunc(k.Attributes, func(_, v string) bool { return v == "" })
		k.Handover = k.Handover || a.Handover
		if a.Rendered != nil {
			k.replied[a.Rule] = at
			k.answers = slices.Insert(k.answers, 0, state.Exchange{Asked: at, Answered: at})
		}
	}
}

func lookupHint(a *Answer) string {
	if len(a.Lookups) == 0 {
		return ""
	}
	return fmt.Sprintf(" What a lookup answers in a test is written as lookup_answer %q { json = … }.", a.Lookups[len(a.Lookups)-1].Name)
}
