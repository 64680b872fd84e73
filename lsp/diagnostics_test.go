package lsp_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/handbill/handbill/internal/golden"
	"github.com/handbill/handbill/lang"
)

const settings = `provider "sandbox" "main" {
  url = "http://127.0.0.1:8480"
}

audience "guests" {
  phone      = row.phone
  attributes = { name = row.first_name }

  source "csv" {
    path = "guests.csv"
  }
}
`

const menu = `list_message "menu" {
  body   = "Hello ${recipient.name}, what would you like?"
  button = "Choose"

  section "Starters" {
    row "soup" {
      title = "Soup of the day"
    }
  }
}

campaign "lunch" {
  provider = provider.sandbox.main
  audience = audience.guests
  message  = list_message.menu
}
`

const guests = "phone,first_name\n+4915112345671,Ada\n"

func restaurant() map[string]string {
	return map[string]string{"settings.hcl": settings, "menu.hcl": menu, "guests.csv": guests}
}

// summaries are the codes of problems.
func summaries(list []problem) string {
	var out []string
	for _, p := range list {
		out = append(out, p.Code)
	}
	return strings.Join(out, " ")
}

func TestDiagnosticsWhileTyping(t *testing.T) {
	c := start(t, restaurant())
	c.initialize()
	if got := c.open("menu.hcl", menu); len(got) != 0 {
		t.Errorf("a sound configuration has %v", got)
	}
	c.change("menu.hcl", strings.Replace(menu, "Soup of the day", "Soup of the day, with bread", 1))
	c.change("menu.hcl", strings.Replace(menu, "recipient.name", "recipient.nmae", 1))
	c.ask("textDocument/formatting", document(c.uri("menu.hcl")))
	if err := c.end(); err != nil {
		t.Error(err)
	}
	golden.Assert(t, c.transcript.Bytes(), filepath.Join("testdata", "typing.golden"))
}

// TestOthersKeepTheirDiagnostics checks that a file in the middle of being typed has
// its own errors alone, and that the rest of the configuration is judged as if it
// still read as before.
func TestOthersKeepTheirDiagnostics(t *testing.T) {
	files := restaurant()
	files["menu.hcl"] = strings.Replace(menu, "recipient.name", "recipient.nmae", 1)
	c := start(t, files)
	c.initialize()
	c.open("settings.hcl", settings)
	const typed = "audience \"others\" {\n  phone = row[\"a\"]\n\n  source \"csv\" { path = \"${\"x\"}.csv\" }\n}\n"
	broken := 0
	for cut := range len(typed) + 1 {
		own := c.change("settings.hcl", settings+typed[:cut])
		if got := summaries(c.last["menu.hcl"]); got != "unknown_attribute" {
			t.Fatalf("after %q the other file has %q", typed[:cut], got)
		}
		if strings.Contains(summaries(own), "invalid_syntax") {
			broken++
		}
	}
	if broken < len(typed)/2 {
		t.Errorf("only %d of %d texts were told to be broken", broken, len(typed))
	}
	if got := summaries(c.last["settings.hcl"]); got != "" {
		t.Errorf("the whole text has %q", got)
	}
}

// TestFileThatIsClosed checks that a file that is closed without being saved counts as
// it is on the disk, and that the last one to be closed takes all diagnostics along.
func TestFileThatIsClosed(t *testing.T) {
	c := start(t, restaurant())
	c.initialize()
	c.open("menu.hcl", menu)
	c.open("settings.hcl", strings.Replace(settings, "{ name", "{ nome", 1))
	if got := summaries(c.last["menu.hcl"]); got != "unknown_attribute" {
		t.Fatalf("the menu has %q after an unsaved change of the audience", got)
	}
	c.tell("textDocument/didClose", document(c.uri("settings.hcl")))
	c.checked("menu.hcl")
	if got := summaries(c.last["menu.hcl"]); got != "" {
		t.Errorf("the menu has %q after the change was thrown away", got)
	}
	c.change("menu.hcl", strings.Replace(menu, "list_message.menu", "list_message.meun", 1))
	c.tell("textDocument/didClose", document(c.uri("menu.hcl")))
	c.ask("textDocument/formatting", document(c.uri("menu.hcl")))
	if got := summaries(c.last["menu.hcl"]); got != "" {
		t.Errorf("the menu has %q after it was closed", got)
	}
}

// TestFileOfAModule checks that a module's file is judged as part of the configuration
// that calls it, with what the call gives it.
func TestFileOfAModule(t *testing.T) {
	const module = "variable \"dish\" {}\n\ntext_message \"offer\" {\n  body = \"Today: ${var.dish}.\"\n}\n"
	files := restaurant()
	files["call.hcl"] = "module \"offer\" {\n  source = \"./modules/offer\"\n  dish   = \"soup\"\n}\n"
	files["modules/offer/main.hcl"] = module
	c := start(t, files)
	c.initialize()
	if got := c.open("modules/offer/main.hcl", module); len(got) != 0 {
		t.Errorf("the module has %v", got)
	}
	got := c.change("modules/offer/main.hcl", strings.Replace(module, "var.dish", "var.dihs", 1))
	if summaries(got) != "unknown_reference" {
		t.Errorf("a misspelt variable of the module gives %v", got)
	}
}

// TestFileWithoutAConfiguration checks that a file of tests, which belongs to no
// configuration, is judged by its form.
func TestFileWithoutAConfiguration(t *testing.T) {
	c := start(t, restaurant())
	c.initialize()
	if got := c.open("lunch.test.hcl", "run \"all\" {\n}\n"); len(got) != 0 {
		t.Errorf("a sound file of tests has %v", got)
	}
	if got := c.change("lunch.test.hcl", "run \"all\" {\n"); summaries(got) != "invalid_syntax" {
		t.Errorf("a broken file of tests has %v", got)
	}
}

func TestFormatting(t *testing.T) {
	c := start(t, restaurant())
	c.initialize()
	for name, ugly := range map[string]string{
		"all of it":   strings.ReplaceAll(menu, "  ", " "),
		"one line":    strings.Replace(menu, "body   =", "body =", 1),
		"the end":     strings.TrimSuffix(menu, "}\n") + "     }\n",
		"the only":    "variable    \"x\" {}",
		"no line end": strings.TrimSuffix(menu, "}\n") + " }",
		"emoji":       "text_message \"a\" {\nbody=\"🍲 ${ \"x\" }\"\n}\n",
		"returns":     "text_message \"a\" {\r\nbody=\"x\"\r\n}\r\n",
	} {
		c.versions["menu.hcl"] = 0
		c.open("menu.hcl", ugly)
		var edits []edit
		c.result("textDocument/formatting", document(c.uri("menu.hcl")), &edits)
		want, diags := lang.Format([]byte(ugly), "menu.hcl")
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		if got := apply(ugly, edits); got != string(want) {
			t.Errorf("%s: formatted as\n%s\nwant\n%s", name, got, want)
		}
	}
	c.open("menu.hcl", "text_message {{{")
	if a := c.ask("textDocument/formatting", document(c.uri("menu.hcl"))); a.Error == nil || a.Error.Code != -32803 {
		t.Errorf("a broken file: %+v", a)
	}
}
