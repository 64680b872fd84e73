package operation

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/handbill/handbill/state"
)

// RunStatus is a run with what became of its campaigns so far.
type RunStatus struct {
	state.OpenRun
	Open      bool
	Campaigns []RunCampaign
}

// RunCampaign is what became of a campaign of a run so far: Planned is InFlight and
// the sum of the others. Deliveries in flight have an owner who waits for the
// provider's answer.
type RunCampaign struct {
	state.CampaignRun
	InFlight int
}

// Running lists the open runs, oldest first.
func Running(ctx context.Context, store state.Shared) ([]RunStatus, error) {
	open, err := store.OpenRuns(ctx)
	if err != nil {
		return nil, err
	}
	var list []RunStatus
	for i := range open {
		r := RunStatus{OpenRun: open[i], Open: true}
		for _, c := range r.Run.Campaigns {
			now, err := soFar(ctx, store, c, r.Owned())
			if err != nil {
				return nil, err
			}
			r.Campaigns = append(r.Campaigns, now)
		}
		list = append(list, r)
	}
	return list, nil
}

// soFar brings the counts of a campaign up to date that is still being sent. owned
// says that somebody waits for the answers that have not come yet.
func soFar(ctx context.Context, store state.Store, c state.CampaignRun, owned bool) (RunCampaign, error) {
	rows, err := store.Funnel(ctx, c.Campaign)
	if err != nil {
		return RunCampaign{}, fmt.Errorf("counting what %s sent: %w", c.Campaign, err)
	}
	var t state.Tally
	flying := 0
	for i := range rows {
		switch r := &rows[i]; {
		case r.Revision != c.Revision:
		case r.Send == state.Sending && owned:
			flying += r.Count
		default:
			t.Add(r)
		}
	}
	c.Accepted, c.Rejected, c.InDoubt = t.Accepted, t.Rejected, t.InDoubt
	c.Pending = max(c.Planned-c.Accepted-c.Rejected-c.InDoubt-c.Held-c.HeldOut-c.Cancelled-flying, 0)
	return RunCampaign{c, flying}, nil
}

// ReadRun reads a run that is open, or that was. A run that is not known is an
// *Error.
func ReadRun(ctx context.Context, store state.Shared, id int64) (*RunStatus, error) {
	open, err := Running(ctx, store)
	if err != nil {
		return nil, err
	}
	for i := range open {
		if open[i].ID == id {
			return &open[i], nil
		}
	}
	runs, err := store.Runs(ctx)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(runs, func(r state.Run) bool { return r.ID == id })
	if at < 0 {
		return nil, unknownRun(id, open)
	}
	r := &RunStatus{OpenRun: state.OpenRun{Run: runs[at]}}
	for _, c := range runs[at].Campaigns {
		r.Campaigns = append(r.Campaigns, RunCampaign{CampaignRun: c})
	}
	return r, nil
}

// TheRun returns the id of the open run, if there is exactly one. Otherwise it fails
// with an *Error.
func TheRun(ctx context.Context, store state.Shared) (int64, error) {
	open, err := store.OpenRuns(ctx)
	switch {
	case err != nil:
		return 0, err
	case len(open) == 0:
		return 0, refuse("No run is open", "no run is open; \"handbill status\" shows what became of the last one")
	case len(open) > 1:
		return 0, refuse("Several runs are open", "say which one: %s", ids(open, func(r *state.OpenRun) int64 { return r.ID }))
	}
	return open[0].ID, nil
}

func ids[T any](open []T, of func(*T) int64) string {
	var list []string
	for i := range open {
		list = append(list, fmt.Sprint(of(&open[i])))
	}
	return strings.Join(list, ", ")
}

func unknownRun(id int64, open []RunStatus) error {
	if len(open) == 0 {
		return refuse("No such run", "the state knows no run %d; none is open", id)
	}
	return refuse("No such run", "the state knows no run %d; open are: %s", id, ids(open, func(r *RunStatus) int64 { return r.ID }))
}

// StopRun stops an open run, or lets a stopped one go on, and returns it.
func StopRun(ctx context.Context, store state.Shared, id int64, stop bool, who string) (*RunStatus, error) {
	r, err := ReadRun(ctx, store, id)
	switch {
	case err != nil:
		return nil, err
	case !r.Open:
		return nil, refuse("Run is over", "run %d is not open any more", id)
	}
	if err := store.StopRun(ctx, id, stop, who); err != nil {
		return nil, err
	}
	r.Stopped = stop
	return r, nil
}
