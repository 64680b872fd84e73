// Package state says what handbill remembers: what was sent, to whom and what
// came of it, so that a message goes out once and every doubt is visible. It
// has the types, the errors and what follows from them alone. It knows no SQL
// and no file: package sqlite keeps a state in one SQLite file.
//
// See docs/delivery.md for the rules that a state keeps, and package delivery
// for the same as functions.
package state

import (
	"time"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/pace"
)

// Send is the send axis of a delivery; see delivery.Send.
type Send = delivery.Send

// The states of the send axis.
const (
	Pending   = delivery.Pending
	Sending   = delivery.Sending
	Accepted  = delivery.Accepted
	Rejected  = delivery.Rejected
	InDoubt   = delivery.InDoubt
	Cancelled = delivery.Cancelled
)

// Proof says how we know that a message was accepted; see delivery.Proof.
type Proof = delivery.Proof

// The proofs.
const (
	ProofResponse = delivery.ProofResponse
	ProofEcho     = delivery.ProofEcho
	ProofPoll     = delivery.ProofPoll
	ProofOperator = delivery.ProofOperator
)

// Key identifies a delivery: one message to one recipient in one campaign
// revision.
type Key struct {
	Campaign  string // address, "campaign.spring"
	Recipient string // message.Address.Key, canonical
	Revision  int
}

// Delivery is what the state knows of one delivery.
type Delivery struct {
	Key
	To       message.Address
	Send     Send
	Attempt  int // number of the last attempt, from 1
	Ref      string
	Message  string   // address of the message resource that was sent
	Digest   [16]byte // of the rendered message, message.Digest
	ID       string   // the provider's message id
	Proof    Proof
	Code     string // with Rejected, Pending, InDoubt: the provider's code
	Title    string // with Code: in a few words
	Cause    string // with InDoubt and Cancelled: why
	Intended time.Time
	Settled  time.Time

	// The delivery axis, joined from events.
	Rank      message.Rank
	RankAt    time.Time
	Failed    bool // shown only while Rank < delivered
	FailCode  string
	FailTitle string
	Replied   time.Time // first inbound that answers it; zero for none
	// Billing is what was told about the price of the last attempt; the zero value
	// says that nothing was.
	Billing message.Billing
}

// Resource is a declared resource as it was at the last apply.
type Resource struct {
	Address string
	Type    string
	Name    string
	Tree    []byte // canonical JSON of lang.Tree
	Refs    []string
}

// Person is what the state knows of a recipient, apart from deliveries.
type Person struct {
	Recipient   string
	LastInbound time.Time // newest inbound event, to any number
	// WindowEnds is the end of the window at the number that was asked about; zero
	// when unknown. A correction (131047) may be earlier than 24 hours after the
	// last inbound event.
	WindowEnds  time.Time
	Shut        time.Time // when all windows were found closed, by a state of old; zero for never
	OptedOut    bool
	OptOut      string // reason or evidence in a word: "stop_word", "user_preferences", "131050", "operator", "import", "erased"
	OptOutAt    time.Time
	Cooldown    time.Time // no marketing before it (131049); zero for none
	ProfileName string
	Username    string            // on WhatsApp; for display
	Attributes  map[string]string // set by reply rules
	Handover    bool
}

// Meta is the identity of a state.
type Meta struct {
	Format  int    // version of the format
	Lineage string // random, minted at creation; 32 hex digits
	Serial  int64  // rises on decisions: apply, resolve, mv, rm; not on events
	Epoch   int64  // rises with every apply, so that an older copy shows
}

// Intent is one attempt that is about to be made.
type Intent struct {
	Key
	To      message.Address
	Attempt int
	Ref     string
	Body    [32]byte // SHA-256 of the request's body
	Message string
	Digest  [16]byte
	// Retry allows another attempt at a delivery that was refused; without it
	// a refused one is gated as "refused_before".
	Retry bool
	// Again says that a person ordered this delivery to be sent again although
	// it was accepted. Attempt must be the one after the accepted one, so that
	// one order sends once; anything else is gated as "already_sent".
	Again bool
	// Marketing says that opt-outs, cool-downs and caps apply; replies inside
	// the window are not marketing.
	Marketing bool
	// NoCooldown lifts the cool-downs of Marketing: they are about marketing
	// templates, not about messages in an open window and other templates.
	NoCooldown bool
	// Pace asks for the moment at which the message may leave, of the slots of the
	// lane's number; zero for no limit.
	Pace pace.Ask
	// Spacing is how long after any other message the person may get this one;
	// 0 for no rule.
	Spacing time.Duration
	// Window says that the message needs an open 24-hour window at the lane's
	// number. AssumeOpen takes an unknown one as open; KnownUntil is what the audience
	// claims.
	Window     bool
	AssumeOpen bool
	KnownUntil time.Time
	// Cap refuses when Count messages went to the recipient within Per.
	CapCount int
	CapPer   time.Duration
	// Inbound is InboundEvent.Seq of what a reply answers; 0 for a campaign's
	// message. A reply's Key is {rule's address, recipient, int(Inbound)}, so
	// that one inbound message is answered at most once by one rule.
	Inbound int64
}

