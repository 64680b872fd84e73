package lang

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/handbill/handbill/message"
)

// module is one call of a module: a module block, or one of its for_each. All that
// stands in its files is declared below its address, and its names are renamed to
// match when their expressions are read: local.x is module.welcome.local.x, with
// everything before the last dot as the root. So there is one evaluator for all
// modules, and none sees the names of another.
type module struct {
	address string    // module.welcome, or module.m["a"].module.b
	dir     string    // of its files, relative to the configuration's, with slashes
	caller  *module   // nil for the configuration itself
	call    hcl.Range // of the module block
}

const modulePrefix = rootModule + "."

// globalRoot has the names of globalRoots.
var globalRoot = func() map[string]bool {
	out := map[string]bool{}
	for _, root := range globalRoots() {
		out[root] = true
	}
	return out
}()

// path is the module's address; "" for the configuration itself.
func (m *module) path() string {
	if m == nil {
		return ""
	}
	return m.address
}

// root is the root under which the module's own names of a kind are evaluated.
func (m *module) root(kind string) string { return message.WithModule(m.path(), kind) }

// rootKind is the first part of a reference as its module has it: local.
func rootKind(t hcl.Traversal) string {
	root := t.RootName()
	if !strings.HasPrefix(root, modulePrefix) {
		return root
	}
	_, kind := message.CutModule(root)
	return kind
}

// rename copies an expression that was read from a file of the module, and gives its
// references the module's roots.
func (m *module) rename(e hclsyntax.Expression) hclsyntax.Expression {
	if m == nil {
		return e
	}
	return substitute(e, func(ref *hclsyntax.ScopeTraversalExpr) hclsyntax.Expression {
		return &hclsyntax.ScopeTraversalExpr{Traversal: m.traversal(ref.Traversal), SrcRange: ref.SrcRange}
	})
}

// traversal is rename for one reference. It leaves alone what is renamed already.
func (m *module) traversal(t hcl.Traversal) hcl.Traversal {
	if m == nil || len(t) == 0 {
		return t
	}
	root := t.RootName()
	if root == rootPlan {
		return m.planOf(t)
	}
	if !globalRoot[root] {
		return t
	}
	out := slices.Clone(t)
	out[0] = hcl.TraverseRoot{Name: m.root(root), SrcRange: t[0].SourceRange()}
	return out
}

// reference is asTraversal for an expression of the module, whose names are renamed
// but for a reference that JSON syntax writes as a text.
func (m *module) reference(e hclsyntax.Expression) (t hcl.Traversal, ok bool) {
	t, ok = asTraversal(e)
	if _, text := unwrap(e).(*hclsyntax.TemplateExpr); text {
		t = m.traversal(t)
	}
	return t, ok
}

// planOf turns plan.campaign into plan.module.welcome.campaign: a module sees its own
// campaigns.
func (m *module) planOf(t hcl.Traversal) hcl.Traversal {
	if part, _ := stepName(t, 1); part != rootCampaign {
		return t
	}
	steps, diags := hclsyntax.ParseTraversalAbs([]byte(m.address), t[0].SourceRange().Filename, t[0].SourceRange().Start)
	if diags.HasErrors() {
		panic("lang: the address of a module is no reference: " + m.address)
	}
	out := hcl.Traversal{t[0], hcl.TraverseAttr{Name: rootModule, SrcRange: t[0].SourceRange()}}
	return append(append(out, steps[1:]...), t[1:]...)
}

func (m *module) traversals(list []hcl.Traversal) []hcl.Traversal {
	if m == nil {
		return list
	}
	out := make([]hcl.Traversal, len(list))
	for i, t := range list {
		out[i] = m.traversal(t)
	}
	return out
}

// chain says in which module a diagnostic is, and by which calls it comes there.
func (m *module) chain() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n\nIn %s, called at %s:%d", m.address, m.call.Filename, m.call.Start.Line)
	for up := m.caller; up != nil; up = up.caller {
		fmt.Fprintf(&b, "; %s is called at %s:%d", up.address, up.call.Filename, up.call.Start.Line)
	}
	b.WriteString(".")
	return b.String()
}

// diagsIn is a list of diagnostics about a module.
func (c *Config) diagsIn(address string) *diagList { return &diagList{in: c.modules[address]} }

// open makes the roots of a module, in which nothing is declared yet.
func (ev *evaluator) open(m *module) {
	for root := range globalRoot {
		ev.values[m.root(root)] = map[string]cty.Value{}
	}
	dir := "."
	if m != nil {
		dir = m.dir
	}
	ev.values[m.root(rootPath)]["root"] = cty.StringVal(".")
	ev.values[m.root(rootPath)]["module"] = cty.StringVal(dir)
}

// intoModules turns an address as it is written, module.a.campaign.x, into a reference
// with the module's root. Expressions do not see into modules; moved blocks and the
// like do.
func intoModules(t hcl.Traversal) hcl.Traversal {
	for len(t) > 2 && rootKind(t) == rootModule {
		address, steps, ok := baseOf(t)
		if !ok {
			return t
		}
		if index, keyedBlock := t[steps].(hcl.TraverseIndex); keyedBlock && index.Key.Type() == cty.String {
			address, steps = keyed(address, index.Key.AsString()), steps+1
		}
		if steps == len(t) {
			return t
		}
		kind, ok := stepName(t, steps)
		if !ok {
			return t
		}
		root := hcl.TraverseRoot{Name: address + "." + kind, SrcRange: hcl.RangeBetween(t[0].SourceRange(), t[steps].SourceRange())}
		t = append(hcl.Traversal{root}, t[steps+1:]...)
	}
	return t
}
