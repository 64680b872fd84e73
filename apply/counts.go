package apply

import (
	"fmt"
	"sync"
	"time"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/state"
)

// counts is what a run counts about one campaign by itself. At the end it is
// checked against what the state counts.
type counts struct {
	campaign *plan.Campaign
	before   state.Tally
	// sentBefore is what became of everybody before this process took part; nil
	// outside of Join.
	sentBefore state.SentIndex

	mu         sync.Mutex
	sent       int
	done       int // entries that need nothing more
	attempted  int // entries for which an intent was made, for the total
	existing   int
	overtook   int // see overtaken
	reopened   int // entries planned as settled that are not
	shared     int // see sharedWith
	foundOut   int // see notHeldOut
	refused    map[string]int
	unsent     map[string]int
	gates      map[delivery.Reason]int
	held       map[delivery.Reason]int
	heldTill   time.Time
	pending    int // entries that this run leaves undone
	denied     int // of pending, held and gated: with an attempt that was not taken
	halt       *Halt
	withheld   delivery.Reason // why templates of the campaign wait for another run
	canaryAt   time.Time       // when the canary was answered, before this process took part
	canaryOver bool            // others than the canary were sent to before this process took part
	await      *Await          // what holds the campaign back for a time; nil for nothing
	waits      delivery.Reason // why its templates wait, as was told during the run; only the lane uses it

	ring     []bool // the last answers, for stop_if: was it a failure
	answers  int
	failures int // in ring
}

func newCounts(c *plan.Campaign, before state.Tally) *counts {
	return &counts{campaign: c, before: before,
		refused: map[string]int{}, unsent: map[string]int{}, gates: map[delivery.Reason]int{}, held: map[delivery.Reason]int{}}
}

// asPlanned returns the record at the beginning, as the plan saw it: everything to
// be sent is pending. A repetition has its row already, as rejected or accepted.
func asPlanned(c *plan.Campaign) state.CampaignRun {
	n := c.Counts
	return state.CampaignRun{
		Campaign: c.Address, Revision: c.Revision, Skipped: n.Skip, Planned: n.Sends() + n.Sent + n.InDoubt + n.Refused + n.HeldOut, HeldOut: n.HeldOut,
		Accepted: n.Sent + n.Replace, Rejected: n.Refused + n.Retry, InDoubt: n.InDoubt, Pending: n.Sends() - n.Repeats(),
	}
}

// run returns the same record with the state's counts.
func (n *counts) run() state.CampaignRun {
	c := n.campaign
	pending := c.Counts.Sends() - c.Counts.Repeats()
	return state.CampaignRun{
		Campaign: c.Address, Revision: c.Revision, Skipped: c.Counts.Skip, ConsentBy: c.ConsentBy,
		Planned:  n.before.Accepted + n.before.Rejected + n.before.InDoubt + pending + c.Counts.HeldOut - n.foundOut,
		HeldOut:  c.Counts.HeldOut - n.foundOut,
		Accepted: n.before.Accepted, Rejected: n.before.Rejected, InDoubt: n.before.InDoubt,
		Pending: pending,
	}
}

// answered counts an answer; final says that the entry is not tried again.
func (n *counts) answered(a message.Answer, final bool) (done int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if a.Class == message.Accepted {
		n.sent++
	}
	if final {
		n.done++
		switch a.Class {
		case message.Refused, message.WindowClosed, message.OptedOut:
			n.refused[label(a)]++
		}
	}
	return n.done
}

// label names the cause of an answer for people, as in "131026 not on WhatsApp".
func label(a message.Answer) string {
	switch {
	case a.Code == "" && a.Title == "":
		return a.Class.String()
	case a.Code == "":
		return a.Title
	case a.Title == "":
		return a.Code
	}
	return a.Code + " " + a.Title
}

// wasSent reports whether the state has the attempt of an entry already, or a later
// one, so that nothing is left to do about it. An attempt that was surely not taken
// leaves the entry to be sent.
func (n *counts) wasSent(e *plan.Entry) (was state.Sent, ok bool) {
	if n.sentBefore == nil {
		return was, false
	}
	was, ok = n.sentBefore.Lookup(e.Recipient.Key())
	return was, ok && was.Attempt >= max(e.Attempt, 1) && was.Send != state.Pending
}

// notSent counts the cause for which an entry that was tried stays pending.
func (n *counts) notSent(a message.Answer) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.unsent[label(a)]++
}

// unsettled counts a repetition whose delivery is no longer settled in the state,
// for example because the plan was applied before and interrupted.
func (n *counts) unsettled() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.reopened++
}

// gated counts an entry that a gate stopped, or whose delivery was found in the
// state. settled says that the entry repeats a delivery and was not attempted, so
// that the delivery is unchanged. open says that the counts at the beginning do not
// include the delivery.
func (n *counts) gated(gate delivery.Reason, settled, open bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.done++
	switch {
	case settled:
		return
	case gate == delivery.GateSent.Reason() || gate == delivery.GateDoubt.Reason() || gate == delivery.GateRefused.Reason():
		if !open { // else a status settled it meanwhile
			n.existing++
		}
		return
	}
	n.gates[gate]++
}

