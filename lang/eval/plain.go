package eval

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/handbill/handbill/message"
)

// plain evaluates an expression with hcl for one recipient.
type plain struct {
	expr  hcl.Expression
	ctx   *hcl.EvalContext
	root  string
	names []string // of the attributes to supply
	index []int    // their positions in the values vector
	need  int      // how long a values vector must be
	known bool     // Input.Names was given
	uses  bool     // the expression uses the root
}

// value evaluates the expression; marks are dropped.
func (p *plain) value(vals []message.Value) (cty.Value, error) {
	if !p.known && p.uses || len(vals) < p.need {
		return cty.NilVal, &Error{
			Code: CodeUnknown, Range: p.expr.Range(), Summary: "Columns not known",
			Detail: "The attributes of " + p.root + " are not known yet.",
		}
	}
	attrs := make(map[string]cty.Value, len(p.names))
	for i, name := range p.names {
		attrs[name] = ToCty(vals[p.index[i]])
	}
	child := p.ctx.NewChild()
	child.Variables = map[string]cty.Value{p.root: cty.ObjectVal(attrs)}
	v, diags := run(p.expr, child)
	if diags.HasErrors() {
		return cty.NilVal, fromDiags(diags, p.expr.Range())
	}
	v, _ = v.UnmarkDeep()
	if !v.IsWhollyKnown() {
		return cty.NilVal, &Error{
			Code: CodeUnknown, Range: p.expr.Range(), Summary: "Value not known",
			Detail: "The result depends on something that is not known yet.",
		}
	}
	return v, nil
}

// appendCty appends a known, unmarked value as text.
func (p *Program) appendCty(dst []byte, v cty.Value) ([]byte, error) {
	if v.IsNull() {
		return dst, p.nullError()
	}
	s, err := convert.Convert(v, cty.String)
	if err != nil {
		return dst, p.typeError("a text", v.Type())
	}
	return append(dst, s.AsString()...), nil
}

func (p *Program) ctyBool(v cty.Value) (bool, error) {
	if v.IsNull() {
		return false, p.nullError()
	}
	b, err := convert.Convert(v, cty.Bool)
	if err != nil {
		return false, p.typeError("true or false", v.Type())
	}
	return b.True(), nil
}

func (p *Program) nullError() *Error {
	e := &Error{Code: CodeNull, Range: p.rng, Summary: "Value is null", Detail: "The expression's result is null here."}
	if len(p.refs) == 1 && p.refs[0].Range == p.rng {
		e.Attribute = p.refs[0].Name
	}
	return e
}

func (p *Program) typeError(want string, got cty.Type) *Error {
	return &Error{
		Code: CodeType, Range: p.rng, Summary: "Unsuitable value",
		Detail: "The expression must give " + want + ", not " + got.FriendlyName() + ".",
	}
}

func (p *Program) failed(err error) *Error {
	return &Error{Code: CodeType, Range: p.rng, Summary: "Unsuitable value", Detail: "The expression's result cannot be used here: " + err.Error() + "."}
}
