package lang_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"github.com/handbill/handbill/lang"
)

// interactive is the part of Meta's object that the corpus uses.
type interactive struct {
	Type   string
	Header *struct{ Type, Text string }
	Body   struct{ Text string }
	Footer struct{ Text string }
	Action struct {
		Button   string
		Buttons  []struct{ Reply struct{ ID, Title string } }
		Sections []struct {
			Title string
			Rows  []struct{ ID, Title, Description string }
		}
	}
}

// TestRealMessagesAreExpressible writes the lists and buttons of real projects
// as configuration, and compares validate's verdict with the corpus's.
func TestRealMessagesAreExpressible(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("HANDBILL_CORPORA")
	if dir == "" {
		t.Skip("HANDBILL_CORPORA is not set: real messages are not tried")
	}
	f, err := os.Open(filepath.Join(dir, "messages", "cases.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	tried := 0
	for lines.Scan() {
		var c struct {
			Key, Label  string
			Interactive interactive
		}
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		src, ok := asConfiguration(c.Interactive)
		if !ok {
			continue
		}
		tried++
		_, diags := lang.LoadFiles(t.Context(), map[string][]byte{"main.hcl": src}, nil, lang.Options{})
		if diags.HasErrors() != (c.Label == "invalid") {
			t.Errorf("%s is %s, but:\n%s\n%s", c.Key, c.Label, details(diags), src)
		}
	}
	if tried < 50 {
		t.Errorf("only %d cases were tried", tried)
	}
}

// TestRejectedMessagesAreRefused tries what WhatsApp refused, as far as the
// language can express it.
func TestRejectedMessagesAreRefused(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("HANDBILL_CORPORA")
	if dir == "" {
		t.Skip("HANDBILL_CORPORA is not set: rejected messages are not tried")
	}
	raw, err := os.ReadFile(filepath.Join(dir, "messages", "rejected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name        string
		Interactive interactive
	}
	if err := json.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		src, ok := asConfiguration(c.Interactive)
		if !ok {
			continue
		}
		_, diags := lang.LoadFiles(t.Context(), map[string][]byte{"main.hcl": src}, nil, lang.Options{})
		if !diags.HasErrors() {
			t.Errorf("%s passes:\n%s\n%s", c.Name, details(diags), src)
		}
	}
}

// asConfiguration writes a list or buttons with text headers as HCL, with
// placeholders as literal text.
func asConfiguration(m interactive) ([]byte, bool) {
	if m.Type != "list" && m.Type != "button" || m.Header != nil && m.Header.Type != "text" {
		return nil, false
	}
	var b strings.Builder
	quote := func(s string) string { return string(hclwrite.TokensForValue(cty.StringVal(s)).Bytes()) }
	attr := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s = %s\n", name, quote(value))
		}
	}
	fmt.Fprintf(&b, "%s_message \"m\" {\n", m.Type)
	if m.Header != nil {
		attr("header", m.Header.Text)
	}
	attr("body", m.Body.Text)
	attr("footer", m.Footer.Text)
	attr("button", m.Action.Button)
	choice := func(kind, id string, inner func()) {
		fmt.Fprintf(&b, "dynamic %q {\nfor_each = [0]\nlabels = [%s]\ncontent {\n", kind, quote(id))
		inner()
		b.WriteString("}\n}\n")
	}
	for _, s := range m.Action.Sections {
		choice("section", s.Title, func() {
			for _, r := range s.Rows {
				choice("row", r.ID, func() { attr("title", r.Title); attr("description", r.Description) })
			}
		})
	}
	for _, r := range m.Action.Buttons {
		choice("button", r.Reply.ID, func() { attr("title", r.Reply.Title) })
	}
	b.WriteString("}\n")
	return []byte(b.String()), true
}
