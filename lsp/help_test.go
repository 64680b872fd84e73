package lsp_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/handbill/handbill/internal/golden"
)

// hover is what the server says at a mark.
func (c *client) hover(name, marked string) string {
	c.t.Helper()
	src, p := at(c.t, marked)
	c.open(name, src)
	var got *struct {
		Contents struct{ Kind, Value string } `json:"contents"`
	}
	if c.result("textDocument/hover", c.point(name, p), &got); got == nil {
		return ""
	}
	return got.Contents.Value
}

func TestHover(t *testing.T) {
	c := start(t, restaurant())
	c.initialize()
	for _, x := range []struct{ find, with, want string }{
		{`title = "Soup`, `ti‸tle = "Soup`, "**title 15/24** characters. Limit: "},
		{`title = "Soup`, `title = "So‸up`, "**title 15/24**"},
		{`title = "Soup of the day"`, `title = "Soup of the day, with b‸read"`, "**title 27/24**"},
		{`body   = "Hello`, `bo‸dy   = "Hello`, "**body 28+/1024** characters, and what recipients fill in"},
		{`button = "Choose"`, `but‸ton = "🍲🍲"`, "**button 2/20**"},
		{`row "soup"`, `r‸ow "soup"`, "One row; its id comes back"},
		{`campaign "lunch"`, `cam‸paign "lunch"`, "One message to one audience"},
		{`audience = audience`, `audi‸ence = audience`, "**audience** _required, reference_"},
		{`message  =`, `mess‸age  =`, "**message** _optional, reference_"},
		{`recipient.name`, `recipient.nm‸ae`, "`unknown_attribute`: An object has no attribute"},
	} {
		if got := c.hover("menu.hcl", strings.Replace(menu, x.find, x.with, 1)); !strings.Contains(got, x.want) {
			t.Errorf("at %s: %q, want %q", x.with, got, x.want)
		}
	}
	if got := c.hover("menu.hcl", "‸\n"+menu); got != "" {
		t.Errorf("at nothing: %q", got)
	}
	if got := c.hover("menu.hcl", strings.Replace(menu, "\n}\n", "‸\n", 1)); strings.Contains(got, "/") {
		t.Errorf("a text of a file whose form is wrong is counted: %q", got)
	}
}

func TestCounters(t *testing.T) {
	c := start(t, restaurant())
	c.initialize()
	c.open("menu.hcl", menu)
	ask := func(from, to int) (got []string) {
		params := document(c.uri("menu.hcl"))
		params["range"] = map[string]any{"start": place{from, 0}, "end": place{to, 0}}
		var hints []struct {
			Position place  `json:"position"`
			Label    string `json:"label"`
		}
		c.result("textDocument/inlayHint", params, &hints)
		for _, h := range hints {
			line := strings.Split(menu, "\n")[h.Position.Line]
			got = append(got, strings.TrimSpace(line[:h.Position.Character])+" "+h.Label)
		}
		return got
	}
	got := strings.Join(ask(0, 99), "\n")
	for _, want := range []string{`name}, what would you like?" 28+/1024`, `button = "Choose" 6/20`, `title = "Soup of the day" 15/24`} {
		if !strings.Contains(got, want) {
			t.Errorf("there is no %q in\n%s", want, got)
		}
	}
	if few := ask(2, 3); len(few) != 1 {
		t.Errorf("in one line there are %q", few)
	}
}

func TestSuggestions(t *testing.T) {
	c := start(t, restaurant())
	c.initialize()
	for _, x := range []struct{ right, wrong string }{
		{"recipient.name", "recipient.nmae"}, {"list_message.menu", "list_message.meun"}, {"list_message.menu\n", "list_mesage.menu\n"},
		{"audience.guests", "audience.gusets"}, {"provider.sandbox.main", "provider.sandbox.mian"}, {"  button =", "  buton ="},
		{`row "soup"`, `rwo "soup"`}, {"list_message \"menu\"", "list_mesage \"menu\""}, {"campaign \"lunch\"", "campain \"lunch\""},
	} {
		wrong := strings.Replace(menu, x.right, x.wrong, 1)
		c.open("menu.hcl", wrong)
		params := document(c.uri("menu.hcl"))
		params["range"] = map[string]any{"start": place{0, 0}, "end": place{99, 0}}
		params["context"] = map[string]any{"diagnostics": []any{}}
		var actions []struct {
			Title string `json:"title"`
			Edit  struct {
				Changes map[string][]edit `json:"changes"`
			} `json:"edit"`
		}
		c.result("textDocument/codeAction", params, &actions)
		fixed := false
		for _, a := range actions {
			fixed = fixed || apply(wrong, a.Edit.Changes[c.uri("menu.hcl")]) == menu
		}
		if !fixed {
			t.Errorf("nothing turns %q into %q: %+v\n%v", x.wrong, x.right, actions, c.last["menu.hcl"])
		}
	}
}

// TestNewcomer plays the first minutes of somebody in an editor: a message is completed,
// its title is told to be too long while it is typed, it is corrected, formatted, and
// its recipients are looked up.
func TestNewcomer(t *testing.T) {
	c := start(t, map[string]string{"settings.hcl": settings, "guests.csv": guests})
	c.ask("initialize", map[string]any{"rootUri": c.uri(""), "capabilities": map[string]any{
		"textDocument": map[string]any{"completion": map[string]any{"completionItem": map[string]any{"snippetSupport": true}}}}})
	c.tell("initialized", map[string]any{})
	if _, texts := c.complete("menu.hcl", "list_m‸\n"); len(texts) != 1 || texts[0] != "list_message \"${1:name}\" {\n  ${2}\n}\n" {
		t.Fatalf("list_m is completed to %q", texts)
	}
	long := strings.NewReplacer("Soup of the day", "Soup of the day, and bread", "  body   =", "  body =").Replace(menu)
	if got := c.change("menu.hcl", long); len(got) != 1 || !strings.Contains(got[0].Message, "Shorten it by 2") {
		t.Fatalf("of a title with 26 characters the server says %v", got)
	}
	short := strings.Replace(long, ", and bread", ", bread", 1)
	if got := c.change("menu.hcl", short); len(got) != 0 {
		t.Fatalf("of a title with 22 characters the server says %v", got)
	}
	var edits []edit
	c.result("textDocument/formatting", document(c.uri("menu.hcl")), &edits)
	if got := apply(short, edits); got != strings.Replace(menu, "Soup of the day", "Soup of the day, bread", 1) {
		t.Errorf("formatted as\n%s", got)
	}
	c.change("menu.hcl", apply(short, edits))
	lines := strings.Split(menu, "\n")
	for n, line := range lines {
		if i := strings.Index(line, "audience.guests"); i >= 0 {
			c.ask("textDocument/definition", c.point("menu.hcl", place{n, i + 10}))
		}
	}
	c.ask("textDocument/hover", c.point("menu.hcl", place{6, 8}))
	if err := c.end(); err != nil {
		t.Error(err)
	}
	golden.Assert(t, c.transcript.Bytes(), filepath.Join("testdata", "newcomer.golden"))
}
