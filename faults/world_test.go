package faults

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/handbill/handbill/apply"
	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/pace"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/state/memstate"
	"github.com/handbill/handbill/state/sqlite"
)

// script is one simulated campaign with everything that goes wrong. It is generated
// from a seed, kept in the museum, and shrunk.
type script struct {
	Seed     uint64  `json:"seed"`
	People   int     `json:"people"`
	Parallel int     `json:"parallel"`
	Rate     float64 `json:"rate,omitempty"`
	Attempts int     `json:"attempts"`
	Echo     bool    `json:"echo"` // the provider echoes references
	Cap      bool    `json:"cap,omitempty"`
	Quiet    bool    `json:"quiet,omitempty"`
	Total    int     `json:"total,omitempty"`   // the most that one apply may send
	Canary   int     `json:"canary,omitempty"`  // the number of sends that are judged first
	StopIf   bool    `json:"stop_if,omitempty"` // a third of failures halts
	// Several gives everybody several ids and actions (see self), and sends through
	// two numbers.
	Several bool    `json:"several,omitempty"`
	Runs    []run   `json:"runs"`
	Faults  []fault `json:"faults"`
	// Real keeps the state in SQLite instead of in the model.
	Real bool `json:"real,omitempty"`
}

// run is one apply. Times are milliseconds after its start; 0 for never.
type run struct {
	Stop   int  `json:"stop,omitempty"`   // first interrupt
	Cancel int  `json:"cancel,omitempty"` // second interrupt
	Saved  bool `json:"saved,omitempty"`  // applies the plan of the previous run
	Retry  bool `json:"retry,omitempty"`  // plans again what was refused
	// Zombie is when the next run starts although this one is still running,
	// because its lock was forced.
	Zombie int `json:"zombie,omitempty"`
	// Jump is when somebody sets the clock, by JumpBy seconds, and Unlock when
	// somebody removes the lock.
	Jump   int `json:"jump,omitempty"`
	JumpBy int `json:"jump_by,omitempty"`
	Unlock int `json:"unlock,omitempty"`
}

// fault is one thing that goes wrong. At is "answer" (N is 100 times the line plus
// the try), "life" (N is 100 times the person plus the place in their life),
// "webhook" (N counts them), "request" (N counts those of a run), or a commit:
// "recover", "begin", "intend", "settle", "finish" (N counts those of a run, from
// 1).
type fault struct {
	Run int    `json:"run,omitempty"`
	At  string `json:"at"`
	N   int    `json:"n"`
	Do  string `json:"do"`
}

var (
	errDead = errors.New("the process is dead")
	errIO   = errors.New("input/output error")
	errFull = errors.New("database or disk is full")
)

// truth is what really happened to one line: a person's message under one of their
// ids.
type truth struct {
	tries  int
	taken  int  // how often the provider took the message
	lied   bool // the provider denied what it had taken, and the message was sent again
	denied bool // the provider refused what it had taken
	rank   message.Rank
	posts  map[string]int // requests by reference
	byRef  map[string]bool
	last   int             // its last intent, counted over all lines
	known  map[string]bool // the ids that were known as one person's at that intent
}

// world is everything outside the processes: the provider, its webhooks, the disk
// and the oracle. All of it is guarded by mu.
type world struct {
	script *script
	faults map[fault]string // without Do
	seen   *tallies

	mu       sync.Mutex
	store    state.Store
	model    *memstate.Store // the store, unless it is SQLite's
	lineage  string          // of the store
	truths   []*truth        // of every line
	selves   []*self         // of every person, where people have several ids
	lives    sync.WaitGroup
	intents  int
	ids      int
	hooks    int
	queue    []hook
	wake     chan struct{}
	flying   sync.WaitGroup
	calm     bool // the runs of the script are over: no rule of the campaign stops it
	problems []string
}

// webhookBody is one webhook body.
type webhookBody struct {
	body   string
	number int // that it is posted to
	at     int64
	events []message.Event
}

// hook is a webhook that is not delivered yet.
type hook struct {
	due  time.Time
	body webhookBody
	n    int
}

