package sqlite

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/state"
	"zombiezen.com/go/sqlite"
)

// Resolve settles a delivery that is in doubt, as Accepted or, when a person is
// sure that it was not sent, as Pending. Who and why are written down.
func (s *Store) Resolve(ctx context.Context, key state.Key, as state.Send, who, why string) error {
	err := s.write(ctx, func(t *tx) error {
		// What its provider has told already says more than a person can.
		if err := t.foldWaiting(); err != nil {
			return err
		}
		id, err := t.attemptAt(key)
		if err != nil {
			return err
		}
		o, exists, err := t.c.outcome(id)
		switch {
		case err != nil:
			return err
		case !exists:
			return errors.New("it is being sent now; after a crash, the next apply puts it in doubt")
		case o.send != state.InDoubt:
			return fmt.Errorf("it is %s: %w", o.send, state.ErrSettled)
		}
		if err := delivery.Transition(o.send, as, state.ProofOperator); err != nil {
			return err
		}
		o.send, o.proof, o.settled = as, state.ProofOperator, t.now
		if err := t.putOutcome(&o, true); err != nil {
			return err
		}
		return t.decided(who, fmt.Sprintf("resolved attempt %d as %s", id, as), why)
	})
	if err != nil {
		return fmt.Errorf("resolving a delivery of %s: %w", key.Campaign, err)
	}
	return nil
}

// attemptAt is the newest attempt at a delivery; ErrUnknown for none.
func (t *tx) attemptAt(key state.Key) (int64, error) {
	campaign, err := t.c.addressID(key.Campaign)
	if err != nil {
		return 0, err
	}
	who, err := t.c.recipientID(key.Recipient)
	if err != nil {
		return 0, err
	}
	last, err := t.c.lastAttempt(who, campaign, key.Revision)
	if err == nil && last.id == 0 {
		err = state.ErrUnknown
	}
	return last.id, err
}

// Move gives what is kept under one address to another, which must be free:
// the resource and its deliveries.
func (s *Store) Move(ctx context.Context, from, to string) error {
	err := s.write(ctx, func(t *tx) error {
		moved := 0
		for _, move := range []func(from, to string) (bool, error){t.moveAddress, t.moveResource} {
			ok, err := move(from, to)
			if err != nil {
				return err
			}
			if ok {
				moved++
			}
		}
		if moved == 0 {
			return state.ErrUnknown
		}
		if err := t.readdress(from, to); err != nil {
			return err
		}
		if err := t.moveHalt(from, to); err != nil {
			return err
		}
		t.s.forgetCaches()
		return t.decided("", "moved "+from+" to "+to, "")
	})
	if err != nil {
		return fmt.Errorf("moving %s to %s: %w", from, to, err)
	}
	return nil
}

// moveAddress renames an address that deliveries name, and reports whether there
// were any. Rows name addresses by integer, so only its text changes.
func (t *tx) moveAddress(from, to string) (bool, error) {
	id, err := t.c.addressID(from)
	if err != nil {
		return false, err
	}
	if used, err := t.used(id); err != nil || !used {
		return false, err
	}
	taken, err := t.c.addressID(to)
	if err != nil {
		return false, err
	}
	if taken != 0 {
		used, err := t.used(taken)
		if err != nil {
			return false, err
		}
		if used {
			return false, fmt.Errorf("there are deliveries of %s already", to)
		}
		// No delivery uses the name. Rename it, since two integers cannot share one.
		if err := t.putAddress(taken, fmt.Sprintf("%s (before %d)", to, t.now)); err != nil {
			return false, err
		}
	}
	return true, t.putAddress(id, to)
}

// used reports whether deliveries name an address.
func (t *tx) used(address int64) (bool, error) {
	used, _, err := t.c.queryInt("SELECT EXISTS (SELECT 1 FROM attempts WHERE campaign = ?1 OR message = ?1) OR EXISTS (SELECT 1 FROM links WHERE link = ?1)", address)
	return used == 1, err
}

// putAddress gives an address's integer another text.
func (t *tx) putAddress(id int64, a string) error {
	w := t.replace(tAddresses, id)
	w.text(a)
	_, err := w.done()
	return err
}

// moveResource renames a declared resource, and reports whether there was one.
func (t *tx) moveResource(from, to string) (bool, error) {
	id, ok, err := t.c.queryInt("SELECT id FROM resources WHERE address = ?", from)
	if err != nil || !ok {
		return false, err
	}
	if _, taken, err := t.c.queryInt("SELECT 1 FROM resources WHERE address = ?", to); err != nil || taken {
		return false, errors.Join(err, fmt.Errorf("there is a %s already", to))
	}
	var r state.Resource
	var refs string
	err = t.c.each("SELECT type, tree, refs FROM resources WHERE id = ?", func(st *sqlite.Stmt) error {
		r = state.Resource{Type: st.ColumnText(0), Tree: columnBlob(st, 1)}
		refs = st.ColumnText(2)
		return nil
	}, id)
	if err != nil {
		return false, err
	}
	w := t.replace(tResources, id)
	w.text(to)
	w.text(r.Type)
	w.text(to[strings.LastIndexByte(to, '.')+1:])
	w.blob(r.Tree)
	w.text(refs)
	_, err = w.done()
	return true, err
}

// Remove forgets a resource and, with a campaign, its deliveries: what was sent
// would be sent again. It returns how many deliveries were forgotten, and
// refuses while one is being sent.
func (s *Store) Remove(ctx context.Context, address string) (n int, err error) {
	err = s.write(ctx, func(t *tx) error {
		known, err := t.removeAll(tResources, "SELECT id FROM resources WHERE address = ?", address)
		if err != nil {
			return err
		}
		id, err := t.c.addressID(address)
		if err != nil {
			return err
		}
		if n, err = t.removeAttempts("campaign = ?", id); err != nil {
			return err
		}
		if known == 0 && n == 0 {
			return state.ErrUnknown
		}
		if err := t.readdress(address, ""); err != nil {
			return err
		}
		if err := t.moveHalt(address, ""); err != nil {
			return err
		}
		return t.decided("", fmt.Sprintf("removed %s with %d attempts", address, n), "")
	})
	if err != nil {
		return 0, fmt.Errorf("removing %s from the state: %w", address, err)
	}
	return n, nil
}
