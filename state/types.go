// Package state says what handbill remembers: what was sent, to whom, and what came of it, so that a message goes out
// once and every doubt is visible. It holds the types, the errors and the contracts, and knows no SQL and no file:
// package sqlite keeps a state in one SQLite file, and package memstate one in memory, for tests. The rules are functions
// of package delivery; docs/delivery.md has them in prose.
//
//	run, err := store.Begin(ctx, state.Run{Lanes: []state.Lane{{Number: "provider.cloud.main"}}}, nil)
//	verdicts, err := store.Turn(ctx, run.Lanes[0], outcomes, intents) // durable; now the messages may leave
//	err = store.Finish(ctx, run)
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
	Pending  = delivery.Pending
	Sending  = delivery.Sending
	Accepted = delivery.Accepted
	Rejected = delivery.Rejected
	InDoubt  = delivery.InDoubt
	HeldOut  = delivery.HeldOut
)

// Proof is how we know that a message was accepted; see delivery.Proof.
type Proof = delivery.Proof

// The proofs.
const (
	ProofResponse = delivery.ProofResponse
	ProofEcho     = delivery.ProofEcho
	ProofPoll     = delivery.ProofPoll
	ProofOperator = delivery.ProofOperator
)

// Key identifies a delivery: one message to one recipient in one campaign revision.
type Key struct {
	Campaign  string // address, "campaign.spring"
	Recipient string // message.Address.Key, canonical
	Revision  int
}

// Choice says which of a campaign's texts an attempt sends, where the campaign has several.
type Choice struct {
	Arm     string // of the campaign's experiment; "" for none
	Variant string // "" for none, and for a person who meets no variant
	// Attributes are the recipient's, as a JSON object, where an audience reads what became of the campaign; "" for none.
	// They are gone once the person is erased.
	Attributes string
}

// Delivery is what the state knows of one delivery.
type Delivery struct {
	Key
	Choice
	To       message.Address
	Send     Send
	Attempt  int // number of the last one, from 1
	Ref      string
	Message  string
	Digest   [16]byte // of the rendered message, message.Digest
	ID       string
	Proof    Proof
	Code     string // with Rejected, Pending, InDoubt: the provider's code
	Title    string // with Code: in a few words
	Cause    string // with InDoubt: why
	Intended time.Time
	Settled  time.Time

	Rank      message.Rank
	RankAt    time.Time
	Failed    bool // shown only while Rank < delivered
	FailCode  string
	FailTitle string
	Replied   time.Time       // first inbound that answers it; zero for none
	Billing   message.Billing // what was told of the price of the last attempt
	Clicked   time.Time       // when the person first followed a link of the last attempt; zero for never
}

// Resource is a declared resource as it was at the last apply.
type Resource struct {
	Address string
	Type    string
	Name    string
	Tree    []byte
	Refs    []string
}

// Person is what the state knows of a recipient, apart from deliveries.
type Person struct {
	Recipient   string
	LastInbound time.Time // newest inbound event, to any number
	// WindowEnds is the end of the window at the number that was asked about; zero when unknown. After code 131047 it is
	// earlier than 24 hours after LastInbound.
	WindowEnds  time.Time
	Shut        time.Time // when all windows were closed, in a state of format 1 or 2
	OptedOut    bool
	OptOut      string // reason or evidence in a word: "stop_word", "user_preferences", "131050", "operator", "import", "erased"
	OptOutAt    time.Time
	Cooldown    time.Time // no marketing before it (131049); zero for none
	ProfileName string
	Username    string
	Attributes  map[string]string
	Handover    bool
}

// Meta is the identity of a state.
type Meta struct {
	Format  int
	Lineage string // random, made with the state; 32 hex digits
	Serial  int64  // rises on decisions: apply, resolve, mv, rm; not on events
	Epoch   int64  // rises with every apply, so that an older copy shows
}

// Intent is one attempt that is about to be made.
type Intent struct {
	Key
	Choice
	To      message.Address
	Attempt int
	Ref     string
	Body    [32]byte // SHA-256 of the request's body
	Message string
	Digest  [16]byte
	// Retry allows another attempt at a delivery that was refused. Without it the gate is "refused_before".
	Retry bool
	// Again says that a person ordered this delivery again although it was accepted. Attempt must be the one after the
	// accepted one, so that one order sends once; otherwise the gate is "already_sent".
	Again bool
	// Marketing says that opt-outs, cool-downs and caps apply. Replies inside the window are not marketing.
	Marketing bool
	// NoCooldown lifts the cool-downs of Marketing, which concern marketing templates only.
	NoCooldown bool
	// Pace asks for a slot of the lane's number, the moment at which the message may leave; zero for no limit.
	Pace pace.Ask
	// Spacing is how long after any other message the person may get this one; 0 for no rule.
	Spacing time.Duration
	// Window says that the message needs an open 24-hour window at the lane's number. AssumeOpen takes an unknown one as
	// open. KnownUntil is what the audience claims.
	Window     bool
	AssumeOpen bool
	KnownUntil time.Time
	// The frequency cap: at most CapCount messages to the recipient within CapPer.
	CapCount int
	CapPer   time.Duration
	// Inbound is InboundEvent.Seq of what a reply answers; 0 for a campaign's message. The Key of a reply is {rule's
	// address, recipient, int(Inbound)}, so that a rule answers a message at most once.
	Inbound int64
	// Links are the links of the message.
	Links []TokenLink
}

