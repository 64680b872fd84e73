package plan

import (
	"slices"

	"github.com/handbill/handbill/lang"
)

// TreeDiff is one resource or nested block before and after, for views: what
// is equal is in it too, so that a view can count what it hides.
type TreeDiff struct {
	Attributes []AttributeDiff
	Blocks     []BlockDiff
}

// AttributeDiff is one argument before and after. Before is nil for an added
// one, After for a removed one. Multi-line texts are left to the view.
type AttributeDiff struct {
	Name          string
	Before, After *lang.Attribute
}

// Changed reports whether the argument differs.
func (d AttributeDiff) Changed() bool {
	return d.Before == nil || d.After == nil || *d.Before != *d.After
}

// BlockDiff is one nested block before and after, matched by type and labels.
type BlockDiff struct {
	Type   string
	Labels []string
	Change string // "create", "update", "delete", "no-op"
	// Tree is the block's content; for a created or deleted block every
	// argument has only one side.
	Tree TreeDiff
}

// Changed reports whether anything in d differs.
func (d *TreeDiff) Changed() bool {
	return slices.ContainsFunc(d.Attributes, AttributeDiff.Changed) ||
		slices.ContainsFunc(d.Blocks, func(b BlockDiff) bool { return b.Change != "no-op" })
}

// Diff compares two trees. Either may be nil, for a resource that is created
// or deleted. Arguments and blocks are in the order of after; what was removed
// stands where it stood.
func Diff(before, after *lang.Tree) TreeDiff {
	var none lang.Tree
	if before == nil {
		before = &none
	}
	if after == nil {
		after = &none
	}
	return TreeDiff{
		Attributes: diffAttributes(before.Attributes, after.Attributes),
		Blocks:     diffBlocks(before.Blocks, after.Blocks),
	}
}

func diffAttributes(before, after []lang.Attribute) []AttributeDiff {
	same := func(a, b lang.Attribute) bool { return a.Name == b.Name }
	var out []AttributeDiff
	for _, p := range align(before, after, same) {
		d := AttributeDiff{}
		if p.before >= 0 {
			d.Before, d.Name = &before[p.before], before[p.before].Name
		}
		if p.after >= 0 {
			d.After, d.Name = &after[p.after], after[p.after].Name
		}
		out = append(out, d)
	}
	return out
}

func diffBlocks(before, after []lang.Block) []BlockDiff {
	same := func(a, b lang.Block) bool { return a.Type == b.Type && slices.Equal(a.Labels, b.Labels) }
	var out []BlockDiff
	for _, p := range align(before, after, same) {
		switch {
		case p.after < 0:
			b := &before[p.before]
			out = append(out, BlockDiff{Type: b.Type, Labels: b.Labels, Change: "delete", Tree: Diff(&b.Tree, nil)})
		case p.before < 0:
			b := &after[p.after]
			out = append(out, BlockDiff{Type: b.Type, Labels: b.Labels, Change: "create", Tree: Diff(nil, &b.Tree)})
		default:
			b := BlockDiff{Type: after[p.after].Type, Labels: after[p.after].Labels, Change: "no-op",
				Tree: Diff(&before[p.before].Tree, &after[p.after].Tree)}
			if b.Tree.Changed() {
				b.Change = "update"
			}
			out = append(out, b)
		}
	}
	return out
}

// pair is one line of an alignment; -1 stands for nothing on that side.
type pair struct{ before, after int }

// align matches a and b by a longest common subsequence, so that what moved is
// shown as removed and added, in the order of b.
func align[T any](a, b []T, same func(T, T) bool) []pair {
	// long[i][j] is the length for a[i:] and b[j:].
	long := make([][]int, len(a)+1)
	for i := range long {
		long[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if same(a[i], b[j]) {
				long[i][j] = long[i+1][j+1] + 1
			} else {
				long[i][j] = max(long[i+1][j], long[i][j+1])
			}
		}
	}
	var out []pair
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && same(a[i], b[j]):
			out = append(out, pair{i, j})
			i, j = i+1, j+1
		case i < len(a) && (j == len(b) || long[i+1][j] >= long[i][j+1]):
			out = append(out, pair{i, -1})
			i++
		default:
			out = append(out, pair{-1, j})
			j++
		}
	}
	return out
}

// equalTrees reports whether nothing differs between a and b, the order
// included.
func equalTrees(a, b *lang.Tree) bool {
	return slices.Equal(a.Attributes, b.Attributes) && slices.EqualFunc(a.Blocks, b.Blocks, func(x, y lang.Block) bool {
		return x.Type == y.Type && slices.Equal(x.Labels, y.Labels) && equalTrees(&x.Tree, &y.Tree)
	})
}
