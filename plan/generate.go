package plan

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
)

// Generated is a configuration that was written from what accounts have.
type Generated struct {
	Source    []byte // HCL; nil if no import block lacks its block
	Templates int    // how many template blocks it has
	Catalogs  int    // and catalog blocks
	Others    int    // and blocks of numbers
}

// Wrote tells of the file that was written; a plan has it as a warning.
func (g *Generated) Wrote(file string) *hcl.Diagnostic {
	if g.Source == nil {
		return warn("configuration_generated", hcl.Range{}, "Every import block has its block already, so %s was not written.", message.SafeText(file))
	}
	var parts []string
	for _, p := range []struct {
		what string
		n    int
	}{{"template blocks", g.Templates}, {"catalog blocks", g.Catalogs}, {"blocks of numbers", g.Others}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%s (%d)", p.what, p.n))
		}
	}
	return warn("configuration_generated", hcl.Range{}, "The %s in %s were written from what the account has. Look through them before you commit the file.", strings.Join(parts, ", "), message.SafeText(file))
}

// Generate writes blocks for the import blocks of cfg that have
// none. read returns what the account of a number reports. A language that no block can
// declare is a warning, and left out; with errors there is no source.
func Generate(ctx context.Context, cfg *lang.Config, read func(*lang.Provider) *Observed, catalogs Catalogs, singletons Singletons) (*Generated, hcl.Diagnostics) {
	g := &generator{read: read, blocks: map[string]*generatedBlock{}}
	out := &Generated{}
	var text strings.Builder
	for _, in := range cfg.Imports {
		switch {
		case !in.Undeclared || in.Provider == nil:
		case message.AddressType(in.To) == "catalog":
			if src := g.catalog(ctx, in, catalogs); src != "" {
				out.Catalogs++
				text.WriteString("\n" + src)
			}
		case account.SingletonOf(message.AddressType(in.To)) != nil:
			if src := g.singleton(ctx, in, singletons); src != "" {
				out.Others++
				text.WriteString("\n" + src)
			}
		default:
			g.find(in)
		}
	}
	for _, address := range g.order {
		if b := g.blocks[address]; len(b.list) > 0 {
			out.Templates++
			text.WriteString("\n" + g.source(address, b))
		}
	}
	switch {
	case g.diags.HasErrors():
		return &Generated{}, g.diags
	case out.Templates+out.Catalogs+out.Others > 0:
		out.Source = []byte(lang.GeneratedHead(g.notes) + text.String())
	}
	return out, g.diags
}

type generator struct {
	read   func(*lang.Provider) *Observed
	blocks map[string]*generatedBlock // by address
	order  []string
	diags  hcl.Diagnostics
	notes  []string
}

// generatedBlock is one name with the languages that import blocks name.
type generatedBlock struct {
	name, provider string
	list           []*account.Spec
	rng            hcl.Range
}

// find looks for what an import block means.
func (g *generator) find(in *lang.Import) {
	seen := g.read(in.Provider)
	if seen.Err != nil {
		g.diags = append(g.diags, fail("template_unreadable", in.DeclRange, "The templates of the account of %s could not be read, so nothing can be written for %s. %s", in.Provider.Address(), in.To, ended(seen.Err.Error())))
		return
	}
	block, language := in.Block(), strings.TrimPrefix(strings.TrimPrefix(in.To, in.Block()), ".")
	found := false
	for i := range seen.Templates {
		t := &seen.Templates[i]
		if !in.Means(t.Name, t.Language, t.ID) || language != "" && language != t.Language {
			continue
		}
		found = true
		spec, err := t.Declarable()
		if err != nil {
			g.leave(in.DeclRange, block, t.Language, err.Error())
			continue
		}
		g.add(in, block, spec)
	}
	if !found {
		g.diags = append(g.diags, missingImport(in, seen))
	}
}

