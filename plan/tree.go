package plan

import (
	"slices"
	"strings"

	"github.com/handbill/handbill/lang"
)

// TreeDiff is one resource or nested block before and after. It also holds what is
// equal, so that a view can count what it hides.
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

// diffAttributes compares arguments by name.
func diffAttributes(before, after []lang.Attribute) []AttributeDiff {
	key := func(a *lang.Attribute) string { return a.Name }
	var out []AttributeDiff
	for _, p := range align(keysOf(before, key), keysOf(after, key)) {
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

// diffBlocks compares nested blocks by their type and labels.
func diffBlocks(before, after []lang.Block) []BlockDiff {
	key := func(b *lang.Block) string { return b.Type + "\x00" + strings.Join(b.Labels, "\x00") }
	var out []BlockDiff
	for _, p := range align(keysOf(before, key), keysOf(after, key)) {
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

// keysOf returns the keys of a list, in its order.
func keysOf[T any](list []T, key func(*T) string) []string {
	keys := make([]string, len(list))
	for i := range list {
		keys[i] = key(&list[i])
	}
	return keys
}

// align pairs equal keys of a and b, as many as possible without crossing; a key
// that moved is removed and added. A key that occurs several times is paired in
// order. It takes n log n steps, since catalogs have thousands of products.
func align(a, b []string) []pair {
	places := map[string][]int{}
	for j, k := range b {
		places[k] = append(places[k], j)
	}
	var common []pair
	for i, k := range a {
		if p := places[k]; len(p) > 0 {
			common = append(common, pair{i, p[0]})
			places[k] = p[1:]
		}
	}
	out := make([]pair, 0, len(a)+len(b))
	i, j := 0, 0
	for _, p := range append(rising(common), pair{len(a), len(b)}) {
		for ; i < p.before; i++ {
			out = append(out, pair{i, -1})
		}
		for ; j < p.after; j++ {
			out = append(out, pair{-1, j})
		}
		if i < len(a) {
			out = append(out, p)
			i, j = i+1, j+1
		}
	}
	return out
}

// rising returns a longest subsequence of pairs that rises on both sides; list
// already rises on the side before.
func rising(list []pair) []pair {
	var tails []int // tails[n] is the index of the last pair of a run of n+1
	previous := make([]int, len(list))
	for i, p := range list {
		n, _ := slices.BinarySearchFunc(tails, p.after, func(t, after int) int { return list[t].after - after })
		previous[i] = -1
		if n > 0 {
			previous[i] = tails[n-1]
		}
		if n == len(tails) {
			tails = append(tails, i)
		} else {
			tails[n] = i
		}
	}
	if len(tails) == 0 {
		return nil
	}
	run := make([]pair, len(tails))
	for i, at := len(run)-1, tails[len(tails)-1]; i >= 0; i, at = i-1, previous[at] {
		run[i] = list[at]
	}
	return run
}

// equalTrees reports whether nothing differs between a and b, the order
// included.
func equalTrees(a, b *lang.Tree) bool {
	return slices.Equal(a.Attributes, b.Attributes) && slices.EqualFunc(a.Blocks, b.Blocks, func(x, y lang.Block) bool {
		return x.Type == y.Type && slices.Equal(x.Labels, y.Labels) && equalTrees(&x.Tree, &y.Tree)
	})
}
