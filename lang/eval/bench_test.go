package eval_test

import (
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/handbill/handbill/lang/eval"
	"github.com/handbill/handbill/message"
)

const benchSource = `"Hi ${recipient.name}, in ${upper(recipient.city)}${recipient.vip == "yes" ? " (member)" : ""}: ${recipient.note}"`

var benchPeople = [][]message.Value{
	{message.Str("Ana"), message.Str("Berlin"), message.Str("34"), message.Str("yes"), message.Str("see you soon"), {}},
	{message.Str("Bruno"), message.Str("Hamburg"), message.Str("51"), message.Str("no"), message.Str("all the best"), {}},
}

func benchExpr(b *testing.B, src string) hcl.Expression {
	expr, diags := hclsyntax.ParseExpression([]byte(src), "bench.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		b.Fatal(diags)
	}
	return expr
}

// BenchmarkTemplate evaluates three references, a conditional and upper into a
// reused buffer.
func BenchmarkTemplate(b *testing.B) {
	p, diags := eval.Compile(benchExpr(b, benchSource), context(), eval.Input{Root: "recipient", Names: names})
	if diags.HasErrors() {
		b.Fatal(diags)
	}
	var buf []byte
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		var err error
		if buf, err = p.AppendString(buf[:0], benchPeople[i%2]); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkTemplateHCL does the same with plain hcl: the baseline.
func BenchmarkTemplateHCL(b *testing.B) {
	expr, ctx := benchExpr(b, benchSource), context()
	var buf []byte
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		attrs := make(map[string]cty.Value, len(names))
		for j, name := range names {
			attrs[name] = eval.ToCty(benchPeople[i%2][j])
		}
		child := ctx.NewChild()
		child.Variables = map[string]cty.Value{"recipient": cty.ObjectVal(attrs)}
		v, diags := expr.Value(child)
		if diags.HasErrors() {
			b.Fatal(diags)
		}
		buf = append(buf[:0], v.AsString()...)
	}
}

// BenchmarkFilter measures an audience's filter for one row.
func BenchmarkFilter(b *testing.B) {
	src := `contains(["Berlin", "Bonn"], recipient.city) && recipient.age >= 18 && !startswith(recipient.name, "test")`
	p, diags := eval.Compile(benchExpr(b, src), context(), eval.Input{Root: "recipient", Names: names})
	if diags.HasErrors() {
		b.Fatal(diags)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := p.EvalBool(benchPeople[i%2]); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFallback evaluates a sub-expression that only hcl can evaluate.
func BenchmarkFallback(b *testing.B) {
	p, diags := eval.Compile(benchExpr(b, `"${truncate(recipient.note, 5)}!"`), context(), eval.Input{Root: "recipient", Names: names})
	if diags.HasErrors() {
		b.Fatal(diags)
	}
	var buf []byte
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		var err error
		if buf, err = p.AppendString(buf[:0], benchPeople[i%2]); err != nil {
			b.Fatal(err)
		}
	}
}
