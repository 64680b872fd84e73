package serve

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/handbill/handbill/pace"
	"github.com/handbill/handbill/state"
)

// sharedStore is the part of a store that servers on one state use; see state.Shared. A
// Store that has it not is used by one server alone.
type sharedStore interface {
	JoinReplies(ctx context.Context, number string, by state.Owner) (state.Lane, error)
	Answering(ctx context.Context) ([]string, error)
	Renew(ctx context.Context, lanes ...state.Lane) error
	RecoverServers(ctx context.Context) (owners []state.Owner, doubts int, err error)
	SweepOrphans(ctx context.Context) (int, error)
	GiveBack(ctx context.Context, lane state.Lane) error
}

const (
	// lookForServers is how often a server looks for others that are gone.
	lookForServers = time.Second
	// sweeps is how many of these looks there are to one sweep.
	sweeps = 10
)

// lanes are those through which the server answers, with the lease that holds for
// all of them.
type lanes struct {
	list  []state.Lane
	lease *state.Lease
}

// take takes the lanes of the numbers to answer at: the declared ones, and former
// ones that still have open messages. For the latter rules run, but nothing is sent.
func (s *Server) take(ctx context.Context) (l lanes, err error) {
	addresses, err := s.opt.Store.Unanswered(ctx)
	if err != nil {
		return l, err
	}
	var elsewhere []string
	limit := time.Duration(0)
	if s.shared != nil {
		limit = state.LaneLimit
		elsewhere, err = s.shared.Answering(ctx)
	}
	if err != nil {
		return l, err
	}
	// What is no number of ours may be one of a server with another configuration.
	addresses = slices.DeleteFunc(addresses, func(address string) bool { return slices.Contains(elsewhere, address) })
	for address := range s.numbers {
		addresses = append(addresses, address)
	}
	slices.Sort(addresses)
	l.lease = state.NewLease(limit, s.opt.Now, s.opt.Monotonic)
	asked := l.lease.Ask()
	for _, address := range slices.Compact(addresses) {
		lane, err := s.takeOne(ctx, address)
		if err != nil {
			return l, err
		}
		l.list = append(l.list, lane)
		if n := s.numbers[address]; n != nil {
			n.lane, n.lease = lane, l.lease
		}
	}
	l.lease.Granted(asked)
	return l, nil
}

func (s *Server) takeOne(ctx context.Context, address string) (state.Lane, error) {
	if s.shared != nil {
		return s.shared.JoinReplies(ctx, address, s.opt.Owner)
	}
	lane, _, err := s.opt.Store.RecoverReplies(ctx, address)
	return lane, err
}

// answering answers through lanes until ctx ends, and through new ones when those
// are lost.
func (s *Server) answering(ctx context.Context, l lanes) {
	if s.shared == nil {
		s.answerLoop(ctx, l.list, s.stateFault)
		return
	}
	for {
		s.answerThrough(ctx, l)
		if ctx.Err() != nil {
			break
		}
		s.lost()
		var err error
		for l, err = s.take(ctx); err != nil; l, err = s.take(ctx) {
			s.answerFault(ctx, err, s.stateFault)
			if pace.Sleep(ctx, lookAgain) != nil {
				return
			}
		}
	}
	for _, lane := range l.list { // so that the others need not wait for the limit
		if err := s.shared.GiveBack(context.WithoutCancel(ctx), lane); err != nil {
			s.stateFault(err)
			return
		}
	}
}

// answerThrough answers until ctx ends or the lanes are lost. They are kept until
// the last answer in progress is over.
func (s *Server) answerThrough(ctx context.Context, l lanes) {
	ours, lose := context.WithCancel(ctx)
	defer lose()
	kept, over := context.WithCancel(context.WithoutCancel(ctx))
	var keeping sync.WaitGroup
	keeping.Go(func() {
		if s.keepLanes(kept, l) {
			lose()
		}
	})
	keeping.Go(func() { s.watchServers(kept) })
	s.answerLoop(ours, l.list, func(err error) {
		if errors.Is(err, state.ErrFenced) {
			lose()
			return
		}
		s.stateFault(err)
	})
	over()
	keeping.Wait()
}

// lost reports that the lanes are others' now.
func (s *Server) lost() {
	s.metrics.lost.Inc()
	s.opt.Observe(Event{Kind: EventLost})
}

// keepLanes renews the lanes until ctx ends. It reports whether they are lost.
func (s *Server) keepLanes(ctx context.Context, l lanes) (lost bool) {
	for {
		wait, _ := l.lease.Due()
		if pace.Sleep(ctx, max(wait, lookForServers/4)) != nil {
			return false
		}
		asked := l.lease.Ask()
		switch err := s.shared.Renew(ctx, l.list...); {
		case err == nil:
			l.lease.Granted(asked)
		case errors.Is(err, state.ErrFenced):
			return true
		default:
			s.answerFault(ctx, err, s.stateFault)
		}
	}
}

// watchServers recovers what servers left that are gone, until ctx ends.
func (s *Server) watchServers(ctx context.Context) {
	for looks := 0; ; looks++ {
		owners, doubts, err := s.shared.RecoverServers(ctx)
		if err == nil && looks%sweeps == 0 {
			_, err = s.shared.SweepOrphans(ctx)
		}
		s.answerFault(ctx, err, s.stateFault)
		if len(owners) > 0 {
			s.metrics.recovered.Add(float64(len(owners)))
			s.opt.Observe(Event{Kind: EventRecovered, Detail: fmt.Sprintf("%s, %d answers in doubt", names(owners), doubts)})
			wake(s.inbound)
		}
		if pace.Sleep(ctx, lookForServers) != nil {
			return
		}
	}
}

func names(owners []state.Owner) string {
	var out []string
	for _, o := range owners {
		out = append(out, o.String())
	}
	return strings.Join(out, ", ")
}
