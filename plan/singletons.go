package plan

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// Singletons are where a plan reads the objects of which a number or account has one.
type Singletons struct {
	// Key names the number or account that has the object; why says why the number
	// can't look after it, "" if it can.
	Key func(number *lang.Provider, of *account.Singleton) (key, why string)
	// Read reads all attributes through a number. Nil reads none.
	Read func(ctx context.Context, number *lang.Provider, of *account.Singleton) (ReadSingleton, error)
	// Unrefreshed says that none is read: what the state keeps counts.
	Unrefreshed bool
}

// ReadSingleton is what was read of a singleton.
type ReadSingleton struct {
	Values account.Values
	At     time.Time
}

// SingletonChange is what apply does with one singleton.
type SingletonChange struct {
	Address  string `json:"address"` // "business_profile.main"
	From     string `json:"from,omitempty"`
	Kind     string `json:"kind"`
	Provider string `json:"provider"`
	Level    string `json:"level,omitempty"` // of one that numbers and accounts have
	Key      string `json:"key"`             // of the number or account that has it
	// Change is Update, Import, Settings, Move, Forget, Delete (it is emptied) or NoOp.
	Change    string `json:"change"`
	OnDestroy string `json:"on_destroy,omitempty"`
	// Declared are the attributes that are looked after.
	Declared account.Values `json:"declared,omitempty"`
	// Seen is what was read of these; nil if nothing was read.
	Seen account.Values `json:"seen,omitempty"`
}

// Of is what the change is about. A plan holds kind and level as words, so that a saved
// one can be read by a later handbill, whose table of kinds may have grown.
func (c *SingletonChange) Of() *account.Singleton { return account.SingletonOf(c.Kind).At(c.Level) }

// Owner is the number or account that has it.
func (c *SingletonChange) Owner() string { return strings.TrimPrefix(c.Key, c.Level+"/") }

// SingletonKey is the Key of what a number or account has; level is "" for one that only
// numbers have.
func SingletonKey(level, owner string) string {
	if level == "" {
		return owner
	}
	return level + "/" + owner
}

// settleSingletons compares the declared singletons with what numbers and accounts
// have, and with the state.
func (b *builder) settleSingletons(ctx context.Context) {
	if b.in.Templates.Unread {
		return
	}
	declares := map[string]bool{}
	for _, s := range b.cfg.Singletons {
		declares[s.Address()] = true
	}
	rows := b.recorded(declares, func(kind string) bool { return account.SingletonOf(kind) != nil })
	owners := map[string]string{}
	for _, s := range b.cfg.Singletons {
		if s.Provider != nil && b.scope.covers(s.Address()) {
			w := &singletonWork{builder: b, s: s, row: rows[s.Address()], rows: rows, declares: declares, owners: owners}
			w.settle(ctx)
		}
	}
	for _, address := range slices.Sorted(maps.Keys(rows)) {
		if !declares[address] && b.scope.covers(address) {
			b.retireSingleton(ctx, address, rows[address])
		}
	}
	slices.SortFunc(b.plan.Singletons, func(x, y SingletonChange) int { return strings.Compare(x.Address, y.Address) })
	slices.SortFunc(b.plan.Resources, func(x, y ResourceChange) int { return strings.Compare(x.Address, y.Address) })
	slices.SortFunc(b.plan.Drift, func(x, y Drift) int { return strings.Compare(x.Address, y.Address) })
}

// recorded are the state's records of some kinds by address, after moved blocks. The
// Address of a record is the one under which the state has it.
func (b *builder) recorded(declares map[string]bool, of func(kind string) bool) map[string]*state.Managed {
	rows := map[string]*state.Managed{}
	for i := range b.in.Managed {
		if m := &b.in.Managed[i]; of(m.Kind) {
			rows[m.Address] = m
		}
	}
	for _, m := range b.cfg.Moves(slices.Sorted(maps.Keys(rows))) {
		if row := rows[m.From]; row != nil && rows[m.To] == nil && !declares[m.From] {
			delete(rows, m.From)
			rows[m.To] = row
		}
	}
	return rows
}

// singletonWork is one declared singleton on its way into the plan. Nothing of it goes
// into the plan once an error was reported, since a plan with errors is not applied.
type singletonWork struct {
	*builder
	s        *lang.Singleton
	row      *state.Managed
	rows     map[string]*state.Managed
	declares map[string]bool
	owners   map[string]string // addresses by kind and key
	c        SingletonChange
	// known says that the state has this one of this number, and was and observed what
	// it keeps of it: the attributes that were declared at the last apply, and all that
	// were read then.
	known    bool
	was      account.Values
	observed account.Values
	notes    []string
}

