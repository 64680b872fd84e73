package cli_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/sandbox"
)

// corpora is the directory of messages from other projects.
func corpora(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("HANDBILL_CORPORA")
	if dir == "" {
		t.Skip("HANDBILL_CORPORA is not set")
	}
	return dir
}

// found is a message that somebody else wrote.
type found struct {
	Key         string          `json:"key"`
	Name        string          `json:"name"`
	Type        string          `json:"type"`
	Label       string          `json:"label"`
	Interactive json.RawMessage `json:"interactive"`
	Rules       []string        `json:"rules"`
	Details     string          `json:"details"`
	Provider    string          `json:"provider"`
}

func foundMessages(t *testing.T) []found {
	t.Helper()
	f, err := os.Open(filepath.Join(corpora(t), "messages", "cases.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []found
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var m found
		if err := json.Unmarshal(lines.Bytes(), &m); err != nil {
			t.Fatal(err)
		}
		out = append(out, m)
	}
	return out
}

// TestFoundMessages writes every message that was found in public as HCL, plans and
// applies it, and compares the request with the original.
func TestFoundMessages(t *testing.T) {
	for _, m := range foundMessages(t) {
		t.Run(m.Type+"/"+m.Key, func(t *testing.T) {
			t.Parallel()
			if m.Label != "valid" {
				refuse(t, m)
				return
			}
			carry(t, m)
		})
	}
}

// TestRejectedMessages checks that the plan refuses what WhatsApp refused.
func TestRejectedMessages(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(corpora(t), "messages", "rejected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all []found
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		t.Run(m.Name, func(t *testing.T) { t.Parallel(); refuse(t, m) })
	}
}

// carry sends m and compares the request.
func carry(t *testing.T, m found) {
	d := newDesk(t)
	n := newNetwork(d, sandbox.Options{AssumeOpen: true, Throughput: 1000})
	w := writeMessage(t, d, m)
	d.must(0, "apply", "-auto-approve")
	if len(n.requests) != 1 {
		t.Fatalf("%d requests arrived\n%s", len(n.requests), d.stdout.String())
	}
	var got struct{ Interactive any }
	if err := json.Unmarshal(n.requests[0].body, &got); err != nil {
		t.Fatal(err)
	}
	var want any
	if err := json.Unmarshal([]byte(w.filled(string(m.Interactive))), &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(tidy(want), got.Interactive); diff != "" {
		t.Errorf("what arrives differs (-original +sent):\n%s", diff)
	}
	d.must(0, "plan", "-detailed-exitcode")
}

// tidy removes what some originals contain but Meta's object does not have: the
// name of a product's action, and the other kinds of a header, left empty.
func tidy(want any) any {
	object := want.(map[string]any)
	if action, ok := object["action"].(map[string]any); ok && object["type"] != "catalog_message" {
		delete(action, "name")
	}
	if header, ok := object["header"].(map[string]any); ok {
		maps.DeleteFunc(header, func(key string, _ any) bool { return key != "type" && key != header["type"] })
	}
	return object
}

// refuse plans m; the plan must fail and name the limit.
func refuse(t *testing.T, m found) {
	d := newDesk(t)
	n := newNetwork(d, sandbox.Options{AssumeOpen: true})
	writeMessage(t, d, m)
	d.must(1, "plan")
	d.must(1, "apply", "-auto-approve")
	if len(n.requests) != 0 {
		t.Errorf("%d requests left all the same", len(n.requests))
	}
	want, ok := limitsNamed()[m.Name]
	if !ok {
		want = "is required"
	}
	if said := d.stderr.String(); !strings.Contains(said, want) {
		t.Errorf("the limit %q is not named:\n%s", want, said)
	}
}

// limitsNamed lists what the refusal of each rejected message must contain.
func limitsNamed() map[string]string {
	return map[string]string{
		"row-title-25-a": "at most 24", "rows-13-in-2-sections": "at most 10", "list-body-1240": "at most 1024",
		"footer-too-long-list": "at most 60", "button-title-emoji-25": "at most 20", "row-title-empty": "is empty",
		"duplicate-row-titles": "same title", "list-image-header": `type "header" are not expected`,
	}
}

// written describes how a message was written as HCL.
type written struct{ placeholders []string }

var placeholder = regexp.MustCompile(`\$\{([^}]*)\}`)

// filled returns text with the values of placeholders.
func (w *written) filled(text string) string {
	return placeholder.ReplaceAllStringFunc(text, func(p string) string { return w.value(p) })
}

func (w *written) value(p string) string { return fmt.Sprintf("v%d", w.index(p)) }

func (w *written) index(p string) int {
	i := slices.Index(w.placeholders, p)
	if i < 0 {
		w.placeholders = append(w.placeholders, p)
		i = len(w.placeholders) - 1
	}
	return i
}

// text writes a string of the original as HCL, with placeholders as attributes of
// the recipient.
func (w *written) text(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	at := 0
	for _, m := range placeholder.FindAllStringIndex(s, -1) {
		text := literal(s[at:m[0]])
		if before, dollar := strings.CutSuffix(text, "$"); dollar {
			text = before + `\u0024` // "$${" would be a literal "${"
		}
		b.WriteString(text)
		fmt.Fprintf(&b, "${recipient.p%d}", w.index(s[m[0]:m[1]]))
		at = m[1]
	}
	b.WriteString(literal(s[at:]) + `"`)
	return b.String()
}

func literal(s string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "${", "$${", "%{", "%%{").Replace(s)
}

// interactive is the part of Meta's object that these messages use.
type interactive struct {
	Type   string
	Header *struct {
		Type, Text string
		Image      *medium
		Video      *medium
		Document   *medium
	}
	Body, Footer *struct{ Text string }
	Action       struct {
		Button     string
		Name       string
		CatalogID  string `json:"catalog_id"`
		ProductID  string `json:"product_retailer_id"`
		Parameters struct {
			Thumbnail string `json:"thumbnail_product_retailer_id"`
		}
		Buttons []struct {
			Reply struct{ ID, Title string }
		}
		Sections []struct {
			Title *string
			Rows  []struct {
				ID, Title   string
				Description *string
			}
			Items []struct {
				ID string `json:"product_retailer_id"`
			} `json:"product_items"`
		}
	}
}

type medium struct{ Link, ID, Filename string }

// writeMessage writes the configuration that sends m to one person.
func writeMessage(t *testing.T, d *desk, m found) *written {
	t.Helper()
	var in interactive
	dec := json.NewDecoder(bytes.NewReader(m.Interactive))
	if err := dec.Decode(&in); err != nil {
		t.Fatal(err)
	}
	w := &written{}
	block := map[string]string{"list": "list_message", "button": "button_message", "product": "product_message",
		"product_list": "product_list_message", "catalog_message": "catalog_message"}[in.Type]
	var b strings.Builder
	fmt.Fprintf(&b, "%s \"m\" {\n", block)
	w.writeParts(&b, &in)
	w.writeAction(&b, &in)
	b.WriteString("}\n\nprovider \"sandbox\" \"main\" {\n  url        = env(\"SANDBOX\")\n  throughput = 1000\n}\n")
	b.WriteString("\naudience \"one\" {\n  contact \"+4915112345601\" {\n")
	var names []string
	for i := range w.placeholders {
		fmt.Fprintf(&b, "    p%d = %q\n", i, w.value(w.placeholders[i]))
		names = append(names, fmt.Sprintf("p%d = row.p%d", i, i))
	}
	fmt.Fprintf(&b, "  }\n  attributes = { %s }\n}\n", strings.Join(names, ", "))
	b.WriteString("\ncampaign \"c\" {\n  provider = provider.sandbox.main\n  audience = audience.one\n  message  = " + block + ".m\n  window   = \"assume_open\"\n}\n")
	d.write("main.hcl", b.String())
	return w
}

func (w *written) writeParts(b *strings.Builder, in *interactive) {
	if h := in.Header; h != nil {
		if h.Type == "text" {
			fmt.Fprintf(b, "  header = %s\n", w.text(h.Text))
		} else if m := map[string]*medium{"image": h.Image, "video": h.Video, "document": h.Document}[h.Type]; m != nil {
			w.writeMedium(b, h.Type, m)
		}
	}
	if in.Body != nil {
		fmt.Fprintf(b, "  body = %s\n", w.text(in.Body.Text))
	}
	if in.Footer != nil {
		fmt.Fprintf(b, "  footer = %s\n", w.text(in.Footer.Text))
	}
}

func (w *written) writeMedium(b *strings.Builder, kind string, m *medium) {
	value := w.text(m.Link)
	if m.ID != "" {
		value = "media_id(" + w.text(m.ID) + ")"
	}
	fmt.Fprintf(b, "  header {\n    %s = %s\n", kind, value)
	if m.Filename != "" {
		fmt.Fprintf(b, "    filename = %s\n", w.text(m.Filename))
	}
	b.WriteString("  }\n")
}

func (w *written) writeAction(b *strings.Builder, in *interactive) {
	a := &in.Action
	if in.Type == "list" {
		fmt.Fprintf(b, "  button = %s\n", w.text(a.Button))
	}
	if a.CatalogID != "" {
		fmt.Fprintf(b, "  catalog = %s\n", w.text(a.CatalogID))
	}
	if a.ProductID != "" {
		fmt.Fprintf(b, "  product = %s\n", w.text(a.ProductID))
	}
	if a.Parameters.Thumbnail != "" {
		fmt.Fprintf(b, "  thumbnail = %s\n", w.text(a.Parameters.Thumbnail))
	}
	for _, r := range a.Buttons {
		w.labelled(b, "button", r.Reply.ID, func() { fmt.Fprintf(b, "title = %s\n", w.text(r.Reply.Title)) })
	}
	for _, s := range a.Sections {
		title := ""
		if s.Title != nil {
			title = *s.Title
		}
		w.labelled(b, "section", title, func() {
			for _, r := range s.Rows {
				w.labelled(b, "row", r.ID, func() {
					fmt.Fprintf(b, "title = %s\n", w.text(r.Title))
					if r.Description != nil {
						fmt.Fprintf(b, "description = %s\n", w.text(*r.Description))
					}
				})
			}
			if len(s.Items) > 0 {
				var ids []string
				for _, item := range s.Items {
					ids = append(ids, w.text(item.ID))
				}
				fmt.Fprintf(b, "products = [%s]\n", strings.Join(ids, ", "))
			}
		})
	}
}

// labelled writes a block with a label; a dynamic block if the label depends on the
// recipient.
func (w *written) labelled(b *strings.Builder, kind, label string, content func()) {
	if !placeholder.MatchString(label) {
		fmt.Fprintf(b, "%s %s {\n", kind, quoteLabel(label))
		content()
		b.WriteString("}\n")
		return
	}
	fmt.Fprintf(b, "dynamic %q {\n  for_each = [1]\n  labels = [%s]\n  content {\n", kind, w.text(label))
	content()
	b.WriteString("}\n}\n")
}

func quoteLabel(s string) string {
	return `"` + literal(s) + `"`
}
