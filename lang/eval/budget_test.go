package eval_test

import (
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/handbill/handbill/lang/eval"
	"github.com/handbill/handbill/message"
)

// These source texts exhaust the stack of hcl's parser or evaluation.
func TestScanRefusesWhatKillsTheParser(t *testing.T) {
	many := 100_000
	for name, src := range map[string]string{
		"parentheses":      "x = " + strings.Repeat("(", many) + "1" + strings.Repeat(")", many),
		"lists":            "x = " + strings.Repeat("[", many) + strings.Repeat("]", many),
		"objects":          "x = " + strings.Repeat("{a=", many) + "1" + strings.Repeat("}", many),
		"templates":        "x = " + strings.Repeat(`"${`, many) + "1" + strings.Repeat(`}"`, many),
		"blocks":           strings.Repeat("b {\n", many) + strings.Repeat("}\n", many),
		"conditionals":     "x = " + strings.Repeat("a ? b : ", many) + "c",
		"sum":              "x = 1" + strings.Repeat("+1", many),
		"sum within lines": "x = [\n1" + strings.Repeat("\n+1", many) + "]",
		"negation":         "x = " + strings.Repeat("!", many) + "true",
		"minus":            "x = " + strings.Repeat("-", many) + "1",
		"indexes":          "x = a" + strings.Repeat("[0]", many),
		"attributes":       "x = a" + strings.Repeat(".b", many),
		"splats":           "x = a" + strings.Repeat("[*]", many),
		"calls":            "x = " + strings.Repeat("f(", many) + strings.Repeat(")", many),
		"for":              "x = " + strings.Repeat("[for a in ", many),
		"template ifs":     `x = "` + strings.Repeat("%{if true}", many) + strings.Repeat("%{endif}", many) + `"`,
		"template fors":    `x = "` + strings.Repeat("%{for a in b}", many) + `"`,
		"heredoc ifs":      "x = <<E\n" + strings.Repeat("%{if true}\n", many) + strings.Repeat("%{endif}\n", many) + "E\n",
		"number":           "x = 1e100000000",
		"long number":      "x = " + strings.Repeat("9", many),
	} {
		if !eval.ScanTokens([]byte(src), "x.hcl").HasErrors() {
			t.Errorf("%s: passed", name)
		}
	}
}

func TestScanJSONRefusesWhatKillsTheParser(t *testing.T) {
	many := 100_000
	for name, src := range map[string]string{
		"arrays":        strings.Repeat("[", many),
		"objects":       strings.Repeat(`{"a":`, many),
		"closed before": "]]]]" + strings.Repeat("[", many),
		"number":        `{"a": 1e100000000}`,
		"template":      `{"a": "${` + strings.Repeat("(", many) + `"}`,
		"expression":    `{"a": "` + strings.Repeat("(", many) + `"}`,
		"escaped":       `{"a": "` + strings.Repeat(`\u0028`, many) + `"}`,
		"template ifs":  `{"a": "` + strings.Repeat("%{if true}", many) + `"}`,
	} {
		if !eval.ScanJSON([]byte(src), "x.hcl.json").HasErrors() {
			t.Errorf("%s: passed", name)
		}
	}
}

func TestScanPassesWhatPeopleWrite(t *testing.T) {
	rows := strings.Repeat("  row \"a\" {\n    title = \"x ${upper(var.y)} - a\"\n    n = [1, -2, !true]\n  }\n", 2000)
	for name, src := range map[string]string{
		"many blocks": "list_message \"x\" {\n" + rows + "}\n",
		"long list":   "x = [" + strings.Repeat(`"a" == b, `, 5000) + "]",
		"long object": "x = {\n" + strings.Repeat("a = -b\n", 5000) + "}",
		"heredoc":     "x = <<E\n" + strings.Repeat("a - b (c) ${d.e} [f]\n", 300) + "E\n",
		"not hcl":     "x = = (",
	} {
		if diags := eval.ScanTokens([]byte(src), "x.hcl"); diags.HasErrors() {
			t.Errorf("%s: %s", name, diags)
		}
	}
	text := `{"a": "` + strings.Repeat("- a (b), c. ", 400) + `", "b": [1, -2.5e3, "${a.b}"]}`
	if diags := eval.ScanJSON([]byte(text), "x.hcl.json"); diags.HasErrors() {
		t.Error(diags)
	}
}

