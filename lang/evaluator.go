package lang

import (
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/handbill/handbill/lang/eval"
	"github.com/handbill/handbill/message"
)

// evaluator is what expressions are evaluated with: the values of everything
// that has a name.
type evaluator struct {
	funcs map[string]function.Function
	// values are by the first part of a reference and the name after it; a
	// provider's are one level deeper.
	values map[string]map[string]cty.Value
	// keys are the keys of every block with for_each, by its address without a key;
	// nil if they are not known because of an error.
	keys map[string][]string
	// outputs are the outputs of every module by its address; nil for one that could
	// not be loaded. late are those that depend on the plan, by their references.
	outputs map[string][]string
	late    map[string]hclsyntax.Expression
	// unset are what calls give for variables of modules where it reads an environment
	// variable that is not set, by their addresses.
	unset map[string]hclsyntax.Expression
	opt   Options
	// productOrder is the order of declaration of each catalog's products.
	productOrder map[string][]string
	reads        *readMemo
	// stopped returns an error once loading must end; the field is nil after it.
	stopped func() error
}

// The roots of references.
const (
	rootVar       = "var"
	rootLocal     = "local"
	rootPath      = "path"
	rootModule    = "module"
	rootOutput    = "output"
	rootCatalog   = "catalog"
	rootAudience  = "audience"
	rootProvider  = "provider"
	rootData      = "data"
	rootTemplate  = "template"
	rootCampaign  = "campaign"
	rootReplyRule = "reply_rule"
	rootRow       = "row"
	rootRecipient = "recipient"
	rootValue     = "value"
	rootInbound   = "inbound"
	rootMatch     = "match"
	rootLookup    = "lookup"
	rootResponse  = "response"
	rootPlan      = "plan"
	rootEach      = "each"
)

// scopedRoots are names that have a meaning in some places only.
var scopedRoots = []string{rootRow, rootRecipient, rootValue, rootInbound, rootMatch, rootLookup, rootResponse, rootPlan, rootEach}

// globalRoots are the names that mean something everywhere.
func globalRoots() []string {
	out := []string{rootVar, rootLocal, rootPath, rootModule, rootCatalog, rootAudience, rootProvider, rootData, rootTemplate, rootLink, rootCampaign, rootReplyRule}
	out = append(out, singletonRoots()...)
	for _, k := range messageKinds {
		out = append(out, string(k))
	}
	return out
}

func newEvaluator(opt Options) *evaluator {
	ev := &evaluator{opt: opt, values: map[string]map[string]cty.Value{}, keys: map[string][]string{},
		outputs: map[string][]string{}, late: map[string]hclsyntax.Expression{}, unset: map[string]hclsyntax.Expression{}, reads: newReadMemo(), productOrder: map[string][]string{}}
	ev.open(nil)
	return ev
}

// set gives a declared name its value.
func (ev *evaluator) set(root, name string, v cty.Value) { ev.values[root][name] = v }

// names are the declared names below root, sorted.
func (ev *evaluator) names(root string) []string {
	return slices.Sorted(maps.Keys(ev.values[root]))
}

// typed reports whether references below root have a type and a name, so that an
// address has three parts.
func typed(root string) bool { return root == rootProvider || root == rootData }

// reference is the value of a resource that is referred to as a whole.
func reference(address, name string) cty.Value {
	return cty.ObjectVal(map[string]cty.Value{"address": cty.StringVal(address), "name": cty.StringVal(name)})
}

// context returns a context with what the references in exprs need, and no more.
func (ev *evaluator) context(exprs ...hcl.Expression) *hcl.EvalContext {
	need := map[string]map[string]cty.Value{}
	for _, e := range exprs {
		for _, t := range e.Variables() {
			ev.need(need, t)
		}
	}
	vars := make(map[string]cty.Value, len(need))
	for root, names := range need {
		vars[root] = cty.ObjectVal(names)
	}
	return &hcl.EvalContext{Variables: vars, Functions: ev.funcs}
}

func (ev *evaluator) need(need map[string]map[string]cty.Value, t hcl.Traversal) {
	root := t.RootName()
	all, ok := ev.values[root]
	if !ok {
		return
	}
	if need[root] == nil {
		need[root] = map[string]cty.Value{}
	}
	if name, ok := stepName(t, 1); ok {
		if v, ok := all[name]; ok {
			need[root][name] = v
		}
		return
	}
	maps.Copy(need[root], all)
}

// fullContext returns a context with every name.
func (ev *evaluator) fullContext() *hcl.EvalContext {
	vars := make(map[string]cty.Value, len(ev.values))
	for root, names := range ev.values {
		if len(names) > 0 || !strings.HasPrefix(root, modulePrefix) {
			vars[root] = cty.ObjectVal(names)
		}
	}
	return &hcl.EvalContext{Variables: vars, Functions: ev.funcs}
}

// scope says which names besides the global ones an expression may use, by
// root. A nil list takes every name.
type scope map[string][]string

// check reports every reference of e that the scope does not have, and returns
// whether there was none.
func (ev *evaluator) check(e hclsyntax.Expression, sc scope, diags *diagList) bool {
	ok := true
	for _, t := range e.Variables() {
		if !ev.checkReference(t, sc, diags) {
			ok = false
		}
	}
	return ok
}

