package lang

import (
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/lang/eval"
	"github.com/handbill/handbill/message"
)

// Template is a template block: one name in an account, in one or more languages.
// Apply creates and edits its translations.
type Template struct {
	// Held is what messages refer to, as to a data block.
	Held *DataTemplate
	// Wait says that apply waits for its approval, for up to Timeout.
	Wait         bool
	Timeout      time.Duration
	Translations []*Translation
	// OnDestroy is what becomes of a translation that is taken out; an OnDestroy…
	// constant.
	OnDestroy string
	Lifecycle Lifecycle
	DeclRange hcl.Range
}

// Address is "template.spring".
func (t *Template) Address() string { return t.Held.Address() }

// Translation is one language of a Template. Only the path and the type of the
// header's file are known.
type Translation struct {
	Of        *Template
	Spec      account.Spec
	DeclRange hcl.Range
}

// Address is "template.spring.en_US".
func (tr *Translation) Address() string { return tr.Of.Address() + "." + tr.Spec.Language }

// translation returns the translation in a language; nil for none.
func (t *Template) translation(language string) *Translation {
	for _, tr := range t.Translations {
		if tr.Spec.Language == language {
			return tr
		}
	}
	return nil
}

// languages returns the languages that the block declares, sorted.
func (t *Template) languages() []string {
	var out []string
	for _, tr := range t.Translations {
		out = append(out, tr.Spec.Language)
	}
	slices.Sort(out)
	return out
}

const defaultTemplateTimeout = 30 * time.Minute

var (
	templateBlockSchema = schema("provider! name category! parameters ttl wait_for timeout on_destroy", blockOf("translation", "language"), blockOf("lifecycle"))
	translationSchema   = schema("body footer components", blockOf("header"), blockOf("button", "index"))
	sampleHeaderSchema  = schema("text sample image video document location")
	sampleButtonSchema  = schema("type! text url phone_number sample")
)

func (l *loader) decodeTemplates() {
	for decl := range l.of(rootTemplate) {
		l.cfg.Templates = append(l.cfg.Templates, l.templateBlock(decl.block))
	}
	l.oneOwner()
}

// template is the declared template at an address; nil for none.
func (c *Config) template(address string) *Template {
	for _, t := range c.Templates {
		if t.Address() == address {
			return t
		}
	}
	return nil
}

func (l *loader) templateBlock(b *block) *Template {
	c := l.content(b, templateBlockSchema)
	t := &Template{DeclRange: b.defRange, Held: &DataTemplate{Module: b.module(), Label: b.label(0), Template: b.label(0), DeclRange: b.defRange}}
	t.Held.Declared = t
	if a := c.args["provider"]; a != nil {
		if address, ok := l.refer(a, rootProvider); ok {
			t.Held.Provider = l.cfg.provider(address)
		}
	}
	if c.args["name"] != nil {
		t.Held.Template = l.str(c, "name")
	}
	if t.Held.Template != "" && !account.TemplateName.MatchString(t.Held.Template) {
		l.invalid(c, "name", "is a template's name, which has lower-case letters, digits and underscores only, and is the block's label where it is not given")
	}
	common := account.Spec{Template: account.Template{Name: t.Held.Template, Category: l.oneOf(c, "category", account.Marketing, account.Utility, account.Authentication),
		TTL: int(l.duration(c, "ttl") / time.Second)}}
	t.Wait = l.oneOf(c, "wait_for", "approved", "submitted") == "approved"
	if t.Timeout = l.duration(c, "timeout"); t.Timeout == 0 {
		t.Timeout = defaultTemplateTimeout
	}
	t.OnDestroy = l.oneOf(c, "on_destroy", OnDestroyKeep, OnDestroyArchive, OnDestroyDelete)
	samples, named := l.templateSamples(c)
	common.Named = named
	w := &templateWork{loader: l, content: c, t: t, samples: samples, used: map[string]bool{}, said: map[string]bool{}}
	for _, tb := range c.ofKind("translation") {
		w.translation(tb, common)
	}
	w.lifecycle()
	if len(t.Translations) == 0 {
		l.diags.err("missing_argument", b.defRange, "A template needs its words in at least one language: translation \"en_US\" { body = … }.")
	}
	for _, name := range sortedKeys(samples) {
		if !w.used[name] && len(t.Translations) > 0 {
			l.diags.err("template_invalid", c.rangeOf("parameters"), "%s: no translation has the variable {{%s}}, which parameters give a sample of.", t.Address(), name)
		}
	}
	return t
}