func (w *world) problem(format string, args ...any) {
	if len(w.problems) < 10 {
		w.problems = append(w.problems, fmt.Sprintf(format, args...))
	}
}

// luck returns a number from 0 to n-1 that depends only on the seed and on about,
// never on the order of events.
func (w *world) luck(n int, about ...int) int { return luck(w.script.Seed, n, about...) }

func luck(seed uint64, n int, about ...int) int {
	h := seed*0x9e3779b97f4a7c15 + 0x1234567
	for _, a := range about {
		h ^= uint64(a) + 0x9e3779b97f4a7c15 + h<<6 + h>>2
		h ^= h >> 33
		h *= 0xff51afd7ed558ccd
		h ^= h >> 29
	}
	return int(h % uint64(n))
}

func (w *world) fault(run int, at string, n int) string {
	do := w.faults[fault{Run: run, At: at, N: n}]
	if do != "" {
		w.seen.add("fault " + at + " " + do)
	}
	return do
}

// process is one handbill apply: its recorder and its sender. Once it is dead,
// nothing from it reaches the disk or the network.
type process struct {
	w        *world
	run      int // index of the run in the script
	dead     bool
	broken   error
	commits  map[string]int
	requests int
	unknowns int              // answers that leave a doubt
	clockSet bool             // somebody sets the process's clock
	halted   []state.Halt     // the halts when it began
	to       map[int64]string // of attempts, where people have several ids
}

func (p *process) die() {
	p.dead = true
	p.w.seen.add("crash")
}

// commit is one transaction. The process may die before or after it, and the disk
// may report that it failed although it did not, or that the disk is full.
func (p *process) commit(at string, fn func() error) error {
	p.w.mu.Lock()
	sync := time.Duration(150+p.w.luck(100, 7, p.run, p.commits[at])) * time.Microsecond
	p.w.mu.Unlock()
	time.Sleep(sync)
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	switch {
	case p.dead:
		return errDead
	case p.broken != nil:
		return p.broken
	}
	p.commits[at]++
	switch do := p.w.fault(p.run, at, p.commits[at]); do {
	case "die_before":
		p.die()
		return errDead
	case "die_after":
		err := fn()
		p.die()
		return errors.Join(err, errDead)
	case "eio_lost":
		p.broken = errIO
		return p.broken
	case "eio_kept":
		if err := fn(); err != nil {
			return err
		}
		p.broken = errIO
		return p.broken
	case "full":
		return errFull
	}
	return fn()
}

func (p *process) Recover(ctx context.Context, number string) (n int, err error) {
	err = p.commit("recover", func() error {
		n, err = p.w.store.Recover(ctx, number)
		return err
	})
	if n > p.w.script.Parallel {
		p.w.mu.Lock()
		p.w.problem("run %d found %d in doubt, and no more than %d were in flight", p.run, n, p.w.script.Parallel)
		p.w.mu.Unlock()
	}
	return n, err
}

func (p *process) Begin(ctx context.Context, r state.Run, res []state.Resource) (begun state.Run, err error) {
	err = p.commit("begin", func() error {
		begun, err = p.w.store.Begin(ctx, r, res)
		return err
	})
	if err != nil {
		return begun, err
	}
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	p.halted, err = p.w.store.Halts(ctx)
	return begun, err
}

