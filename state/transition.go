package state

import "fmt"

// TransitionError is a move on the send axis that the design forbids: a bug of
// ours. Whoever gets it halts; nothing was written.
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
// A new attempt goes through Pending always, and out of Accepted there is no
// way. Out of Rejected there is one: a status that proves that the provider
// took it after all.
func Transition(from, to Send, p Proof) error {
	if allowed(from, to, p) {
		return nil
	}
	return &TransitionError{From: from, To: to, Proof: p}
}

func allowed(from, to Send, p Proof) bool {
	switch from {
	case Pending:
		// The echo of an attempt that was believed to be not taken.
		return to == Sending || to == Cancelled || to == Accepted && (p == ProofEcho || p == ProofPoll)
	case Sending:
		return to == Rejected || to == InDoubt || to == Pending ||
			to == Accepted && (p == ProofResponse || p == ProofEcho || p == ProofPoll)
	case InDoubt:
		// Back to Pending is for resolve -as=not-sent, and for an answer that came
		// after the attempt was given up. A late refusal settles it as well.
		return to == Accepted && p != "" || to == Pending && p == ProofOperator || to == Rejected
	case Rejected:
		return to == Accepted && (p == ProofEcho || p == ProofPoll)
	}
	return false
}
