package lsp

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/handbill/handbill/lang"
)

// texts are the texts of a document's messages; none while the document's form is
// wrong, since their places are those of its last whole text.
func (s *server) texts(d *document) (out []lang.Text) {
	cfg := s.configs[d.root]
	if cfg == nil || d.form.HasErrors() {
		return nil
	}
	for _, t := range cfg.Texts() {
		if t.Range.Filename == d.name() {
			out = append(out, t)
		}
	}
	return out
}

// counted is how long a text is and may be, such as "57/1024"; a plus stands for what
// each recipient fills in.
func counted(t *lang.Text) string {
	if t.Slots > 0 {
		return fmt.Sprintf("%d+/%d", t.Length, t.Limit.Max)
	}
	return fmt.Sprintf("%d/%d", t.Length, t.Limit.Max)
}

// counter says how long the text at the place is, and where its limit is from; "" where
// no text is.
func (v *view) counter(texts []lang.Text) string {
	from, to := v.at.Byte, v.at.Byte
	if attr := v.attribute(); attr != nil {
		from, to = attr.SrcRange.Start.Byte, attr.SrcRange.End.Byte
	}
	for _, t := range texts {
		if t.Range.Start.Byte > to || t.Range.End.Byte < from {
			continue
		}
		name := t.Path[strings.LastIndex(t.Path, ".")+1:]
		out := fmt.Sprintf("**%s %s** characters", name, counted(&t))
		if t.Slots > 0 {
			out += ", and what recipients fill in"
		}
		if t.Limit.Min > 1 {
			out += fmt.Sprintf("; at least %d", t.Limit.Min)
		}
		return out + fmt.Sprintf(". Limit: %s, %s.", t.Limit.Source, t.Limit.Date)
	}
	return ""
}

// attribute is the argument at the place; nil for none.
func (v *view) attribute() (found *hclsyntax.Attribute) {
	block := v.block()
	for block != nil {
		body := block.Body
		block = nil
		for _, name := range sortedNames(body.Attributes) {
			if rng := body.Attributes[name].SrcRange; rng.Start.Byte <= v.at.Byte && v.at.Byte <= rng.End.Byte {
				return body.Attributes[name]
			}
		}
		for _, b := range body.Blocks {
			if b.Body.SrcRange.Start.Byte <= v.at.Byte && v.at.Byte <= b.Body.SrcRange.End.Byte {
				block = b
			}
		}
	}
	return nil
}

type hint struct {
	Position position `json:"position"`
	Label    string   `json:"label"`
	Left     bool     `json:"paddingLeft"`
}

// hints are the counters of the texts within a range, to stand behind each.
func (s *server) hints(p *actionParams) (any, error) {
	d, err := s.open(p.Document.URI)
	if err != nil {
		return nil, err
	}
	s.catchUp()
	out := []hint{}
	for _, t := range s.texts(d) {
		if at := d.text.position(t.Range.End.Byte); !before(at, p.Range.Start) && !before(p.Range.End, at) {
			out = append(out, hint{at, counted(&t), true})
		}
	}
	return out, nil
}
