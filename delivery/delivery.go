// Package delivery holds the rules of sending a message once: how a delivery
// may move, when a person may be written to, and how reports about people and
// messages are joined. It reads no clock and no store: the caller loads the
// facts, asks, and records the answer. docs/delivery.md says the same in prose.
//
// Times are milliseconds since 1970 in UTC; 0 stands for none. Every join is
// commutative, associative and idempotent, so it does not matter in which order or
// how often providers report something.
package delivery

import "fmt"

// Send is the state of a delivery on its way to the provider.
type Send uint8

// The states of the send axis. A delivery that nobody tried to send is pending.
const (
	Pending  Send = iota // decided, no open attempt
	Sending              // an intent is durable, a byte may have left
	Accepted             // the provider took it
	Rejected             // the provider certainly refused it
	InDoubt              // unknown; never sent again automatically
	HeldOut              // in the holdout of the campaign's experiment: never attempted
)

// String is the state's word in views, JSON and the state file.
func (s Send) String() string {
	words := [...]string{"pending", "sending", "accepted", "rejected", "in_doubt", "held_out"}
	if int(s) >= len(words) {
		return "unknown"
	}
	return words[s]
}

// MayHaveReached reports whether the person may have the message: it was
// accepted, or nobody knows. Frequency caps count these.
func (s Send) MayHaveReached() bool { return s == Accepted || s == InDoubt || s == Sending }

// Proof says how we know that a message was accepted.
type Proof string

// The proofs.
const (
	ProofResponse Proof = "response" // the provider's answer to the send
	ProofEcho     Proof = "echo"     // a status with our reference or a known id
	ProofPoll     Proof = "poll"     // asked the provider
	ProofOperator Proof = "operator" // resolve -as=sent, or import
)

// TransitionError is a move on the send axis that is forbidden, which is a bug of
// handbill. The caller halts. Nothing was written.
type TransitionError struct {
	From, To Send
	Proof    Proof
}

func (e *TransitionError) Error() string {
	return fmt.Sprintf("a delivery cannot go from %s to %s (proof %q); this is a bug in handbill, nothing was written", e.From, e.To, e.Proof)
}

// Transition says whether a delivery may go from one state of the send axis to
// another; the error is a *TransitionError. p is the proof that it was
// accepted, and matters only where to is Accepted.
//
// A new attempt always goes through Pending, and nothing leaves Accepted.
// Rejected is left only if the provider itself says that it took the message
// after all. HeldOut has no way in, since it comes with its delivery, and none out.
func Transition(from, to Send, p Proof) error {
	if allowed(from, to, p) {
		return nil
	}
	return &TransitionError{From: from, To: to, Proof: p}
}

func allowed(from, to Send, p Proof) bool {
	switch from {
	case Pending:
		// The late answer to, or the echo of, an attempt that was believed not taken.
		return to == Sending || to == Accepted && provider(p)
	case Sending:
		return to == Rejected || to == InDoubt || to == Pending ||
			to == Accepted && provider(p)
	case InDoubt:
		// Back to Pending is for resolve -as=not-sent, and for an answer that came
		// after the attempt was given up. A late refusal settles it as well.
		return to == Accepted && p != "" || to == Pending && p == ProofOperator || to == Rejected
	case Rejected:
		return to == Accepted && provider(p)
	}
	return false
}

// provider reports whether a proof is the provider's own word.
func provider(p Proof) bool { return p == ProofResponse || p == ProofEcho || p == ProofPoll }

// Attempt is the newest attempt at a delivery; the zero value says that there
// was none.
type Attempt struct {
	Number int
	Send   Send
}

// Over reports whether a takes precedence over o, where both are about the same
// message under different ids of one person: what may have reached them precedes
// what did not.
func (a Attempt) Over(o Attempt) bool { return a.weight() > o.weight() }

func (a Attempt) weight() int {
	switch {
	case a.Number == 0:
		return 0
	case a.Send == Accepted:
		return 5
	case a.Send == Sending || a.Send == InDoubt:
		return 4
	case a.Send == HeldOut:
		return 3
	case a.Send == Rejected:
		return 2
	}
	return 1
}

// Order says what the next attempt is for.
type Order struct {
	Number int  // the attempt's number
	Retry  bool // a refused delivery may be tried again
	Again  bool // a person ordered an accepted delivery to be sent once more
}

// Once allows an attempt if the newest one can't have reached the person: then
// earlier ones can't have either, or an order superseded them. A refused delivery
// is tried again only as a retry, an accepted one only by an order for exactly the
// attempt after it. Nothing makes an attempt at somebody who is held out.
func (a Attempt) Once(o Order) Gate {
	switch {
	case a.Send == HeldOut:
		return GateHeldOut
	case a.Send == Accepted && (!o.Again || o.Number != a.Number+1):
		return GateSent
	case a.Send == Sending || a.Send == InDoubt:
		return GateDoubt
	case a.Send == Rejected && !o.Retry:
		return GateRefused
	case o.Number != a.Number+1:
		return GateAttempt
	}
	return GateNone
}