// hold counts an entry that may be sent after this run.
func (n *counts) hold(reason delivery.Reason, until time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.held[reason]++
	if !until.IsZero() && (n.heldTill.IsZero() || until.Before(n.heldTill)) {
		n.heldTill = until
	}
}

// leave counts n entries that stay pending.
func (n *counts) leave(entries int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.pending += entries
}

// leftWith counts an entry that is left after attempts that the provider denied:
// next, the number of its next attempt, is then above 1. An event may still prove
// that the provider took one of them.
func (n *counts) leftWith(next int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if next > 1 {
		n.denied++
	}
}

// halted stops the campaign; the first reason stands.
func (n *counts) halted(h *Halt) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.halt != nil {
		return false
	}
	n.halt = h
	return true
}

func (n *counts) stopped() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.halt != nil
}

// close makes the report from the state's counts and those of the run.
func (n *counts) close(after state.Tally) CampaignReport {
	n.mu.Lock()
	defer n.mu.Unlock()
	run := n.run()
	run.Planned += n.reopened - n.existing
	run.Accepted, run.Rejected, run.InDoubt = after.Accepted, after.Rejected, after.InDoubt
	run.Held, run.Cancelled = sum(n.held), sum(n.gates)
	run.HeldFor, run.HeldTill = n.held, n.heldTill
	run.Pending = n.pending
	if n.halt != nil {
		run.Halted = n.halt.Reason
	}
	n.proven(&run)
	n.denials(&run, after)
	run.Planned -= min(max(run.Planned-added(&run), 0), n.shared)
	return CampaignReport{CampaignRun: run, Sent: n.sent, Refused: n.refused, Unsent: n.unsent, Gates: n.gates,
		Halt: n.halt, Existing: n.existing, DoubtsBefore: n.before.InDoubt}
}

// proven corrects the counts for events that came during the run: attempts that the
// provider had denied but took after all. The state counts them as accepted. The
// run counts them as pending, held or gated, or, if it reached them later, as found
// in the state, although its first counts did not include them. The same goes for
// people whom the plan leaves out because they asked to stop.
func (n *counts) proven(run *state.CampaignRun) {
	over := max(added(run)-run.Planned, 0)
	found := min(over, n.existing+sum(n.campaign.Counts.Skip), n.before.Pending)
	run.Planned += found
	over = min(over-found, n.denied)
	for _, count := range []*int{&run.Pending, &run.Held, &run.Cancelled} {
		moved := min(over, *count)
		*count -= moved
		over -= moved
	}
}

// overtaken counts an entry that is sent although the state has an earlier attempt
// as denied. That attempt may have been in doubt when the run began.
func (n *counts) overtaken() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.overtook++
}

// sharedWith counts an entry whose delivery is recorded under another id of the
// person. If another entry of the run is that delivery too, because the state
// learned only after the plan that both ids are one person's, then two were planned
// and there is one.
func (n *counts) sharedWith() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.shared++
}

// denials corrects the counts for doubts of earlier runs that ended during this
// one, because an overtaken apply recorded late that the provider denied the
// message. Entries that this run reached were counted twice, as in doubt and as to
// be sent; the others are pending.
func (n *counts) denials(run *state.CampaignRun, after state.Tally) {
	run.Planned -= min(max(run.Planned-added(run), 0), n.before.InDoubt, n.overtook)
	run.Pending += min(max(run.Planned-added(run), 0), n.before.InDoubt, after.Pending)
}

func sum[K comparable](m map[K]int) int {
	n := 0
	for _, v := range m {
		n += v
	}
	return n
}

// checkArithmetic proves that nobody was forgotten and nobody counted twice.
func checkArithmetic(c *state.CampaignRun) error {
	if got := added(c); got != c.Planned {
		return fmt.Errorf("%s: %w: %d planned, but %d accepted + %d rejected + %d cancelled + %d held + %d held out + %d pending + %d in doubt = %d; this is a bug in handbill, the state is intact",
			c.Campaign, ErrArithmetic, c.Planned, c.Accepted, c.Rejected, c.Cancelled, c.Held, c.HeldOut, c.Pending, c.InDoubt, got)
	}
	return nil
}

func added(c *state.CampaignRun) int {
	return c.Accepted + c.Rejected + c.Cancelled + c.Held + c.HeldOut + c.Pending + c.InDoubt
}

// recent adds an answer to the last ones, at most over of them, and returns their
// share of failures; full is false until there are that many.
func (n *counts) recent(failed bool, over int) (rate float64, full bool) {
	if n.ring == nil {
		n.ring = make([]bool, over)
	}
	at := n.answers % over
	if n.ring[at] {
		n.failures--
	}
	if n.ring[at] = failed; failed {
		n.failures++
	}
	n.answers++
	return float64(n.failures) / float64(over), n.answers >= over
}
