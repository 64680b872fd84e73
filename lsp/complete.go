package lsp

import (
	"context"
	"time"

	editor "github.com/hashicorp/hcl-lang/lang"

	"github.com/handbill/handbill/lang"
)

// columnsTime bounds reading the names of a file's columns.
const columnsTime = 2 * time.Second

// columns are the columns of an audience's rows.
func (s *server) columns(root string, a *lang.Audience) []string {
	if a.Columns != nil || s.opt.Columns == nil {
		return a.Columns
	}
	ctx, cancel := context.WithTimeout(s.ctx, columnsTime)
	defer cancel()
	return s.opt.Columns(ctx, root, a)
}

// completion lists what may stand at a place.
func (s *server) completion(p *positionParams) (any, error) {
	out := completionList{Items: []completionItem{}}
	v, err := s.look(p)
	if v == nil || err != nil {
		return out, err
	}
	d, err := v.decoder()
	if err != nil {
		return out, nil
	}
	found, err := d.CompletionAtPos(s.ctx, v.doc.name(), v.at)
	if err != nil {
		return out, nil // at a place where nothing can be completed
	}
	out.Incomplete = !found.IsComplete
	for _, c := range found.List {
		out.Items = append(out.Items, s.item(v, &c))
	}
	return out, nil
}

// item is a candidate as the protocol has it.
func (s *server) item(v *view, c *editor.Candidate) completionItem {
	item := completionItem{Label: c.Label, Kind: itemValue, Detail: c.Detail, Edit: textEdit{v.doc.text.span(c.TextEdit.Range), c.TextEdit.NewText}}
	switch c.Kind {
	case editor.AttributeCandidateKind:
		item.Kind = itemProperty
	case editor.BlockCandidateKind:
		item.Kind = itemModule
	case editor.ReferenceCandidateKind:
		item.Kind, item.Detail = itemReference, ""
	case editor.FunctionCandidateKind:
		item.Kind = itemFunction
	case editor.KeywordCandidateKind:
		item.Kind = itemVariable
	}
	if c.Description.Value != "" {
		item.Documentation = &markup{"markdown", c.Description.Value}
	}
	if s.snippets && c.TextEdit.Snippet != "" {
		item.Format, item.Edit.NewText = formatSnippet, c.TextEdit.Snippet
	}
	return item
}
