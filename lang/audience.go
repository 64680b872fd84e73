package lang

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/handbill/handbill/lang/eval"
	"github.com/handbill/handbill/message"
)

// audienceExprs are an audience's arguments that are evaluated for each row.
type audienceExprs struct {
	phone, userID, filter, consent, lastInbound hclsyntax.Expression // nil where not given
	attributes                                  map[string]hclsyntax.Expression
	identity                                    bool // inline contacts: attributes are the columns
	failed                                      bool
}

var audienceSchema = schema("phone user_id region filter attributes optional placeholders consent last_inbound exclude columns",
	blockOf("source", "kind"), blockOf("contact", "phone"))

func (l *loader) decodeAudiences() {
	excludes := map[*Audience][]string{}
	byAddress := map[string]*Audience{}
	for decl := range l.of(rootAudience) {
		a, exclude := l.decodeAudience(decl.block)
		l.cfg.Audiences = append(l.cfg.Audiences, a)
		byAddress[a.Address()], excludes[a] = a, exclude
	}
	for _, a := range l.cfg.Audiences {
		for _, address := range excludes[a] {
			if other := byAddress[address]; other != nil {
				a.Exclude = append(a.Exclude, other)
			}
		}
	}
}

func (d *decoder) decodeAudience(b *block) (*Audience, []string) {
	c := d.content(b, audienceSchema)
	a := &Audience{
		Module: b.module(), Name: b.label(0), Region: d.region(c), Columns: d.columns(c), HasConsent: c.args["consent"] != nil,
		HasWindow: c.args["last_inbound"] != nil, DeclRange: b.defRange,
	}
	d.decodeSource(a, c)
	before := d.diags.errors()
	a.exprs = audienceExprs{
		phone: exprOf(c, "phone"), userID: exprOf(c, "user_id"), filter: exprOf(c, "filter"),
		consent: exprOf(c, "consent"), lastInbound: exprOf(c, "last_inbound"), attributes: map[string]hclsyntax.Expression{},
	}
	d.attributes(a, c)
	d.checkRows(a, c)
	a.exprs.failed = d.diags.errors() > before
	a.Optional = d.strings(c, "optional")
	for _, name := range a.Optional {
		if !slices.Contains(a.Attributes, name) {
			d.diags.err("unknown_attribute", c.rangeOf("optional"), "optional names %q, which is not one of the attributes.%s", name, didYouMean(name, a.Attributes))
		}
	}
	slices.Sort(a.Optional)
	a.Placeholders = d.placeholders(c)
	var exclude []string
	if arg := c.args["exclude"]; arg != nil {
		exclude = d.referList(arg, rootAudience)
	}
	b.tree.labels = nil
	a.Tree = b.tree.asTree()
	hideContacts(&a.Tree)
	return a, exclude
}

// placeholders are the words that count as an empty value.
func (d *decoder) placeholders(c *content) []string {
	if c.args["placeholders"] == nil {
		return eval.Placeholders()
	}
	words := d.strings(c, "placeholders")
	for i, w := range words {
		if words[i] = strings.TrimSpace(w); words[i] == "" {
			d.invalid(c, "placeholders", "may not hold an empty text, which counts as empty in any case")
			return nil
		}
	}
	return words
}

// hideContacts removes people from the tree, which is shown and stored, and keeps
// their number.
func hideContacts(t *Tree) {
	all := len(t.Blocks)
	t.Blocks = slices.DeleteFunc(t.Blocks, func(b Block) bool { return b.Type == "contact" })
	t.Contacts = all - len(t.Blocks)
}

func exprOf(c *content, name string) hclsyntax.Expression {
	if a := c.args[name]; a != nil {
		return a.expr
	}
	return nil
}

var regionPattern = regexp.MustCompile(`^[A-Z]{2}$`)

func (d *decoder) region(c *content) string {
	s := d.str(c, "region")
	if s != "" && !regionPattern.MatchString(s) {
		d.invalid(c, "region", `is a country in two capital letters, such as "DE" (ISO 3166-1)`)
		return ""
	}
	return s
}

func (d *decoder) columns(c *content) []string {
	list := d.strings(c, "columns")
	seen := map[string]bool{}
	for _, name := range list {
		if seen[name] {
			d.invalid(c, "columns", "names a column twice")
		}
		seen[name] = true
	}
	return list
}

