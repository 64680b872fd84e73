package lang

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// Graph says which declaration refers to which.
type Graph struct {
	Nodes []string // addresses, sorted
	Edges []Edge   // sorted
}

// Edge says that From refers to To.
type Edge struct{ From, To string }

// DOT returns the graph in Graphviz's language, always the same for the same
// configuration.
func (g *Graph) DOT() string {
	var b strings.Builder
	b.WriteString("digraph handbill {\n  rankdir = \"RL\"\n  node [shape = box]\n")
	for _, n := range g.Nodes {
		b.WriteString("  " + dotQuote(n) + "\n")
	}
	for _, e := range g.Edges {
		b.WriteString("  " + dotQuote(e.From) + " -> " + dotQuote(e.To) + "\n")
	}
	b.WriteString("}\n")
	return b.String()
}

func dotQuote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// Refs are the addresses that address refers to directly.
func (g *Graph) Refs(address string) []string {
	i, _ := slices.BinarySearchFunc(g.Edges, address, func(e Edge, a string) int { return strings.Compare(e.From, a) })
	var out []string
	for ; i < len(g.Edges) && g.Edges[i].From == address; i++ {
		out = append(out, g.Edges[i].To)
	}
	return out
}

func newGraph(refs map[string][]string) *Graph {
	g := &Graph{}
	for from, tos := range refs {
		g.Nodes = append(g.Nodes, from)
		for _, to := range tos {
			g.Edges = append(g.Edges, Edge{from, to})
		}
	}
	slices.Sort(g.Nodes)
	slices.SortFunc(g.Edges, func(a, b Edge) int {
		if c := strings.Compare(a.From, b.From); c != 0 {
			return c
		}
		return strings.Compare(a.To, b.To)
	})
	g.Edges = slices.Compact(g.Edges)
	return g
}

// order sorts the nodes so that each comes after what it refers to, and names
// the cycles, which it cuts.
func (g *Graph) order() (sorted []string, cycles [][]string) {
	v := visit{g: g, state: map[string]int{}}
	for _, n := range g.Nodes {
		v.node(n)
	}
	return v.sorted, v.cycles
}

type visit struct {
	g      *Graph
	state  map[string]int // 1 while on the path, 2 when done
	path   []string
	sorted []string
	cycles [][]string
}

func (v *visit) node(n string) {
	switch v.state[n] {
	case 1:
		i := slices.Index(v.path, n)
		v.cycles = append(v.cycles, append(slices.Clone(v.path[i:]), n))
		return
	case 2:
		return
	}
	v.state[n] = 1
	v.path = append(v.path, n)
	for _, to := range v.g.Refs(n) {
		v.node(to)
	}
	v.path = v.path[:len(v.path)-1]
	v.state[n] = 2
	v.sorted = append(v.sorted, n)
}

// traversalsOf returns all references in a body of either syntax, including the
// names that dynamic blocks bind.
func traversalsOf(body hcl.Body) []hcl.Traversal {
	native, ok := body.(*hclsyntax.Body)
	if !ok {
		attrs, _ := body.JustAttributes()
		var out []hcl.Traversal
		for _, name := range sortedKeys(attrs) {
			out = append(out, attrs[name].Expr.Variables()...)
		}
		return out
	}
	var out []hcl.Traversal
	for _, name := range sortedKeys(native.Attributes) {
		out = append(out, native.Attributes[name].Expr.Variables()...)
	}
	for _, b := range native.Blocks {
		out = append(out, traversalsOf(b.Body)...)
	}
	return out
}

// quotedAddresses returns the declared addresses in strings of a body of JSON
// syntax, as in "audience": "audience.subscribers".
func quotedAddresses(body hcl.Body, in *module, declared map[string]*declaration) []string {
	if _, native := body.(*hclsyntax.Body); native {
		return nil
	}
	attrs, _ := body.JustAttributes()
	var out []string
	for _, name := range sortedKeys(attrs) {
		out = append(out, quotedIn(attrs[name].Expr, in, declared)...)
	}
	return out
}

func quotedIn(e hcl.Expression, in *module, declared map[string]*declaration) []string {
	var out []string
	if list, diags := hcl.ExprList(e); !diags.HasErrors() {
		for _, item := range list {
			out = append(out, quotedIn(item, in, declared)...)
		}
		return out
	}
	if pairs, diags := hcl.ExprMap(e); !diags.HasErrors() {
		for _, pair := range pairs {
			out = append(out, quotedIn(pair.Value, in, declared)...)
		}
		return out
	}
	v, diags := e.Value(nil)
	if diags.HasErrors() || v.Type() != cty.String || v.IsNull() {
		return nil
	}
	if address := in.root(v.AsString()); declared[address] != nil {
		return []string{address}
	}
	return nil
}

// addressesIn are the declared addresses that references lead to.
func addressesIn(list []hcl.Traversal, declared map[string]*declaration) []string {
	var out []string
	for _, t := range list {
		name, ok := stepName(t, 1)
		if !ok {
			continue
		}
		address := t.RootName() + "." + name
		if typed(rootKind(t)) {
			second, _ := stepName(t, 2)
			address += "." + second
		}
		if declared[address] != nil {
			out = append(out, address)
		}
	}
	return out
}
