package cli

import "context"

// interruptible returns a context that the second interrupt cancels, and a channel
// that closes at the first.
func (a *app) interruptible(ctx context.Context) (context.Context, <-chan struct{}, func()) {
	ctx, cancel := context.WithCancel(ctx)
	stop, over := make(chan struct{}), make(chan struct{})
	go func() {
		select {
		case <-a.sys.Interrupts:
		case <-over:
			return
		}
		a.notice("\nInterrupted: nothing new is sent; waiting for what is in flight.\nInterrupt again to end at once and leave it in doubt.")
		close(stop)
		select {
		case <-a.sys.Interrupts:
			a.notice("\nInterrupted again: what is in flight is left in doubt.")
			cancel()
		case <-over:
		}
	}()
	return ctx, stop, func() { close(over); cancel() }
}

// untilInterrupt returns a context that the first interrupt cancels.
func (a *app) untilInterrupt(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-a.sys.Interrupts:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}
