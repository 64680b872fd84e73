package lang

import (
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/handbill/handbill/lang/eval"
	"github.com/handbill/handbill/message"
)

// CheckResult is the result of one assertion of a check block.
type CheckResult struct {
	Name    string // of the check
	Passed  bool
	Message string // the error_message where it did not pass, or why it could not be evaluated
	Range   hcl.Range
}

// OutputValue is an output block with its value.
type OutputValue struct {
	Name        string
	Description string
	Sensitive   bool
	Value       cty.Value // without marks
}

// EvalChecks evaluates every assertion of the check blocks, in source order,
// where plan is the value of the name plan.
func (c *Config) EvalChecks(plan cty.Value) []CheckResult {
	var out []CheckResult
	vars := map[string]cty.Value{rootPlan: plan}
	for _, check := range c.Checks {
		for _, a := range check.Asserts {
			out = append(out, c.evalAssert(check.Name, a, planScope, vars))
		}
	}
	return out
}

func (c *Config) evalAssert(name string, a Assert, sc scope, vars map[string]cty.Value) CheckResult {
	res := CheckResult{Name: name, Range: a.Condition.Range()}
	diags := &diagList{}
	v, ok := c.eval.within(a.Condition.(hclsyntax.Expression), sc, vars, diags)
	holds, err := convert.Convert(unmarked(v), cty.Bool)
	switch {
	case diags.errors() > 0:
		res.Message = "The condition could not be evaluated: " + diags.all[0].Detail
	case !ok || err != nil || holds.IsNull():
		res.Message = "The condition must be true or false."
	case holds.True():
		res.Passed = true
	default:
		msg, _ := c.eval.within(a.ErrorMessage.(hclsyntax.Expression), sc, vars, diags)
		res.Message = sentenceOf(msg)
	}
	return res
}

// campaignsByKey replaces plan.campaign.NAME of a campaign with for_each by an object
// of its keys. The plan has each key as its own campaign (spring["de"]): so
// plan.campaign.spring["de"] is one, and `for k, c in plan.campaign` sees them all.
func (ev *evaluator) campaignsByKey(e hclsyntax.Expression, plan cty.Value) hclsyntax.Expression {
	if len(ev.keys) == 0 {
		return e
	}
	return substitute(e, func(ref *hclsyntax.ScopeTraversalExpr) hclsyntax.Expression {
		part, _ := stepName(ref.Traversal, 1)
		name, ok := stepName(ref.Traversal, 2)
		keys, repeated := ev.keys[rootCampaign+"."+name]
		if ref.Traversal.RootName() != rootPlan || part != rootCampaign || !ok || !repeated {
			return nil
		}
		all, found := plan.GetAttr(rootCampaign).AsValueMap(), map[string]cty.Value{}
		for _, key := range keys {
			if c, planned := all[keyed(name, key)]; planned {
				found[key] = c
			}
		}
		return follow(&hclsyntax.LiteralValueExpr{Val: cty.ObjectVal(found), SrcRange: ref.SrcRange}, ref.Traversal[3:], ref.SrcRange)
	})
}

// AssertResult is the result of one assertion of a plan test.
type AssertResult struct {
	CheckResult
	// Compared are the comparisons that made it fail: the false ones in its
	// condition, if the condition is made of comparisons.
	Compared []Comparison
}

// Comparison is one comparison of two values, without marks.
type Comparison struct {
	Left, Right           cty.Value
	LeftRange, RightRange hcl.Range
}

// EvalAsserts evaluates assertions from outside the configuration, such as those
// of plan tests. They may use vars besides the global names.
func (c *Config) EvalAsserts(name string, list []Assert, vars map[string]cty.Value) []AssertResult {
	sc := scope{}
	for root := range vars {
		sc[root] = nil
	}
	var out []AssertResult
	for _, a := range list {
		r := AssertResult{CheckResult: c.evalAssert(name, a, sc, vars)}
		if !r.Passed {
			r.Compared = c.compared(a.Condition.(hclsyntax.Expression), sc, vars)
		}
		out = append(out, r)
	}
	return out
}

// comparing are the comparison operators.
var comparing = []*hclsyntax.Operation{hclsyntax.OpEqual, hclsyntax.OpNotEqual, hclsyntax.OpGreaterThan, hclsyntax.OpGreaterThanOrEqual,
	hclsyntax.OpLessThan, hclsyntax.OpLessThanOrEqual}

// compared finds the false comparisons in e that alone make e false.
func (c *Config) compared(e hclsyntax.Expression, sc scope, vars map[string]cty.Value) []Comparison {
	op, ok := unwrap(e).(*hclsyntax.BinaryOpExpr)
	if !ok {
		return nil
	}
	if op.Op == hclsyntax.OpLogicalAnd {
		return append(c.compared(op.LHS, sc, vars), c.compared(op.RHS, sc, vars)...)
	}
	if !slices.Contains(comparing, op.Op) {
		return nil
	}
	diags := &diagList{}
	holds, known := c.eval.within(op, sc, vars, diags)
	left, _ := c.eval.within(op.LHS, sc, vars, diags)
	right, _ := c.eval.within(op.RHS, sc, vars, diags)
	if !known || diags.errors() > 0 || eval.IsSensitive(left) || eval.IsSensitive(right) || unmarked(holds).True() {
		return nil
	}
	return []Comparison{{Left: left, Right: right, LeftRange: op.LHS.Range(), RightRange: op.RHS.Range()}}
}

