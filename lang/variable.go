package lang

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/handbill/handbill/lang/eval"
)

var variableSchema = schema("type default description sensitive nullable", blockOf("validation"))

var validationSchema = schema("condition! error_message!")

// variableDecl is a variable block before its value is known.
type variableDecl struct {
	v           *Variable
	refs        *referenceType // where its type says reference(...); nil for nowhere
	defaults    *typeexpr.Defaults
	def         *argument
	validations []*content
}

func (d *decoder) decodeVariable(b *block) *variableDecl {
	c := d.content(b, variableSchema)
	v := &Variable{
		Name: b.label(0), Description: d.str(c, "description"), Type: cty.DynamicPseudoType,
		Sensitive: d.boolean(c, "sensitive"), Nullable: true, DeclRange: b.defRange,
	}
	if c.args["nullable"] != nil {
		v.Nullable = d.boolean(c, "nullable")
	}
	decl := &variableDecl{v: v, def: c.args["default"]}
	if a := c.args["type"]; a != nil {
		d.variableType(decl, a, b.env.in())
	}
	for _, vb := range c.ofKind("validation") {
		decl.validations = append(decl.validations, d.content(vb, validationSchema))
	}
	return decl
}

func (d *decoder) variableType(decl *variableDecl, a *argument, in *module) {
	raw, refs, problem := withReferences(a.raw)
	if refs != nil && in == nil && problem == "" {
		problem = "A reference comes from a module's caller, and nothing calls the configuration itself: give the variable another type."
	}
	if problem != "" {
		d.diags.err("invalid_type", a.raw.Range(), "%s", problem)
		return
	}
	ty, defaults, diags := typeexpr.TypeConstraintWithDefaults(raw)
	if diags.HasErrors() {
		d.diags.err("invalid_type", a.raw.Range(), "A type is string, number, bool, any, list(string), set(string), map(number), object({ name = string }) or tuple([string, number]); object attributes may be optional(string, \"default\"). A variable of a module may be reference(provider) and the like.")
		return
	}
	decl.v.Type, decl.defaults, decl.refs = ty, defaults, refs
}

// varValue is a value given for a variable from outside.
type varValue struct {
	from string         // "-var", "handbill.vars.hcl", …
	raw  string         // for the environment and -var
	expr hcl.Expression // for files
	rng  hcl.Range
}

// given collects the values from outside; later ones win.
type given struct {
	values map[string]varValue
	diags  *diagList
	known  map[string]*variableDecl
}

func (g *given) collect(files map[string][]byte, cfg *Config, opt Options) {
	for _, kv := range opt.Environ {
		name, raw, _ := strings.Cut(kv, "=")
		if name, ok := strings.CutPrefix(name, "HANDBILL_VAR_"); ok && g.known[name] != nil {
			g.values[name] = varValue{from: "the environment", raw: raw}
		}
	}
	for _, role := range []fileRole{roleDefaultVars, roleAutoVars} {
		for _, name := range namesOf(files, role) {
			g.file(name, files[name])
		}
	}
	for _, in := range opt.Vars {
		if in.File != "" {
			g.commandLineFile(in, cfg)
			continue
		}
		g.commandLine(in)
	}
}

func (g *given) commandLine(in VarInput) {
	if g.known[in.Name] == nil {
		g.diags.err("undeclared_variable", hcl.Range{}, "A value for the variable %q was given with -var, but no variable block declares it.%s", in.Name, didYouMean(in.Name, g.names()))
		return
	}
	g.values[in.Name] = varValue{from: "-var", raw: in.Raw}
}

func (g *given) commandLineFile(in VarInput, cfg *Config) {
	path := in.Path
	if path == "" {
		path = in.File
	}
	src, ok := readNamed(nil, path, in.File, g.diags)
	if !ok {
		return
	}
	cfg.VarFiles[in.File] = src
	g.file(in.File, src)
}

func (g *given) names() []string {
	var out []string
	for name := range g.known {
		out = append(out, name)
	}
	return out
}

