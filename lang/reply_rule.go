package lang

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/handbill/handbill/message"
)

// When says which inbound messages a reply rule is for. Conditions of different
// kinds must all hold; of a list, any one entry is enough.
type When struct {
	Any          bool
	Text         *regexp.Regexp // on the text, caption or tapped title; nil for none
	Keywords     []string       // the whole text, apart from case and outer spaces
	ListReply    *Message       // a row of this list was tapped
	Rows         []string       // with ListReply: which rows; empty for every one
	ButtonReply  *Message       // a button of this message was tapped
	Payloads     []string       // with ButtonReply: which; empty for every one
	Order        bool           // a cart came
	Types        []string       // Meta's types of message
	FirstContact bool           // the person never wrote before
	From, Until  int            // minutes after midnight; equal for the whole day
	Timezone     *time.Location
	DeclRange    hcl.Range
}

// Lookup asks one of the user's services for JSON before a rule answers.
type Lookup struct {
	Name      string
	Method    string // "GET" or "POST"
	Timeout   time.Duration
	Fallback  bool // an answer is declared in case the service fails
	DeclRange hcl.Range
}

// Forward hands an inbound message on to one of the user's services.
type Forward struct {
	URL       string
	Secret    string // signs the request; "" for none. Sensitive
	DeclRange hcl.Range
}

// replyBody are a rule's arguments that are evaluated for each message.
type replyBody struct {
	condition hclsyntax.Expression // nil for none
	values    hclsyntax.Expression
	quote     hclsyntax.Expression // nil for none
	valuesRng hcl.Range
	lookups   []lookupExprs
	set       map[string]hclsyntax.Expression
	broken    bool
}

type lookupExprs struct {
	url, body, fallback hclsyntax.Expression // nil where not given
	headers             hclsyntax.Expression
}

var replyRuleSchema = schema("provider priority continue cooldown reply values quote mark_read typing set handover",
	blockOf("when"), blockOf("lookup", "name"), blockOf("forward"))

func (l *loader) decodeReplyRule(b *block) *ReplyRule {
	before := l.diags.errors()
	c := l.content(b, replyRuleSchema)
	r := &ReplyRule{
		Module: b.module(), Name: b.label(0), Priority: int(l.number(c, "priority", -1e6, 1e6, 0)), Continue: l.boolean(c, "continue"),
		Cooldown: l.duration(c, "cooldown"), Handover: l.boolean(c, "handover"), DeclRange: b.defRange,
		MarkRead: l.boolean(c, "mark_read"), Typing: l.boolean(c, "typing"),
		Reply: l.messageRef(c, "reply"), body: &replyBody{set: map[string]hclsyntax.Expression{}, valuesRng: b.defRange, quote: exprOf(c, "quote")},
	}
	if a := c.args["provider"]; a != nil {
		if address, ok := l.refer(a, rootProvider); ok {
			r.Provider = l.cfg.provider(address)
		}
	}
	l.decodeWhens(r, c)
	if a := c.args["values"]; a != nil {
		r.body.values, r.body.valuesRng = a.expr, a.expr.Range()
	}
	l.decodeSet(r, c)
	for _, lb := range c.ofKind("lookup") {
		l.decodeLookup(r, lb)
	}
	if fb := l.atMostOne(c, "forward"); fb != nil {
		r.Forward = l.decodeForward(fb)
	}
	if c.args["reply"] == nil && c.args["set"] == nil && len(c.ofKind("forward")) == 0 && !r.Handover && !r.MarkRead {
		l.diags.err("incomplete_rule", b.defRange, "A reply rule must do something: give it reply, forward, set, mark_read or handover.")
	}
	l.needsReply(c, "quote", "says which message the answer quotes")
	if r.Typing {
		l.needsReply(c, "typing", "shows that an answer is being written")
	}
	r.body.broken = l.diags.errors() > before
	b.tree.labels = nil
	r.Tree = b.tree.asTree()
	return r
}

// needsReply requires reply if an argument that says something about it is set.
func (l *loader) needsReply(c *content, name, does string) {
	if c.args[name] != nil && c.args["reply"] == nil {
		l.diags.err("missing_argument", c.rangeOf(name), "%s %s, so reply is needed too.", name, does)
	}
}

