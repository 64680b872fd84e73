package apply

import (
	"context"
	"fmt"
	"time"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// canary watches the first sends of a campaign before the others may go.
type canary struct {
	taken    int // sends of the canary that were started
	answered int
	failed   int
	since    time.Time // when all were answered
	done     bool
}

// canaryTakes counts a send that belongs to its campaign's canary.
func (l *lane) canaryTakes(j *job) {
	rule := j.counts.campaign.Canary
	if rule == nil {
		return
	}
	c := l.canaries[j.counts]
	if c == nil {
		c = &canary{done: j.counts.canaryOver}
		l.canaries[j.counts] = c
	}
	if !c.done {
		c.taken++
		j.canary = true
	}
}

// canaryLeft passes the place of a job that a gate stopped on to the next job,
// because the canary waits for a number of answers.
func (l *lane) canaryLeft(j *job) {
	if c := l.canaries[j.counts]; j.canary && !c.done {
		j.canary = false
		c.taken--
	}
}

// canaryAnswered counts the final answer to a canary's send.
func (l *lane) canaryAnswered(j *job, ans message.Answer, again bool) {
	c := l.canaries[j.counts]
	if !j.canary || c.done || again {
		return
	}
	if ans.Class != message.Accepted {
		c.failed++
	}
	c.answered++
	if c.answered >= j.counts.campaign.Canary.Count {
		c.since = l.r.opt.Now()
	}
}

// canaryFound counts a canary's send that was made before this process took part.
// The wait after the canary began when its last answer came.
func (l *lane) canaryFound(j *job, as state.Send) {
	if j.canary {
		ans := message.Answer{Class: message.Refused}
		if as == state.Accepted {
			ans.Class = message.Accepted
		}
		l.canaryAnswered(j, ans, false)
		if c, at := l.canaries[j.counts], j.counts.canaryAt; !c.since.IsZero() && !at.IsZero() {
			c.since = at
		}
	}
}

// canaryHolds reports whether the next entries of campaign n must wait for its
// canary, and ends the canary when it is time. Other campaigns of the number are
// sent meanwhile. n is nil for campaigns without a canary.
func (l *lane) canaryHolds(n *counts, now time.Time) bool {
	c := l.canaries[n]
	if c == nil || c.done || c.taken < n.campaign.Canary.Count || n.stopped() {
		return false
	}
	if c.since.IsZero() || now.Before(c.since.Add(n.campaign.Canary.Wait)) {
		return true
	}
	l.endCanary(n, c)
	return false
}

// canaryDue returns when the next canary ends; zero for none.
func (l *lane) canaryDue() time.Time {
	var due time.Time
	for n, c := range l.canaries {
		if c.done || c.since.IsZero() {
			continue
		}
		if t := c.since.Add(n.campaign.Canary.Wait); due.IsZero() || t.Before(due) {
			due = t
		}
	}
	return due
}

// endCanary lets the campaign continue, or halts it when too many of the canary's
// messages failed, by the answers and by the deliveries that the state has learned
// about since. A count that cannot be read halts it too.
func (l *lane) endCanary(n *counts, c *canary) {
	c.done = true
	failed := c.failed
	t, err := l.r.opt.Recorder.Tally(context.Background(), n.campaign.Address, n.campaign.Revision)
	if err != nil {
		l.halt(n, &Halt{Reason: delivery.HaltCanary, Title: "the result of the canary could not be read from the state",
			Advice: "The others are not sent to before somebody has looked. Check the state with \"handbill state verify\"."})
		return
	}
	failed += t.Failed - n.before.Failed
	rule := n.campaign.Canary
	if rate := float64(failed) / float64(max(c.taken, 1)); rate > rule.MaxFailureRate {
		l.halt(n, &Halt{Reason: delivery.HaltCanary, Title: fmt.Sprintf("%d of the first %d failed", failed, c.taken),
			Advice: "See handbill status for the causes. The others are not sent to before somebody has looked."})
	}
}
