package plan

import (
	"slices"
	"strings"
	"time"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
)

// Observed is what an account reported about its templates, or why it did not.
type Observed struct {
	Account   string // names it; "" if the number does not say
	Templates []account.Template
	At        time.Time // when it was reported
	Err       error     // why it could not be read
	// Kept says that the account was not asked: these are what the state keeps, with
	// the time of the oldest, and there may be others.
	Kept bool
}

// Templates are what was read for the plan's data blocks.
type Templates struct {
	// Of returns what the account of a number reported; nil if it was not asked.
	Of func(*lang.Provider) *Observed
	// Account names the account of a number; "" where that is not known.
	Account func(*lang.Provider) string
	// Abilities say which changes of templates the account of a number takes; nil
	// takes all.
	Abilities func(*lang.Provider) account.Abilities
	// Unread assumes that every template fits and may be sent. It is for plans that
	// are not applied, such as those of tests.
	Unread bool
}

// Managed is something that the plan relies on and somebody else owns: a template
// of the account, as it was read, or a catalog.
type Managed struct {
	Address    string    `json:"address"` // "data.template.otp.en_US"
	Kind       string    `json:"kind"`    // "template", "catalog", or the kind of a singleton
	Provider   string    `json:"provider"`
	Account    string    `json:"account,omitempty"`
	ID         string    `json:"id,omitempty"`
	Status     string    `json:"status"`
	Category   string    `json:"category"`
	ObservedAt time.Time `json:"observed_at"`
	// Declared says that a block manages it; otherwise it is only read.
	Declared bool `json:"declared,omitempty"`
	// Observed is all that was read of a template.
	Observed account.Template `json:"observed,omitzero"`
}

// abilities says what the provider's account can do with templates; nothing if unknown.
func (t *Templates) abilities(p *lang.Provider) account.Abilities {
	if t.Abilities == nil {
		return account.Abilities{}
	}
	return t.Abilities(p)
}

// fitted is a template message checked against the template that it names, in each
// of its languages.
type fitted struct {
	data   *lang.DataTemplate
	seen   *Observed
	langs  map[string]*translation
	fixed  *translation // where the language is the same for everybody
	draft  *message.Draft
	listed []string // languages, sorted
}

// translation is one language of a fitted template.
type translation struct {
	template *account.Template
	problems []account.Problem // what does not fit
	doubts   []account.Problem // what may not
	used     bool
	after    bool // apply waits for its approval before it sends
}

// hold returns why a message in this language waits; ReasonNone if it may go, or
// never will.
func (t *translation) hold() delivery.Reason {
	if t.after {
		return delivery.ReasonNone
	}
	switch t.template.State() {
	case account.Pending:
		return delivery.ReasonTemplatePending
	case account.Paused:
		return delivery.ReasonTemplatePaused
	}
	return delivery.ReasonNone
}

// unusable says why nothing can be sent in this language; "" where something
// can, now or later.
func (t *translation) unusable() string {
	switch t.template.State() {
	case account.Sendable, account.Pending, account.Paused:
		return ""
	}
	return "The account holds it as " + message.SafeText(t.template.Status) + ". " + t.template.Says()
}

// fit checks a message against the template that it names by a data block. It
// returns nil, true if there is nothing to check.
func (b *builder) fit(m *lang.Message, p *lang.Program) (*fitted, bool) {
	if p.Data == nil || b.in.Templates.Unread {
		return nil, true
	}
	t, isTemplate := p.Draft.Message.(*message.Template)
	seen := b.observed(p.Data)
	if seen == nil || !isTemplate {
		return nil, false
	}
	f := &fitted{data: p.Data, seen: seen, langs: map[string]*translation{}, draft: p.Draft, listed: account.Languages(seen.Templates, p.Data.Template)}
	for _, code := range f.listed {
		tr := &translation{template: account.Find(seen.Templates, p.Data.Template, code)}
		tr.after = p.Data.Declared != nil && p.Data.Declared.Wait && tr.template.State() == account.Pending
		for _, found := range account.Fit(t, tr.template) {
			if found.Doubt {
				tr.doubts = append(tr.doubts, found)
			} else {
				tr.problems = append(tr.problems, found)
			}
		}
		f.langs[code] = tr
	}
	ok := true
	if constant, code := f.language(nil); constant {
		ok = b.fixed(f, m, p, code)
	} else {
		ok = b.categories(f, m)
	}
	b.doubt(f, m, p)
	return f, ok
}

