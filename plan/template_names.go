package plan

import (
	"slices"

	"github.com/handbill/handbill/message"
)

// NamesTemplate reports whether messages of c may be the template of that name in
// that language; "" stands for every language.
func (p *Plan) NamesTemplate(c *Campaign, name, language string) bool {
	drafts := []int{c.Draft, c.FallbackDraft}
	for _, v := range c.Variants {
		drafts = append(drafts, v.Draft, v.FallbackDraft)
	}
	if c.Experiment != nil {
		for i := range c.Experiment.Arms {
			for _, t := range c.Experiment.Arms[i].Texts {
				drafts = append(drafts, t.Draft, t.FallbackDraft)
			}
		}
	}
	return slices.ContainsFunc(drafts, func(d int) bool {
		return d >= 0 && d < len(p.Drafts) && draftNames(p.Drafts[d], name, language)
	})
}

// draftNames reports whether a draft may send this template, in this language if one is
// given: what differs by recipient may be anything.
func draftNames(d *message.Draft, name, language string) bool {
	t, ok := d.Message.(*message.Template)
	if !ok {
		return false
	}
	differs := func(path string) bool {
		return slices.ContainsFunc(d.Bindings, func(b message.Binding) bool { return b.Path == path })
	}
	return (t.Name == name || differs("name")) && (language == "" || t.Language == language || differs("language"))
}
