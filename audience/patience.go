package audience

import (
	"context"
	"sync/atomic"
	"time"
)

// patience limits how long one wait may take: it cancels a context when the limit
// is over. Time between pause and resume does not count.
type patience struct {
	limit time.Duration
	timer *time.Timer
	done  <-chan struct{} // of the context
	end   func()          // ends the context
	over  atomic.Bool     // the limit ended it
}

// newPatience starts the limit, and returns the context that it cancels.
func newPatience(ctx context.Context, limit time.Duration) (*patience, context.Context) {
	p := &patience{limit: limit}
	ctx, cancel := context.WithCancel(ctx)
	p.done = ctx.Done()
	p.timer = time.AfterFunc(limit, func() {
		p.over.Store(true)
		cancel()
	})
	p.end = func() {
		p.pause()
		cancel()
	}
	return p, ctx
}

// ended reports whether the context has ended, by the limit or otherwise.
func (p *patience) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

func (p *patience) pause() { p.timer.Stop() }

// resume starts the limit again from zero.
func (p *patience) resume() { p.timer.Reset(p.limit) }