// doubt warns of what may not fit, once for all languages with the same doubt.
func (b *builder) doubt(f *fitted, m *lang.Message, p *lang.Program) {
	said := map[string]bool{}
	for _, code := range f.listed {
		tr := f.langs[code]
		if tr != f.fixed && f.sole() {
			continue
		}
		for _, found := range tr.doubts {
			if !said[found.Path+found.Detail] {
				said[found.Path+found.Detail] = true
				b.diags = append(b.diags, warn("template_doubted", p.Range(found.Path), "%s: %s", m.Address(), found.Detail))
			}
		}
	}
}

// sole reports whether the message is in one language for everybody.
func (f *fitted) sole() bool {
	constant, _ := f.language(nil)
	return constant
}

// fixed checks the message in its only language.
func (b *builder) fixed(f *fitted, m *lang.Message, p *lang.Program, code string) bool {
	f.fixed = f.langs[code]
	if f.fixed == nil {
		b.diags = append(b.diags, fail("template_language", p.Range("language"), "%s is in %q, and %s", m.Address(), message.SafeText(code), f.others(code)))
		return false
	}
	f.fixed.used = true
	ok := b.categories(f, m)
	for _, found := range f.fixed.problems {
		ok = false
		b.diags = append(b.diags, fail("template_mismatch", p.Range(found.Path), "%s does not fit %s in %s. %s", m.Address(), f.data.Template, message.SafeText(code), found.Detail))
	}
	if why := f.fixed.unusable(); why != "" {
		ok = false
		b.diags = append(b.diags, fail("template_unusable", m.DeclRange, "%s sends the template %s in %s, which can't be sent. %s", m.Address(), f.data.Template, message.SafeText(code), why))
	}
	return ok
}

// others says in which languages the account has the template.
func (f *fitted) others(code string) string {
	return "the account has the template " + f.data.Template + " in: " + message.SafeText(strings.Join(f.listed, ", ")) + "." + lang.DidYouMean(code, f.listed)
}

// language returns the language of the message for a recipient's values; constant
// says that it is the same for everybody, whatever the values.
func (f *fitted) language(values []string) (constant bool, code string) {
	for _, bound := range f.draft.Bindings {
		if bound.Path != "language" {
			continue
		}
		if values == nil {
			return false, ""
		}
		for _, part := range bound.Parts {
			if part.Slot >= 0 {
				code += values[part.Slot]
			} else {
				code += part.Text
			}
		}
		return false, code
	}
	t, _ := f.draft.Message.(*message.Template)
	return true, t.Language
}

// observed returns what the account of a data block reported about its template.
// Problems are reported once for each block.
func (b *builder) observed(d *lang.DataTemplate) *Observed {
	if seen, done := b.templates[d]; done {
		return seen
	}
	b.templates[d] = nil
	seen := b.accountOf(d)
	if seen == nil {
		return nil
	}
	known := len(account.Languages(seen.Templates, d.Template)) > 0
	if !known && seen.Kept {
		b.diags = append(b.diags, fail("template_unreadable", d.DeclRange, "%s: the account of %s was not asked (-refresh=false), and the state keeps only what template blocks declare.", d.Address(), d.Provider.Address()))
		return nil
	}
	if !known {
		b.diags = append(b.diags, fail("template_missing", d.DeclRange, "%s: the account of %s has no template %s.%s",
			d.Address(), d.Provider.Address(), d.Template, lang.DidYouMean(d.Template, names(seen.Templates))))
		return nil
	}
	b.templates[d] = seen
	return seen
}

