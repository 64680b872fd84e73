package delivery

import (
	"strings"

	"github.com/handbill/handbill/message"
)

// Joining is what becomes of an attempt that is settled when something else is
// told about it.
type Joining uint8

// The ways of joining.
const (
	JoinKeep       Joining = iota // what is known stands
	JoinReplace                   // what is told takes its place
	JoinComplete                  // both say accepted: an id that is missing is added, another one is a second message
	JoinContradict                // what is known stands, and a person is told that the answer says something else
	JoinAfterAll                  // it was believed to be not taken, and it was
)

// Joins says how an answer to a send is joined to what is known of the attempt
// already, by an event, by a recovery or by a person. The error is a
// *TransitionError.
func Joins(known, told Send, p Proof) (Joining, error) {
	untaken := known == Pending || known == Rejected
	switch {
	case known == Accepted && told == Accepted:
		return JoinComplete, nil
	case known == told: // said twice
		return JoinKeep, nil
	case known == Accepted && told == InDoubt: // the event knows better
		return JoinKeep, nil
	case known == Accepted:
		return JoinContradict, nil
	case untaken && told == Accepted:
		return JoinAfterAll, nil
	case untaken: // it is settled that the provider did not take it
		return JoinKeep, nil
	case known == InDoubt && told == Pending: // a decoded refusal, as certain as one in time
		return JoinReplace, nil
	}
	return JoinReplace, Transition(known, told, p)
}

// NoticeReason is what is kept of an event beside itself: why it is only kept,
// or what it says in a few words.
func NoticeReason(ev *message.Event) string {
	if ev.Reason != "" {
		return ev.Reason
	}
	return strings.TrimSpace(ev.Code + " " + ev.Title)
}

// EventTime is when an event happened: the provider's time, or the one at which
// it was received where the provider says none or is ahead.
func EventTime(ev *message.Event, received int64) int64 {
	if ev.At.IsZero() {
		return received
	}
	if at := ev.At.UnixMilli(); at > 0 && at <= received {
		return at
	}
	return received
}
