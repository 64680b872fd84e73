package eval

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

func stringFunctions() []definition {
	return []definition{
		{name: "upper", fn: stdlib.UpperFunc},
		{name: "lower", fn: stdlib.LowerFunc},
		{name: "title", fn: stdlib.TitleFunc},
		{name: "trimspace", fn: stdlib.TrimSpaceFunc},
		{name: "trim", fn: stdlib.TrimFunc},
		{name: "trimprefix", fn: stdlib.TrimPrefixFunc},
		{name: "trimsuffix", fn: stdlib.TrimSuffixFunc},
		{name: "chomp", fn: stdlib.ChompFunc},
		{name: "indent", fn: stdlib.IndentFunc, check: checkIndent},
		{name: "join", fn: stdlib.JoinFunc, check: checkJoin},
		{name: "split", fn: stdlib.SplitFunc},
		{name: "replace", fn: replaceFunc, check: checkReplace},
		{name: "regex", fn: stdlib.RegexFunc, check: checkPattern},
		{name: "regexall", fn: stdlib.RegexAllFunc, check: checkPattern},
		{name: "substr", fn: stdlib.SubstrFunc},
		{name: "strlen", fn: stdlib.StrlenFunc},
		{name: "strrev", fn: stdlib.ReverseFunc},
		{name: "format", fn: stdlib.FormatFunc, check: checkFormat},
		{name: "formatlist", fn: stdlib.FormatListFunc, check: checkFormatList},
		{name: "startswith", fn: predicate("prefix", "Reports whether a string begins with a prefix.", strings.HasPrefix)},
		{name: "endswith", fn: predicate("suffix", "Reports whether a string ends with a suffix.", strings.HasSuffix)},
	}
}

func stringParam(name, description string) function.Parameter {
	return function.Parameter{Name: name, Description: description, Type: cty.String}
}

// predicate is a function of a string and a part of it.
func predicate(part, description string, holds func(s, part string) bool) function.Function {
	return function.New(&function.Spec{
		Description: description,
		Params:      []function.Parameter{stringParam("str", "The string to look at."), stringParam(part, "What to look for.")},
		Type:        function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return cty.BoolVal(holds(args[0].AsString(), args[1].AsString())), nil
		},
	})
}

// replaceFunc is Terraform's replace: a second argument between slashes is a regular
// expression.
var replaceFunc = function.New(&function.Spec{
	Description: "Replaces every occurrence of a part of a string. A part between slashes, \"/[0-9]+/\", is a regular expression, and $1 in the replacement its first group.",
	Params: []function.Parameter{
		stringParam("str", "The string to search within."),
		stringParam("substr", "What to replace."),
		stringParam("replace", "What to put in its place."),
	},
	Type: function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		str, part, with := args[0].AsString(), args[1].AsString(), args[2].AsString()
		if !isPattern(part) {
			return cty.StringVal(strings.ReplaceAll(str, part, with)), nil
		}
		re, err := regexp.Compile(part[1 : len(part)-1])
		if err != nil {
			return cty.NilVal, function.NewArgError(1, &safeError{"This is not a valid regular expression."})
		}
		if (len(re.FindAllStringIndex(str, -1))+1)*(len(with)*(1+re.NumSubexp())+1) > 64*maxString {
			return cty.NilVal, &safeError{stringTooLongDetail}
		}
		return cty.StringVal(re.ReplaceAllString(str, with)), nil
	},
})

func isPattern(s string) bool { return len(s) > 1 && s[0] == '/' && s[len(s)-1] == '/' }

// replaceFits reports whether replacing cannot make a text that is too long.
func replaceFits(str, part, with string) bool {
	return len(str)+strings.Count(str, part)*len(with) <= maxString
}

