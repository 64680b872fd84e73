package serve_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/sandbox"
	"github.com/handbill/handbill/serve"
)

const marking = `
text_message "hello" { body = "One moment" }
reply_rule "hello" {
  when { text = "price" }
  reply  = text_message.hello
  quote  = inbound.id
  typing = true
}
reply_rule "seen" {
  when { text = "thanks" }
  mark_read = true
  reply     = text_message.hello
}
`

// TestARuleMarksAMessageAsRead checks that a message is marked as its rule
// says, and that the answer quotes the message.
func TestARuleMarksAMessageAsRead(t *testing.T) {
	h := newHouse(t, marking)
	other, thanks, price := h.phone(sandbox.Inbound{Text: "hm"}), h.phone(sandbox.Inbound{Text: "thanks"}), h.phone(sandbox.Inbound{Text: "the price?"})
	h.await(serve.EventReplied)
	h.await(serve.EventReplied)
	h.settled()
	for id, want := range map[string]sandbox.Mark{price: {Read: true, Typing: true}, thanks: {Read: true}, other: {}} {
		if diff := cmp.Diff(want, h.net.Marked(id)); diff != "" {
			t.Error(diff)
		}
	}
	if diff := cmp.Diff([]string{price}, h.quoted()); diff != "" {
		t.Errorf("what the answers quote: %s", diff)
	}
}

// failing is a Reader that fails or hangs.
type failing struct {
	hang bool
	id   string
}

func (f *failing) MarkRead(ctx context.Context, id string, _ bool) error {
	f.id = id
	if !f.hang {
		return errors.New("131009 no such message")
	}
	<-ctx.Done()
	return ctx.Err()
}

// TestAFailedMarkDelaysNothing checks that the answer is still sent, once, and
// that neither a failure nor the mark itself is recorded as an attempt.
func TestAFailedMarkDelaysNothing(t *testing.T) {
	for name, r := range map[string]*failing{"refused": {}, "silent": {hang: true}} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, marking, func(h *house, _ *sandbox.Options) { h.reader = r })
			id := h.phone(sandbox.Inbound{Text: "price"})
			if ev := h.await(serve.EventMark); ev.Err == nil || ev.Rule != "reply_rule.hello" {
				t.Errorf("the event is %+v", ev)
			}
			h.await(serve.EventReplied)
			h.settled()
			if diff := cmp.Diff([]string{"One moment"}, h.sends()); diff != "" || r.id != id {
				t.Errorf("%s; asked for %q", diff, r.id)
			}
			n := 0
			for d, err := range deliveries(t, h.store) {
				if err != nil || d.Attempt != 1 {
					t.Errorf("recorded %+v, %v", d, err)
				}
				n++
			}
			if n != 1 {
				t.Errorf("%d deliveries are recorded", n)
			}
		})
	}
}
