package state

import (
	"time"

	"github.com/handbill/handbill/message"
)

// Inbox is one webhook body, as it is accepted.
type Inbox struct {
	Provider string // address, "provider.cloud.main"
	Received time.Time
	Raw      []byte          // the body, exactly
	Events   []message.Event // what it decodes to
}

// InboundEvent is something that a person wrote, tapped or ordered, and that
// no rule has answered yet.
type InboundEvent struct {
	Seq       int64 // Intent.Inbound of a reply to it
	Provider  string
	Received  time.Time
	Recipient string // message.Address.Key of who wrote
	// First says that nothing came from this person before.
	First bool
	// Campaign and Message are the addresses of what it answers; "" when its
	// context is none of ours.
	Campaign string
	Message  string
	Event    message.Event
	// Stopped says that marketing to the person stopped by this message: it holds
	// a stop word, or may hold one. The opt-out is recorded.
	Stopped bool
}

// Finding is a contradiction that a person should know of; status shows it.
type Finding struct {
	ID        int64
	At        time.Time
	Kind      string // a Finding… constant
	Campaign  string
	Recipient string
	Detail    string // never a text of a message
}

// The kinds of Finding.
const (
	// FindingContradiction: a status came for a message that the provider had
	// refused. The delivery counts as accepted.
	FindingContradiction = "provider_contradiction"
	// FindingDuplicate: two ids for one reference, or an echo of an attempt
	// that was made again. The person may have got the message twice.
	FindingDuplicate = "duplicate_observed"
	// FindingRollback: the state is older than what was sent from it.
	FindingRollback = "state_rollback_detected"
)

// Notice is an event about the account, or one that was kept without being
// understood.
type Notice struct {
	At       time.Time
	Provider string
	Kind     message.EventKind
	Field    string
	Reason   string
	Raw      []byte
}

// FunnelRow counts the deliveries of one campaign revision that stand alike.
type FunnelRow struct {
	Campaign string
	Revision int
	Send     Send
	Rank     message.Rank
	Failed   bool // shown only while Rank < delivered
	Code     string
	Title    string
	Replied  bool
	Count    int
}

// OrderCount sums the orders that answer one campaign in one currency. A cart
// with items in two currencies counts in both.
type OrderCount struct {
	Campaign string // "" for orders that answer no campaign
	Currency string
	Orders   int
	Value    string // decimal
}

// OptOutEntry is a person who must not get marketing.
type OptOutEntry struct {
	Recipient string
	Reason    string
	Evidence  string
	At        time.Time
}

// RecentSend is a message that went, or may have gone, to a recipient.
type RecentSend struct {
	Recipient string
	At        time.Time
}

// Report is what Verify found.
type Report struct {
	Rows     int64 // rows whose checksum was computed
	Problems []Problem
}

// OK reports whether nothing is wrong.
func (r Report) OK() bool { return len(r.Problems) == 0 }

// Problem is one thing that Verify found wrong.
type Problem struct {
	Table string // "" for the file as a whole
	Row   int64
	What  string
}
