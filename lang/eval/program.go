// Package eval is the expression engine of the handbill language: HCL
// expressions over the attributes of one recipient or row, compiled once and
// evaluated a million times, with the functions of the language, and bounded
// so that no source text can hang or kill the process.
//
// What does not depend on the recipient is evaluated once, at Compile. Plain
// references, templates, conditionals, comparisons and the common string
// functions become closures; every other sub-expression goes through hcl. A
// closure only ever takes the cases that it certainly answers as hcl does;
// for anything else (a null where none may be, operands of other types) the
// whole expression is evaluated by hcl, so results and errors are hcl's own.
package eval

import (
	"errors"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/handbill/handbill/message"
)

// Input names what an expression's values vector means.
type Input struct {
	// Root is the variable that the vector is: "recipient" or "row".
	Root string
	// Names are the attributes of Root, parallel to the values vector. Nil
	// when they are not known yet: then an expression can be compiled, which
	// checks it as far as possible, but not evaluated.
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
	shares bool   // node's texts are there already
	plain  *plain // hcl's own evaluation, for what node leaves to it
}

// Const is the value of an expression that does not depend on the root, with
// its marks. It may be unknown where the context's variables are.
func (p *Program) Const() (cty.Value, bool) { return p.constant, p.isConst }

// Parts are the pieces of a template in order, adjacent constant texts merged;
// anything else is one piece. Concatenated, and normalised where characters
// combine across a seam, they are what AppendString writes.
func (p *Program) Parts() []Piece { return p.pieces }

// Source is the expression in canonical formatting, "Hello, ${recipient.name}"
// with its quotes; "" when Input.Source was not given.
func (p *Program) Source() string { return p.source }

// Range is where the expression stands.
func (p *Program) Range() hcl.Range { return p.rng }

// Sensitive reports whether any value that went into the expression is
// sensitive: then its results must not be shown.
func (p *Program) Sensitive() bool { return p.sensitive }

// Refs are the references to attributes of the root, one per name, in order
// of first appearance.
func (p *Program) Refs() []Ref { return p.refs }

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

// Text is what AppendString would append where that is a text which is there
// already: of vals, or a constant. ok is false where AppendString must say.
func (p *Program) Text(vals []message.Value) (s string, ok bool) {
	if !p.shares || !p.ready(vals) {
		return "", false
	}
	return text(p.node, vals)
}

// ready reports whether vals can be looked up in.
func (p *Program) ready(vals []message.Value) bool {
	return p.in.Names != nil && len(vals) == len(p.in.Names)
}

// Eval is the result as a message.Value: arrays and objects become JSON.
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

// EvalBool is the result as a truth value: a bool, or the strings "true" and
// "false" as hcl converts them. A null is an *Error that is ErrNull.
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

// value evaluates by hcl, and names the attribute that is null where the
// failing part is a plain reference.
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
