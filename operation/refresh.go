package operation

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/workspace"
)

// pollAge is the maximum age of messages to ask about: a status may come 30 days
// after the send, plus a week by webhook. Source: Meta, messages, "time to live",
// read 2026-09-11.
const pollAge = 38 * 24 * time.Hour

// maxPolls bounds the concurrent questions, and pollBatch how many messages'
// answers are recorded at once.
const (
	maxPolls  = 8
	pollBatch = 256
)

// Refreshed is the result of Refresh.
type Refreshed struct {
	Asked   int       // messages
	Missing int       // of them those that got no answer
	Unasked []Unasked // numbers whose provider cannot be asked for statuses
	Limits  []ToldLimit
}

// ToldLimit is what a provider reported about a number's messaging limit.
type ToldLimit struct {
	Provider  string
	People    int    // -1 for no limit, 0 if it was not reported
	Portfolio string // whose numbers share the limit; "" if it was not reported
	Err       error  // the provider could not be asked
}

// Unasked is a number whose provider reports outcomes by webhook only.
type Unasked struct {
	Provider string
	Messages int
}

// Refresh asks the providers about every message of campaigns (all if empty) that
// is neither read nor failed, and joins the answers into the state. It also asks
// how many people the numbers may write to outside their windows. A missing answer
// is counted and is not an error.
func Refresh(ctx context.Context, ws *workspace.Workspace, store state.Store, campaigns []string) (*Refreshed, error) {
	if err := withSecrets(ws, campaigns); err != nil {
		return nil, err
	}
	r := &Refreshed{}
	since := ws.Now().Add(-pollAge)
	for _, c := range ws.Config.Campaigns {
		if c.Provider == nil || len(campaigns) > 0 && !slices.Contains(campaigns, c.Address()) {
			continue
		}
		ids, err := unsettled(ctx, store, c.Address(), since)
		if err != nil {
			return nil, err
		}
		if err := r.poll(ctx, ws, store, c.Provider.Address(), ids); err != nil {
			return nil, err
		}
	}
	return r, r.limits(ctx, ws, store, campaigns)
}

// withSecrets refuses with an *Error if a number of campaigns (all if empty) has
// secrets that are not set.
func withSecrets(ws *workspace.Workspace, campaigns []string) error {
	for _, c := range ws.Config.Campaigns {
		if c.Provider == nil || len(campaigns) > 0 && !slices.Contains(campaigns, c.Address()) {
			continue
		}
		if err := workspace.WithSecrets(c.Provider); err != nil {
			return &Error{"Provider not usable", err}
		}
	}
	return nil
}

// limits asks for the messaging limits of the campaigns' numbers and stores them.
// If a provider cannot be asked, its earlier answer is kept and the others are
// still asked.
func (r *Refreshed) limits(ctx context.Context, ws *workspace.Workspace, store state.Store, campaigns []string) error {
	asked := map[string]bool{}
	for _, c := range ws.Config.Campaigns {
		if c.Provider == nil || c.Provider.Type == "sandbox" || len(campaigns) > 0 && !slices.Contains(campaigns, c.Address()) || asked[c.Provider.Address()] {
			continue
		}
		address := c.Provider.Address()
		asked[address] = true
		health, err := askHealth(ctx, ws, address)
		switch {
		case err != nil:
			r.Limits = append(r.Limits, ToldLimit{Provider: address, Err: err})
			continue
		case health == nil || health.Limit == 0 && health.Portfolio == "":
			continue
		}
		if err := state.PutMessagingLimit(ctx, store, address, ws.MessagingLimit(health, "refresh")); err != nil {
			return err
		}
		r.Limits = append(r.Limits, ToldLimit{Provider: address, People: health.Limit, Portfolio: health.Portfolio})
	}
	return nil
}

// askHealth asks about a number's health; nil if its provider does not report it.
func askHealth(ctx context.Context, ws *workspace.Workspace, address string) (*providers.Health, error) {
	made, err := ws.Provider(address)
	if err != nil {
		return nil, err
	}
	defer workspace.CloseProvider(made)
	checker, ok := made.(providers.Checker)
	if !ok {
		return nil, nil
	}
	return checker.Check(ctx)
}

// unsettled returns the ids of a campaign's messages whose status may still change.
func unsettled(ctx context.Context, store state.Store, campaign string, since time.Time) (ids []string, err error) {
	snap, err := store.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	defer snap.Close()
	for d, err := range snap.Deliveries(ctx, campaign) {
		if err != nil {
			return nil, err
		}
		open := d.Send == state.Accepted && d.ID != "" && d.Rank < message.RankRead && !d.Failed
		if open && d.Intended.After(since) {
			ids = append(ids, d.ID)
		}
	}
	return ids, nil
}

// poll asks about ids and joins the answers in order, one batch at a time.
func (r *Refreshed) poll(ctx context.Context, ws *workspace.Workspace, store state.Store, address string, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	made, err := ws.Provider(address)
	if err != nil {
		return err
	}
	defer workspace.CloseProvider(made)
	poller, ok := made.(providers.Poller)
	if !ok || !made.Profile().Polls {
		r.Unasked = append(r.Unasked, Unasked{Provider: address, Messages: len(ids)})
		return nil
	}
	for batch := range slices.Chunk(ids, pollBatch) {
		events, missing := pollAll(ctx, poller, batch)
		if err := store.Events(ctx, address, events); err != nil {
			return err
		}
		r.Asked, r.Missing = r.Asked+len(batch), r.Missing+missing
	}
	return nil
}

// pollAll asks about ids concurrently. The events are in the order of the ids, so
// that the same answers are always joined in the same order.
func pollAll(ctx context.Context, poller providers.Poller, ids []string) (events []message.Event, missing int) {
	answers := make([][]message.Event, len(ids))
	errs := make([]error, len(ids))
	free := make(chan struct{}, maxPolls)
	var wg sync.WaitGroup
	for i, id := range ids {
		free <- struct{}{}
		wg.Go(func() {
			defer func() { <-free }()
			answers[i], errs[i] = poller.Poll(ctx, id)
		})
	}
	wg.Wait()
	for i := range ids {
		if errs[i] != nil {
			missing++
		}
		events = append(events, answers[i]...)
	}
	return events, missing
}
