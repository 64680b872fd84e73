package plan

import (
	"fmt"
	"time"

	"github.com/handbill/handbill/state"
)

// MaxAge is how long a saved plan may be applied, unless Options says
// otherwise.
const MaxAge = 24 * time.Hour

// The reasons of a StaleError.
const (
	StaleVersion = "version" // another handbill made it
	StaleLineage = "lineage" // it was made from another state
	StaleExpired = "expired" // it is too old
	StaleSerial  = "serial"  // something was decided since
)

// StaleError says why a saved plan may not be applied any more.
type StaleError struct {
	Reason string // a Stale… constant
	Detail string
}

// Error is a sentence with the way out.
func (e *StaleError) Error() string {
	return "the saved plan is stale: " + e.Detail + "; run `handbill plan` again"
}

// Stale says why p may not be applied to the state of meta, as a *StaleError,
// or nil. The serial is looked at last: it rises with every apply, those of p
// itself included. A caller who finds that all runs since were of this plan
// (state.Run.Plan is its Digest) may overlook StaleSerial, and apply sends
// what of p is still pending.
func (p *Plan) Stale(meta state.Meta, now time.Time, version string) error {
	switch {
	case p.Version != version:
		return &StaleError{StaleVersion, fmt.Sprintf("handbill %s made it and this is %s", p.Version, version)}
	case p.Lineage == "" || p.Lineage != meta.Lineage:
		return &StaleError{StaleLineage, "it was made from another state than the one here"}
	case now.After(p.Expires):
		return &StaleError{StaleExpired, fmt.Sprintf("it expired at %s", p.Expires.Format(time.RFC3339))}
	case p.Serial != meta.Serial:
		return &StaleError{StaleSerial, fmt.Sprintf("the state changed since: its serial is %d, the plan is for %d", meta.Serial, p.Serial)}
	}
	return nil
}
