package eval

import (
	"fmt"
	"reflect"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// Bounds of one evaluation. They are far above what any message needs and far
// below what a machine notices.
const (
	maxElements = 1_000_000 // elements of all collections that an expression makes or walks
	maxString   = 1 << 20   // bytes of any one string
	maxBytes    = 64 << 20  // bytes of all strings that an expression makes
	maxSteps    = 2_000_000 // operations, each of them about a microsecond or less
)

// budget counts what one evaluation has spent. Once it is exhausted, every guarded
// node immediately returns an unknown value, and the evaluation as a whole is an
// error.
type budget struct {
	elements, bytes, steps int
	spent                  string     // what ran out first; "" while nothing did
	at                     *hcl.Range // where
}

// budgetVariable carries the budget through hcl's evaluation in the context's
// variables. No source text can write its name.
const budgetVariable = "\x00evaluation budget"

var budgetType = cty.Capsule("evaluation budget", reflect.TypeFor[budget]())

func withBudget(ctx *hcl.EvalContext, b *budget) *hcl.EvalContext {
	child := ctx.NewChild()
	child.Variables = map[string]cty.Value{budgetVariable: cty.CapsuleVal(budgetType, b)}
	return child
}

// budgetOf returns the context's budget; nil if it has none.
func budgetOf(ctx *hcl.EvalContext) *budget {
	for ; ctx != nil; ctx = ctx.Parent() {
		if v, ok := ctx.Variables[budgetVariable]; ok {
			return v.EncapsulatedValue().(*budget)
		}
	}
	return nil
}

func (b *budget) exhausted() bool { return b != nil && b.spent != "" }

// charge adds what a node at rng spent, and reports whether the total is still
// within the budget.
func (b *budget) charge(elements, bytes, steps int, rng hcl.Range) bool {
	if b == nil {
		return true
	}
	if b.spent != "" {
		return false
	}
	b.elements += elements
	b.bytes += bytes
	b.steps += steps
	switch {
	case b.elements > maxElements:
		b.spent = fmt.Sprintf("goes through more than %d elements", maxElements)
	case b.bytes > maxBytes:
		b.spent = fmt.Sprintf("makes more than %d MiB of text", maxBytes>>20)
	case b.steps > maxSteps:
		b.spent = fmt.Sprintf("takes more than %d steps", maxSteps)
	default:
		return true
	}
	b.at = &rng
	return false
}

// diagnostic returns the error of an exhausted budget; nil for any other.
func (b *budget) diagnostic() *hcl.Diagnostic {
	if b.spent == "" {
		return nil
	}
	return &hcl.Diagnostic{
		Severity: hcl.DiagError, Summary: tooCostly, Subject: b.at,
		Detail: "This expression " + b.spent + ", which is the bound for one expression. Make its collections smaller, or nest fewer of them.",
	}
}

const (
	tooCostly     = "Expression too costly"
	stringTooLong = "Text too long"
)

var stringTooLongDetail = fmt.Sprintf("A text may have at most %d MiB.", maxString>>20)

// load is the size of a value.
type load struct {
	elements int // at every level
	bytes    int // of its strings
	work     int // elements, each counted as often as it is deep: the cost of comparing and converting
}

// weigh stops counting above limit elements, since a value made of shared parts can
// be larger than any memory.
func weigh(v cty.Value, limit int) load {
	var l load
	l.add(v, limit, 1)
	return l
}

func (l *load) add(v cty.Value, limit, depth int) {
	v, _ = v.Unmark()
	if v == cty.NilVal || v.IsNull() || !v.IsKnown() {
		return
	}
	ty := v.Type()
	switch {
	case ty == cty.String:
		l.bytes += len(v.AsString())
		return
	case ty.IsPrimitiveType() || ty.IsCapsuleType():
		return
	}
	l.elements += v.LengthInt()
	l.work += v.LengthInt() * depth
	for it := v.ElementIterator(); l.elements <= limit && it.Next(); {
		_, item := it.Element()
		l.add(item, limit, depth+1)
	}
}

// weight returns the elements and bytes that weigh counts.
func weight(v cty.Value, limit int) (elements, bytes int) {
	l := weigh(v, limit)
	return l.elements, l.bytes
}

// Value evaluates an expression that is not compiled (a local, an output, a check)
// within a budget. Use it for every evaluation of untrusted source, never
// expr.Value. It replaces details that could quote a sensitive value.
func Value(expr hcl.Expression, ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	lowered, diags := lower(expr)
	if diags.HasErrors() {
		return cty.DynamicVal, diags
	}
	v, diags := run(guard(lowered), ctx)
	return v, clean(diags)
}

// run evaluates a guarded expression with a fresh budget.
func run(expr hcl.Expression, ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	var b budget
	v, diags := calmly(expr, withBudget(ctx, &b))
	if d := b.diagnostic(); d != nil {
		return cty.DynamicVal, hcl.Diagnostics{d}
	}
	if diags.HasErrors() {
		return cty.DynamicVal, diags
	}
	if elements, bytes := weight(v, maxElements); !b.charge(elements, bytes, 0, expr.Range()) {
		return cty.DynamicVal, hcl.Diagnostics{b.diagnostic()}
	}
	return v, diags
}

// calmly turns a panic in hcl or cty into a diagnostic: some operators panic on
// nulls and on rare mixtures of types, which untrusted source can contain.
func calmly(expr hcl.Expression, ctx *hcl.EvalContext) (v cty.Value, diags hcl.Diagnostics) {
	defer func() {
		if recover() != nil {
			v = cty.DynamicVal
			diags = hcl.Diagnostics{{
				Severity: hcl.DiagError, Summary: "Evaluation failed", Subject: expr.Range().Ptr(),
				Detail: "The values in this expression do not go together.",
			}}
		}
	}()
	return expr.Value(ctx)
}