func (l *loader) decodeWhens(r *ReplyRule, c *content) {
	wb := l.atMostOne(c, "when")
	if wb == nil {
		l.diags.err("missing_block", c.block.defRange, "A reply rule needs a when block, which says what it answers to; when { any = true } is for everything.")
		return
	}
	r.When = l.decodeWhen(r, wb)
}

var whenSchema = schema("any text keywords list_reply row button_reply payload order type first_contact time timezone condition")

func (l *loader) decodeWhen(r *ReplyRule, b *block) *When {
	c := l.content(b, whenSchema)
	w := &When{
		Any: l.boolean(c, "any"), Text: l.pattern(c, "text"), Keywords: l.strings(c, "keywords"), Order: l.boolean(c, "order"),
		FirstContact: l.boolean(c, "first_contact"), Timezone: l.timezone(c), DeclRange: b.defRange,
		ListReply: l.messageRef(c, "list_reply"), ButtonReply: l.messageRef(c, "button_reply"),
		Rows: l.oneOrMore(c, "row"), Payloads: l.oneOrMore(c, "payload"), Types: l.inboundTypes(c),
	}
	w.From, w.Until, _ = l.timeRange(c, "time")
	if w.Timezone == nil {
		w.Timezone = time.UTC
	}
	r.body.condition = exprOf(c, "condition")
	l.checkWhen(w, c)
	if len(c.args) == 0 {
		l.diags.err("missing_argument", b.defRange, "A when block says what the rule answers to: text, keywords, list_reply, button_reply, order, type, first_contact, condition, or any = true.")
	}
	return w
}

func (l *loader) checkWhen(w *When, c *content) {
	l.exclusive(c, "text", "keywords")
	if w.ListReply != nil && w.ListReply.Kind != message.KindList {
		l.diags.err("unsuitable_value", c.rangeOf("list_reply"), "list_reply takes a list_message; %s has no rows.", w.ListReply.Address())
	}
	if w.ButtonReply != nil && !slices.Contains([]message.Kind{message.KindButtons, message.KindTemplate, message.KindCarousel}, w.ButtonReply.Kind) {
		l.diags.err("unsuitable_value", c.rangeOf("button_reply"), "button_reply takes a button_message, a template_message or a carousel_message; %s has no buttons.", w.ButtonReply.Address())
	}
	if c.args["row"] != nil && c.args["list_reply"] == nil {
		l.diags.err("missing_argument", c.rangeOf("row"), "row says which row of list_reply was tapped, so list_reply is needed too.")
	}
	if c.args["payload"] != nil && c.args["button_reply"] == nil {
		l.diags.err("missing_argument", c.rangeOf("payload"), "payload says which button of button_reply was tapped, so button_reply is needed too.")
	}
	l.knownChoices(c, "row", w.ListReply, w.Rows, "section", "row")
	l.knownChoices(c, "payload", w.ButtonReply, w.Payloads, "", "button")
}

// knownChoices warns of a row or button that the message does not have.
func (l *loader) knownChoices(c *content, name string, m *Message, ids []string, outer, inner string) {
	if m == nil || m.Kind == message.KindTemplate || m.Kind == message.KindCarousel {
		return
	}
	have, complete := choices(m.Tree.Blocks, outer, inner)
	for _, id := range ids {
		if complete && !slices.Contains(have, id) {
			l.diags.warn("unknown_row", c.rangeOf(name), "%s has no %s %q, so this rule can never match it.%s", m.Address(), inner, id, didYouMean(id, have))
		}
	}
}

func choices(blocks []Block, outer, inner string) (ids []string, complete bool) {
	complete = true
	for _, b := range blocks {
		switch {
		case b.Type == "dynamic":
			complete = false
		case b.Type == inner && len(b.Labels) > 0:
			ids = append(ids, b.Labels[0])
		case b.Type == outer:
			more, all := choices(b.Blocks, outer, inner)
			ids, complete = append(ids, more...), complete && all
		}
	}
	return ids, complete
}

const maxPattern = 1024 // characters

