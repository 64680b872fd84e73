package lang

import (
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/handbill/handbill/lang/eval"
	"github.com/handbill/handbill/message"
)

// Link is a link block: messages name it, each recipient gets an address of their
// own below Base, and serve redirects from there to the URL.
type Link struct {
	Module    string // the module's address; "" for none
	Name      string
	Base      string // where serve is reached, without a final slash; "" where that is wrong
	Tree      Tree
	DeclRange hcl.Range
	block     block // read again for each campaign, whose values the URL may depend on
	broken    bool  // wrong whatever is passed; reported by Load
}

// Address is "link.shop".
func (k *Link) Address() string { return message.WithModule(k.Module, rootLink+"."+k.Name) }

const (
	rootLink = "link"
	// linkSuffix is the attribute of a link for templates, whose button has the base.
	linkSuffix = "suffix"
	// maxLinkURL is how long a destination may be, in bytes: what browsers and shops
	// take without trouble.
	maxLinkURL = 2048
)

var linkSchema = schema("url! base!")

func (l *loader) decodeLinks() {
	for decl := range l.of(rootLink) {
		l.cfg.Links = append(l.cfg.Links, l.decodeLink(decl.block))
	}
}

func (l *loader) decodeLink(b *block) *Link {
	k := &Link{Module: b.module(), Name: b.label(0), DeclRange: b.defRange, block: *b}
	before := l.diags.errors()
	c := l.content(b, linkSchema)
	b.tree.labels = nil
	k.Tree = b.tree.asTree()
	if c.args["base"] != nil {
		k.Base = strings.TrimRight(l.str(c, "base"), "/")
		if problem := badBase(k.Base); problem != "" && l.diags.errors() == before {
			l.invalid(c, "base", problem)
		}
	}
	if a := c.args["url"]; a != nil && l.ev.check(a.expr, scope{rootValue: nil}, l.diags) && !uses(a.expr, rootValue) {
		l.ev.linkURL(a.expr, l.diags)
	}
	k.broken = l.diags.errors() > before
	return k
}

// badBase says what is wrong with the base of links; "" for nothing.
func badBase(base string) string {
	u, err := url.Parse(base)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return "is the address at which handbill serve is reached, such as https://go.example.com"
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.ContainsAny(base, "#%\\ "):
		return "is an address without a user, a query, a fragment or escapes; a path may follow the host"
	case u.Scheme == "http" && !onThisMachine(u.Hostname()):
		return "needs https; http does only on this machine, as for the sandbox"
	case strings.HasPrefix(u.Path+"/", "/webhooks/"):
		return "is below /webhooks, where webhooks are received"
	}
	return ""
}

