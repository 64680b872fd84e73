package lang

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// What becomes of a template in its account when its block, or one of its
// translations, is taken out.
const (
	OnDestroyKeep    = "keep" // it stays; the default
	OnDestroyArchive = "archive"
	OnDestroyDelete  = "delete"
)

// Lifecycle is a template's lifecycle block.
type Lifecycle struct {
	// PreventDestroy refuses plans that would delete or archive the template.
	PreventDestroy bool
	// Ignored are the parts that may differ from what is declared.
	Ignored []IgnoredPart
}

// IgnoredPart is an element of ignore_changes.
type IgnoredPart struct {
	Language string // "" with Part "ttl"
	Part     string // "body", "footer", "header", "button", "ttl"; "" for a whole translation
}

var (
	lifecycleSchema = schema("prevent_destroy ignore_changes")
	ignorable       = []string{"body", "footer", "header", "button"}
)

func (w *templateWork) lifecycle() {
	b := w.atMostOne(w.content, "lifecycle")
	if b == nil {
		return
	}
	c := w.loader.content(b, lifecycleSchema)
	w.t.Lifecycle.PreventDestroy = w.boolean(c, "prevent_destroy")
	a := c.args["ignore_changes"]
	if a == nil {
		return
	}
	list, diags := hcl.ExprList(unwrap(a.expr))
	if diags.HasErrors() {
		w.diags.err("unsuitable_value", a.expr.Range(), "ignore_changes is a list of parts of the template, such as [translation.de.footer].")
		return
	}
	for _, item := range list {
		part, ok := w.ignored(item)
		if !ok {
			w.diags.err("invalid_value", item.Range(), "ignore_changes names ttl, a translation that the block has, such as translation.de, or a part of one: translation.de.%s.", strings.Join(ignorable, ", translation.de."))
			continue
		}
		w.t.Lifecycle.Ignored = append(w.t.Lifecycle.Ignored, part)
	}
}

func (w *templateWork) ignored(item hcl.Expression) (IgnoredPart, bool) {
	t, diags := hcl.AbsTraversalForExpr(item)
	if diags.HasErrors() {
		return IgnoredPart{}, false
	}
	if len(t) == 1 && t.RootName() == "ttl" {
		return IgnoredPart{Part: "ttl"}, true
	}
	var steps []string
	for i := 1; i < len(t); i++ {
		name, ok := stepName(t, i)
		if !ok {
			return IgnoredPart{}, false
		}
		steps = append(steps, name)
	}
	if t.RootName() != "translation" || len(steps) == 0 || len(steps) > 2 || w.t.translation(steps[0]) == nil {
		return IgnoredPart{}, false
	}
	part := IgnoredPart{Language: steps[0]}
	if len(steps) == 2 {
		part.Part = steps[1]
		// Hand-written components have no parts of their own.
		if !slices.Contains(ignorable, part.Part) || w.t.translation(steps[0]).Spec.Written != nil {
			return IgnoredPart{}, false
		}
	}
	return part, true
}
