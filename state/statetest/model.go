package statetest

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/pace"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/state/memstate"
)

// pair is a store and the model, which must give the same answers.
type pair struct {
	t            *rapid.T
	clock        *testClock
	store, model state.Store
	lineage      string
	run          int64
	lanes        map[string][2]state.Lane // of runs, by number: the store's and the model's
	replies      [2]state.Lane            // of the main number
	open         [][2]int64               // attempts that may still be settled: the handles of the store and the model
	bodies       int
	tokens       int
}

// TestTheStoreIsTheModel makes the same random calls on the store and on a state in
// memory.
func (u suite) TestTheStoreIsTheModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s, clock := u.create(rt)
		p := &pair{t: rt, clock: clock, store: s, lineage: lineage(s), lanes: map[string][2]state.Lane{}}
		p.model = memstate.New(memstate.Options{Clock: clock.read, Lineage: p.lineage, Wish: says})
		for range rapid.IntRange(1, 50).Draw(rt, "steps") {
			p.clock.now = p.clock.now.Add(time.Duration(rapid.IntRange(0, 4).Draw(rt, "wait")) * 7 * time.Hour / 3)
			p.step()
		}
		p.both("fold", func(s state.Store) (any, error) { return nil, s.FoldAll(rt.Context()) })
		if diff := cmp.Diff(p.picture(p.model), p.picture(p.store), cmpopts.EquateEmpty()); diff != "" {
			rt.Fatalf("the state differs (-model +store):\n%s", diff)
		}
	})
}

func (p *pair) step() {
	switch rapid.IntRange(0, 14).Draw(p.t, "step") {
	case 0:
		p.begin()
	case 1, 2, 3:
		p.intend()
	case 4, 5, 6:
		p.settle()
	case 7, 8:
		p.event(p.status())
	case 9:
		p.event(p.said())
	case 10:
		p.decide()
	case 11:
		p.reply()
	case 12:
		p.answering()
	case 13:
		p.holdOut()
	case 14:
		p.click()
	}
}

// both makes a call on both and compares the results.
func (p *pair) both(what string, do func(state.Store) (any, error)) error {
	p.t.Helper()
	got, err := do(p.store)
	want, wantErr := do(p.model)
	var forbidden *delivery.TransitionError
	same := (err == nil) == (wantErr == nil) && errors.Is(err, state.ErrFenced) == errors.Is(wantErr, state.ErrFenced) &&
		errors.Is(err, state.ErrUnknown) == errors.Is(wantErr, state.ErrUnknown) && errors.As(err, &forbidden) == errors.As(wantErr, &forbidden)
	if !same {
		p.t.Fatalf("%s: the store says %v, the model %v", what, err, wantErr)
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); err == nil && diff != "" {
		p.t.Fatalf("%s differs (-model +store):\n%s", what, diff)
	}
	return err
}

func (p *pair) key() state.Key {
	return state.Key{Campaign: rapid.SampledFrom([]string{"campaign.spring", "campaign.spring", "campaign.autumn"}).Draw(p.t, "campaign"),
		Recipient: p.who(), Revision: rapid.SampledFrom([]int{1, 1, 1, 2}).Draw(p.t, "revision")}
}

// who draws one of a few recipients; the first two are two spellings of one person's
// number.
func (p *pair) who() string {
	return rapid.SampledFrom([]string{spellings[0][0], spellings[0][1], phone(1), phone(2), "DE.7001", "DE.7002"}).Draw(p.t, "who")
}

// ids draws the ids by which an event names somebody: one, or several that often
// contradict earlier events.
func (p *pair) ids() (a message.Address, parent string) {
	a = message.AddressOf(p.who())
	if a.Phone != "" && rapid.IntRange(0, 2).Draw(p.t, "several ids") == 0 {
		a.UserID = rapid.SampledFrom([]string{"DE.7001", "DE.7002", "DE.7003"}).Draw(p.t, "user")
	}
	if rapid.IntRange(0, 5).Draw(p.t, "with a parent") == 0 {
		parent = "DE.ENT.7"
	}
	return a, parent
}