func (p *process) Turn(ctx context.Context, lane state.Lane, out []state.Outcome, in []state.Intent) (v []state.Verdict, err error) {
	at := "intend"
	if len(in) == 0 {
		at = "settle"
	}
	err = p.commit(at, func() error {
		for i := range in {
			if slices.ContainsFunc(p.halted, func(h state.Halt) bool { return h.Campaign == in[i].Campaign }) {
				p.w.problem("run %d sends %s, which was halted before it began", p.run, in[i].Campaign)
			}
		}
		v, err = p.w.store.Turn(ctx, lane, out, in)
		if err == nil || errors.Is(err, state.ErrFenced) {
			p.settled(out)
			p.intended(in, v)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, one := range v {
		p.w.seen.add("gate " + string(one.Gate))
	}
	return v, nil
}

// Slots implements apply.Recorder.
func (p *process) Slots(ctx context.Context, number string, a pace.Ask, many int) (first time.Time, err error) {
	err = p.commit("slots", func() error {
		first, err = p.w.store.Slots(ctx, number, a, many)
		return err
	})
	return first, err
}

// HoldOut implements apply.Recorder.
func (p *process) HoldOut(ctx context.Context, lane state.Lane, who []state.Key) (n int, err error) {
	err = p.commit("hold out", func() error {
		n, err = p.w.store.HoldOut(ctx, lane, who)
		return err
	})
	return n, err
}

func (p *process) Finish(ctx context.Context, r state.Run) error {
	return p.commit("finish", func() error {
		return p.w.store.Finish(ctx, r)
	})
}

func (p *process) Halt(ctx context.Context, h state.Halt) error {
	return p.commit("halt", func() error {
		return p.w.store.Halt(ctx, h)
	})
}

func (p *process) Halts(ctx context.Context) ([]state.Halt, error) {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	if p.dead {
		return nil, errDead
	}
	return p.w.store.Halts(ctx)
}

// resume lists the campaigns that a person resumes before run n; in the end all.
func (w *world) resume(ctx context.Context, n int) (campaigns []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	list, err := w.store.Halts(ctx)
	if err != nil {
		w.problem("%v", err)
	}
	for _, h := range list {
		if n >= 100 || w.luck(2, 90, n) > 0 {
			campaigns = append(campaigns, h.Campaign)
			w.seen.add("resumed")
			continue
		}
		w.seen.add("still halted")
	}
	return campaigns
}

func (p *process) Tally(ctx context.Context, campaign string, revision int) (state.Tally, error) {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	if p.dead {
		return state.Tally{}, errDead
	}
	return p.w.store.Tally(ctx, campaign, revision)
}

// sender is one sending number of a process; each sends one campaign.
type sender struct {
	*process
	campaign int
}

// Encode implements providers.Sender: the body is what the oracle compares.
func (p sender) Encode(to message.Address, _ *message.Draft, values []string, ref string) (message.Request, error) {
	return message.Request{Path: to.Key(), Body: []byte(ref + " " + strings.Join(values, "|"))}, nil
}

// Send implements providers.Sender: it delivers the request, the provider acts as
// the script says, and an answer is returned, or not.
func (p sender) Send(ctx context.Context, r message.Request) message.Answer {
	w := p.w
	ref, values, _ := strings.Cut(string(r.Body), " ")
	who, ok := w.script.line(p.campaign, r.Path)
	if !ok {
		return message.Answer{}
	}
	w.mu.Lock()
	if p.dead {
		w.mu.Unlock()
		return message.Answer{}
	}
	p.requests++
	do := w.fault(p.run, "request", p.requests)
	if do == "die_before" {
		p.die()
		w.mu.Unlock()
		return message.Answer{}
	}
	w.leaves(who, ref, values)
	t := w.truths[who]
	t.tries++
	act := w.faults[fault{At: "answer", N: who*100 + t.tries}]
	try, outage := t.tries, w.fault(p.run, "outage", 1)
	if do == "die_after" {
		p.die()
	}
	w.mu.Unlock()
	if act == "" {
		act = "accept"
	}
	if outage != "" {
		act = outage
	}
	if act == "no_connection" {
		time.Sleep(time.Duration(w.luck(1e6, who, try)) * time.Microsecond / 10)
		return w.answer(act, "", message.Answer{Class: message.NotSent, Title: "no connection"})
	}
	answer := make(chan message.Answer, 1)
	w.flying.Go(func() {
		time.Sleep(time.Duration(1000+w.luck(400_000, 1, who, try)) * time.Microsecond)
		a := w.provider(who, ref, act)
		time.Sleep(time.Duration(1000+w.luck(400_000, 2, who, try)) * time.Microsecond)
		answer <- a
	})
	select {
	case a := <-answer:
		if a.Class == message.Unknown {
			w.mu.Lock()
			p.unknowns++
			w.mu.Unlock()
		}
		return a
	case <-ctx.Done():
		return message.Answer{Class: message.Unknown, Title: "interrupted"}
	}
}

// leaves checks the most important rule: no request without its durable intent, one
// request per intent, and only what the plan says.
func (w *world) leaves(who int, ref, values string) {
	t := w.truths[who]
	if t.posts[ref]++; t.posts[ref] > 1 {
		w.problem("an intent of line %d was sent %d times", who, t.posts[ref])
	}
	if values != "v"+strconv.Itoa(who) {
		w.problem("line %d got %q, which is another's text", who, values)
	}
	if w.model != nil && !w.model.Intended(ref) {
		w.problem("a request to line %d left before its intent was durable", who)
	}
}

// answer counts the answers.
func (w *world) answer(act, id string, a message.Answer) message.Answer {
	a.ID = id
	w.seen.add("answer " + act)
	w.seen.add("class " + a.Class.String())
	return a
}

// provider decides what the provider does with a request that reached it.
func (w *world) provider(who int, ref, act string) message.Answer {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.truths[who]
	take := func(echo string) string {
		t.taken++
		w.ids++
		w.takes(who)
		id := fmt.Sprintf("wamid.%d", w.ids)
		w.story(who, ref, id, echo)
		return id
	}
	switch act {
	case "accept":
		return w.answer(act, take(""), message.Answer{Class: message.Accepted, UserID: w.answersWith(who)})
	case "two_ids": // the answer and the webhooks name different ids
		take("")
		return w.answer(act, fmt.Sprintf("other.%d", w.ids), message.Answer{Class: message.Accepted})
	case "refused":
		return w.answer(act, "", message.Answer{Class: message.Refused, Code: "131026"})
	case "not_delivered":
		return w.answer(act, "", message.Answer{Class: message.Refused, Code: "131049", RetryAfter: 24 * time.Hour})
	case "refused_but_taken":
		take("")
		t.denied = true
		return w.answer(act, "", message.Answer{Class: message.Refused, Code: "131026"})
	case "throttled_but_taken":
		take("")
		t.lied = true
		return w.answer(act, "", message.Answer{Class: message.Throttled, Code: "130429"})
	case "window_closed":
		return w.answer(act, "", message.Answer{Class: message.WindowClosed, Code: "131047"})
	case "opted_out":
		return w.answer(act, "", message.Answer{Class: message.OptedOut, Code: "131050"})
	case "throttled":
		return w.answer(act, "", message.Answer{Class: message.Throttled, Code: "130429"})
	case "pair":
		return w.answer(act, "", message.Answer{Class: message.PairThrottled, Code: "131056"})
	case "account":
		return w.answer(act, "", message.Answer{Class: message.AccountFault, Code: "190"})
	case "5xx_taken", "drop_taken", "garbage_taken":
		take("")
		return w.answer(act, "", message.Answer{Class: message.Unknown, Title: act})
	case "late_taken": // the answer is lost, and the webhook is slow too
		take("late")
		return w.answer(act, "", message.Answer{Class: message.Unknown, Title: act})
	case "5xx_lost", "drop_lost":
		return w.answer(act, "", message.Answer{Class: message.Unknown, Title: act})
	}
	panic("unknown act " + act)
}

// story queues the provider's reports about an accepted message.
func (w *world) story(who int, ref, id, how string) {
	if !w.script.Echo {
		ref = ""
	}
	steps := []message.Rank{message.RankSent, message.RankDelivered, message.RankRead}[:1+w.luck(3, 3, w.ids)]
	t := w.truths[who]
	t.rank = max(t.rank, steps[len(steps)-1])
	for _, rank := range steps {
		w.hooks++
		ev := message.Event{Kind: message.EventStatus, ID: id, Ref: ref, From: w.namedBy(who), Rank: rank, At: time.Now()}
		h := hook{n: w.hooks, body: webhookBody{body: fmt.Sprint(id, rank), events: []message.Event{ev}}}
		wait := time.Duration(w.luck(3_000_000, 4, w.hooks)) * time.Microsecond
		if how == "late" {
			wait += 50 * time.Hour
		}
		switch w.fault(0, "webhook", w.hooks) {
		case "late":
			wait += time.Duration(w.luck(45*24, 5, w.hooks)) * time.Hour
		case "first":
			wait = 0
		case "twice":
			again := h
			again.due = time.Now().Add(2*wait + time.Minute)
			w.queue = append(w.queue, again)
		case "commit_lost": // the commit failed: no 200, and the webhook is repeated
			wait += 11 * time.Minute
		case "answer_lost": // the 200 was lost: the same body is posted again
			again := h
			again.due = time.Now().Add(wait + time.Second)
			w.queue = append(w.queue, again)
		}
		h.due = time.Now().Add(wait)
		w.queue = append(w.queue, h)
	}
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// serve accepts webhooks until stop is closed, and then all that are left.
func (w *world) serve(stop <-chan struct{}) {
	for {
		w.mu.Lock()
		next := w.deliver()
		w.mu.Unlock()
		timer := time.NewTimer(next)
		select {
		case <-timer.C:
		case <-w.wake:
		case <-stop:
			timer.Stop()
			return
		}
		timer.Stop()
	}
}

// deliver appends due webhooks, sometimes folds them, and returns the time until
// the next are due.
func (w *world) deliver() time.Duration {
	now := time.Now()
	slices.SortStableFunc(w.queue, func(a, b hook) int { return a.due.Compare(b.due) })
	for len(w.queue) > 0 && !w.queue[0].due.After(now) {
		h := w.queue[0]
		w.queue = w.queue[1:]
		h.body.at = now.UnixMilli()
		w.append(h.body)
		if w.luck(3, 6, h.n) > 0 {
			w.fold()
		}
	}
	if len(w.queue) == 0 {
		return 1000 * time.Hour
	}
	return w.queue[0].due.Sub(now)
}

func (w *world) append(d webhookBody) {
	_, err := w.store.Append(context.Background(), []state.Inbox{{Provider: simNumbers[d.number], Received: time.UnixMilli(d.at), Raw: []byte(d.body), Events: d.events}})
	if err != nil {
		w.problem("a webhook was not accepted: %v", err)
		return
	}
	for i := range d.events {
		w.hear(&d.events[i])
	}
}

func (w *world) fold() {
	if _, err := w.store.Fold(context.Background(), 1000); err != nil {
		w.problem("folding: %v", err)
	}
}

// standing is the status of every line's delivery in the state, as a planner reads
// it.
type standing struct {
	send    state.Send
	known   bool
	attempt int
	id      string
	rank    message.Rank
	cause   string
}

func (w *world) standings(ctx context.Context) []standing {
	out := make([]standing, w.script.lines())
	snap, err := w.store.Snapshot(ctx)
	if err != nil {
		w.problem("reading: %v", err)
		return out
	}
	defer snap.Close()
	for c := range w.script.campaigns() {
		for d, err := range snap.Deliveries(ctx, simCampaigns[c]) {
			if err != nil {
				w.problem("reading: %v", err)
				return out
			}
			if i, ok := w.script.line(c, d.Recipient); ok { // skips people who were erased
				out[i] = standing{send: d.Send, known: true, attempt: d.Attempt, id: d.ID, rank: d.Rank, cause: d.Cause}
			}
		}
	}
	return out
}

// outs says by line who may not be sent to, and whose window is found closed.
func (w *world) outs(ctx context.Context) (out, shut []bool) {
	out, shut = make([]bool, w.script.lines()), make([]bool, w.script.lines())
	for i := range out {
		c, _, to := w.script.at(i)
		p, err := w.store.Person(ctx, simNumbers[c], to.Key())
		if err != nil {
			w.problem("reading: %v", err)
			continue
		}
		out[i], shut[i] = p.OptedOut, !p.WindowEnds.IsZero()
	}
	return out, shut
}

// plan is what planning makes of the state, and what a saved plan keeps. It does
// not know which ids belong together: if people have several ids, only the gates
// prevent duplicates.
func (w *world) plan(ctx context.Context, retry bool) *plan.Plan {
	out, _ := w.outs(ctx)
	var entries []plan.Entry
	counts := make([]plan.Counts, w.script.campaigns())
	for i := range counts {
		counts[i] = plan.Counts{Skip: map[delivery.Reason]int{}, Defer: map[delivery.Reason]int{}}
	}
	for i, st := range w.standings(ctx) {
		campaign, _, to := w.script.at(i)
		e := plan.Entry{Campaign: campaign, Action: plan.Send, Attempt: st.attempt + 1, Values: []string{"v" + strconv.Itoa(i)}}
		e.Recipient.Address = to
		counts := &counts[campaign]
		switch {
		case !st.known || st.send == state.Pending:
			switch total := w.script.Total; {
			case out[i]:
				e.Action = plan.Skip
				counts.Skip["opted_out"]++
			case !w.calm && total > 0 && counts.Send >= total:
				e.Action, e.Reason = plan.Defer, "total_limit"
				counts.Defer["total_limit"]++
			default:
				counts.Send++
			}
		case st.send == state.Accepted:
			e.Action = plan.Sent
			counts.Sent++
		case st.send == state.Rejected && retry && !out[i]:
			e.Action = plan.Retry
			counts.Retry++
		case st.send == state.Rejected:
			e.Action = plan.Refused
			counts.Refused++
		default:
			e.Action = plan.Doubt
			counts.InDoubt++
		}
		entries = append(entries, e)
	}
	return w.planOf(entries, counts)
}

func (w *world) planOf(entries []plan.Entry, counts []plan.Counts) *plan.Plan {
	p := &plan.Plan{Version: "test", Lineage: w.lineage, Digest: "sha256:1", Drafts: []*message.Draft{{Message: &message.Text{Body: "Hi"}}}}
	for i := range counts {
		p.Campaigns = append(p.Campaigns, w.campaign(i, counts[i]))
	}
	p.Entries = func() iter.Seq2[plan.Entry, error] {
		return func(yield func(plan.Entry, error) bool) {
			for _, e := range entries {
				if !yield(e, nil) {
					return
				}
			}
		}
	}
	return p
}

func (w *world) campaign(n int, counts plan.Counts) plan.Campaign {
	s := w.script
	lines := s.lines() / s.campaigns()
	c := plan.Campaign{Address: simCampaigns[n], Revision: 1, Message: "text_message.hi", Provider: simNumbers[n], Throughput: s.Rate,
		AssumeOpen: true, MaxAttempts: s.Attempts, Counts: counts, Recipients: lines}
	if s.Cap {
		c.CapCount, c.CapPer = 1, time.Hour
	}
	if s.Quiet {
		c.Quiet = &plan.Quiet{From: 20 * 60, Until: 9 * 60, Timezone: "UTC", Attribute: -1}
	}
	if !w.calm {
		c.Total = s.Total
		if s.Canary > 0 {
			c.Canary = &plan.Canary{Count: min(s.Canary, lines), Wait: 10 * time.Minute, MaxFailureRate: .5}
		}
		if s.StopIf {
			c.StopIf = plan.StopIf{FailureRate: .34, Over: 3}
		}
	}
	return c
}

// Each campaign is sent from a number of its own.
var (
	simCampaigns = []string{simCampaign, "campaign.summer"}
	simNumbers   = []string{"provider.sandbox.main", "provider.sandbox.other"}
)

const simCampaign = "campaign.spring"

func phone(i int) string { return fmt.Sprintf("+49151%07d", i) }

func keyOf(i int) state.Key {
	return state.Key{Campaign: simCampaign, Recipient: phone(i), Revision: 1}
}

func openStore(ctx context.Context, path string, now func() time.Time, create bool) (*sqlite.Store, error) {
	o := sqlite.Options{Path: path, Clock: now, Rand: rand.NewChaCha8([32]byte{1}), Version: "test", Backups: -1, Wish: wishes}
	if create {
		return sqlite.Create(ctx, o)
	}
	return sqlite.Open(ctx, o)
}

const simLineage = "00112233445566778899aabbccddeeff"

var _ apply.Recorder = (*process)(nil)
var _ providers.Sender = sender{}
