package lsp

import (
	"context"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl-lang/decoder"
	editor "github.com/hashicorp/hcl-lang/lang"
	"github.com/hashicorp/hcl-lang/reference"
	"github.com/hashicorp/hcl-lang/schema"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/handbill/handbill/lang"
)

// view is what a question about a place in a document is answered from: the files of
// the configuration or of the module that the document is part of, as they are in the
// editor, and what was declared when the configuration was last loaded.
type view struct {
	doc    *document
	at     hcl.Pos
	files  map[string]*hcl.File // by name; of the document what can be made out of it
	cfg    *lang.Config
	schema *schema.BodySchema
	// columns are those of the rows of an audience's source; none where they are not known.
	columns func(*lang.Audience) []string
}

// look makes the view of a place; nil where the document has nothing to be asked: in
// JSON syntax, and in files of values and of tests, which have blocks of their own.
func (s *server) look(p *positionParams) (*view, error) {
	d, err := s.open(p.Document.URI)
	if err != nil {
		return nil, err
	}
	own := lang.ParseLoose(append(slices.Clip(d.text.src), '\n'), d.name()) // a word at the very end is being typed, too
	if own == nil || !lang.Generates(path.Base(d.name())) {
		return nil, nil
	}
	s.catchUp()
	v := &view{doc: d, at: d.text.pos(p.Position), files: map[string]*hcl.File{}, cfg: s.configs[d.root], schema: s.schema, columns: func(a *lang.Audience) []string { return s.columns(d.root, a) }}
	if v.cfg != nil {
		for name, src := range v.cfg.Files {
			if f := lang.ParseLoose(src, name); f != nil && path.Dir(name) == path.Dir(d.name()) {
				v.files[name] = f
			}
		}
	}
	v.files[d.name()] = own
	return v, nil
}

// decoder is the library's view of the same place.
func (v *view) decoder() (*decoder.PathDecoder, error) {
	at := editor.Path{Path: v.doc.root}
	return decoder.NewDecoder(&reader{at, &decoder.PathContext{
		Schema: v.schema, Files: v.files, ReferenceTargets: v.targets(), Functions: functions(),
	}}).Path(at)
}

type reader struct {
	at      editor.Path
	context *decoder.PathContext
}

// Paths implements decoder.PathReader.
func (r *reader) Paths(context.Context) []editor.Path { return []editor.Path{r.at} }

// PathContext implements decoder.PathReader.
func (r *reader) PathContext(editor.Path) (*decoder.PathContext, error) { return r.context, nil }

// blocks yields the blocks at the top of all files.
func (v *view) blocks(yield func(*hclsyntax.Block) bool) {
	for _, name := range sortedNames(v.files) {
		body, ok := v.files[name].Body.(*hclsyntax.Body)
		if !ok {
			continue
		}
		for _, b := range body.Blocks {
			if !yield(b) {
				return
			}
		}
	}
}

// block is the block at the top of the document in which the place is; nil for none.
func (v *view) block() *hclsyntax.Block {
	for b := range v.blocks {
		if rng := b.Range(); rng.Filename == v.doc.name() && rng.Start.Byte <= v.at.Byte && v.at.Byte <= max(rng.End.Byte, b.Body.SrcRange.End.Byte) {
			return b
		}
	}
	return nil
}

// targets are what expressions at the place can refer to.
func (v *view) targets() reference.Targets {
	var out reference.Targets
	for b := range v.blocks {
		if b.Type == "locals" {
			for _, name := range sortedNames(b.Body.Attributes) {
				attr := b.Body.Attributes[name]
				out = append(out, target("", attr.SrcRange, attr.NameRange, "local", name))
			}
			continue
		}
		root, scope := b.Type, editor.ScopeId(b.Type)
		switch {
		case b.Type == "variable":
			root, scope = "var", ""
		case strings.HasSuffix(b.Type, "_message"):
			scope = "message"
		}
		if want := labels(v.schema, b.Type); want == 0 || len(b.Labels) != want || !referable[root] && scope != "message" {
			continue
		}
		t := target(scope, b.Range(), b.DefRange(), append([]string{root}, b.Labels...)...)
		if out = append(out, t); scope != "" { // the library looks for a block by its kind, or for a value by its type
			t.Type = cty.NilType
			out = append(out, t)
		}
	}
	return append(out, v.scoped()...)
}

