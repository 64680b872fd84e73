package eval

import (
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

func listFunctions() []definition {
	return []definition{
		{name: "one", fn: oneFunc},
		{name: "alltrue", fn: truths("Reports whether every element of a list is true; of an empty list it is true.", true)},
		{name: "placeholders", fn: placeholdersFunc},
		{name: "anytrue", fn: truths("Reports whether any element of a list is true; of an empty list it is false.", false)},
	}
}

// Placeholders are what exports write where they have no value: databases (NULL,
// \N), programs (undefined, None, nan), spreadsheets (#N/A, #REF!), people (N/A, -),
// and forms whose hint was exported as the name (First name). They are compared as
// written, since Null, Nan and Nil are also names of people.
func Placeholders() []string {
	return []string{
		"NULL", "null", "(null)", "(NULL)", "<null>", "<NULL>", "[null]", "[NULL]", "\\N", "nil",
		"undefined", "Undefined", "UNDEFINED", "[object Object]", "None", "NONE", "none", "nan", "NaN", "<NA>", "NaT",
		"N/A", "n/a", "N/a", "N.A.", "n.a.", "#N/A", "#N/A N/A", "#NA", "#NAME?", "#REF!", "#VALUE!", "#DIV/0!", "#NUM!", "#NULL!", "#ERROR!",
		"-", "--", "---", "–", "—", "?", ".", "(empty)", "(blank)", "(none)", "<empty>",
		"First name", "First Name", "first name", "first_name", "Last name", "Last Name", "last name", "last_name", "Full name", "Full Name", "Your name", "Your Name",
	}
}

var placeholdersFunc = function.New(&function.Spec{
	Description: "Returns what an audience takes for an empty value unless it says otherwise, such as \"NULL\", \"N/A\" and \"-\": placeholders = concat(placeholders(), [\"TBD\"]).",
	Type:        function.StaticReturnType(cty.List(cty.String)),
	Impl: func([]cty.Value, cty.Type) (cty.Value, error) {
		words := Placeholders()
		list := make([]cty.Value, len(words))
		for i, w := range words {
			list[i] = cty.StringVal(w)
		}
		return cty.ListVal(list), nil
	},
})

// truths makes alltrue, which is true for an empty list, or anytrue.
func truths(description string, empty bool) function.Function {
	return function.New(&function.Spec{
		Description: description,
		Params:      []function.Parameter{{Name: "list", Description: "A list of truth values.", Type: cty.List(cty.Bool)}},
		Type:        function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			for it := args[0].ElementIterator(); it.Next(); {
				_, item := it.Element()
				if !item.IsKnown() {
					return cty.UnknownVal(cty.Bool), nil
				}
				if truth := !item.IsNull() && item.True(); truth != empty {
					return cty.BoolVal(truth), nil
				}
			}
			return cty.BoolVal(empty), nil
		},
	})
}

// oneFunc is Terraform's: the only element of a list, null for an empty one.
var oneFunc = function.New(&function.Spec{
	Description: "Returns the only element of a list or set, or null when it is empty.",
	Params:      []function.Parameter{{Name: "list", Description: "A list, set or tuple with at most one element.", Type: cty.DynamicPseudoType}},
	Type: func(args []cty.Value) (cty.Type, error) {
		ty := args[0].Type()
		switch {
		case ty.IsListType() || ty.IsSetType():
			return ty.ElementType(), nil
		case ty.IsTupleType() && ty.Length() == 0:
			return cty.DynamicPseudoType, nil
		case ty.IsTupleType() && ty.Length() == 1:
			return ty.TupleElementType(0), nil
		}
		return cty.NilType, function.NewArgError(0, &safeError{"A list with at most one element is required."})
	},
	Impl: func(args []cty.Value, ty cty.Type) (cty.Value, error) {
		switch args[0].LengthInt() {
		case 0:
			return cty.NullVal(ty), nil
		case 1:
			it := args[0].ElementIterator()
			it.Next()
			_, v := it.Element()
			return v, nil
		}
		return cty.NilVal, function.NewArgError(0, &safeError{"A list with at most one element is required."})
	},
})
