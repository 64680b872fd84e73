package lang

import (
	"maps"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/handbill/handbill/message"
)

// planWithModules adds plan.module, where each call of a module has its campaigns, and
// the calls in it: plan.module.m["a"].module.b.campaign.x.
func (ev *evaluator) planWithModules(plan cty.Value) cty.Value {
	attrs := plan.AsValueMap()
	campaigns := map[string]map[string]cty.Value{}
	for address, c := range attrs[rootCampaign].AsValueMap() {
		if module, rest := message.CutModule(address); module != "" {
			put(campaigns, module, strings.TrimPrefix(rest, rootCampaign+"."), c)
		}
	}
	calls := map[string]map[string]cty.Value{}
	// What is further in comes first, so that it is known when its caller is made.
	inner := slices.SortedFunc(maps.Keys(ev.outputs), func(a, b string) int { return strings.Count(b, modulePrefix) - strings.Count(a, modulePrefix) })
	for _, address := range inner {
		caller, rest := message.CutModule(address)
		put(calls, caller, strings.TrimPrefix(rest, modulePrefix), cty.ObjectVal(map[string]cty.Value{
			rootCampaign: ev.byKey(message.WithModule(address, rootCampaign), campaigns[address]),
			rootModule:   ev.byKey(message.WithModule(address, rootModule), calls[address]),
		}))
	}
	attrs[rootModule] = ev.byKey(rootModule, calls[""])
	return cty.ObjectVal(attrs)
}

func put(m map[string]map[string]cty.Value, key, name string, v cty.Value) {
	if m[key] == nil {
		m[key] = map[string]cty.Value{}
	}
	m[key][name] = v
}

// byKey is an object of what has names below a root, where what has for_each is an
// object of its keys.
func (ev *evaluator) byKey(root string, named map[string]cty.Value) cty.Value {
	out, repeated := map[string]cty.Value{}, map[string]map[string]cty.Value{}
	for name, v := range named {
		if base, key, ok := cutKey(name); ok {
			put(repeated, base, key, v)
		} else {
			out[name] = v
		}
	}
	for base := range ev.keys { // one without a key has nothing
		if name, ok := strings.CutPrefix(base, root+"."); ok && !strings.ContainsAny(name, ".[") {
			out[name] = cty.ObjectVal(repeated[name])
		}
	}
	return cty.ObjectVal(out)
}
