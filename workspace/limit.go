package workspace

import (
	"context"

	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/state"
)

// messagingLimits returns the limits of numbers from the state; snap is nil without
// a state. A simulated number reaches nobody, so no limit applies to it.
func (w *Workspace) messagingLimits(ctx context.Context, snap state.Snapshot) (plan.MessagingLimits, error) {
	known := map[string]state.MessagingLimit{}
	for _, p := range w.Config.Providers {
		if snap == nil {
			break
		}
		l, _, err := state.GetMessagingLimit(ctx, snap, p.Address())
		if err != nil {
			return nil, err
		}
		known[p.Address()] = l
	}
	state.ShareLimits(known)
	return func(p *lang.Provider) (state.MessagingLimit, bool) { return known[p.Address()], p.Type != "sandbox" }, nil
}

// KeepMessagingLimit stores in the state, if there is one, what a provider just
// reported about a number's limit.
func (w *Workspace) KeepMessagingLimit(ctx context.Context, address string, h *providers.Health) error {
	if h.Limit == 0 && h.Portfolio == "" {
		return nil
	}
	if there, err := w.HasState(ctx); err != nil || !there {
		return err
	}
	store, _, err := w.OpenState(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	return state.PutMessagingLimit(ctx, store, address, w.MessagingLimit(h, "providers check"))
}

// MessagingLimit converts what a provider just reported for the state. by is the
// command that asked.
func (w *Workspace) MessagingLimit(h *providers.Health, by string) state.MessagingLimit {
	return state.MessagingLimit{People: h.Limit, Told: w.host.Now().UTC(), By: by, Portfolio: h.Portfolio}
}
