package apply

import (
	"context"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/state"
)

// sentBefore counts an entry that was sent before this process took part. If that is
// in doubt it waits until the lane has nothing else to do: the owner before may still
// say that the message did not leave.
func (l *lane) sentBefore(j *job) {
	j.counts.attempted++
	l.canaryTakes(j)
	l.canaryFound(j, j.was.Send)
	if j.was.Send == state.Accepted || j.was.Send == state.Rejected {
		j.found()
		return
	}
	l.doubted = append(l.doubted, j)
}

// found counts an entry that the state had already.
func (j *job) found() {
	j.counts.gated(delivery.GateSent.Reason(), j.settled(), false)
}

// recheck looks once more at those who were in doubt, and queues those whose message
// surely did not leave. It reports whether there are any.
func (l *lane) recheck(ctx context.Context) (some bool, err error) {
	list := l.doubted
	l.doubted = nil
	now, indexes := l.r.opt.Now(), map[*counts]state.SentIndex{}
	for _, j := range list {
		index := indexes[j.counts]
		if index == nil {
			c := j.counts.campaign
			if index, err = l.r.opt.Sent(ctx, c.Address, c.Revision); err != nil {
				return false, err
			}
			indexes[j.counts] = index
		}
		if was, ok := index.Lookup(j.entry.Recipient.Key()); ok && was.Send == state.Pending {
			j.was, j.admitted, some = nil, true, true
			l.waiting.put(j, now)
			continue
		}
		j.found()
	}
	return some, nil
}
