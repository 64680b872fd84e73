package lsp_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// at cuts a mark out of a text and returns the position where it was.
func at(t *testing.T, src string) (string, place) {
	t.Helper()
	head, tail, ok := strings.Cut(src, "‸")
	if !ok {
		t.Fatalf("no mark in %q", src)
	}
	lines := strings.Split(head, "\n")
	return head + tail, place{len(lines) - 1, len(lines[len(lines)-1])}
}

func (c *client) point(name string, p place) map[string]any {
	m := document(c.uri(name))
	m["position"] = p
	return m
}

type item struct {
	Label string `json:"label"`
	Kind  int    `json:"kind"`
	Edit  edit   `json:"textEdit"`
}

// complete opens a text with a mark and returns what may stand there, and the text
// with each.
func (c *client) complete(name, marked string) (items, texts []string) {
	c.t.Helper()
	src, p := at(c.t, marked)
	c.open(name, src)
	var list struct {
		Items []item `json:"items"`
	}
	c.result("textDocument/completion", c.point(name, p), &list)
	for _, i := range list.Items {
		items = append(items, i.Label)
		texts = append(texts, apply(src, []edit{i.Edit}))
	}
	return items, texts
}

func TestCompletion(t *testing.T) {
	c := start(t, restaurant())
	c.initialize()
	for _, x := range []struct {
		name, src   string
		want, never string // labels that are among those that are offered, or are not
	}{
		{"a block", "‸", "list_message campaign audience template_message stop_words", "row section"},
		{"a block that was begun", "list_‸", "list_message", "campaign"},
		{"an argument", "text_message \"a\" {\n  ‸\n}\n", "body preview_url", "button list_message"},
		{"an argument that is there", "text_message \"a\" {\n  body = \"x\"\n  ‸\n}\n", "preview_url", "body"},
		{"a nested block", "list_message \"a\" {\n  section \"x\" {\n    ‸\n  }\n}\n", "row", "section body"},
		{"a block that is not closed", "list_message \"a\" {\n  fo‸", "footer", "body"},
		{"an argument of a provider", "provider \"sandbox\" \"main\" {\n  ‸\n}\n", "url", "body"},
		{"the type of a provider", "provider \"‸\" \"main\" {\n}\n", "sandbox cloud onemsg", ""},
		{"an audience", "campaign \"a\" {\n  audience = ‸\n}\n", "audience.guests", "provider.sandbox.main"},
		{"an audience that was begun", "campaign \"a\" {\n  audience = audience.‸\n}\n", "audience.guests", ""},
		{"a provider", "campaign \"a\" {\n  provider = pro‸\n}\n", "provider.sandbox.main", "audience.guests"},
		{"a message", "text_message \"b\" {}\ncampaign \"a\" {\n  message = ‸\n}\n", "text_message.b", "audience.guests"},
		{"a message of a kind", "text_message \"b\" {}\nlist_message \"c\" {}\ncampaign \"a\" {\n  message = list_message.‸\n}\n", "list_message.c", "text_message.b"},
		{"a word", "campaign \"a\" {\n  on_invalid = ‸\n}\n", "fail skip", "known"},
		{"a word that was begun", "campaign \"a\" {\n  on_invalid = \"sk‸\"\n}\n", "skip", ""},
		{"a recipient", "text_message \"a\" {\n  body = \"Hello ${recipient.‸}\"\n}\n", "recipient.name recipient.phone", "row.phone"},
		{"a recipient in a text that is not closed", "text_message \"a\" {\n  body = \"Hello ${recipient.‸\n}\n", "recipient.name", ""},
		{"a recipient in a function", "text_message \"a\" {\n  body = \"Hello ${upper(recipient.‸)}\"\n}\n", "recipient.name", ""},
		{"a column", "audience \"b\" {\n  phone = row.‸\n  source \"csv\" { path = \"guests.csv\" }\n}\n", "row.phone row.first_name", "recipient.phone"},
		{"a variable", "variable \"dish\" { default = \"soup\" }\ntext_message \"a\" {\n  body = var.‸\n}\n", "var.dish", ""},
		{"a local", "locals { dish = \"soup\" }\ntext_message \"a\" {\n  body = \"${local.‸}\"\n}\n", "local.dish", ""},
		{"a function", "text_message \"a\" {\n  body = trunc‸\n}\n", "truncate", ""},
	} {
		got, _ := c.complete("menu.hcl", x.src)
		for _, w := range strings.Fields(x.want) {
			if !slices.Contains(got, w) {
				t.Errorf("%s: %q is not offered; there is %q", x.name, w, got)
			}
		}
		for _, w := range strings.Fields(x.never) {
			if slices.Contains(got, w) {
				t.Errorf("%s: %q is offered", x.name, w)
			}
		}
	}
}