// fail reports an error and returns false, for the steps of settle.
func (w *singletonWork) fail(code, format string, args ...any) bool {
	w.diags = append(w.diags, fail(code, w.s.DeclRange, "%s: %s", w.s.Address(), fmt.Sprintf(format, args...)))
	return false
}

// settle takes one block through the steps that lead to its change.
func (w *singletonWork) settle(ctx context.Context) {
	w.c = SingletonChange{Address: w.s.Address(), Kind: w.s.Kind.Kind, Level: w.s.Level(), Provider: w.s.Provider.Address(), Declared: w.s.Values}
	if w.s.Kind.Ends {
		w.c.OnDestroy = w.s.OnDestroy
	}
	if !w.usable() || !w.imported() || !w.remember() {
		return
	}
	at, ok := w.read(ctx)
	if !ok {
		return
	}
	w.decide()
	w.record(at)
}

// usable checks that the number can look after it, and that no other block does.
func (w *singletonWork) usable() bool {
	if w.in.Singletons.Key == nil {
		return w.fail("singleton_unreadable", "The %s was not read.", w.s.Kind.Title)
	}
	owner, why := w.in.Singletons.Key(w.s.Provider, w.s.Kind)
	if why != "" {
		return w.fail("singleton_capability", "%s", ended(why))
	}
	w.c.Key = SingletonKey(w.c.Level, owner)
	own := w.c.Kind + " " + w.c.Key
	if other := w.owners[own]; other != "" {
		return w.fail("singleton_claimed", "%s is the %s of %s, too: one block has all that is declared of it.", other, w.s.Kind.Title, message.SafeText(owner))
	}
	w.owners[own] = w.c.Address
	// A block that was renamed without a moved block would be let go under the old name
	// and taken over under the new one by the same plan.
	for _, address := range slices.Sorted(maps.Keys(w.rows)) {
		if row := w.rows[address]; row != w.row && row.Kind == w.c.Kind && row.Key == w.c.Key && !w.declares[address] {
			return w.fail("singleton_claimed", "The state has the %s of %s as %s, which is not declared any more. If the block was renamed, say so:\n\n    moved {\n      from = %s\n      to   = %s\n    }",
				w.s.Kind.Title, message.SafeText(owner), address, address, w.c.Address)
		}
	}
	return true
}

// imported requires that an import block means the number that the block names.
func (w *singletonWork) imported() bool {
	for _, in := range w.cfg.Imports {
		switch {
		case in.To != w.c.Address:
		case in.ID != w.c.Owner():
			return w.fail("singleton_import", "It is imported from %s, and its provider %s is %s: both have to be the same.", message.SafeText(in.ID), w.c.Provider, message.SafeText(w.c.Owner()))
		case w.row == nil || !w.row.Known():
			w.notes = append(w.notes, "an import block takes it over")
		}
	}
	return true
}

// remember decodes what the state knows. Of a block that names another number by now it
// knows nothing that could be compared: the former number's is let go as it is.
func (w *singletonWork) remember() bool {
	if w.row == nil {
		return true
	}
	if w.row.Address != w.c.Address {
		w.c.From = w.row.Address
	}
	// The record stays the block's: once the new number's is written, it takes its place.
	if w.row.Key != w.c.Key {
		if w.row.Known() {
			w.notes = append(w.notes, "the one of "+message.SafeText(w.row.Key)+" is let go as it is")
		}
		return true
	}
	w.known = w.row.Known()
	for _, f := range []struct {
		raw  json.RawMessage
		into *account.Values
	}{{w.row.Declared, &w.was}, {w.row.Observed, &w.observed}} {
		if len(f.raw) > 0 && json.Unmarshal(f.raw, f.into) != nil {
			return w.fail("singleton_record", "What the state keeps of it can't be read. Remove it with `handbill state rm %s`, which leaves it as it is, and plan again.", w.row.Address)
		}
	}
	return true
}

// read finds out what the number has.
func (w *singletonWork) read(ctx context.Context) (at time.Time, ok bool) {
	names := w.s.Values.Names()
	if w.in.Singletons.Unrefreshed {
		of := "no reading at all"
		if w.known {
			at, w.c.Seen = w.row.ObservedAt, w.observed.Only(names)
			of = at.UTC().Format(time.RFC3339)
		}
		w.diags = append(w.diags, warn("singleton_unrefreshed", w.s.DeclRange, "%s is planned with what the state keeps, of %s. apply reads it before it changes anything.", w.c.Address, of))
		return at, true
	}
	if w.in.Singletons.Read == nil {
		return at, w.fail("singleton_unreadable", "The %s was not read.", w.s.Kind.Title)
	}
	now, err := w.in.Singletons.Read(ctx, w.s.Provider, w.s.Kind)
	if err != nil {
		return at, w.fail("singleton_unreadable", "The %s of %s could not be read, so it is not known what it has. %s", w.s.Kind.Title, message.SafeText(w.c.Owner()), ended(err.Error()))
	}
	w.c.Seen = now.Values.Only(names)
	w.drift(now.Values)
	return now.At, true
}

