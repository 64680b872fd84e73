package plan

import (
	"slices"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
)

// Variant is one of the texts of a campaign with variants. The last one of a
// campaign has no name: it is for recipients who meet no condition.
type Variant struct {
	Name          string   `json:"name"`
	When          string   `json:"when"` // the condition as it is written; "" for the last
	Message       string   `json:"message"`
	Fallback      string   `json:"fallback,omitempty"`
	Recipients    int      `json:"recipients"` // who meets it, whatever is done with them
	Messages      int      `json:"messages"`   // how many of them apply would send to
	Samples       []Sample `json:"samples"`    // masked
	Draft         int      `json:"-"`
	FallbackDraft int      `json:"-"`
}

// MessageOf returns the address of the message that a draft of the campaign was made
// from, and whether it is a fallback; ok is false for a draft of another campaign.
func (c *Campaign) MessageOf(draft int) (address string, fallback, ok bool) {
	switch {
	case draft < 0:
		return "", false, false
	case c.Experiment != nil:
		_, t := c.Experiment.text(draft)
		if t == nil {
			return "", false, false
		}
		if draft == t.Draft {
			return t.Message, false, true
		}
		return t.Fallback, true, true
	case draft == c.Draft:
		return c.Message, false, true
	case draft == c.FallbackDraft:
		return c.Fallback, true, true
	}
	for i := range c.Variants {
		switch v := &c.Variants[i]; draft {
		case v.Draft:
			return v.Message, false, true
		case v.FallbackDraft:
			return v.Fallback, true, true
		}
	}
	return "", false, false
}

// texts is the message for a recipient, and the one for a closed window.
type texts struct {
	main     *compiled
	fallback *compiled // nil for none
}

// choice is a variant that is ready to be tested on recipients.
type choice struct {
	texts
	program lang.VariantProgram
	decl    *lang.Variant
}

// compileVariants prepares the messages of a campaign's variants. own are the
// campaign's own, which those get who meet no variant.
func (b *builder) compileVariants(decl *lang.Campaign, c *Campaign, own texts) (list []choice, ok bool) {
	programs := b.cfg.CompileVariants(decl)
	if len(programs) != len(decl.Variants) {
		return nil, false // reported by CompileCampaign
	}
	ok = true
	for i, v := range decl.Variants {
		one := choice{program: programs[i], decl: v, texts: texts{fallback: own.fallback}}
		said := Variant{Name: v.Name, When: v.When, Message: v.Message.Address(), Fallback: c.Fallback, Samples: []Sample{}, FallbackDraft: c.FallbackDraft}
		var fits bool
		one.main, fits = b.compileOne(decl, programs[i].Main, v.Message)
		ok = ok && fits
		said.Draft = one.main.draft
		if v.Fallback != nil {
			one.fallback, fits = b.compileOne(decl, programs[i].Fallback, v.Fallback)
			ok = ok && fits
			said.Fallback, said.FallbackDraft = v.Fallback.Address(), one.fallback.draft
		}
		list = append(list, one)
		c.Variants = append(c.Variants, said)
	}
	if len(list) > 0 {
		c.Variants = append(c.Variants, Variant{Message: c.Message, Fallback: c.Fallback, Samples: []Sample{}, Draft: c.Draft, FallbackDraft: c.FallbackDraft})
	}
	return list, ok
}

// side is a message of a campaign, as it is declared and as it is made.
type side struct {
	made *compiled
	m    *lang.Message
}

// sides are the messages of a campaign that could be made.
func sides(decl *lang.Campaign, own texts, variants []choice, arms []arm) []side {
	if len(arms) > 0 {
		return armSides(arms)
	}
	list := []side{{own.main, decl.Message}, {own.fallback, decl.Fallback}}
	for _, v := range variants {
		list = append(list, side{v.main, v.decl.Message})
		if v.decl.Fallback != nil {
			list = append(list, side{v.fallback, v.decl.Fallback})
		}
	}
	return made(list)
}

