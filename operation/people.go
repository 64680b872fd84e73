package operation

import (
	"context"

	"github.com/handbill/handbill/state"
)

// GiveBack gives people back to the reply rules after a handover. People are
// named by message.Address.Key. Those before an error are given back.
func GiveBack(ctx context.Context, s state.Store, people []string) error {
	for _, who := range people {
		if err := s.Handover(ctx, who, false); err != nil {
			return err
		}
	}
	return nil
}

// Removed is a resource that the state forgot.
type Removed struct {
	Address  string
	Attempts int // at deliveries of a campaign that were forgotten with it
}

// Remove has the state forget resources, one after another. What was removed
// before an error is returned with it: it stays removed.
func Remove(ctx context.Context, s state.Store, addresses []string) (done []Removed, err error) {
	for _, address := range addresses {
		address = state.Quoted(address)
		remove := s.Remove
		if isManaged(address) {
			remove = func(ctx context.Context, address string) (int, error) { return 0, forgetManaged(ctx, s, address) }
		}
		n, err := remove(ctx, address)
		if err != nil {
			return done, err
		}
		done = append(done, Removed{Address: address, Attempts: n})
	}
	return done, nil
}
