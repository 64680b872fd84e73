// Package eval is the expression engine of the handbill language. It compiles HCL
// expressions over the attributes of one recipient or row once, evaluates them a
// million times, and provides the functions of the language. Its limits ensure that
// no source text can hang or kill the process.
//
// What does not depend on the recipient is evaluated once, by Compile. Plain
// references, templates, conditionals, comparisons and the common string functions
// become closures; every other sub-expression goes through hcl. A closure only
// handles cases in which its result is certainly hcl's. For anything else (a null
// where none may be, operands of other types) hcl evaluates the whole expression,
// so results and errors are hcl's own.
package eval

import (
	"errors"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/handbill/handbill/message"
)

// Input says what the values vector of an expression means.
type Input struct {
	// Root is the variable whose attributes the vector holds: "recipient" or "row".
	Root string
	// Names are the attributes of Root, parallel to the values vector. Nil means
	// that they are not known yet: an expression can then be compiled, which checks
	// it as far as possible, but not evaluated.
	Names []string
	// Source is the text of the file that the expression stands in, for
	// Program.Source. It may be nil.
	Source []byte
}

// Ref is one reference of an expression to an attribute of the root.
type Ref struct {
	Index int // position in Input.Names; -1 where Names is nil
	Name  string
	Range hcl.Range
}

// Piece is a constant text or, where Program is not nil, a sub-expression.
type Piece struct {
	Text    string
	Program *Program
}

// Program is a compiled expression. It is safe for concurrent use.
type Program struct {
	rng       hcl.Range
	source    string
	sensitive bool
	refs      []Ref
	pieces    []Piece

	isConst  bool
	constant cty.Value

	in     Input
	node   node
	shares bool   // node's texts exist already
	plain  *plain // hcl's own evaluation, for what node leaves to it
}

// Const returns the value of an expression that does not depend on the root, with
// its marks. It may be unknown if variables of the context are.
func (p *Program) Const() (cty.Value, bool) { return p.constant, p.isConst }

// Parts returns the pieces of a template in order, with adjacent constant texts
// merged; anything else is one piece. Their concatenation, normalised where
// characters combine between pieces, is what AppendString writes.
func (p *Program) Parts() []Piece { return p.pieces }

// Source returns the expression in canonical formatting, "Hello, ${recipient.name}"
// with its quotes; "" if Input.Source was not given.
func (p *Program) Source() string { return p.source }

// Range returns the place of the expression.
func (p *Program) Range() hcl.Range { return p.rng }

// Sensitive reports whether any value used in the expression is sensitive. Its
// results must then not be shown.
func (p *Program) Sensitive() bool { return p.sensitive }

// Refs returns the references to attributes of the root, one per name, in order of
// first appearance.
func (p *Program) Refs() []Ref { return p.refs }

// Uses returns the positions in Input.Names of the values that the result may depend
// on: all of them where the expression uses the root as a whole.
func (p *Program) Uses() []int { return p.plain.index }

// AppendString appends the result as text, converted as hcl converts a value
// in a template. A null is an *Error that is ErrNull. vals must be parallel to
// Input.Names.
func (p *Program) AppendString(dst []byte, vals []message.Value) ([]byte, error) {
	if p.ready(vals) {
		if out, ok := p.node.append(dst, vals); ok {
			return out, nil
		}
	}
	v, err := p.value(vals)
	if err != nil {
		return dst, err
	}
	return p.appendCty(dst, v)
}

// Text returns what AppendString would append if that text exists already, in vals
// or as a constant. ok is false if only AppendString can tell.
func (p *Program) Text(vals []message.Value) (s string, ok bool) {
	if !p.shares || !p.ready(vals) {
		return "", false
	}
	return text(p.node, vals)
}

// ready reports whether vals is parallel to Input.Names.
func (p *Program) ready(vals []message.Value) bool {
	return p.in.Names != nil && len(vals) == len(p.in.Names)
}

// Eval returns the result as a message.Value: arrays and objects become JSON.
func (p *Program) Eval(vals []message.Value) (message.Value, error) {
	if p.ready(vals) {
		if v, ok := p.node.eval(vals); ok {
			return v.value(), nil
		}
	}
	v, err := p.value(vals)
	if err != nil {
		return message.Value{}, err
	}
	ret, err := FromCty(v)
	if err != nil {
		return message.Value{}, p.failed(err)
	}
	return ret, nil
}

// EvalBool returns the result as a truth value: a bool, or the strings "true" and
// "false" as hcl converts them. For a null it returns an *Error that is ErrNull.
func (p *Program) EvalBool(vals []message.Value) (bool, error) {
	if p.ready(vals) {
		if b, ok := truth(p.node, vals); ok {
			return b, nil
		}
	}
	v, err := p.value(vals)
	if err != nil {
		return false, err
	}
	return p.ctyBool(v)
}

// value evaluates with hcl. If the failing part is a plain reference, the error names
// the attribute that is null.
func (p *Program) value(vals []message.Value) (cty.Value, error) {
	v, err := p.plain.value(vals)
	var e *Error
	if errors.As(err, &e) && e.Code == CodeNull {
		for _, ref := range p.refs {
			if ref.Range == e.Range {
				e.Attribute = ref.Name
			}
		}
	}
	return v, err
}
