package eval

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
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

// fromDiags converts hcl's diagnostics to the error of one recipient.
func fromDiags(diags hcl.Diagnostics, whole hcl.Range) *Error {
	for _, d := range diags {
		if d.Severity != hcl.DiagError {
			continue
		}
		e := &Error{Code: codeOf(d), Range: whole, Summary: safeSummary(d), Detail: safeDetail(d)}
		if d.Subject != nil {
			e.Range = *d.Subject
		}
		return e
	}
	return &Error{Code: CodeEval, Range: whole, Summary: "Evaluation failed", Detail: genericDetail}
}

const genericDetail = "The expression cannot be evaluated with the values it has here."

func codeOf(d *hcl.Diagnostic) string {
	switch {
	case d.Summary == tooCostly:
		return CodeBudget
	case d.Summary == nullInTemplate && strings.Contains(d.Detail, "is null"):
		return CodeNull
	}
	return CodeEval
}

const nullInTemplate = "Invalid template interpolation value"

// safeSummary returns the summary if it is a fixed one, as all of hcl's are.
func safeSummary(d *hcl.Diagnostic) string {
	if fixedSummaries[d.Summary] {
		return d.Summary
	}
	return "Evaluation failed"
}

// fixedSummaries are the summaries that evaluation by hcl 2.25 and this package uses.
var fixedSummaries = map[string]bool{
	nullInTemplate: true, tooCostly: true, stringTooLong: true, numberRange: true, "Evaluation failed": true,
	"Invalid operand": true, "Operation failed": true, "Invalid function argument": true, "Error in function call": true,
	"Not enough function arguments": true, "Too many function arguments": true, "Invalid expanding argument value": true,
	"Inconsistent conditional result types": true, "Null condition": true, "Incorrect condition type": true,
	"Unsupported attribute": true, "Missing map element": true, "Invalid index": true, "Attempt to index null value": true,
	"Attempt to get attribute from null value": true, "Null value as key": true, "Incorrect key type": true,
	"Iteration over null value": true, "Iteration over non-iterable value": true, "Condition is null": true,
	"Invalid 'for' condition": true, "Invalid object key": true, "Duplicate object key": true, "Splat of null value": true,
	"Invalid nested splat expressions": true, "Unknown variable": true, "Call to unknown function": true,
}

// safeDetails are the forms of hcl's details that contain only names of types,
// parameters, functions and attributes from the source.
var safeDetails = regexp.MustCompile(`^(` +
	`The expression result is null\. Cannot include a null value in a string template\.` +
	`|An iteration result is null\. Cannot include a null value in a string template\.` +
	`|Cannot include the given value in a string template: ` + safeReason +
	`|Unsuitable value for (left|right|unary) operand: ` + safeReason +
	`|Invalid value for "[a-z_]+" parameter: ` + safeReason +
	`|The condition value is null\. Conditions must either be true or false\.` +
	`|The condition expression must be of type bool\.` +
	`|A null value cannot be used as the collection in a 'for' expression\.` +
	`|This value is null, so it does not have any (indices|attributes)\.` +
	`|Can't use a null value as (an indexing key|a key)\.` +
	`|This value does not have any (indices|attributes)\.` +
	`|Function "[a-z0-9_]+" expects[a-z ]* \d+ argument\(s\)\.( Missing value for "[a-z_]+"\.)?` +
	`)$`)

const safeReason = `(argument must not be null|a number is required|a bool is required|string required|number required|bool required` +
	`|list of [a-z ]+ required|no non-null, non-empty arguments|division by zero)\.`

// safeDetail returns the detail of d if it cannot contain a value of the recipient,
// otherwise a sentence that depends only on the kind of failure.
func safeDetail(d *hcl.Diagnostic) string {
	if safeDetails.MatchString(d.Detail) || d.Summary == tooCostly || d.Summary == stringTooLong || d.Summary == numberRange {
		return d.Detail
	}
	if call, ok := hcl.DiagnosticExtra[hclsyntax.FunctionCallDiagExtra](d); ok && call.CalledFunctionName() != "" {
		var safe *safeError
		if errors.As(call.FunctionCallError(), &safe) {
			return safe.sentence
		}
		return "The function " + call.CalledFunctionName() + " cannot take the values it is given here."
	}
	return genericDetail
}

// safeError is an error of one of our functions whose text contains no value.
type safeError struct{ sentence string }

func (e *safeError) Error() string { return e.sentence }

// plainError is a sentence that may quote the function's arguments: for people who
// wrote the expression, not for one recipient.
type plainError struct{ sentence string }

func (e *plainError) Error() string { return e.sentence }

// clean prepares hcl's diagnostics for people. It removes the expression and its
// context, from which a writer would print values, and details that quote a
// sensitive value.
func clean(diags hcl.Diagnostics) hcl.Diagnostics {
	for _, d := range diags {
		if d.EvalContext != nil && d.Expression != nil && touchesSensitive(d.Expression, d.EvalContext) {
			d.Detail = safeDetail(d)
		}
		if call, ok := hcl.DiagnosticExtra[hclsyntax.FunctionCallUnknownDiagExtra](d); ok && call.CalledFunctionNamespace() == "" {
			d.Detail = unknownFunction(call.CalledFunctionName(), d.EvalContext)
		}
		if call, ok := hcl.DiagnosticExtra[hclsyntax.FunctionCallDiagExtra](d); ok {
			var plain *plainError
			if errors.As(call.FunctionCallError(), &plain) && !secretArguments(d) {
				d.Detail = plain.sentence
			}
		}
		d.Expression, d.EvalContext = nil, nil
	}
	return diags
}

// secretArguments reports whether the arguments of the function that failed may be
// sensitive.
func secretArguments(d *hcl.Diagnostic) bool {
	call, ok := d.Expression.(*hclsyntax.FunctionCallExpr)
	return !ok || d.EvalContext == nil || slices.ContainsFunc(call.Args, func(e hclsyntax.Expression) bool {
		return touchesSensitive(e, d.EvalContext)
	})
}

// unknownFunction suggests functions from all contexts; hcl looks only at the
// innermost one.
func unknownFunction(name string, ctx *hcl.EvalContext) string {
	var names []string
	for ; ctx != nil; ctx = ctx.Parent() {
		for known := range ctx.Functions {
			names = append(names, known)
		}
	}
	slices.Sort(names)
	detail := fmt.Sprintf("There is no function named %q.", name)
	if near := nearest(name, names); near != "" {
		detail += fmt.Sprintf(" Did you mean %q?", near)
	}
	return detail
}

// touchesSensitive reports whether a variable that expr uses, or a function
// that it calls, is sensitive.
func touchesSensitive(expr hcl.Expression, ctx *hcl.EvalContext) bool {
	for _, t := range expr.Variables() {
		if v, diags := t.TraverseAbs(ctx); !diags.HasErrors() && hasMarks(v) {
			return true
		}
	}
	native, ok := expr.(hclsyntax.Expression)
	if !ok {
		return true
	}
	found := false
	_ = hclsyntax.VisitAll(native, func(n hclsyntax.Node) hcl.Diagnostics {
		if call, ok := n.(*hclsyntax.FunctionCallExpr); ok && (call.Name == "env" || call.Name == "sensitive") {
			found = true
		}
		return nil
	})
	return found
}
