package message

import "time"

// Request is one message in a provider's wire format, complete except for the
// credentials.
type Request struct {
	Path string // below the provider's base URL, such as "/messages" or "/sendList"
	Body []byte // JSON
}

// Class says what a provider's answer to one send means for the delivery. The
// class alone decides the next step; codes and texts are for people.
type Class uint8

// The classes of an Answer. See docs/delivery.md.
const (
	// Unknown: a byte may have left and nothing proves what became of it. It is the
	// zero value, so that a forgotten case is never sent again.
	Unknown Class = iota
	// Accepted: the provider took the message and gave an id.
	Accepted
	// Refused: the provider certainly did not take this message, and sending it
	// again would have the same result.
	Refused
	// Throttled: certainly not taken; the number or the account is too fast.
	Throttled
	// PairThrottled: certainly not taken; this recipient got one too recently.
	PairThrottled
	// NotSent: no connection was obtained or no byte of the request left, or
	// the provider says that it was not taken and may be tried again.
	NotSent
	// AccountFault: certainly not taken, and nothing else will be until a
	// person acts: token, balance, blocked, spam, redirect.
	AccountFault
	// WindowClosed: certainly not taken, because the 24-hour window is closed.
	WindowClosed
	// OptedOut: certainly not taken, because the person does not want such
	// messages.
	OptedOut
)

// String is the class's name in state, plan and JSON.
func (c Class) String() string {
	switch c {
	case Accepted:
		return "accepted"
	case Refused:
		return "refused"
	case Throttled:
		return "throttled"
	case PairThrottled:
		return "pair_throttled"
	case NotSent:
		return "not_sent"
	case AccountFault:
		return "account_fault"
	case WindowClosed:
		return "window_closed"
	case OptedOut:
		return "opted_out"
	}
	return "unknown"
}

// Answer is the outcome of one send, as far as the provider's response tells it.
type Answer struct {
	Class Class
	ID    string // the provider's message id, with Accepted
	// Recipient is who the provider says it sent to, as it writes them: a number
	// with or without "+", or a user id; "" where it does not say.
	Recipient string
	// UserID is the recipient's user id, with Accepted; "" if the provider does not
	// return it.
	UserID string
	Code   string // the provider's code, such as "131047" or "WA401"; "" where there is none
	// Title says in a few words what the provider reported; never a token,
	// a phone number or a text of the message.
	Title string
	// Advice is what a person can do about it; "" where there is nothing.
	Advice string
	// RetryAfter is how long the provider asks to wait; 0 where it does not say.
	RetryAfter time.Duration
}