var sourceSchemas = map[string]*hcl.BodySchema{
	"campaign": schema("of! filter after"),
	"csv":      schema("path! encoding delimiter"),
	"ndjson":   schema("path!"),
	"http":     schema("url! format headers records next encoding delimiter timeout"),
	"json":     schema("path! records"),
	"parquet":  schema("path!"),
	"sql":      schema("driver! dsn! query! timeout"),
	"xlsx":     schema("path! sheet header_row"),
}

func (d *decoder) decodeSource(a *Audience, c *content) {
	sb := d.atMostOne(c, "source")
	contacts := c.ofKind("contact")
	switch {
	case sb != nil && len(contacts) > 0:
		d.diags.err("conflicting_arguments", contacts[0].defRange, "An audience has a source or contact blocks, not both.")
	case sb == nil && len(contacts) == 0:
		d.diags.err("missing_block", c.block.defRange, "An audience needs a source block, such as source \"csv\" { path = \"contacts.csv\" }, or contact blocks.")
	case sb == nil:
		d.inline(a, contacts)
		return
	}
	if sb == nil {
		return
	}
	s := sourceSchemas[sb.label(0)]
	if s == nil {
		d.diags.err("invalid_value", sb.labelRange(0), "There is no source of kind %q.%s There are: %s.", sb.label(0), didYouMean(sb.label(0), sortedKeys(sourceSchemas)), listOf(sortedKeys(sourceSchemas)))
		return
	}
	sc := d.content(sb, s)
	a.Source = Source{Kind: sb.label(0), DeclRange: sb.defRange}
	if sb.label(0) == "sql" {
		a.Source.Driver = d.oneOf(sc, "driver", "postgres", "mysql", "sqlite")
		a.Source.DSN, a.Source.HideDSN = d.secretURL(sc, "dsn")
		a.Source.Query, a.Source.Timeout = d.filled(sc, "query"), d.duration(sc, "timeout")
		hideArgument(sb, "dsn")
		return
	}
	if sb.label(0) == sourceCampaign {
		if c.args["columns"] != nil {
			d.diags.err("conflicting_arguments", c.rangeOf("columns"), "The columns of a source \"campaign\" are always the same: %s.", listOf(OutcomeColumns()))
		}
		d.decodeFollowed(a, sc)
		return
	}
	if sb.label(0) == "http" {
		d.decodeHTTP(a, sb, sc)
		d.decodeText(a, sc)
		return
	}
	a.Source.Sheet, a.Source.HeaderRow = d.str(sc, "sheet"), d.integer(sc, "header_row", 1, 0)
	a.Source.Path = d.filled(sc, "path")
	d.decodeText(a, sc)
}

// decodeText reads how a source of text is written.
func (d *decoder) decodeText(a *Audience, sc *content) {
	a.Source.Encoding, a.Source.Records = d.str(sc, "encoding"), d.str(sc, "records")
	if sc.args["delimiter"] != nil {
		a.Source.Delimiter = d.str(sc, "delimiter")
		if utf8.RuneCountInString(a.Source.Delimiter) != 1 {
			d.invalid(sc, "delimiter", `is one character, such as ";" or "\t"`)
		}
	}
}

func hideArgument(b *block, name string) {
	for i := range b.tree.attributes {
		if b.tree.attributes[i].Name == name {
			b.tree.attributes[i] = Attribute{Name: name, Sensitive: true}
		}
	}
}

// userIDPattern distinguishes a business-scoped user id from a number.
var userIDPattern = regexp.MustCompile(`^[A-Z]{2}\.[0-9A-Za-z]+$`)

// inline reads contact blocks. Their arguments are the attributes.
func (d *decoder) inline(a *Audience, contacts []*block) {
	a.Source = Source{Kind: "inline", DeclRange: contacts[0].defRange}
	rows := make([]map[string]message.Value, len(contacts))
	names := map[string]bool{}
	for i, b := range contacts {
		rows[i] = d.contact(b)
		for name := range rows[i] {
			names[name] = true
		}
	}
	a.Columns = append([]string{"phone", "user_id"}, sortedKeys(names)...)
	for i, b := range contacts {
		values := make([]message.Value, len(a.Columns))
		if at := 0; userIDPattern.MatchString(b.label(0)) {
			values[at+1] = message.Str(b.label(0))
		} else {
			values[at] = message.Str(b.label(0))
		}
		for j, name := range a.Columns[2:] {
			values[j+2] = rows[i][name]
		}
		a.Source.Contacts = append(a.Source.Contacts, Contact{Values: values, DeclRange: b.defRange})
	}
}