// Also is the user id of a recipient who has a number too: what is known under
// it counts as well. It is "" for none.
func (in *Intent) Also() string {
	if in.To.Phone == "" || in.To.UserID == in.Recipient {
		return ""
	}
	return in.To.UserID
}

// Verdict is what became of an Intent in the transaction that wrote it.
type Verdict struct {
	// Attempt is the handle for the outcome; 0 when a gate refused.
	Attempt int64
	// Gate is why nothing was written; GateNone when the intent is durable.
	Gate delivery.Gate
	// Next is with GateAttempt the number that the next attempt must have:
	// the state knows of more attempts than the plan did.
	Next int
	// Was is with Next how the delivery stands: Pending, also without any
	// attempt, or Rejected.
	Was Send
	// Until is when a gate opens again, for cool-downs, caps, spacing and pace;
	// zero when it does not by itself.
	Until time.Time
	// Leave is when the message may leave: the slot of its number that it got.
	// Zero for at once.
	Leave time.Time
}

// Outcome settles an attempt.
type Outcome struct {
	Attempt int64 // from Verdict
	Send    Send  // Accepted, Rejected, Pending (certainly not taken) or InDoubt
	ID      string
	Proof   Proof
	Code    string
	Title   string
	Cause   string // with InDoubt, Cancelled
	At      time.Time
	// UserID is a user id that the provider told of whom it sent to, through
	// Number: it is the recipient's; "" for none.
	UserID string
	// OptOut and Cooldown are consequences for the person, written in the same
	// transaction; see the classes of message.Answer.
	// WindowShut is about Number, the address of the sending number; where that
	// is "", about all.
	OptOut     bool
	Cooldown   time.Time
	WindowShut bool
	// Hold is until when Number, the address of the sending number, gives no
	// slots, since the provider asked for a pause; zero for none.
	Hold   time.Time
	Number string
}

// CampaignRun is what one apply planned for one campaign, and how it ended.
type CampaignRun struct {
	Campaign  string
	Revision  int
	Planned   int // deliveries of this revision that apply was to bring about, those of earlier runs included
	Accepted  int
	Rejected  int
	InDoubt   int
	Held      int
	Cancelled int
	Pending   int
	Skipped   map[delivery.Reason]int // of the plan
	// HeldFor are the held ones by reason, at the end of the run.
	HeldFor map[delivery.Reason]int `json:",omitempty"`
	// HeldTill is the earliest time at which something held may go on; zero
	// when nobody knows.
	HeldTill time.Time `json:",omitzero"`
	// ConsentBy is the audience's expression that says who agreed to messages
	// outside the window, as it was written when the run was made; "" for none.
	ConsentBy string `json:",omitempty"`
	// Halted is why sending stopped early; "" when it did not.
	Halted delivery.HaltReason `json:",omitempty"`
}

// Lane is one sending number as one run has it, or as whoever answers has it.
// Begin and RecoverReplies give it out. Whoever takes the number next gets a
// higher epoch, and then no more intents are recorded for this one.
type Lane struct {
	Number string // address of the provider block
	ID     int64  // the store's own
	Epoch  int64  // rises each time the number is taken
	Run    int64  // 0 for replies
}

// Run is one apply.
type Run struct {
	ID        int64
	Started   time.Time
	Ended     time.Time           // zero while it runs or after a crash
	Version   string              // handbill's
	Plan      string              // digest of the plan
	Halted    delivery.HaltReason // why it stopped early; "" when it did not
	Campaigns []CampaignRun
	// Blobs are written with Begin: "outputs", "variables", whatever the next
	// plan compares with. A nil value removes its name.
	Blobs map[string][]byte
	// Lanes are the sending numbers that the run takes, each once: Begin needs
	// their Number alone. Runs leaves them out.
	Lanes []Lane
	// Resume are the campaigns whose halts Begin lifts, and Who says so.
	Resume []string
	Who    string
}

// Tally counts the deliveries of one campaign revision that have a row, by the
// send axis, and how the accepted ones fared.
type Tally struct {
	Accepted  int
	Rejected  int
	InDoubt   int // an open attempt counts as in doubt
	Pending   int // certainly not taken at the last attempt
	Delivered int // of the accepted: delivered or better
	Failed    int // of the accepted: failed and not delivered
}

// Add counts the deliveries of a row of the funnel.
func (t *Tally) Add(r *FunnelRow) {
	switch r.Send {
	case Accepted:
		t.Accepted += r.Count
		switch {
		case r.Rank >= 2:
			t.Delivered += r.Count
		case r.Failed:
			t.Failed += r.Count
		}
	case Rejected:
		t.Rejected += r.Count
	case Sending, InDoubt:
		t.InDoubt += r.Count
	case Pending:
		t.Pending += r.Count
	}
}
