package apply

import (
	"slices"
	"time"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
)

// decision is the result of admission for one job.
type decision struct {
	kind   decisionKind
	reason delivery.Reason // of hold
	until  time.Time       // of hold; zero for ever
}

type decisionKind uint8

const (
	admitted decisionKind = iota // it goes in the next turn
	hold                         // a gate keeps it out of this run
	leave                        // it stays pending
)

// admission asks the gates that need no state whether j may be sent at now. It
// changes nothing.
func (l *lane) admission(j *job, now time.Time) decision {
	n, c := j.counts, j.counts.campaign
	if n.stopped() {
		return decision{kind: leave}
	}
	if reason := j.held(); reason != delivery.ReasonNone {
		return decision{kind: hold, reason: reason, until: j.entry.Due}
	}
	if reason, until := l.openAt(c, &j.entry.Recipient, now); reason != delivery.ReasonNone {
		return decision{kind: hold, reason: reason, until: until}
	}
	if !j.admitted && c.Total > 0 && n.attempted >= c.Total {
		return decision{kind: hold, reason: delivery.ReasonTotal}
	}
	return decision{}
}

// openAt asks the campaign's schedule again, at the moment of sending: it returns
// why a message to r must not be sent at now, and until when; a zero until means
// never. The rule is plan.Quiet.Wait.
func (l *lane) openAt(c *plan.Campaign, r *message.Recipient, now time.Time) (reason delivery.Reason, until time.Time) {
	q, zone := c.Quiet, ""
	if q != nil && q.Attribute >= 0 && q.Attribute < len(r.Attributes) {
		zone = r.Attributes[q.Attribute].Text
	}
	switch reason = q.Wait(&l.clock, now, zone); reason {
	case delivery.ReasonNotBefore:
		until = q.NotBefore
	case delivery.ReasonQuietHours, delivery.ReasonLocalTime:
		until, _ = q.Open(&l.clock, now, zone)
	}
	return reason, until
}

// gather fills the batch with jobs that are admitted, as many as the flow
// allows. It reports whether anything was taken, sent or not.
func (l *lane) gather(now time.Time) (moved bool, err error) {
	l.heed(now)
	allowed := l.flow.room(now, l.flying)
	for taken := 0; len(l.batch) < allowed && taken < maxGather; taken++ {
		j, err := l.nextJob(now)
		if err != nil || j == nil {
			return moved, err
		}
		moved = true
		if j.was != nil {
			l.sentBefore(j)
			continue
		}
		l.follow(j, l.admission(j, now))
	}
	return moved, nil
}

// nextJob returns a delayed job that is due, else the next entry of the plan; nil
// when there is neither at the moment.
func (l *lane) nextJob(now time.Time) (*job, error) {
	if j := l.waiting.ready(now); j != nil {
		return j, nil
	}
	for i := 0; i < len(l.sources); {
		if l.r.opt.Await.waits(l.sources[i].awaited) || l.canaryHolds(l.sources[i].canary, now) {
			i++
			continue
		}
		j, err := l.sources[i].next()
		if j != nil || err != nil {
			return j, err
		}
		l.sources = slices.Delete(l.sources, i, i+1)
	}
	return nil, nil
}

// follow carries a decision out: the job joins the batch or leaves the run.
func (l *lane) follow(j *job, d decision) {
	switch d.kind {
	case leave:
		l.undone(j, j.attempt)
		return
	case hold:
		l.close(j, d.reason, d.until)
		return
	}
	if prepare(l.sender, j, l.names); j.unfit != nil {
		l.halt(j.counts, &Halt{Reason: delivery.HaltEncode, Title: j.unfit.Error(), Advice: "This is a bug in handbill: a planned message must be encodable. Nothing was sent for this recipient."})
		l.undone(j, j.attempt)
		return
	}
	if !j.admitted {
		j.admitted = true
		j.counts.attempted++
		l.canaryTakes(j)
	}
	l.batch = append(l.batch, j)
}

// close counts an entry that a gate keeps from being sent in this run.
func (l *lane) close(j *job, reason delivery.Reason, until time.Time) {
	ev := Event{Kind: EventHeld, Provider: l.provider, Campaign: j.counts.campaign.Address,
		Recipient: j.entry.Recipient.Key(), Reason: reason, Until: until}
	l.canaryLeft(j)
	switch {
	case j.settled():
	case reason == delivery.ReasonExpired:
		ev.Kind = EventGated
		j.counts.gated(reason, false, j.touched)
		j.counts.leftWith(j.attempt)
	case reason == delivery.ReasonTotal:
		l.undone(j, j.attempt)
	default:
		j.counts.hold(reason, until)
		j.counts.leftWith(j.attempt)
	}
	l.r.observe(ev)
}

// undone counts an entry that stays pending; attempt is its next attempt's number.
func (l *lane) undone(j *job, attempt int) {
	if !j.settled() {
		j.counts.leave(1)
		j.counts.leftWith(attempt)
	}
}