func parse(t testing.TB, src string) hcl.Expression {
	t.Helper()
	expr, diags := hclsyntax.ParseExpression([]byte(src), "x.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatalf("%s: %s", src, diags)
	}
	return expr
}

// Expressions that would take hours or all memory end soon, in a diagnostic.
func TestBudgetEndsCostlyExpressions(t *testing.T) {
	big := strings.Repeat("x", 1<<19)
	ctx := context()
	ctx.Variables["big"] = cty.StringVal(big)
	var items []cty.Value
	for i := range 200_000 {
		items = append(items, cty.NumberIntVal(int64(i)))
	}
	ctx.Variables["items"] = cty.TupleVal(items)
	laughs := cty.StringVal("ha")
	for range 18 {
		laughs = cty.TupleVal([]cty.Value{laughs, laughs})
	}
	ctx.Variables["laughs"] = laughs
	for name, src := range map[string]string{
		"nested for":        `[for a in range(1000) : [for b in range(1000) : [for c in range(1000) : c]]]`,
		"template for":      `"%{for a in range(1000)}%{for b in range(1000)}%{for c in range(1000)}x%{endfor}%{endfor}%{endfor}"`,
		"wide body":         `[for a in items : [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]]`,
		"list in loop":      `[for a in range(1000) : length(items)]`,
		"compare in loop":   `[for a in range(1000) : laughs == laughs]`,
		"splat":             `[for a in range(1000) : items[*]]`,
		"product":           `setproduct(items, items)`,
		"products":          `setproduct(range(1000), range(1000), range(1000), range(1000))`,
		"distinct":          `distinct(items)`,
		"shared parts":      `[laughs, laughs, laughs, laughs, laughs, laughs, laughs, laughs]`,
		"width":             `format("%1000000000s", "x")`,
		"precision":         `format("%.1000000000f", 1)`,
		"format number":     `format("%d", "1e1000000000")`,
		"formatlist":        `formatlist("%s%s%s%s", items, big, big, big)`,
		"indent":            `indent(1000000000, "a\nb")`,
		"replace":           `replace(big, "", big)`,
		"pattern":           `replace(big, "/x/", big)`,
		"long pattern":      `regexall(big, "x")`,
		"long text":         `regexall("(x*)*(x*)*(x*)*(x*)*(x*)*(x*)*(x*)*(x*)*(x*)*(x*)*(x*)*(x*)*(x*)*(x*)*(x*)*(x*)*(x*)*(x*)*(x*)*(x*)*(x*)*(x*)*(x*)*(x*)*(x*)*(x*)*(x*)*(x*)*(x*)*(x*)*(x*)*(x*)*(x*)*(x*)*(x*)*(x*)*(x*)*(x*)y", big)`,
		"long string":       `"${big}${big}${big}"`,
		"join big":          `join("", [big, big, big])`,
		"jsonencode":        `jsonencode([big, big, big])`,
		"power":             `floor(tonumber("1e100000000"))`,
		"multiplication":    `1e300 * 1e300 * 1e300`,
		"implicit number":   `"1e1000000000" % 3`,
		"deep json":         `jsondecode(replace("` + strings.Repeat("x", 10000) + `", "x", "["))`,
		"number in json":    `jsondecode("[1e1000000000]")`,
		"parseint":          `parseint(replace(big, "x", "9"), 10)`,
		"text in each pass": `[for a in range(1000) : "${big}a"]`,
	} {
		if v, diags := eval.Value(parse(t, src), ctx); !diags.HasErrors() {
			t.Errorf("%s: passed: %s", name, v.Type().FriendlyName())
		} else if d := diags[0]; d.Subject == nil || d.Expression != nil || d.EvalContext != nil || len(d.Detail) > 500 {
			t.Errorf("%s: unfit diagnostic: %s", name, d)
		}
	}
}