// templateSamples are the parameters' samples: an object for named variables, a
// list for counted ones.
func (l *loader) templateSamples(c *content) (samples map[string]string, named bool) {
	a := c.args["parameters"]
	if a == nil {
		return nil, false
	}
	v, ok := l.ev.constant(a.expr, l.diags)
	if !ok {
		return nil, false
	}
	if eval.IsSensitive(v) {
		l.diags.err("sensitive_value", a.expr.Range(), "Samples are shown to Meta's reviewers and in plans, so they may not be made from a sensitive value.")
		return nil, false
	}
	v = unmarked(v)
	if v.IsNull() || !v.CanIterateElements() {
		l.diags.err("unsuitable_value", a.expr.Range(), "parameters is an object of samples such as { first_name = \"Ana\" }, or a list of them for {{1}}, {{2}}.")
		return nil, false
	}
	named = v.Type().IsObjectType() || v.Type().IsMapType()
	samples = map[string]string{}
	n := 0
	for it := v.ElementIterator(); it.Next(); {
		key, item := it.Element()
		n++
		name := strconv.Itoa(n)
		if named {
			name = key.AsString()
		}
		text, err := convert.Convert(item, cty.String)
		if err != nil || text.IsNull() {
			l.diags.err("unsuitable_value", a.expr.Range(), "The sample of {{%s}} is not a text.", name)
			continue
		}
		samples[name] = text.AsString()
	}
	return samples, named
}

// templateWork is the work on one template block.
type templateWork struct {
	*loader
	content *content
	t       *Template
	samples map[string]string
	used    map[string]bool // samples, by any translation
	said    map[string]bool // problems of the block as a whole that were reported
}

func (w *templateWork) translation(b *block, common account.Spec) {
	c := w.loader.content(b, translationSchema)
	tr := &Translation{Of: w.t, Spec: common, DeclRange: b.defRange}
	s := &tr.Spec
	s.Language = b.label(0)
	switch {
	case !account.TemplateLanguage.MatchString(s.Language):
		w.diags.err("invalid_value", b.labelRange(0), "A language is written as Meta writes it, such as \"en\", \"en_US\" or \"pt_BR\".")
	case w.t.translation(s.Language) != nil:
		w.diags.err("duplicate_declaration", b.defRange, "%s has the language %q already.", w.t.Address(), s.Language)
		return
	}
	s.Body, s.Footer, s.Samples = w.str(c, "body"), w.str(c, "footer"), map[string]string{}
	ranges := map[string]hcl.Range{"body": c.rangeOf("body"), "footer": c.rangeOf("footer"), "header": b.defRange, "button": b.defRange}
	if hb := w.atMostOne(c, "header"); hb != nil {
		ranges["header"] = hb.defRange
		w.header(hb, s)
	}
	buttons := c.ofKind("button")
	for i, bb := range buttons {
		ranges[account.ButtonSample(i)] = bb.defRange
		if bb.label(0) != strconv.Itoa(i) {
			w.diags.err("invalid_value", bb.labelRange(0), "The label of a template's button is its place, so this one is %q.", strconv.Itoa(i))
		}
		w.button(i, bb, s)
	}
	if a := c.args["components"]; a != nil {
		w.written(c, a, s)
	}
	w.give(s)
	if s.Written != nil || c.args["components"] == nil {
		w.check(tr, ranges)
	}
	w.t.Translations = append(w.t.Translations, tr)
}

// give passes the samples that a translation's variables need to it.
func (w *templateWork) give(s *account.Spec) {
	for _, name := range s.Variables() {
		if sample, ok := w.samples[name]; ok {
			s.Samples[name] = sample
			w.used[name] = true
		}
	}
}

// check reports what Meta would refuse, with the place of each problem.
func (w *templateWork) check(tr *Translation, ranges map[string]hcl.Range) {
	for _, p := range tr.Spec.Check() {
		rng, own := ranges[p.Path]
		switch {
		case own:
			w.diags.err("template_invalid", rng, "%s: %s", tr.Address(), p.Detail)
		case !w.said[p.Path+p.Detail]:
			w.said[p.Path+p.Detail] = true
			w.diags.err("template_invalid", w.content.rangeOf(p.Path), "%s: %s", w.t.Address(), p.Detail)
		}
	}
}

