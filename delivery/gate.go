package delivery

import "fmt"

// Gate is why a message may not go to a person now. The zero value lets it
// through. Its text and its JSON are a word, such as "opted_out".
type Gate uint8

// The gates.
const (
	GateNone Gate = iota
	GateOptedOut
	GateErased
	GateConsent
	GateCooldown
	GateWindowClosed
	GateWindowUnknown
	GateCap
	GateSent
	GateDoubt
	GateRefused // it was refused, and this attempt is no retry
	GateAttempt // the attempt's number is not the next: the plan is older than the state
	GateSpacing // the person got another message a moment ago
	GatePace    // the number has sent what its limit allows
)

var gates = [...]string{"", "opted_out", "erased", "no_consent", "cooldown", "window_closed", "window_unknown",
	"frequency_cap", "already_sent", "in_doubt", "refused_before", "attempt", "spacing", "pace"}

// String is the gate's word; "" for GateNone.
func (g Gate) String() string {
	if int(g) >= len(gates) {
		return "unknown"
	}
	return gates[g]
}

// MarshalText implements encoding.TextMarshaler, and with it JSON.
func (g Gate) MarshalText() ([]byte, error) {
	if int(g) >= len(gates) {
		return nil, fmt.Errorf("no gate has the number %d", g)
	}
	return []byte(gates[g]), nil
}

// UnmarshalText implements encoding.TextUnmarshaler. A word that is no gate is
// an error, so that nothing passes for being unknown.
func (g *Gate) UnmarshalText(text []byte) error {
	for i, word := range gates {
		if word == string(text) {
			*g = Gate(i)
			return nil
		}
	}
	return fmt.Errorf("%q is no gate", text)
}
