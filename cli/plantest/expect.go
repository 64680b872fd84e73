package plantest

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
)

// assertions evaluates the run's assertions over the plan and the replies.
func assertions(cfg *lang.Config, run *Run, p *plan.Plan, replies []*Reply) []string {
	var out []string
	list := run.Asserts
	if len(replies) == 0 {
		if rng := using(list, func(t hcl.Traversal) bool { return isReply(t) }); rng != nil {
			return []string{fmt.Sprintf("%s:%d: reply is what the last inbound event is answered with, and this run has none.", rng.Filename, rng.Start.Line)}
		}
	}
	vars := map[string]cty.Value{"plan": p.Value()}
	if using(list, named("recipient")) != nil {
		whole, err := withRecipients(p)
		if err != nil {
			return []string{fmt.Sprintf("The plan's entries cannot be read: %s.", err)}
		}
		vars["plan"] = whole
	}
	if len(replies) > 0 {
		values := make([]cty.Value, len(replies))
		for i, r := range replies {
			values[i] = replyValue(r)
		}
		vars["reply"], vars["replies"] = values[len(values)-1], cty.TupleVal(values)
	}
	for i, r := range cfg.EvalAsserts(run.Name, list, vars) {
		out = append(out, unknownRules(cfg, list[i])...)
		if r.Passed {
			continue
		}
		text := fmt.Sprintf("%s:%d: %s%s", r.Range.Filename, r.Range.Start.Line, r.Message, missingKey(list[i].Condition, vars))
		for _, c := range r.Compared {
			text += "\n" + run.compared(&c)
		}
		out = append(out, text)
	}
	return out
}

// mostKeys bounds how many existing keys are listed when one is missing.
const mostKeys = 12

// missingKey says which key of a reference does not exist, and which keys do; "" if
// none is missing.
func missingKey(e hcl.Expression, vars map[string]cty.Value) string {
	for _, t := range e.Variables() {
		v, ok := vars[t.RootName()]
		for i := 1; ok && i < len(t); i++ {
			next, diags := t[i].TraversalStep(v)
			index, keyed := t[i].(hcl.TraverseIndex)
			if diags.HasErrors() && keyed && v.Type().IsMapType() && index.Key.Type() == cty.String {
				keys := slices.Sorted(maps.Keys(v.AsValueMap()))
				if len(keys) > mostKeys {
					keys = append(keys[:mostKeys], "…")
				}
				return fmt.Sprintf(" %q is not there. There is: %s.", index.Key.AsString(), nameOr(strings.Join(keys, ", "), "none"))
			}
			v, ok = next, !diags.HasErrors()
		}
	}
	return ""
}

func isReply(t hcl.Traversal) bool { return t.RootName() == "reply" || t.RootName() == "replies" }

// named matches references that have a step of that name.
func named(name string) func(hcl.Traversal) bool {
	return func(t hcl.Traversal) bool {
		return slices.ContainsFunc(t, func(step hcl.Traverser) bool {
			a, ok := step.(hcl.TraverseAttr)
			return ok && a.Name == name
		})
	}
}

// using returns where the assertions have a reference that found matches; nil for
// nowhere.
func using(list []lang.Assert, found func(hcl.Traversal) bool) *hcl.Range {
	var at *hcl.Range
	for _, a := range list {
		for _, e := range []hcl.Expression{a.Condition, a.ErrorMessage} {
			visit(e, func(n hclsyntax.Node) {
				var t hcl.Traversal
				switch n := n.(type) {
				case *hclsyntax.ScopeTraversalExpr:
					t = n.Traversal
				case *hclsyntax.RelativeTraversalExpr: // after a computed key
					t = n.Traversal
					if !named("recipient")(t) {
						return
					}
				default:
					return
				}
				if at == nil && (!t.IsRelative() || len(t) > 0) && matches(t, found) {
					rng := n.Range()
					at = &rng
				}
			})
		}
	}
	return at
}

// matches applies found to a reference. Without a root, only its steps are
// compared.
func matches(t hcl.Traversal, found func(hcl.Traversal) bool) bool {
	if t.IsRelative() {
		t = append(hcl.Traversal{hcl.TraverseRoot{}}, t...)
	}
	return found(t)
}

