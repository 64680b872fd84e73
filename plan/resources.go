package plan

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/state"
)

// The changes of a resource, as JSON has them too.
const (
	Create = "create" // declared, and not in the state
	Update = "update" // both, and they differ
	Delete = "delete" // only in the state; what was sent under it stays known
	NoOp   = "no-op"  // both, and equal, or left out by -target and -exclude
	Move   = "move"   // a moved block renames it, and nothing else changes
)

// StateResources returns the resources that the state will hold once the plan is
// applied.
func (p *Plan) StateResources() ([]state.Resource, error) {
	var list []state.Resource
	for i := range p.Resources {
		r := &p.Resources[i]
		if r.Change == Delete || r.Type == "template" || account.SingletonOf(r.Type) != nil { // these have records of their own
			continue
		}
		tree, err := json.Marshal(r.After)
		if err != nil {
			return nil, fmt.Errorf("encoding %s: %w", r.Address, err)
		}
		list = append(list, state.Resource{Address: r.Address, Type: r.Type, Name: r.Name, Tree: tree, Refs: r.Refs})
	}
	return list, nil
}

// differ compares what is declared with what the state has.
type differ struct {
	declared []lang.Resource
	byName   map[string]int // index into declared
	before   map[string]*resource
	from     map[string]string // new address → old one, for what was moved
	gone     []*lang.Removed
	scope    *scope
	diags    hcl.Diagnostics
}

// resource is a resource of the state, decoded.
type resource struct {
	state.Resource
	tree lang.Tree
}

// newDiffer compares the declared resources with those of the last apply.
func newDiffer(cfg *lang.Config, known []state.Resource, s *scope) (*differ, error) {
	d := &differ{declared: cfg.Resources(), byName: map[string]int{}, before: map[string]*resource{},
		from: map[string]string{}, gone: cfg.Removed, scope: s}
	for i := range d.declared {
		d.byName[d.declared[i].Address] = i
	}
	for i := range known {
		r := &resource{Resource: known[i]}
		if err := json.Unmarshal(r.Tree, &r.tree); err != nil {
			return nil, fmt.Errorf("reading %s from the state: %w", r.Address, err)
		}
		d.before[r.Address] = r
	}
	moves := cfg.Moves(slices.Sorted(maps.Keys(d.before)))
	for _, m := range moves {
		d.move(m, moves)
	}
	return d, nil
}

// move follows one moved block, and the blocks that continue it: with a → b and
// b → c, what the state has under a goes to c. If the state no longer has the
// resource, an earlier apply followed the block, and move does nothing. An address
// that is still declared, or already in the state, is never overwritten.
func (d *differ) move(m *lang.Moved, all []*lang.Moved) {
	if d.before[m.From] == nil {
		return // done in an earlier apply
	}
	if _, declared := d.byName[m.From]; declared {
		d.diags = append(d.diags, fail("moved_blocked", m.DeclRange,
			"%s is still declared, so it can't have moved to %s. Remove its block or the moved block.", m.From, m.To))
		return
	}
	to := m.To
	for range all { // a chain has no more links than there are blocks
		next := slices.IndexFunc(all, func(n *lang.Moved) bool { return n.From == to })
		if next < 0 {
			break
		}
		to = all[next].To
	}
	if d.before[to] != nil {
		d.diags = append(d.diags, warn("moved_blocked", m.DeclRange,
			"The state has %s already, so %s does not move there and its history stays apart.", to, m.From))
		return
	}
	d.from[to] = m.From
}

// takeUp lets a new campaign have the history that the state keeps under the old address
// of a moved block where an earlier apply removed the campaign there: who got it must not
// get it again.
func (b *builder) takeUp(ctx context.Context) error {
	for _, decl := range b.cfg.Campaigns {
		to := decl.Address()
		if b.in.State == nil || b.differ.before[to] != nil || b.differ.from[to] != "" || b.cfg.MovedFrom(to) == "" {
			continue
		}
		for at, n := to, 0; at != "" && n <= len(b.cfg.Moved); at, n = b.cfg.MovedFrom(at), n+1 {
			if sent, err := b.sentUnder(ctx, at); err != nil {
				return err
			} else if sent {
				if at != to && b.differ.before[at] == nil {
					b.differ.from[to] = at
				}
				break // the nearest history counts
			}
		}
	}
	return nil
}

// sentUnder reports whether the state has deliveries of a campaign.
func (b *builder) sentUnder(ctx context.Context, campaign string) (bool, error) {
	for _, err := range b.in.State.Deliveries(ctx, campaign) {
		if err != nil {
			return false, fmt.Errorf("reading the deliveries of %s: %w", campaign, err)
		}
		return true, nil
	}
	return false, nil
}

// changes are all resource changes, by address. What -target or -exclude leaves
// out stays in the state as it is: it is a NoOp, never a Delete.
func (d *differ) changes() []ResourceChange {
	moved := map[string]bool{}
	var out []ResourceChange
	for i := range d.declared {
		c := d.change(&d.declared[i])
		if c == nil {
			continue
		}
		moved[c.From] = true
		out = append(out, *c)
	}
	for address, r := range d.before {
		if _, declared := d.byName[address]; declared || moved[address] {
			continue
		}
		c := ResourceChange{Address: address, Module: moduleOf(address), Type: r.Type, Name: r.Name, Change: Delete, Before: &r.tree, Refs: refs(r.Refs)}
		c.Removed = slices.ContainsFunc(d.gone, func(g *lang.Removed) bool { return g.Covers(address) })
		if !d.scope.covers(address) {
			c.Change, c.After, c.Removed = NoOp, c.Before, false
		}
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b ResourceChange) int { return strings.Compare(a.Address, b.Address) })
	return out
}

// change compares one declared resource with the state. It returns nil for a
// resource that is left out and not in the state yet.
func (d *differ) change(r *lang.Resource) *ResourceChange {
	c := &ResourceChange{Address: r.Address, Module: r.Module, Type: r.Type, Name: r.Name, Change: Create, After: &r.Tree, Refs: refs(r.Refs)}
	before := d.before[r.Address]
	if before == nil && d.from[r.Address] != "" {
		c.From = d.from[r.Address]
		before = d.before[c.From]
	}
	if !d.scope.covers(r.Address) {
		if before == nil || c.From != "" {
			return nil
		}
		c.Change, c.Before, c.After = NoOp, &before.tree, &before.tree
		return c
	}
	if before == nil {
		return c
	}
	c.Before = &before.tree
	switch {
	case !equalTrees(&before.tree, &r.Tree):
		c.Change = Update
	case c.From != "":
		c.Change = Move
	default:
		c.Change = NoOp
	}
	return c
}

// refs returns list, and an empty one for nil, for JSON.
func refs(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// removed returns the addresses of campaigns that are in the state and neither
// declared nor moved.
func (d *differ) removed() []string {
	var list []string
	for address, r := range d.before {
		_, declared := d.byName[address]
		if r.Type == "campaign" && !declared && !d.isMoved(address) {
			list = append(list, address)
		}
	}
	slices.Sort(list)
	return list
}

// isMoved reports whether a moved block names the address as the old one.
func (d *differ) isMoved(address string) bool {
	for _, from := range d.from {
		if from == address {
			return true
		}
	}
	return false
}
