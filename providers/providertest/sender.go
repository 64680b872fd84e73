package providertest

import (
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
)

// sender checks that a compiled draft gives, for every recipient, the same bytes as
// encoding the rendered message.
func sender(t *testing.T, p providers.Provider) {
	rapid.Check(t, func(t *rapid.T) {
		e := rapid.SampledFrom(Examples()).Draw(t, "example")
		d := draft(t, e.Message)
		s := providers.NewSender(p)
		for range 3 {
			values := make([]string, len(d.Slots))
			for i := range values {
				values[i] = value(t)
			}
			to := message.Address{Phone: rapid.SampledFrom([]string{To, "+4915112345678", "+990071993115577", "12025550123", ""}).Draw(t, "phone")}
			if to.Phone == "" {
				to.UserID = "US.13491208655302741918"
			}
			ref := rapid.SampledFrom([]string{Ref, "", "other-ref"}).Draw(t, "ref")
			same(t, p, s, d, to, values, ref)
		}
	})
}

// awkward checks values that random tests rarely find: two halves of a character, a
// field that turns out empty, text that looks like a mark.
func awkward(t *testing.T, p providers.Provider) {
	d := &message.Draft{
		Message: &message.Buttons{Buttons: []message.Button{{ID: "yes", Title: "Yes"}}},
		Bindings: []message.Binding{
			{Path: "body", Parts: []message.Part{{Slot: 0}, {Slot: 1}}},
			{Path: "footer", Parts: []message.Part{{Slot: 1}}},
		},
		Slots: []string{"recipient.a", "recipient.b"},
	}
	s := providers.NewSender(p)
	for _, values := range [][]string{
		{"Ana", "Berlin"}, {"Ana", ""}, {"", "Berlin"}, {"", ""}, {"\xe2\x82", "\xac"}, {"\xff", "x"},
		{`"`, `\`}, {"\uf8f0", "0\uf8f1"}, {"990071993115577", "hb1.MARK.MARKMARKMARK.MARK"}, {"\x00\n", "\u2028"},
	} {
		same(t, p, s, d, message.Address{Phone: To}, values, Ref)
	}
	if _, err := s.Encode(message.Address{Phone: To}, d, []string{"one"}, Ref); err == nil {
		t.Error("a recipient without all values was encoded")
	}
	values, to := []string{"Ana", "Berlin"}, message.Address{Phone: To}
	allocations := testing.AllocsPerRun(100, func() {
		if _, err := s.Encode(to, d, values, Ref); err != nil {
			t.Error(err)
		}
	})
	if allocations > 1 {
		t.Errorf("%g allocations for a message: the draft is not compiled", allocations)
	}
}

// failer is a test or a run of a property.
type failer interface {
	Fatalf(format string, args ...any)
	Helper()
}

// same checks that the compiled and the plain request are the same bytes.
func same(t failer, p providers.Provider, s providers.Sender, d *message.Draft, to message.Address, values []string, ref string) {
	t.Helper()
	got, err := s.Encode(to, d, values, ref)
	want, wantErr := p.Encode(to, d.Render(values), ref)
	if (err == nil) != (wantErr == nil) {
		t.Fatalf("%s: compiled %v, plain %v", d.Message.Kind(), err, wantErr)
	}
	if diff := cmp.Diff(string(want.Body), string(got.Body)); err == nil && (diff != "" || want.Path != got.Path) {
		t.Fatalf("%s: the compiled request differs (-plain +compiled):\n%s", d.Message.Kind(), diff)
	}
}

// value generates a recipient's attribute: empty, with quotes, control characters,
// halves of characters, or the marks themselves.
func value(t *rapid.T) string {
	odd := rapid.SampledFrom([]string{"", "", "Ana", `"\`, "a\nb\tc\x00", "\xff", "\xe2\x82", "\xac", "\uf8f00\uf8f1", "990071993115577", "17", "🌱</script>\u2028"})
	return rapid.OneOf(odd, rapid.String()).Draw(t, "value")
}

// draft turns some of a message's texts into slots.
func draft(t *rapid.T, m message.Message) *message.Draft {
	d := &message.Draft{Message: message.Clone(m)}
	message.Fields(d.Message, func(f message.Field) {
		if rapid.IntRange(0, 2).Draw(t, "keep "+f.Path) > 0 {
			return
		}
		b := message.Binding{Path: f.Path}
		for range rapid.IntRange(1, 3).Draw(t, "parts") {
			part := message.Part{Text: rapid.SampledFrom([]string{"x", "\xe2", "é\"", "\uf8f0", "990071993115577"}).Draw(t, "constant"), Slot: -1}
			if rapid.Bool().Draw(t, "slot") {
				part = message.Part{Slot: rapid.IntRange(0, len(d.Slots)).Draw(t, "which")}
				if part.Slot == len(d.Slots) {
					d.Slots = append(d.Slots, "recipient.a"+strconv.Itoa(part.Slot))
				}
			}
			b.Parts = append(b.Parts, part)
		}
		*f.Text = ""
		d.Bindings = append(d.Bindings, b)
	})
	return d
}
