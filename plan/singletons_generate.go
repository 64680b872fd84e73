package plan

import (
	"context"
	"fmt"
	"strings"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
)

// singleton writes a block for an import block, with every attribute that is set; ""
// if it can't.
func (g *generator) singleton(ctx context.Context, in *lang.Import, singletons Singletons) string {
	root, label, _ := strings.Cut(in.To, ".")
	kind := account.SingletonOf(root)
	key, why := singletons.Key(in.Provider, kind)
	// An import block does not say whether it means the number or its account; their ids
	// are different ones, so the id does.
	if kind.Levels && key != in.ID {
		if kind = kind.At(account.LevelAccount); why == "" {
			key, why = singletons.Key(in.Provider, kind)
		}
	}
	switch {
	case why != "":
		g.diags = append(g.diags, fail("singleton_capability", in.DeclRange, "%s: %s", in.To, ended(why)))
		return ""
	case key != in.ID:
		g.diags = append(g.diags, fail("singleton_import", in.DeclRange, "%s is imported from %s, and %s is %s: both have to be the same.", in.To, message.SafeText(in.ID), in.Provider.Address(), message.SafeText(key)))
		return ""
	}
	seen, err := singletons.Read(ctx, in.Provider, kind)
	if err != nil {
		g.diags = append(g.diags, fail("singleton_unreadable", in.DeclRange, "The %s of %s could not be read, so nothing can be written for %s. %s", kind.Title, message.SafeText(key), in.To, ended(err.Error())))
		return ""
	}
	// What is not set is left out of the block, so that nothing is looked after that
	// nobody chose, and so is what no block could declare: a word of Meta's that is newer
	// than this handbill, for instance.
	set := kind.Set(seen.Values)
	for _, p := range kind.Check(set) {
		if p.Doubt {
			continue
		}
		what := fmt.Sprintf("%s: %s was left out: it %s.", in.To, p.Path, p.Detail)
		g.diags = append(g.diags, warn("template_undeclarable", in.DeclRange, "%s", what))
		g.notes = append(g.notes, what)
		delete(set, p.Path)
	}
	if len(set) == 0 {
		g.diags = append(g.diags, fail("singleton_import", in.DeclRange, "The %s of %s is empty, so there is nothing to declare. Write %s with what it is to have.", kind.Title, message.SafeText(key), in.To))
		return ""
	}
	src, err := lang.SingletonSource(kind, label, in.Provider.Address(), set)
	if err != nil {
		g.diags = append(g.diags, fail("plan_failed", in.DeclRange, "%s: %s", in.To, ended(err.Error())))
	}
	return string(src)
}
