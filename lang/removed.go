package lang

import (
	"github.com/hashicorp/hcl/v2"

	"github.com/handbill/handbill/message"
)

// Removed says that a resource is gone for good: the plan fails while something at
// the address is still declared.
type Removed struct {
	// From is an address; without a key, the address of all blocks of a for_each. That
	// of a module stands for all it has.
	From      string
	DeclRange hcl.Range
}

// Covers reports whether the block applies to the resource at an address.
func (r *Removed) Covers(address string) bool {
	base, _, _ := cutKey(address)
	return r.From == address || r.From == base || message.InModule(r.From, address)
}

var removedSchema = schema("from!")

func (l *loader) decodeRemoved() {
	seen := map[string]*Removed{}
	for b := range l.inTurn(l.removed) {
		c := l.content(b, removedSchema)
		from, ok := l.movedAddress(c, "from")
		if !ok {
			continue
		}
		r := &Removed{From: from, DeclRange: b.defRange}
		for _, decl := range l.list {
			if r.Covers(decl.address) {
				l.diags.err("removed_conflict", r.DeclRange, "%s is declared at %s, so it is not gone. Take its block out, or this one.", decl.address, decl.rng())
				break
			}
		}
		for _, m := range l.cfg.Moved {
			if r.Covers(m.From) {
				l.diags.err("removed_conflict", r.DeclRange, "%s is moved to %s at %s, so it is not gone. Take that block out, or this one.", m.From, m.To, m.DeclRange)
			}
		}
		if before := seen[from]; before != nil {
			l.diags.err("removed_conflict", r.DeclRange, "The block at %s already says that %s is gone.", before.DeclRange, from)
		}
		seen[from] = r
		l.cfg.Removed = append(l.cfg.Removed, r)
	}
}