func (g *given) file(name string, src []byte) {
	body := parse(name, src, g.diags)
	if body == nil {
		return
	}
	attrs, diags := body.JustAttributes()
	g.diags.take(diags)
	for _, key := range sortedKeys(attrs) {
		attr := attrs[key]
		if g.known[key] == nil {
			g.diags.warn("undeclared_variable", attr.NameRange, "This file gives a value for the variable %q, but no variable block declares it.%s", key, didYouMean(key, g.names()))
			continue
		}
		g.values[key] = varValue{from: name, expr: attr.Expr, rng: attr.Expr.Range()}
	}
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// finishVariable gives a variable its value and checks it against its validations.
func (d *decoder) finishVariable(decl *variableDecl, g *given) (missing bool) {
	v := decl.v
	in, ok := g.values[v.Name]
	kept, keeps := d.ev.opt.known[v.Name]
	switch {
	case keeps:
		v.Value = d.convertVariable(decl, kept, v.DeclRange, "the snapshot")
	case ok:
		v.Value = d.givenValue(decl, in)
	case decl.def != nil:
		v.Default = true
		v.Value = d.defaultValue(decl)
	default:
		v.Value = cty.UnknownVal(v.Type)
		d.diags.add(newDiag(hcl.DiagError, "missing_variable", v.DeclRange, fmt.Sprintf(
			"The variable %q has no value and no default. Give it with -var %s=VALUE, in handbill.vars.hcl, or in the environment as HANDBILL_VAR_%s.", v.Name, v.Name, v.Name)))
		missing = true
	}
	if v.Sensitive {
		v.Value = v.Value.Mark(eval.Sensitive)
	}
	return missing
}

func (d *decoder) defaultValue(decl *variableDecl) cty.Value {
	var quiet diagList
	val, ok := d.ev.constant(decl.def.expr, &quiet)
	if uses(decl.def.expr, append(globalRoots(), scopedRoots...)...) {
		d.diags.err("wrong_scope", decl.def.expr.Range(), "A variable's default may not refer to anything.")
		return cty.UnknownVal(decl.v.Type)
	}
	if !ok {
		d.diags.take(quiet.all)
		return cty.UnknownVal(decl.v.Type)
	}
	return d.convertVariable(decl, val, decl.def.expr.Range(), "the default")
}

func (d *decoder) givenValue(decl *variableDecl, in varValue) cty.Value {
	rng := in.rng
	if decl.v.Sensitive || rng.Filename == "" {
		rng = decl.v.DeclRange // the value's own place would show it
	}
	if in.expr != nil {
		val, diags := literalValue(in.expr)
		if diags.HasErrors() {
			d.diags.err("invalid_variable", rng, "The value for %q in %s must be a constant: a file of values cannot refer to anything or call functions.", decl.v.Name, in.from)
			return cty.UnknownVal(decl.v.Type)
		}
		return d.convertVariable(decl, val, rng, in.from)
	}
	val, ok := parseRaw(in.raw, decl.v.Type)
	if !ok {
		d.diags.err("invalid_variable", rng, "The value for %q from %s is not an expression of type %s. Texts within lists and objects need quotes.", decl.v.Name, in.from, typeexpr.TypeString(decl.v.Type))
		return cty.UnknownVal(decl.v.Type)
	}
	return d.convertVariable(decl, val, rng, in.from)
}

// literalValue evaluates without variables and functions.
func literalValue(e hcl.Expression) (cty.Value, hcl.Diagnostics) {
	if native, ok := e.(hclsyntax.Expression); ok {
		return eval.Value(native, nil)
	}
	return e.Value(nil)
}

// parseRaw reads a value of the command line or the environment: a string as it
// is written, anything else as an expression.
func parseRaw(raw string, ty cty.Type) (cty.Value, bool) {
	if ty == cty.String || ty == cty.DynamicPseudoType {
		return cty.StringVal(raw), true
	}
	if ty.IsPrimitiveType() {
		return cty.StringVal(strings.TrimSpace(raw)), true // cty converts "3" and "true"
	}
	if eval.ScanTokens([]byte(raw), "").HasErrors() {
		return cty.NilVal, false
	}
	e, diags := hclsyntax.ParseExpression([]byte(raw), "", hcl.InitialPos)
	if diags.HasErrors() {
		return cty.NilVal, false
	}
	v, diags := eval.Value(e, nil)
	return v, !diags.HasErrors()
}

func (d *decoder) convertVariable(decl *variableDecl, val cty.Value, rng hcl.Range, from string) cty.Value {
	v := decl.v
	if val.IsNull() && !v.Nullable && decl.def != nil && !v.Default {
		v.Default = true
		return d.defaultValue(decl)
	}
	if decl.defaults != nil && !val.IsNull() {
		val = decl.defaults.Apply(val)
	}
	got, err := convert.Convert(val, v.Type)
	if err != nil {
		d.diags.err("invalid_variable", rng, "The value for %q from %s does not fit its type, %s: %s.", v.Name, from, typeexpr.TypeString(v.Type), err.Error())
		return cty.UnknownVal(v.Type)
	}
	if !eval.NumbersInRange(got) {
		d.diags.err("invalid_variable", rng, "The value for %q from %s has a number that is out of range: at most 308 digits before the point.", v.Name, from)
		return cty.UnknownVal(v.Type)
	}
	if problem := decl.refs.check(got); problem != "" {
		d.diags.err("invalid_variable", rng, "The value for %q from %s %s.", v.Name, from, problem)
		return cty.UnknownVal(v.Type)
	}
	if got.IsNull() && !v.Nullable {
		d.diags.err("invalid_variable", rng, "The variable %q may not be null.", v.Name)
		return cty.UnknownVal(v.Type)
	}
	return got
}

// validate evaluates the validation blocks once all variables have values.
func (d *decoder) validateVariable(decl *variableDecl) {
	for _, c := range decl.validations {
		cond, msg := c.args["condition"], c.args["error_message"]
		if cond == nil || msg == nil {
			continue
		}
		if !refersTo(cond.expr, rootVar, decl.v.Name) {
			d.diags.err("invalid_value", cond.expr.Range(), "The condition of a validation must refer to the variable itself, var.%s.", decl.v.Name)
			continue
		}
		v, ok := d.ev.constant(cond.expr, d.diags)
		if !ok {
			continue
		}
		holds, err := convert.Convert(unmarked(v), cty.Bool)
		if err != nil || holds.IsNull() {
			d.diags.err("unsuitable_value", cond.expr.Range(), "The condition of a validation must be true or false.")
			continue
		}
		if holds.False() {
			d.diags.err("variable_validation", decl.v.DeclRange, "%s\n\nThis was checked by the validation at %s.", d.sentence(msg), cond.rng)
		}
	}
}

// sentence is an error_message as text.
func (d *decoder) sentence(a *argument) string {
	v, ok := d.ev.constant(a.expr, d.diags)
	if !ok {
		return "The condition does not hold."
	}
	return sentenceOf(v)
}

func sentenceOf(v cty.Value) string {
	if eval.IsSensitive(v) {
		return "The condition does not hold. (Its error message is made from a sensitive value.)"
	}
	s, err := convert.Convert(unmarked(v), cty.String)
	if err != nil || s.IsNull() || !s.IsKnown() {
		return "The condition does not hold."
	}
	return s.AsString()
}

func unmarked(v cty.Value) cty.Value {
	v, _ = v.UnmarkDeep()
	return v
}

func refersTo(e hcl.Expression, root, name string) bool {
	return slices.ContainsFunc(e.Variables(), func(t hcl.Traversal) bool {
		got, ok := stepName(t, 1)
		return rootKind(t) == root && (!ok || got == name)
	})
}

// openRoot opens the directory to which all reads are confined.
func openRoot(dir string, diags *diagList) *os.Root {
	root, err := os.OpenRoot(dir)
	if err != nil {
		diags.err("file_unreadable", hcl.Range{}, "The directory cannot be opened: %s.", cause(err))
		return nil
	}
	return root
}
