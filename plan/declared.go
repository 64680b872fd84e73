package plan

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// What a plan does with a resource of an account, besides Create, Update and NoOp.
const (
	Import   = "import"   // it exists in the account, and the state takes it over
	Forget   = "forget"   // it stays in the account, but leaves the state
	Archive  = "archive"  // it is archived in the account, and leaves the state
	Settings = "settings" // only what the state keeps for its end changes
)

// TemplateChange is what apply does with one language of a template block.
type TemplateChange struct {
	Address  string `json:"address"` // "template.spring.en_US"
	From     string `json:"from,omitempty"`
	Provider string `json:"provider"`
	Account  string `json:"account,omitempty"`
	Change   string `json:"change"` // Create, Update, Import, Forget, Move, Settings, Archive, Delete or NoOp
	// Spec is what is submitted.
	Spec account.Spec `json:"spec"`
	// Seen is what the account held; nil for nothing.
	Seen *account.Template `json:"seen,omitempty"`
	// Wait says that apply waits for its approval, for up to Timeout.
	Wait    bool          `json:"wait,omitempty"`
	Timeout time.Duration `json:"timeout,omitempty"`
	// OnDestroy and PreventDestroy are as the block has them, for the state.
	OnDestroy      string `json:"on_destroy,omitempty"`
	PreventDestroy bool   `json:"prevent_destroy,omitempty"`
	// Depose is the address under which the state keeps the template of another name
	// or account that this one replaces.
	Depose string `json:"depose,omitempty"`
	// After is the address of what replaces this one, which is let go, archived or
	// deleted once that can be sent.
	After string `json:"after,omitempty"`
	// Why says of what is forgotten why its account is not changed.
	Why string `json:"why,omitempty"`
	// Whole deletes the name in all its languages, because the provider can't delete
	// one alone; all of them are deleted by this plan.
	Whole bool `json:"whole,omitempty"`
}

// Drift is a change to an object of an account that handbill did not make.
type Drift struct {
	Address string       `json:"address"`
	Type    string       `json:"type"`
	Fields  []DriftField `json:"fields"`
}

// DriftField is one changed field, as the state knew it and as it is.
type DriftField struct {
	Name   string `json:"name"`
	Before string `json:"before"`
	After  string `json:"after"`
	Note   string `json:"note,omitempty"`
}

// declared is a template block compared with its account and the state.
type declared struct {
	*Observed       // the account's list, with those of this name as they will be
	broken    bool  // an error was reported
	changes   []int // indices into Plan.Templates
}

// settleTemplates compares the template blocks with the state and with what the
// accounts reported.
func (b *builder) settleTemplates() {
	if b.in.Templates.Unread {
		return
	}
	b.rows = map[string]*state.Managed{}
	for i := range b.in.Managed {
		if m := &b.in.Managed[i]; m.Kind == "template" {
			b.rows[m.Address] = m
		}
	}
	b.declares = map[string]bool{}
	for _, t := range b.cfg.Templates {
		for _, tr := range t.Translations {
			b.declares[tr.Address()] = true
		}
	}
	b.moveRows()
	for _, t := range b.cfg.Templates {
		if b.scope.covers(t.Address()) && t.Held.Provider != nil {
			b.settleTemplate(t)
		}
	}
	b.retireRows()
	slices.SortFunc(b.plan.Templates, func(x, y TemplateChange) int { return strings.Compare(x.Address, y.Address) })
	slices.SortFunc(b.plan.Resources, func(x, y ResourceChange) int { return strings.Compare(x.Address, y.Address) })
	slices.SortFunc(b.plan.Drift, func(x, y Drift) int { return strings.Compare(x.Address, y.Address) })
}

// moduleOf is the module in an address; "" for none.
func moduleOf(address string) string {
	module, _ := message.CutModule(address)
	return module
}

// templateName is spring.de of template.spring.de, in a module too.
func templateName(address string) string {
	_, rest := message.CutModule(address)
	return strings.TrimPrefix(rest, "template.")
}

// blockOf is the address of a translation's block.
func blockOf(address string) string { return address[:max(strings.LastIndexByte(address, '.'), 0)] }

