package cli

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/state"
)

// stateResource is a resource of the state, decoded.
type stateResource struct {
	Address string
	Tree    *lang.Tree
}

func (a *app) stateResources(ctx context.Context, s state.Store) ([]stateResource, error) {
	snap, err := s.Snapshot(ctx)
	if err != nil {
		return nil, a.failState(err, false)
	}
	defer snap.Close()
	list, err := snap.Resources(ctx)
	if err != nil {
		return nil, a.failState(err, false)
	}
	out := make([]stateResource, len(list))
	for i, r := range list {
		var tree lang.Tree
		if err := json.Unmarshal(r.Tree, &tree); err != nil {
			return nil, a.failState(fmt.Errorf("%s: %w", r.Address, err), false)
		}
		out[i] = stateResource{r.Address, &tree}
	}
	return out, nil
}
