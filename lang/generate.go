package lang

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/handbill/handbill/account"
)

// Generates reports whether a new file of that name in a configuration's directory
// is read as a part of the configuration in HCL's own syntax.
func Generates(name string) bool {
	return roleOf(name) == roleConfig && strings.HasSuffix(name, ".hcl")
}

// TemplateSource returns a template block, in canonical form, that declares the
// translations in list, which are of one name and not empty. A block has one
// category, one time to live and one form of parameters: left has the languages that
// differ from the first one in these, and why, and the block does without them.
func TemplateSource(label, provider string, list []*account.Spec) (src []byte, left map[string]string, err error) {
	g := &templateSource{left: map[string]string{}}
	g.choose(list)
	first := g.list[0]
	file := hclwrite.NewEmptyFile()
	block := file.Body().AppendNewBlock(rootTemplate, []string{label})
	body := block.Body()
	setReference(body, "provider", provider)
	if first.Name != label {
		setText(body, "name", first.Name)
	}
	setText(body, "category", first.Category)
	if samples := g.samples(); samples != cty.NilVal {
		body.SetAttributeValue("parameters", samples)
	}
	if first.TTL > 0 {
		setText(body, "ttl", ShortDuration(time.Duration(first.TTL)*time.Second))
	}
	for _, s := range g.list {
		body.AppendNewline()
		if err := g.translation(body.AppendNewBlock("translation", []string{s.Language}).Body(), s); err != nil {
			return nil, nil, err
		}
	}
	return hclwrite.Format(file.Bytes()), g.left, nil
}

type templateSource struct {
	list  []*account.Spec
	named bool
	left  map[string]string
}

// choose takes the translations that fit into one block.
func (g *templateSource) choose(list []*account.Spec) {
	first, decided := list[0], false
	for _, s := range list {
		has := len(s.Variables()) > 0 || s.Samples["header"] != ""
		switch {
		case s.Category != first.Category:
			g.left[s.Language] = fmt.Sprintf("it is %s, and %s is %s", s.Category, first.Language, first.Category)
		case s.TTL != first.TTL:
			g.left[s.Language] = "its delivery is tried for another time than that of " + first.Language
		case has && decided && s.Named != g.named:
			g.left[s.Language] = "its variables have names and those of other languages numbers, or the other way round"
		default:
			if has && !decided {
				g.named, decided = s.Named, true
			}
			g.list = append(g.list, s)
		}
	}
}

// samples are the samples of the texts' variables. A block has one for all
// languages: that of the first language in which the account shows one.
func (g *templateSource) samples() cty.Value {
	found := map[string]cty.Value{}
	for _, s := range g.list {
		if s.Written != nil && !s.Named {
			continue // its samples stand in it
		}
		for _, v := range s.Variables() {
			if old, known := found[v]; !known || old.AsString() == v { // the variable's own name stands where no sample is known
				found[v] = cty.StringVal(s.Samples[v])
			}
		}
	}
	if len(found) == 0 {
		return cty.NilVal
	}
	if g.named {
		return cty.ObjectVal(found)
	}
	var row []cty.Value
	for i := range len(found) {
		row = append(row, found[strconv.Itoa(i+1)])
	}
	return cty.TupleVal(row)
}

func (g *templateSource) translation(body *hclwrite.Body, s *account.Spec) error {
	if s.Written != nil {
		kind, err := ctyjson.ImpliedType(s.Written)
		if err != nil {
			return fmt.Errorf("components that the account told: %w", err)
		}
		v, err := ctyjson.Unmarshal(s.Written, kind)
		if err != nil {
			return fmt.Errorf("components that the account told: %w", err)
		}
		if h := s.Header; h != nil && h.Format != "text" && h.Format != "location" {
			comment(body, "The account does not give back the file of the header. To edit this, write a header block with a file in place of components.")
		}
		body.SetAttributeRaw("components", hclwrite.TokensForFunctionCall("jsonencode", hclwrite.TokensForValue(v)))
		return nil
	}
	if s.Header != nil {
		header := body.AppendNewBlock("header", nil).Body()
		if s.Header.Format == "location" {
			header.SetAttributeValue("location", cty.True)
		} else {
			setText(header, "text", s.Header.Text)
			setText(header, "sample", s.Samples["header"])
		}
	}
	setText(body, "body", s.Body)
	setText(body, "footer", s.Footer)
	for i, b := range s.Buttons {
		button := body.AppendNewBlock("button", []string{strconv.Itoa(i)}).Body()
		setText(button, "type", b.Type)
		setText(button, "text", b.Text)
		setText(button, "url", b.URL)
		setText(button, "phone_number", b.Phone)
		setText(button, "sample", s.Samples[account.ButtonSample(i)])
	}
	return nil
}

func setText(body *hclwrite.Body, name, text string) {
	if text != "" {
		body.SetAttributeValue(name, cty.StringVal(text))
	}
}

// setReference sets an argument to the address of a block, such as
// provider.cloud.main.
func setReference(body *hclwrite.Body, name, address string) {
	parts := strings.Split(address, ".")
	t := hcl.Traversal{hcl.TraverseRoot{Name: parts[0]}}
	for _, part := range parts[1:] {
		t = append(t, hcl.TraverseAttr{Name: part})
	}
	body.SetAttributeTraversal(name, t)
}

func comment(body *hclwrite.Body, text string) {
	body.AppendUnstructuredTokens(hclwrite.Tokens{{Type: hclsyntax.TokenComment, Bytes: []byte("# " + text + "\n")}})
}

// ShortDuration writes a duration without units that are zero, as in "12h".
func ShortDuration(d time.Duration) string {
	s := d.String()
	for _, unit := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(s, unit) {
			s = strings.TrimSuffix(s, unit[1:])
		}
	}
	return s
}

// GeneratedHead is the comment at the top of a generated file.
func GeneratedHead(notes []string) string {
	lines := []string{"Written by \"handbill plan -generate-config-out\" from what the account has.", "Look through it, and change what you like: it is yours from here on."}
	lines = append(lines, notes...)
	slices.SortStableFunc(lines[2:], strings.Compare)
	return "# " + strings.Join(lines, "\n# ") + "\n"
}

// CatalogSource returns a catalog block, in canonical form, that declares and manages
// products, which are in their normal form.
func CatalogSource(label, provider, id string, products []account.Product) []byte {
	file := hclwrite.NewEmptyFile()
	body := file.Body().AppendNewBlock(rootCatalog, []string{label}).Body()
	setText(body, "id", id)
	for i := range products {
		body.AppendNewline()
		p := &products[i]
		product := body.AppendNewBlock("product", []string{p.ID}).Body()
		for _, name := range []string{"title", "description", "availability", "condition", "price", "link", "image_link", "brand"} {
			setText(product, name, *p.ProductField(name))
		}
	}
	body.AppendNewline()
	setReference(body.AppendNewBlock("manage", nil).Body(), "provider", provider)
	return hclwrite.Format(file.Bytes())
}
