package eval_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"pgregory.net/rapid"

	"github.com/handbill/handbill/lang/eval"
	"github.com/handbill/handbill/message"
)

var names = []string{"name", "city", "age", "vip", "note", "cart"}

// context is the evaluation context of the tests: a few constants of every
// kind.
func context() *hcl.EvalContext {
	return &hcl.EvalContext{
		Variables: map[string]cty.Value{
			"var": cty.ObjectVal(map[string]cty.Value{
				"greeting": cty.StringVal("Grüß"),
				"limit":    cty.NumberIntVal(18),
				"on":       cty.True,
				"none":     cty.NullVal(cty.String),
				"texts":    cty.MapVal(map[string]cty.Value{"DE": cty.StringVal("Hallo"), "a": cty.StringVal("Servus")}),
				"mixed":    cty.ObjectVal(map[string]cty.Value{"a": cty.NumberIntVal(1), "DE": cty.StringVal("x")}),
				"list":     cty.TupleVal([]cty.Value{cty.StringVal("DE"), cty.StringVal("a"), cty.StringVal("")}),
				"secret":   cty.StringVal("hunter2").Mark(eval.Sensitive),
			}),
		},
		Functions: eval.Functions(eval.FunctionConfig{}),
	}
}

var genText = rapid.SampledFrom([]string{
	"", "a", "b", "DE", "de", " x ", "true", "false", "1", "0", "3", "18", "0.5", "-2", "1e3", "007", "Ana María", "e", "é", "e\u0301",
	"\u0301", "\u0308x", "o\u0308", "\uac00", "\u1100", "\u1161", "ß", "ﬁ", "Зоя", "日本", "👩‍👩‍👧", "q\u0323\u0307", "q\u0307\u0323", "ǆ", "x,y", "$", "null", "İ",
})

func genValue(t *rapid.T, label string) message.Value {
	switch rapid.SampledFrom([]string{"s", "s", "s", "s", "n", "b", "null", "json"}).Draw(t, label) {
	case "n":
		return message.Value{Kind: message.Number, Text: rapid.SampledFrom([]string{
			"0", "1", "-1", "3", "18", "19", "0.5", "2.50", "1e3", "123456789012345", "12345678901234567890", "0.1", "-0", "100",
		}).Draw(t, label+" number")}
	case "b":
		return message.Value{Kind: message.Bool, Text: rapid.SampledFrom([]string{"true", "false"}).Draw(t, label+" bool")}
	case "null":
		return message.Value{}
	case "json":
		return message.Value{Kind: message.JSON, Text: rapid.SampledFrom([]string{
			`[]`, `["a","b"]`, `{"total":3,"sku":"x"}`, `[1,null,true]`, `{}`,
		}).Draw(t, label+" json")}
	}
	return message.Str(genText.Draw(t, label+" text"))
}

// quoted writes a string as a literal of the language.
func quoted(s string) string {
	r := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "${", "$${", "%{", "%%{")
	return `"` + r.Replace(s) + `"`
}

// genExpr writes an expression of bounded depth.
func genExpr(t *rapid.T, depth int) string {
	if depth == 0 {
		return genLeaf(t)
	}
	sub := func() string { return genExpr(t, rapid.IntRange(0, depth-1).Draw(t, "depth")) }
	switch rapid.IntRange(0, 13).Draw(t, "node") {
	case 0, 1, 2:
		return genTemplate(t, sub)
	case 3:
		return fmt.Sprintf("(%s ? %s : %s)", sub(), sub(), sub())
	case 4:
		return fmt.Sprintf("(%s %s %s)", sub(), rapid.SampledFrom([]string{"==", "!="}).Draw(t, "eq"), sub())
	case 5:
		return fmt.Sprintf("(%s %s %s)", sub(), rapid.SampledFrom([]string{"&&", "||"}).Draw(t, "logic"), sub())
	case 6:
		return fmt.Sprintf("(%s %s %s)", sub(), rapid.SampledFrom([]string{"<", "<=", ">", ">=", "+", "-", "*", "/", "%"}).Draw(t, "op"), sub())
	case 7:
		return rapid.SampledFrom([]string{"!", "-"}).Draw(t, "unary") + "(" + sub() + ")"
	case 8, 9, 10:
		return genCall(t, sub)
	case 11:
		return genShape(t, sub)
	}
	return genCondition(t, sub)
}