// moveRows moves what the state has of a renamed block to its new name.
func (b *builder) moveRows() {
	var blocks []string
	for _, address := range slices.Sorted(maps.Keys(b.rows)) {
		blocks = append(blocks, blockOf(address))
	}
	for _, m := range b.cfg.Moves(slices.Compact(blocks)) {
		if message.AddressType(m.From) != "template" {
			continue
		}
		for address, row := range b.rows {
			to := m.To + strings.TrimPrefix(address, m.From)
			if blockOf(address) != m.From {
				continue
			}
			if b.rows[to] != nil { // its successor is there already
				name, _, _ := strings.Cut(row.Key, "/")
				to = deposed(to, name)
			}
			delete(b.rows, address)
			b.rows[to] = row // row.Address keeps the old address
		}
	}
}

// settleTemplate compares one block. Messages are checked against the account's
// list with the declared words in it.
func (b *builder) settleTemplate(t *lang.Template) {
	seen := b.accountOf(t.Held)
	if seen == nil {
		b.templates[t.Held] = nil
		return
	}
	if seen.Kept {
		b.diags = append(b.diags, warn("template_unrefreshed", t.DeclRange, "%s is planned with what the state keeps, of %s. apply asks the account before it does anything.", t.Address(), seen.At.UTC().Format(time.RFC3339)))
	}
	will := &Observed{Account: seen.Account, At: seen.At}
	d := &declared{Observed: will, broken: !b.importsFound(t, seen)}
	for _, tr := range t.Translations {
		s := &settling{builder: b, t: t, tr: tr, row: b.rows[tr.Address()], seen: seen}
		if change := s.settle(); change != nil {
			will.Templates = append(will.Templates, s.will(change))
			d.changes = append(d.changes, len(b.plan.Templates)-1)
		} else {
			d.broken = true
		}
	}
	slices.SortFunc(will.Templates, func(x, y account.Template) int { return strings.Compare(x.Language, y.Language) })
	if b.templates[t.Held] = will; d.broken {
		b.templates[t.Held] = nil
	}
}

// settling is one translation on its way into the plan.
type settling struct {
	*builder
	t    *lang.Template
	tr   *lang.Translation
	row  *state.Managed // nil where the state has none
	old  string         // address under which the state will keep what this replaces
	seen *Observed
	held *account.Template // in the account; nil for none
	spec account.Spec
	was  account.Spec // as it was last submitted, if there is a row
	c    ResourceChange
}

// fail reports an error at the template, which then gets no change.
func (s *settling) fail(code, format string, args ...any) *TemplateChange {
	s.diags = append(s.diags, fail(code, s.tr.DeclRange, "%s: %s", s.tr.Address(), fmt.Sprintf(format, args...)))
	return nil
}

// settle decides what apply does; nil if an error was reported.
func (s *settling) settle() *TemplateChange {
	s.spec = s.tr.Spec
	if err := CompleteFile(s.in.Root, &s.spec); err != nil {
		return s.fail("template_file", "%s", ended(err.Error()))
	}
	s.held = account.Find(s.seen.Templates, s.spec.Name, s.spec.Language)
	s.replace()
	if s.row != nil && json.Unmarshal(s.row.Declared, &s.was) != nil {
		return s.fail("template_record", "What the state keeps of it can't be read. Remove it with `handbill state rm`, which leaves the account alone, and plan again.")
	}
	s.ignore()
	change := s.decide()
	if change == "" {
		return nil
	}
	s.drift()
	return s.record(change)
}

// CompleteFile reads the sample of the header of a declared template, below the
// configuration's directory, and adds its size and digest.
func CompleteFile(root *os.Root, spec *account.Spec) error {
	if spec.File == nil {
		return nil
	}
	if root == nil {
		return fmt.Errorf("the file %s can't be read without the configuration's directory", spec.File.Path)
	}
	content, err := ReadSample(root, spec.File.Path)
	if err != nil {
		return err
	}
	spec.File = account.FileOf(spec.File.Path, spec.File.Type, content)
	return nil
}

// maxSample bounds a sample. Meta allows 100 MB for documents, but samples beyond
// 16 MiB help nobody. Source: Meta, media types of headers, 2026-09-11.
const maxSample = 16 << 20

