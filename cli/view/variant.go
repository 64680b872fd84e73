package view

import (
	"fmt"
	"slices"
	"strings"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/state"
)

// variantName is a variant's name; "others" for recipients who match none.
func variantName(name string) string {
	if name == "" {
		return "others"
	}
	return message.SafeText(name)
}

// variantCount is "2 recipients, 1 message".
func variantCount(v *plan.Variant) string {
	return Plural(v.Recipients, "recipient") + ", " + Plural(v.Messages, "message")
}

// variantRule is the condition of a variant and what recipients get who match it. In
// an experiment that is up to their arm.
func variantRule(v *plan.Variant, inArms bool) string {
	if inArms {
		return v.When
	}
	out := v.Message
	if v.Fallback != "" {
		out += ", window closed: " + v.Fallback
	}
	if v.When != "" {
		out = v.When + ": " + out
	}
	return out
}

// variantsText shows which recipients match which variant, each with its texts.
func variantsText(t treeText, c *plan.Campaign) {
	t.b.WriteString("\n")
	names, counts := 0, 0
	for i := range c.Variants {
		names = max(names, columns(variantName(c.Variants[i].Name)))
		counts = max(counts, columns(variantCount(&c.Variants[i])))
	}
	for i := range c.Variants {
		v := &c.Variants[i]
		line := pad("variant "+variantName(v.Name), names+8) + "  " + pad(variantCount(v), counts)
		if rule := variantRule(v, c.Experiment != nil); rule != "" {
			line += "  " + t.style.dim("# "+message.SafeText(rule))
		}
		t.line(6, " ", strings.TrimRight(line, " "))
		for _, sample := range v.Samples {
			t.line(9, "", t.style.dim(clip("  "+message.SafeText(sample.Recipient)+": "+quote(sample.Text), 110)))
		}
	}
}

// markdownVariants is a table of a campaign's variants.
func (r *PlanReport) markdownVariants(m *markdown) {
	for i := range r.Plan.Campaigns {
		c := &r.Plan.Campaigns[i]
		if len(c.Variants) == 0 || i == maxRows {
			continue
		}
		b := "\n| variant of " + code(c.Address) + " | condition | message | recipients | send |\n|---|---|---|--:|--:|\n"
		for k := range c.Variants {
			v := &c.Variants[k]
			when, messages := "", code(v.Message)
			if c.Experiment != nil {
				messages = "by arm"
			}
			if v.When != "" {
				when = code(v.When)
			}
			if v.Fallback != "" && c.Experiment == nil {
				messages += ", window closed: " + code(v.Fallback)
			}
			b += "| " + strings.Join([]string{code(variantName(v.Name)), when, messages, Count(v.Recipients), Count(v.Messages)}, " | ") + " |\n"
		}
		m.add(b)
	}
}

// sampleGroup are the samples of a campaign, or of one of its variants.
type sampleGroup struct {
	of      string // "" for the campaign
	samples []plan.Sample
}

func sampleGroups(c *plan.Campaign) []sampleGroup {
	var out []sampleGroup
	switch {
	case c.Experiment != nil:
		for i := range c.Experiment.Arms {
			out = append(out, sampleGroup{message.SafeText(c.Experiment.Arms[i].Name), c.Experiment.Arms[i].Samples})
		}
	case len(c.Variants) == 0:
		return []sampleGroup{{"", c.Samples}}
	}
	for i := range c.Variants {
		out = append(out, sampleGroup{variantName(c.Variants[i].Name), c.Variants[i].Samples})
	}
	return out
}

// pageVariant is a variant on the page of a plan.
type pageVariant struct {
	Name, When, Message, Fallback, Recipients, Messages string
}

func pageVariants(c *plan.Campaign) []pageVariant {
	var out []pageVariant
	for i := range c.Variants {
		v := &c.Variants[i]
		one := pageVariant{variantName(v.Name), v.When, v.Message, v.Fallback, Count(v.Recipients), Count(v.Messages)}
		if c.Experiment != nil {
			one.Message, one.Fallback = "by arm", ""
		}
		out = append(out, one)
	}
	return out
}

// VariantStatus counts the messages of one variant by their status.
type VariantStatus struct {
	Name      string `json:"name"` // "" for recipients who match none; all names if several variants send one message
	Accepted  int    `json:"accepted"`
	Rejected  int    `json:"rejected"`
	InDoubt   int    `json:"in_doubt"`
	Delivered int    `json:"delivered"` // or read
	Read      int    `json:"read"`
	Replied   int    `json:"replied"`
	Failed    int    `json:"failed"`
}

// AddVariant adds deliveries of a variant. The counts of all variants add up to
// those of the campaign.
func (r *StatusReport) AddVariant(name string, row state.FunnelRow) {
	i := slices.IndexFunc(r.Campaigns, func(c CampaignStatus) bool { return c.Address == row.Campaign && c.Revision == row.Revision })
	if i < 0 {
		return
	}
	c := &r.Campaigns[i]
	k := slices.IndexFunc(c.Variants, func(v VariantStatus) bool { return v.Name == name })
	if k < 0 {
		k = len(c.Variants)
		c.Variants = append(c.Variants, VariantStatus{Name: name})
	}
	var one CampaignStatus
	one.add(row, func(string) string { return "" })
	v := &c.Variants[k]
	v.Accepted, v.Rejected, v.InDoubt = v.Accepted+one.Accepted, v.Rejected+one.Rejected, v.InDoubt+one.InDoubt
	v.Delivered, v.Read = v.Delivered+one.Delivered+one.Read, v.Read+one.Read
	v.Replied, v.Failed = v.Replied+one.Replied, v.Failed+one.Failed
}

// variants draws a table of a campaign's variants.
func (c *CampaignStatus) variants(b *strings.Builder) {
	if len(c.Variants) == 0 {
		return
	}
	width := 7
	for i := range c.Variants {
		width = max(width, columns(variantName(c.Variants[i].Name)))
	}
	fmt.Fprintf(b, "\n  %s  accepted  delivered      read   replied    failed\n", pad("variant", width))
	for i := range c.Variants {
		v := &c.Variants[i]
		fmt.Fprintf(b, "  %s  %8s  %9s  %8s  %8s  %8s\n", pad(variantName(v.Name), width), Count(v.Accepted), Count(v.Delivered), Count(v.Read), Count(v.Replied), Count(v.Failed))
	}
}

// statusVariant is a variant on the page of a status.
type statusVariant struct{ Name, Accepted, Delivered, Read, Replied, Failed string }

func statusVariants(c *CampaignStatus) []statusVariant {
	var out []statusVariant
	for i := range c.Variants {
		v := &c.Variants[i]
		out = append(out, statusVariant{variantName(v.Name), Count(v.Accepted), Count(v.Delivered), Count(v.Read), Count(v.Replied), Count(v.Failed)})
	}
	return out
}