func checkReplace(args []cty.Value) error {
	str, ok1 := arg[string](args, 0)
	part, ok2 := arg[string](args, 1)
	with, ok3 := arg[string](args, 2)
	switch {
	case !ok1 || !ok2 || !ok3:
		return nil
	case isPattern(part):
		return checkPattern([]cty.Value{args[1], args[0]})
	case !replaceFits(str, part, with):
		return &safeError{stringTooLongDetail}
	}
	return nil
}

// maxPattern bounds regular expressions (bytes). Go's take time that is linear only
// in the product of the lengths of pattern and text.
const maxPattern = 1 << 10

func checkPattern(args []cty.Value) error {
	pattern, _ := arg[string](args, 0)
	str, _ := arg[string](args, 1)
	if len(pattern) > maxPattern {
		return function.NewArgError(0, &safeError{fmt.Sprintf("A regular expression may have at most %d characters.", maxPattern)})
	}
	if len(pattern)*len(str) > 64<<20 {
		return function.NewArgError(1, &safeError{"The text is too long for a regular expression of this length."})
	}
	return nil
}

func checkIndent(args []cty.Value) error {
	spaces, _ := arg[int](args, 0)
	str, _ := arg[string](args, 1)
	if spaces < 0 || spaces > maxWidth || spaces*strings.Count(str, "\n") > maxString {
		return function.NewArgError(0, &safeError{fmt.Sprintf("The indentation must be between 0 and %d.", maxWidth)})
	}
	return nil
}

func checkJoin(args []cty.Value) error {
	sep, _ := arg[string](args, 0)
	total := 0
	for i := 1; i < len(args); i++ {
		list, ok := arg[cty.Value](args, i)
		if !ok || !list.CanIterateElements() {
			return nil
		}
		elements, bytes := weight(list, maxElements)
		if total += bytes + elements*len(sep); total > maxString {
			return &safeError{stringTooLongDetail}
		}
	}
	return nil
}

// maxWidth bounds widths and precisions of format, and indentation.
const maxWidth = 1000

var formatNumbers = regexp.MustCompile(`%[-+ 0#]*[0-9]{4,}|\.[0-9]{4,}`)

func checkFormat(args []cty.Value) error {
	spec, ok := arg[string](args, 0)
	if !ok {
		return nil
	}
	if formatNumbers.MatchString(spec) {
		return function.NewArgError(0, &safeError{fmt.Sprintf("Widths and precisions must be below %d.", maxWidth)})
	}
	total := len(spec)
	verbs := strings.Count(spec, "%")
	for i := 1; i < len(args); i++ {
		// A verb would turn this string into a number that is too long to write.
		if s, ok := arg[string](args, i); ok && !numberLiteralInRange([]byte(s)) && numeric.MatchString(s) {
			return function.NewArgError(i, &safeError{numberRangeDetail})
		}
		_, bytes := weight(args[i], maxElements)
		total += bytes
	}
	// A verb may name its argument, so each verb could write the largest one.
	if total*max(verbs, 1) > 64*maxString {
		return &safeError{stringTooLongDetail}
	}
	return nil
}

// numeric matches what cty reads as a number.
var numeric = regexp.MustCompile(`^[-+]?[0-9._]+([eEpP][-+]?[0-9]+)?$`)

func checkFormatList(args []cty.Value) error {
	rows := 1
	for i := 1; i < len(args); i++ {
		list, ok := arg[cty.Value](args, i)
		if !ok || !(list.Type().IsListType() || list.Type().IsTupleType() || list.Type().IsSetType()) {
			continue
		}
		rows = max(rows, list.LengthInt())
		for it := list.ElementIterator(); it.Next(); {
			_, item := it.Element()
			if err := checkFormat([]cty.Value{args[0], item}); err != nil {
				return err
			}
		}
	}
	spec, _ := arg[string](args, 0)
	scalars := 0
	for i := 1; i < len(args); i++ {
		s, _ := arg[string](args, i)
		scalars += len(s)
	}
	if rows*(len(spec)+scalars*(1+strings.Count(spec, "%"))) > maxBytes {
		return &safeError{stringTooLongDetail}
	}
	return checkFormat(args)
}