func visit(e hcl.Expression, see func(hclsyntax.Node)) {
	syntax, ok := e.(hclsyntax.Expression)
	if !ok {
		return
	}
	_ = hclsyntax.VisitAll(syntax, func(n hclsyntax.Node) hcl.Diagnostics { // see returns no diagnostics
		see(n)
		return nil
	})
}

// unknownRules finds comparisons of reply.rule with a rule that does not exist:
// reply.rule != "hous" would always hold.
func unknownRules(cfg *lang.Config, a lang.Assert) []string {
	var names, out []string
	for _, r := range cfg.ReplyRules {
		names = append(names, ruleName(r.Address()))
	}
	visit(a.Condition, func(n hclsyntax.Node) {
		op, ok := n.(*hclsyntax.BinaryOpExpr)
		if !ok || op.Op != hclsyntax.OpEqual && op.Op != hclsyntax.OpNotEqual {
			return
		}
		for _, sides := range [][2]hclsyntax.Expression{{op.LHS, op.RHS}, {op.RHS, op.LHS}} {
			name, ok := literal(sides[1])
			if ok && isRule(sides[0]) && !slices.Contains(names, name) {
				out = append(out, fmt.Sprintf("%s:%d: there is no reply rule %q. There is: %s.", n.Range().Filename, n.Range().Start.Line, name, nameOr(strings.Join(names, ", "), "none")))
			}
		}
	})
	return out
}

func isRule(e hclsyntax.Expression) bool {
	ref, ok := e.(*hclsyntax.ScopeTraversalExpr)
	if !ok || !isReply(ref.Traversal) || named("forward")(ref.Traversal) {
		return false
	}
	last, ok := ref.Traversal[len(ref.Traversal)-1].(hcl.TraverseAttr)
	return ok && last.Name == "rule"
}

func literal(e hclsyntax.Expression) (string, bool) {
	if len(e.Variables()) > 0 {
		return "", false
	}
	v, diags := e.Value(nil)
	if diags.HasErrors() || v.IsNull() || !v.IsKnown() || v.Type() != cty.String {
		return "", false
	}
	return v.AsString(), true
}

// compared shows both sides of a comparison that does not hold.
func (r *Run) compared(c *lang.Comparison) string {
	got, want, what, op := c.Left, c.Right, c.LeftRange, r.source(c.LeftRange.End.Byte, c.RightRange.Start.Byte)
	if op != "==" {
		return fmt.Sprintf("  %s is %s, and must be %s %s", r.source(what.Start.Byte, what.End.Byte), shown(got), op, shown(want))
	}
	head := "  " + r.source(what.Start.Byte, what.End.Byte) + "\n"
	a, b := []string{shown(want)}, []string{shown(got)}
	if a[0] == b[0] {
		a[0], b[0] = a[0]+"  ("+want.Type().FriendlyName()+")", b[0]+"  ("+got.Type().FriendlyName()+")"
	}
	if isText(got) && isText(want) && strings.Contains(got.AsString()+want.AsString(), "\n") {
		a, b = strings.Split(want.AsString(), "\n"), strings.Split(got.AsString(), "\n")
	}
	return head + strings.Join(lineDiff(a, b), "\n")
}

// source returns a part of the test file on one line.
func (r *Run) source(from, to int) string {
	if from < 0 || to > len(r.src) || from > to {
		return ""
	}
	return strings.Join(strings.Fields(string(r.src[from:to])), " ")
}

func isText(v cty.Value) bool { return v.Type() == cty.String && !v.IsNull() }

func shown(v cty.Value) string { return string(hclwrite.TokensForValue(v).Bytes()) }

// lineDiff marks the lines in which two texts differ, between the lines that they
// have in common at the beginning and the end.
func lineDiff(want, got []string) []string {
	head, tail := 0, 0
	for head < min(len(want), len(got)) && want[head] == got[head] {
		head++
	}
	for tail < min(len(want), len(got))-head && want[len(want)-1-tail] == got[len(got)-1-tail] {
		tail++
	}
	var out []string
	add := func(mark string, lines []string) {
		for _, l := range lines {
			out = append(out, strings.TrimRight("  "+mark+" "+message.SafeText(l), " "))
		}
	}
	add(" ", want[:head])
	add("-", want[head:len(want)-tail])
	add("+", got[head:len(got)-tail])
	add(" ", want[len(want)-tail:])
	return out
}
