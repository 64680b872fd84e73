package cli

import (
	"context"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// usernames returns the WhatsApp usernames that people had when they last wrote.
func usernames(ctx context.Context, s state.Store) (view.Usernames, error) {
	snap, err := s.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	defer snap.Close()
	out := view.Usernames{}
	for p, err := range snap.People(ctx) {
		if err != nil {
			return nil, err
		}
		if p.Username != "" {
			out[message.Canonical(p.Recipient)] = p.Username
		}
	}
	if len(out) == 0 {
		return nil, nil
	}
	for t, err := range snap.Ties(ctx) {
		if err != nil {
			return nil, err
		}
		if name := out[message.Canonical(t.Person)]; name != "" && !t.Former {
			out[message.Canonical(t.Recipient)] = name
		}
	}
	return out, nil
}
