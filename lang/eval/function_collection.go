package eval

import (
	"fmt"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

func collectionFunctions() []definition {
	return []definition{
		{name: "chunklist", fn: stdlib.ChunklistFunc},
		{name: "coalesce", fn: coalesceFunc},
		{name: "coalescelist", fn: stdlib.CoalesceListFunc},
		{name: "compact", fn: stdlib.CompactFunc},
		{name: "concat", fn: stdlib.ConcatFunc},
		{name: "contains", fn: stdlib.ContainsFunc},
		{name: "distinct", fn: stdlib.DistinctFunc, check: checkQuadratic},
		{name: "element", fn: stdlib.ElementFunc},
		{name: "flatten", fn: stdlib.FlattenFunc},
		{name: "index", fn: indexFunc},
		{name: "keys", fn: stdlib.KeysFunc},
		{name: "length", fn: lengthFunc},
		{name: "lookup", fn: stdlib.LookupFunc},
		{name: "merge", fn: stdlib.MergeFunc},
		{name: "range", fn: stdlib.RangeFunc},
		{name: "reverse", fn: stdlib.ReverseListFunc},
		{name: "setintersection", fn: stdlib.SetIntersectionFunc},
		{name: "setproduct", fn: stdlib.SetProductFunc, check: checkProduct},
		{name: "setsubtract", fn: stdlib.SetSubtractFunc},
		{name: "setunion", fn: stdlib.SetUnionFunc},
		{name: "slice", fn: stdlib.SliceFunc},
		{name: "sort", fn: stdlib.SortFunc},
		{name: "values", fn: stdlib.ValuesFunc},
		{name: "zipmap", fn: stdlib.ZipmapFunc},
	}
}

// maxQuadratic bounds lists in which a function compares each element with every
// other.
const maxQuadratic = 4096

func checkQuadratic(args []cty.Value) error {
	list, ok := arg[cty.Value](args, 0)
	if ok && list.CanIterateElements() && list.LengthInt() > maxQuadratic {
		return function.NewArgError(0, &safeError{fmt.Sprintf("The list may have at most %d elements; toset takes longer ones.", maxQuadratic)})
	}
	return nil
}

// checkProduct bounds the number of combinations.
func checkProduct(args []cty.Value) error {
	product := 1
	for i := range args {
		list, ok := arg[cty.Value](args, i)
		if !ok || !list.CanIterateElements() {
			continue
		}
		if product *= list.LengthInt(); product*len(args) > maxElements {
			return &safeError{fmt.Sprintf("The product would have more than %d elements.", maxElements)}
		}
	}
	return nil
}

// coalesceFunc is Terraform's: it skips nulls and empty strings. Nulls without a
// type, such as an attribute that a recipient lacks, do not affect the result's
// type.
var coalesceFunc = function.New(&function.Spec{
	Description: "Returns the first argument that is neither null nor an empty string.",
	VarParam: &function.Parameter{
		Name: "vals", Description: "The values to choose from, of one type.", Type: cty.DynamicPseudoType,
		AllowNull: true, AllowUnknown: true, AllowDynamicType: true,
	},
	Type: func(args []cty.Value) (cty.Type, error) {
		var types []cty.Type
		for _, v := range args {
			if v.IsNull() && v.Type() == cty.DynamicPseudoType {
				continue
			}
			types = append(types, v.Type())
		}
		if len(types) == 0 {
			return cty.DynamicPseudoType, nil
		}
		ty, _ := convert.UnifyUnsafe(types)
		if ty == cty.NilType {
			return cty.NilType, &safeError{"All arguments must have the same type."}
		}
		return ty, nil
	},
	Impl: func(args []cty.Value, ty cty.Type) (cty.Value, error) {
		for _, v := range args {
			switch {
			case !v.IsKnown():
				return cty.UnknownVal(ty), nil
			case v.IsNull() || v.Type() == cty.String && v.AsString() == "":
			default:
				return convert.Convert(v, ty)
			}
		}
		return cty.NilVal, &safeError{"All arguments are null or empty. Give a text as the last one."}
	},
})

// lengthFunc is Terraform's: for a string it counts the characters that people
// see.
var lengthFunc = function.New(&function.Spec{
	Description: "Returns the number of elements of a list, set, map or object, or of characters of a string.",
	Params: []function.Parameter{{
		Name: "value", Description: "What to measure.", Type: cty.DynamicPseudoType, AllowUnknown: true, AllowDynamicType: true,
	}},
	Type: func(args []cty.Value) (cty.Type, error) {
		ty := args[0].Type()
		if ty == cty.String || ty == cty.DynamicPseudoType || ty.IsTupleType() || ty.IsObjectType() || ty.IsCollectionType() {
			return cty.Number, nil
		}
		return cty.NilType, function.NewArgError(0, &safeError{"A string, list, set, map or object is required."})
	},
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		switch ty := args[0].Type(); {
		case ty == cty.DynamicPseudoType:
			return cty.UnknownVal(cty.Number), nil
		case ty == cty.String:
			return stdlib.Strlen(args[0])
		case ty.IsTupleType():
			return cty.NumberIntVal(int64(len(ty.TupleElementTypes()))), nil
		case ty.IsObjectType():
			return cty.NumberIntVal(int64(len(ty.AttributeTypes()))), nil
		}
		return args[0].Length(), nil
	},
})

// indexFunc is Terraform's: the position of a value in a list.
var indexFunc = function.New(&function.Spec{
	Description: "Returns the position of the first element of a list that equals a value.",
	Params: []function.Parameter{
		{Name: "list", Description: "The list to search.", Type: cty.DynamicPseudoType},
		{Name: "value", Description: "What to look for.", Type: cty.DynamicPseudoType},
	},
	Type: func(args []cty.Value) (cty.Type, error) {
		if ty := args[0].Type(); ty.IsListType() || ty.IsTupleType() {
			return cty.Number, nil
		}
		return cty.NilType, function.NewArgError(0, &safeError{"A list is required."})
	},
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		i := int64(0)
		for it := args[0].ElementIterator(); it.Next(); i++ {
			_, item := it.Element()
			equal := item.Equals(args[1])
			if !equal.IsKnown() {
				return cty.UnknownVal(cty.Number), nil
			}
			if equal.True() {
				return cty.NumberIntVal(i), nil
			}
		}
		return cty.NilVal, &safeError{"The list has no such element."}
	},
})