// add notes a translation for its template's block. All of one block have one name and
// one account.
func (g *generator) add(in *lang.Import, address string, spec *account.Spec) {
	b := g.blocks[address]
	if b == nil {
		b = &generatedBlock{name: spec.Name, provider: in.Provider.Address(), rng: in.DeclRange}
		g.blocks[address], g.order = b, append(g.order, address)
	}
	switch {
	case b.name != spec.Name || b.provider != in.Provider.Address():
		g.diags = append(g.diags, fail("template_exists", in.DeclRange, "%s can't be %s of %s and %s of %s at once: a block is one name of one account.",
			address, b.name, b.provider, message.SafeText(spec.Name), in.Provider.Address()))
	case !slices.ContainsFunc(b.list, func(s *account.Spec) bool { return s.Language == spec.Language }):
		b.list = append(b.list, spec)
	}
}

// leave warns of a language that the generated block does without.
func (g *generator) leave(rng hcl.Range, block, language, why string) {
	what := fmt.Sprintf("%s.%s was left out: %s.", block, message.SafeText(language), why)
	g.diags = append(g.diags, warn("template_undeclarable", rng, "%s", what))
	g.notes = append(g.notes, what)
}

// source returns the text of a block; "" after an error.
func (g *generator) source(address string, b *generatedBlock) string {
	src, left, err := lang.TemplateSource(strings.TrimPrefix(address, "template."), b.provider, b.list)
	if err != nil {
		g.diags = append(g.diags, fail("plan_failed", b.rng, "%s: %s", address, ended(err.Error())))
		return ""
	}
	for _, s := range b.list {
		if why := left[s.Language]; why != "" {
			g.leave(b.rng, address, s.Language, why)
		}
	}
	return string(src)
}

// missingImport says that the account has nothing under the id of an import block.
func missingImport(in *lang.Import, seen *Observed) *hcl.Diagnostic {
	return fail("template_missing", in.DeclRange, "The account of %s has no template %s, which %s is imported from.%s An id is a name, NAME/LANGUAGE, or Meta's number of one language.",
		in.Provider.Address(), message.SafeText(in.ID), in.To, lang.DidYouMean(in.ID, names(seen.Templates)))
}

// importsFound requires that each import block for t means something of the account
// that t declares: without it, a misspelt id would create a template.
func (b *builder) importsFound(t *lang.Template, seen *Observed) bool {
	ok, address := true, t.Address()
	for _, in := range b.cfg.Imports {
		if in.To != address && blockOf(in.To) != address {
			continue
		}
		var other *account.Template
		fits := false
		for i := range seen.Templates {
			held := &seen.Templates[i]
			if in.Means(held.Name, held.Language, held.ID) {
				other = held
				fits = fits || held.Name == t.Held.Template && (in.To == address || in.To == address+"."+held.Language)
			}
		}
		switch {
		case fits || b.taken(in, t):
			continue
		case other == nil && seen.Kept:
			b.diags = append(b.diags, fail("template_unreadable", in.DeclRange, "The account of %s was not asked (-refresh=false), and the state does not keep %s: take -refresh=false out to import it.", in.Provider.Address(), message.SafeText(in.ID)))
		case other == nil:
			b.diags = append(b.diags, missingImport(in, seen))
		default:
			b.diags = append(b.diags, fail("template_missing", in.DeclRange, "%s is imported from %s, which is the template %s in %s, and it is declared with the name %s: both have to be the same.",
				in.To, message.SafeText(in.ID), message.SafeText(other.Name), message.SafeText(other.Language), t.Held.Template))
		}
		ok = false
	}
	return ok
}

// taken reports whether the state has what an import block takes over already.
func (b *builder) taken(in *lang.Import, t *lang.Template) bool {
	for _, tr := range t.Translations {
		if row := b.rows[tr.Address()]; row != nil && row.Known() && (in.To == t.Address() || in.To == tr.Address()) {
			return true
		}
	}
	return false
}
