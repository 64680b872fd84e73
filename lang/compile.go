package lang

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/handbill/handbill/lang/eval"
	"github.com/handbill/handbill/message"
)

// compiledCampaign keeps a campaign's programs, so that they are made once.
type compiledCampaign struct {
	main, fallback *Program
	variants       []VariantProgram
	arms           [][]ArmText
	diags          hcl.Diagnostics
}

// CompileCampaign compiles a campaign's message and its fallback, which is nil
// if there is none. Programs are nil if there are errors. Only errors are
// returned here; Load has reported the same diagnostics, warnings included.
func (c *Config) CompileCampaign(cm *Campaign) (main, fallback *Program, diags hcl.Diagnostics) {
	got := c.compile(cm)
	for _, d := range got.diags {
		if d.Severity == hcl.DiagError {
			diags = append(diags, d)
		}
	}
	return got.main, got.fallback, diags
}

func (c *Config) compile(cm *Campaign) *compiledCampaign {
	if done := c.compiled[cm.Address()]; done != nil {
		return done
	}
	out := &compiledCampaign{}
	c.compiled[cm.Address()] = out
	if cm.Message == nil || cm.Audience == nil {
		return out // reported where the reference is
	}
	diags := c.diagsIn(cm.Module)
	names := recipientNames(cm.Audience)
	args := newValueArgs(cm.values, cm.Address(), cm.valuesRange())
	b := binder{cfg: c, diags: diags, names: names, attributes: names[:len(names)-2], optional: cm.Audience.Optional, scope: scope{rootRecipient: names}, args: args, links: true}
	if cm.Provider != nil {
		b.provider = cm.Provider.Type
	}
	b.quote, b.identity = cm.quote, cm.identity
	out.main = b.program(cm.Message)
	if cm.Fallback != nil {
		b.quote = nil // a template quotes no message
		out.fallback = b.program(cm.Fallback)
	}
	out.variants = b.variants(cm)
	out.arms = b.arms(cm, out)
	out.checkMetric(cm, diags)
	args.unused(diags)
	out.diags = diags.all
	return out
}

// recipientNames are the names below recipient, in the order of the values
// vector.
func recipientNames(a *Audience) []string {
	return append(slices.Clone(a.Attributes), "phone", "user_id")
}

// checkAlone checks a message that nothing uses.
func (c *Config) checkAlone(m *Message) hcl.Diagnostics {
	diags := c.diagsIn(m.Module)
	b := binder{cfg: c, diags: diags, scope: scope{rootRecipient: nil, rootValue: nil}, flatten: map[string]bool{rootValue: true}, links: true}
	b.program(m)
	return diags.all
}

// binder compiles messages for one campaign or reply rule that uses them.
type binder struct {
	cfg   *Config
	diags *diagList
	names []string // of the values vector; nil while they are not known
	// attributes are the names without the address at the end of the vector;
	// nil if the vector has no address.
	attributes []string
	optional   []string
	scope      scope
	args       *valueArgs
	provider   string // type
	// flatten are roots whose names are in the values vector as "root.name".
	flatten map[string]bool
	// quote and identity go with the message; nil for none.
	quote, identity hclsyntax.Expression
	links           bool // the message may have links
}

// binding is the work on one message.
type binding struct {
	*binder
	md         *messageDecoder
	p          *Program
	byText     map[string]int // slot by source text
	incomplete bool           // a text is unknown or wrong
	ctx        *hcl.EvalContext
}

// program compiles one message; nil when there are errors.
func (b *binder) program(m *Message) *Program {
	if m.body.broken {
		return nil
	}
	before := b.diags.errors()
	md := &messageDecoder{decoder: &decoder{ev: b.cfg.eval, diags: b.diags, scope: b.scope, expanded: maxDynamicBlocks - maxMessageBlocks}, cfg: b.cfg}
	again := m.body.block
	again.tree = &node{}
	if b.args != nil {
		again.env = again.env.passing(b.args)
	}
	w := &binding{
		binder: b, md: md, byText: map[string]int{}, ctx: b.cfg.eval.fullContext(),
		p: &Program{Draft: &message.Draft{Message: md.decode(m.Kind, &again)}, ranges: map[string]hcl.Range{}, names: b.names, decl: m.DeclRange},
	}
	if b.args != nil {
		b.args.missingOf(m.Address(), b.diags)
	}
	w.p.Data = md.data
	w.envelope()
	message.Fields(w.p.Draft.Message, w.field)
	if b.diags.errors() > before {
		return nil
	}
	w.declaredFit()
	if !w.incomplete {
		w.static()
	}
	if b.diags.errors() > before {
		return nil
	}
	return w.p
}

