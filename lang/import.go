package lang

import (
	"github.com/hashicorp/hcl/v2"
)

// Import is an import block: a template block takes over what the account already
// has.
type Import struct {
	To        string // "template.spring", or one of its translations
	ID        string // its name, NAME/LANGUAGE, or the account's id of one language
	DeclRange hcl.Range
}

var importSchema = schema("to! id!")

func (l *loader) decodeImports() {
	for _, b := range l.imports {
		c := l.content(b, importSchema)
		in := &Import{ID: l.filled(c, "id"), DeclRange: b.defRange}
		a := c.args["to"]
		if a == nil || in.ID == "" {
			continue
		}
		t, isRef := asTraversal(a.expr)
		if isRef && t.RootName() == rootTemplate {
			in.To = l.importTarget(t)
		}
		if in.To == "" {
			l.diags.err("invalid_address", a.expr.Range(), "to is a template block that is declared, such as template.spring, or one of its translations, such as template.spring.en_US.")
			continue
		}
		l.cfg.Imports = append(l.cfg.Imports, in)
	}
}

// importTarget returns the declared address that a reference means; "" for none.
func (l *loader) importTarget(t hcl.Traversal) string {
	if address, ok := l.ev.addressOf(t); ok && l.cfg.template(address) != nil {
		return address
	}
	language, ok := stepName(t, len(t)-1)
	if !ok {
		return ""
	}
	address, ok := l.ev.addressOf(t[:len(t)-1])
	if tmpl := l.cfg.template(address); ok && tmpl != nil && tmpl.translation(language) != nil {
		return address + "." + language
	}
	return ""
}

// Imported reports whether an import block takes over what the account has under a
// name, a language and an id as the translation tr.
func (c *Config) Imported(tr *Translation, name, language, id string) bool {
	for _, in := range c.Imports {
		if in.To != tr.Address() && in.To != tr.Of.Address() {
			continue
		}
		if in.ID == name || in.ID == name+"/"+language || id != "" && in.ID == id {
			return true
		}
	}
	return false
}
