package delivery

import "time"

// WindowLength is WhatsApp's customer service window: how long a person may be
// written to freely after they wrote to a number. Source: Meta, WhatsApp Cloud
// API, "Send messages", read 2026-09-11.
const WindowLength = 24 * time.Hour

// windowMargin is how long before its end a window counts as closed, so that a
// message on its way does not miss it. Plan and apply use the same.
const windowMargin = 2 * time.Minute

// CooldownLength is how long no marketing is sent to a person whom Meta chose
// not to deliver to (131049). Source: Meta, error codes, read 2026-09-11.
const CooldownLength = 24 * time.Hour

// Spacing is the least time between two messages to one person, whatever sends
// them. Source: Meta, WhatsApp Cloud API, "About the platform" (pair rate
// limit), read 2026-09-11.
const Spacing = 6 * time.Second

// spacingMargin is how long after its intent a message may leave, see
// pace.Ahead: intents are that much further apart than messages have to be.
const spacingMargin = 500 * time.Millisecond

// Spaced says whether a person whose last message was intended at last may get
// another at now, and if not, until when. A message that certainly was not taken
// does not count.
func Spaced(last, now int64, spacing time.Duration) (g Gate, until int64) {
	until = last + (spacing + spacingMargin).Milliseconds()
	if last == 0 || spacing <= 0 || until <= now {
		return GateNone, 0
	}
	return GateSpacing, until
}

// Window is what is known of the 24-hour window of one person at one sending
// number.
type Window struct {
	Inbound int64 // when the person wrote last
	Shut    int64 // when a provider last found the window closed (131047)
}

// Join adds what else is known of the same window.
func (w Window) Join(o Window) Window {
	return Window{Inbound: max(w.Inbound, o.Inbound), Shut: max(w.Shut, o.Shut)}
}

// Claim adds what an audience says about when the person wrote last. A time in the
// future proves nothing.
func (w Window) Claim(at, now int64) Window {
	if at <= now {
		w.Inbound = max(w.Inbound, at)
	}
	return w
}

// Ends is when the window closes; 0 when nothing is known. A window that was
// found closed stays closed until the person writes again.
func (w Window) Ends() int64 {
	if w.Inbound == 0 {
		return w.Shut
	}
	ends := w.Inbound + WindowLength.Milliseconds()
	if w.Shut >= w.Inbound {
		ends = min(ends, w.Shut)
	}
	return ends
}

// Gate says why a message that needs an open window may not go now. assumeOpen
// takes an unknown window as open.
func (w Window) Gate(now int64, assumeOpen bool) Gate {
	switch ends := w.Ends(); {
	case ends > now+windowMargin.Milliseconds():
		return GateNone
	case ends == 0 && assumeOpen:
		return GateNone
	case ends == 0:
		return GateWindowUnknown
	}
	return GateWindowClosed
}

// Choice is a person's last word on marketing.
type Choice int64

// The choices. The state keeps these numbers.
const (
	NoChoice Choice = iota
	OptedOut
	OptedIn
)

// Opt is a choice with when and how it was made.
type Opt struct {
	Choice   Choice
	At       int64
	Reason   string
	Evidence string
}

// Join keeps the newest choice, and of two equally new ones the opt-out. Texts
// break the remaining ties, so that order does not matter.
func (o Opt) Join(n Opt) Opt {
	switch {
	case n.Choice == NoChoice:
		return o
	case o.Choice == NoChoice || n.At > o.At:
		return n
	case n.At < o.At || n.Choice > o.Choice:
		return o
	case n.Choice == o.Choice && (n.Reason > o.Reason || n.Reason == o.Reason && n.Evidence >= o.Evidence):
		return o
	}
	return n
}

// Stricter joins the choices of two persons who turn out to be one: an opt-out
// holds, whichever is newer, and takes precedence over a pause.
func (o Opt) Stricter(n Opt) Opt {
	switch a, b := o.strictness(), n.strictness(); {
	case a > b:
		return o
	case b > a:
		return n
	}
	return o.Join(n)
}

func (o Opt) strictness() int {
	switch {
	case o.Choice != OptedOut:
		return 0
	case o.Reason == OptUnclear:
		return 1
	}
	return 2
}

// Passed is the part of a choice that passes with the phone number to its next
// owner: an opt-out, until they opt in.
func (o Opt) Passed() Opt {
	if o.Choice == OptedOut {
		return o
	}
	return Opt{}
}

// cooldownUntil is when marketing may go again to a person whom Meta chose not
// to deliver to at a moment.
func cooldownUntil(at int64) int64 { return at + CooldownLength.Milliseconds() }

// Cooling reports whether a cool-down still holds.
func Cooling(until, now int64) bool { return now < until }

// Cap is a bound on how many messages of campaigns a person gets in a period.
type Cap struct {
	Count int
	Per   time.Duration
}

// Since is the moment after which messages count at now.
func (c Cap) Since(now int64) int64 { return now - c.Per.Milliseconds() }

// Gate says whether one more message may go to a person. times are the intents of
// the period, newest first. until is when the cap lets the next
// one through.
func (c Cap) Gate(times []int64) (g Gate, until int64) {
	if c.Count <= 0 || len(times) < c.Count {
		return GateNone, 0
	}
	return GateCap, times[c.Count-1] + c.Per.Milliseconds()
}

// Consequence is what a provider's code says about the person.
type Consequence uint8

// The consequences.
const (
	NoConsequence   Consequence = iota
	ConsequenceStop             // the person stopped marketing
	ConsequenceCool             // Meta chose not to deliver marketing to the person
	ConsequenceShut             // the window of the sending number is closed
)

// ConsequenceOf reads the code of a failed status. Source: Meta, error codes,
// read 2026-09-11.
func ConsequenceOf(code string) Consequence {
	switch code {
	case "131050":
		return ConsequenceStop
	case "131049":
		return ConsequenceCool
	case "131047":
		return ConsequenceShut
	}
	return NoConsequence
}