func (p *pair) begin() {
	if p.run != 0 && rapid.Bool().Draw(p.t, "finish") {
		p.both("finish", func(s state.Store) (any, error) {
			return nil, s.Finish(p.t.Context(), state.Run{ID: p.run, Started: noon, Campaigns: []state.CampaignRun{{Campaign: "campaign.spring", Revision: 1}}})
		})
	}
	resume := rapid.SampledFrom([][]string{nil, {"campaign.spring"}}).Draw(p.t, "resume")
	numbers := rapid.SampledFrom([][]string{{mainNumber}, {mainNumber}, {otherNumber}, {mainNumber, otherNumber}}).Draw(p.t, "numbers")
	var lanes []state.Lane
	for _, number := range numbers {
		lanes = append(lanes, state.Lane{Number: number})
	}
	var begun []state.Run
	p.both("begin", func(s state.Store) (any, error) {
		r, err := s.Begin(p.t.Context(), state.Run{Started: noon, Resume: resume, Lanes: lanes, Campaigns: []state.CampaignRun{{Campaign: "campaign.autumn"}}},
			[]state.Resource{{Address: "campaign.spring", Type: "campaign", Name: "spring"}})
		begun = append(begun, r)
		return r.ID, err
	})
	if p.run == 0 || rapid.IntRange(0, 3).Draw(p.t, "zombie") > 0 { // else the old run goes on, and is fenced at numbers that were taken
		p.run = begun[0].ID
		for i, number := range numbers {
			p.lanes[number] = [2]state.Lane{begun[0].Lanes[i], begun[1].Lanes[i]}
		}
	}
	if rapid.Bool().Draw(p.t, "recover") {
		p.recover(rapid.SampledFrom([]string{mainNumber, otherNumber}).Draw(p.t, "recovered"))
	}
}

func (p *pair) recover(number string) {
	p.t.Helper()
	p.both("recover", func(s state.Store) (any, error) { return s.Recover(p.t.Context(), number) })
	p.both("unsettled", func(s state.Store) (any, error) { return s.Unsettled(p.t.Context()) })
}

// lane draws one of the lanes that runs took, fenced or not.
func (p *pair) lane() [2]state.Lane {
	if p.run == 0 {
		p.begin()
	}
	return p.lanes[rapid.SampledFrom(slices.Sorted(maps.Keys(p.lanes))).Draw(p.t, "lane")]
}

// answering takes the main number for replies.
func (p *pair) answering() {
	side := 0
	p.both("recover replies", func(s state.Store) (_ any, err error) {
		n := 0
		p.replies[side], n, err = s.RecoverReplies(p.t.Context(), mainNumber)
		side++
		return n, err
	})
}

func (p *pair) intend() {
	lane := p.lane()
	var in []state.Intent
	for range rapid.IntRange(1, 3).Draw(p.t, "intents") {
		k := p.key()
		number := rapid.IntRange(1, 3).Draw(p.t, "number")
		in = append(in, state.Intent{Key: k, To: message.AddressOf(k.Recipient), Attempt: number, Ref: message.NewRef(p.lineage, k.Campaign, k.Recipient, k.Revision, number),
			Message: "text_message.hi", Digest: [16]byte{byte(number)}, Choice: p.choice(), Links: p.links(),
			Retry: rapid.Bool().Draw(p.t, "retry"), Again: rapid.Bool().Draw(p.t, "again"), Marketing: rapid.Bool().Draw(p.t, "marketing"),
			NoCooldown: rapid.Bool().Draw(p.t, "no cooldown"), Window: rapid.IntRange(0, 3).Draw(p.t, "window") == 0, AssumeOpen: rapid.Bool().Draw(p.t, "assume"),
			CapCount: rapid.SampledFrom([]int{0, 0, 1, 2}).Draw(p.t, "cap"), CapPer: 12 * time.Hour,
			Spacing: time.Duration(rapid.IntRange(0, 1).Draw(p.t, "spacing")) * delivery.Spacing,
			Pace:    pace.Ask{Gap: time.Duration(rapid.IntRange(0, 2).Draw(p.t, "gap")) * 100 * time.Millisecond, After: p.clock.now}})
	}
	p.record(lane, nil, in)
}

// choice draws a text of a campaign that has several, or none.
func (p *pair) choice() state.Choice {
	return rapid.SampledFrom([]state.Choice{{}, {}, {Arm: "short"}, {Arm: "long", Variant: "de", Attributes: `{"name":"Ana"}`}}).Draw(p.t, "choice")
}

