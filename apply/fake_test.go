package apply_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/pace"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/state"
)

// ledger is a Recorder in memory that enforces the rules of docs/delivery.md
// and fails the test when one is broken. It also sees what really happened:
// what the number sent is compared with what was intended before.
type ledger struct {
	t    testing.TB
	mu   sync.Mutex
	rows map[state.Key]*row
	open map[int64]*row
	next int64
	run  state.Run
	ends int
	// again counts the slots taken by sends that missed theirs.
	again int
	// turns counts the transactions.
	turns int
	// begun is the run that was passed to Begin.
	begun state.Run
	halts []state.Halt
	slots map[string]*pace.Slots
	last  map[string]time.Time // when somebody last accepted a message

	commit                 time.Duration     // how long a turn takes
	limit                  time.Duration     // of lanes
	stall                  func(intents int) // called at the beginning of a turn, to make it take longer; may be nil
	asked                  []time.Time       // when turns began
	granted                time.Time         // when the last answered turn began
	failIntend, failSettle error
	failHalt, failHoldOut  error
	gate                   func(state.Intent) state.Verdict // zero Verdict: no gate
}

type row struct {
	key     state.Key
	send    state.Send
	attempt int
	ref     string
	posts   int // requests that left with the current ref
	taken   int // how often the provider took it
	orders  int // how often it was sent again although it was accepted
}

func newLedger(t testing.TB) *ledger {
	return &ledger{t: t, rows: map[state.Key]*row{}, open: map[int64]*row{}, slots: map[string]*pace.Slots{}, last: map[string]time.Time{}}
}

func (l *ledger) Recover(context.Context, string) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, r := range l.rows {
		if r.send == state.Sending {
			r.send = state.InDoubt
			n++
		}
	}
	return n, nil
}

func (l *ledger) Begin(_ context.Context, r state.Run, _ []state.Resource) (state.Run, error) {
	r.ID, r.Lanes = 1, slices.Clone(r.Lanes)
	for i := range r.Lanes {
		r.Lanes[i].ID, r.Lanes[i].Epoch, r.Lanes[i].Run, r.Lanes[i].Limit = int64(i+1), 1, 1, l.limit
	}
	l.run, l.begun = r, r
	l.halts = slices.DeleteFunc(l.halts, func(h state.Halt) bool { return slices.Contains(r.Resume, h.Campaign) })
	return r, nil
}

func (l *ledger) Halt(_ context.Context, h state.Halt) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failHalt != nil {
		return l.failHalt
	}
	l.halts = append(l.halts, h)
	return nil
}

func (l *ledger) Halts(context.Context) ([]state.Halt, error) { return l.halts, nil }

func (l *ledger) Finish(_ context.Context, r state.Run) error {
	l.run = r
	l.ends++
	return nil
}

func (l *ledger) Turn(_ context.Context, lane state.Lane, outcomes []state.Outcome, intents []state.Intent) ([]state.Verdict, error) {
	l.mu.Lock()
	asked := time.Now()
	l.asked = append(l.asked, asked)
	l.mu.Unlock()
	if l.stall != nil {
		l.stall(len(intents))
	}
	time.Sleep(l.commit)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.turns++
	l.granted = asked
	if len(outcomes) > 0 && l.failSettle != nil {
		return nil, l.failSettle
	}
	if errors.Is(l.failIntend, state.ErrFenced) {
		l.settle(outcomes)
		return nil, l.failIntend
	}
	if len(intents) > 0 && l.failIntend != nil {
		return nil, l.failIntend
	}
	l.settle(outcomes)
	out := make([]state.Verdict, len(intents))
	for i, in := range intents {
		out[i] = l.intend(lane.Number, in)
	}
	return out, nil
}

func (l *ledger) intend(number string, in state.Intent) state.Verdict {
	if l.gate != nil {
		if v := l.gate(in); v.Gate != delivery.GateNone {
			return v
		}
	}
	r := l.rows[in.Key]
	if r == nil {
		r = &row{key: in.Key}
		l.rows[in.Key] = r
	}
	switch r.send {
	case state.Accepted:
		if !in.Again || in.Attempt != r.attempt+1 {
			return state.Verdict{Gate: delivery.GateSent}
		}
	case state.InDoubt, state.Sending:
		return state.Verdict{Gate: delivery.GateDoubt}
	case state.HeldOut:
		return state.Verdict{Gate: delivery.GateHeldOut}
	}
	if r.send == state.Rejected && !in.Retry {
		return state.Verdict{Gate: delivery.GateRefused}
	}
	if in.Attempt != r.attempt+1 {
		return state.Verdict{Gate: delivery.GateAttempt, Next: r.attempt + 1, Was: r.send}
	}
	if gate, until := delivery.Spaced(unix(l.last[in.Recipient]), time.Now().UnixMilli(), in.Spacing); gate != delivery.GateNone {
		return state.Verdict{Gate: gate, Until: time.UnixMilli(until)}
	}
	slot, ok := l.slotsOf(number).Take(in.Pace, time.Now())
	if !ok {
		return state.Verdict{Gate: delivery.GatePace, Until: slot}
	}
	if r.send == state.Accepted {
		r.orders++
	}
	l.last[in.Recipient] = time.Now()
	r.send, r.attempt, r.ref, r.posts = state.Sending, in.Attempt, in.Ref, 0
	l.next++
	l.open[l.next] = r
	return state.Verdict{Attempt: l.next, Leave: slot}
}

func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func (l *ledger) slotsOf(number string) *pace.Slots {
	if l.slots[number] == nil {
		l.slots[number] = &pace.Slots{}
	}
	return l.slots[number]
}