func (d *decoder) contact(b *block) map[string]message.Value {
	attrs, diags := b.body.JustAttributes()
	d.diags.take(diags)
	out := map[string]message.Value{}
	for _, attr := range inSourceOrder(attrs) {
		if attr.Name == "phone" || attr.Name == "user_id" {
			d.diags.err("reserved_name", attr.NameRange, "The contact's number or user id is the block's label.")
			continue
		}
		v, ok := d.ev.constant(d.argument(attr, b.env).expr, d.diags)
		if !ok {
			continue
		}
		if eval.IsSensitive(v) {
			d.diags.err("sensitive_value", attr.Expr.Range(), "An attribute of a contact may not be made from a sensitive value.")
			continue
		}
		value, err := eval.FromCty(v)
		if err != nil {
			d.diags.err("unsuitable_value", attr.Expr.Range(), "This is not a value that an attribute can have: %s.", err.Error())
		}
		out[attr.Name] = value
	}
	return out
}

// attributes reads the argument attributes: an object of expressions over row.
func (d *decoder) attributes(a *Audience, c *content) {
	arg := c.args["attributes"]
	if arg == nil {
		if a.Source.Kind == "inline" && len(a.Columns) > 2 {
			a.exprs.identity = true
			a.Attributes = slices.Clone(a.Columns[2:])
		}
		return
	}
	obj, ok := unwrap(arg.expr).(*hclsyntax.ObjectConsExpr)
	if !ok {
		d.diags.err("unsuitable_value", arg.expr.Range(), "attributes takes an object, such as { name = row.first_name }.")
		return
	}
	for _, item := range obj.Items {
		name, ok := itemName(item)
		switch {
		case !ok || !hclsyntax.ValidIdentifier(name):
			d.diags.err("invalid_name", item.KeyExpr.Range(), "An attribute's name begins with a letter or underscore and goes on with letters, digits, underscores and dashes.")
			continue
		case name == "phone" || name == "user_id":
			d.diags.err("reserved_name", item.KeyExpr.Range(), "recipient.%s is always the recipient's address; use another name.", name)
			continue
		case a.exprs.attributes[name] != nil:
			d.diags.err("duplicate_argument", item.KeyExpr.Range(), "The attribute %s is given twice.", name)
			continue
		}
		a.exprs.attributes[name] = item.ValueExpr
		a.Attributes = append(a.Attributes, name)
	}
	slices.Sort(a.Attributes)
}

// checkRows checks what can be known before the source's header is.
func (d *decoder) checkRows(a *Audience, c *content) {
	if f := a.Source.followed; f != nil && f.filter != nil {
		d.checkRow(a, f.filter)
	}
	for _, name := range []string{"phone", "user_id", "filter", "consent", "last_inbound"} {
		if e := exprOf(c, name); e != nil {
			d.checkRow(a, e)
		}
	}
	for _, name := range a.Attributes {
		if e := a.exprs.attributes[name]; e != nil {
			d.checkRow(a, e)
		}
	}
	if a.Columns != nil && a.exprs.phone == nil && a.exprs.userID == nil && !slices.Contains(a.Columns, "phone") {
		d.diags.err("missing_argument", c.block.defRange, "There is no column phone, so the audience needs phone = row.COLUMN or user_id = row.COLUMN.%s", didYouMean("phone", a.Columns))
	}
}

func (d *decoder) checkRow(a *Audience, e hclsyntax.Expression) {
	if f := a.Source.followed; f != nil {
		f.note(e)
	}
	if !d.ev.check(e, scope{rootRow: a.Columns}, d.diags) {
		return
	}
	prog, diags := eval.Compile(e, d.ev.fullContext(), eval.Input{Root: rootRow, Names: a.Columns})
	d.diags.take(diags)
	if prog != nil && prog.Sensitive() {
		d.diags.err("sensitive_value", e.Range(), "What an audience says about people stands in plan and state, so it may not be made from a sensitive value.")
	}
	if prog == nil {
		return
	}
	if v, ok := prog.Const(); ok && v.IsWhollyKnown() && !v.IsNull() && (e == a.exprs.filter || e == a.exprs.consent || a.Source.followed != nil && e == a.Source.followed.filter) {
		if _, err := eval.FromCty(v); err != nil || v.Type() != cty.Bool && !slices.Contains([]string{"true", "false"}, strings.ToLower(textOf(v))) {
			d.diags.err("unsuitable_value", e.Range(), "A condition, true or false, is needed here.")
		}
	}
}

func textOf(v cty.Value) string {
	s, _ := literalText(v)
	return s
}
