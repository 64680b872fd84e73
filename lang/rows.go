package lang

import (
	"errors"
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/handbill/handbill/lang/eval"
	"github.com/handbill/handbill/message"
)

// Rows reads people from the rows of an audience's source. It is safe for
// concurrent use with different Persons.
type Rows struct {
	phone, userID, filter, consent, lastInbound *eval.Program // nil where not given
	outcome                                     *eval.Program // the filter of a source that is a campaign; nil for none
	attributes                                  []*eval.Program
	identity                                    []int // attributes are these columns
	placeholders                                *placeholders
	lastInboundText                             string // the source of its expression
}

// Person is what a row of a source says about one person.
type Person struct {
	Keep        bool            // false: the filter leaves the row out, and no other field is set
	Phone       string          // as the source has it, not normalised
	UserID      string          // "" where there is none
	Attributes  []message.Value // parallel to Audience.Attributes; reused by the next Eval
	Consent     bool
	LastInbound time.Time // zero where not known

	blank []int  // the attributes that are empty because of a placeholder
	buf   []byte // for texts, reused by the next Eval
}

// Placeholder reports whether attribute i is empty because the row has a
// placeholder there, such as "NULL".
func (p *Person) Placeholder(i int) bool { return slices.Contains(p.blank, i) }

// RowError says that an expression of the audience has no result for a row. It
// contains no value of the row.
type RowError struct {
	Range           hcl.Range
	Code            string
	Summary, Detail string
}

// Error returns the place, the summary and the detail.
func (e *RowError) Error() string { return e.Range.String() + ": " + e.Summary + ": " + e.Detail }

// BindAudience compiles an audience's expressions for the columns of its source.
// A name that no column has is an error at its place.
func (c *Config) BindAudience(a *Audience, columns []string) (*Rows, hcl.Diagnostics) {
	diags := c.diagsIn(a.Module)
	if columns == nil {
		columns = []string{}
	}
	b := rowBinder{ev: c.eval, diags: diags, columns: columns}
	phone := a.exprs.phone
	if phone == nil && (a.exprs.userID == nil || slices.Contains(columns, "phone")) {
		phone = b.column("phone", a.DeclRange)
	}
	r := &Rows{
		phone: b.compile(phone), userID: b.compile(a.exprs.userID), filter: b.compile(a.exprs.filter),
		consent: b.compile(a.exprs.consent), lastInbound: b.compile(a.exprs.lastInbound),
		placeholders: newPlaceholders(a.Placeholders), lastInboundText: windowSource(a.exprs.lastInbound),
	}
	if f := a.Source.followed; f != nil {
		r.outcome = b.compile(f.filter)
	}
	if a.exprs.userID == nil && (a.Source.Kind == "inline" || a.Source.Kind == sourceCampaign) {
		r.userID = b.compile(b.column("user_id", a.DeclRange))
	}
	for _, name := range a.Attributes {
		if a.exprs.identity {
			r.identity = append(r.identity, slices.Index(columns, name))
			continue
		}
		r.attributes = append(r.attributes, b.compile(a.exprs.attributes[name]))
	}
	if diags.errors() > 0 {
		return nil, diags.all
	}
	return r, diags.all
}

// Columns returns the positions of the columns that are used, in order.
func (r *Rows) Columns() []int {
	used := slices.Clone(r.identity)
	for _, p := range append([]*eval.Program{r.phone, r.userID, r.outcome, r.filter, r.consent, r.lastInbound}, r.attributes...) {
		if p != nil {
			used = append(used, p.Uses()...)
		}
	}
	slices.Sort(used)
	return slices.Compact(used)
}

type rowBinder struct {
	ev      *evaluator
	diags   *diagList
	columns []string
}

// column returns row.NAME, as if the audience contained it.
func (b *rowBinder) column(name string, rng hcl.Range) hclsyntax.Expression {
	return &hclsyntax.ScopeTraversalExpr{
		Traversal: hcl.Traversal{hcl.TraverseRoot{Name: rootRow, SrcRange: rng}, hcl.TraverseAttr{Name: name, SrcRange: rng}}, SrcRange: rng,
	}
}

func (b *rowBinder) compile(e hclsyntax.Expression) *eval.Program {
	if e == nil || !b.ev.check(e, scope{rootRow: b.columns}, b.diags) {
		return nil
	}
	p, diags := eval.Compile(e, b.ev.fullContext(), eval.Input{Root: rootRow, Names: b.columns})
	b.diags.take(diags)
	return p
}

// Eval evaluates one row, whose values are parallel to the columns of
// BindAudience. An error is a *RowError.
func (r *Rows) Eval(values []message.Value, out *Person) error {
	out.reset()
	for _, filter := range [...]*eval.Program{r.outcome, r.filter} {
		if filter == nil {
			continue
		}
		keep, err := filter.EvalBool(values)
		if err != nil {
			return rowError(err)
		}
		if !keep {
			out.Keep = false
			return nil
		}
	}
	var err error
	if out.Phone, err = r.text(r.phone, values, out); err != nil {
		return err
	}
	if out.UserID, err = r.text(r.userID, values, out); err != nil {
		return err
	}
	if r.consent != nil {
		out.Consent, err = r.consent.EvalBool(values)
		if err != nil && !errors.Is(err, eval.ErrNull) { // no answer means no consent
			return rowError(err)
		}
	}
	if err := r.window(values, out); err != nil {
		return err
	}
	return r.fill(values, out)
}

// reset forgets everything about the person. Setting the fields one by one takes a
// tenth of the time of copying a new Person.
func (out *Person) reset() {
	out.Keep, out.Consent = true, false
	out.Phone, out.UserID = "", ""
	out.Attributes, out.blank = out.Attributes[:0], out.blank[:0]
	out.LastInbound = time.Time{}
}

func (r *Rows) fill(values []message.Value, out *Person) error {
	for _, i := range r.identity {
		out.Attributes = append(out.Attributes, values[i])
	}
	for i, p := range r.attributes {
		v, err := p.Eval(values)
		if err != nil {
			return rowError(err)
		}
		if v.Kind == message.String && (r.placeholders.blank(p, v.Text, values) || r.placeholders.blankPiece(p, values)) {
			v.Text = ""
			out.blank = append(out.blank, i)
		}
		out.Attributes = append(out.Attributes, v)
	}
	return nil
}

// text returns a text of a row, "" for null and for a placeholder.
func (r *Rows) text(p *eval.Program, values []message.Value, out *Person) (string, error) {
	text, err := out.text(p, values)
	if text != "" && r.placeholders.blank(p, text, values) {
		return "", nil
	}
	return text, err
}

// text returns a text of a row, "" for null.
func (out *Person) text(p *eval.Program, values []message.Value) (string, error) {
	if p == nil {
		return "", nil
	}
	if text, ok := p.Text(values); ok {
		return text, nil
	}
	var err error
	out.buf, err = p.AppendString(out.buf[:0], values)
	if errors.Is(err, eval.ErrNull) {
		return "", nil
	}
	if err != nil {
		return "", rowError(err)
	}
	return string(out.buf), nil
}

func rowError(err error) *RowError {
	var e *eval.Error
	if !errors.As(err, &e) {
		return &RowError{Code: "evaluation", Summary: summaryOf("evaluation"), Detail: "The expression has no result for this row."}
	}
	return &RowError{Range: e.Range, Code: "evaluation", Summary: summaryOf("evaluation"), Detail: e.Summary + ": " + e.Detail}
}
