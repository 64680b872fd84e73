package sqlite

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"zombiezen.com/go/sqlite"

	"github.com/handbill/handbill/state"
)

// haltsBlob is the name of the blob with the halts: a JSON list of state.Halt,
// such as
// [{"campaign":"campaign.spring","reason":"canary","since":"2026-03-02T12:00:00Z"}].
const haltsBlob = "halts"

// Halt keeps h durably. A campaign that is halted already stays so for the
// reason that it has.
func (s *Store) Halt(ctx context.Context, h state.Halt) error {
	err := s.write(ctx, func(t *tx) error {
		return t.changeHalts(func(list []state.Halt) []state.Halt {
			if slices.ContainsFunc(list, func(o state.Halt) bool { return o.Campaign == h.Campaign }) {
				return list
			}
			return append(list, h)
		})
	})
	if err != nil {
		return fmt.Errorf("keeping that %s is halted: %w", h.Campaign, err)
	}
	return nil
}

// Halts are the campaigns that are halted, by address.
func (s *Store) Halts(ctx context.Context) (list []state.Halt, err error) {
	err = s.read(ctx, func(c *conn) error {
		list, err = c.halts()
		return err
	})
	return list, err
}

// Halts are the campaigns that were halted at that moment, by address.
func (s *Snapshot) Halts(ctx context.Context) ([]state.Halt, error) {
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	return s.c.halts()
}

// halts reads the list of halts.
func (c *conn) halts() (list []state.Halt, err error) {
	var data []byte
	err = c.each("SELECT data FROM blobs WHERE name = ?", func(st *sqlite.Stmt) error {
		data = columnBlob(st, 0)
		return nil
	}, haltsBlob)
	if err != nil || data == nil {
		return nil, err
	}
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, fmt.Errorf("%w: which campaigns are halted: %w", state.ErrDamaged, err)
	}
	return list, nil
}

// changeHalts reads, changes and writes the list; an empty one leaves nothing.
func (t *tx) changeHalts(change func([]state.Halt) []state.Halt) error {
	before, err := t.c.halts()
	if err != nil {
		return err
	}
	after := change(slices.Clone(before))
	if slices.Equal(before, after) {
		return nil
	}
	if len(after) == 0 {
		return t.putBlob(haltsBlob, nil)
	}
	slices.SortStableFunc(after, func(a, b state.Halt) int { return cmp.Compare(a.Campaign, b.Campaign) })
	data, err := json.Marshal(after)
	if err != nil {
		return err
	}
	return t.putBlob(haltsBlob, data)
}

// resume lifts the halts of campaigns and writes down who did it.
func (t *tx) resume(who string, campaigns []string) error {
	for _, address := range campaigns {
		err := t.changeHalts(func(list []state.Halt) []state.Halt {
			return slices.DeleteFunc(list, func(h state.Halt) bool { return h.Campaign == address })
		})
		if err != nil {
			return err
		}
		if err := t.note(who, "resumed "+address, ""); err != nil {
			return err
		}
	}
	return nil
}

// moveHalt gives a campaign's halt to its new address; to "" drops it.
func (t *tx) moveHalt(from, to string) error {
	return t.changeHalts(func(list []state.Halt) []state.Halt {
		if to == "" {
			return slices.DeleteFunc(list, func(h state.Halt) bool { return h.Campaign == from })
		}
		for i := range list {
			if list[i].Campaign == from {
				list[i].Campaign = to
			}
		}
		return list
	})
}
