package sqlite

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/state"
	"zombiezen.com/go/sqlite"
)

// known is what is known under an id of people.
func (c *conn) known(id int64) (k delivery.Known, ok bool, err error) {
	p, ok, err := c.personAt(id)
	if err != nil {
		return k, false, err
	}
	k = delivery.Known{Opt: p.opt, Cooldown: p.cooldown, LastInbound: p.lastInbound, Shut: p.shut, Profile: p.profile, ProfileAt: p.profileAt, Handover: p.handover}
	if p.attributes != "" {
		if err := json.Unmarshal([]byte(p.attributes), &k.Attributes); err != nil {
			return k, false, fmt.Errorf("%w: the attributes of a person: %w", state.ErrDamaged, err)
		}
	}
	if k.Username, k.UsernameAt, err = c.username(id); err != nil {
		return k, false, err
	}
	err = c.each("SELECT a.address, w.inbound, w.shut FROM windows w JOIN addresses a ON a.id = w.number WHERE w.person = ?", func(st *sqlite.Stmt) error {
		if k.Windows == nil {
			k.Windows = map[string]delivery.Window{}
		}
		k.Windows[st.ColumnText(0)] = delivery.Window{Inbound: st.ColumnInt64(1), Shut: st.ColumnInt64(2)}
		return nil
	}, id)
	return k, ok || !k.Empty(), err
}

// putKnown writes what is known under an id of people, as far as it changed.
func (t *tx) putKnown(id int64, before, now *delivery.Known) error {
	was, err := rowOf(before)
	if err != nil {
		return err
	}
	is, err := rowOf(now)
	if err != nil {
		return err
	}
	switch _, ok, err := t.c.personAt(id); {
	case err != nil:
		return err
	case ok && now.Empty():
		err = t.remove(tPeople, id)
		return errors.Join(err, t.putWindows(id, before.Windows, now.Windows), t.putUsername(id, before, now))
	case !now.Empty() && (!ok || was != is):
		if err := t.putPerson(id, &is); err != nil {
			return err
		}
	}
	return errors.Join(t.putWindows(id, before.Windows, now.Windows), t.putUsername(id, before, now))
}

// rowOf turns what is known of a person into a row of people, which can be
// compared.
func rowOf(k *delivery.Known) (personRow, error) {
	p := personRow{lastInbound: k.LastInbound, shut: k.Shut, opt: k.Opt, cooldown: k.Cooldown, profile: k.Profile, profileAt: k.ProfileAt, handover: k.Handover}
	if len(k.Attributes) == 0 {
		return p, nil
	}
	text, err := json.Marshal(k.Attributes)
	p.attributes = string(text)
	return p, err
}

// putWindows writes the windows that changed, and removes those that are gone.
func (t *tx) putWindows(id int64, before, now map[string]delivery.Window) error {
	all := maps.Clone(before)
	if all == nil {
		all = map[string]delivery.Window{}
	}
	maps.Copy(all, now)
	for _, number := range slices.Sorted(maps.Keys(all)) {
		if before[number] == now[number] {
			continue
		}
		at, err := t.address(number)
		if err != nil {
			return err
		}
		row, _, err := t.c.window(id, at)
		if err != nil {
			return err
		}
		if _, keeps := now[number]; !keeps {
			if err := t.remove(tWindows, row); err != nil {
				return err
			}
			continue
		}
		w := t.replace(tWindows, row)
		w.int(id)
		w.int(at)
		w.maybe(now[number].Inbound)
		w.maybe(now[number].Shut)
		if _, err := w.done(); err != nil {
			return err
		}
	}
	return nil
}

// putUsername writes the username where it changed; "" removes it.
func (t *tx) putUsername(id int64, before, now *delivery.Known) error {
	switch {
	case before.Username == now.Username && before.UsernameAt == now.UsernameAt:
		return nil
	case now.Username == "":
		return t.remove(tUsernames, id)
	}
	w := t.replace(tUsernames, id)
	w.text(now.Username)
	w.int(now.UsernameAt)
	_, err := w.done()
	return err
}

// username returns the username under an id of people, and when it was told; ""
// for none.
func (c *conn) username(id int64) (name string, at int64, err error) {
	err = c.each("SELECT name, at FROM usernames WHERE id = ?", func(st *sqlite.Stmt) error {
		name, at = st.ColumnText(0), st.ColumnInt64(1)
		return nil
	}, id)
	return name, at, err
}