// Also is the user id of a recipient who has a number too, "" for none. What is known under it counts as well.
func (in *Intent) Also() string {
	if in.To.Phone == "" || in.To.UserID == in.Recipient {
		return ""
	}
	return in.To.UserID
}

// Verdict is what became of an Intent in the transaction that wrote it.
type Verdict struct {
	Attempt int64         // the handle for the outcome; 0 when a gate refused
	Gate    delivery.Gate // why nothing was written; GateNone when the intent is durable
	// Next and Was come with GateAttempt, when the state knows of more attempts than the plan did: the number that the
	// next attempt must have, and how the delivery stands, Pending or Rejected.
	Next int
	Was  Send
	// UnderAnother says that the delivery stands under another id of the person than the intent names, so that another row
	// of the plan may be the same delivery.
	UnderAnother bool
	// Until is when a cool-down, cap, spacing or pace lets the message go; zero when time alone does not.
	Until time.Time
	// Leave is the slot that the message got; zero for at once.
	Leave time.Time
}

// Outcome settles an attempt.
type Outcome struct {
	Attempt int64
	Send    Send // Accepted, Rejected, Pending (certainly not taken) or InDoubt
	ID      string
	Proof   Proof
	Code    string
	Title   string
	Cause   string
	At      time.Time
	// UserID is the recipient's user id where the provider told it; "" for none.
	UserID string
	// The consequences for the person are written in the same transaction; see the classes of message.Answer.
	OptOut     bool
	Cooldown   time.Time
	WindowShut bool // at Number; at all numbers where that is ""
	// Hold is until when the number gives no slots, since the provider asked for a pause; zero for none.
	Hold   time.Time
	Number string // address of the sending number
}

// CampaignRun is what one apply planned for one campaign, and how it ended.
type CampaignRun struct {
	Campaign  string
	Revision  int
	Planned   int // deliveries of this revision that were to be made, by earlier runs too
	Accepted  int
	Rejected  int
	InDoubt   int
	Held      int
	Cancelled int
	Pending   int
	HeldOut   int `json:",omitempty"` // by the campaign's experiment
	Skipped   map[delivery.Reason]int
	HeldFor   map[delivery.Reason]int `json:",omitempty"` // Held by reason, at the end of the run
	HeldTill  time.Time               `json:",omitzero"`  // the earliest time at which a held one may go; zero for unknown
	// ConsentBy is the audience's expression that said who agreed to messages outside the window; "" for none.
	ConsentBy string              `json:",omitempty"`
	Halted    delivery.HaltReason `json:",omitempty"`
	// Open says that the run has something to send of the campaign, so that no other run that is open at the same time has
	// the campaign. Only runs that others can carry on say it, until the campaign's lane is done.
	Open bool `json:",omitempty"`
}

// Lane is one sending number, named by its provider block's address, as one run has it, or as the server has it that
// answers there. Begin and RecoverReplies give it out. Whoever takes the number next gets a higher epoch; from then on this lane records no intents.
type Lane struct {
	Number string
	ID     int64 // the store's own
	Epoch  int64 // rises each time the number is taken
	Run    int64 // 0 for replies
	// Limit is how long the lane belongs to its owner after a Turn; 0 where it does until somebody takes it. See Shared.
	Limit time.Duration
}

// Run is one apply.
type Run struct {
	ID        int64
	Started   time.Time
	Ended     time.Time // zero while it runs or after a crash
	Version   string
	Plan      string
	Halted    delivery.HaltReason
	Campaigns []CampaignRun
	// Blobs are written with Begin: "outputs", "variables", whatever the next plan compares with; nil removes a name.
	Blobs map[string][]byte
	// Lanes are the sending numbers that the run takes. Begin needs only their Number, and Runs leaves them out.
	Lanes []Lane
	// Resume lists the campaigns whose halts Begin lifts; Who says so.
	Resume []string
	Who    string
	// Carried lets other processes carry the run on, in a state that is Shared; others ignore it. Runs leaves it out.
	Carried *Carried `json:"-"`
}

// Tally counts the deliveries of one campaign revision that are recorded, and what became of the accepted ones.
type Tally struct {
	Accepted  int
	HeldOut   int
	Rejected  int
	InDoubt   int // an open attempt counts as in doubt
	Pending   int // certainly not taken at the last attempt
	Delivered int // of the accepted: delivered, or read
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
	case HeldOut:
		t.HeldOut += r.Count
	}
}
