package apply

import (
	"time"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
)

// EventKind says what happened.
type EventKind string

// The kinds of Event.
const (
	EventAnswered EventKind = "answered" // a send was answered and its outcome recorded
	EventGated    EventKind = "gated"    // a gate closed since the plan
	EventHeld     EventKind = "held"     // the message waits
	EventPaused   EventKind = "paused"   // the number waits, see Reason and Until
	EventHalted   EventKind = "halted"
)

// Event is one thing that happened during a run.
type Event struct {
	Kind      EventKind
	Provider  string // address
	Campaign  string // address; "" for what concerns a number
	Recipient string // key, not masked: views mask it
	Attempt   int
	Answer    message.Answer  // with EventAnswered
	Again     bool            // with EventAnswered: it will be tried again
	Reason    delivery.Reason // with EventGated, EventHeld, EventPaused
	Until     time.Time
	Halt      *Halt
	// Done and Total are the campaign's sends so far and planned.
	Done, Total int
}