func onThisMachine(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// linkURL evaluates and checks where a link leads; ok is false where that is not
// known or wrong.
func (ev *evaluator) linkURL(e hclsyntax.Expression, diags *diagList) (to string, ok bool) {
	v, ok := ev.constant(e, diags)
	switch {
	case !ok:
		return "", false
	case eval.IsSensitive(v):
		diags.err("sensitive_value", e.Range(), "Where a link leads stands in plan and state, so it may not be made from a sensitive value.")
		return "", false
	}
	to, isText := literalText(v)
	if !isText {
		diags.err("unsuitable_value", e.Range(), "The address to which a link leads is needed here.")
		return "", false
	}
	if problem := badDestination(to); problem != "" {
		diags.err("invalid_value", e.Range(), "A link leads to a page, such as https://shop.example/spring; this %s.", problem)
		return "", false
	}
	if u, err := url.Parse(to); err == nil && u.Scheme == "http" && !onThisMachine(u.Hostname()) {
		diags.warn("insecure_link", e.Range(), "The link leads to a page without https. Others can read and change what is sent to and from it, and some phones refuse to open it.")
	}
	return to, true
}

// badDestination says what is wrong with the address to which a link leads; "" for
// nothing. It goes into a header of HTTP as it is.
func badDestination(to string) string {
	u, err := url.Parse(to)
	switch {
	case len(to) > maxLinkURL:
		return "has more than 2,048 bytes"
	case strings.ContainsFunc(to, func(r rune) bool { return r <= ' ' || r > '~' || r == '\\' }):
		return "has a character that an address escapes, such as a space; urlencode(...) escapes it"
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return "is no address that begins with https://"
	case u.User != nil:
		return "has a user's name before its host, which browsers warn of"
	}
	return ""
}

func (c *Config) link(address string) *Link {
	for _, k := range c.Links {
		if k.Address() == address {
			return k
		}
	}
	return nil
}

// linked puts what stands in for links in the place of references to them. A message
// keeps the link's own text, so no function may change it.
func (w *binding) linked(e hclsyntax.Expression, f message.Field) hclsyntax.Expression {
	if !uses(e, rootLink) {
		return e
	}
	if !w.links || f.Type == message.FieldID || f.Type == message.FieldNumber {
		w.diags.err("link_place", e.Range(), "A link stands in a text or an address of a message that a campaign sends.")
		w.incomplete = true
		return unknownText(e.Range())
	}
	if call := linkInCall(e); call != nil {
		w.diags.err("link_place", call.Range(), "A link's address is made for each recipient when the message is sent, so %s can't work with it. Put the link beside what the function makes: \"${%s(…)} ${link.NAME}\".", call.Name, call.Name)
		w.incomplete = true
		return unknownText(e.Range())
	}
	return substitute(e, func(ref *hclsyntax.ScopeTraversalExpr) hclsyntax.Expression {
		if rootKind(ref.Traversal) != rootLink {
			return nil
		}
		text, ok := w.linkText(ref.Traversal)
		if !ok {
			w.incomplete = true
			return unknownText(ref.SrcRange)
		}
		return &hclsyntax.LiteralValueExpr{Val: cty.StringVal(text), SrcRange: ref.SrcRange}
	})
}

func unknownText(rng hcl.Range) hclsyntax.Expression {
	return &hclsyntax.LiteralValueExpr{Val: cty.UnknownVal(cty.String), SrcRange: rng}
}

// linkInCall returns the first call of a function that is given a link and would
// change it; nil for none.
func linkInCall(e hclsyntax.Expression) (found *hclsyntax.FunctionCallExpr) {
	_ = hclsyntax.VisitAll(e, func(n hclsyntax.Node) hcl.Diagnostics {
		call, ok := n.(*hclsyntax.FunctionCallExpr)
		if ok && found == nil && !slices.Contains(keepsTexts, call.Name) && uses(call, rootLink) {
			found = call
		}
		return nil
	})
	return found
}

// keepsTexts are the functions that pass texts on as they are.
var keepsTexts = []string{"coalesce", "jsonencode", "join", "try"}

// linkText is what a reference to a link stands for: link.NAME is its whole address,
// link.NAME.suffix the token alone.
func (w *binding) linkText(t hcl.Traversal) (string, bool) {
	whole := t
	attr, isAttr := t[len(t)-1].(hcl.TraverseAttr)
	suffix := isAttr && attr.Name == linkSuffix && len(t) > 2
	if suffix {
		whole = t[:len(t)-1]
	}
	if !w.cfg.eval.checkReference(whole, nil, w.diags) {
		return "", false
	}
	address, ok := w.cfg.eval.addressOf(whole)
	if !ok {
		if !w.cfg.eval.wholeOf(whole, t.SourceRange(), w.diags) {
			w.diags.err("unknown_attribute", t.SourceRange(), "A link is named as a whole, link.NAME, or as link.NAME.%s, which is what follows the base of its address.", linkSuffix)
		}
		return "", false
	}
	k := w.cfg.link(address)
	if k == nil || k.broken {
		return "", false // reported where it is declared
	}
	standIn, ok := w.draftLink(k)
	if suffix || !ok {
		return standIn, ok
	}
	return k.Base + "/" + standIn, true
}

// draftLink adds a link to the draft, and returns what stands in for its token.
func (w *binding) draftLink(k *Link) (string, bool) {
	address := k.Address()
	for i := range w.p.Draft.Links {
		if l := &w.p.Draft.Links[i]; l.Link == address {
			return l.StandIn, true
		}
	}
	to, ok := w.destination(k)
	if !ok {
		return "", false
	}
	l := message.DraftLink{Link: address, Base: k.Base, URL: to, StandIn: message.StandInFor(address)}
	w.p.Draft.Links = append(w.p.Draft.Links, l)
	return l.StandIn, true
}

// destination is where a link leads in the messages of this campaign. Without a
// campaign it is not known where it depends on one.
func (w *binding) destination(k *Link) (string, bool) {
	b := k.block
	b.tree = &node{}
	if w.args != nil {
		b.env = b.env.passing(w.args)
	}
	d := &decoder{ev: w.cfg.eval, diags: w.diags}
	e := d.content(&b, linkSchema).args["url"].expr // Load has reported a link without it
	if w.args == nil && uses(e, rootValue) {
		return "https://unknown.example/", true
	}
	if w.args != nil {
		w.args.missingOf(k.Address(), w.diags)
	}
	if uses(e, rootRecipient) {
		w.diags.err("link_place", e.Range(), "%s leads to the same page in all messages of a campaign, so that a plan can show where. Its url uses a value that depends on the recipient.", k.Address())
		return "", false
	}
	return w.cfg.eval.linkURL(e, w.diags)
}

// standIn returns the first link of the draft whose stand-in a text has, and where.
func (w *binding) standIn(s string) (l *message.DraftLink, at int) {
	at = -1
	for i := range w.p.Draft.Links {
		if n := strings.Index(s, w.p.Draft.Links[i].StandIn); n >= 0 && (at < 0 || n < at) {
			l, at = &w.p.Draft.Links[i], n
		}
	}
	return l, at
}

// linkSlot is the slot that holds the token of a link, since what is constant in a
// draft is the same for everybody.
func (w *binding) linkSlot(l *message.DraftLink, rng hcl.Range) (int, bool) {
	key := "\x00link " + l.Link
	if i, ok := w.byText[key]; ok {
		return i, true
	}
	e := &hclsyntax.LiteralValueExpr{Val: cty.StringVal(l.StandIn), SrcRange: rng}
	prog, diags := eval.Compile(e, w.ctx, eval.Input{Root: rootRecipient, Names: w.names})
	w.diags.take(diags)
	if prog == nil || diags.HasErrors() {
		return 0, false
	}
	i := len(w.p.slots)
	w.byText[key] = i
	w.p.Draft.Slots = append(w.p.Draft.Slots, l.Link+"."+linkSuffix)
	w.p.slots = append(w.p.slots, slot{prog: prog})
	return i, true
}

// checkMetric refuses an experiment that counts clicks where an arm has no link.
func (c *compiledCampaign) checkMetric(cm *Campaign, diags *diagList) {
	if cm.Experiment == nil || cm.Experiment.Metric != metricClicked || diags.errors() > 0 {
		return
	}
	for i, arm := range c.arms {
		has := slices.ContainsFunc(arm, func(t ArmText) bool { return t.Main != nil && len(t.Main.Draft.Links) > 0 })
		if !has {
			a := cm.Experiment.Arms[i]
			diags.err("invalid_value", a.DeclRange, "metric = %q counts the people who follow a link, and no message of the arm %q has one. Name a link block in it, as in ${link.shop}.", metricClicked, a.Name)
		}
	}
}

// Destinations are the links that a campaign's messages name, by address.
func (c *Config) Destinations(cm *Campaign) []message.DraftLink {
	var out []message.DraftLink
	for _, p := range c.compile(cm).all() {
		for _, l := range p.Draft.Links {
			if !slices.Contains(out, l) {
				out = append(out, l)
			}
		}
	}
	slices.SortFunc(out, func(a, b message.DraftLink) int { return strings.Compare(a.Link, b.Link) })
	return out
}

// all are the programs of everything that the campaign may send.
func (c *compiledCampaign) all() (out []*Program) {
	add := func(list ...*Program) {
		for _, p := range list {
			if p != nil {
				out = append(out, p)
			}
		}
	}
	add(c.main, c.fallback)
	for i := range c.variants {
		add(c.variants[i].Main, c.variants[i].Fallback)
	}
	for _, arm := range c.arms {
		for i := range arm {
			add(arm[i].Main, arm[i].Fallback)
		}
	}
	return out
}
