package eval

import (
	"errors"

	"github.com/hashicorp/hcl/v2"
)

// Codes of an Error.
const (
	CodeNull    = "null_value"      // a null where a text or truth value is needed
	CodeType    = "wrong_type"      // a value of a type that has no text, or is no bool
	CodeEval    = "evaluation"      // an operator or function refused its operands
	CodeBudget  = "evaluation_cost" // more work than one expression may cause
	CodeUnknown = "unknown_value"   // depends on something that is not known yet
)

// ErrNull is what AppendString and EvalBool return for a null, wrapped in an
// *Error that says where.
var ErrNull = errors.New("the value is null")

// Error is a failed evaluation for one recipient or row. It never holds a
// value of the recipient: Summary and Detail are sentences made from the
// source alone.
type Error struct {
	Code      string
	Range     hcl.Range
	Summary   string
	Detail    string
	Attribute string // the attribute that is null, where the failing part is a plain reference
}

// Error is the summary and the place.
func (e *Error) Error() string {
	return e.Range.String() + ": " + e.Summary + ": " + e.Detail
}

// Is makes errors.Is(err, ErrNull) true for nulls.
func (e *Error) Is(target error) bool { return target == ErrNull && e.Code == CodeNull }

// fromDiags makes the error of one recipient from hcl's diagnostics.
func fromDiags(diags hcl.Diagnostics, whole hcl.Range) *Error {
	for _, d := range diags {
		if d.Severity != hcl.DiagError {
			continue
		}
		e := &Error{Code: CodeEval, Range: whole, Summary: d.Summary, Detail: "The expression cannot be evaluated for this one."}
		if d.Subject != nil {
			e.Range = *d.Subject
		}
		return e
	}
	return &Error{Code: CodeEval, Range: whole, Summary: "Evaluation failed", Detail: "The expression cannot be evaluated."}
}
