package apply

import (
	"time"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
)

// openAt says whether a campaign's schedule lets a message go to r at now, and
// where it does not, why and until when; a zero until is for ever.
func (z zones) openAt(c *plan.Campaign, r *message.Recipient, now time.Time) (reason string, until time.Time) {
	q := c.Quiet
	if q == nil {
		return "", time.Time{}
	}
	if !q.NotAfter.IsZero() && !now.Before(q.NotAfter) {
		return "expired", time.Time{}
	}
	if now.Before(q.NotBefore) {
		return "not_before", q.NotBefore
	}
	if q.From < 0 || q.From == q.Until {
		return "", time.Time{}
	}
	if until := quietUntil(q, z.of(q, r), now); !until.IsZero() {
		return "quiet_hours", until
	}
	return "", time.Time{}
}

// zones caches time zones by name; nil for a name that the machine does not
// know.
type zones map[string]*time.Location

// of is the recipient's time zone where the audience tells it and the machine
// knows it, else the schedule's, else UTC.
func (z zones) of(q *plan.Quiet, r *message.Recipient) *time.Location {
	if q.Attribute >= 0 && q.Attribute < len(r.Attributes) {
		if loc := z.load(r.Attributes[q.Attribute].Text); loc != nil {
			return loc
		}
	}
	if loc := z.load(q.Timezone); loc != nil {
		return loc
	}
	return time.UTC
}

func (z zones) load(name string) *time.Location {
	if name == "" {
		return nil // LoadLocation takes it for UTC
	}
	loc, known := z[name]
	if !known {
		loc, _ = time.LoadLocation(name)
		z[name] = loc
	}
	return loc
}

// quietUntil is the end of the quiet hours that now falls into, zero when it
// falls into none. Wall times that a change to summer time skips count as the
// moment of the change, as time.Date does it.
func quietUntil(q *plan.Quiet, loc *time.Location, now time.Time) time.Time {
	local := now.In(loc)
	y, m, d := local.Date()
	at := func(day, minutes int) time.Time {
		return time.Date(y, m, d+day, minutes/60, minutes%60, 0, 0, loc)
	}
	for day := -1; day <= 0; day++ {
		from, until := at(day, q.From), at(day, q.Until)
		if q.Until < q.From {
			until = at(day+1, q.Until)
		}
		if !local.Before(from) && local.Before(until) {
			return until
		}
	}
	return time.Time{}
}