// drift notes which attributes that are looked after somebody else has changed.
func (w *singletonWork) drift(now account.Values) {
	if !w.known {
		return
	}
	d := Drift{Address: w.c.Address, Type: w.c.Kind}
	for _, name := range w.s.Kind.Differ(w.observed.Only(w.was.Names()), now) {
		d.Fields = append(d.Fields, DriftField{Name: name, Before: message.SafeText(w.observed.Text(name)), After: message.SafeText(now.Text(name))})
	}
	if len(d.Fields) > 0 {
		w.plan.Drift = append(w.plan.Drift, d)
	}
}

// decide says what apply does: a change at the number, or only one of what the state
// keeps. What somebody else made as it is declared needs no request, but the state has
// to learn of it, or it would be told as drift each time.
func (w *singletonWork) decide() {
	others := "what is not declared stays as it is"
	switch {
	case w.c.Seen == nil || len(w.s.Kind.Differ(w.s.Values, w.c.Seen)) > 0:
		if w.c.Change = Update; !w.known {
			w.notes = append(w.notes, "handbill looks after it from now on, and "+others)
		}
	case !w.known:
		// Nothing is written, and the state learns of it.
		w.c.Change = Import
		w.notes = append(w.notes, "it is as declared already; "+others)
	case w.row.Intent != nil, w.row.Provider != w.c.Provider, w.row.OnDestroy != w.c.OnDestroy, w.was.Digest() != w.s.Values.Digest():
		w.c.Change = Settings
	case w.c.From != "":
		w.c.Change = Move
	default:
		w.c.Change = NoOp
	}
	if w.row != nil && w.row.Intent != nil {
		w.notes = append(w.notes, "an earlier apply wrote it, and what became of that is not known")
	}
}

// record puts the change into the plan. What was read is shown as the former state of
// an update, so that a reviewer sees what is overwritten, also at the first apply.
func (w *singletonWork) record(at time.Time) {
	r := ResourceChange{Address: w.c.Address, Module: moduleOf(w.c.Address), Type: w.c.Kind, Name: singletonName(w.c.Address), Change: w.c.Change, From: w.c.From,
		After: w.tree(w.c.Provider, w.c.OnDestroy, w.s.Values), Refs: []string{w.c.Provider}, Notes: w.notes}
	switch w.c.Change {
	case Update:
		if w.c.Seen != nil {
			r.Before = w.tree(w.c.Provider, w.c.OnDestroy, w.c.Seen)
		}
		// A webhook is the only one with a secret: Meta asks its address with it.
		if w.s.Kind.Secret != "" && w.s.Values.Text("url") != "" {
			r.Notes = append(r.Notes, "the address is asked whether it is right while it is written, so handbill serve has to answer there")
		}
	case Settings:
		r.Change, r.Local = Update, true
		r.Before = w.tree(w.row.Provider, w.row.OnDestroy, w.was)
		r.Notes = append(r.Notes, "nothing changes at the number")
	case NoOp, Move:
		r.Before = r.After
	}
	w.plan.Resources = append(w.plan.Resources, r)
	w.plan.Singletons = append(w.plan.Singletons, w.c)
	if w.c.Seen != nil {
		w.plan.Managed = append(w.plan.Managed, Managed{Address: w.c.Address, Kind: w.c.Kind, Provider: w.c.Provider, Account: w.c.Owner(), ID: w.c.Key, ObservedAt: at.UTC(), Declared: true})
	}
}

// tree is the singleton as plans compare and show it. Its secret is not in it, as
// nothing tells whether that has changed.
func (w *singletonWork) tree(provider, onDestroy string, v account.Values) *lang.Tree {
	out := &lang.Tree{Attributes: []lang.Attribute{{Name: "provider", Value: provider, Reference: true}}}
	if w.c.Level != "" {
		out.Attributes = append(out.Attributes, lang.TextAttribute("level", w.c.Level))
	}
	out.Attributes = append(out.Attributes, ValueAttributes(w.s.Kind, v)...)
	if w.s.Kind.Ends {
		out.Attributes = append(out.Attributes, lang.TextAttribute("on_destroy", kept(onDestroy)))
	}
	return out
}

// ValueAttributes are the attributes of a singleton for people, in the order of its
// fields.
func ValueAttributes(kind *account.Singleton, v account.Values) (out []lang.Attribute) {
	for i := range kind.Fields {
		if name := kind.Fields[i].Name; v[name] != nil {
			out = append(out, lang.Attribute{Name: name, Value: v.JSON(name)})
		}
	}
	return out
}