// envelope adds what goes with the message besides its content.
func (w *binding) envelope() {
	var e message.Envelope
	if w.quote != nil {
		e.Quote = w.md.add(w.quote)
	}
	if w.identity != nil {
		e.IdentityKeyHash = w.md.add(w.identity)
	}
	if w.p.Draft.Message != nil {
		message.SetEnvelope(w.p.Draft.Message, e)
	}
}

// field binds one text of the message.
func (w *binding) field(f message.Field) {
	td := w.md.marked(*f.Text)
	if td == nil {
		return
	}
	*f.Text = ""
	w.p.ranges[f.Path] = td.rng
	e := w.linked(td.expr, f)
	if !w.cfg.eval.check(e, w.scope, w.diags) {
		w.incomplete = true
		return
	}
	t := textParts{binding: w, nullable: f.Optional, rng: td.rng}
	t.add(e, true)
	w.record(f, td.rng, t.parts)
	if f.Type == message.FieldText {
		t.warnEscapes(td.rng)
	}
	switch {
	case len(t.parts) == 0:
	case len(t.parts) == 1 && t.parts[0].Slot < 0:
		*f.Text = t.parts[0].Text
	default:
		w.p.Draft.Bindings = append(w.p.Draft.Bindings, message.Binding{Path: f.Path, Parts: t.parts})
	}
}

// textParts are the parts of one text.
type textParts struct {
	*binding
	nullable bool
	rng      hcl.Range // of all of it
	parts    []message.Part
}

func (t *textParts) constant(s string) {
	if l, at := t.standIn(s); l != nil {
		i, ok := t.linkSlot(l, t.rng)
		t.incomplete = t.incomplete || !ok
		t.constant(s[:at])
		t.parts = append(t.parts, message.Part{Slot: i})
		t.constant(s[at+len(l.StandIn):])
		return
	}
	if s == "" {
		return
	}
	if n := len(t.parts); n > 0 && t.parts[n-1].Slot < 0 {
		t.parts[n-1].Text += s
		return
	}
	t.parts = append(t.parts, message.Part{Text: s, Slot: -1})
}

// add splits an expression into parts. whole is true for all of a text, false for
// a piece of a template.
func (t *textParts) add(e hclsyntax.Expression, whole bool) {
	if tmpl, ok := e.(*hclsyntax.TemplateExpr); ok {
		for _, part := range tmpl.Parts {
			t.add(part, false)
		}
		return
	}
	if inner := unwrap(e); inner != e {
		t.add(inner, whole)
		return
	}
	extras := t.attributes != nil && usesAddress(e)
	names := t.names
	if t.attributes != nil && !extras {
		names = t.attributes
	}
	prog, diags := eval.Compile(t.flattened(e), t.ctx, eval.Input{Root: rootRecipient, Names: names})
	t.diags.take(diags)
	if prog == nil || diags.HasErrors() {
		t.incomplete = true
		return
	}
	if prog.Sensitive() {
		t.diags.err("sensitive_value", e.Range(), "A message's texts stand in plan and state, so they may not be made from a sensitive value.")
		return
	}
	if v, ok := prog.Const(); ok {
		t.constantValue(v, e, whole)
		return
	}
	i := t.slot(e, prog, whole)
	t.p.slots[i].extras = extras
	t.p.extras = t.p.extras || extras
	t.parts = append(t.parts, message.Part{Slot: i})
}

// usesAddress reports whether e needs the recipient's phone or user id. Otherwise
// e is evaluated over the attributes as they are.
func usesAddress(e hclsyntax.Expression) bool {
	for _, t := range e.Variables() {
		name, ok := stepName(t, 1)
		if t.RootName() == rootRecipient && (!ok || name == "phone" || name == "user_id") {
			return true
		}
	}
	return false
}

func (t *textParts) constantValue(v cty.Value, e hclsyntax.Expression, whole bool) {
	switch text, ok := literalText(v); {
	case !v.IsWhollyKnown():
		t.incomplete = true
	case ok:
		t.constant(text)
	case v.IsNull() && whole && t.nullable:
	case v.IsNull():
		t.diags.err("missing_value", e.Range(), "A text is needed here, and the value is null.")
	default:
		t.diags.err("unsuitable_value", e.Range(), "A text is needed here, and a value of type %s has none. join and jsonencode make texts of collections.", v.Type().FriendlyName())
	}
}

