package plan

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/handbill/handbill/lang"
)

// sketch writes a diff with one line for each argument and block.
func sketch(b *strings.Builder, d TreeDiff, indent string) {
	for _, a := range d.Attributes {
		switch {
		case a.Before == nil:
			fmt.Fprintf(b, "%s+ %s = %s\n", indent, a.Name, a.After.Value)
		case a.After == nil:
			fmt.Fprintf(b, "%s- %s = %s\n", indent, a.Name, a.Before.Value)
		case a.Changed():
			fmt.Fprintf(b, "%s~ %s = %s -> %s\n", indent, a.Name, a.Before.Value, a.After.Value)
		default:
			fmt.Fprintf(b, "%s  %s = %s\n", indent, a.Name, a.After.Value)
		}
	}
	for _, block := range d.Blocks {
		mark := map[string]string{"create": "+", "update": "~", "delete": "-", "no-op": " "}[block.Change]
		fmt.Fprintf(b, "%s%s %s %v\n", indent, mark, block.Type, block.Labels)
		sketch(b, block.Tree, indent+"  ")
	}
}

func attr(name, value string) lang.Attribute { return lang.Attribute{Name: name, Value: value} }

func row(id, title string) lang.Block {
	return lang.Block{Type: "row", Labels: []string{id}, Tree: lang.Tree{Attributes: []lang.Attribute{attr("title", title)}}}
}

func section(title string, rows ...lang.Block) lang.Block {
	return lang.Block{Type: "section", Labels: []string{title}, Tree: lang.Tree{Blocks: rows}}
}

func TestDiff(t *testing.T) {
	before := &lang.Tree{
		Attributes: []lang.Attribute{attr("header", `"Hi"`), attr("body", `"Old"`), attr("button", `"View"`)},
		Blocks:     []lang.Block{section("A", row("a1", `"One"`), row("a2", `"Two"`)), section("B", row("b1", `"One"`))},
	}
	after := &lang.Tree{
		Attributes: []lang.Attribute{attr("body", `"New"`), attr("footer", `"Bye"`), attr("button", `"View"`)},
		Blocks:     []lang.Block{section("A", row("a2", `"Two, 2"`), row("a3", `"Three"`)), section("C", row("b1", `"One"`))},
	}
	for _, c := range []struct {
		name          string
		before, after *lang.Tree
		want          string
	}{
		{"same", before, before, `
  header = "Hi"
  body = "Old"
  button = "View"
  section [A]
    row [a1]
      title = "One"
    row [a2]
      title = "Two"
  section [B]
    row [b1]
      title = "One"
`},
		{"changed", before, after, `
- header = "Hi"
~ body = "Old" -> "New"
+ footer = "Bye"
  button = "View"
~ section [A]
  - row [a1]
    - title = "One"
  ~ row [a2]
    ~ title = "Two" -> "Two, 2"
  + row [a3]
    + title = "Three"
- section [B]
  - row [b1]
    - title = "One"
+ section [C]
  + row [b1]
    + title = "One"
`},
		{"created", nil, &lang.Tree{Attributes: []lang.Attribute{attr("body", `"New"`)}}, "\n+ body = \"New\"\n"},
		{"deleted", &lang.Tree{Attributes: []lang.Attribute{attr("body", `"Old"`)}}, nil, "\n- body = \"Old\"\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b strings.Builder
			sketch(&b, Diff(c.before, c.after), "")
			got := "\n" + b.String()
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestAlignKeepsBothSides checks that every element of both sides is in the
// alignment once and in order, and that paired elements are equal.
func TestAlignKeepsBothSides(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		letters := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c"}), 0, 8)
		a, b := letters.Draw(t, "a"), letters.Draw(t, "b")
		var left, right []string
		for _, p := range align(a, b) {
			if p.before >= 0 {
				left = append(left, a[p.before])
			}
			if p.after >= 0 {
				right = append(right, b[p.after])
			}
			if p.before >= 0 && p.after >= 0 && a[p.before] != b[p.after] {
				t.Fatalf("%q is paired with %q", a[p.before], b[p.after])
			}
		}
		if strings.Join(left, "") != strings.Join(a, "") || strings.Join(right, "") != strings.Join(b, "") {
			t.Fatalf("%v and %v come out as %v and %v", a, b, left, right)
		}
	})
}

// TestAlignFindsTheLongestRun compares align with a simple computation, for
// keys that occur once on each side.
func TestAlignFindsTheLongestRun(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.SliceOfNDistinct(rapid.StringMatching("[a-j]"), 0, 10, rapid.ID[string]).Draw(t, "a")
		b := rapid.SliceOfNDistinct(rapid.StringMatching("[a-j]"), 0, 10, rapid.ID[string]).Draw(t, "b")
		got := 0
		for _, p := range align(a, b) {
			if p.before >= 0 && p.after >= 0 {
				got++
			}
		}
		if want := longest(a, b); got != want {
			t.Fatalf("%v and %v have %d in common, got %d", a, b, want, got)
		}
	})
}

func longest(a, b []string) int {
	switch {
	case len(a) == 0 || len(b) == 0:
		return 0
	case a[0] == b[0]:
		return 1 + longest(a[1:], b[1:])
	}
	return max(longest(a[1:], b), longest(a, b[1:]))
}
