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
	Campaigns []state.CampaignRun
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
			if err := soFar(ctx, store, &c); err != nil {
				return nil, err
			}
			r.Campaigns = append(r.Campaigns, c)
		}
		list = append(list, r)
	}
	return list, nil
}

// soFar brings the counts of a campaign up to date that is still being sent.
func soFar(ctx context.Context, store state.Store, c *state.CampaignRun) error {
	t, err := store.Tally(ctx, c.Campaign, c.Revision)
	if err != nil {
		return fmt.Errorf("counting what %s sent: %w", c.Campaign, err)
	}
	c.Accepted, c.Rejected, c.InDoubt = t.Accepted, t.Rejected, t.InDoubt
	c.Pending = max(c.Planned-c.Accepted-c.Rejected-c.InDoubt-c.Held-c.Cancelled, 0)
	return nil
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
	return &RunStatus{OpenRun: state.OpenRun{Run: runs[at]}, Campaigns: runs[at].Campaigns}, nil
}

func unknownRun(id int64, open []RunStatus) error {
	if len(open) == 0 {
		return refuse("No such run", "the state knows no run %d; none is open", id)
	}
	var ids []string
	for i := range open {
		ids = append(ids, fmt.Sprint(open[i].ID))
	}
	return refuse("No such run", "the state knows no run %d; open are: %s", id, strings.Join(ids, ", "))
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