// ReadSample reads the file of a header, below the configuration's directory.
func ReadSample(root *os.Root, name string) ([]byte, error) {
	f, err := root.Open(name)
	if err != nil {
		return nil, fmt.Errorf("the file %s of its header can't be read", name)
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxSample+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("the file %s of its header can't be read", name)
	case len(content) == 0:
		return nil, fmt.Errorf("the file %s of its header is empty", name)
	case len(content) > maxSample:
		return nil, fmt.Errorf("the file %s of its header is larger than 16 MiB", name)
	}
	return content, nil
}

// decide returns what apply does with the translation; "" if an error was
// reported.
func (s *settling) decide() string {
	able := s.in.Templates.abilities(s.t.Held.Provider)
	known := s.row != nil && s.row.Known()
	switch {
	case s.held == nil && known:
		s.fail("template_gone", "The account has no template %s in %s any more, which handbill has created or taken over there. A template that was deleted blocks its name for 30 days: give the block another name (name = %q), or remove the block.",
			s.spec.Name, s.spec.Language, s.spec.Name+"_v2")
		return ""
	case s.held == nil:
		return s.create(able)
	case !known && s.cfg.Imported(s.tr, s.held.Name, s.held.Language, s.held.ID):
		return s.takeOver()
	case !known && (s.row == nil || s.row.Intent == nil):
		s.there()
		return ""
	case !known && !s.spec.SameWords(s.held):
		s.there()
		return ""
	case !s.category(), known && !s.parameters():
		return ""
	case !known:
		return Import
	case s.spec.SameWords(s.held) && s.spec.Category == s.held.Category && sameFile(&s.spec, &s.was):
		switch {
		case s.row.Address != s.tr.Address():
			return Move
		case kept(s.row.OnDestroy) != s.t.OnDestroy || s.row.PreventDestroy != s.t.Lifecycle.PreventDestroy:
			return Settings
		}
		return NoOp
	}
	return s.edit(able)
}

// sameFile reports whether the header's file is the one that was submitted.
func sameFile(a, b *account.Spec) bool {
	return a.File == nil && b.File == nil || a.File != nil && b.File != nil && a.File.Digest == b.File.Digest
}

// create checks a new translation for what would be refused.
func (s *settling) create(able account.Abilities) string {
	media := s.spec.Header != nil && s.spec.Header.Format != "text" && s.spec.Header.Format != "location"
	switch {
	case able.Create != "":
		s.fail("template_capability", "It can't be created: %s", ended(able.Create))
		return ""
	case media && able.Media != "":
		s.fail("template_capability", "It can't be created with a file in its header: %s", ended(able.Media))
		return ""
	}
	for i := range s.seen.Templates {
		other := &s.seen.Templates[i]
		if other.Name == s.spec.Name && other.Category != s.spec.Category {
			s.fail("template_category", "The account has %s in %s as %q, and all languages of a name have one category: write category = %q where that is right, or another name.",
				s.spec.Name, message.SafeText(other.Language), message.SafeText(other.Category), message.SafeText(other.Category))
			return ""
		}
	}
	return Create
}

// takeOver imports a template that an import block names.
func (s *settling) takeOver() string {
	if !s.category() {
		return ""
	}
	if s.spec.SameWords(s.held) {
		s.c.Notes = append(s.c.Notes, "an import block takes it over as it is")
	} else {
		s.c.Notes = append(s.c.Notes, "an import block takes it over; its words are others than declared, and the plan after this one edits them")
	}
	return Import
}

// there reports a template that the account has and the state does not.
func (s *settling) there() {
	words := "with the same words"
	if !s.spec.SameWords(s.held) {
		words = "with other words"
	}
	advice := fmt.Sprintf("To take it over, write:\n\n    import {\n      to = %s\n      id = %q\n    }\n\nTo send it without looking after it, read it with a data block. Or give the block another name.", s.t.Address(), s.spec.Name)
	if other := s.claimed(); other != "" {
		advice = fmt.Sprintf("The state has it as %s, which is not declared any more. Give the block another name or, if it was renamed, say so:\n\n    moved {\n      from = %s\n      to   = %s\n    }", other, blockOf(other), s.t.Address())
	}
	s.fail("template_exists", "The account has the template %s in %s already, %s, and it is not this block's: nothing is created or changed. %s",
		s.spec.Name, s.spec.Language, words, advice)
}

