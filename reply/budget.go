package reply

import (
	"time"

	"github.com/handbill/handbill/state"
)

// The reasons why an operator has to take over; see Decision.Spent.
const (
	SpentBudget    = "reply_budget" // too many answers for the time
	SpentAutomaton = "automaton"    // nobody reads and writes that fast
)

// The other side counts as an automaton after this many quick answers in a row,
// each within quickTime.
const (
	quickTurns = 8
	quickTime  = 3 * time.Second
)

// Remembered returns which exchanges a decision at the time now needs: those answered
// after since, and no more than n of them.
func (r *Rules) Remembered(now time.Time) (since time.Time, n int) {
	return now.Add(-r.budget.Per), max(r.budget.Count, 2*quickTurns)
}

// spent returns why the rules no longer answer a person; "" if they do.
func (r *Rules) spent(ev *state.InboundEvent, k *Known) string {
	since, _ := r.Remembered(k.Now)
	count := 0
	for _, e := range k.Exchanges {
		if e.Answered.After(since) {
			count++
		}
	}
	switch {
	case isAutomaton(ev, k.Exchanges):
		return SpentAutomaton
	case r.budget.Count > 0 && count >= r.budget.Count:
		return SpentBudget
	}
	return ""
}

// isAutomaton reports whether the other side seems to be a program: quickTurns times
// in a row it replied to our answer sooner than a person could read it. A message
// that came before our previous answer is no quick reply, since people often write
// several messages at a time.
func isAutomaton(ev *state.InboundEvent, exchanges []state.Exchange) bool {
	asked, quick := ev.Received, 0
	for _, e := range exchanges {
		if e.Asked.Equal(asked) {
			continue // another answer to the same message
		}
		if gap := asked.Sub(e.Answered); gap < 0 || gap >= quickTime {
			return false
		}
		if quick++; quick == quickTurns {
			return true
		}
		asked = e.Asked
	}
	return false
}
