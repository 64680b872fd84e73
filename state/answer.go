package state

import (
	"cmp"
	"time"

	"github.com/handbill/handbill/delivery"
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

// Tells reports whether the outcome says something about the person other than who
// they are.
func (o *Outcome) Tells() bool { return o.OptOut || !o.Cooldown.IsZero() || o.WindowShut }

// Tell adds what the outcome says about the person.
func (o *Outcome) Tell(f *delivery.Facts) {
	at := Millis(o.At)
	if o.OptOut {
		f.Say(delivery.Word{Opt: delivery.Opt{Choice: delivery.OptedOut, At: at, Reason: cmp.Or(o.Code, "provider"), Evidence: "answer to a send"}})
	}
	f.Cooldown = max(f.Cooldown, Millis(o.Cooldown))
	if o.WindowShut {
		f.ShutAt(o.Number, at)
	}
}
