package plan

import (
	"strings"
	"time"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/lang"
)

// quiet turns a campaign's schedule into data.
func quiet(s *lang.Schedule, timezone int) *Quiet {
	if s == nil {
		return nil
	}
	q := &Quiet{NotBefore: s.NotBefore.UTC(), NotAfter: s.NotAfter.UTC(), From: s.QuietFrom, Until: s.QuietUntil, Timezone: "UTC", Attribute: -1}
	if s.NotBefore.IsZero() {
		q.NotBefore = time.Time{}
	}
	if s.NotAfter.IsZero() {
		q.NotAfter = time.Time{}
	}
	if s.Timezone != nil {
		q.Timezone = s.Timezone.String()
	}
	if q.hasQuietHours() {
		if s.Timezone == nil {
			q.Timezone = "" // the recipient's own, or all of their country's
		}
		if timezone >= 0 || s.Timezone == nil {
			q.Attribute = 0 // of the only attribute that entries keep
		}
	}
	return q
}

func (q *Quiet) hasQuietHours() bool { return q.From >= 0 && q.From != q.Until }

// zoneless reports whether no zone is known by which to tell the quiet hours.
func (q *Quiet) zoneless(zone string) bool {
	return q != nil && q.hasQuietHours() && zone == "" && q.Timezone == ""
}

// Clock tells the time in time zones and caches them. The zero value is ready. It
// is not safe for concurrent use.
type Clock struct {
	at      time.Time
	minutes map[string]int            // after midnight at that moment; -1 for an unknown zone
	zones   map[string]*time.Location // nil for an unknown one
}

// zone loads a time zone; nil where there is none of that name.
func (c *Clock) zone(name string) *time.Location {
	loc, known := c.zones[name]
	if !known {
		if name != "" { // LoadLocation takes it for UTC
			loc, _ = time.LoadLocation(name)
		}
		if c.zones == nil {
			c.zones = map[string]*time.Location{}
		}
		c.zones[strings.Clone(name)] = loc // name may be a piece of a larger text
	}
	return loc
}

// wall returns the wall time in the zone, in minutes after midnight; ok is false
// for a zone that does not exist.
func (c *Clock) wall(at time.Time, zone string) (m int, ok bool) {
	if !at.Equal(c.at) || c.minutes == nil {
		c.at, c.minutes = at, map[string]int{}
	}
	m, known := c.minutes[zone]
	if !known {
		m = -1
		if loc := c.zone(zone); loc != nil {
			local := at.In(loc)
			m = 60*local.Hour() + local.Minute()
		}
		c.minutes[strings.Clone(zone)] = m
	}
	return m, m >= 0
}

// Wait returns why a message to somebody in the zone must not be sent at the
// moment at: ReasonExpired for good, ReasonNotBefore or ReasonQuietHours for a
// while, or ReasonNone. zone may name several zones, separated by spaces, when the
// person may be in any of them: it is quiet when it is quiet in one. Where zone is
// "" or unknown the schedule's own zone counts. Plan and apply both ask Wait.
func (q *Quiet) Wait(c *Clock, at time.Time, zone string) delivery.Reason {
	switch {
	case q == nil:
		return delivery.ReasonNone
	case !q.NotAfter.IsZero() && !at.Before(q.NotAfter):
		return delivery.ReasonExpired
	case at.Before(q.NotBefore):
		return delivery.ReasonNotBefore
	case q.hasQuietHours() && q.quietFor(c, at, zone) > 0:
		return delivery.ReasonQuietHours
	}
	return delivery.ReasonNone
}

// quietFor returns how many minutes of wall time it stays quiet in the zones; 0
// when it is not quiet.
func (q *Quiet) quietFor(c *Clock, at time.Time, zone string) int {
	longest, found := 0, false
	for name := range strings.FieldsSeq(zone) {
		if m, ok := c.wall(at, name); ok {
			longest, found = max(longest, q.left(m)), true
		}
	}
	if found {
		return longest
	}
	m, ok := c.wall(at, q.Timezone)
	if !ok {
		m, _ = c.wall(at, "UTC")
	}
	return q.left(m)
}

// left returns how many minutes of the quiet hours are left at m minutes after
// midnight; 0 outside them.
func (q *Quiet) left(m int) int {
	inside := q.From <= m && m < q.Until
	if q.Until < q.From {
		inside = m >= q.From || m < q.Until
	}
	if !inside {
		return 0
	}
	return (q.Until - m + 24*60) % (24 * 60)
}

// maxQuiet is how far ahead End looks: clocks change twice a year, and the
// days of a week are alike.
const maxQuiet = 8 * 24 * time.Hour

// End returns when the quiet hours that contain at have ended in all of the zones;
// ok is false when it is always quiet in one of them.
func (q *Quiet) End(c *Clock, at time.Time, zone string) (end time.Time, ok bool) {
	end = at
	for end.Sub(at) < maxQuiet {
		left := q.quietFor(c, end, zone)
		if left == 0 {
			return end, true
		}
		end = q.step(c, end, left, zone)
	}
	return time.Time{}, false
}

// step advances by left minutes of wall time from a quiet moment. When the clocks
// change in between, wall time and elapsed time differ, so it then searches
// minute by minute from the first that may be open.
func (q *Quiet) step(c *Clock, from time.Time, left int, zone string) time.Time {
	from = from.Truncate(time.Minute)
	to := from.Add(time.Duration(left) * time.Minute)
	// Clocks change by two hours at most.
	for at := to.Add(-2 * time.Hour); at.Before(to); at = at.Add(time.Minute) {
		if at.After(from) && q.quietFor(c, at, zone) == 0 {
			return at
		}
	}
	return to
}
