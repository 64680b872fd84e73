package plan

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// recentUse is how long Meta goes on trying to deliver what was sent with a template
// that is deleted. A deleted name is blocked for as long. Source: Meta,
// template-management, 2026-09-11.
const recentUse = 30 * 24 * time.Hour

// sampleTemplate is Meta's own, which can't be deleted (2388094).
const sampleTemplate = "hello_world"

// deposed is the address under which the state keeps a template that is being
// replaced: that of the translation, with the name, or the account, that it had.
func deposed(address, old string) string { return address + "@" + old }

// replacedBy is the address of what replaces the template at an address; "" for none.
func replacedBy(address string) string {
	by, _, ok := strings.Cut(address, "@")
	if !ok {
		return ""
	}
	return by
}

// replace takes apart what the state has at the translation's address and what is
// declared, if the account tells them apart: another name, or another account. A
// name is never changed, so the declared one is created and the old one is kept until
// then; one that was replaced before, and is declared again, comes back.
func (s *settling) replace() {
	key, address := TemplateKey(&s.spec.Template), s.tr.Address()
	same := func(row *state.Managed) bool {
		return row.Key == key && (row.Account == s.seen.Account || row.Account == "" || s.seen.Account == "")
	}
	if s.row != nil && !same(s.row) {
		name, _, _ := strings.Cut(s.row.Key, "/")
		if name == s.spec.Name {
			name = s.row.Account
		}
		s.old = deposed(address, name)
		s.rows[s.old], s.row = s.row, nil
		delete(s.rows, address)
		s.c.Notes = append(s.c.Notes, "it replaces "+message.SafeText(name))
	}
	if s.row != nil {
		return
	}
	for old, row := range s.rows { // one at most is the same
		if old != s.old && replacedBy(old) == address && same(row) {
			s.row = row
			delete(s.rows, old)
		}
	}
}

// ignore takes the parts that ignore_changes names from the account.
func (s *settling) ignore() {
	if s.held == nil || s.row == nil || !s.row.Known() {
		return
	}
	for _, part := range s.t.Lifecycle.Ignored {
		if part.Part != "ttl" && part.Language != s.spec.Language {
			continue
		}
		whole := part.Part == ""
		if whole || part.Part == "body" {
			s.spec.Body = s.held.Body
		}
		if whole || part.Part == "footer" {
			s.spec.Footer = s.held.Footer
		}
		if whole || part.Part == "header" {
			s.spec.Header, s.spec.File = s.held.Header, s.was.File
		}
		if whole || part.Part == "button" {
			s.spec.Buttons = s.held.Buttons
		}
		if whole {
			s.spec.Offer, s.spec.Expires, s.spec.Cards, s.spec.Strange, s.spec.Named = s.held.Offer, s.held.Expires, s.held.Cards, s.held.Strange, s.held.Named
		}
		if whole || part.Part == "ttl" {
			s.spec.TTL = s.held.TTL
		}
		s.sampled()
	}
}

// sampled completes the samples with those of words that the account has.
func (s *settling) sampled() {
	samples := map[string]string{}
	if held, err := s.held.Declarable(); err == nil {
		maps.Copy(samples, held.Samples)
	}
	maps.Copy(samples, s.spec.Samples)
	s.spec.Samples = samples
}

// parameters requires that variables with names stay so, and numbered ones, too:
// Meta takes the form of parameters at creation alone.
func (s *settling) parameters() bool {
	if s.spec.Named == s.held.Named || len(s.spec.Variables()) == 0 || len((&account.Spec{Template: *s.held}).Variables()) == 0 {
		return true
	}
	s.fail("template_parameters", "Its variables have become %s, and the account holds it with others: that can't be edited. Write the new form under a new name, such as name = %q; the old one is replaced once it is approved.",
		map[bool]string{true: "named", false: "numbered"}[s.spec.Named], s.spec.Name+"_v2")
	return false
}

// retireRows decides about what is no longer declared.
func (b *builder) retireRows() {
	for _, address := range slices.Sorted(maps.Keys(b.rows)) {
		if !b.declares[address] && b.scope.covers(blockOf(address)) {
			r := &retiring{builder: b, address: address, row: b.rows[address]}
			r.name, r.language, _ = strings.Cut(r.row.Key, "/")
			r.retire()
		}
	}
}

// retiring is a template of the state that no block declares.
type retiring struct {
	*builder
	address        string
	row            *state.Managed
	name, language string
	onDestroy      string
	prevent        bool
	rng            hcl.Range
	held           *account.Template
	whole          bool
	notes          []string
}

