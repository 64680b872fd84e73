package apply

import (
	"context"
	"time"
)

// drain waits for what is in flight, records it, and counts the rest as pending.
func (l *lane) drain(ctx context.Context) error {
	if err := l.land(ctx); err != nil {
		return err
	}
	l.r.mu.Lock()
	l.r.report.Stopped = l.r.report.Stopped || !l.halted
	l.r.mu.Unlock()
	return l.leaveRest()
}

// land waits for what is in flight and records it.
func (l *lane) land(ctx context.Context) error {
	for l.flying > 0 || len(l.settled) > 0 {
		if len(l.settled) == 0 {
			l.await()
			l.collect()
		}
		if err := l.turn(ctx, l.r.opt.Now()); err != nil {
			return l.abandon(err)
		}
	}
	return nil
}

// await waits for an answer, or until the limit of the lane must begin anew.
func (l *lane) await() {
	wait, ok := l.lease.Due()
	if !ok || l.lost {
		l.take(<-l.answers)
		return
	}
	timer := time.NewTimer(max(wait, time.Millisecond))
	defer timer.Stop()
	select {
	case a := <-l.answers:
		l.take(a)
	case <-timer.C:
	}
}

// leaveRest counts everything that was not reached as pending.
func (l *lane) leaveRest() error {
	for _, j := range l.waiting.jobs {
		l.undone(j, j.attempt)
	}
	l.waiting.jobs = nil
	for _, j := range l.doubted {
		j.found()
	}
	l.doubted = nil
	for _, s := range l.sources {
		s.bare.Store(true)
	}
	for _, s := range l.sources {
		if err := leaveAll(s); err != nil {
			return err
		}
	}
	l.sources = nil
	return nil
}

func leaveAll(s *source) error {
	for {
		j, err := s.next()
		if j == nil {
			return err
		}
		if j.was != nil {
			j.found()
			continue
		}
		if !j.entry.Action.Repeats() {
			j.counts.leave(1)
			j.counts.leftWith(j.entry.Attempt)
		}
	}
}

// abandon ends the lane after the state failed: what is in flight is waited
// for, since a request that left can't be called back, but nothing is recorded.
func (l *lane) abandon(err error) error {
	unrecorded := len(l.settled)
	for ; l.flying > 0; l.flying-- {
		<-l.answers
		unrecorded++
	}
	return &UnrecordedError{Outcomes: unrecorded, Err: err}
}