// What depends on a recipient is bounded in the same way.
func TestBudgetHoldsForRecipients(t *testing.T) {
	in := eval.Input{Root: "recipient", Names: []string{"x", "n"}}
	vals := []message.Value{message.Str(strings.Repeat("x", 60_000)), message.Str("1e100000000")}
	for _, src := range []string{
		`replace(recipient.x, "x", "` + strings.Repeat("y", 100) + `")`,
		`join("", [for a in range(300) : join("", [for b in range(300) : recipient.x])])`,
		`recipient.n * 2`, `recipient.n % 3`, `format("%d", recipient.n)`, `"${tonumber(recipient.n)}"`, `abs(recipient.n)`,
		`format("%s", replace(recipient.x, "", recipient.x))`,
		`"` + strings.Repeat("${recipient.x}", 20) + `"`,
	} {
		p, diags := eval.Compile(parse(t, src), context(), in)
		if diags.HasErrors() {
			continue // refused before any recipient is evaluated
		}
		if out, err := p.AppendString(nil, vals); err == nil {
			t.Errorf("%s: %d bytes", src, len(out))
		}
	}
}

func TestBudgetPassesOrdinaryWork(t *testing.T) {
	for _, src := range []string{
		`[for a in range(500) : [for b in range(500) : a * b]]`,
		`join(", ", [for a in range(1000) : format("%03d", a)])`,
		`{for p in [for i in range(1000) : {id = "p${i}", n = i}] : p.id => p.n}`,
		`setproduct(range(100), range(100))`,
		`1 / 3`, `pow(2, 100)`, `1e300`, `9007199254740993`,
	} {
		if _, diags := eval.Value(parse(t, src), context()); diags.HasErrors() {
			t.Errorf("%s: %s", src, diags)
		}
	}
}

// FuzzValue parses and evaluates arbitrary text: it may fail, but must end.
func FuzzValue(f *testing.F) {
	for _, src := range []string{
		benchSource, `[for a in range(9) : a]`, `{a = 1}["a"]`, `"%{if recipient.vip}x%{endif}"`, `try(recipient.cart.total, null)`,
		`format("%5.2f", 1)`, `[1, "a"][*].b`, `-"1e308"`, `jsondecode("{}")`, `money(1.005, "EUR")`, `null && true`, "<<E\n${1}\nE\n",
	} {
		f.Add(src)
	}
	ctx := context()
	f.Fuzz(func(t *testing.T, src string) {
		if eval.ScanTokens([]byte(src), "x.hcl").HasErrors() {
			return
		}
		expr, diags := hclsyntax.ParseExpression([]byte(src), "x.hcl", hcl.InitialPos)
		if diags.HasErrors() {
			return
		}
		eval.Value(expr, ctx)
		p, diags := eval.Compile(expr, ctx, eval.Input{Root: "recipient", Names: names, Source: []byte(src)})
		if diags.HasErrors() {
			return
		}
		for _, person := range benchPeople {
			checkParts(t, p, person)
		}
	})
}

// checkParts checks that the joined pieces are what the whole expression
// writes.
func checkParts(t *testing.T, p *eval.Program, vals []message.Value) {
	t.Helper()
	whole, wholeErr := p.AppendString(nil, vals)
	var joined []byte
	var err error
	for _, piece := range p.Parts() {
		if joined = append(joined, piece.Text...); piece.Program != nil && err == nil {
			joined, err = piece.Program.AppendString(joined, vals)
		}
	}
	if (err == nil) != (wholeErr == nil) {
		t.Fatalf("whole: %v, parts: %v", wholeErr, err)
	}
	if err == nil && cty.NormalizeString(string(joined)) != string(whole) {
		t.Fatalf("whole: %q, parts: %q", whole, joined)
	}
}
