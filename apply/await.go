package apply

import (
	"maps"
	"slices"

	"github.com/handbill/handbill/delivery"
)

// Await holds campaigns back whose templates are still waited for, while the others
// of the run are sent. A lane does not end before it is over.
type Await struct {
	campaigns map[string]bool
	over      chan struct{}
	hold      map[string]delivery.Reason // valid once over is closed
}

// NewAwait holds back the campaigns with these addresses.
func NewAwait(campaigns ...string) *Await {
	a := &Await{campaigns: map[string]bool{}, over: make(chan struct{})}
	for _, c := range campaigns {
		a.campaigns[c] = true
	}
	return a
}

// End lets the campaigns go, except for those of hold: their templates are not sent in
// this run, for that reason. It must be called once.
func (a *Await) End(hold map[string]delivery.Reason) {
	a.hold = hold
	close(a.over)
}

// Campaigns are the addresses of all of them, sorted.
func (a *Await) Campaigns() []string {
	if a == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(a.campaigns))
}

// waits reports whether a campaign is held back now.
func (a *Await) waits(campaign string) bool {
	if a == nil || !a.campaigns[campaign] {
		return false
	}
	select {
	case <-a.over:
		return false
	default:
		return true
	}
}

// withheld is why templates of a campaign wait for another run.
func (a *Await) withheld(campaign string) delivery.Reason {
	if a == nil || !a.campaigns[campaign] || a.waits(campaign) {
		return delivery.ReasonNone
	}
	return a.hold[campaign]
}

// awaits returns a channel that is closed when sources that are held back go on; nil
// if there are none.
func (l *lane) awaits() <-chan struct{} {
	for _, s := range l.sources {
		if l.r.opt.Await.waits(s.awaited) {
			return l.r.opt.Await.over
		}
	}
	return nil
}
