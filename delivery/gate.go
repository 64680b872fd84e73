package delivery

import (
	"fmt"
	"slices"
)

// Gate is why a message may not go to a person now. The zero value lets it
// through. Its text and its JSON are the word itself, such as "opted_out".
type Gate string

// The gates.
const (
	GateNone          Gate = ""
	GateOptedOut      Gate = "opted_out"
	GateErased        Gate = "erased"
	GateConsent       Gate = "no_consent"
	GateCooldown      Gate = "cooldown"
	GateWindowClosed  Gate = "window_closed"
	GateWindowUnknown Gate = "window_unknown"
	GateCap           Gate = "frequency_cap"
	GateSent          Gate = "already_sent"
	GateDoubt         Gate = "in_doubt"
	GateRefused       Gate = "refused_before" // the delivery was refused, and this attempt is no retry
	GateAttempt       Gate = "attempt"        // the attempt's number is not the next: the plan is older than the state
	GateSpacing       Gate = "spacing"        // the person got another message a moment ago
	GatePace          Gate = "pace"           // the number has sent what its limit allows
	GateHeldOut       Gate = "held_out"       // the person is in the holdout of the campaign's experiment
)

var gates = []Gate{GateNone, GateOptedOut, GateErased, GateConsent, GateCooldown, GateWindowClosed, GateWindowUnknown,
	GateCap, GateSent, GateDoubt, GateRefused, GateAttempt, GateSpacing, GatePace, GateHeldOut}

// Reason returns the gate as the reason why somebody gets nothing.
func (g Gate) Reason() Reason { return Reason(g) }

// UnmarshalText implements encoding.TextUnmarshaler, and with it JSON. A word that
// is no gate is an error: an unknown gate must not let a message through.
func (g *Gate) UnmarshalText(text []byte) error {
	if !slices.Contains(gates, Gate(text)) {
		return fmt.Errorf("%q is no gate", text)
	}
	*g = Gate(text)
	return nil
}
