package message

import "time"

// EventKind tells what came back.
type EventKind string

// The kinds of Event.
const (
	EventStatus     EventKind = "status"     // what became of a message that we sent
	EventInbound    EventKind = "inbound"    // a person wrote, tapped or ordered
	EventPreference EventKind = "preference" // a person stopped or resumed marketing
	EventIdentity   EventKind = "identity"   // a person's number or user id changed
	EventAccount    EventKind = "account"    // quality, template and account notices
	EventOther      EventKind = "other"      // kept but not understood; Reason says why

	// Events of these kinds are kept but never treated as messages to the number:
	// they open no window and are not answered. Reason says why.

	EventGroup   EventKind = "group"   // a person wrote in a group, or a group changed
	EventEcho    EventKind = "echo"    // somebody wrote from the number in the WhatsApp Business app; From is the recipient
	EventHistory EventKind = "history" // chats and contacts of that app from before; counted only
	EventCall    EventKind = "call"    // a call, or what became of one
)

// Rank is how far a message got: none < sent < delivered < read < played. Ranks are
// merged, never overwritten, so that the order and repetition of events do not
// matter.
type Rank uint8

// The ranks.
const (
	RankNone Rank = iota
	RankSent
	RankDelivered
	RankRead
	RankPlayed
)

// String is the rank's word in state, views and JSON; "" for none.
func (r Rank) String() string {
	return [...]string{"", "sent", "delivered", "read", "played"}[min(r, RankPlayed)]
}

// Event is one thing that a provider reported, by webhook or by poll, in handbill's
// terms. Fields that do not belong to its kind are zero.
type Event struct {
	Kind EventKind
	// ID is the provider's id: of the inbound message, or of the message whose
	// status this is.
	ID string
	At time.Time // the provider's clock; zero if it does not say

	// NumberID and Number are the provider's id and the digits of the sending
	// number that it is about; AccountID is the account. They are empty if the
	// provider does not say.
	NumberID  string `json:",omitempty"`
	Number    string `json:",omitempty"`
	AccountID string `json:",omitempty"`
	// GroupID is the group in which the message was written; "" for none.
	GroupID string `json:",omitempty"`

	// From is who wrote, or whom the status is about. WhatsApp may leave out both
	// parts in a status, so statuses must never be matched by it.
	From        Address
	Parent      string `json:",omitempty"` // the person's user id in linked portfolios, "US.ENT.…"; "" if it is not reported
	ProfileName string // the sender's WhatsApp profile name
	Username    string `json:",omitempty"` // the sender's WhatsApp username, for display only: it does not identify a person

	// Status
	Ref    string // the reference that we sent and the provider echoed
	Rank   Rank
	Failed bool
	Code   string // with Failed: the provider's code
	Title  string // with Failed: in a few words
	// Billing is what the status says about its price; nil for nothing.
	Billing *Billing `json:",omitempty"`

	// Inbound
	Type      string // Meta's type: "text", "interactive", "button", "order", "image", …
	Text      string // text body, caption, or the title of what was tapped
	ContextID string // id of the message that this answers
	ReplyID   string // list row id, button id, or template quick-reply payload
	ReplyKind string // "list_reply", "button_reply", "button", "flow", …
	Order     *Order
	Data      string // JSON of a flow's answer, location, contacts, reaction, media
	Ad        string // source id of the ad or post that led here (free entry point)

	// Preference
	OptOut   bool   // with EventPreference: true for stop, false for resume
	Category string // "marketing_messages"

	// Identity
	NewAddress Address
	NewParent  string `json:",omitempty"` // as Parent, after the change

	// Limit is how many people may be written to outside their windows in 24 hours,
	// from an account's notice; -1 for no limit, 0 if it does not say.
	Limit int `json:",omitempty"`

	// Template is what an account's notice reports about a template; nil for nothing.
	Template *TemplateNotice `json:",omitempty"`

	// Account and Other
	Field  string // Meta's webhook field
	Reason string // why it was kept without being understood
	Raw    []byte // the JSON of this one event, for Account and Other
}

// Billing is what a provider reports about the price of one message. WhatsApp bills
// only delivered messages, but reports the same about messages that never arrive.
// Source: Meta, webhooks/reference/messages/status, read 2026-09-11.
type Billing struct {
	Billable bool
	// Category, Model and Type are Meta's words, including unknown ones;
	// UnknownWord if one does not have the form of a word. Category is never empty.
	Category string `json:",omitempty"` // "marketing", "marketing_lite", "utility", "authentication-international", "service", …
	Model    string `json:",omitempty"` // "PMP": by message
	Type     string `json:",omitempty"` // "regular", "free_customer_service", "free_entry_point"
}

// UnknownWord replaces a word in a Billing that is missing or cannot be shown.
const UnknownWord = "unknown"

// Order is a cart that a person sent.
type Order struct {
	CatalogID string
	Note      string
	Items     []OrderItem
}

// OrderItem is one line of an Order.
type OrderItem struct {
	ProductID string
	Quantity  int
	Price     string // decimal, per unit
	Currency  string // ISO 4217
}
