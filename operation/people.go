package operation

import (
	"context"

	"github.com/handbill/handbill/state"
)

// GiveBack returns people to the reply rules after a handover. People are named by
// message.Address.Key. If it fails, those before the error have been given back.
func GiveBack(ctx context.Context, s state.Store, people []string) error {
	for _, who := range people {
		if err := s.Handover(ctx, who, false); err != nil {
			return err
		}
	}
	return nil
}

// Removed is a resource that was removed from the state.
type Removed struct {
	Address  string
	Attempts int // at deliveries of a campaign that were forgotten with it
}

// Remove removes resources from the state, one after another. If it fails, done
// lists those that were removed before the error; they stay removed.
func Remove(ctx context.Context, s state.Store, addresses []string) (done []Removed, err error) {
	for _, address := range addresses {
		address = state.Quoted(address)
		remove := s.Remove
		if isManaged(address) {
			remove = func(ctx context.Context, address string) (int, error) { return 0, forgetManaged(ctx, s, address) }
		}
		if isCatalog(address) {
			remove = func(ctx context.Context, address string) (int, error) { return forgetCatalog(ctx, s, address) }
		}
		n, err := remove(ctx, address)
		if err != nil {
			return done, err
		}
		done = append(done, Removed{Address: address, Attempts: n})
	}
	return done, nil
}
