package lsp

import (
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl-lang/reference"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/handbill/handbill/lang"
)

// definition is where that is declared to which the reference at a place leads.
func (s *server) definition(p *positionParams) (any, error) {
	v, err := s.look(p)
	if v == nil || err != nil {
		return nil, err
	}
	ref := v.reference()
	if ref == nil {
		return nil, nil
	}
	for _, t := range v.targets() {
		if !leadsTo(ref, t) {
			continue
		}
		src := v.files[t.DefRangePtr.Filename]
		if src == nil {
			return nil, nil
		}
		path := filepath.Join(v.doc.root, filepath.FromSlash(t.DefRangePtr.Filename))
		return &location{s.uriOf(path), newText(src.Bytes).span(*t.DefRangePtr)}, nil
	}
	return nil, nil
}

// leadsTo reports whether a reference begins with a target's address.
func leadsTo(ref hcl.Traversal, t reference.Target) bool {
	if len(ref) < len(t.Addr) {
		return false
	}
	steps := make([]string, 0, len(t.Addr))
	for _, step := range ref[:len(t.Addr)] {
		switch step := step.(type) {
		case hcl.TraverseRoot:
			steps = append(steps, step.Name)
		case hcl.TraverseAttr:
			steps = append(steps, step.Name)
		default:
			return false
		}
	}
	return strings.Join(steps, ".") == t.Addr.String()
}

// reference is the reference at the place; nil for none.
func (v *view) reference() (found hcl.Traversal) {
	body, ok := v.files[v.doc.name()].Body.(*hclsyntax.Body)
	if !ok {
		return nil
	}
	_ = hclsyntax.VisitAll(body, func(n hclsyntax.Node) hcl.Diagnostics {
		if ref, ok := n.(*hclsyntax.ScopeTraversalExpr); ok && ref.SrcRange.Start.Byte <= v.at.Byte && v.at.Byte <= ref.SrcRange.End.Byte {
			found = ref.Traversal
		}
		return nil
	})
	return found
}

// symbols are the blocks of a document, and those in them.
func (s *server) symbols(p *documentParams) (any, error) {
	d, err := s.open(p.Document.URI)
	if err != nil {
		return nil, err
	}
	f := lang.ParseLoose(d.text.src, d.name())
	if f == nil {
		return []symbol{}, nil
	}
	return symbolsOf(d.text, f.Body.(*hclsyntax.Body).Blocks), nil
}

func symbolsOf(t *text, blocks hclsyntax.Blocks) []symbol {
	out := []symbol{}
	for _, b := range blocks {
		sym := symbol{Name: b.Type, Kind: symbolClass, Range: t.span(hcl.RangeBetween(b.TypeRange, b.CloseBraceRange)), Head: t.span(b.DefRange())}
		for _, label := range b.Labels {
			sym.Name += " " + quoted(label)
		}
		if before(sym.Range.End, sym.Head.End) { // a block that is not closed yet
			sym.Range.End = sym.Head.End
		}
		sym.Children = symbolsOf(t, b.Body.Blocks)
		out = append(out, sym)
	}
	return out
}

func quoted(label string) string { return `"` + label + `"` }