// links draws the links of a message. No token is given twice.
func (p *pair) links() (out []state.TokenLink) {
	for range rapid.IntRange(0, 2).Draw(p.t, "links") {
		p.tokens++
		out = append(out, state.TokenLink{Token: fmt.Sprintf("%012d", p.tokens), Link: rapid.SampledFrom([]string{"link.shop", "link.help"}).Draw(p.t, "link")})
	}
	return out
}

// click draws visits of links that there are, and of one that there is not.
func (p *pair) click() {
	var clicks []state.Click
	for range rapid.IntRange(1, 3).Draw(p.t, "clicks") {
		c := state.Click{Token: fmt.Sprintf("%012d", rapid.IntRange(1, p.tokens+1).Draw(p.t, "token")), Programs: rapid.IntRange(0, 2).Draw(p.t, "programs")}
		if rapid.Bool().Draw(p.t, "person") {
			c.At = p.clock.now.Add(-time.Duration(rapid.IntRange(0, 3).Draw(p.t, "before")) * time.Minute)
		}
		clicks = append(clicks, c)
	}
	p.both("click", func(s state.Store) (any, error) { return nil, s.Click(p.t.Context(), clicks) })
	p.both("link", func(s state.Store) (any, error) { l, _, err := s.Link(p.t.Context(), clicks[0].Token); return l, err })
}

func (p *pair) holdOut() {
	lane, side := p.lane(), 0
	who := []state.Key{p.key(), p.key()}
	p.both("hold out", func(s state.Store) (any, error) {
		side++
		return s.HoldOut(p.t.Context(), lane[side-1], who)
	})
}

// record makes a turn on both. Each has its own handles.
func (p *pair) record(lane [2]state.Lane, out [][2]state.Outcome, in []state.Intent) error {
	p.t.Helper()
	var handles [2][]int64
	side := 0
	err := p.both("turn", func(s state.Store) (any, error) {
		var mine []state.Outcome
		for _, o := range out {
			mine = append(mine, o[side])
		}
		v, err := s.Turn(p.t.Context(), lane[side], mine, in)
		for i := range v {
			handles[side] = append(handles[side], v[i].Attempt)
			v[i].Attempt = min(v[i].Attempt, 1)
		}
		side++
		return v, err
	})
	if err == nil {
		for i, h := range handles[0] {
			if h != 0 {
				p.open = append(p.open, [2]int64{h, handles[1][i]})
			}
		}
	}
	return err
}

// id draws a provider's message id, often a used one, and now and then that of a
// message to somebody else.
func (p *pair) id() string { return wamidOf(rapid.IntRange(1, 12).Draw(p.t, "id")) }

func (p *pair) settle() {
	if len(p.open) == 0 {
		return
	}
	at := rapid.IntRange(0, len(p.open)-1).Draw(p.t, "which")
	o := state.Outcome{At: p.clock.now}
	switch rapid.IntRange(0, 5).Draw(p.t, "answer") {
	case 0, 1:
		o.Send, o.Proof, o.ID = state.Accepted, state.ProofResponse, p.id()
	case 2:
		o.Send, o.Code, o.OptOut, o.WindowShut = state.Rejected, "131026", rapid.IntRange(0, 4).Draw(p.t, "out") == 0, rapid.IntRange(0, 4).Draw(p.t, "shut") == 0
	case 3:
		o.Send, o.Code, o.Cooldown = state.Rejected, "131049", p.clock.now.Add(24*time.Hour)
	case 4:
		o.Send, o.Code = state.Pending, "130429"
	case 5:
		o.Send, o.Cause = state.InDoubt, "reset"
	}
	a, b := o, o
	a.Attempt, b.Attempt = p.open[at][0], p.open[at][1]
	if err := p.record(p.lane(), [][2]state.Outcome{{a, b}}, nil); err == nil && rapid.IntRange(0, 3).Draw(p.t, "again") > 0 {
		p.open = slices.Delete(p.open, at, at+1)
	}
}