// genCondition writes conditionals as people write them: they evaluate without
// an error.
func genCondition(t *rapid.T, sub func() string) string {
	attr := "recipient." + rapid.SampledFrom(names).Draw(t, "attr")
	test := rapid.SampledFrom([]string{" == null", " != null", ` == ""`, ` != ""`, ` == "DE"`, " > 17", " == true"}).Draw(t, "test")
	return fmt.Sprintf("(%s%s ? %s : %s)", attr, test, sub(), rapid.SampledFrom([]string{attr, sub()}).Draw(t, "else"))
}

func genLeaf(t *rapid.T) string {
	switch rapid.IntRange(0, 9).Draw(t, "leaf") {
	case 0, 1, 2, 3:
		return "recipient." + rapid.SampledFrom(names).Draw(t, "attr")
	case 4:
		return `recipient["` + rapid.SampledFrom(names).Draw(t, "attr") + `"]`
	case 5:
		return rapid.SampledFrom([]string{"true", "false", "null", "0", "1", "18", "0.5", "1.50"}).Draw(t, "literal")
	case 6:
		return rapid.SampledFrom([]string{
			"var.greeting", "var.limit", "var.on", "var.none", "var.texts.DE", "var.mixed.a", "var.list[0]", "var.secret", "recipient.cart.total",
		}).Draw(t, "var")
	}
	return quoted(genText.Draw(t, "text"))
}

func genTemplate(t *rapid.T, sub func() string) string {
	var b strings.Builder
	for range rapid.IntRange(1, 4).Draw(t, "parts") {
		switch rapid.IntRange(0, 5).Draw(t, "part") {
		case 0, 1:
			b.WriteString(strings.Trim(quoted(genText.Draw(t, "text")), `"`))
		case 2:
			fmt.Fprintf(&b, "%%{ if %s }%s%%{ else ~} x ${%s}%%{ endif }", sub(), "y", sub())
		case 3:
			fmt.Fprintf(&b, " ${~ %s ~} ", sub())
		default:
			fmt.Fprintf(&b, "${%s}", sub())
		}
	}
	return `"` + b.String() + `"`
}

var calls = []string{
	"upper(%s)", "lower(%s)", "title(%s)", "trimspace(%s)", "tostring(%s)", "tonumber(%s)", "tobool(%s)", "length(%s)", "can(%s)", "chomp(%s)", "strrev(%s)",
	"try(%s, %s)", "coalesce(%s, %s)", "coalesce(%s, %s, %s)", "trim(%s, %s)", "trimprefix(%s, %s)", "trimsuffix(%s, %s)",
	"startswith(%s, %s)", "endswith(%s, %s)", "replace(%s, %s, %s)", `join(", ", [%s, %s])`, `join("", [%s])`, "join(%s, [%s])",
	`format("%%s and %%s", %s, %s)`, `format("%%s%%%%", %s)`, `format("%%d", %s)`, `format("%%5s|%%v", %s, %s)`, `format("%%s", %s, %s)`,
	`contains(["DE", "a", "\u00e9"], %s)`, `contains([1, "a"], %s)`, "contains(var.list, %s)",
	`lookup(var.texts, %s, %s)`, `lookup(var.mixed, %s, %s)`, `lookup({a = "x", DE = "y"}, %s, "z")`, "var.texts[%s]", "var.mixed[%s]", "var.list[%s]",
	"max(%s, %s)", "substr(%s, 0, 2)", `plural(%s, "one", %s)`, "truncate(%s, 2)", `money(%s, "EUR", "de")`, `split(",", %s)`,
	"upper(%s, %s)", "nosuch(%s)", "jsonencode(%s)", "keys(recipient)", "recipient[%s]", `regex("^a", %s)`, "sensitive(%s)", "abs(%s)",
}

func genCall(t *rapid.T, sub func() string) string {
	call := rapid.SampledFrom(calls).Draw(t, "call")
	args := make([]any, strings.Count(strings.ReplaceAll(strings.ReplaceAll(call, "%%s", ""), "%%5s", ""), "%s"))
	for i := range args {
		args[i] = sub()
	}
	return fmt.Sprintf(call, args...)
}

func genShape(t *rapid.T, sub func() string) string {
	shape := rapid.SampledFrom([]string{
		`join("-", [for x in [%s, %s] : upper(x)])`, `[%s, %s][0]`, `{a = %s, b = %s}.a`, `"%%{ for x in [%s, %s] }<${x}>%%{ endfor }"`,
		`join(",", [for recipient in [%s, %s] : recipient])`, `[%s, %s][*]`, `join(",", tolist([%s, %s]))`, `{for k, v in {x = %s} : k => v if v != %s}`,
	}).Draw(t, "shape")
	return fmt.Sprintf(shape, sub(), sub())
}

