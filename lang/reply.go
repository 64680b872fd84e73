package lang

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/handbill/handbill/lang/eval"
	"github.com/handbill/handbill/message"
)

// replyRecipient are the names below recipient that a reply rule has besides
// the attributes that audiences declare and rules set.
var replyRecipient = []string{"first_contact", "name", "opted_out", "phone", "user_id", "window_open"}

// inboundNames are the names below inbound.
var inboundNames = []string{"ad", "at", "context_id", "data", "id", "order", "reply_id", "reply_kind", "text", "type"}

// ReplyProgram is a reply rule compiled: everything of it that depends on the
// message that came in. It is safe for concurrent use.
//
// All its expressions are evaluated over one vector of values, parallel to
// Names: "phone" and the like are the recipient's, "inbound.text" is the
// message's, "match.sku" a named group of the pattern, "lookup.stock" the JSON
// that a lookup answered. What is not known is null.
type ReplyProgram struct {
	Rule  *ReplyRule
	Names []string
	// Reply is the message; nil where the rule has none. Its Eval takes a
	// recipient whose Attributes are the vector.
	Reply *Program

	condition *eval.Program
	lookups   []lookupPrograms
	set       []*eval.Program // parallel to Rule.Set
}

type lookupPrograms struct {
	url, body, fallback *eval.Program // nil where not given
	encoded             []hcl.Range   // of url: see encodedAlready
	headers             []headerProgram
}

type headerProgram struct {
	name  string
	value *eval.Program
}

// LookupRequest is the request that a lookup makes.
type LookupRequest struct {
	URL     string
	Method  string
	Body    string            // "" for none
	Headers map[string]string // may hold secrets: never to be logged
}

// Condition evaluates the when block's condition; true where there is none.
func (p *ReplyProgram) Condition(vals []message.Value) (bool, error) {
	if p.condition == nil {
		return true, nil
	}
	ok, err := p.condition.EvalBool(vals)
	if err != nil {
		return false, valueError(err, p.condition.Range())
	}
	return ok, nil
}

// LookupRequest makes the request of the rule's i-th lookup.
func (p *ReplyProgram) LookupRequest(i int, vals []message.Value) (LookupRequest, error) {
	lk := p.lookups[i]
	out := LookupRequest{Method: p.Rule.Lookups[i].Method, Headers: map[string]string{}}
	var err error
	if out.URL, err = lookupURL(lk.url, lk.encoded, vals); err != nil {
		return out, err
	}
	if out.Body, err = programText(lk.body, vals); err != nil {
		return out, err
	}
	for _, h := range lk.headers {
		if out.Headers[h.name], err = programText(h.value, vals); err != nil {
			return out, err
		}
	}
	return out, nil
}

// LookupFallback returns the answer that replaces the i-th lookup's if its service
// fails; null if none is declared.
func (p *ReplyProgram) LookupFallback(i int, vals []message.Value) (message.Value, error) {
	if p.lookups[i].fallback == nil {
		return message.Value{}, nil
	}
	v, err := p.lookups[i].fallback.Eval(vals)
	if err != nil {
		return v, valueError(err, p.lookups[i].fallback.Range())
	}
	return v, nil
}

// SetValues are the values of the attributes that the rule sets, parallel to
// Rule.Set.
func (p *ReplyProgram) SetValues(vals []message.Value) ([]message.Value, error) {
	out := make([]message.Value, 0, len(p.set))
	for _, prog := range p.set {
		v, err := prog.Eval(vals)
		if err != nil {
			return nil, valueError(err, prog.Range())
		}
		out = append(out, v)
	}
	return out, nil
}

func programText(p *eval.Program, vals []message.Value) (string, error) {
	if p == nil {
		return "", nil
	}
	text, err := p.AppendString(nil, vals)
	if err != nil {
		return "", valueError(err, p.Range())
	}
	return string(text), nil
}

