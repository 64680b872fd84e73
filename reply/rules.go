// Package reply decides how to answer what a person wrote. It has no side effects:
// from an event and what is known it computes a decision. Lookups are requests as
// data, which the caller fetches; the caller also sends and records.
//
//	rules, diags := reply.Compile(cfg, reply.Options{})
//	decision := rules.Answer(&event, reply.Known{Now: now, Person: person})
//	for _, a := range decision.Answers { … }
//
// A decision is made in this order. If the message is only a stop word, no rule is
// tried. Nor is one tried while an operator has taken over (handover). Otherwise
// the rules are tried by priority, and the first that fires is the last, unless it
// says continue. What a rule would send is dropped if the budget of answers is
// spent, or if the other side seems to be an automaton.
package reply

import (
	"context"
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// Options of Compile. The zero value checks against message.DefaultLimits.
type Options struct {
	// Limits returns the message limits of a type of provider.
	Limits func(providerType string) message.Limits
}

// Rules are the reply rules of one configuration, compiled. They are safe for
// concurrent use.
type Rules struct {
	rules  []*rule // in the order in which they are tried
	limits func(string) message.Limits
	budget lang.Frequency
	words  *Words
}

// rule is one reply rule, compiled. rows and buttons are the ids that the
// messages of its when block offer.
type rule struct {
	decl          *lang.ReplyRule
	program       *lang.ReplyProgram
	address       string
	rows, buttons choices
}

// Load compiles the rules of a snapshot of the configuration, as the state
// keeps it. The rules are nil when there are errors.
func Load(ctx context.Context, src []byte, opt lang.Options) (*Rules, hcl.Diagnostics) {
	cfg, diags := lang.LoadReplySource(ctx, src, opt)
	if diags.HasErrors() {
		return nil, diags
	}
	rules, more := Compile(cfg, Options{Limits: opt.Limits})
	return rules, append(diags, more...)
}

// Compile compiles the rules of a configuration. They are tried by priority, the
// highest first, and with equal priority in the order of the source.
func Compile(cfg *lang.Config, opt Options) (*Rules, hcl.Diagnostics) {
	if opt.Limits == nil {
		opt.Limits = func(string) message.Limits { return message.DefaultLimits() }
	}
	out := &Rules{limits: opt.Limits, budget: cfg.Settings.ReplyBudget, words: NewWords(cfg.StopWords)}
	var diags hcl.Diagnostics
	for _, decl := range cfg.ReplyRules {
		p, more := cfg.CompileReply(decl)
		diags = append(diags, more...)
		if p == nil || decl.When == nil {
			continue
		}
		r := &rule{decl: decl, program: p, address: decl.Address()}
		r.rows = choicesOf(decl.When.ListReply, "row")
		r.buttons = choicesOf(decl.When.ButtonReply, "button")
		out.rules = append(out.rules, r)
	}
	slices.SortStableFunc(out.rules, func(a, b *rule) int { return b.decl.Priority - a.decl.Priority })
	if diags.HasErrors() {
		return nil, diags
	}
	return out, diags
}

// Silent returns Rules that hold no rule, only stop words: they are honoured even if
// a configuration has no rules.
func Silent(words *Words) *Rules { return &Rules{words: words} }

// Words returns the stop words of the rules' configuration.
func (r *Rules) Words() *Words { return r.words }

// Len returns the number of rules.
func (r *Rules) Len() int { return len(r.rules) }

// Cooldowns lists the addresses of the rules that keep silent for a while after
// they answered a person. Known.LastReply is needed for these.
func (r *Rules) Cooldowns() []string {
	var out []string
	for _, one := range r.rules {
		if one.decl.Cooldown > 0 {
			out = append(out, one.address)
		}
	}
	return out
}

// Forward returns where a rule forwards messages to; ok is false if the rule no
// longer exists or forwards nothing.
func (r *Rules) Forward(address string) (f Forward, ok bool) {
	for _, one := range r.rules {
		if one.address == address && one.decl.Forward != nil {
			return Forward{URL: one.decl.Forward.URL, Secret: one.decl.Forward.Secret}, true
		}
	}
	return Forward{}, false
}

// Forward is a service of the user's own that gets the message.
type Forward struct {
	URL    string
	Secret string // signs the request; "" for none. Never to be logged
}

// Known is what a decision needs besides the event.
type Known struct {
	Person state.Person
	Now    time.Time
	// LastReply is when a rule last answered this person, by the rule's
	// address; only those of Cooldowns are looked at.
	LastReply map[string]time.Time
	// Exchanges are the earlier answers to the person, newest first, as far back as
	// Remembered says.
	Exchanges []state.Exchange
}

// Decision is what the rules make of one event.
type Decision struct {
	// Stop says that the person wants no more messages.
	Stop Stop
	// Handover says that an operator has taken over, so no rule was tried.
	Handover bool
	// Spent says why the rules must send nothing and an operator has to take over:
	// SpentBudget or SpentAutomaton; "" for no reason.
	Spent string
	// Answers are the rules that fire, in their order: one, unless a rule says
	// continue.
	Answers []*Answer
	// Passed are the rules that were tried and did not fire, with the reason.
	Passed []Passed
}

// Passed is a rule that did not fire.
type Passed struct {
	Rule   string // address
	Reason string // in a few words; never a text of the message
	// Err is the error of the rule's condition; nil if it was merely false.
	Err error
}

// Answer decides what to answer to an event; see the package comment for the order.
func (r *Rules) Answer(ev *state.InboundEvent, k Known) Decision {
	d := Decision{Stop: r.words.StopIn(&ev.Event)}
	if d.Stop.Exact {
		return d
	}
	if k.Person.Handover {
		d.Handover = true
		return d
	}
	for _, one := range r.rules {
		a, why, err := one.match(ev, &k)
		if a == nil {
			d.Passed = append(d.Passed, Passed{Rule: one.address, Reason: why, Err: err})
			continue
		}
		a.limits = r.limits
		d.Answers = append(d.Answers, a)
		if !one.decl.Continue {
			break
		}
	}
	if slices.ContainsFunc(d.Answers, (*Answer).Replies) {
		if d.Spent = r.spent(ev, &k); d.Spent != "" {
			d.Answers = nil
		}
	}
	return d
}