// fail reports an error about an object that is no longer declared.
func (r *retiring) fail(code, format string, args ...any) string {
	r.diags = append(r.diags, fail(code, r.rng, "%s: %s", r.address, fmt.Sprintf(format, args...)))
	return ""
}

// retire puts into the plan what becomes of it.
func (r *retiring) retire() {
	change := r.decide()
	if change == "" || change == NoOp {
		return
	}
	var spec account.Spec
	address := r.address
	if r.row.Address != replacedBy(address) { // the state has it there until it is deposed
		address = r.row.Address
	}
	c := ResourceChange{Address: address, Module: moduleOf(address), Type: "template", Name: templateName(address), Change: change, Refs: []string{}, Notes: r.notes}
	if json.Unmarshal(r.row.Declared, &spec) == nil {
		c.Before = templateTree(&spec, nil)
	}
	t := TemplateChange{Address: address, Provider: r.row.Provider, Account: r.row.Account, Change: change, Spec: spec, Seen: r.held, Whole: r.whole, OnDestroy: r.onDestroy}
	t.Spec.Name, t.Spec.Language = r.name, r.language
	if change == Forget && len(r.notes) > 0 {
		t.Why = r.notes[0]
	}
	if by := replacedBy(r.address); r.declares[by] {
		t.After = by
		c.Notes = append(c.Notes, "once "+by+" can be sent in its place")
	}
	r.plan.Resources = append(r.plan.Resources, c)
	r.plan.Templates = append(r.plan.Templates, t)
}

// decide returns what becomes of it; "" if an error was reported.
func (r *retiring) decide() string {
	r.onDestroy, r.prevent = kept(r.row.OnDestroy), r.row.PreventDestroy
	for _, t := range r.cfg.Templates {
		if t.Address() == blockOf(r.address) {
			r.onDestroy, r.prevent, r.rng = t.OnDestroy, t.Lifecycle.PreventDestroy, t.DeclRange
		}
	}
	letGo := slices.ContainsFunc(r.cfg.Removed, func(m *lang.Removed) bool { return m.Covers(blockOf(r.address)) })
	if letGo || r.onDestroy == lang.OnDestroyKeep || !r.row.Known() {
		return r.forget("it stays in the account, and handbill does not look after it any more")
	}
	able, decided := r.find()
	switch {
	case decided != "":
		return decided
	case r.held == nil:
		return ""
	case r.prevent:
		return r.fail("template_prevented", "It is no longer declared, and on_destroy = %q would end it in the account, which prevent_destroy forbids. Bring it back, apply lifecycle { prevent_destroy = false } first, or let it go without touching the account: %s", r.onDestroy, removedAdvice(r.address))
	case r.onDestroy == lang.OnDestroyArchive:
		return r.archive(able)
	}
	return r.delete(able)
}

// forget leaves the object as it is, and says why.
func (r *retiring) forget(note string) string {
	r.notes = append(r.notes, note)
	return Forget
}

// removedAdvice says how to make handbill forget an object.
func removedAdvice(address string) string {
	if replacedBy(address) != "" {
		return fmt.Sprintf("`handbill state rm %s`.", address)
	}
	return fmt.Sprintf("removed { from = %s }, or `handbill state rm %s`.", blockOf(address), address)
}

// find looks for it in its account. decided is Forget if it is not there any more.
func (r *retiring) find() (able account.Abilities, decided string) {
	var number *lang.Provider
	for _, p := range r.cfg.Providers {
		if p.Address() == r.row.Provider {
			number = p
		}
	}
	if number == nil || r.in.Templates.Of == nil || r.in.Templates.Of(number) == nil {
		r.fail("template_unreadable", "on_destroy = %q would end it in the account of %s, which is not declared any more. Declare it for one more apply, or let the template go: %s", r.onDestroy, r.row.Provider, removedAdvice(r.address))
		return able, ""
	}
	seen := r.in.Templates.Of(number)
	switch {
	case seen.Err != nil:
		r.fail("template_unreadable", "The templates of the account of %s could not be read, so it is not known whether it is there. %s", r.row.Provider, ended(seen.Err.Error()))
		return able, ""
	case seen.Account != r.row.Account:
		r.fail("template_account", "It is in the account %s, and %s is a number of another one by now. Let the template go: %s", message.SafeText(r.row.Account), r.row.Provider, removedAdvice(r.address))
		return able, ""
	}
	r.held = account.Find(seen.Templates, r.name, r.language)
	switch {
	case r.held == nil, r.held.Status == "PENDING_DELETION", r.held.Status == "DELETED":
		return able, r.forget("the account does not have it any more")
	case r.held.ID != r.row.RemoteID && r.held.ID != "" && r.row.RemoteID != "":
		return able, r.forget("the account has another template of that name by now, which is left alone")
	}
	return r.in.Templates.abilities(number), ""
}

