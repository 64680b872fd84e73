package plan

import (
	"maps"
	"math/big"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/lang"
)

// checks evaluates the check and output blocks against the plan. A campaign that
// -target or -exclude leaves out sends nothing, so that checks count nothing of it. An
// output that is made of it keeps the value that it had.
func (b *builder) checks() {
	nothing := (&Campaign{}).value(nil)
	none, unknown := map[string]cty.Value{}, map[string]cty.Value{}
	for _, c := range b.cfg.Campaigns {
		if name := CampaignName(c.Address()); !b.scope.covers(c.Address()) {
			none[name], unknown[name] = nothing, cty.UnknownVal(nothing.Type())
		}
	}
	for _, r := range b.cfg.EvalChecks(b.plan.value(none)) {
		b.assertion(r)
	}
	outputs, diags := b.cfg.EvalOutputs(b.plan.value(unknown))
	b.diags = append(b.diags, diags...)
	declared := map[string]bool{}
	for _, o := range outputs {
		declared[o.Name] = true
		before, known := b.in.Outputs[o.Name]
		if len(unknown) > 0 && !o.Value.IsWhollyKnown() {
			if known {
				b.plan.Outputs = append(b.plan.Outputs, Output{Name: o.Name, Sensitive: o.Sensitive, Change: NoOp, Value: before})
			}
			continue
		}
		out := Output{Name: o.Name, Sensitive: o.Sensitive, Change: Create}
		if !o.Sensitive {
			out.Value = b.outputJSON(o.Name, o.Value)
		}
		if known {
			out.Change = Update
			if before == out.Value {
				out.Change = NoOp
			}
		}
		b.plan.Outputs = append(b.plan.Outputs, out)
	}
	for _, name := range slices.Sorted(maps.Keys(b.in.Outputs)) {
		if !declared[name] {
			b.plan.Outputs = append(b.plan.Outputs, Output{Name: name, Change: Delete})
		}
	}
}

// assertion records the result of one assertion. A check fails at the first
// assertion that fails.
func (b *builder) assertion(r lang.CheckResult) {
	list := b.plan.Checks
	if len(list) == 0 || list[len(list)-1].Name != r.Name {
		list = append(list, Check{Name: r.Name, Status: "pass"})
		b.plan.Checks = list
	}
	if r.Passed {
		return
	}
	if c := &list[len(list)-1]; c.Status == "pass" {
		c.Status, c.Message = "fail", r.Message
	}
	b.diags = append(b.diags, fail("check_failed", r.Range, "check %q: %s", r.Name, r.Message))
}

// outputJSON returns the value of an output as JSON; null if it is not known.
func (b *builder) outputJSON(name string, v cty.Value) string {
	v, _ = v.UnmarkDeep()
	if v == cty.NilVal || !v.IsWhollyKnown() {
		return "null"
	}
	data, err := ctyjson.Marshal(v, v.Type())
	if err != nil {
		b.diags = append(b.diags, fail("plan_failed", hcl.Range{}, "output %q: %s.", name, err))
		return "null"
	}
	return string(data)
}

// Value is the plan as the expressions of check and output blocks see it, as
// the object `plan`:
//
//	plan.campaign["spring"].send      messages of the campaign itself; with for_each,
//	                                  plan.campaign["spring"]["de"].send
//	                       .fallback, .retry, .replace, .sent, .in_doubt, .refused, .held_out
//	                       .skip, .defer          recipients left out, put off
//	                       .skipped["opted_out"]  recipients left out by reason
//	                       .messages              all that apply would send
//	                       .recipients, .filtered, .longest_body
//	                       .cost                  null without a price file
//	                       .variant["de"].recipients, .messages  of a campaign with variants
//	                       .arm["short"].recipients, .messages   of a campaign with an experiment
//	plan.module.welcome.campaign["hello"].send   the same of a module's campaign, which is
//	                                  plan.campaign["module.welcome.campaign.hello"] too
//	plan.total             the same, summed over all campaigns
//	plan.changes.create, .update, .delete         resources
func (p *Plan) Value() cty.Value { return p.value(nil) }

// value is Value with further campaigns, by name, which are in no sum.
func (p *Plan) value(others map[string]cty.Value) cty.Value {
	campaigns := map[string]cty.Value{}
	maps.Copy(campaigns, others)
	total := Campaign{Counts: Counts{Skip: map[delivery.Reason]int{}, Defer: map[delivery.Reason]int{}}}
	cost := new(big.Rat)
	priced := false
	for i := range p.Campaigns {
		c := &p.Campaigns[i]
		campaigns[CampaignName(c.Address)] = c.value(amount(c.Cost))
		total.sum(c)
		if a := amount(c.Cost); a != nil {
			priced = true
			cost.Add(cost, a)
		}
	}
	if !priced {
		cost = nil
	}
	all := total.value(cost)
	byName := cty.MapValEmpty(all.Type())
	if len(campaigns) > 0 {
		byName = cty.MapVal(campaigns)
	}
	changes := map[string]int64{Create: 0, Update: 0, Delete: 0, Move: 0}
	for i := range p.Resources {
		changes[p.Resources[i].Change]++
	}
	return cty.ObjectVal(map[string]cty.Value{
		"campaign": byName,
		"total":    all,
		"changes": cty.ObjectVal(map[string]cty.Value{
			"create": cty.NumberIntVal(changes[Create]), "update": cty.NumberIntVal(changes[Update]),
			"delete": cty.NumberIntVal(changes[Delete]), "move": cty.NumberIntVal(changes[Move]),
		}),
	})
}

