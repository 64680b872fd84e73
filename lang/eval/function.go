package eval

import (
	"os"

	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// FunctionConfig is what the functions with access to the outside may touch.
// The zero value refuses all of them.
type FunctionConfig struct {
	Root  *os.Root                                // what file and csv read in
	Env   func(name string) (string, bool)        // what env reads
	Phone func(raw, region string) (string, error) // what phone calls
}

// Functions is the function table of the language.
func Functions(cfg FunctionConfig) map[string]function.Function {
	return map[string]function.Function{
		"upper": stdlib.UpperFunc, "lower": stdlib.LowerFunc, "trimspace": stdlib.TrimSpaceFunc,
		"format": stdlib.FormatFunc, "join": stdlib.JoinFunc, "split": stdlib.SplitFunc, "coalesce": stdlib.CoalesceFunc,
		"try": tryfunc.TryFunc, "can": tryfunc.CanFunc, "tostring": stdlib.MakeToFunc(cty.String),
	}
}

// FunctionInfo describes one function for documentation and metadata.
type FunctionInfo struct {
	Name        string
	Signature   string // "replace(str string, substr string, replace string) string"
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

// Infos describes every function, by name.
func Infos() []FunctionInfo { return nil }
