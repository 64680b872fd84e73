package message

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// quoting is a draft whose quoted message id is a slot.
func quoting(m Message) *Draft {
	m = Clone(m)
	m.around().Envelope = &Envelope{}
	return &Draft{Message: m, Bindings: []Binding{{Path: QuotePath, Parts: []Part{{Slot: 0}}}}, Slots: []string{"recipient.order"}}
}

func TestAnEnvelopeGoesWithEveryKind(t *testing.T) {
	for name, m := range valid() {
		d := quoting(m)
		if err := d.validate(); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		data, err := MarshalDraft(d)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		back, err := UnmarshalDraft(data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(d, back); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		got := back.Render([]string{"wamid.7"})
		if e := EnvelopeOf(got); e.Quote != "wamid.7" || EnvelopeOf(back.Message) != (Envelope{}) {
			t.Errorf("%s: rendered %+v, the draft has %+v", name, e, EnvelopeOf(back.Message))
		}
		if copied := Clone(got); copied.around().Envelope == got.around().Envelope {
			t.Errorf("%s: a clone shares the envelope", name)
		}
		SetEnvelope(got, Envelope{})
		if diff := cmp.Diff(m, got); diff != "" {
			t.Errorf("%s: without the envelope it is another message: %s", name, diff)
		}
	}
}

// TestWhatADigestCovers checks that a digest includes the quotation, which
// people see, but not the API through which a template is sent.
func TestWhatADigestCovers(t *testing.T) {
	digest := func(m Message) [16]byte { return Digest(&Draft{Message: m}, nil) }
	plain, quotes := &Text{Body: "Hi"}, &Text{Body: "Hi"}
	SetEnvelope(quotes, Envelope{Quote: "wamid.7"})
	if digest(plain) == digest(quotes) {
		t.Error("a quotation changes nothing")
	}
	if digest(&Template{Name: "a", Language: "en"}) != digest(&Template{Name: "a", Language: "en", Marketing: MarketingStrict}) {
		t.Error("Marketing Messages makes another message of a template")
	}
}

func TestWhatMayQuote(t *testing.T) {
	for name, c := range map[string]struct {
		m    Message
		want string
		sev  Severity
	}{
		"a text":     {&Text{Body: "Hi"}, "", 0},
		"a reaction": {&Reaction{MessageID: "wamid.1", Emoji: "👍"}, "quote.reaction", Error},
		"a template": {&Template{Name: "a", Language: "en"}, "quote.template", Warning},
	} {
		t.Run(name, func(t *testing.T) {
			d := quoting(c.m)
			for value, wrong := range map[string]bool{"wamid.7": c.want != "", "": false} {
				var got []Violation
				NewChecker(d, nil).Check([]string{value}, func(v Violation) { got = append(got, v) })
				if wrong != (len(got) == 1) || wrong && (got[0].Rule != c.want || got[0].Severity != c.sev || got[0].Path != QuotePath) {
					t.Errorf("%q: got %+v", value, got)
				}
			}
			spaced := NewChecker(d, nil)
			found := 0
			spaced.Check([]string{" wamid.7"}, func(v Violation) {
				if v.Rule == "quote.spaces" {
					found++
				}
			})
			if found != 1 {
				t.Error("an id with a space in front passes")
			}
		})
	}
}