// CompileReply compiles a reply rule. The program is nil when there are
// errors, which Load has reported already.
func (c *Config) CompileReply(r *ReplyRule) (*ReplyProgram, hcl.Diagnostics) {
	if done, ok := c.replies[r.Address()]; ok {
		return done, nil
	}
	if r.body.broken {
		return nil, nil
	}
	diags := c.diagsIn(r.Module)
	rb := newReplyBinder(c, r, diags)
	refuseLookups(r.body.condition, diags)
	p := &ReplyProgram{Rule: r, Names: rb.names, condition: rb.compile(r.body.condition, false)}
	for _, lk := range r.body.lookups {
		p.lookups = append(p.lookups, lookupPrograms{
			url: rb.compile(lk.url, true), encoded: encodedAlready(lk.url), body: rb.compile(lk.body, true), fallback: rb.compile(lk.fallback, true), headers: rb.headers(lk.headers),
		})
		checkLookupURL(p.lookups[len(p.lookups)-1].url, diags)
	}
	for _, name := range r.Set {
		p.set = append(p.set, rb.compile(r.body.set[name], false))
	}
	if r.Reply != nil {
		rb.quote = r.body.quote
		p.Reply = rb.program(r.Reply)
	}
	if r.body.values != nil {
		c.eval.check(r.body.values, rb.scope, diags)
		rb.args.unused(diags)
	}
	if diags.errors() > 0 {
		return nil, diags.all
	}
	c.replies[r.Address()] = p
	return p, diags.all
}

// refuseLookups reports a condition that uses a lookup: lookups are made only for
// a rule that was chosen, and the condition is part of choosing it.
func refuseLookups(condition hclsyntax.Expression, diags *diagList) {
	if condition == nil {
		return
	}
	for _, t := range condition.Variables() {
		if t.RootName() == rootLookup {
			diags.err("wrong_scope", t.SourceRange(), "lookup.* is not known in a when block: a rule asks its lookups only after it was chosen. Let the rule answer, and use lookup.* in its reply or in values, with a conditional for the two cases.")
		}
	}
}

func newReplyBinder(c *Config, r *ReplyRule, diags *diagList) *replyBinder {
	recipient := c.replyAttributes()
	match := []string{}
	if r.When != nil && r.When.Text != nil {
		for _, name := range r.When.Text.SubexpNames() {
			if name != "" {
				match = append(match, name)
			}
		}
	}
	lookups := []string{}
	for _, lk := range r.Lookups {
		lookups = append(lookups, lk.Name)
	}
	b := binder{
		cfg: c, diags: diags, names: slices.Clone(recipient), args: newValueArgs(r.body.values, r.Address(), r.body.valuesRng),
		scope:   scope{rootRecipient: recipient, rootInbound: inboundNames, rootMatch: match, rootLookup: lookups},
		flatten: map[string]bool{rootInbound: true, rootMatch: true, rootLookup: true},
	}
	for _, part := range []string{rootInbound, rootMatch, rootLookup} {
		for _, name := range b.scope[part] {
			b.names = append(b.names, part+"."+name)
		}
	}
	if r.Provider != nil {
		b.provider = r.Provider.Type
	}
	return &replyBinder{binder: b}
}

// replyAttributes are all names that recipient may have in a reply rule.
func (c *Config) replyAttributes() []string {
	out := slices.Clone(replyRecipient)
	for _, a := range c.Audiences {
		out = append(out, a.Attributes...)
	}
	for _, r := range c.ReplyRules {
		out = append(out, r.Set...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

type replyBinder struct{ binder }

// compile compiles one expression. Secrets may only be in those that go to the
// user's own services.
func (b *replyBinder) compile(e hclsyntax.Expression, secretsAllowed bool) *eval.Program {
	if e == nil || !b.cfg.eval.check(e, b.scope, b.diags) {
		return nil
	}
	p, diags := eval.Compile(b.flattened(e), b.cfg.eval.fullContext(), eval.Input{Root: rootRecipient, Names: b.names})
	b.diags.take(diags)
	if p != nil && p.Sensitive() && !secretsAllowed {
		b.diags.err("sensitive_value", e.Range(), "What a rule decides by and sets stands in the state, so it may not be made from a sensitive value.")
	}
	return p
}

func (b *replyBinder) headers(e hclsyntax.Expression) []headerProgram {
	if e == nil {
		return nil
	}
	args := newValueArgs(e, "", e.Range())
	if args.items == nil {
		b.diags.err("unsuitable_value", e.Range(), "headers takes an object, such as { Authorization = env(\"STOCK_TOKEN\") }.")
		return nil
	}
	var out []headerProgram
	for _, name := range sortedKeys(args.items) {
		if v, ok := unwrap(args.items[name]).(*hclsyntax.LiteralValueExpr); ok && v.Val.Type() != cty.String {
			b.diags.err("unsuitable_value", args.items[name].Range(), "A header's value is a text.")
			continue
		}
		out = append(out, headerProgram{name: name, value: b.compile(args.items[name], true)})
	}
	return out
}