// hclValue is the reference: the expression as hcl evaluates it with everything
// in one context.
func hclValue(t *rapid.T, src string, ctx *hcl.EvalContext, vals []message.Value) (v cty.Value, err error) {
	expr, diags := hclsyntax.ParseExpression([]byte(src), "x.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		t.Skip("not an expression")
	}
	attrs := map[string]cty.Value{}
	for i, name := range names {
		attrs[name] = eval.ToCty(vals[i])
	}
	child := ctx.NewChild()
	child.Variables = map[string]cty.Value{"recipient": cty.ObjectVal(attrs)}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("hcl panics: %v", p)
		}
	}()
	v, diags = expr.Value(child)
	if diags.HasErrors() {
		return cty.NilVal, diags
	}
	v, _ = v.UnmarkDeep()
	return v, nil
}

func wantText(v cty.Value) (string, bool) {
	s, err := convert.Convert(v, cty.String)
	if err != nil || s.IsNull() || !s.IsKnown() {
		return "", false
	}
	return s.AsString(), true
}

func wantBool(v cty.Value) (bool, bool) {
	b, err := convert.Convert(v, cty.Bool)
	if err != nil || b.IsNull() || !b.IsKnown() {
		return false, false
	}
	return b.True(), true
}

// TestCompiledEqualsHCL checks the promise of the package: a compiled
// expression gives the same as hcl, or both are errors.
func TestCompiledEqualsHCL(t *testing.T) {
	for i := range 20 {
		t.Run(strconv.Itoa(i), func(t *testing.T) { rapid.Check(t, checkExpression) })
	}
}

func checkExpression(t *rapid.T) {
	src := genExpr(t, rapid.IntRange(1, 4).Draw(t, "levels"))
	vals := make([]message.Value, len(names))
	for i := range vals {
		vals[i] = genValue(t, names[i])
	}
	compare(t, src, vals)
}

func compare(t *rapid.T, src string, vals []message.Value) {
	ctx := context()
	want, wantErr := hclValue(t, src, ctx, vals)
	expr, _ := hclsyntax.ParseExpression([]byte(src), "x.hcl", hcl.InitialPos)
	p, diags := eval.Compile(expr, ctx, eval.Input{Root: "recipient", Names: names, Source: []byte(src)})
	if diags.HasErrors() {
		if wantErr == nil && diags[0].Summary != "Unknown attribute" && !alwaysFails(expr, ctx) {
			t.Fatalf("%s: hcl gives %#v, Compile: %v", src, want, diags)
		}
		return
	}
	got, err := p.AppendString([]byte("kept:"), vals)
	if !strings.HasPrefix(string(got), "kept:") {
		t.Fatalf("%s: AppendString lost what was before: %q", src, got)
	}
	text, ok := "", false
	if wantErr == nil {
		text, ok = wantText(want)
	}
	if ok != (err == nil) || ok && string(got) != "kept:"+text {
		t.Fatalf("%s\n%v\ntext: hcl %q %v, compiled %q %v", src, vals, text, wantErr, got, err)
	}
	if shared, shares := p.Text(vals); shares && (!ok || shared != text) {
		t.Fatalf("%s\n%v\ntext: hcl %q %v, shared %q", src, vals, text, wantErr, shared)
	}
	compareValue(t, src, p, vals, want, wantErr)
}

func compareValue(t *rapid.T, src string, p *eval.Program, vals []message.Value, want cty.Value, wantErr error) {
	v, err := p.Eval(vals)
	wantValue, convErr := message.Value{}, wantErr
	if wantErr == nil {
		wantValue, convErr = eval.FromCty(want)
	}
	if (convErr == nil) != (err == nil) || err == nil && v != wantValue {
		t.Fatalf("%s\n%v\nvalue: hcl %v %v, compiled %v %v", src, vals, wantValue, convErr, v, err)
	}
	b, err := p.EvalBool(vals)
	truth, ok := false, false
	if wantErr == nil {
		truth, ok = wantBool(want)
	}
	if ok != (err == nil) || ok && b != truth {
		t.Fatalf("%s\n%v\nbool: hcl %v %v, compiled %v %v", src, vals, truth, wantErr, b, err)
	}
}

// alwaysFails reports whether hcl itself refuses the expression while the
// recipient's values are unknown.
func alwaysFails(expr hcl.Expression, ctx *hcl.EvalContext) bool {
	attrs := map[string]cty.Value{}
	for _, name := range names {
		attrs[name] = cty.DynamicVal
	}
	child := ctx.NewChild()
	child.Variables = map[string]cty.Value{"recipient": cty.ObjectVal(attrs)}
	defer func() { _ = recover() }()
	_, diags := expr.Value(child)
	return diags.HasErrors()
}
