package lang

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/handbill/handbill/lang/eval"
)

// outputsOf evaluates the module's outputs. One that depends on the plan has no
// value here; checks and outputs of the callers see its expression.
func (l *loader) outputsOf(m *module, inner []*declaration) cty.Value {
	l.diags.in = m
	defer func() { l.diags.in = m.caller }()
	names, values := []string{}, map[string]cty.Value{}
	for _, decl := range inner {
		if decl.root != rootOutput {
			continue
		}
		names = append(names, decl.name)
		o := l.decodeOutput(decl.block)
		if o.Expr == nil {
			values[decl.name] = cty.DynamicVal
			continue
		}
		e := o.Expr.(hclsyntax.Expression)
		if uses(e, rootPlan) {
			if o.Sensitive {
				rng := e.Range()
				e = &hclsyntax.FunctionCallExpr{Name: "sensitive", Args: []hclsyntax.Expression{e}, NameRange: rng, OpenParenRange: rng, CloseParenRange: rng}
			}
			l.ev.late[m.address+"."+decl.name] = parenthesised(e)
			continue
		}
		v, _ := l.ev.constant(e, l.diags)
		if eval.IsSensitive(v) && !o.Sensitive {
			l.diags.err("sensitive_value", e.Range(), "The output %q is made from a sensitive value; set sensitive = true on it.", o.Name)
		}
		if o.Sensitive {
			v = v.Mark(eval.Sensitive)
		}
		values[decl.name] = v
	}
	l.ev.outputs[m.address] = names
	return cty.ObjectVal(values)
}

// outputAt returns the call and the output that a reference such as
// module.welcome.out names, and its number of steps; ok is false for the outputs as
// a whole.
func (ev *evaluator) outputAt(t hcl.Traversal) (call, name string, steps int, ok bool) {
	call, steps, ok = baseOf(t)
	if !ok || rootKind(t) != rootModule {
		return "", "", 0, false
	}
	if _, repeated := ev.keys[call]; repeated {
		key, one := stepName(t, steps)
		if !one {
			return call, "", steps, false
		}
		call, steps = keyed(call, key), steps+1
	}
	name, ok = stepName(t, steps)
	return call, name, steps + 1, ok
}

// checkOutput reports an output that a module does not have, and one that depends on
// the plan where there is none yet.
func (ev *evaluator) checkOutput(t hcl.Traversal, diags *diagList) bool {
	call, name, steps, ok := ev.outputAt(t)
	if !ok || ev.outputs[call] == nil {
		return true
	}
	if ev.late[call+"."+name] != nil {
		diags.err("wrong_scope", stepRange(t, steps-1), "The output %s.%s depends on the plan, so that only checks and outputs may refer to it.", call, name)
		return false
	}
	if names := ev.outputs[call]; !slices.Contains(names, name) {
		diags.err("unknown_reference", stepRange(t, steps-1), "%s has no output named %q.%s It has: %s. What else is in a module cannot be seen from outside of it.", call, name, didYouMean(name, names), listOf(names))
		return false
	}
	return true
}

// withLate replaces the outputs of modules that depend on the plan by their expressions.
func (ev *evaluator) withLate(e hclsyntax.Expression) hclsyntax.Expression {
	if len(ev.late) == 0 {
		return e
	}
	return substitute(e, func(ref *hclsyntax.ScopeTraversalExpr) hclsyntax.Expression {
		call, name, steps, ok := ev.outputAt(ref.Traversal)
		if late := ev.late[call+"."+name]; ok && late != nil {
			return follow(late, ref.Traversal[steps:], ref.SrcRange)
		}
		return nil
	})
}

// passed replaces variables and outputs of modules that stand for a resource by a
// reference to it, so that later code knows one form.
func (ev *evaluator) passed(e hclsyntax.Expression) hclsyntax.Expression {
	if len(ev.outputs) == 0 {
		return e
	}
	return substitute(e, func(ref *hclsyntax.ScopeTraversalExpr) hclsyntax.Expression {
		t := ref.Traversal
		v, steps := cty.NilVal, 2
		name, ok := stepName(t, 1)
		switch {
		case rootKind(t) == rootVar && ok:
			if e := ev.unset[t.RootName()+"."+name]; e != nil {
				return follow(e, t[2:], ref.SrcRange)
			}
			v = ev.values[t.RootName()][name]
		case rootKind(t) == rootModule:
			if _, _, steps, ok = ev.outputAt(t); ok {
				v, _ = t[1:steps].TraverseRel(cty.ObjectVal(ev.values[t.RootName()]))
			}
		}
		if v == cty.NilVal {
			return nil
		}
		return ev.referenceIn(v, t[steps:], ref.SrcRange)
	})
}

// referenceIn follows the steps in a value up to the first that leads to a resource, and
// returns the reference to it with what is left; nil if none does.
func (ev *evaluator) referenceIn(v cty.Value, steps hcl.Traversal, rng hcl.Range) hclsyntax.Expression {
	for {
		if whole, ok := ev.asReference(v, rng); ok {
			return follow(whole, steps, rng)
		}
		if len(steps) == 0 {
			return nil
		}
		next, diags := steps[:1].TraverseRel(v)
		if diags.HasErrors() {
			return nil
		}
		v, steps = next, steps[1:]
	}
}

// outputsAt returns the addresses of the outputs that a reference to a module leads to.
func (l *loader) outputsAt(t hcl.Traversal) []string {
	call, name, _, one := l.ev.outputAt(t)
	base, _, ok := baseOf(t)
	if !ok {
		return nil
	}
	if one {
		if address := call + "." + rootOutput + "." + name; l.byAddress[address] != nil {
			return []string{address}
		}
		return nil
	}
	calls := []string{base}
	for _, key := range l.ev.keys[base] {
		calls = append(calls, keyed(base, key))
	}
	var out []string
	for _, call := range calls {
		for _, name := range l.ev.outputs[call] {
			out = append(out, call+"."+rootOutput+"."+name)
		}
	}
	return out
}