func (d *decoder) pattern(c *content, name string) *regexp.Regexp {
	s := d.str(c, name)
	if s == "" {
		return nil
	}
	if len(s) > maxPattern {
		d.diags.err("invalid_regex", c.rangeOf(name), "A pattern may have %d characters.", maxPattern)
		return nil
	}
	re, err := regexp.Compile(s)
	if err != nil {
		d.diags.err("invalid_regex", c.rangeOf(name), "The pattern is not a regular expression: %s. In a quoted string a backslash is written twice.", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
		return nil
	}
	return re
}

// oneOrMore is a string or a list of strings.
func (d *decoder) oneOrMore(c *content, name string) []string {
	a := c.args[name]
	if a == nil {
		return nil
	}
	v, ok := d.ev.constant(a.expr, d.diags)
	if !ok {
		return nil
	}
	if s, ok := literalText(v); ok {
		return []string{s}
	}
	return d.strings(c, name)
}

// inboundTypes are Meta's types of inbound messages.
// Source: Meta, webhooks/reference/messages, 2026-09-11.
var inboundTypes = []string{
	"audio", "button", "contacts", "document", "image", "interactive", "location", "order", "reaction", "sticker", "system", "text",
	"unsupported", "video",
}

func (d *decoder) inboundTypes(c *content) []string {
	list := d.oneOrMore(c, "type")
	for _, t := range list {
		if !slices.Contains(inboundTypes, t) {
			d.diags.err("invalid_value", c.rangeOf("type"), "There is no inbound message of type %q.%s There are: %s.", t, didYouMean(t, inboundTypes), listOf(inboundTypes))
		}
	}
	return list
}

func (l *loader) decodeSet(r *ReplyRule, c *content) {
	a := c.args["set"]
	if a == nil {
		return
	}
	obj, ok := unwrap(a.expr).(*hclsyntax.ObjectConsExpr)
	if !ok {
		l.diags.err("unsuitable_value", a.expr.Range(), "set takes an object, such as { interest = match.sku }.")
		return
	}
	for _, item := range obj.Items {
		name, ok := itemName(item)
		switch {
		case !ok || !hclsyntax.ValidIdentifier(name):
			l.diags.err("invalid_name", item.KeyExpr.Range(), "An attribute's name begins with a letter or underscore and goes on with letters, digits, underscores and dashes.")
		case slices.Contains(replyRecipient, name) && name != "name":
			l.diags.err("reserved_name", item.KeyExpr.Range(), "recipient.%s is not an attribute that a rule can set.", name)
		default:
			r.Set = append(r.Set, name)
			r.body.set[name] = item.ValueExpr
		}
	}
	slices.Sort(r.Set)
}

var lookupSchema = schema("url! method headers body timeout fallback")

func (l *loader) decodeLookup(r *ReplyRule, b *block) {
	c := l.content(b, lookupSchema)
	lk := Lookup{Name: b.label(0), Method: l.oneOf(c, "method", "GET", "POST"), Timeout: l.duration(c, "timeout"), Fallback: c.args["fallback"] != nil, DeclRange: b.defRange}
	if lk.Timeout == 0 {
		lk.Timeout = 3 * time.Second
	}
	if !hclsyntax.ValidIdentifier(lk.Name) {
		l.diags.err("invalid_name", b.labelRange(0), "A name begins with a letter or underscore and goes on with letters, digits, underscores and dashes.")
		return
	}
	if lk.Timeout > 30*time.Second {
		l.invalid(c, "timeout", "may be 30s at most: a person is waiting")
	}
	if slices.ContainsFunc(r.Lookups, func(o Lookup) bool { return o.Name == lk.Name }) {
		l.diags.err("duplicate_declaration", b.defRange, "The rule has a lookup %q already.", lk.Name)
		return
	}
	if c.args["body"] != nil && lk.Method == "GET" {
		l.diags.err("conflicting_arguments", c.rangeOf("body"), "A GET has no body; set method = \"POST\".")
	}
	hideArgument(b, "headers")
	r.Lookups = append(r.Lookups, lk)
	r.body.lookups = append(r.body.lookups, lookupExprs{url: exprOf(c, "url"), body: exprOf(c, "body"), headers: exprOf(c, "headers"), fallback: exprOf(c, "fallback")})
}

func (l *loader) decodeForward(b *block) *Forward {
	c := l.content(b, schema("url! secret"))
	f := &Forward{URL: l.filled(c, "url"), DeclRange: b.defRange}
	if f.URL != "" && !strings.HasPrefix(f.URL, "https://") && !strings.HasPrefix(f.URL, "http://localhost") && !strings.HasPrefix(f.URL, "http://127.0.0.1") {
		l.invalid(c, "url", "must begin with https://")
	}
	if a := c.args["secret"]; a != nil {
		if v, ok := l.providerArgument(a, ProviderArgument{Name: "secret", Sensitive: true}); ok {
			f.Secret = unmarked(v).AsString()
		}
		hideArgument(b, "secret")
	}
	return f
}

// checkRules warns of rules that no message can reach, and of those that answer
// every message.
func (l *loader) checkRules() {
	rules := l.cfg.rulesInOrder()
	for i, r := range rules {
		if r.When != nil {
			if why := r.When.contradiction(); why != "" {
				l.diags.warn("impossible_rule", r.When.DeclRange, "No message meets all of this, so the rule never fires: %s. Make it two rules.", why)
				continue
			}
		}
		if r.answersAnything() {
			l.diags.warn("reply_loop", r.DeclRange, "This rule answers every message, however often it comes: another automatic service would be answered endlessly. Give it a cooldown, such as \"10m\". Without one only the handbill block's reply_budget stops it.")
		}
		for _, earlier := range rules[:i] {
			if !earlier.body.broken && !r.body.broken && covers(earlier, r) {
				l.diags.warn("unreachable_rule", r.DeclRange, "%s at %s takes every message that this rule is for. Give this one a higher priority, or the other one continue = true.", earlier.Address(), earlier.DeclRange)
				break
			}
		}
	}
}

// answersAnything reports whether the rule answers every message, without a pause
// between its answers.
func (r *ReplyRule) answersAnything() bool {
	return r.Reply != nil && !r.body.broken && r.Cooldown == 0 && r.body.condition == nil && r.When != nil && r.When.takes(&When{Timezone: time.UTC})
}

// rulesInOrder are the rules as they are tried: by priority, the highest
// first, then in source order.
func (c *Config) rulesInOrder() []*ReplyRule {
	out := slices.Clone(c.ReplyRules)
	slices.SortStableFunc(out, func(a, b *ReplyRule) int { return b.Priority - a.Priority })
	return out
}

// covers reports whether a certainly takes every message that b would: b's messages
// meet all of a's conditions.
func covers(a, b *ReplyRule) bool {
	if a.Continue || a.Cooldown > 0 || a.When == nil || b.When == nil || a.body.condition != nil {
		return false
	}
	if a.Provider != nil && a.Provider != b.Provider {
		return false
	}
	return a.When.takes(b.When)
}

// takes reports whether every message that v is for is also one of w's; false if
// that is not certain.
func (w *When) takes(v *When) bool {
	switch {
	case w.FirstContact && !v.FirstContact,
		w.From != w.Until && (w.From != v.From || w.Until != v.Until || w.Timezone.String() != v.Timezone.String()),
		w.Text != nil && (v.Text == nil || v.Text.String() != w.Text.String()),
		len(w.Keywords) > 0 && (len(v.Keywords) == 0 || !subset(folded(v.Keywords), folded(w.Keywords))),
		w.ListReply != nil && (v.ListReply != w.ListReply || !allOf(v.Rows, w.Rows)),
		w.ButtonReply != nil && (v.ButtonReply != w.ButtonReply || !allOf(v.Payloads, w.Payloads)),
		w.Order && !v.Order,
		len(w.Types) > 0 && !(v.Order && slices.Contains(w.Types, "order")) && (len(v.Types) == 0 || !subset(v.Types, w.Types)):
		return false
	}
	return true
}

// allOf reports whether all choices a are among b; an empty list means every choice.
func allOf(a, b []string) bool { return len(b) == 0 || len(a) > 0 && subset(a, b) }

func folded(words []string) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = strings.ToLower(strings.TrimSpace(w))
	}
	return out
}

// contradiction says which parts of a when block no single message can meet; ""
// for none.
func (w *When) contradiction() string {
	switch {
	case w.ListReply != nil && w.ButtonReply != nil:
		return "a message is a tap on a row or on a button, never both"
	case w.Order && (w.ListReply != nil || w.ButtonReply != nil):
		return "a message is an order or a tap, never both"
	case w.Order && len(w.Types) > 0 && !slices.Contains(w.Types, "order"):
		return "an order is a message of type \"order\""
	}
	return ""
}

func subset(a, b []string) bool {
	return !slices.ContainsFunc(a, func(s string) bool { return !slices.Contains(b, s) })
}
