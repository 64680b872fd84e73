package eval_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	hcljson "github.com/hashicorp/hcl/v2/json"
	"github.com/zclconf/go-cty/cty"

	"github.com/handbill/handbill/lang/eval"
	"github.com/handbill/handbill/message"
)

func compile(t testing.TB, src string) *eval.Program {
	t.Helper()
	p, diags := eval.Compile(parse(t, src), context(), eval.Input{Root: "recipient", Names: names, Source: []byte(src)})
	if diags.HasErrors() {
		t.Fatalf("%s: %s", src, diags)
	}
	return p
}

func person(name, city, age, vip message.Value) []message.Value {
	return []message.Value{name, city, age, vip, {}, {Kind: message.JSON, Text: `{"total":3,"items":["a","b"]}`}}
}

// ana has a decomposed name, a number that is written in a long form, and a
// bool.
var ana = person(message.Str("Jose\u0301"), message.Str("Köln"), message.Value{Kind: message.Number, Text: "34.50"}, message.Value{Kind: message.Bool, Text: "true"})

func TestAppendString(t *testing.T) {
	for src, want := range map[string]string{
		`recipient.name`:                                         "José",
		`"Hi ${recipient.name}!"`:                                "Hi José!",
		`"${recipient.age}"`:                                     "34.5",
		`"${recipient.vip}"`:                                     "true",
		`upper(recipient["city"])`:                               "KÖLN",
		`recipient.vip ? "member" : "guest"`:                     "member",
		`recipient.note == null ? "none" : "some"`:               "none",
		`coalesce(recipient.note, "", "there")`:                  "there",
		`recipient.age > 18 ? "adult" : 1`:                       "adult",
		`"${recipient.cart.total} ${recipient.cart.items[1]}"`:   "3 b",
		`join(", ", [for i in recipient.cart.items : upper(i)])`: "A, B",
		`try(recipient.cart.nothing, "else")`:                    "else",
		`format("%s: %.2f", recipient.name, recipient.age)`:      "José: 34.50",
		`"%{if recipient.vip}yes%{else}no%{endif}"`:              "yes",
		`"a ${~ recipient.vip ~} b"`:                             "atrueb",
		`"Joe${recipient.note == null ? "\u0301" : ""}"`:         "Joé",
		`var.texts[recipient.vip ? "DE" : "a"]`:                  "Hallo",
		`replace(recipient.city, "/[^a-z]/", "")`:                "ln",
		`money(recipient.age, "EUR", "de")`:                      "34,50\u00a0€",
		`"${recipient.age + 0.5}"`:                               "35",
	} {
		got, err := compile(t, src).AppendString(nil, ana)
		if err != nil || string(got) != want {
			t.Errorf("%s: %q, %v; want %q", src, got, err, want)
		}
	}
}

func TestErrorsNameThePlaceAndNoValue(t *testing.T) {
	secret := message.Str("Margarethe")
	vals := person(secret, secret, secret, message.Value{})
	vals[5] = message.Value{Kind: message.JSON, Text: `["Margarethe"]`}
	for src, code := range map[string]string{
		`recipient.vip`:                                        eval.CodeNull,
		`"x ${recipient.note}"`:                                eval.CodeNull,
		`"x ${recipient.cart}"`:                                eval.CodeEval,
		`recipient.age + 1`:                                    eval.CodeEval,
		`tonumber(recipient.age)`:                              eval.CodeEval,
		`var.texts[recipient.name]`:                            eval.CodeEval,
		`{for k in ["a", "b"] : recipient.name => k}`:          eval.CodeEval,
		`regex(recipient.name, "x")`:                           eval.CodeEval,
		`try(tonumber(recipient.age), tobool(recipient.name))`: eval.CodeEval,
		`jsondecode(recipient.name)`:                           eval.CodeEval,
		`formatdate(recipient.name, recipient.age)`:            eval.CodeEval,
		`parseint(recipient.name, 10)`:                         eval.CodeEval,
		`recipient.name ? 1 : 2`:                               eval.CodeEval,
		`recipient.cart`:                                       eval.CodeType,
		`index(recipient.cart, recipient.age) == 0 ? lookup({}, recipient.name) : ""`: eval.CodeEval,
		`money(1, recipient.name)`: eval.CodeEval,
	} {
		_, err := compile(t, src).AppendString(nil, vals)
		var e *eval.Error
		if !errors.As(err, &e) {
			t.Errorf("%s: %v", src, err)
			continue
		}
		if e.Code != code || e.Range.Filename != "x.hcl" || e.Summary == "" || e.Detail == "" {
			t.Errorf("%s: %+v", src, e)
		}
		if strings.Contains(err.Error(), "argarethe") {
			t.Errorf("%s: holds the recipient's value: %s", src, err)
		}
		if errors.Is(err, eval.ErrNull) != (code == eval.CodeNull) {
			t.Errorf("%s: errors.Is(ErrNull) is wrong", src)
		}
	}
}