// sampleTypes are the files that Meta takes as samples, by file extension.
// Source: Meta, resumable upload, 2026-09-11.
var sampleTypes = map[string]map[string]string{
	"image":    {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"},
	"video":    {".mp4": "video/mp4"},
	"document": {".pdf": "application/pdf"},
}

func (w *templateWork) header(b *block, s *account.Spec) {
	c := w.loader.content(b, sampleHeaderSchema)
	var given []string
	for _, name := range []string{"text", "image", "video", "document", "location"} {
		if c.args[name] != nil {
			given = append(given, name)
		}
	}
	if len(given) != 1 {
		w.diags.err("conflicting_arguments", b.defRange, "A template's header is one of text, image, video, document and location.")
		return
	}
	format := given[0]
	s.Header = &account.Header{Format: format}
	if c.args["sample"] != nil && format != "text" {
		w.invalid(c, "sample", "belongs to a text header; the sample of a file is the file")
	}
	switch format {
	case "text":
		s.Header.Text = w.str(c, "text")
		if sample := w.str(c, "sample"); sample != "" {
			s.Samples["header"] = sample
		}
	case "location":
		if !w.boolean(c, "location") {
			w.invalid(c, "location", "is true, or left out")
		}
	default:
		w.sampleFile(c, format, s)
	}
}

func (w *templateWork) sampleFile(c *content, format string, s *account.Spec) {
	name := w.filled(c, format)
	kind := sampleTypes[format][strings.ToLower(path.Ext(name))]
	switch {
	case name == "":
	case strings.Contains(name, "://"):
		w.invalid(c, format, "is a file of the configuration's directory, which is uploaded as the sample; Meta takes no address (2388273)")
	case kind == "":
		w.invalid(c, format, "is a file whose name ends in "+strings.Join(sortedKeys(sampleTypes[format]), ", "))
	default:
		s.File = &account.File{Path: path.Clean(name), Type: kind}
	}
}

func (w *templateWork) button(i int, b *block, s *account.Spec) {
	c := w.loader.content(b, sampleButtonSchema)
	out := account.Button{Type: w.oneOf(c, "type", "quick_reply", "url", "phone_number", "copy_code"), Text: w.str(c, "text"), URL: w.str(c, "url"), Phone: w.str(c, "phone_number")}
	for name, kind := range map[string]string{"url": "url", "phone_number": "phone_number"} {
		if c.args[name] != nil && out.Type != kind {
			w.invalid(c, name, "belongs to a button of the type \""+kind+"\"")
		}
	}
	if sample := w.str(c, "sample"); sample != "" {
		s.Samples[account.ButtonSample(i)] = sample
	}
	s.Buttons = append(s.Buttons, out)
}

// written reads components that are JSON in Meta's own form.
func (w *templateWork) written(c *content, a *argument, s *account.Spec) {
	if s.Body != "" || s.Footer != "" || s.Header != nil || len(s.Buttons) > 0 {
		w.diags.err("conflicting_arguments", a.expr.Range(), "components stand in place of body, footer, header and buttons.")
		return
	}
	text := w.filled(c, "components")
	if text == "" {
		return
	}
	if err := s.Write([]byte(text)); err != nil {
		w.diags.err("template_invalid", a.expr.Range(), "components is a list in Meta's form, as in components = jsonencode([{ type = \"BODY\", text = \"…\" }]): %s.", err.Error())
	}
}

// oneOwner refuses two blocks for the same template: one name, in accounts that are
// certainly the same.
func (l *loader) oneOwner() {
	known := map[string]*Template{}
	for _, t := range l.cfg.Templates {
		if t.Held.Provider == nil {
			continue
		}
		key := t.Held.Provider.Address() + " " + t.Held.Template
		if other := known[key]; other != nil {
			l.diags.err("duplicate_declaration", t.DeclRange, "%s and %s are both the template %q of %s: one block has all its languages.", other.Address(), t.Address(), t.Held.Template, t.Held.Provider.Address())
			continue
		}
		known[key] = t
	}
}

// language is the language of a template message; constant says that it is the
// same for everybody.
func (p *Program) language() (code string, constant bool) {
	for _, b := range p.Draft.Bindings {
		if b.Path == "language" {
			return "", false
		}
	}
	t, ok := p.Draft.Message.(*message.Template)
	if !ok {
		return "", false
	}
	return t.Language, true
}

// declaredFit checks a template_message against the template block that it names,
// if its language is the same for everybody.
func (w *binding) declaredFit() {
	if w.p.Data == nil || w.p.Data.Declared == nil {
		return
	}
	t := w.p.Data.Declared
	code, constant := w.p.language()
	if !constant || code == "" || len(t.Translations) == 0 {
		return
	}
	tr := t.translation(code)
	if tr == nil {
		w.diags.err("template_unfit", w.p.Range("language"), "%s has no translation in %q.%s It has: %s.", t.Address(), code, didYouMean(code, t.languages()), strings.Join(t.languages(), ", "))
		return
	}
	for _, found := range account.Fit(w.p.Draft.Message.(*message.Template), &tr.Spec.Template) {
		if !found.Doubt {
			w.diags.err("template_unfit", w.p.Range(found.Path), "The message does not fit %s. %s", tr.Address(), found.Detail)
		}
	}
}
