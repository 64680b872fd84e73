package serve

import (
	"encoding/json"

	"github.com/handbill/handbill/state"
)

// ForwardBody is what the service that a rule forwards to gets of an event,
// byte for byte.
func ForwardBody(ev *state.InboundEvent, rule string) ([]byte, error) {
	return json.Marshal(forwarded(ev, rule))
}
