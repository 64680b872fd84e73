package plan

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/lang"
)

// templateTree is a translation as plans compare and show it. t is its block; nil
// if it is no longer declared.
func templateTree(s *account.Spec, t *lang.Template) *lang.Tree {
	out := &lang.Tree{}
	if t != nil && t.Held.Provider != nil {
		out.Attributes = append(out.Attributes, lang.Attribute{Name: "provider", Value: t.Held.Provider.Address(), Reference: true})
	}
	add := func(name, value string) {
		if value != "" {
			out.Attributes = append(out.Attributes, lang.TextAttribute(name, value))
		}
	}
	add("name", s.Name)
	add("category", s.Category)
	if s.TTL > 0 {
		add("ttl", (time.Duration(s.TTL) * time.Second).String())
	}
	if t != nil && !t.Wait {
		add("wait_for", "submitted")
	}
	add("body", s.Body)
	add("footer", s.Footer)
	if len(s.Written) > 0 {
		add("components", string(s.Written))
	}
	if len(s.Samples) > 0 {
		samples := lang.Tree{}
		for _, key := range slices.Sorted(maps.Keys(s.Samples)) {
			samples.Attributes = append(samples.Attributes, lang.TextAttribute(key, s.Samples[key]))
		}
		out.Blocks = append(out.Blocks, lang.Block{Type: "samples", Tree: samples})
	}
	contentTree(out, &s.Content, s.File)
	for i := range s.Cards {
		card := lang.Tree{}
		contentTree(&card, &s.Cards[i].Content, nil)
		if s.Cards[i].Body != "" {
			card.Attributes = append(card.Attributes, lang.TextAttribute("body", s.Cards[i].Body))
		}
		out.Blocks = append(out.Blocks, lang.Block{Type: "card", Labels: []string{strconv.Itoa(i)}, Tree: card})
	}
	return out
}

// withLifecycle adds what becomes of a template that is no longer declared.
func withLifecycle(out *lang.Tree, onDestroy string, prevent bool) *lang.Tree {
	if kept(onDestroy) != lang.OnDestroyKeep {
		out.Attributes = append(out.Attributes, lang.TextAttribute("on_destroy", onDestroy))
	}
	if prevent {
		out.Attributes = append(out.Attributes, lang.Attribute{Name: "prevent_destroy", Value: "true"})
	}
	return out
}

// kept is an on_destroy with its default.
func kept(onDestroy string) string { return cmp.Or(onDestroy, lang.OnDestroyKeep) }

// contentTree adds the words of a translation to its tree, and the digest of its file.
func contentTree(out *lang.Tree, c *account.Content, file *account.File) {
	if h := c.Header; h != nil {
		tree := lang.Tree{}
		switch {
		case h.Format == "text":
			tree.Attributes = append(tree.Attributes, lang.TextAttribute("text", h.Text))
		case file != nil:
			tree.Attributes = append(tree.Attributes, lang.TextAttribute(h.Format, file.Path), lang.TextAttribute("digest", file.Digest))
		default:
			tree.Attributes = append(tree.Attributes, lang.Attribute{Name: h.Format, Value: "true"})
		}
		out.Blocks = append(out.Blocks, lang.Block{Type: "header", Tree: tree})
	}
	for i, b := range c.Buttons {
		tree := lang.Tree{}
		for _, f := range []struct{ name, value string }{{"type", b.Type}, {"text", b.Text}, {"url", b.URL}, {"phone_number", b.Phone}} {
			if f.value != "" {
				tree.Attributes = append(tree.Attributes, lang.TextAttribute(f.name, f.value))
			}
		}
		out.Blocks = append(out.Blocks, lang.Block{Type: "button", Labels: []string{strconv.Itoa(i)}, Tree: tree})
	}
}