// made returns the sides that were compiled; list is used up.
func made(list []side) []side {
	return slices.DeleteFunc(list, func(s side) bool { return s.made == nil })
}

// several reports whether a campaign has several texts, one of which each recipient
// gets.
func several(decl *lang.Campaign) bool { return len(decl.Variants) > 0 || decl.Experiment != nil }

// oneTemplate requires that a campaign's variants read one template from the account,
// in any of its languages: apply asks for it before it sends.
func (b *builder) oneTemplate(decl *lang.Campaign, before string, d *lang.DataTemplate) bool {
	if before == "" || before == d.Address() || !several(decl) {
		return true
	}
	b.diags = append(b.diags, fail("variant_templates", decl.DeclRange,
		"%s sends the templates of %s and of %s. The templates of one campaign that the account is asked for are one, in several languages: make them two campaigns.",
		decl.Address(), before, d.Address()))
	return false
}

// oneCategory requires that all templates of a campaign with variants have one
// category: consent, cool-downs and prices belong to the campaign.
func (b *builder) oneCategory(decl *lang.Campaign, list []side) bool {
	var first *side
	for i := range list {
		s := &list[i]
		switch {
		case !several(decl) || s.m.Kind != message.KindTemplate:
		case first == nil:
			first = s
		case s.category() != first.category():
			b.diags = append(b.diags, fail("variant_templates", decl.DeclRange,
				"%s sends %s, which is of the category %q, and %s, which is of the category %q. The templates of one campaign are of one category, since consent and cool-downs depend on it: make them two campaigns.",
				decl.Address(), first.m.Address(), first.category(), s.m.Address(), s.category()))
			return false
		}
	}
	return true
}

// category is the template's category: as declared, otherwise as the account holds
// it, otherwise marketing.
func (s *side) category() string {
	category := s.m.Category
	if category == "" && s.made.fitted != nil {
		category = s.made.fitted.category()
	}
	if category == "" {
		return account.Marketing
	}
	return category
}

// choose finds the messages for a recipient: those of the first variant whose
// condition they meet. It reports false, with a problem, where a condition has no
// result for them.
func (j *judge) choose(w *worker, v *verdict) (texts, bool) {
	if len(j.variants) == 0 {
		return j.own, true
	}
	r := v.entry.Recipient
	r.Attributes = w.person.Attributes
	for i := range j.variants {
		met, err := j.variants[i].program.Met(&r)
		if err != nil {
			j.valueError(w, v, err)
			return texts{}, false
		}
		if met {
			v.variant = i + 1
			return j.variants[i].texts, true
		}
	}
	v.variant = len(j.variants) + 1
	return j.own, true
}

// meetVariant counts a recipient in their variant.
func (q *sequencer) meetVariant(v *verdict) {
	if v.variant == 0 {
		return
	}
	one := &q.campaign.Variants[v.variant-1]
	one.Recipients++
	if v.entry.Action.Sends() {
		one.Messages++
		if q.byVariant == nil {
			q.byVariant = make([]samples, len(q.campaign.Variants))
		}
		q.byVariant[v.variant-1].see(&v.entry, v.length)
	}
}

// finishVariants fills in the samples, and warns of variants that nobody meets.
func (b *builder) finishVariants(decl *lang.Campaign, q *sequencer) {
	for i := range q.byVariant {
		q.campaign.Variants[i].Samples = q.byVariant[i].list(b.plan.Drafts)
	}
	met := 0
	for i := range q.campaign.Variants {
		met += q.campaign.Variants[i].Recipients
	}
	if met == 0 || q.judge.scope.partly(q.campaign.Address) {
		return
	}
	for i, v := range decl.Variants {
		if q.campaign.Variants[i].Recipients == 0 {
			b.diags = append(b.diags, warn("variant_unmet", v.DeclRange,
				"None of the %s of %s meets the variant %q, whose condition is %s. Perhaps the attribute is spelt another way in the source, or a variant before it takes them all.",
				recipients(met), q.campaign.Address, v.Name, v.When))
		}
	}
}