// claimed returns the address under which the state has the same template; "" for
// none.
func (s *settling) claimed() string {
	for _, address := range slices.Sorted(maps.Keys(s.rows)) {
		if row := s.rows[address]; row.Key == TemplateKey(&s.spec.Template) && row.Account == s.seen.Account && !s.declares[address] {
			return address
		}
	}
	return ""
}

// TemplateKey is how an account identifies a translation.
func TemplateKey(t *account.Template) string { return t.Name + "/" + t.Language }

// record puts the change into the plan.
func (s *settling) record(change string) *TemplateChange {
	address := s.tr.Address()
	s.c.Address, s.c.Module, s.c.Type, s.c.Name, s.c.Change = address, moduleOf(address), "template", templateName(address), change
	s.c.Refs, s.c.After = []string{s.t.Held.Provider.Address()}, withLifecycle(templateTree(&s.spec, s.t), s.t.OnDestroy, s.t.Lifecycle.PreventDestroy)
	if s.row != nil && s.row.Address != address {
		s.c.From = s.row.Address
	}
	switch change {
	case Create:
		if s.old != "" {
			s.c.Notes[0] += ": messages use it once it is approved"
		}
	case Update:
		before := s.was
		before.Template.Content, before.Footer, before.TTL, before.Category, before.Cards = s.held.Content, s.held.Footer, s.held.TTL, s.held.Category, s.held.Cards
		s.c.Before = withLifecycle(templateTree(&before, s.t), s.row.OnDestroy, s.row.PreventDestroy)
		s.c.Notes = append([]string{"status = " + message.SafeText(s.held.Status) + ", and not sent after the edit until it is approved again"}, s.c.Notes...)
	case NoOp, Move:
		s.c.Before = s.c.After
		if state := s.held.State(); state == account.Unusable || state == account.Unknown {
			s.diags = append(s.diags, warn("template_unusable", s.tr.DeclRange, "%s can't be sent: the account holds it as %s. %s", address, message.SafeText(s.held.Status), s.held.Says()))
		}
	case Settings:
		s.c.Change, s.c.Local = Update, true
		s.c.Before = withLifecycle(templateTree(&s.spec, s.t), s.row.OnDestroy, s.row.PreventDestroy)
		s.c.Notes = append(s.c.Notes, "nothing changes in the account")
	case Import:
		if len(s.c.Notes) == 0 {
			s.c.Notes = append(s.c.Notes, "an earlier apply created it and got no answer")
		}
	}
	s.plan.Resources = append(s.plan.Resources, s.c)
	t := TemplateChange{Address: address, From: s.c.From, Provider: s.t.Held.Provider.Address(), Account: s.seen.Account, Change: change, Spec: s.spec, Seen: s.held,
		Wait: s.t.Wait, Timeout: s.t.Timeout, OnDestroy: s.t.OnDestroy, PreventDestroy: s.t.Lifecycle.PreventDestroy, Depose: s.old}
	s.plan.Templates = append(s.plan.Templates, t)
	if s.held != nil {
		s.plan.Managed = append(s.plan.Managed, Managed{Address: address, Kind: "template", Provider: t.Provider, Account: t.Account, ID: s.held.ID, Status: s.held.Status,
			Category: s.held.Category, ObservedAt: s.seen.At.UTC(), Observed: *s.held, Declared: true})
	}
	return &s.plan.Templates[len(s.plan.Templates)-1]
}

// awaited returns the translations in which messages are sent once they are approved.
func awaited(messages ...*compiled) []string {
	var out []string
	for _, m := range messages {
		if m == nil || m.fitted == nil {
			continue
		}
		for _, code := range m.fitted.listed {
			if tr := m.fitted.langs[code]; tr.used && tr.after {
				out = append(out, m.fitted.data.Address()+"."+code)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// will returns the template as it will be after apply: messages are checked against
// that.
func (s *settling) will(c *TemplateChange) account.Template {
	if c.Change != Create && c.Change != Update {
		return *s.held
	}
	out := s.spec.Template
	out.Status = "PENDING"
	if c.Change == Update {
		out.ID = s.held.ID
	}
	return out
}