func (ev *evaluator) checkReference(t hcl.Traversal, sc scope, diags *diagList) bool {
	root := t.RootName()
	if names, ok := sc[root]; ok {
		return checkScoped(t, names, diags)
	}
	declared, ok := ev.values[root]
	if !ok {
		unknownRoot(t, sc, diags)
		return false
	}
	name, ok := stepName(t, 1)
	if !ok {
		return true // the whole object, or a computed key
	}
	if _, ok := declared[name]; !ok {
		ev.undeclared(t, name, diags)
		return false
	}
	if typed(rootKind(t)) && !ev.checkTyped(t, declared[name], diags) {
		return false
	}
	return ev.checkKey(t, diags) && ev.checkOutput(t, diags)
}

func (ev *evaluator) undeclared(t hcl.Traversal, name string, diags *diagList) {
	root, rng := t.RootName(), stepRange(t, 1)
	kind := rootKind(t)
	switch kind {
	case rootVar:
		diags.err("unknown_reference", rng, "There is no variable named %q.%s It is declared with a block variable %q {}.",
			name, didYouMean(name, ev.names(root)), name)
	case rootLocal:
		diags.err("unknown_reference", rng, "There is no local value named %q.%s It is declared in a locals block.", name, didYouMean(name, ev.names(root)))
	case rootPath:
		diags.err("unknown_reference", rng, "The object path has the attributes root and module only.")
	case rootProvider, rootData:
		diags.err("unknown_reference", rng, "No %s of type %q is declared.%s", kind, name, didYouMean(name, ev.names(root)))
	default:
		diags.err("unknown_reference", rng, "No %s named %q is declared.%s", kind, name, didYouMean(name, ev.names(root)))
	}
}

func (ev *evaluator) checkTyped(t hcl.Traversal, ofType cty.Value, diags *diagList) bool {
	name, ok := stepName(t, 2)
	if !ok || !ofType.Type().IsObjectType() || ofType.Type().HasAttribute(name) {
		return true
	}
	kind, _ := stepName(t, 1)
	names := slices.Collect(maps.Keys(ofType.Type().AttributeTypes()))
	diags.err("unknown_reference", stepRange(t, 2), "No %s %q of type %q is declared.%s", rootKind(t), name, kind, didYouMean(name, names))
	return false
}

func checkScoped(t hcl.Traversal, names []string, diags *diagList) bool {
	name, ok := stepName(t, 1)
	if !ok || names == nil || slices.Contains(names, name) {
		return true
	}
	root := t.RootName()
	code := "unknown_attribute"
	if root == rootRow {
		code = "unknown_column"
	}
	diags.err(code, stepRange(t, 1), "%s has nothing named %q here.%s There is: %s.", root, name, didYouMean(name, names), listOf(names))
	return false
}

func unknownRoot(t hcl.Traversal, sc scope, diags *diagList) {
	root, rng := t.RootName(), t[0].SourceRange()
	if slices.Contains(scopedRoots, root) {
		diags.err("wrong_scope", rng, "%s.* has no meaning at this place: %s", root, scopeHelp[root])
		return
	}
	known := append(globalRoots(), slices.Sorted(maps.Keys(sc))...)
	hint := didYouMean(root, known)
	if hint == "" && len(t) == 1 {
		hint = " A text is written in quotes."
	}
	diags.err("unknown_name", rng, "There is nothing named %q.%s", root, hint)
}

var scopeHelp = map[string]string{
	rootRow:       "it is one row of an audience's source, and only an audience's arguments see it.",
	rootRecipient: "it is the person that a message goes to, in messages, in a campaign's values and in reply rules.",
	rootValue:     "it is what a campaign or reply rule passes in values, in messages.",
	rootInbound:   "it is the message that came in, in a reply rule.",
	rootMatch:     "it is what the named groups of a reply rule's regular expression matched, in that rule.",
	rootLookup:    "it is the answer of a lookup block, in a reply rule.",
	rootResponse:  "it is what a web service answered, in next of an audience's source.",
	rootPlan:      "it is the plan, in checks and outputs.",
	rootEach:      "it is the key and the value of a block's for_each, in that block.",
}

// uses reports whether e refers to one of roots.
func uses(e hcl.Expression, roots ...string) bool {
	for _, t := range e.Variables() {
		if slices.Contains(roots, rootKind(t)) {
			return true
		}
	}
	return false
}

// constant evaluates an expression that may use only global names. ok is false
// if the value is not known or there was an error.
func (ev *evaluator) constant(e hclsyntax.Expression, diags *diagList) (v cty.Value, ok bool) {
	return ev.within(e, nil, nil, diags)
}

// within evaluates e, which may use vars besides the global names.
func (ev *evaluator) within(e hclsyntax.Expression, sc scope, vars map[string]cty.Value, diags *diagList) (cty.Value, bool) {
	if ev.stopped != nil && ev.stopped() != nil {
		diags.err("interrupted", hcl.Range{}, "Loading the configuration was interrupted before all of it was evaluated.")
		return cty.DynamicVal, false
	}
	if plan, ok := vars[rootPlan]; ok {
		e = ev.campaignsByKey(ev.withLate(e), plan)
	}
	if !ev.check(e, sc, diags) {
		return cty.DynamicVal, false
	}
	ctx := ev.context(e)
	maps.Copy(ctx.Variables, vars)
	if plan, ok := vars[rootPlan]; ok && len(ev.outputs) > 0 && uses(e, rootPlan) {
		ctx.Variables[rootPlan] = ev.planWithModules(plan)
	}
	v, more := eval.Value(e, ctx)
	diags.take(more)
	if more.HasErrors() {
		return cty.DynamicVal, false
	}
	return v, v.IsWhollyKnown()
}

// isKind reports whether root names a kind of message.
func isKind(root string) bool { return slices.Contains(messageKinds, message.Kind(root)) }
