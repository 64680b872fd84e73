package serve

import (
	"context"
	"time"

	"github.com/handbill/handbill/internal/fp"
)

const (
	// foldTime is how long one fold may occupy the store's writer, so that an apply
	// and the next webhooks wait only briefly.
	foldTime = 20 * time.Millisecond
	foldMin  = 16
	foldMax  = 512
	// lookAgain is how often the loops look for work without being woken: another
	// process may have written some, or the state may have failed.
	lookAgain = 2 * time.Second
)

// foldLoop joins accepted webhooks into the state until ctx ends, and then the
// rest.
func (s *Server) foldLoop(ctx context.Context) {
	again := time.NewTicker(lookAgain)
	defer again.Stop()
	limit := 4 * foldMin
	for {
		limit = s.fold(context.WithoutCancel(ctx), limit)
		select {
		case <-ctx.Done():
			s.fold(context.WithoutCancel(ctx), limit)
			return
		case <-s.folding:
		case <-again.C:
			s.probe(context.WithoutCancel(ctx))
		}
	}
}

// fold joins all that waits, in steps of about foldTime.
func (s *Server) fold(ctx context.Context, limit int) int {
	for {
		if s.broken.Load() == nil {
			s.currentRules(ctx) // the last apply may have changed the stop words
		}
		began := s.opt.Now()
		n, err := s.opt.Store.Fold(ctx, limit)
		if err != nil {
			s.stateFault(err)
			return limit
		}
		if n == 0 {
			return limit
		}
		fp.Hit("fold-after")
		s.metrics.folded.Add(float64(n))
		wake(s.inbound)
		switch took := s.opt.Now().Sub(began); {
		case took > foldTime:
			limit = max(limit/2, foldMin)
		case took < foldTime/2 && n == limit:
			limit = min(limit*2, foldMax)
		}
	}
}