// EvalOutputs evaluates the output blocks, in source order, where plan is the
// value of the name plan. Values of plan that are unknown make outputs unknown.
func (c *Config) EvalOutputs(plan cty.Value) ([]OutputValue, hcl.Diagnostics) {
	diags := &diagList{}
	var out []OutputValue
	for _, o := range c.Outputs {
		if o.Expr == nil {
			continue
		}
		before := diags.errors()
		v, _ := c.eval.within(o.Expr.(hclsyntax.Expression), planScope, map[string]cty.Value{rootPlan: plan}, diags)
		if diags.errors() > before {
			continue
		}
		if eval.IsSensitive(v) && !o.Sensitive {
			diags.err("sensitive_value", o.Expr.Range(), "The output %q is made from a sensitive value; set sensitive = true on it.", o.Name)
			continue
		}
		out = append(out, OutputValue{Name: o.Name, Description: o.Description, Sensitive: o.Sensitive, Value: unmarked(v)})
	}
	return out, diags.all
}

// EvalConsole evaluates one expression over the global names. The value may be
// marked sensitive: see eval.IsSensitive.
func (c *Config) EvalConsole(src string) (cty.Value, hcl.Diagnostics) {
	const name = "<console>"
	diags := &diagList{}
	if more := eval.ScanTokens([]byte(src), name); more.HasErrors() {
		diags.take(more)
		return cty.DynamicVal, diags.all
	}
	e, more := hclsyntax.ParseExpression([]byte(src), name, hcl.InitialPos)
	diags.take(more)
	if more.HasErrors() {
		return cty.DynamicVal, diags.all
	}
	v, _ := c.eval.constant(e, diags)
	return v, diags.all
}

// Resource is one declaration as the plan compares it with the state.
type Resource struct {
	Address string
	Module  string // the module's address; "" for none
	Type    string // "campaign", "list_message", "provider", …
	Name    string // "sandbox.main" for a provider
	Tree    Tree
	// Refs are the addresses of resources that it refers to directly.
	Refs      []string
	DeclRange hcl.Range
}

// Resources returns the catalogs, messages, audiences, campaigns, reply rules, stop
// words and providers, sorted by address. Their trees contain no secrets.
func (c *Config) Resources() []Resource {
	var out []Resource
	add := func(address string, t Tree, rng hcl.Range) {
		module, rest := message.CutModule(address)
		root, name, _ := strings.Cut(rest, ".")
		out = append(out, Resource{Address: address, Module: module, Type: root, Name: name, Tree: t, Refs: c.resourceRefs(address), DeclRange: rng})
	}
	for _, p := range c.Providers {
		add(p.Address(), p.tree, p.DeclRange)
	}
	for _, cat := range c.Catalogs {
		add(cat.Address(), cat.tree, cat.DeclRange)
	}
	for _, k := range c.Links {
		add(k.Address(), k.Tree, k.DeclRange)
	}
	for _, m := range c.Messages {
		add(m.Address(), m.Tree, m.DeclRange)
	}
	for _, a := range c.Audiences {
		add(a.Address(), a.Tree, a.DeclRange)
	}
	for _, cm := range c.Campaigns {
		add(cm.Address(), cm.Tree, cm.DeclRange)
	}
	for _, r := range c.ReplyRules {
		add(r.Address(), r.Tree, r.DeclRange)
	}
	for _, w := range c.StopWords {
		add(w.Address(), w.Tree, w.DeclRange)
	}
	slices.SortFunc(out, func(a, b Resource) int { return strings.Compare(a.Address, b.Address) })
	return out
}

// resourceRefs returns the resources that address depends on, including those
// through variables and locals.
func (c *Config) resourceRefs(address string) []string {
	found := map[string]bool{}
	seen := map[string]bool{}
	var visit func(string)
	visit = func(at string) {
		for _, to := range c.Graph.Refs(at) {
			switch message.AddressType(to) {
			case rootLocal, rootVar, rootOutput: // through which resources of other modules come
				if !seen[to] {
					seen[to] = true
					visit(to)
				}
			default:
				found[to] = true
			}
		}
	}
	visit(address)
	delete(found, address)
	if len(found) == 0 {
		return nil
	}
	return slices.Sorted(maps.Keys(found))
}

// FunctionInfo describes one function of the language.
type FunctionInfo struct{ Name, Signature, Description string }

// Functions describes the functions of the language, by name.
func Functions() []FunctionInfo {
	var out []FunctionInfo
	for _, f := range eval.Infos() {
		out = append(out, FunctionInfo{Name: f.Name, Signature: f.Signature, Description: f.Description})
	}
	slices.SortFunc(out, func(a, b FunctionInfo) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// Format returns the canonical form of a file of native syntax: idempotent, with
// comments kept. A file that is not valid is returned unchanged, with diagnostics.
// Files of JSON syntax are returned unchanged.
func Format(src []byte, filename string) ([]byte, hcl.Diagnostics) {
	diags := &diagList{}
	if parse(filename, src, diags) == nil {
		return src, diags.all
	}
	if strings.HasSuffix(filename, ".json") {
		return src, diags.all
	}
	out := hclwrite.Format(src)
	for range 3 { // hclwrite's own result is not always a fixed point
		next := hclwrite.Format(out)
		if string(next) == string(out) {
			break
		}
		out = next
	}
	return out, diags.all
}

func sorted(diags hcl.Diagnostics) hcl.Diagnostics {
	slices.SortStableFunc(diags, func(a, b *hcl.Diagnostic) int {
		switch {
		case a.Subject == nil && b.Subject == nil:
			return 0
		case a.Subject == nil:
			return -1
		case b.Subject == nil:
			return 1
		case before(*a.Subject, *b.Subject):
			return -1
		case before(*b.Subject, *a.Subject):
			return 1
		}
		return 0
	})
	return diags
}

func sortBy[T any](list []T, pos func(T) hcl.Pos) {
	slices.SortStableFunc(list, func(a, b T) int { return pos(a).Byte - pos(b).Byte })
}