// slot returns the index of the slot that e fills; equal expressions share one.
func (t *textParts) slot(e hclsyntax.Expression, prog *eval.Program, whole bool) int {
	source := sourceOf(e)
	nullable := whole && t.nullable || t.isOptional(e)
	key := source
	if nullable {
		key += "\x00"
	}
	if i, ok := t.byText[key]; ok {
		return i
	}
	i := len(t.p.slots)
	t.byText[key] = i
	t.p.Draft.Slots = append(t.p.Draft.Slots, source)
	s := slot{prog: prog, nullable: nullable}
	for _, ref := range neededBy(e) {
		name, _ := stepName(ref, 1)
		index := slices.Index(t.names, name)
		if index >= 0 && !slices.Contains(t.optional, name) {
			s.needed = append(s.needed, neededAttribute{index: index, name: name, rng: ref.SourceRange()})
		}
	}
	t.p.slots = append(t.p.slots, s)
	return i
}

// isOptional reports whether e is just an attribute that may be empty.
func (t *textParts) isOptional(e hclsyntax.Expression) bool {
	ref, ok := asTraversal(e)
	if !ok || ref.RootName() != rootRecipient || len(ref) != 2 {
		return false
	}
	name, _ := stepName(ref, 1)
	return slices.Contains(t.optional, name)
}

// flattened replaces a reference such as inbound.text by an attribute of the
// single values vector that expressions are compiled for.
func (b *binder) flattened(e hclsyntax.Expression) hclsyntax.Expression {
	if len(b.flatten) == 0 {
		return e
	}
	return substitute(e, func(ref *hclsyntax.ScopeTraversalExpr) hclsyntax.Expression {
		root := ref.Traversal.RootName()
		name, ok := stepName(ref.Traversal, 1)
		if !b.flatten[root] || !ok {
			return nil
		}
		t := hcl.Traversal{
			hcl.TraverseRoot{Name: rootRecipient, SrcRange: ref.Traversal[0].SourceRange()},
			hcl.TraverseAttr{Name: root + "." + name, SrcRange: ref.Traversal[1].SourceRange()},
		}
		return &hclsyntax.ScopeTraversalExpr{Traversal: append(t, ref.Traversal[2:]...), SrcRange: ref.SrcRange}
	})
}

// neededBy returns the attributes of the recipient without which e would render
// an empty text: all except those in a conditional, a comparison, or a function
// that exists to handle them.
func neededBy(e hclsyntax.Expression) []hcl.Traversal {
	switch e := e.(type) {
	case *hclsyntax.ScopeTraversalExpr:
		if _, ok := stepName(e.Traversal, 1); ok && e.Traversal.RootName() == rootRecipient {
			return []hcl.Traversal{e.Traversal}
		}
	case *hclsyntax.ParenthesesExpr:
		return neededBy(e.Expression)
	case *hclsyntax.TemplateWrapExpr:
		return neededBy(e.Wrapped)
	case *hclsyntax.TemplateExpr:
		return neededByAll(e.Parts)
	case *hclsyntax.FunctionCallExpr:
		if !slices.Contains(handlesEmpty, e.Name) {
			return neededByAll(e.Args)
		}
	case *hclsyntax.BinaryOpExpr:
		if e.Op != hclsyntax.OpEqual && e.Op != hclsyntax.OpNotEqual {
			return neededByAll([]hclsyntax.Expression{e.LHS, e.RHS})
		}
	}
	return nil
}

func neededByAll(list []hclsyntax.Expression) []hcl.Traversal {
	var out []hcl.Traversal
	for _, e := range list {
		out = append(out, neededBy(e)...)
	}
	return out
}

// handlesEmpty are the functions whose purpose is to handle a value that is not
// there.
var handlesEmpty = []string{"coalesce", "coalescelist", "try", "can", "lookup", "compact", "jsonencode", "length", "contains", "concat", "merge"}

func (t *textParts) warnEscapes(rng hcl.Range) {
	for _, p := range t.parts {
		if strings.Contains(p.Text, "${") || strings.Contains(p.Text, "%{") {
			t.diags.warn("dollar_escape", rng, "The text will hold a literal ${ or %%{, which is what $${ and %%%%{ stand for. For a dollar sign before a price write \"\\u0024${price}\", or use money(...).")
			return
		}
	}
}

// static reports what is wrong with the message whoever the recipient is.
func (w *binding) static() {
	for _, v := range message.NewChecker(w.p.Draft, w.limits()).Static() {
		if v.Rule == "text.leftover_interpolation" {
			continue // reported already, and for texts with slots too
		}
		sev, code := hcl.DiagError, "invalid_message"
		if v.Severity == message.Warning {
			sev, code = hcl.DiagWarning, "doubtful_message"
		}
		w.diags.add(newDiag(sev, code, w.p.Range(v.Path), v.Detail))
	}
}
