package planfile

import (
	"fmt"
	"strings"
	"time"

	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/state"
)

// The reasons of a staleError.
const (
	staleVersion = "version" // another handbill made it
	staleLineage = "lineage" // it was made from another state
	staleExpired = "expired" // it is too old
	staleSerial  = "serial"  // something was decided since
)

// staleError says why a saved plan may not be applied any more.
type staleError struct {
	Reason string // a stale… constant
	Detail string
}

// Error returns a sentence that says what is wrong and what to do.
func (e *staleError) Error() string {
	return "the saved plan is stale: " + e.Detail + "; run `handbill plan` again"
}

// Maker identifies the handbill that makes a plan, or is to apply it.
type Maker struct {
	Version string
	Build   string // its identity; "" for a build without one
}

// String returns the build as messages name it.
func (m Maker) String() string {
	kind, id, _ := strings.Cut(m.Build, ":")
	switch {
	case m.Build == "":
		return m.Version + " (a build that is not known)"
	case kind == "sha256":
		kind = "program"
	}
	return fmt.Sprintf("%s (%s %.16s)", m.Version, kind, strings.TrimPrefix(id, "h1:"))
}

// Stale says, as a *staleError, why this handbill may not apply p to the state of
// meta; nil if it may. Another build may compile the same configuration to other
// messages, so only the build that made p may apply it; a build without an identity
// may apply none. runs are the state's, oldest first. The last ones, as far as they
// carried out p itself, do not make it stale, so that applying it again sends what
// of it is still pending.
func Stale(p *plan.Plan, meta state.Meta, runs []state.Run, now time.Time, by Maker) error {
	switch {
	case p.Version != by.Version || p.Build != by.Build:
		return &staleError{staleVersion, fmt.Sprintf("handbill %s made it and this is %s; apply it with the one that made it, or with this one", Maker{p.Version, p.Build}, by)}
	case by.Build == "":
		return &staleError{staleVersion, "nothing tells this build of handbill from another, since its own file cannot be read"}
	case p.Lineage == "" || p.Lineage != meta.Lineage:
		return &staleError{staleLineage, "it was made from another state than the one here"}
	case now.After(p.Expires):
		return &staleError{staleExpired, fmt.Sprintf("it expired at %s", p.Expires.Format(time.RFC3339))}
	case p.Serial != meta.Serial && !raised(p, meta.Serial-p.Serial, runs):
		return &staleError{staleSerial, fmt.Sprintf("the state changed since: its serial is %d, the plan is for %d", meta.Serial, p.Serial)}
	}
	return nil
}

// raised reports whether p itself raised the serial by so much: each of its last
// runs raises it by one, and the first of them also by one for each resource that it
// moved.
func raised(p *plan.Plan, by int64, runs []state.Run) bool {
	own := int64(0)
	for i := len(runs) - 1; i >= 0 && runs[i].Plan == p.Digest; i-- {
		own++
	}
	moves := int64(len(p.Moved()))
	return by > moves && by <= moves+own
}