// stuck reports that the account can't end it, now or ever. What was replaced does
// not keep the plan from going on for that.
func (r *retiring) stuck(format string, args ...any) string {
	if !r.declares[replacedBy(r.address)] {
		return r.fail("template_undestroyable", format, args...)
	}
	r.diags = append(r.diags, warn("template_undestroyable", r.rng, "%s: %s", r.address, fmt.Sprintf(format, args...)))
	return NoOp
}

// archive checks that it can be archived.
func (r *retiring) archive(able account.Abilities) string {
	switch {
	case r.held.Status == "ARCHIVED":
		return r.forget("it is archived already")
	case able.Archive != "":
		return r.fail("template_capability", "It can't be archived: %s", ended(able.Archive))
	case r.held.Status != "APPROVED" && r.held.Status != "REJECTED":
		return r.stuck("The account holds it as %s, and Meta archives approved and rejected templates alone. Plan again when that is over, or let it go: %s", message.SafeText(r.held.Status), removedAdvice(r.address))
	}
	r.notes = append(r.notes, "it is archived in the account, where it can't be sent any more and is deleted after 28 days")
	return Archive
}

// delete checks that it can be deleted, and that nothing relies on it.
func (r *retiring) delete(able account.Abilities) string {
	switch {
	case r.name == sampleTemplate:
		return r.stuck("It is Meta's sample, which can't be deleted (2388094). Let it go: %s", removedAdvice(r.address))
	case r.held.Status == "DISABLED" || r.held.Status == "IN_APPEAL":
		return r.stuck("The account holds it as %s, which can't be deleted. Let it go: %s", r.held.Status, removedAdvice(r.address))
	}
	if !r.in.Options.ForceDeleteTemplates {
		if by := r.namedBy(); by != "" {
			return r.fail("template_in_use", "It would be deleted, and %s names it. Take that out first, or say -force-delete-templates.", by)
		}
		if until := r.row.Used.Add(recentUse); !r.row.Used.IsZero() && r.in.At.Before(until) {
			return r.recent(until)
		}
	}
	if r.whole = able.Delete != ""; r.whole && (able.DeleteName != "" || !r.allGo()) {
		return r.fail("template_capability", "It can't be deleted: %s", ended(able.Delete))
	}
	r.notes = append(r.notes, fmt.Sprintf("it is deleted in the account, and the name %s can't be used in %s for 30 days", r.name, message.SafeText(r.language)))
	return Delete
}

// recent handles a template that messages were sent with lately: one that is being
// replaced stays until then.
func (r *retiring) recent(until time.Time) string {
	when := until.UTC().Format(time.RFC3339)
	if r.declares[replacedBy(r.address)] {
		r.diags = append(r.diags, warn("template_in_use", r.rng, "%s: %s was replaced, and stays in the account: messages that name it were sent within 30 days. A plan after %s deletes it.", r.address, r.name, when))
		return NoOp
	}
	return r.fail("template_in_use", "It would be deleted, and messages that name it were sent within 30 days, of which some may not be delivered yet. Plan again after %s, or say -force-delete-templates.", when)
}

// namedBy is the address of something declared that names the template; "" for none.
func (r *retiring) namedBy() string {
	for _, d := range r.cfg.Data {
		if d.Template == r.name {
			return d.Address()
		}
	}
	quoted, _ := json.Marshal(r.name) // a text always has a JSON form
	for _, res := range r.cfg.Resources() {
		for _, a := range res.Tree.Attributes {
			if a.Name == "template" && !a.Reference && a.Value == string(quoted) {
				return res.Address
			}
		}
	}
	return ""
}

// allGo reports whether every language that the account has of the name is deleted by
// this plan.
func (r *retiring) allGo() bool {
	for _, p := range r.cfg.Providers {
		if p.Address() != r.row.Provider {
			continue
		}
		for _, held := range r.in.Templates.Of(p).Templates {
			goes := held.Name != r.name
			for address, row := range r.rows {
				goes = goes || !r.declares[address] && r.scope.covers(blockOf(address)) && row.Account == r.row.Account && row.Key == TemplateKey(&held) &&
					row.RemoteID == held.ID && kept(row.OnDestroy) == lang.OnDestroyDelete
			}
			if !goes {
				return false
			}
		}
	}
	return true
}