// CampaignName is what checks call the campaign at an address: the name with its key,
// `spring["de"]` of campaign.spring["de"], and the whole address in a module.
func CampaignName(address string) string { return strings.TrimPrefix(address, "campaign.") }

// amount is an estimate as an exact number; nil without one.
func amount(c *Cost) *big.Rat {
	if c == nil {
		return nil
	}
	r, _ := new(big.Rat).SetString(c.Amount)
	return r
}

// sum adds the counts of o.
func (c *Campaign) sum(o *Campaign) {
	c.Recipients += o.Recipients
	c.Filtered += o.Filtered
	c.Longest = max(c.Longest, o.Longest)
	n, m := &c.Counts, &o.Counts
	n.Send += m.Send
	n.Fallback += m.Fallback
	n.Retry += m.Retry
	n.Replace += m.Replace
	n.Sent += m.Sent
	n.InDoubt += m.InDoubt
	n.Refused += m.Refused
	n.HeldOut += m.HeldOut
	for reason, k := range m.Skip {
		n.Skip[reason] += k
	}
	for reason, k := range m.Defer {
		n.Defer[reason] += k
	}
}

// value is the campaign as checks see it: plan.campaign.spring.sends and the
// like.
func (c *Campaign) value(cost *big.Rat) cty.Value {
	number := func(n int) cty.Value { return cty.NumberIntVal(int64(n)) }
	skipped, skip := reasons(c.Counts.Skip)
	deferred, later := reasons(c.Counts.Defer)
	price := cty.NullVal(cty.Number)
	if cost != nil {
		price = cty.NumberVal(new(big.Float).SetPrec(512).SetRat(cost))
	}
	return cty.ObjectVal(map[string]cty.Value{
		"send": number(c.Counts.Send), "fallback": number(c.Counts.Fallback), "retry": number(c.Counts.Retry), "replace": number(c.Counts.Replace),
		"sent": number(c.Counts.Sent), "in_doubt": number(c.Counts.InDoubt), "refused": number(c.Counts.Refused), "held_out": number(c.Counts.HeldOut),
		"skip": number(skip), "defer": number(later), "skipped": skipped, "deferred": deferred,
		"messages": number(c.Counts.Sends()), "recipients": number(c.Recipients), "filtered": number(c.Filtered),
		"longest_body": number(c.Longest), "cost": price, "variant": c.variantsValue(), "arm": c.armsValue(),
	})
}

// variantsValue is the counts of a campaign's variants by name; "" counts the
// recipients who meet none.
func (c *Campaign) variantsValue() cty.Value {
	byName := map[string]cty.Value{}
	for i := range c.Variants {
		v := &c.Variants[i]
		byName[v.Name] = partValue(v.Recipients, v.Messages)
	}
	return partsValue(byName)
}

// armsValue is the counts of the arms of a campaign's experiment by name.
func (c *Campaign) armsValue() cty.Value {
	byName := map[string]cty.Value{}
	if c.Experiment != nil {
		for i := range c.Experiment.Arms {
			a := &c.Experiment.Arms[i]
			byName[a.Name] = partValue(a.Recipients, a.Messages)
		}
	}
	return partsValue(byName)
}

// partValue is the counts of a part of a campaign, and partsValue those of all parts
// by name.
func partValue(recipients, messages int) cty.Value {
	return cty.ObjectVal(map[string]cty.Value{"recipients": cty.NumberIntVal(int64(recipients)), "messages": cty.NumberIntVal(int64(messages))})
}

// partsValue makes a map of the parts by name; one without any has the same type.
func partsValue(byName map[string]cty.Value) cty.Value {
	if len(byName) == 0 {
		return cty.MapValEmpty(partValue(0, 0).Type())
	}
	return cty.MapVal(byName)
}

// reasons returns counts by reason as a cty map, and their sum.
func reasons(counts map[delivery.Reason]int) (cty.Value, int) {
	sum := 0
	m := map[string]cty.Value{}
	for reason, n := range counts {
		sum += n
		m[string(reason)] = cty.NumberIntVal(int64(n))
	}
	if len(m) == 0 {
		return cty.MapValEmpty(cty.Number), 0
	}
	return cty.MapVal(m), sum
}
