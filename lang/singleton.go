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
	Provider *Provider
	Values   account.Values
	// OnDestroy is what becomes of it when the block is taken out: OnDestroyKeep or
	// OnDestroyRemove.
	OnDestroy string
	// Secret is what requests have besides, "" for nothing, and Unset the environment
	// variable that it reads and that is not set.
	Secret, Unset string
	DeclRange     hcl.Range
}

// OnDestroyRemove empties a singleton whose block is taken out.
const OnDestroyRemove = "remove"

// The arguments of some singletons besides their fields.
const (
	argLevel     = "level"
	argOnDestroy = "on_destroy"
)

// Address is "business_profile.main".
func (s *Singleton) Address() string {
	return message.WithModule(s.Module, s.Kind.Kind+"."+s.Label)
}

// Level is the level of a singleton that numbers and accounts have; "" for others.
func (s *Singleton) Level() string {
	switch {
	case !s.Kind.Levels:
		return ""
	case s.Kind.Account:
		return account.LevelAccount
	}
	return account.LevelNumber
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
var fieldTypes = map[account.FieldType]cty.Type{account.FieldText: cty.String, account.FieldTexts: cty.List(cty.String), account.FieldFlag: cty.Bool,
	account.FieldCommands: cty.List(cty.Object(map[string]cty.Type{"name": cty.String, "description": cty.String}))}

// singletonArguments are the arguments of a block, as schema takes them.
func singletonArguments(kind *account.Singleton) string {
	out := "provider!"
	if kind.Levels {
		out += " " + argLevel
	}
	out += " " + strings.Join(fieldNames(kind), " ")
	if kind.Secret != "" {
		out += " " + kind.Secret + "!"
	}
	if kind.Ends {
		out += " " + argOnDestroy
	}
	return out
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
		key := s.Kind.Kind + " " + s.Level() + " " + s.Provider.Address()
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
	if kind.Levels {
		kind = kind.At(l.oneOf(c, argLevel, account.LevelNumber, account.LevelAccount))
		s.Kind = kind
	}
	if s.OnDestroy = OnDestroyKeep; kind.Ends {
		s.OnDestroy = l.oneOf(c, argOnDestroy, OnDestroyKeep, OnDestroyRemove)
	}
	l.secret(s, c)
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
		if p.Doubt {
			l.diags.warn("singleton_doubted", c.rangeOf(p.Path), "%s: %s %s. It is written as it is.", s.Address(), p.Path, p.Detail)
			continue
		}
		l.diags.err("singleton_invalid", c.rangeOf(p.Path), "%s: %s %s.", s.Address(), p.Path, p.Detail)
	}
	return s
}

// secret reads the argument that is never shown: it is in no tree, no plan and no state.
func (l *loader) secret(s *Singleton, c *content) {
	a := c.args[s.Kind.Secret]
	if a == nil {
		return
	}
	if s.Unset = l.unsetVariable(a.expr); s.Unset != "" {
		l.diags.warn("unset_secret", a.expr.Range(), "The environment variable %s is not set. validate and plan do without it; apply needs it.", s.Unset)
		return
	}
	v, ok := l.providerArgument(a, ProviderArgument{Name: a.name, Type: cty.String, Sensitive: true, Required: true})
	if !ok {
		return
	}
	v, _ = v.Unmark()
	if s.Secret = v.AsString(); s.Secret == "" {
		l.invalid(c, a.name, "may not be empty")
	}
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
func SingletonSource(kind *account.Singleton, label, provider string, values account.Values) ([]byte, error) {
	file := hclwrite.NewEmptyFile()
	body := file.Body().AppendNewBlock(kind.Kind, []string{label}).Body()
	setReference(body, "provider", provider)
	if kind.Account && kind.Levels {
		setText(body, argLevel, account.LevelAccount)
	}
	for _, name := range fieldNames(kind) {
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
	if kind.Secret != "" {
		body.SetAttributeRaw(kind.Secret, hclwrite.TokensForFunctionCall("env", hclwrite.TokensForValue(cty.StringVal(strings.ToUpper(kind.Secret)))))
	}
	return hclwrite.Format(file.Bytes()), nil
}
