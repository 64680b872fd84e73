package apply

import (
	"cmp"
	"container/heap"
	"time"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/state"
)

// job is one entry of the plan on its way through a lane.
type job struct {
	entry    plan.Entry
	counts   *counts
	draft    *message.Draft
	attempt  int         // number of the attempt that comes next, from 1
	tries    int         // attempts of this run that count against max_attempts
	admitted bool        // it passed the gates that need no state, and counts for the total
	canary   bool        // it is one of its campaign's canary
	touched  bool        // an intent of this run exists
	was      *state.Sent // what became of it before this process took part; nil for nothing
	pending  bool        // planned as settled, but found not to be
	shared   bool        // its delivery is recorded under another id of the person
	due      time.Time
	prepared int   // the attempt that intent and request are of
	unfit    error // why there is no request
	intent   state.Intent
	values   []string // of the draft's slots, with the tokens of links
	request  message.Request
	handle   int64     // of the durable intent
	slot     time.Time // when it may leave; zero for at once
	sequence int       // keeps the heap's order stable
}

// settled says that the delivery is in the state as rejected or accepted, and
// that this run has not changed that.
func (j *job) settled() bool { return j.entry.Action.Repeats() && !j.touched && !j.pending }

// held is why the job waits for its template, as the plan found it or as it was
// told during the run; or for its time after the message that it follows. When that has
// come, a new plan looks at what became of that message: they may have answered.
func (j *job) held() delivery.Reason {
	if r := j.entry.Reason; r.OfTemplate() || r == delivery.ReasonNotDue {
		return r
	}
	if !j.template() {
		return delivery.ReasonNone
	}
	return cmp.Or(j.counts.withheld, j.counts.await.withheld(j.counts.campaign.Address), j.counts.waits)
}

// template reports whether the job's message is a template that the plan has
// read from the account.
func (j *job) template() bool {
	return j.counts.campaign.Template != "" && j.draft.Message.Kind() == message.KindTemplate
}

// delayed is a heap of jobs by the time at which they may go on.
type delayed struct {
	jobs []*job
	n    int
}

func (d *delayed) Len() int { return len(d.jobs) }
func (d *delayed) Less(i, j int) bool {
	a, b := d.jobs[i], d.jobs[j]
	if !a.due.Equal(b.due) {
		return a.due.Before(b.due)
	}
	return a.sequence < b.sequence
}
func (d *delayed) Swap(i, j int) { d.jobs[i], d.jobs[j] = d.jobs[j], d.jobs[i] }
func (d *delayed) Push(x any)    { d.jobs = append(d.jobs, x.(*job)) }
func (d *delayed) Pop() any {
	last := d.jobs[len(d.jobs)-1]
	d.jobs = d.jobs[:len(d.jobs)-1]
	return last
}

// put holds j until due.
func (d *delayed) put(j *job, due time.Time) {
	d.n++
	j.due, j.sequence = due, d.n
	heap.Push(d, j)
}

// ready takes the first job that is due at now; nil when there is none.
func (d *delayed) ready(now time.Time) *job {
	if len(d.jobs) == 0 || d.jobs[0].due.After(now) {
		return nil
	}
	return heap.Pop(d).(*job)
}

// first is when the first job is due; zero when there is none.
func (d *delayed) first() time.Time {
	if len(d.jobs) == 0 {
		return time.Time{}
	}
	return d.jobs[0].due
}
