package serve

import (
	"context"
	"sync"
	"time"
)

// pacer spaces the answers of one number. Answers do not queue behind a
// campaign's messages; what both send together is bounded by the provider,
// whose throttle the two heed.
type pacer struct {
	mu   sync.Mutex
	gap  time.Duration
	next time.Time // when the next may leave
}

func newPacer(rate float64, now time.Time) *pacer {
	p := &pacer{next: now}
	if rate > 0 {
		p.gap = time.Duration(float64(time.Second) / rate)
	}
	return p
}

// take reserves a moment and says how long it is until then.
func (p *pacer) take(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.next.Before(now) {
		p.next = now
	}
	wait := p.next.Sub(now)
	p.next = p.next.Add(p.gap)
	return wait
}

// pause lets nothing leave for a while.
func (p *pacer) pause(until time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if until.After(p.next) {
		p.next = until
	}
}

// wait waits, or returns the context's error.
func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