func TestNullNamesTheAttribute(t *testing.T) {
	for _, part := range compile(t, `"Hi ${recipient.note}, ${recipient.name}"`).Parts() {
		if part.Program == nil {
			continue
		}
		_, err := part.Program.AppendString(nil, ana)
		var e *eval.Error
		if errors.As(err, &e) && e.Attribute != "note" {
			t.Errorf("attribute %q", e.Attribute)
		}
		if (err != nil) != (part.Program.Source() == "recipient.note") {
			t.Errorf("%s: %v", part.Program.Source(), err)
		}
	}
}

func TestNullWithinATemplateNamesTheAttribute(t *testing.T) {
	for src, want := range map[string]string{`"Hi ${recipient.name} ${recipient.note}"`: "note", `recipient.note`: "note", `recipient.name == "" ? "" : recipient.note`: ""} {
		_, err := compile(t, src).AppendString(nil, ana)
		var e *eval.Error
		if !errors.As(err, &e) || e.Attribute != want {
			t.Errorf("%s: %v", src, err)
		}
	}
}

func TestCompileDiagnostics(t *testing.T) {
	for src, want := range map[string]string{
		`"Hi ${recipient.nmae}"`:   `x.hcl:1,16-21: Unknown attribute; recipient has no attribute named "nmae". Did you mean "name"?`,
		`recipient["postcode"]`:    `x.hcl:1,10-22: Unknown attribute; recipient has no attribute named "postcode".`,
		`uper(recipient.name)`:     `x.hcl:1,1-5: Call to unknown function; There is no function named "uper". Did you mean "upper"?`,
		`upper()`:                  `x.hcl:1,7-8: Not enough function arguments; Function "upper" expects 1 argument(s). Missing value for "str".`,
		`upper([recipient.name])`:  `x.hcl:1,7-8: Invalid function argument; Invalid value for "str" parameter: string required, but have tuple.`,
		`tonumber(var.secret)`:     `x.hcl:1,10-20: Invalid function argument; The function tonumber cannot take the values it is given here.`,
		`recipient.name == var.no`: `x.hcl:1,22-25: Unsupported attribute; This object does not have an attribute named "no".`,
	} {
		_, diags := eval.Compile(parse(t, src), context(), eval.Input{Root: "recipient", Names: names})
		if len(diags) != 1 || diags[0].Error() != want {
			t.Errorf("%s:\n got %v\nwant %s", src, diags, want)
		}
	}
}

