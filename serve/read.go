package serve

import (
	"context"
	"time"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/reply"
	"github.com/handbill/handbill/state"
)

// markTime is how long a reply may be delayed by marking the message as read.
const markTime = 2 * time.Second

// mark shows the person that the message was read, or that an answer is being
// written, if the rule asks for it. It is a courtesy: a failure is reported to
// Observe and changes nothing else, and no attempt is recorded.
func (s *Server) mark(ctx context.Context, ev *state.InboundEvent, a *reply.Answer) {
	read, typing := a.Marks()
	n := s.numbers[ev.Provider]
	if !read || n == nil || n.Reader == nil || ev.Event.ID == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, markTime)
	defer cancel()
	if err := n.Reader.MarkRead(ctx, ev.Event.ID, typing); err != nil {
		s.opt.Observe(Event{Kind: EventMark, Provider: ev.Provider, Rule: a.Rule(), Recipient: message.Mask(ev.Recipient), Err: err})
	}
}