// accountOf returns what the account of a template reported. If it reported
// nothing, accountOf adds a diagnostic and returns nil.
func (b *builder) accountOf(d *lang.DataTemplate) *Observed {
	if d.Provider == nil {
		return nil // reported by lang.Load
	}
	var seen *Observed
	if b.in.Templates.Of != nil {
		seen = b.in.Templates.Of(d.Provider)
	}
	switch {
	case seen == nil:
		b.diags = append(b.diags, fail("template_unreadable", d.DeclRange, "%s: the templates of %s were not read.", d.Address(), d.Provider.Address()))
		return nil
	case seen.Err != nil:
		b.diags = append(b.diags, fail("template_unreadable", d.DeclRange, "%s: the templates of the account of %s could not be read, so it is not known whether %s may be sent. %s",
			d.Address(), d.Provider.Address(), d.Template, ended(seen.Err.Error())))
		return nil
	}
	return seen
}

// names returns the names of templates, each once, for a sentence.
func names(list []account.Template) []string {
	var out []string
	for i := range list {
		out = append(out, message.SafeText(list[i].Name))
	}
	return slices.Compact(out) // sorted by name
}

// sameAccount requires that a message is sent from a number of the account that
// holds its template.
func (b *builder) sameAccount(owner string, number *lang.Provider, m *lang.Message, f *fitted) bool {
	d, seen := f.data, f.seen
	if number == nil || number == d.Provider {
		return true
	}
	if b.in.Templates.Account != nil && number.Type == d.Provider.Type && seen.Account != "" && b.in.Templates.Account(number) == seen.Account {
		return true
	}
	b.diags = append(b.diags, fail("template_account", m.DeclRange,
		"%s sends %s from %s, and %s is read from the account of %s, which is another one, or not known to be the same. A template can be sent by the numbers of its own account only: read it with a data block of the campaign's provider.",
		owner, m.Address(), number.Address(), d.Address(), d.Provider.Address()))
	return false
}

// categories compares the category that a message declares with the account's. That
// a template costs more, needs other consent, or does not reach the United States
// must be found out before it is sent.
func (b *builder) categories(f *fitted, m *lang.Message) bool {
	ok := true
	t, _ := f.draft.Message.(*message.Template)
	for _, code := range f.listed {
		tr := f.langs[code]
		if f.sole() && tr != f.fixed {
			continue
		}
		held := message.SafeText(tr.template.Category)
		switch {
		case m.Category != "" && m.Category != tr.template.Category:
			ok = false
			b.diags = append(b.diags, fail("template_category", m.DeclRange,
				"%s says that the template %s is of the category %q, and the account holds it in %s as %q. Price, consent, and whether it reaches numbers of the United States depend on it: write category = %q where that is right, or leave category out, so that what the account says counts.%s",
				m.Address(), f.data.Template, m.Category, message.SafeText(code), held, held, b.compared(m.Category, tr.template.Category)))
		case t.Marketing != "" && tr.template.Category != account.Marketing:
			ok = false
			b.diags = append(b.diags, fail("template_category", m.DeclRange,
				"%s goes through Marketing Messages, which take marketing templates alone, and the account holds %s in %s as %q: take marketing_messages out.", m.Address(), f.data.Template, message.SafeText(code), held))
		}
	}
	return ok
}

// fitCampaign checks a campaign's messages against the account. The account's
// category of a template also counts for the campaign.
func (b *builder) fitCampaign(decl *lang.Campaign, c *Campaign, list []side) bool {
	ok := true
	for _, side := range list {
		f, fits := b.fit(side.m, side.made.program)
		ok = ok && fits
		if d := side.made.program.Data; d != nil {
			ok = b.oneTemplate(decl, c.Template, d) && ok
			c.Template = d.Address()
		}
		if f == nil {
			continue
		}
		side.made.fitted, b.fits = f, append(b.fits, f)
		ok = b.sameAccount(decl.Address(), decl.Provider, side.m, f) && ok
		if side.m.Category == "" {
			c.Category = f.category()
		}
	}
	return b.oneCategory(decl, list) && ok
}

