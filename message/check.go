package message

// Severity says whether a Violation stops a message.
type Severity uint8

// The severities.
const (
	Error   Severity = iota // WhatsApp refuses the message, or it can't be sent as written
	Warning                 // it goes out, but perhaps not as meant, or WhatsApp may refuse it
)

// String is the severity's word in reports.
func (s Severity) String() string {
	if s == Warning {
		return "warning"
	}
	return "error"
}

// Violation is one thing that is wrong with a message.
type Violation struct {
	Path     string // as Field.Path; "" for the message as a whole
	Rule     string // stable code, such as "list.row.title.max"
	Limit    int    // the limit that is broken; 0 if the rule has none
	Got      int    // what was found, in the limit's unit
	Severity Severity
	Detail   string // what, why and how to fix it; never the text itself
	Source   string // where the rule is from
}

// Check reports everything that is wrong with m: first its shape, then its texts in
// document order, then relations between texts. A nil l stands for DefaultLimits.
// Nothing is cut or repaired.
func Check(m Message, l Limits) []Violation {
	return NewChecker(&Draft{Message: m}, l).Static()
}

// ruler is implemented by every kind of message: rules adds the checks of relations
// between texts and of the message's shape.
type ruler interface{ rules(b *builder) }

// rule is one check of a message. What it reports may depend on nothing but
// the texts that it names in refs.
type rule interface {
	refs() []int // indexes into Checker.fields
	check(t texts) []Violation
}

// builder collects the rules of one message. Rules about the shape alone are
// checked at once, with the result in found.
type builder struct {
	limits Limits
	source string
	fields []Field
	index  map[*string]int
	rules  []rule
	found  []Violation
}

func newBuilder(m Message, l Limits) *builder {
	if l == nil {
		l = DefaultLimits()
	}
	b := &builder{limits: l, source: metaDocs + kindPages[m.Kind()] + " (" + metaDate + ")", index: map[*string]int{}}
	Fields(m, func(f Field) {
		b.index[f.Text] = len(b.fields)
		b.fields = append(b.fields, f)
	})
	for i, f := range b.fields {
		b.rules = append(b.rules, newTextRule(i, f, b))
	}
	if r, ok := m.(ruler); ok {
		r.rules(b)
	}
	b.envelope(m)
	return b
}

// kindPages are Meta's pages about the kinds of message, below metaDocs.
var kindPages = map[Kind]string{
	KindText:                  "messages/text-messages",
	KindList:                  "messages/interactive-list-messages",
	KindButtons:               "messages/interactive-reply-buttons-messages",
	KindLink:                  "messages/interactive-cta-url-messages",
	KindMedia:                 "messages/send-messages",
	KindLocationRequest:       "messages/location-request-messages",
	KindProduct:               "catalogs/sell-products-and-services/share-products",
	KindProductList:           "catalogs/sell-products-and-services/share-products",
	KindCatalog:               "catalogs/sell-products-and-services/share-products",
	KindFlow:                  "messages/interactive-flow-messages",
	KindTemplate:              "templates/components",
	KindContacts:              "messages/contacts-messages",
	KindLocation:              "messages/location-messages",
	KindReaction:              "messages/reaction-messages",
	KindCarousel:              "messages/interactive-media-carousel-messages",
	KindAddressRequest:        "messages/address-messages",
	KindCall:                  "calling/call-button-messages-deep-links",
	KindCallPermissionRequest: "calling/user-call-permissions",
	KindContactRequest:        "business-scoped-user-ids",
}

// fail reports a fault of the message's shape.
func (b *builder) fail(path, rule, detail string) {
	b.found = append(b.found, Violation{Path: path, Rule: rule, Detail: detail, Source: b.source})
}

// count checks n, the number of things at path, against the named limit.
func (b *builder) count(path, limit string, n int) {
	l, source := b.limit(limit)
	v := Violation{Path: path, Got: n, Source: source}
	switch {
	case n < l.Min:
		v.Rule, v.Limit = limit+".min", l.Min
		v.Detail = plural(n, "is", "are") + " given; WhatsApp needs at least " + itoa(l.Min) + "."
	case l.Max > 0 && n > l.Max:
		v.Rule, v.Limit = limit+".max", l.Max
		v.Detail = plural(n, "is", "are") + " given; WhatsApp takes at most " + itoa(l.Max) +
			" and refuses the whole message. Remove " + itoa(n-l.Max) + "."
	case l.Warn > 0 && n > l.Warn:
		v.Rule, v.Limit, v.Severity = limit+".advised", l.Warn, Warning
		v.Detail = plural(n, "is", "are") + " given; some versions of WhatsApp's API take no more than " + itoa(l.Warn) + "."
	default:
		return
	}
	b.found = append(b.found, v)
}

// limit returns the named limit and what to quote as its source.
func (b *builder) limit(name string) (Limit, string) {
	l := b.limits[name]
	if l.Source == "" {
		return l, b.source
	}
	return l, l.Source + " (" + l.Date + ")"
}

// of returns the indexes of the given texts of the message.
func (b *builder) of(texts ...*string) []int {
	list := make([]int, len(texts))
	for i, p := range texts {
		list[i] = b.index[p]
	}
	return list
}

// path returns the path of the text p.
func (b *builder) path(p *string) string { return b.fields[b.index[p]].Path }

// add adds a rule that depends on texts.
func (b *builder) add(r rule) { b.rules = append(b.rules, r) }

// unique demands that the texts differ from each other.
func (b *builder) unique(name string, s Severity, detail string, texts ...*string) {
	b.add(&uniqueRule{relation: b.relation(name, s, detail, texts...)})
}

// oneOf demands that exactly one of the texts is set.
func (b *builder) oneOf(path, name, detail string, texts ...*string) {
	r := b.relation(name, Error, detail, texts...)
	r.path = path
	b.add(&oneOfRule{relation: r})
}

// forbid demands that each of the texts is absent.
func (b *builder) forbid(name, detail string, texts ...*string) {
	for _, p := range texts {
		b.add(&presenceRule{relation: b.relation(name, Error, detail, p), forbidden: true})
	}
}

// advise warns where the text is absent.
func (b *builder) advise(name, detail string, p *string) {
	b.add(&presenceRule{relation: b.relation(name, Warning, detail, p)})
}

func (b *builder) relation(name string, s Severity, detail string, texts ...*string) relation {
	r := relation{name: name, severity: s, detail: detail, source: b.source, fields: b.of(texts...)}
	if len(texts) > 0 {
		r.path = b.path(texts[0])
	}
	return r
}
