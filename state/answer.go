package state

import (
	"time"

	"github.com/handbill/handbill/message"
)

// OutcomeOf turns an answer into the attempt's outcome, by the answer's class alone. Only what was certainly not taken
// goes back to pending; whatever is not known is in doubt.
func OutcomeOf(attempt int64, a message.Answer, at time.Time) Outcome {
	o := Outcome{Attempt: attempt, Code: a.Code, Title: a.Title, At: at}
	switch a.Class {
	case message.Accepted:
		o.Send, o.ID, o.Proof, o.UserID = Accepted, a.ID, ProofResponse, a.UserID
	case message.Refused:
		o.Send = Rejected
		if a.RetryAfter > 0 {
			o.Cooldown = at.Add(a.RetryAfter)
		}
	case message.WindowClosed:
		o.Send, o.WindowShut = Rejected, true
	case message.OptedOut:
		o.Send, o.OptOut = Rejected, true
	case message.Throttled, message.PairThrottled, message.NotSent, message.AccountFault:
		o.Send = Pending
	default:
		o.Send, o.Cause = InDoubt, a.Title
	}
	return o
}
