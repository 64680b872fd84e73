package serve

import (
	"encoding/json"

	"github.com/handbill/handbill/state"
)

// ForwardBody returns the body that the service of a forward rule gets for an
// event.
func ForwardBody(ev *state.InboundEvent, rule string) ([]byte, error) {
	return json.Marshal(forwarded(ev, rule))
}
