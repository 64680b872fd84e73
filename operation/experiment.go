package operation

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/stats"
)

// Experiment is what came of an experiment in one revision of a campaign.
type Experiment struct {
	Campaign string
	Revision int
	Metric   string
	Within   time.Duration
	Ends     time.Time // when the metric of the last person is known; zero for nobody
	Arms     []ArmCount
	// Holdout are the people who got nothing. They can only have ordered.
	Holdout stats.Share
}

// ArmCount counts the people of an arm who were sent its text, and who of them did what
// the experiment is about.
type ArmCount struct {
	Name string
	stats.Share
}

// Over reports whether the metric of everybody is known.
func (e *Experiment) Over(now time.Time) bool { return !e.Ends.IsZero() && !now.Before(e.Ends) }

// experimentOf reads the experiment of a campaign as it was applied; nil for none.
func experimentOf(campaign string, tree *lang.Tree) (*Experiment, error) {
	for i := range tree.Blocks {
		b := &tree.Blocks[i]
		if b.Type != "experiment" {
			continue
		}
		e := &Experiment{Campaign: campaign}
		var within string
		for _, a := range b.Attributes {
			to := map[string]*string{"metric": &e.Metric, "within": &within}[a.Name]
			if to == nil {
				continue
			}
			if err := json.Unmarshal([]byte(a.Value), to); err != nil {
				return nil, fmt.Errorf("reading the experiment of %s from the state: %w", campaign, err)
			}
		}
		var err error
		if e.Within, err = lang.ParseDuration(within); err != nil {
			return nil, fmt.Errorf("reading the experiment of %s from the state: %w", campaign, err)
		}
		for k := range b.Blocks {
			if arm := &b.Blocks[k]; arm.Type == "arm" && len(arm.Labels) == 1 {
				e.Arms = append(e.Arms, ArmCount{Name: arm.Labels[0]})
			}
		}
		return e, nil
	}
	return nil, nil
}

// readExperiment counts a campaign's experiment by revision, if it has one.
func (s *Status) readExperiment(ctx context.Context, snap state.Snapshot, campaign string, tree *lang.Tree) error {
	e, err := experimentOf(campaign, tree)
	if err != nil || e == nil {
		return err
	}
	list, err := countExperiment(ctx, snap, e)
	if err != nil {
		return err
	}
	s.Experiments = append(s.Experiments, list...)
	return nil
}

// countExperiment counts people by arm, an Experiment for each revision. An arm that is
// gone from the configuration comes behind the others.
func countExperiment(ctx context.Context, snap state.Snapshot, e *Experiment) ([]Experiment, error) {
	orders, err := placedOrders(ctx, snap, e.Metric)
	if err != nil {
		return nil, err
	}
	byRevision := map[int]*Experiment{}
	for d, err := range snap.Deliveries(ctx, e.Campaign) {
		if err != nil {
			return nil, err
		}
		if d.Arm == "" && d.Send != state.HeldOut || d.Send != state.Accepted && d.Send != state.HeldOut {
			continue
		}
		of := byRevision[d.Revision]
		if of == nil {
			one := *e
			one.Revision, one.Arms = d.Revision, slices.Clone(e.Arms)
			of = &one
			byRevision[d.Revision] = of
		}
		if ends := d.Intended.Add(e.Within); ends.After(of.Ends) {
			of.Ends = ends
		}
		to := of.share(&d)
		if to.Of++; of.did(&d, orders) {
			to.Did++
		}
	}
	var out []Experiment
	for _, of := range byRevision {
		out = append(out, *of)
	}
	slices.SortFunc(out, func(a, b Experiment) int { return cmp.Compare(a.Revision, b.Revision) })
	return out, nil
}

// share is where a delivery counts.
func (e *Experiment) share(d *state.Delivery) *stats.Share {
	if d.Send == state.HeldOut {
		return &e.Holdout
	}
	i := slices.IndexFunc(e.Arms, func(a ArmCount) bool { return a.Name == d.Arm })
	if i < 0 {
		i, e.Arms = len(e.Arms), append(e.Arms, ArmCount{Name: d.Arm})
	}
	return &e.Arms[i].Share
}

// did reports whether somebody did what the experiment is about, in time. When a message
// was delivered is not kept once it is read: then it counts as delivered in time.
func (e *Experiment) did(d *state.Delivery, orders *orderTimes) bool {
	sent := d.Intended.Truncate(time.Second) // providers tell times in whole seconds
	inTime := func(at time.Time) bool {
		return !at.IsZero() && !at.Before(sent) && at.Sub(d.Intended) <= e.Within
	}
	switch e.Metric {
	case "delivered":
		return d.Rank > message.RankDelivered || d.Rank == message.RankDelivered && inTime(d.RankAt)
	case "read":
		return d.Rank >= message.RankRead && inTime(d.RankAt)
	case "replied":
		return inTime(d.Replied)
	case "clicked":
		return inTime(d.Clicked)
	}
	return slices.ContainsFunc(orders.of(d.Recipient), inTime)
}

// orderTimes are when people ordered, under any id of theirs.
type orderTimes struct {
	persons map[string]string      // by id, of those with several
	times   map[string][]time.Time // by person
}

func (o *orderTimes) person(recipient string) string {
	id := message.Canonical(recipient)
	if p, ok := o.persons[id]; ok {
		return p
	}
	return id
}

func (o *orderTimes) of(recipient string) []time.Time { return o.times[o.person(recipient)] }

// placedOrders reads who ordered when, if a metric asks for it.
func placedOrders(ctx context.Context, snap state.Snapshot, metric string) (*orderTimes, error) {
	o := &orderTimes{persons: map[string]string{}, times: map[string][]time.Time{}}
	if metric != "ordered" {
		return o, nil
	}
	for t, err := range snap.Ties(ctx) {
		if err != nil {
			return nil, err
		}
		if !t.Former {
			o.persons[message.Canonical(t.Recipient)] = t.Person
		}
	}
	for p, err := range snap.Orders(ctx) {
		if err != nil {
			return nil, err
		}
		who := o.person(p.Recipient)
		o.times[who] = append(o.times[who], p.At)
	}
	return o, nil
}
