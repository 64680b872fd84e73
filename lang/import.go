package lang

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// Import is an import block: a template block, a managed catalog or a singleton takes
// over what the account already has.
type Import struct {
	To string // "template.spring", or one of its translations; "catalog.spring"; "business_profile.main"
	ID string // its name, NAME/LANGUAGE, or the account's id of one language; a catalog's, number's or account's id
	// Provider is a number of the account: that of the template block or, where no
	// block is declared yet, the one that the import block names.
	Provider *Provider
	// Undeclared says that there is no block at To yet; see Options.Undeclared.
	Undeclared bool
	DeclRange  hcl.Range
}

// Means reports whether the block's id is what an account has under a name, a
// language and an id.
func (in *Import) Means(name, language, id string) bool {
	return in.ID == name || in.ID == name+"/"+language || id != "" && in.ID == id
}

// Block is the address of the template block that To belongs to.
func (in *Import) Block() string {
	parts := strings.SplitN(in.To, ".", 3)
	if in.Undeclared && len(parts) == 3 {
		return parts[0] + "." + parts[1]
	}
	return in.To
}

var importSchema = schema("to! id! provider")

func (l *loader) decodeImports() {
	for b := range l.inTurn(l.imports) {
		c := l.content(b, importSchema)
		in := &Import{ID: l.filled(c, "id"), DeclRange: b.defRange}
		if a := c.args["provider"]; a != nil {
			if address, ok := l.refer(a, rootProvider); ok {
				in.Provider = l.cfg.provider(address)
			}
		}
		a := c.args["to"]
		if a == nil || in.ID == "" {
			continue
		}
		t, isRef := a.reference()
		if isRef {
			t = intoModules(t)
		}
		switch {
		case isRef && rootKind(t) == rootTemplate:
			l.importTarget(in, t)
		case isRef && rootKind(t) == rootCatalog:
			l.importCatalog(in, t)
		case isRef && isSingleton(rootKind(t)):
			l.importSingleton(in, t)
		}
		switch {
		case in.To == "":
			l.diags.err("invalid_address", a.expr.Range(), "to is a template block that is declared, such as template.spring, one of its translations, such as template.spring.en_US, a catalog with a manage block, or the block of a number or account, such as business_profile.main.%s", generateAdvice(t))
		case in.Undeclared && in.Provider == nil && c.args["provider"] == nil:
			l.diags.err("missing_argument", b.defRange, "Nothing says in which account %s is: provider = provider.TYPE.NAME.", in.To)
		default:
			l.cfg.Imports = append(l.cfg.Imports, in)
		}
	}
}

// generateAdvice tells how a block is written for what has none.
func generateAdvice(t hcl.Traversal) string {
	if undeclaredTarget(t) == "" {
		return ""
	}
	return " To have the block written from what the account has:\n    handbill plan -generate-config-out=templates.hcl"
}

// importTarget finds the declared block or translation that a reference means.
func (l *loader) importTarget(in *Import, t hcl.Traversal) {
	block := func(t hcl.Traversal) *Template {
		address, ok := l.ev.addressOf(t)
		if !ok {
			return nil
		}
		return l.cfg.template(address)
	}
	tmpl := block(t)
	if tmpl != nil {
		in.To = tmpl.Address()
	} else if language, ok := stepName(t, len(t)-1); ok {
		if tmpl = block(t[:len(t)-1]); tmpl != nil && tmpl.translation(language) != nil {
			in.To = tmpl.Address() + "." + language
		}
	}
	switch {
	case in.To != "" && in.Provider != nil && tmpl.Held.Provider != nil && in.Provider != tmpl.Held.Provider:
		l.diags.err("invalid_value", in.DeclRange, "%s belongs to %s, so its import can't come from %s.", tmpl.Address(), tmpl.Held.Provider.Address(), in.Provider.Address())
	case in.To != "":
		in.Provider = tmpl.Held.Provider
	case tmpl == nil:
		l.importUndeclared(in, t)
	}
}

// importCatalog finds the declared catalog that a reference means.
func (l *loader) importCatalog(in *Import, t hcl.Traversal) {
	address, ok := l.ev.addressOf(t)
	cat := l.catalogs[address]
	switch {
	case ok && cat != nil && cat.Manage != nil:
		if in.To = address; in.ID != cat.ID {
			l.diags.err("invalid_value", in.DeclRange, "%s is declared with id = %q, so it can't be the catalog %s.", address, cat.ID, in.ID)
		}
		in.Provider = cat.Manage.Provider
	case cat == nil:
		l.importUndeclared(in, t)
	}
}

// importUndeclared takes a block that is still to be written for the target of an
// import; the only number is the one that it comes from.
func (l *loader) importUndeclared(in *Import, t hcl.Traversal) {
	if !l.ev.opt.Undeclared {
		return
	}
	in.To = undeclaredTarget(t)
	in.Undeclared = in.To != ""
	if in.Undeclared && in.Provider == nil && len(l.cfg.Providers) == 1 {
		in.Provider = l.cfg.Providers[0]
	}
}

// undeclaredTarget is the address of a block, or of one of its translations, that
// could be declared; "" for any other reference, such as one with a key of for_each.
func undeclaredTarget(t hcl.Traversal) string {
	whole := t.RootName() == rootTemplate || t.RootName() == rootCatalog || isSingleton(t.RootName())
	if !whole || len(t) != 2 && (len(t) != 3 || t.RootName() != rootTemplate) {
		return ""
	}
	out := t.RootName()
	for i := range t[1:] {
		step, ok := t[i+1].(hcl.TraverseAttr)
		if !ok || !hclsyntax.ValidIdentifier(step.Name) {
			return ""
		}
		out += "." + step.Name
	}
	return out
}

// Imported reports whether an import block takes over what the account has under a
// name, a language and an id as the translation tr.
func (c *Config) Imported(tr *Translation, name, language, id string) bool {
	own, block := tr.Address(), tr.Of.Address()
	for _, in := range c.Imports {
		if (in.To == own || in.To == block) && in.Means(name, language, id) {
			return true
		}
	}
	return false
}
