package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/operation"
	"github.com/handbill/handbill/state"
)

// stateResources are the resources of the last apply.
func stateResources(ctx context.Context, s state.Store) ([]view.ResourceReport, error) {
	snap, err := s.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	defer snap.Close()
	list, err := snap.Resources(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]view.ResourceReport, len(list))
	for i, r := range list {
		out[i] = view.ResourceReport{Address: r.Address, Values: &lang.Tree{}}
		if err := json.Unmarshal(r.Tree, out[i].Values); err != nil {
			return nil, fmt.Errorf("%s: %w", r.Address, err)
		}
	}
	managed, err := snap.Managed(ctx)
	for i := range managed {
		if managed[i].Kind != "catalog" {
			out = append(out, view.ManagedResource(&managed[i]))
			continue
		}
		c, err := operation.KeptCatalog(ctx, snap, managed[i].Address)
		if err != nil {
			return nil, err
		}
		k := slices.IndexFunc(out, func(r view.ResourceReport) bool { return r.Address == c.Address })
		if k < 0 {
			out, k = append(out, view.ResourceReport{Address: c.Address, Values: &lang.Tree{}}), len(out)
		}
		out[k].AddCatalog(&c.Managed, len(c.Products))
	}
	return out, err
}
