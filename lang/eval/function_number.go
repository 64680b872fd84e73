package eval

import (
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

func numberFunctions() []definition {
	return []definition{
		{name: "abs", fn: stdlib.AbsoluteFunc},
		{name: "ceil", fn: stdlib.CeilFunc},
		{name: "floor", fn: stdlib.FloorFunc},
		{name: "log", fn: stdlib.LogFunc},
		{name: "max", fn: stdlib.MaxFunc},
		{name: "min", fn: stdlib.MinFunc},
		{name: "parseint", fn: stdlib.ParseIntFunc, check: checkParseInt},
		{name: "pow", fn: stdlib.PowFunc},
		{name: "signum", fn: stdlib.SignumFunc},
		{name: "sum", fn: sumFunc},
	}
}

// checkParseInt bounds the digits: the result must be a number in range.
func checkParseInt(args []cty.Value) error {
	if v, ok := arg[cty.Value](args, 0); ok && v.Type() == cty.String && len(v.AsString()) > maxExponent {
		return function.NewArgError(0, &safeError{numberRangeDetail})
	}
	return nil
}

var sumFunc = function.New(&function.Spec{
	Description: "Adds up the numbers of a list or set.",
	Params: []function.Parameter{{
		Name: "list", Description: "A list, set or tuple of numbers, at least one.", Type: cty.DynamicPseudoType,
	}},
	Type: func(args []cty.Value) (cty.Type, error) {
		ty := args[0].Type()
		if ty.IsListType() || ty.IsSetType() || ty.IsTupleType() {
			return cty.Number, nil
		}
		return cty.NilType, function.NewArgError(0, &safeError{"A list of numbers is required."})
	},
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		if !args[0].IsWhollyKnown() {
			return cty.UnknownVal(cty.Number), nil
		}
		if args[0].LengthInt() == 0 {
			return cty.NilVal, function.NewArgError(0, &safeError{"The list is empty: there is nothing to add up."})
		}
		sum := cty.Zero
		for it := args[0].ElementIterator(); it.Next(); {
			_, item := it.Element()
			n, err := convert.Convert(item, cty.Number)
			if err != nil || n.IsNull() || !numberInRange(n) {
				return cty.NilVal, function.NewArgError(0, &safeError{"The list must hold numbers alone."})
			}
			sum = sum.Add(n)
		}
		return sum, nil
	},
})
