package state

import (
	"iter"
	"time"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
)

// Inbox is one webhook body, as it is accepted.
type Inbox struct {
	Provider string
	Received time.Time
	Raw      []byte
	Events   []message.Event
}

// InboundEvent is something that a person wrote, tapped or ordered, and that no rule has answered yet.
type InboundEvent struct {
	Seq       int64 // Intent.Inbound of a reply to it
	Provider  string
	Received  time.Time
	Recipient string
	First     bool // nothing came from this person before
	// Campaign and Message are the addresses of what it answers; "" when it answers no message of ours.
	Campaign string
	Message  string
	Event    message.Event
	// Stopped says that this message stopped marketing: it has, or may have, a stop word. The opt-out is recorded.
	Stopped bool
}

// Finding is a contradiction that a person should know of; status shows it.
type Finding struct {
	ID        int64
	At        time.Time
	Kind      string
	Campaign  string
	Recipient string
	Detail    string // never a text of a message
}

// The kinds of Finding.
const (
	// FindingContradiction: a status came for a message that the provider had refused. The delivery counts as accepted.
	FindingContradiction = "provider_contradiction"
	// FindingDuplicate: one reference has two ids, or a repeated attempt got a status; the person may have it twice.
	FindingDuplicate = "duplicate_observed"
	// FindingRollback: the state is older than what was sent from it.
	FindingRollback = "state_rollback_detected"
)

// Notice is an event about the account, or one that was kept without being understood.
type Notice struct {
	At       time.Time
	Provider string
	Kind     message.EventKind
	Field    string
	Reason   string // why it was kept, or what it says in a few words
	Raw      []byte
}

// NoticeCount counts the notices of one kind.
type NoticeCount struct {
	Kind   message.EventKind
	Count  int
	Newest time.Time
}

// FunnelRow counts the deliveries of one campaign revision that stand alike.
type FunnelRow struct {
	Campaign string
	Revision int
	Send     Send
	Rank     message.Rank
	Failed   bool
	Code     string
	Title    string
	Replied  bool
	Clicked  bool
	Billing  message.Billing
	Count    int
}

// OrderCount sums the orders that answer one campaign in one currency. A cart with two currencies counts in both.
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

// PlacedOrder is when somebody sent an order.
type PlacedOrder struct {
	Recipient string
	At        time.Time
}

// Halt is why a campaign sends nothing more until a person lifts it with Run.Resume.
type Halt struct {
	Campaign string              `json:"campaign"`
	Reason   delivery.HaltReason `json:"reason"`
	Code     string              `json:"code,omitempty"`
	Title    string              `json:"title,omitempty"`
	Advice   string              `json:"advice,omitempty"`
	Since    time.Time           `json:"since"`
}

// Exchange is a message of a person with an answer to it.
type Exchange struct {
	Asked    time.Time // when the message was received; zero where it is gone
	Answered time.Time
}

// WishKind is what a message says about being written to; see delivery.Wish.
type WishKind = delivery.Wish

const (
	WishNone    = delivery.WishNone
	WishStop    = delivery.WishStop
	WishUnclear = delivery.WishUnclear
	WishStay    = delivery.WishStay
)

// OptUnclear is the reason of an opt-out that is only a pause; see delivery.OptUnclear.
const OptUnclear = delivery.OptUnclear

// Wish is what one message of a person says about being written to.
type Wish struct {
	Kind     WishKind
	Reason   string
	Evidence string
}

// Sent is what a SentIndex knows of one recipient.
type Sent struct {
	Send    Send
	Arm     string // of the campaign's experiment in the last attempt; "" for none
	Attempt int
	Digest  [16]byte // of the message of the last attempt
	Code    string   // the provider's code, where the outcome has one
}

// InboundRef says where an inbound event is, and whose it is.
type InboundRef struct {
	Seq                 int64
	Provider, Recipient string
}

// SentIndex is what became of the recipients of a campaign's revision; safe for concurrent reading, also after Close.
type SentIndex interface {
	Len() int
	// Lookup finds a recipient by message.Address.Key.
	Lookup(recipient string) (Sent, bool)
	// All iterates over the recipients in no order.
	All() iter.Seq2[string, Sent]
}
