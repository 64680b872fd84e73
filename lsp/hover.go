package lsp

import (
	"context"
	"strings"

	editor "github.com/hashicorp/hcl-lang/lang"
	"github.com/hashicorp/hcl/v2"
)

// hover says what stands at a place.
func (s *server) hover(p *positionParams) (any, error) {
	v, err := s.look(p)
	if v == nil || err != nil {
		return nil, err
	}
	var parts []string
	found := v.described()
	if found != nil {
		parts = append(parts, strings.Replace(found.Content.Value, ", any type_", "_", 1)) // expressions are judged by the loader
	}
	if counter := v.counter(s.texts(v.doc)); counter != "" {
		parts = append([]string{counter}, parts...)
	}
	for _, diag := range s.found[v.doc.path] {
		if before(p.Position, diag.Range.Start) || before(diag.Range.End, p.Position) || s.opt.Explain == nil {
			continue
		}
		if text := s.opt.Explain(diag.Code); text != "" {
			parts = append(parts, "`"+diag.Code+"`: "+text)
		}
	}
	if len(parts) == 0 {
		return nil, nil
	}
	out := &hover{Contents: markup{"markdown", strings.Join(parts, "\n\n")}}
	if found != nil {
		rng := v.doc.text.span(found.Range)
		out.Range = &rng
	}
	return out, nil
}

// described is what the table of the language says of the block, label, argument or
// function at the place, or of the argument around it; nil for nothing.
func (v *view) described() *editor.HoverData {
	d, err := v.decoder()
	if err != nil {
		return nil
	}
	places := []hcl.Pos{v.at}
	if attr := v.attribute(); attr != nil {
		places = append(places, attr.NameRange.Start)
	}
	for _, at := range places {
		if found, err := d.HoverAtPos(context.Background(), v.doc.name(), at); err == nil && found != nil {
			return found
		}
	}
	return nil
}