// Slots implements apply.Recorder.
func (l *ledger) Slots(_ context.Context, number string, a pace.Ask, many int) (time.Time, error) {
	time.Sleep(l.commit)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.again += many
	return l.slotsOf(number).Again(a, time.Now(), many), nil
}

func (l *ledger) HoldOut(_ context.Context, lane state.Lane, who []state.Key) (n int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failHoldOut != nil {
		return 0, l.failHoldOut
	}
	for _, k := range who {
		if l.rows[k] == nil {
			l.rows[k] = &row{key: k, send: state.HeldOut, attempt: 1}
		}
		if l.rows[k].send == state.HeldOut {
			n++
		}
	}
	return n, nil
}

func (l *ledger) settle(outcomes []state.Outcome) {
	for _, o := range outcomes {
		r := l.open[o.Attempt]
		if r == nil {
			l.t.Errorf("an outcome without an open attempt")
			continue
		}
		delete(l.open, o.Attempt)
		if r.send = o.Send; r.send == state.Pending {
			delete(l.last, r.key.Recipient)
		}
		if !o.Hold.IsZero() {
			l.slotsOf(o.Number).Hold(o.Hold, time.Now())
		}
	}
}

func (l *ledger) Tally(_ context.Context, campaign string, revision int) (state.Tally, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var t state.Tally
	for k, r := range l.rows {
		if k.Campaign != campaign || k.Revision != revision {
			continue
		}
		switch r.send {
		case state.Accepted:
			t.Accepted++
		case state.Rejected:
			t.Rejected++
		case state.InDoubt, state.Sending:
			t.InDoubt++
		case state.Pending:
			t.Pending++
		case state.HeldOut:
			t.HeldOut++
		}
	}
	return t, nil
}

// number is a Sender whose answers depend only on the recipient and the number
// of tries.
type number struct {
	ledger  *ledger
	answer  func(to string, try int) message.Answer
	latency time.Duration

	mu    sync.Mutex
	tries map[string]int
	times []time.Time
	ids   int // how many came before the first that it gives
	now   func() time.Time
}

func newNumber(l *ledger, answer func(to string, try int) message.Answer) *number {
	return &number{ledger: l, answer: answer, tries: map[string]int{}, now: time.Now}
}

func accept(string, int) message.Answer {
	return message.Answer{Class: message.Accepted}
}

func (n *number) Encode(to message.Address, _ *message.Draft, values []string, ref string) (message.Request, error) {
	return message.Request{Path: to.Key(), Body: fmt.Appendf(nil, "%q %s", values, ref)}, nil
}

func (n *number) Send(ctx context.Context, r message.Request) message.Answer {
	n.check(r)
	n.mu.Lock()
	n.tries[r.Path]++
	try := n.tries[r.Path]
	n.times = append(n.times, n.now())
	id := fmt.Sprint("wamid.", n.ids+len(n.times))
	n.mu.Unlock()
	if n.latency > 0 {
		select {
		case <-time.After(n.latency):
		case <-ctx.Done():
			return message.Answer{Class: message.Unknown, Title: "interrupted"}
		}
	}
	a := n.answer(r.Path, try)
	if a.Class == message.Accepted {
		if a.ID == "" {
			a.ID = id
		}
		n.ledger.mu.Lock()
		n.row(r).taken++
		n.ledger.mu.Unlock()
	}
	return a
}

// check verifies the most important rule: no request without its durable
// intent, and one request per intent.
func (n *number) check(r message.Request) {
	n.ledger.mu.Lock()
	defer n.ledger.mu.Unlock()
	w := n.row(r)
	if w == nil || w.send != state.Sending {
		n.ledger.t.Errorf("a request left without a durable intent")
		return
	}
	if w.posts++; w.posts > 1 {
		n.ledger.t.Errorf("an intent was sent %d times", w.posts)
	}
}

func (n *number) row(r message.Request) *row {
	if w := n.ledger.rows[state.Key{Campaign: "campaign.winter", Recipient: r.Path, Revision: 1}]; w != nil {
		return w // its recipients are others
	}
	return n.ledger.rows[state.Key{Campaign: "campaign.spring", Recipient: r.Path, Revision: 1}]
}

// campaignOf makes a plan of one campaign that sends to n people.
func campaignOf(n int, change ...func(*plan.Campaign)) *plan.Plan {
	c := plan.Campaign{Address: "campaign.spring", Revision: 1, Message: "text_message.hi",
		Provider: "provider.sandbox.main", FallbackDraft: -1, MaxAttempts: 3, Counts: plan.Counts{Send: n}, Recipients: n}
	for _, f := range change {
		f(&c)
	}
	p := &plan.Plan{Version: "0.1.0", Lineage: "00112233445566778899aabbccddeeff", Campaigns: []plan.Campaign{c},
		Drafts: []*message.Draft{{Message: &message.Text{Body: "Hi"}}}}
	p.Entries = func() iter.Seq2[plan.Entry, error] {
		return func(yield func(plan.Entry, error) bool) {
			for i := range n {
				e := plan.Entry{Action: plan.Send, Attempt: 1}
				e.Recipient.Phone = fmt.Sprintf("+49151%07d", i)
				if !yield(e, nil) {
					return
				}
			}
		}
	}
	return p
}

// blind is a number that sends for any campaign and checks nothing.
type blind struct{ *number }

func (b blind) Send(context.Context, message.Request) message.Answer {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.times = append(b.times, b.now())
	return message.Answer{Class: message.Accepted, ID: fmt.Sprint("wamid.", len(b.times))}
}
