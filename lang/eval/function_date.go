package eval

import "github.com/zclconf/go-cty/cty/function/stdlib"

func dateFunctions() []definition {
	return []definition{
		{name: "formatdate", fn: stdlib.FormatDateFunc},
		{name: "timeadd", fn: stdlib.TimeAddFunc},
	}
}
