package message

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// metaInteractive is the part of Meta's interactive object that the corpora use.
type metaInteractive struct {
	Type   string
	Header *metaHeader
	Body   struct{ Text string }
	Footer struct{ Text string }
	Action metaAction
}

type metaHeader struct {
	Type, Text             string
	Image, Video, Document *struct{ Link, ID, Filename string }
}

type metaAction struct {
	Name     string
	Button   string
	Buttons  []struct{ Reply struct{ ID, Title string } }
	Sections []struct {
		Title    string
		Rows     []struct{ ID, Title, Description string }
		Products []struct {
			ID string `json:"product_retailer_id"`
		} `json:"product_items"`
	}
	CatalogID  string `json:"catalog_id"`
	ProductID  string `json:"product_retailer_id"`
	Parameters struct {
		Thumbnail string `json:"thumbnail_product_retailer_id"`
	}
}

func (h *metaHeader) decode() Header {
	if h == nil {
		return Header{}
	}
	media := map[string]*struct{ Link, ID, Filename string }{"image": h.Image, "video": h.Video, "document": h.Document}
	if m := media[h.Type]; m != nil {
		return Header{Media: &MediaRef{Type: MediaType(h.Type), Link: m.Link, ID: m.ID, Filename: m.Filename}}
	}
	return Header{Text: h.Text}
}

// decode converts Meta's message to ours. What our types cannot express is an
// error, as in the language.
func (m *metaInteractive) decode() (Message, error) {
	header := m.Header.decode()
	if header.Media != nil && m.Type != "button" {
		return nil, fmt.Errorf("header.kind: a %s has a text as its header", m.Type)
	}
	switch m.Type {
	case "list":
		l := &List{Header: header.Text, Body: m.Body.Text, Footer: m.Footer.Text, Button: m.Action.Button}
		for _, s := range m.Action.Sections {
			section := Section{Title: s.Title}
			for _, r := range s.Rows {
				section.Rows = append(section.Rows, Row(r))
			}
			l.Sections = append(l.Sections, section)
		}
		return l, nil
	case "button":
		b := &Buttons{Header: header, Body: m.Body.Text, Footer: m.Footer.Text}
		for _, r := range m.Action.Buttons {
			b.Buttons = append(b.Buttons, Button(r.Reply))
		}
		return b, nil
	case "product":
		return &Product{CatalogID: m.Action.CatalogID, ProductID: m.Action.ProductID, Body: m.Body.Text, Footer: m.Footer.Text}, nil
	case "product_list":
		l := &ProductList{CatalogID: m.Action.CatalogID, Header: header.Text, Body: m.Body.Text, Footer: m.Footer.Text}
		for _, s := range m.Action.Sections {
			section := ProductSection{Title: s.Title}
			for _, p := range s.Products {
				section.Products = append(section.Products, p.ID)
			}
			l.Sections = append(l.Sections, section)
		}
		return l, nil
	case "catalog_message":
		return &Catalog{Body: m.Body.Text, Footer: m.Footer.Text, Thumbnail: m.Action.Parameters.Thumbnail}, nil
	}
	return nil, fmt.Errorf("a %s is not in the corpora", m.Type)
}

// corpora returns the path of a file of messages from outside.
func corpora(t *testing.T, name string) string {
	dir := os.Getenv("HANDBILL_CORPORA")
	if dir == "" {
		t.Skip("HANDBILL_CORPORA is not set")
	}
	return filepath.Join(dir, "messages", name)
}

var placeholder = regexp.MustCompile(`\$\{[^}]*\}`)

// codes maps the corpora's rules to ours.
var codes = map[string]string{
	"body.required":         "interactive.body.required",
	"header.required":       "header.text.required",
	"section.title.missing": "list.section.title.advised",
	"product.duplicate":     "product.id.unique",
	"row.title.max":         "list.row.title.max",
	"rows.total.max":        "list.rows_total.max",
	"body.text.max.older":   "interactive.body.max",
	"footer.text.max":       "footer.text.max",
	"button.title.max":      "button.title.max",
	"row.title.required":    "list.row.title.required",
	"row.description.blank": "list.row.description.blank",
	"header.kind":           "header.kind",
}

func TestCorporaCases(t *testing.T) {
	f, err := os.Open(corpora(t, "cases.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	n := 0
	for lines.Scan() {
		n++
		var c struct {
			Key, Label  string
			Findings    []struct{ Rule string }
			Interactive metaInteractive
		}
		if err := json.Unmarshal(placeholder.ReplaceAll(lines.Bytes(), []byte("word")), &c); err != nil {
			t.Fatal(err)
		}
		t.Run(c.Key, func(t *testing.T) {
			m, err := c.Interactive.decode()
			if err != nil {
				t.Fatal(err)
			}
			found := Check(m, nil)
			if valid := !hasError(found); valid != (c.Label == "valid") {
				t.Errorf("labelled %s, but Check says %v", c.Label, found)
			}
			for _, want := range c.Findings {
				if !hasRule(found, codes[want.Rule]) {
					t.Errorf("%s is missing: %v", want.Rule, found)
				}
			}
		})
	}
	if n < 100 || lines.Err() != nil {
		t.Fatalf("%d cases, %v", n, lines.Err())
	}
}

func TestCorporaRejected(t *testing.T) {
	data, err := os.ReadFile(corpora(t, "rejected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name        string
		Rules       []string
		Details     string
		Interactive metaInteractive
	}
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			m, err := c.Interactive.decode()
			if err != nil {
				if !slices.Contains(c.Rules, "header.kind") {
					t.Fatal(err)
				}
				return
			}
			found := Check(m, nil)
			if !hasError(found) {
				t.Fatalf("WhatsApp refused it (%s), Check does not: %v", c.Details, found)
			}
			for _, rule := range c.Rules {
				if !hasRule(found, codes[rule]) {
					t.Errorf("%s is missing: %v", rule, found)
				}
			}
			for _, v := range found {
				if strings.Contains(c.Details, "ax length") && v.Limit > 0 && !strings.Contains(c.Details, itoa(v.Limit)) {
					t.Errorf("%s says %d, WhatsApp says %q", v.Rule, v.Limit, c.Details)
				}
			}
		})
	}
}

func hasError(list []Violation) bool {
	return slices.ContainsFunc(list, func(v Violation) bool { return v.Severity == Error })
}

func hasRule(list []Violation, rule string) bool {
	return slices.ContainsFunc(list, func(v Violation) bool { return v.Rule == rule })
}
