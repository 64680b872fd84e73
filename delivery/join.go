package delivery

import (
	"strings"

	"github.com/handbill/handbill/message"
)

// Joining says what happens to a settled attempt when something else is reported
// about it.
type Joining uint8

// The ways of joining.
const (
	JoinKeep       Joining = iota // what is known stands
	JoinReplace                   // the report takes its place
	JoinComplete                  // both say accepted: a missing id is added, another id is a second message
	JoinContradict                // what is known stands, and a person is informed that the answer differs
	JoinAfterAll                  // the message was believed not taken, but it was
)

// Joins says how an answer to a send is joined to what an event, a recovery or a
// person has already established about the attempt. The error is a
// *TransitionError.
func Joins(known, told Send, p Proof) (Joining, error) {
	untaken := known == Pending || known == Rejected
	switch {
	case known == HeldOut || told == HeldOut: // there is no attempt that anybody could answer
		return JoinKeep, &TransitionError{From: known, To: told, Proof: p}
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

// NoticeReason returns the text that is kept with an event: why the event is only
// kept, or what it says in a few words.
func NoticeReason(ev *message.Event) string {
	if ev.Reason != "" {
		return ev.Reason
	}
	return strings.TrimSpace(ev.Code + " " + ev.Title)
}

// EventTime returns when an event happened: the provider's time, or the time of
// receipt if the provider gives none or its clock is ahead.
func EventTime(ev *message.Event, received int64) int64 {
	if ev.At.IsZero() {
		return received
	}
	if at := ev.At.UnixMilli(); at > 0 && at <= received {
		return at
	}
	return received
}