// category returns the account's category of the template, if it is the same in
// every language that a message may be in; "" if it differs or is an unknown word:
// it then counts as marketing.
func (f *fitted) category() string {
	list := f.langs
	if f.fixed != nil {
		list = map[string]*translation{"": f.fixed}
	}
	held, first := "", true
	for _, tr := range list {
		c := tr.template.Category
		if !first && c != held || c != account.Marketing && c != account.Utility && c != account.Authentication {
			return ""
		}
		held, first = c, false
	}
	return held
}

// fitReplies checks the templates that reply rules send against the account.
func (b *builder) fitReplies() {
	for _, r := range b.cfg.ReplyRules {
		p, failed := b.cfg.CompileReply(r)
		if failed.HasErrors() || p == nil || p.Reply == nil || p.Reply.Data == nil {
			continue // reported by lang.Load, or nothing to check it against
		}
		numbers := b.cfg.Providers
		if r.Provider != nil {
			numbers = []*lang.Provider{r.Provider}
		}
		f, _ := b.fit(r.Reply, p.Reply)
		if f == nil {
			continue
		}
		b.fits = append(b.fits, f)
		for _, number := range numbers {
			if !b.sameAccount(r.Address(), number, r.Reply, f) {
				break
			}
		}
	}
}

// managed records the templates that the plan relies on, and warns of those that
// are not as they should be.
func (b *builder) managed() {
	for _, d := range b.cfg.Data {
		if b.scope.covers(d.Address()) && !b.in.Templates.Unread {
			b.observed(d) // even one that nothing uses has to exist
		}
	}
	noted := map[string]bool{}
	for i := range b.plan.Managed {
		noted[b.plan.Managed[i].Address] = true // of template blocks
	}
	for _, f := range b.fits {
		for _, code := range f.listed {
			tr := f.langs[code]
			address := f.data.Address() + "." + code
			if tr.used && f.data.Declared != nil {
				b.tellTemplate(f.data, tr.template, tr.hold())
			}
			if !tr.used || noted[address] || f.data.Declared != nil {
				continue
			}
			noted[address] = true
			b.plan.Managed = append(b.plan.Managed, Managed{Address: address, Kind: "template", Provider: f.data.Provider.Address(), Account: f.seen.Account,
				ID: tr.template.ID, Status: tr.template.Status, Category: tr.template.Category, ObservedAt: f.seen.At.UTC(), Observed: *tr.template})
			b.tellTemplate(f.data, tr.template, tr.hold())
		}
	}
	slices.SortFunc(b.plan.Managed, func(a, b Managed) int { return strings.Compare(a.Address, b.Address) })
}

// tellTemplate warns of what a reviewer has to know of a template.
func (b *builder) tellTemplate(d *lang.DataTemplate, t *account.Template, hold delivery.Reason) {
	name := d.Template + " in " + message.SafeText(t.Language)
	if hold != delivery.ReasonNone {
		b.diags = append(b.diags, warn("template_waits", d.DeclRange,
			"The template %s is not sent while the account holds it as %s. %s Run the command again when it is approved.", name, message.SafeText(t.Status), t.Says()))
	}
	if t.CorrectCategory != "" && t.CorrectCategory != t.Category {
		b.diags = append(b.diags, warn("template_category_notice", d.DeclRange,
			"Meta takes the template %s for %q and has announced to hold it so instead of as %q. Its price, the consent that it needs and whether it reaches numbers of the United States change with that.%s",
			name, message.SafeText(t.CorrectCategory), message.SafeText(t.Category), b.compared(t.Category, t.CorrectCategory)))
	}
}
