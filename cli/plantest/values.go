package plantest

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
)

// replyValue is a Reply as assertions see it. The values about one rule (rule,
// message, text, fields, match, lookup) come from the first rule that sends a
// message, or else from the first that fires; forward and error come from the first
// rule that has one. answers has all rules, in order.
func replyValue(r *Reply) cty.Value {
	lead, rules, answers := Answer{}, []cty.Value{}, []cty.Value{}
	set := map[string]string{}
	for i := range r.Answers {
		a := r.Answers[i]
		if i == 0 || lead.Rendered == nil && a.Rendered != nil {
			a.Forward, a.Handed, a.Error, a.Handover = first(lead.Forward, a.Forward), lead.Handed, first(lead.Error, a.Error), a.Handover || lead.Handover
			if lead.Handed == nil {
				a.Handed = r.Answers[i].Handed
			}
			lead = a
		} else {
			lead.Error, lead.Handover = first(lead.Error, a.Error), lead.Handover || a.Handover
			if lead.Forward == "" {
				lead.Forward, lead.Handed = a.Forward, a.Handed
			}
		}
		maps.Copy(set, r.Answers[i].Set)
		rules, answers = append(rules, cty.StringVal(ruleName(a.Rule))), append(answers, cty.ObjectVal(answerValues(&r.Answers[i])))
	}
	lead.Set = set
	out := answerValues(&lead)
	out["none"] = cty.BoolVal(len(r.Answers) == 0)
	out["rules"], out["answers"] = cty.TupleVal(rules), cty.TupleVal(answers)
	out["stop_word"], out["silent"] = orNull(r.Stop), orNull(r.Silent)
	out["inbound"] = cty.ObjectVal(map[string]cty.Value{"type": cty.StringVal(r.Type), "text": cty.StringVal(r.Text)})
	return cty.ObjectVal(out)
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func ruleName(address string) string { return strings.TrimPrefix(address, "reply_rule.") }

func answerValues(a *Answer) map[string]cty.Value {
	lookups := map[string]cty.Value{}
	for _, l := range a.Lookups {
		lookups[l.Name] = cty.ObjectVal(map[string]cty.Value{"method": cty.StringVal(l.Method), "url": cty.StringVal(l.URL)})
	}
	forward := cty.NullVal(cty.DynamicPseudoType)
	if a.Forward != "" {
		forward = cty.ObjectVal(map[string]cty.Value{"url": cty.StringVal(a.Forward), "body": jsonValue(a.Handed)})
	}
	out := map[string]cty.Value{
		"rule": orNull(ruleName(a.Rule)), "match": textObject(a.Match), "set": textObject(a.Set), "lookup": cty.ObjectVal(lookups), "forward": forward,
		"handover": cty.BoolVal(a.Handover), "mark_read": cty.BoolVal(a.MarkRead), "typing": cty.BoolVal(a.Typing), "error": orNull(a.Error),
	}
	maps.Copy(out, messageValues(a.Message, a.Rendered))
	return out
}

// messageValues returns the values under which assertions see a rendered message;
// null if there is none.
func messageValues(address string, m message.Message) map[string]cty.Value {
	text, fields := cty.NullVal(cty.String), map[string]string{}
	if m != nil {
		message.Fields(m, func(f message.Field) {
			if *f.Text != "" {
				fields[f.Path] = *f.Text
			}
		})
	}
	for _, path := range []string{"body", "caption"} {
		if s, ok := fields[path]; ok && text.IsNull() {
			text = cty.StringVal(s)
		}
	}
	return map[string]cty.Value{"message": orNull(address), "text": text, "fields": texts(fields)}
}

func orNull(s string) cty.Value {
	if s == "" {
		return cty.NullVal(cty.String)
	}
	return cty.StringVal(s)
}

func texts(m map[string]string) cty.Value {
	out := map[string]cty.Value{}
	for name, s := range m {
		out[name] = cty.StringVal(s)
	}
	if len(out) == 0 {
		return cty.MapValEmpty(cty.String)
	}
	return cty.MapVal(out)
}

// textObject returns an object, not a map, so that { name = "x" } equals it.
func textObject(m map[string]string) cty.Value {
	out := map[string]cty.Value{}
	for name, s := range m {
		out[name] = cty.StringVal(s)
	}
	return cty.ObjectVal(out)
}

func jsonValue(data json.RawMessage) cty.Value {
	t, err := ctyjson.ImpliedType(data)
	if err != nil {
		return cty.NullVal(cty.DynamicPseudoType)
	}
	v, err := ctyjson.Unmarshal(data, t)
	if err != nil {
		return cty.NullVal(cty.DynamicPseudoType)
	}
	return v
}

// withRecipients is the plan's value with recipient["+49…"] added to its campaigns.
func withRecipients(p *plan.Plan) (cty.Value, error) {
	byCampaign := make([]map[string]cty.Value, len(p.Campaigns))
	none := messageValues("", nil)
	for _, name := range []string{"action", "reason", "arm"} {
		none[name] = cty.NullVal(cty.String)
	}
	for e, err := range p.Entries() {
		if err != nil {
			return cty.NilVal, err
		}
		if byCampaign[e.Campaign] == nil {
			byCampaign[e.Campaign] = map[string]cty.Value{}
		}
		if key := e.Recipient.Key(); key != "" {
			byCampaign[e.Campaign][key] = entryValue(p, &e)
		}
	}
	whole := p.Value().AsValueMap()
	campaigns := whole["campaign"].AsValueMap()
	for i := range p.Campaigns {
		name := plan.CampaignName(p.Campaigns[i].Address)
		fields := campaigns[name].AsValueMap()
		fields["recipient"] = cty.MapValEmpty(cty.ObjectVal(none).Type())
		if len(byCampaign[i]) > 0 {
			fields["recipient"] = cty.MapVal(byCampaign[i])
		}
		campaigns[name] = cty.ObjectVal(fields)
	}
	if len(campaigns) > 0 {
		whole["campaign"] = cty.MapVal(campaigns)
	}
	return cty.ObjectVal(whole), nil
}

func entryValue(p *plan.Plan, e *plan.Entry) cty.Value {
	c := &p.Campaigns[e.Campaign]
	var out map[string]cty.Value
	if e.Draft < 0 {
		out = messageValues("", nil)
	} else {
		address, _, _ := c.MessageOf(e.Draft)
		out = messageValues(address, p.Drafts[e.Draft].Render(slices.Clone(e.Values)))
	}
	arm, _ := c.ChoiceOf(e.Draft)
	out["action"], out["reason"], out["arm"] = cty.StringVal(e.Action.String()), orNull(string(e.Reason)), orNull(arm)
	return cty.ObjectVal(out)
}
