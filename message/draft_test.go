package message

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/handbill/handbill/internal/golden"
)

func sorted(list []Violation) []Violation {
	return slices.SortedFunc(slices.Values(list), func(a, b Violation) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Detail, b.Detail))
	})
}

// The two steps of a compiled checker find the same as Check finds in the rendered
// message.
func TestCheckerAgreesWithCheck(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, values := drawDraft(t)
		c := NewChecker(d, nil)
		got := slices.Clone(c.Static())
		c.Check(values, func(v Violation) { got = append(got, v) })
		want := Check(d.Render(values), nil)
		if diff := gocmp.Diff(sorted(want), sorted(got), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("rendered (-) and compiled (+) differ:\n%s", diff)
		}
	})
}

// The checker also finds problems that appear only where a constant and a value
// meet.
func TestCheckerSeesSeams(t *testing.T) {
	word := func(s string) Part { return Part{Text: s, Slot: -1} }
	cases := []struct {
		name   string
		parts  []Part
		values []string
		want   []string
	}{
		{"a dollar before a brace", []Part{word("only $"), {Slot: 0}}, []string{"{price}"}, []string{"text.leftover_interpolation"}},
		{"a dollar in a value", []Part{{Slot: 0}, word("{price}")}, []string{"$"}, []string{"text.leftover_interpolation"}},
		{"a percent before a brace", []Part{word("%"), {Slot: 0}}, []string{"{if}"}, []string{"text.leftover_interpolation"}},
		{"a brace after nothing", []Part{word("$"), {Slot: 0}, word("{x}")}, []string{""}, []string{"text.leftover_interpolation"}},
		{"spaces on both sides", []Part{word("a "), {Slot: 0}}, []string{"    b"}, []string{"template.parameter.spaces"}},
		{"a space on both sides of nothing", []Part{word("a "), {Slot: 0}, word("    b")}, []string{""}, []string{"template.parameter.spaces"}},
		{"single spaces", []Part{{Slot: 0}, {Slot: 0}, {Slot: 0}, {Slot: 0}, {Slot: 0}, word("a")}, []string{" "}, []string{"template.parameter.spaces"}},
		{"a character in two pieces", []Part{word("caf\xc3"), {Slot: 0}}, []string{"\xa9"}, nil},
		{"long by pieces", []Part{{Slot: 0}, {Slot: 0}, word("a")}, []string{strings.Repeat("a", 512)}, []string{"template.body.max"}},
		{"long by a character in two pieces", []Part{word(strings.Repeat("a", 1022)), {Slot: 0}, word("\xc3"), {Slot: 1}}, []string{"a", "\xa9"}, nil},
		{"nothing at all", []Part{{Slot: 0}, {Slot: 0}}, []string{""}, []string{"template.parameter.one_of"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			d := &Draft{Message: valid()["named template"], Slots: c.values, Bindings: []Binding{{Path: "body[0]", Parts: c.parts}}}
			d.Message.(*Template).Body[0].Text = ""
			var got []string
			NewChecker(d, nil).Check(c.values, func(v Violation) { got = append(got, v.Rule) })
			if diff := gocmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			if n := len(Check(d.Render(c.values), nil)); n != len(c.want) {
				t.Errorf("%d violations in the rendered message", n)
			}
		})
	}
}

// A digest depends on the rendered message, not on how it was made.
func TestDigestOfRendered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, values := drawDraft(t)
		whole := &Draft{Message: d.Render(values)}
		if Digest(d, values) != Digest(whole, nil) {
			t.Fatal("the digest depends on which texts were constant")
		}
		Fields(whole.Message, func(f Field) {
			before := *f.Text
			*f.Text += "x"
			if Digest(d, values) == Digest(whole, nil) {
				t.Fatalf("the digest does not see a change of %s", f.Path)
			}
			*f.Text = before
		})
	})
}

// Rendering sets each bound text and nothing else, and leaves the draft alone.
func TestRender(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, values := drawDraft(t)
		before := d.Digest()
		want := map[string]string{}
		Fields(d.Message, func(f Field) { want[f.Path] = *f.Text })
		for i, b := range d.Bindings {
			want[b.Path] = d.Text(i, values)
		}
		got := map[string]string{}
		m := d.Render(values)
		Fields(m, func(f Field) {
			got[f.Path] = *f.Text
			*f.Text = "changed"
		})
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
		if d.Digest() != before {
			t.Fatal("changing the rendered message changed the draft")
		}
	})
}

func TestPathsAreUnique(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seen := map[string]bool{}
		texts := map[*string]bool{}
		Fields(drawMessage(t), func(f Field) {
			if seen[f.Path] || texts[f.Text] || f.Limit == "" {
				t.Fatalf("%s is visited twice or has no name for its rules", f.Path)
			}
			seen[f.Path], texts[f.Text] = true, true
		})
	})
}

func TestDraftJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, _ := drawDraft(t)
		data, err := MarshalDraft(d)
		if d.checkUTF8() != nil {
			if err == nil {
				t.Fatal("texts that JSON can't hold were written")
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		back, err := UnmarshalDraft(data)
		if err != nil {
			t.Fatalf("%v in %s", err, data)
		}
		if diff := gocmp.Diff(d, back, cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
		if d.Digest() != back.Digest() {
			t.Fatal("the digest changed on the way")
		}
	})
}

// The JSON of a draft is in saved plans, which a later version must read.
func TestDraftFormat(t *testing.T) {
	var out strings.Builder
	messages := valid()
	for _, name := range slices.Sorted(maps.Keys(messages)) {
		data, err := MarshalDraft(&Draft{Message: messages[name]})
		if err != nil {
			t.Fatal(err)
		}
		out.Write(append(data, '\n'))
	}
	d, _ := greeting()
	data, err := MarshalDraft(d)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(append(data, '\n'))
	golden.Assert(t, []byte(out.String()), "testdata/drafts.golden")
}

const savedText = `{"kind":"text_message","message":{"body":""},"bindings":[{"path":"body","parts":[{"text":"Hi "},{"slot":0}]}],"slots":["recipient.name"]}`

func TestUnmarshalDraftRefuses(t *testing.T) {
	good := strings.Replace(savedText, `"message":{"body":""}`, `"message":{}`, 1)
	if _, err := UnmarshalDraft([]byte(strings.ReplaceAll(good, ",", ", "))); err != nil {
		t.Fatalf("white space matters: %v", err)
	}
	cases := map[string]string{
		"nothing":             "",
		"not JSON":            "{",
		"explicit empty":      savedText,
		"unknown kind":        strings.Replace(good, "text_message", "sms_message", 1),
		"unknown key":         strings.Replace(good, `"message":{}`, `"message":{"text":"x"}`, 1),
		"key in other case":   strings.Replace(good, `"slots"`, `"Slots"`, 1),
		"repeated key":        strings.Replace(good, `"message":{}`, `"message":{},"message":{}`, 1),
		"set and bound":       strings.Replace(good, `"message":{}`, `"message":{"body":"x"}`, 1),
		"unknown path":        strings.Replace(good, `"path":"body"`, `"path":"header"`, 1),
		"slot without a name": strings.Replace(good, `"slot":0`, `"slot":1`, 1),
		"negative slot":       strings.Replace(good, `"slot":0`, `"slot":-1`, 1),
		"text and slot":       strings.Replace(good, `"slot":0`, `"text":"x","slot":0`, 1),
		"neither":             strings.Replace(good, `{"slot":0}`, `{}`, 1),
		"null message":        strings.Replace(good, `"message":{}`, `"message":null`, 1),
		"two values":          good + "{}",
		"too long":            good + strings.Repeat(" ", maxDraftBytes),
	}
	for name, data := range cases {
		t.Run(name, func(t *testing.T) {
			if d, err := UnmarshalDraft([]byte(data)); err == nil {
				t.Fatalf("read as %+v", d)
			}
		})
	}
}

func FuzzUnmarshalDraft(f *testing.F) {
	f.Add([]byte(strings.Replace(savedText, `"message":{"body":""}`, `"message":{}`, 1)))
	f.Add([]byte(`{"kind":"list_message","message":{"body":"b","button":"o","sections":[{"rows":[{"id":"1","title":"t"}]}]}}`))
	f.Add([]byte(`{"kind":"template_message","message":{"name":"n","buttons":[{"index":0,"type":"mpm","sections":[{"products":["a"]}]}],"cards":[{"body":[{"currency":{}}]}]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := UnmarshalDraft(data)
		if err != nil {
			return
		}
		values := make([]string, len(d.Slots))
		c := NewChecker(d, nil)
		n := len(c.Static())
		c.Check(values, func(Violation) { n++ })
		if want := len(Check(d.Render(values), nil)); n != want {
			t.Fatalf("%d violations, %d in the rendered message", n, want)
		}
		if _, err := MarshalDraft(d); err != nil {
			t.Fatal(err)
		}
	})
}

// A draft's digest is kept in states and saved plans, so it never changes.
func TestDigestIsStable(t *testing.T) {
	d := &Draft{
		Message:  &Text{PreviewURL: true},
		Bindings: []Binding{{Path: "body", Parts: []Part{{Text: "Hi ", Slot: -1}, {Slot: 0}}}},
		Slots:    []string{"recipient.name"},
	}
	if got := hex(d.Digest()); got != stableDraft {
		t.Errorf("draft: %s", got)
	}
	if got := hex(Digest(d, []string{"Ana"})); got != stableMessage {
		t.Errorf("message: %s", got)
	}
}

const (
	stableDraft   = "f22a0f2e1f69469ce095c4366ea3c513a45608266ed408b3040d30d05da77f3d"
	stableMessage = "a0fcc4d39de62d687d8c83c728fbb640"
)

func hex[T [16]byte | [32]byte](b T) string { return fmt.Sprintf("%x", b) }