func (p *pair) status() message.Event {
	ev := message.Event{Kind: message.EventStatus, At: p.clock.now.Add(-time.Duration(rapid.IntRange(0, 100).Draw(p.t, "ago")) * time.Minute),
		Rank: message.Rank(rapid.IntRange(1, 3).Draw(p.t, "rank")), ID: p.id()}
	if rapid.IntRange(0, 4).Draw(p.t, "failed") == 0 {
		ev.Failed, ev.Rank, ev.Code = true, 0, rapid.SampledFrom([]string{"131026", "131049", "131050", "131047"}).Draw(p.t, "code")
	}
	if rapid.Bool().Draw(p.t, "named") {
		ev.From, ev.Parent = p.ids()
	}
	if rapid.IntRange(0, 3).Draw(p.t, "echo") > 0 { // often of a message that this state never sent, as after a rollback
		k := p.key()
		ev.Ref = message.NewRef(p.lineage, k.Campaign, k.Recipient, k.Revision, rapid.IntRange(1, 3).Draw(p.t, "number"))
	}
	if rapid.Bool().Draw(p.t, "priced") {
		ev = priced(ev, rapid.SampledFrom([]string{"marketing", "service"}).Draw(p.t, "category"))
	}
	return ev
}

// said draws an event that a person causes.
func (p *pair) said() message.Event {
	from, parent := p.ids()
	at := p.clock.now.Add(-time.Duration(rapid.IntRange(0, 3).Draw(p.t, "late")) * 3 * time.Hour)
	switch rapid.IntRange(0, 6).Draw(p.t, "kind") {
	case 6:
		return message.Event{Kind: message.EventAccount, At: at, Field: "message_template_status_update", Template: &message.TemplateNotice{Account: "1022", ID: "161",
			Name: "spring", Language: rapid.SampledFrom([]string{"en-US", "en_US"}).Draw(p.t, "language"), Status: rapid.SampledFrom([]string{"APPROVED", "PAUSED"}).Draw(p.t, "status")}}
	case 0:
		return message.Event{Kind: message.EventPreference, At: at, From: from, Parent: parent, OptOut: rapid.Bool().Draw(p.t, "out")}
	case 1:
		return message.Event{Kind: message.EventOther, At: p.clock.now, Field: "account_update", Reason: "of the account", Raw: []byte("{}")}
	case 2:
		now, newParent := p.ids()
		return message.Event{Kind: message.EventIdentity, At: at, From: from, Parent: parent, NewAddress: now, NewParent: newParent}
	}
	ev := wrote(from, parent, rapid.SampledFrom([]string{"hello", "enough", "enough?", "go on"}).Draw(p.t, "text"), at)
	ev.ID = fmt.Sprint("in.", rapid.IntRange(1, 9).Draw(p.t, "inbound"))
	if rapid.Bool().Draw(p.t, "about") {
		ev.ContextID = p.id()
	}
	return ev
}

// event passes an event through all steps of a webhook.
func (p *pair) event(ev message.Event) {
	p.bodies++
	number := rapid.SampledFrom([]string{mainNumber, mainNumber, otherNumber}).Draw(p.t, "through")
	body := state.Inbox{Provider: number, Received: p.clock.now, Raw: fmt.Append(nil, rapid.IntRange(p.bodies-2, p.bodies).Draw(p.t, "body")), Events: []message.Event{ev}}
	p.both("append", func(s state.Store) (any, error) { return s.Append(p.t.Context(), []state.Inbox{body}) })
	if limit := rapid.IntRange(0, 3).Draw(p.t, "fold"); limit > 0 {
		p.both("fold", func(s state.Store) (any, error) { return s.Fold(p.t.Context(), limit) })
	}
}

