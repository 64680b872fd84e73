package lang

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/message"
)

// Singleton is a block for an object of which a number or an account has exactly one,
// such as a business_profile. Apply keeps the attributes that it declares as declared,
// and leaves the others alone.
type Singleton struct {
	Module string // the module's address; "" for none
	Label  string
	Kind   *account.Singleton
	// Provider is the number that has it, or a number of the account that does; nil
	// where the reference is wrong.
	Provider  *Provider
	Values    account.Values
	DeclRange hcl.Range
}

// Address is "business_profile.main".
func (s *Singleton) Address() string {
	return message.WithModule(s.Module, s.Kind.Kind+"."+s.Label)
}

// isSingleton reports whether blocks of a type are singletons.
func isSingleton(root string) bool { return account.SingletonOf(root) != nil }

// singletonRoots are the types of blocks that are singletons.
func singletonRoots() (out []string) {
	for _, kind := range account.Singletons() {
		out = append(out, kind.Kind)
	}
	return out
}

// fieldTypes are the types of attributes as expressions have them.
var fieldTypes = map[account.FieldType]cty.Type{account.FieldText: cty.String, account.FieldTexts: cty.List(cty.String)}

// singletonArguments are the arguments of a block, as schema takes them.
func singletonArguments(kind *account.Singleton) string {
	return "provider! " + strings.Join(fieldNames(kind), " ")
}

func fieldNames(kind *account.Singleton) (out []string) {
	for i := range kind.Fields {
		out = append(out, kind.Fields[i].Name)
	}
	return out
}

// decodeSingletons decodes them, after providers.
func (l *loader) decodeSingletons() {
	known := map[string]*Singleton{}
	for decl := range l.those(func(decl *declaration) bool { return isSingleton(decl.root) }) {
		s := l.singleton(decl.block, account.SingletonOf(decl.root))
		l.cfg.Singletons = append(l.cfg.Singletons, s)
		if s.Provider == nil {
			continue
		}
		key := s.Kind.Kind + " " + s.Provider.Address()
		if other := known[key]; other != nil {
			l.diags.err("duplicate_declaration", s.DeclRange, "%s and %s are both the %s of %s: it has one, so one block has all that is declared of it.", other.Address(), s.Address(), s.Kind.Title, s.Provider.Address())
		}
		known[key] = s
	}
}

func (l *loader) singleton(b *block, kind *account.Singleton) *Singleton {
	c := l.content(b, schema(singletonArguments(kind)))
	s := &Singleton{Module: b.module(), Label: b.label(0), Kind: kind, Values: account.Values{}, DeclRange: b.defRange}
	if a := c.args["provider"]; a != nil {
		if address, ok := l.refer(a, rootProvider); ok {
			s.Provider = l.cfg.provider(address)
		}
	}
	given := false
	for i := range kind.Fields {
		f := &kind.Fields[i]
		given = given || c.args[f.Name] != nil
		v, ok := l.value(c, f.Name, fieldTypes[f.Type])
		if !ok {
			continue
		}
		if s.Values[f.Name], ok = plainValue(v); !ok {
			delete(s.Values, f.Name)
			l.invalid(c, f.Name, "may not hold null")
		}
	}
	if !given {
		l.diags.err("missing_argument", b.defRange, "%s declares nothing to look after. It takes: %s; what is left out stays as the account has it.", s.Address(), strings.Join(fieldNames(kind), ", "))
	}
	s.Values = kind.Normal(s.Values)
	for _, p := range kind.Check(s.Values) {
		l.diags.err("singleton_invalid", c.rangeOf(p.Path), "%s: %s %s.", s.Address(), p.Path, p.Detail)
	}
	return s
}

// plainValue is a value as encoding/json would decode it; ok is false for one that
// holds null.
func plainValue(v cty.Value) (out any, ok bool) {
	holds := false
	_ = cty.Walk(v, func(_ cty.Path, v cty.Value) (bool, error) {
		holds = holds || v.IsNull()
		return true, nil
	})
	if holds {
		return nil, false
	}
	raw, err := ctyjson.Marshal(v, v.Type())
	return out, err == nil && json.Unmarshal(raw, &out) == nil
}

// importSingleton finds the declared singleton that a reference means.
func (l *loader) importSingleton(in *Import, t hcl.Traversal) {
	address, ok := l.ev.addressOf(t)
	i := slices.IndexFunc(l.cfg.Singletons, func(s *Singleton) bool { return ok && s.Address() == address })
	if i >= 0 {
		in.To, in.Provider = address, l.cfg.Singletons[i].Provider
		return
	}
	l.importUndeclared(in, t)
}

// SingletonSource returns a block, in canonical form, that declares values.
func SingletonSource(kind, label, provider string, values account.Values) ([]byte, error) {
	file := hclwrite.NewEmptyFile()
	body := file.Body().AppendNewBlock(kind, []string{label}).Body()
	setReference(body, "provider", provider)
	for _, name := range fieldNames(account.SingletonOf(kind)) {
		if _, has := values[name]; !has {
			continue
		}
		raw := []byte(values.JSON(name))
		ty, err := ctyjson.ImpliedType(raw)
		if err != nil {
			return nil, err
		}
		v, err := ctyjson.Unmarshal(raw, ty)
		if err != nil {
			return nil, err
		}
		body.SetAttributeValue(name, v)
	}
	return hclwrite.Format(file.Bytes()), nil
}
