package plan

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// singletonName is main of business_profile.main, in a module too.
func singletonName(address string) string {
	_, rest := message.CutModule(address)
	_, name, _ := strings.Cut(rest, ".")
	return name
}

// retireSingleton lets go of one that is not declared any more: the number or account
// keeps it, unless its block said that it is to be emptied.
func (b *builder) retireSingleton(ctx context.Context, address string, row *state.Managed) {
	// Its block is gone, so the key says whether it is the number's or the account's.
	level, _, leveled := strings.Cut(row.Key, "/")
	c := SingletonChange{Address: address, Kind: row.Kind, Provider: row.Provider, Key: row.Key, Change: Forget}
	if leveled {
		c.Level = level
	}
	r := ResourceChange{Address: address, Module: moduleOf(address), Type: row.Kind, Name: singletonName(address), Change: Forget, Refs: []string{}}
	r.Removed = slices.ContainsFunc(b.cfg.Removed, func(r *lang.Removed) bool { return r.Covers(address) })
	note := "it stays as it is, and handbill does not look after it any more"
	if row.OnDestroy == lang.OnDestroyRemove && !r.Removed && row.Known() {
		var ok bool
		if note, ok = b.emptySingleton(ctx, &c, row); !ok {
			return
		}
	}
	if r.Change = c.Change; c.Change == Delete {
		r.Before = &lang.Tree{Attributes: ValueAttributes(c.Of(), c.Seen)}
	}
	r.Notes = []string{note}
	b.plan.Singletons, b.plan.Resources = append(b.plan.Singletons, c), append(b.plan.Resources, r)
}

// emptySingleton decides about one that its block wanted to be emptied: only what
// handbill left there is. ok is false if an error was reported.
func (b *builder) emptySingleton(ctx context.Context, c *SingletonChange, row *state.Managed) (note string, ok bool) {
	// Each refusal names the way out that needs nothing of the number.
	report := func(code, format string, args ...any) (string, bool) {
		way := fmt.Sprintf(" To let it go as it is: removed { from = %s }, or `handbill state rm %s`.", c.Address, c.Address)
		b.diags = append(b.diags, fail(code, hcl.Range{}, "%s: %s%s", c.Address, fmt.Sprintf(format, args...), way))
		return "", false
	}
	var was account.Values
	if json.Unmarshal(row.Declared, &was) != nil {
		return report("singleton_record", "What the state keeps of it can't be read.")
	}
	i := slices.IndexFunc(b.cfg.Providers, func(p *lang.Provider) bool { return p.Address() == row.Provider })
	switch {
	case b.in.Singletons.Unrefreshed:
		return report("singleton_unreadable", "on_destroy = %q empties it only if it is as handbill left it, and it was not asked (-refresh=false).", row.OnDestroy)
	case i < 0 || b.in.Singletons.Read == nil:
		return report("singleton_unreadable", "on_destroy = %q would empty it through %s, which is not declared any more. Declare it for one more apply.", row.OnDestroy, row.Provider)
	}
	owner, why := b.in.Singletons.Key(b.cfg.Providers[i], c.Of())
	switch {
	case why != "":
		return report("singleton_capability", "%s", ended(why))
	case SingletonKey(c.Level, owner) != row.Key:
		return report("singleton_claimed", "It is that of %s, and %s is another number by now.", message.SafeText(c.Owner()), row.Provider)
	}
	// An address that somebody has set since is in use by somebody: it is not ours to
	// take away, whatever the block said.
	now, err := b.in.Singletons.Read(ctx, b.cfg.Providers[i], c.Of())
	switch {
	case err != nil:
		return report("singleton_unreadable", "It could not be read. %s", ended(err.Error()))
	case len(c.Of().Differ(was, now.Values)) > 0:
		return "it is another one by now, which is left alone", true
	}
	c.Change, c.Seen, c.Declared = Delete, now.Values.Only(was.Names()), account.Values{}
	for _, name := range was.Names() {
		c.Declared[name] = c.Of().Field(name).Empty()
	}
	return "it is emptied, as on_destroy says", true
}
