package apply

import (
	"time"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
)

// openAt says whether a campaign's schedule lets a message go to r at now, and
// where it does not, why and until when; a zero until is for ever. It is the
// plan's own rule, held again at the moment of sending.
func (l *lane) openAt(c *plan.Campaign, r *message.Recipient, now time.Time) (reason string, until time.Time) {
	q, zone := c.Quiet, ""
	if q != nil && q.Attribute >= 0 && q.Attribute < len(r.Attributes) {
		zone = r.Attributes[q.Attribute].Text
	}
	switch reason = q.Wait(&l.clock, now, zone); reason {
	case "not_before":
		until = q.NotBefore
	case "quiet_hours":
		until, _ = q.End(&l.clock, now, zone)
	}
	return reason, until
}