// reply answers the oldest message that waits.
func (p *pair) reply() {
	if p.replies[0].ID == 0 {
		p.answering()
	}
	var refs []state.InboundRef
	after, side := int64(rapid.IntRange(0, 3).Draw(p.t, "after")), 0
	p.both("claim", func(s state.Store) (v any, err error) {
		upto := int64(0)
		refs, upto, err = s.Claim(p.t.Context(), p.replies[side], after, 3)
		side++
		return []any{refs, upto}, err
	})
	if len(refs) == 0 {
		return
	}
	r := refs[0]
	rule := rapid.SampledFrom([]string{"reply_rule.a", "reply_rule.b"}).Draw(p.t, "rule")
	_ = p.record(p.replies, nil, []state.Intent{{Key: state.Key{Campaign: rule, Recipient: r.Recipient, Revision: int(r.Seq)}, To: message.AddressOf(r.Recipient), Attempt: 1,
		Message: "text_message.hi", Ref: message.NewRef(p.lineage, rule, r.Recipient, int(r.Seq), 1), Inbound: r.Seq, Window: rapid.Bool().Draw(p.t, "window")}})
	for name, read := range map[string]func(state.Store) (any, error){
		"inbound": func(s state.Store) (any, error) { ev, _, err := s.Inbound(p.t.Context(), r.Seq); return ev, err },
		"replied": func(s state.Store) (any, error) { return s.RepliedBy(p.t.Context(), r.Recipient, r.Seq) },
		"exchanges": func(s state.Store) (any, error) {
			return s.Exchanges(p.t.Context(), r.Recipient, 0, noon.Add(-time.Hour), 3)
		},
		"last reply": func(s state.Store) (any, error) { return s.LastReply(p.t.Context(), rule, r.Recipient) },
	} {
		p.both(name, read)
	}
	if rapid.Bool().Draw(p.t, "answered") {
		side = 0
		p.both("answered", func(s state.Store) (any, error) {
			err := s.Answered(p.t.Context(), p.replies[side], r.Seq)
			side++
			return nil, err
		})
		side = 0
		p.both("next", func(s state.Store) (any, error) {
			ref, _, err := s.ClaimNext(p.t.Context(), p.replies[side], r.Recipient)
			side++
			return ref, err
		})
	}
}

// decide makes one of the changes that people make to a state.
func (p *pair) decide() {
	ctx, k := p.t.Context(), p.key()
	decisions := map[string]func(state.Store) (any, error){
		"resolve": func(s state.Store) (any, error) { return nil, s.Resolve(ctx, k, state.Accepted, "ada", "looked") },
		"resolve as not sent": func(s state.Store) (any, error) {
			return nil, s.Resolve(ctx, k, state.Pending, "ada", "looked")
		},
		"opt out":  func(s state.Store) (any, error) { return nil, s.OptOut(ctx, k.Recipient, "operator", "called") },
		"opt in":   func(s state.Store) (any, error) { return nil, s.OptIn(ctx, k.Recipient, "called") },
		"handover": func(s state.Store) (any, error) { return nil, s.Handover(ctx, k.Recipient, true) },
		"attribute": func(s state.Store) (any, error) {
			return nil, s.SetAttributes(ctx, k.Recipient, map[string]string{"city": "Bonn"})
		},
		"halt": func(s state.Store) (any, error) {
			return nil, s.Halt(ctx, state.Halt{Campaign: k.Campaign, Reason: "canary"})
		},
		"erase":     func(s state.Store) (any, error) { return nil, s.Erase(ctx, k.Recipient) },
		"remove":    func(s state.Store) (any, error) { return s.Remove(ctx, k.Campaign) },
		"move":      func(s state.Store) (any, error) { return nil, s.Move(ctx, k.Campaign, "campaign.easter") },
		"move back": func(s state.Store) (any, error) { return nil, s.Move(ctx, "campaign.easter", k.Campaign) },
		"import": func(s state.Store) (any, error) {
			return s.Import(ctx, iter.Seq2[state.Delivery, error](func(yield func(state.Delivery, error) bool) {
				yield(state.Delivery{Key: k, Message: "text_message.hi", ID: wamidOf(1), Settled: noon}, nil)
			}))
		},
		"prune": func(s state.Store) (any, error) { return s.Prune(ctx, p.clock.now) },
	}
	names := slices.Sorted(func(yield func(string) bool) {
		for name := range decisions {
			if !yield(name) {
				return
			}
		}
	})
	name := rapid.SampledFrom(names).Draw(p.t, "decision")
	if name == "prune" { // settle what is open first: prune would stop halfway at it
		p.clock.now = p.clock.now.Add(50 * 24 * time.Hour)
		p.recover(mainNumber)
		p.recover(otherNumber)
	}
	if err := p.both(name, decisions[name]); err == nil && (name == "remove" || name == "prune") {
		p.open = nil // another test covers late answers after this
	}
}