// referable are the roots of references to blocks, besides messages.
var referable = map[string]bool{"var": true, "provider": true, "catalog": true, "audience": true, "module": true, "data": true, "template": true, "campaign": true, "reply_rule": true}

func labels(s *schema.BodySchema, kind string) int {
	if b := s.Blocks[kind]; b != nil {
		return len(b.Labels)
	}
	return 0
}

func target(scope editor.ScopeId, whole, head hcl.Range, steps ...string) reference.Target {
	t := reference.Target{Addr: editor.Address{editor.RootStep{Name: steps[0]}}, ScopeId: scope, RangePtr: &whole, DefRangePtr: &head, Type: cty.String}
	for _, step := range steps[1:] {
		t.Addr = append(t.Addr, editor.AttrStep{Name: step})
	}
	return t
}

// scoped are the names that only the block at the place knows: attributes of the
// recipients of a message, columns of an audience's rows.
func (v *view) scoped() reference.Targets {
	b := v.block()
	if b == nil || v.cfg == nil || len(b.Labels) == 0 {
		return nil
	}
	var out reference.Targets
	add := func(root string, of *lang.Audience, names []string) {
		for _, name := range names {
			if hclsyntax.ValidIdentifier(name) {
				out = append(out, target("", of.DeclRange, of.DeclRange, root, name))
			}
		}
	}
	if b.Type == "audience" {
		a := v.audience(b)
		add("row", a, v.columns(a))
	}
	for _, a := range v.recipients(b) {
		add("recipient", a, append([]string{"phone", "user_id"}, a.Attributes...))
	}
	return unique(out)
}

// audience is the audience that a block declares, as it was last loaded; for one that
// was not whole yet, what can be made out of its source.
func (v *view) audience(b *hclsyntax.Block) *lang.Audience {
	for _, a := range v.cfg.Audiences {
		if a.Name == b.Labels[0] && a.DeclRange.Filename == v.doc.name() {
			return a
		}
	}
	a := &lang.Audience{DeclRange: b.DefRange()}
	for _, source := range b.Body.Blocks {
		path := source.Body.Attributes["path"]
		if source.Type != "source" || len(source.Labels) != 1 || path == nil {
			continue
		}
		if value, diags := path.Expr.Value(nil); !diags.HasErrors() && value.Type() == cty.String && value.IsWhollyKnown() && !value.IsNull() {
			a.Source = lang.Source{Kind: source.Labels[0], Path: value.AsString()}
		}
	}
	return a
}

// recipients are the audiences that get a message, or a campaign's; all of them for a
// message that nothing uses yet.
func (v *view) recipients(b *hclsyntax.Block) []*lang.Audience {
	isMessage := strings.HasSuffix(b.Type, "_message")
	if !isMessage && b.Type != "campaign" {
		return nil
	}
	var out []*lang.Audience
	for _, c := range v.cfg.Campaigns {
		uses := b.Type == "campaign" && c.Name == b.Labels[0]
		for _, m := range c.Messages() {
			uses = uses || isMessage && m != nil && string(m.Kind) == b.Type && m.Name == b.Labels[0]
		}
		if uses && c.Audience != nil {
			out = append(out, c.Audience)
		}
	}
	if len(out) == 0 && isMessage {
		return v.cfg.Audiences
	}
	return out
}

// unique drops targets whose address was there already.
func unique(list reference.Targets) (out reference.Targets) {
	seen := map[string]bool{}
	for _, t := range list {
		if address := t.Addr.String(); !seen[address] {
			seen[address] = true
			out = append(out, t)
		}
	}
	return out
}

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
