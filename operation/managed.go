package operation

import (
	"context"
	"fmt"
	"strings"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// isManaged reports whether an address is that of an object in an account, such as
// template.spring, template.spring.en_US or business_profile.main, which the state
// keeps in separate records.
func isManaged(address string) bool {
	return message.AddressType(address) == "template" || isSingleton(address)
}

// managed returns the state's records of objects in accounts, by address.
func managed(ctx context.Context, s state.Store) ([]state.Managed, error) {
	snap, err := s.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	defer snap.Close()
	return snap.Managed(ctx)
}

// below returns the records at an address, or of the block at it.
func below(ctx context.Context, s state.Store, address string) ([]state.Managed, error) {
	list, err := managed(ctx, s)
	var out []state.Managed
	for _, m := range list {
		if m.Address == address || strings.HasPrefix(m.Address, address+".") {
			out = append(out, m)
		}
	}
	if err == nil && len(out) == 0 {
		err = fmt.Errorf("%s: %w", message.SafeText(address), state.ErrUnknown)
	}
	return out, err
}

// forgetManaged removes from the state the records at an address, or of the block
// at it. The account is not changed.
func forgetManaged(ctx context.Context, s state.Store, address string) error {
	list, err := below(ctx, s, address)
	if err != nil {
		return err
	}
	var gone []string
	for i := range list {
		gone = append(gone, list[i].Address)
	}
	return s.Manage(ctx, nil, gone)
}

// moveManaged changes the address of the records at an address, or of the block at
// it.
func moveManaged(ctx context.Context, s state.Store, from, to string) error {
	list, err := below(ctx, s, from)
	if err != nil {
		return err
	}
	if message.AddressType(to) != message.AddressType(from) {
		return refuse("Not moved", "%s is what an account has, and %s is not the like", message.SafeText(from), message.SafeText(to))
	}
	if taken, err := below(ctx, s, to); err == nil && len(taken) > 0 {
		return refuse("Not moved", "the state has %s already", message.SafeText(to))
	}
	var gone []string
	for i := range list {
		gone = append(gone, list[i].Address)
		list[i].Address = to + strings.TrimPrefix(list[i].Address, from)
	}
	return s.Manage(ctx, list, gone)
}

// Move changes the address of a resource with its deliveries, or of an object in an
// account.
func Move(ctx context.Context, s state.Store, from, to string) error {
	if isManaged(from) {
		return moveManaged(ctx, s, from, to)
	}
	if isCatalog(from) && isCatalog(to) {
		return moveCatalog(ctx, s, from, to)
	}
	if err := s.Move(ctx, from, to); err != nil {
		return err
	}
	return state.RenameDestinations(ctx, s, from, to)
}
