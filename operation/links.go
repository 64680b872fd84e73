package operation

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/state"
)

// linkKeySize is the size of the key of tokens in bytes.
const linkKeySize = 32

// keepLinks adds to what the run keeps where links lead, and the key of their tokens,
// which the first apply with a link makes. Campaigns that the plan leaves out keep what
// the apply before said of them.
func (a *Apply) keepLinks(ctx context.Context, p *plan.Plan) error {
	list, links, err := a.destinations(ctx, p)
	if err != nil {
		return err
	}
	name, data, err := state.DestinationsBlob(list)
	if err != nil {
		return err
	}
	a.kept[name] = data
	if !links {
		return nil
	}
	if a.linkKey, err = state.LinkKey(ctx, a.Store); err != nil || a.linkKey != nil {
		return err
	}
	a.linkKey = make([]byte, linkKeySize)
	if _, err := io.ReadFull(a.ws.Rand(), a.linkKey); err != nil {
		return fmt.Errorf("making the key of links: %w", err)
	}
	name, data = state.LinkKeyBlob(a.linkKey)
	a.kept[name] = data
	return nil
}

// destinations are where links lead after an apply of p, and whether its messages have
// any.
func (a *Apply) destinations(ctx context.Context, p *plan.Plan) (list []state.Destination, links bool, err error) {
	planned := map[string]bool{}
	for i := range p.Campaigns {
		c := &p.Campaigns[i]
		planned[c.Address] = true
		for _, l := range c.Links {
			links = true
			list = append(list, state.Destination{Campaign: c.Address, Link: l.Link, Base: l.Base, URL: l.URL})
		}
	}
	before, err := state.Destinations(ctx, a.Store)
	for _, d := range before {
		left := slices.ContainsFunc(p.Resources, func(r plan.ResourceChange) bool { return r.Address == d.Campaign && r.Change == plan.NoOp })
		if left && !planned[d.Campaign] {
			list = append(list, d)
		}
	}
	return list, links, err
}
