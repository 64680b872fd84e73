package sandbox

import (
	"strconv"
	"time"

	"github.com/handbill/handbill/message"
)

// concluded is how far Conclude moves the network's clock: by then a message has
// reached its last status.
const concluded = 48 * time.Hour

// clock is the time of the network in this process.
func (p *Provider) clock() time.Time {
	return p.config.Clock().Add(time.Duration(p.ahead.Load()))
}

// Conclude moves the network's clock ahead and returns all events of a message. A
// network in this process ends with the process, so call it before Close. ok is
// false for a network elsewhere, which keeps running and can be polled or send
// webhooks, and for an id that the network did not issue.
func (p *Provider) Conclude(messageID string) (events []message.Event, ok bool) {
	if p.network == nil {
		return nil, false
	}
	p.ahead.Store(int64(concluded))
	_, steps, ok := p.network.History(messageID)
	now := p.config.Clock()
	for _, step := range steps {
		ev := message.Event{Kind: message.EventStatus, ID: messageID, At: step.At}
		if ev.At.After(now) {
			ev.At = now
		}
		switch step.Word {
		case "sent":
			ev.Rank = message.RankSent
		case "delivered":
			ev.Rank = message.RankDelivered
		case "read":
			ev.Rank = message.RankRead
		case "failed":
			ev.Failed, ev.Code, ev.Title = true, strconv.Itoa(step.Code), "simulated failure"
		}
		events = append(events, ev)
	}
	return events, ok
}

// Embedded reports whether the network is in this process, and ends with it.
func (p *Provider) Embedded() bool { return p.network != nil }