// TestFilesOfOthers checks that a file of tests, whose blocks are others, is offered none
// of a configuration, and still has an outline.
func TestFilesOfOthers(t *testing.T) {
	c := start(t, restaurant())
	c.initialize()
	if got, _ := c.complete("lunch.test.hcl", "‸\nrun \"all\" {\n}\n"); len(got) != 0 {
		t.Errorf("a file of tests is offered %q", got)
	}
	var got []struct{ Name string }
	if c.result("textDocument/documentSymbol", document(c.uri("lunch.test.hcl")), &got); len(got) != 1 || got[0].Name != `run "all"` {
		t.Errorf("its outline is %v", got)
	}
}

// TestWhatIsCompletedIsTaken checks that a message of a reference that was completed is
// a configuration without errors.
func TestWhatIsCompletedIsTaken(t *testing.T) {
	c := start(t, restaurant())
	c.initialize()
	src := strings.Replace(menu, "list_message.menu", "list_message.m‸", 1)
	items, texts := c.complete("menu.hcl", src)
	if len(items) != 1 || texts[0] != menu {
		t.Fatalf("%q completed gives %q", items, texts)
	}
	if got := c.change("menu.hcl", texts[0]); len(got) != 0 {
		t.Errorf("diagnostics %v", got)
	}
}

func TestDefinition(t *testing.T) {
	c := start(t, restaurant())
	c.initialize()
	for _, x := range []struct{ find, file, line string }{
		{"message  = list_message.me‸nu", "menu.hcl", `list_message "menu" {`},
		{"audience = ‸audience.guests", "settings.hcl", `audience "guests" {`},
		{"provider = provider.sandbox.main‸", "settings.hcl", `provider "sandbox" "main" {`},
		{"${recipient.na‸me}", "settings.hcl", `audience "guests" {`},
	} {
		src, p := at(t, strings.Replace(menu, strings.Replace(x.find, "‸", "", 1), x.find, 1))
		c.open("menu.hcl", src)
		var got struct {
			URI   string `json:"uri"`
			Range area   `json:"range"`
		}
		c.result("textDocument/definition", c.point("menu.hcl", p), &got)
		line := strings.Split(restaurant()[x.file], "\n")[got.Range.Start.Line]
		if got.URI != c.uri(x.file) || line != x.line {
			t.Errorf("%s leads to %s, line %q", x.find, got.URI, line)
		}
	}
	if a := c.ask("textDocument/definition", c.point("menu.hcl", place{0, 0})); string(a.Result) != "null" {
		t.Errorf("no reference leads to %s", a.Result)
	}
}

func TestSymbols(t *testing.T) {
	c := start(t, restaurant())
	c.initialize()
	c.open("menu.hcl", menu+"text_message \"open\" {\n  body = \"x\"\n")
	var got []struct {
		Name     string `json:"name"`
		Children []struct {
			Name     string            `json:"name"`
			Children []json.RawMessage `json:"children"`
		} `json:"children"`
	}
	c.result("textDocument/documentSymbol", document(c.uri("menu.hcl")), &got)
	var names []string
	for _, s := range got {
		names = append(names, s.Name)
	}
	want := []string{`list_message "menu"`, `campaign "lunch"`, `text_message "open"`}
	if !slices.Equal(names, want) || len(got[0].Children) != 1 || got[0].Children[0].Name != `section "Starters"` || len(got[0].Children[0].Children) != 1 {
		t.Errorf("symbols %+v, want %q", got, want)
	}
}
