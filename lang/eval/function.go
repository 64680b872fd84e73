package eval

import (
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/ext/customdecode"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// FunctionConfig says what the functions with access to the outside may use. The
// zero value refuses all of them.
type FunctionConfig struct {
	Root *os.Root // what file and csv read in
	// Beside returns another directory to read in, for a path that leads out of Root,
	// and the path in it; nil allows none.
	Beside func(path string) (*os.Root, string, bool)
	Env    func(name string) (string, bool)         // what env reads
	Phone  func(raw, region string) (string, error) // what phone calls; its errors must not hold the number
}

// Functions returns the function table of the language. The functions of strings,
// numbers, collections, encodings, dates and types have Terraform's names and
// meaning. There is no now() or timestamp(), so that plans stay pure.
func Functions(cfg FunctionConfig) map[string]function.Function {
	table := maps.Clone(pureFunctions)
	for _, d := range outsideFunctions(cfg) {
		table[d.name] = d.build()
	}
	return table
}

// definition is one function of the table.
type definition struct {
	name string
	fn   function.Function
	// check refuses arguments that would make the function too costly. It reads
	// them with arg, which hides null and unknown ones.
	check func(args []cty.Value) error
	// description replaces that of fn.
	description string
	// bare functions are used unchanged: they take expressions, or marks.
	bare bool
}

// pureFunctions are the functions that need nothing from outside. The table is never
// written to: the compiler recognises the language's own functions by it.
var pureFunctions = buildAll(pureDefinitions())

func pureDefinitions() []definition {
	return slices.Concat(
		stringFunctions(), numberFunctions(), collectionFunctions(), listFunctions(),
		encodingFunctions(), dateFunctions(), typeFunctions(), messageFunctions(),
	)
}

func buildAll(definitions []definition) map[string]function.Function {
	table := make(map[string]function.Function, len(definitions))
	for _, d := range definitions {
		table[d.name] = d.build()
	}
	return table
}

// build returns the function with limits on its arguments and results.
func (d definition) build() function.Function {
	if d.bare {
		return d.fn
	}
	return function.New(&function.Spec{
		Description: d.text(),
		Params:      d.fn.Params(),
		VarParam:    d.fn.VarParam(),
		Type: func(args []cty.Value) (cty.Type, error) {
			if err := d.checkArguments(args); err != nil {
				return cty.NilType, err
			}
			return d.fn.ReturnTypeForValues(args)
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			v, err := d.fn.Call(args)
			if err != nil {
				return v, err
			}
			return v, checkResult(v)
		},
	})
}

func (d definition) text() string {
	if d.description != "" {
		return d.description
	}
	return d.fn.Description()
}

func (d definition) checkArguments(args []cty.Value) error {
	for i := range args {
		if n, ok := arg[cty.Value](args, i); ok && n.Type() == cty.Number && !numberInRange(n) {
			return function.NewArgError(i, &safeError{numberRangeDetail})
		}
	}
	if d.check == nil {
		return nil
	}
	return d.check(args)
}

// checkResult refuses results that are too large for everything else.
func checkResult(v cty.Value) error {
	v, _ = v.Unmark()
	switch {
	case v.IsNull() || !v.IsKnown():
		return nil
	case v.Type() == cty.String && len(v.AsString()) > maxString:
		return &safeError{stringTooLongDetail}
	case v.Type() == cty.Number && !numberInRange(v):
		return &safeError{numberRangeDetail}
	}
	return nil
}

// arg returns argument i as a T: the value itself, a string or a whole number; ok is
// false if it is missing, null, unknown or of another type.
func arg[T cty.Value | string | int](args []cty.Value, i int) (ret T, ok bool) {
	if i >= len(args) {
		return ret, false
	}
	v, _ := args[i].Unmark()
	if v == cty.NilVal || v.IsNull() || !v.IsKnown() {
		return ret, false
	}
	switch p := any(&ret).(type) {
	case *cty.Value:
		*p = v
	case *string:
		if v.Type() != cty.String {
			return ret, false
		}
		*p = v.AsString()
	case *int:
		if v.Type() != cty.Number {
			return ret, false
		}
		n, _ := v.AsBigFloat().Int64()
		*p = int(n)
	}
	return ret, true
}

// FunctionInfo describes one function for documentation and metadata.
type FunctionInfo struct {
	Name        string
	Signature   string // "replace(str string, substr string, replace string)"
	Description string
	Parameters  []ParameterInfo
}

// ParameterInfo describes one parameter of a function.
type ParameterInfo struct {
	Name        string
	Type        string // "string", "any", …
	Description string
	Variadic    bool
}

// Infos describes every function, sorted by name.
func Infos() []FunctionInfo {
	definitions := append(pureDefinitions(), outsideFunctions(FunctionConfig{})...)
	out := make([]FunctionInfo, 0, len(definitions))
	for _, d := range definitions {
		out = append(out, d.info())
	}
	slices.SortFunc(out, func(a, b FunctionInfo) int { return strings.Compare(a.Name, b.Name) })
	return out
}

func (d definition) info() FunctionInfo {
	info := FunctionInfo{Name: d.name, Description: d.text()}
	var words []string
	for _, p := range d.fn.Params() {
		info.Parameters = append(info.Parameters, parameterInfo(p, false))
	}
	if p := d.fn.VarParam(); p != nil {
		info.Parameters = append(info.Parameters, parameterInfo(*p, true))
	}
	for _, p := range info.Parameters {
		word := p.Name + " " + p.Type
		if p.Variadic {
			word = p.Name + " ..." + p.Type
		}
		words = append(words, word)
	}
	info.Signature = d.name + "(" + strings.Join(words, ", ") + ")"
	return info
}

func parameterInfo(p function.Parameter, variadic bool) ParameterInfo {
	name := p.Type.FriendlyNameForConstraint()
	if p.Type == cty.DynamicPseudoType {
		name = "any"
	}
	if customdecode.CustomExpressionDecoderForType(p.Type) != nil {
		name = "expression"
	}
	return ParameterInfo{Name: p.Name, Type: strings.ReplaceAll(name, "any type", "any"), Description: p.Description, Variadic: variadic}
}