func TestProgramDescribesItself(t *testing.T) {
	p := compile(t, `"Hi ${upper( recipient.name )} of ${recipient.city}${var.greeting}, ${recipient.name}"`)
	var got []string
	for _, piece := range p.Parts() {
		if piece.Program != nil {
			got = append(got, "<"+piece.Program.Source()+">")
			continue
		}
		got = append(got, piece.Text)
	}
	want := []string{"Hi ", "<upper(recipient.name)>", " of ", "<recipient.city>", "Grüß, ", "<recipient.name>"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	var refs []string
	for _, ref := range p.Refs() {
		refs = append(refs, ref.Name)
		if names[ref.Index] != ref.Name {
			t.Errorf("%s has the index of %s", ref.Name, names[ref.Index])
		}
	}
	if diff := cmp.Diff([]string{"name", "city"}, refs); diff != "" {
		t.Error(diff)
	}
	if _, ok := p.Const(); ok {
		t.Error("is not constant")
	}
	v, ok := compile(t, `upper(var.greeting)`).Const()
	if !ok || v.AsString() != "GRÜSS" && v.AsString() != "GRÜß" {
		t.Errorf("%#v", v)
	}
}

func TestSensitiveStaysSensitive(t *testing.T) {
	for src, want := range map[string]bool{
		`"x${var.secret}"`:                               true,
		`"${recipient.name}${var.secret}"`:               true,
		`recipient.vip ? var.secret : ""`:                true,
		`try(recipient.cart.total, var.secret)`:          true,
		`length(var.secret) > 3 && recipient.vip`:        true,
		`sensitive(recipient.name)`:                      true,
		`"${recipient.name}${nonsensitive(var.secret)}"`: false,
		`recipient.name`:                                 false,
	} {
		p := compile(t, src)
		if p.Sensitive() != want {
			t.Errorf("%s: sensitive is %v", src, p.Sensitive())
		}
		if v, ok := p.Const(); ok && eval.IsSensitive(v) != want {
			t.Errorf("%s: %#v", src, v)
		}
	}
}

func TestUnknownColumns(t *testing.T) {
	p, diags := eval.Compile(parse(t, `"${recipient.anything}"`), context(), eval.Input{Root: "recipient"})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if _, err := p.AppendString(nil, nil); err == nil {
		t.Error("evaluated without columns")
	}
	if refs := p.Refs(); len(refs) != 1 || refs[0].Index != -1 || refs[0].Name != "anything" {
		t.Error(refs)
	}
}

func TestJSONSyntax(t *testing.T) {
	src := `{"text": "Hi ${upper(recipient.name)}", "list": ["a", "${recipient.city}", 1, null, true], "object": {"${recipient.city}": 2}}`
	file, diags := hcljson.Parse([]byte(src), "x.hcl.json")
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	attrs, _ := file.Body.JustAttributes()
	for name, want := range map[string]string{
		"text": "Hi JOSÉ", "list": `["a","Köln",1,null,true]`, "object": `{"Köln":2}`,
	} {
		p, diags := eval.Compile(attrs[name].Expr, context(), eval.Input{Root: "recipient", Names: names, Source: []byte(src)})
		if diags.HasErrors() {
			t.Errorf("%s: %s", name, diags)
			continue
		}
		if v, err := p.Eval(ana); err != nil || v.Text != want {
			t.Errorf("%s: %v %v", name, v, err)
		}
	}
	_, diags = eval.Compile(attrs["text"].Expr, context(), eval.Input{Root: "recipient", Names: []string{"nam"}})
	if !diags.HasErrors() || !strings.Contains(diags[0].Detail, `"nam"`) {
		t.Errorf("%v", diags)
	}
}

func TestFunctions(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"a.txt": "text", "p.csv": "\ufeffid,title\np1,One\np2,\"Two, or more\"\n", "twice.csv": "a,a\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/etc/hostname", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	ctx := &hcl.EvalContext{Functions: eval.Functions(eval.FunctionConfig{
		Root: root,
		Env:  func(name string) (string, bool) { return "v", name == "SET" },
		Phone: func(raw, region string) (string, error) {
			if raw == "" {
				return "", errors.New("it is empty")
			}
			return "+49" + raw, nil
		},
	})}
	for src, want := range map[string]string{
		`file("a.txt")`: "text", `csv("p.csv")[1].title`: "Two, or more", `nonsensitive(env("SET"))`: "v", `phone("151", "DE")`: "+49151",
		`file("../a.txt")`: "", `file("link")`: "", `file(".")`: "", `file("/etc/hostname")`: "", `csv("twice.csv")`: "", `env("UNSET")`: "", `phone("", "DE")`: "",
		`money(19.9, "EUR")`: "19.90 EUR", `money(1.005, "EUR")`: "1.01 EUR", `money(1234567.5, "JPY")`: "1234568 JPY", `money(1.5, "KWD")`: "1.500 KWD",
		`money(-1234.5, "USD", "en")`: "-$1,234.50", `money(1234.5, "EUR", "de-AT")`: "1.234,50\u00a0€", `money(-0.001, "EUR")`: "0.00 EUR",
		`money(1, "EURO")`: "", `money(1, "EUR", "xx")`: "", `money(1234.5, "BRL", "pt_BR")`: "R$\u00a01.234,50",
		`plural(1, "item", "items")`: "item", `plural(0, "item", "items")`: "items", `plural(1.5, "item", "items")`: "items",
		`truncate("Browse our catalog", 12)`: "Browse our…", `truncate("short", 5)`: "short", `truncate("Donaudampfschiff", 6)`: "Donau…",
		`truncate("ab 👨\u200d👩\u200d👧 cd", 6)`: "ab…", `truncate("x", 0)`: "", `truncate("日本語です", 3)`: "日本…",
		`startswith("abc", "ab")`: "true", `endswith("abc", "ab")`: "false", `sum([1, "2", 3.5])`: "6.5", `one(["x"])`: "x", `one([1, 2])`: "",
		`alltrue([true, "true"])`: "true", `anytrue([])`: "false", `length("é👍")`: "2", `length([1, 2])`: "2", `index(["a", "b"], "b")`: "1",
		`coalesce(null, "", "x")`: "x", `coalesce("", null)`: "", `coalesce(null, 3)`: "3", `replace("a1b22", "/[0-9]+/", "-")`: "a-b-",
		`base64decode(base64encode("é"))`: "é", `base64decode("/w==")`: "", `urlencode("a b&c")`: "a+b%26c", `sha256("")`: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		`media_id("12").media_id`: "12", `formatdate("DD.MM.YYYY", "2026-03-01T09:00:00Z")`: "01.03.2026", `join(",", sort(keys({b = 1, a = 2})))`: "a,b",
		`timestamp()`: "", `jsonencode({a = [1, null]})`: `{"a":[1,null]}`, `strrev("añb")`: "bña", `title("hello world")`: "Hello World",
	} {
		v, diags := eval.Value(parse(t, src), ctx)
		if want == "" {
			if !diags.HasErrors() {
				t.Errorf("%s: passed: %#v", src, v)
			}
			continue
		}
		got, err := eval.FromCty(v)
		if diags.HasErrors() || err != nil || got.Text != want {
			t.Errorf("%s: %q %v %v", src, got.Text, diags, err)
		}
	}
	v, _ := eval.Value(parse(t, `"Bearer ${env("SET")}"`), ctx)
	if !eval.IsSensitive(v) {
		t.Error("a value made from env() is not sensitive")
	}
	if id, ok := eval.MediaID(cty.ObjectVal(map[string]cty.Value{"media_id": cty.StringVal("9")})); !ok || id != "9" {
		t.Error(id, ok)
	}
}

func TestInfosDescribeEveryFunction(t *testing.T) {
	infos := eval.Infos()
	if len(infos) != len(eval.Functions(eval.FunctionConfig{})) {
		t.Errorf("%d descriptions of %d functions", len(infos), len(eval.Functions(eval.FunctionConfig{})))
	}
	for _, info := range infos {
		if info.Description == "" || !strings.HasPrefix(info.Signature, info.Name+"(") {
			t.Errorf("%+v", info)
		}
	}
}

func TestValuesSurviveTheRoundTrip(t *testing.T) {
	for _, v := range []message.Value{
		{}, message.Str(""), message.Str("é"), {Kind: message.Number, Text: "0.5"}, {Kind: message.Number, Text: "12345678901234567890"},
		{Kind: message.Bool, Text: "false"}, {Kind: message.JSON, Text: `{"a":[1,null,"x"]}`}, {Kind: message.JSON, Text: `[]`},
	} {
		got, err := eval.FromCty(eval.ToCty(v))
		if err != nil || got != v {
			t.Errorf("%v became %v, %v", v, got, err)
		}
	}
	deep := message.Value{Kind: message.JSON, Text: strings.Repeat("[", 100_000)}
	if eval.ToCty(deep).Type() != cty.String {
		t.Error("deeply nested JSON was decoded")
	}
}

// Planning evaluates the same programs on every core, so they must be safe for
// concurrent use.
func TestProgramsAreSharedBetweenGoroutines(t *testing.T) {
	p := compile(t, `"${upper(recipient.name)} ${join(",", recipient.cart.items[*])} ${coalesce(recipient.note, "-")} ${truncate(recipient.city, 3)}"`)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 200 {
				if got, err := p.AppendString(nil, ana); err != nil || string(got) != "JOSÉ a,b - Kö…" {
					t.Errorf("%q, %v", got, err)
				}
			}
		})
	}
	group.Wait()
}
