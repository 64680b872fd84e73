package operation

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/workspace"
)

// carried is an open run in a worker: its plan and numbers, which are opened when
// there is a lane to take, and the lanes that the worker drives.
type carried struct {
	run   state.OpenRun
	again time.Time // when to try again to open it
	saved *workspace.SavedPlan
	ws    *workspace.Workspace

	mu      sync.Mutex
	numbers map[string]*workspace.Number // nil for those that cannot be made
	lanes   map[string]chan struct{}     // those that are driven; closed to release them
	later   map[string]time.Time         // when to take a lane again that failed
}

// of returns what the worker has of a run.
func (w *worker) of(r *state.OpenRun) *carried {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.runs[r.ID]
	if c == nil {
		c = &carried{run: *r, numbers: map[string]*workspace.Number{}, lanes: map[string]chan struct{}{}, later: map[string]time.Time{}}
		w.runs[r.ID] = c
	}
	return c
}

// forget closes the runs that are over and of which no lane is driven.
func (w *worker) forget(open []state.OpenRun) {
	w.mu.Lock()
	defer w.mu.Unlock()
	there := map[int64]bool{}
	for i := range open {
		there[open[i].ID] = true
	}
	maps.DeleteFunc(w.runs, func(id int64, c *carried) bool {
		if there[id] || c.driving() {
			return false
		}
		c.close()
		return true
	})
}

// open reads the plan, unless it is open, and makes the numbers of its lanes. A run
// that cannot be opened is left to others for a while.
func (c *carried) open(ctx context.Context, w *worker) (err error) {
	now := w.ws.Now()
	if c.ws != nil || now.Before(c.again) {
		return nil
	}
	c.again = now.Add(againAfter)
	if c.saved, err = w.ws.OpenCarried(ctx, w.store, c.run.ID); err != nil {
		return fmt.Errorf("run %d cannot be driven here: %w", c.run.ID, err)
	}
	ws, err := w.ws.LoadCarried(ctx, c.saved, w.opt.Vars)
	if err != nil {
		c.close()
		return fmt.Errorf("run %d cannot be driven here: %w", c.run.ID, err)
	}
	c.mu.Lock()
	c.ws = ws
	for i := range c.run.Lanes {
		address := c.run.Lanes[i].Number
		number, made := ws.Sender(address)
		if made != nil {
			if w.wants(address) {
				err = fmt.Errorf("run %d cannot be driven here: %w", c.run.ID, made)
			}
			continue
		}
		c.numbers[address] = number
	}
	c.mu.Unlock()
	return err
}

// close closes the plan and the numbers.
func (c *carried) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range c.numbers {
		n.Close()
	}
	clear(c.numbers)
	if c.ws != nil {
		c.ws.Close()
		c.ws = nil
	}
	if c.saved != nil {
		c.saved.Close()
		c.saved = nil
	}
}

func (c *carried) sender(number string) providers.Sender {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := c.numbers[number]; n != nil {
		return n.Sender
	}
	return nil
}

func (c *carried) senders() map[string]providers.Sender {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := map[string]providers.Sender{}
	for address, n := range c.numbers {
		out[address] = n.Sender
	}
	return out
}

// idle reports whether a lane may be taken: it is not driven here, and did not fail
// just now.
func (c *carried) idle(number string, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lanes[number] == nil && !now.Before(c.later[number])
}

func (c *carried) driving() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.lanes) > 0
}

// begin notes that a lane is driven, and returns the channel that releases it.
func (c *carried) begin(number string) <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lanes[number] = make(chan struct{})
	return c.lanes[number]
}

// end notes that a lane is driven no more.
func (c *carried) end(number string, later time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.lanes, number)
	c.later[number] = later
}

// release releases all lanes.
func (c *carried) release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for number, release := range c.lanes {
		select {
		case <-release: // by an earlier call; its drive has not ended yet
		default:
			close(c.lanes[number])
		}
	}
}
