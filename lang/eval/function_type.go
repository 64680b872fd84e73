package eval

import (
	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

func typeFunctions() []definition {
	return []definition{
		{name: "tostring", fn: stdlib.MakeToFunc(cty.String), description: "Converts a value to a string."},
		{name: "tonumber", fn: stdlib.MakeToFunc(cty.Number), description: "Converts a value to a number."},
		{name: "tobool", fn: stdlib.MakeToFunc(cty.Bool), description: "Converts a value to true or false."},
		{name: "tolist", fn: stdlib.MakeToFunc(cty.List(cty.DynamicPseudoType)), description: "Converts a value to a list."},
		{name: "toset", fn: stdlib.MakeToFunc(cty.Set(cty.DynamicPseudoType)), description: "Converts a value to a set: duplicates and order are lost."},
		{name: "tomap", fn: stdlib.MakeToFunc(cty.Map(cty.DynamicPseudoType)), description: "Converts an object to a map."},
		{name: "try", fn: tryfunc.TryFunc, bare: true, description: "Returns the first of its arguments that can be evaluated."},
		{name: "can", fn: tryfunc.CanFunc, bare: true, description: "Reports whether an expression can be evaluated."},
		{name: "sensitive", fn: sensitiveFunc, bare: true},
		{name: "nonsensitive", fn: nonsensitiveFunc, bare: true},
	}
}

var sensitiveFunc = function.New(&function.Spec{
	Description: "Marks a value so that it is never shown.",
	Params:      []function.Parameter{anyParam("value", "What to hide.")},
	Type:        func(args []cty.Value) (cty.Type, error) { return args[0].Type(), nil },
	Impl:        func(args []cty.Value, _ cty.Type) (cty.Value, error) { return args[0].Mark(Sensitive), nil },
})

var nonsensitiveFunc = function.New(&function.Spec{
	Description: "Takes the mark of sensitive from a value that may be shown after all.",
	Params:      []function.Parameter{anyParam("value", "What to show.")},
	Type:        func(args []cty.Value) (cty.Type, error) { return args[0].Type(), nil },
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		v, _ := args[0].UnmarkDeep()
		return v, nil
	},
})

func anyParam(name, description string) function.Parameter {
	return function.Parameter{
		Name: name, Description: description, Type: cty.DynamicPseudoType,
		AllowNull: true, AllowUnknown: true, AllowDynamicType: true, AllowMarked: true,
	}
}
