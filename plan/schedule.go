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
	if s.At >= 0 {
		q.At, q.Within = s.At, int(s.Within/time.Minute)
	}
	if q.local() {
		if s.Timezone == nil {
			q.Timezone = "" // the recipient's own, or all of their country's
		}
		if timezone >= 0 || s.Timezone == nil {
			q.Attribute = 0 // index of the only attribute that entries keep
		}
	}
	return q
}

func (q *Quiet) hasQuietHours() bool { return q.From >= 0 && q.From != q.Until }

// local reports whether something depends on the time where the recipient is.
func (q *Quiet) local() bool { return q.hasQuietHours() || q.Within > 0 }

// zoneless reports whether no zone is known that gives the recipient's time.
func (q *Quiet) zoneless(zone string) bool {
	return q != nil && q.local() && zone == "" && q.Timezone == ""
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

// last returns, of several zones separated by spaces, the one with the earliest
// local time at a moment: every hour comes last there. A single zone is returned as
// it is.
func (c *Clock) last(at time.Time, zones string) string {
	if !strings.Contains(zones, " ") {
		return zones
	}
	best, bestOffset := "", 0
	for name := range strings.FieldsSeq(zones) {
		loc := c.zone(name)
		if loc == nil {
			continue
		}
		if _, offset := at.In(loc).Zone(); best == "" || offset < bestOffset {
			best, bestOffset = name, offset
		}
	}
	return best
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
// moment at: ReasonExpired for good, ReasonNotBefore, ReasonLocalTime or
// ReasonQuietHours for a while, or ReasonNone. zone may name several zones, separated
// by spaces, when the person may be in any of them: it is quiet when it is quiet in
// one, and the campaign's hour begins with the last of them, so that nobody is sent
// to before it. Where zone is "" or unknown the schedule's own zone counts. Plan and
// apply both ask Wait.
func (q *Quiet) Wait(c *Clock, at time.Time, zone string) delivery.Reason {
	switch {
	case q == nil:
		return delivery.ReasonNone
	case !q.NotAfter.IsZero() && !at.Before(q.NotAfter):
		return delivery.ReasonExpired
	case at.Before(q.NotBefore):
		return delivery.ReasonNotBefore
	case q.Within > 0 && q.untilHour(c, at, zone) > 0:
		return delivery.ReasonLocalTime
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

// untilHour returns how many minutes of wall time are left until the campaign's
// hour begins; 0 within it.
func (q *Quiet) untilHour(c *Clock, at time.Time, zone string) int {
	m, ok := c.wall(at, c.last(at, zone))
	if !ok {
		if m, ok = c.wall(at, q.Timezone); !ok {
			m, _ = c.wall(at, "UTC")
		}
	}
	if since := (m - q.At + 24*60) % (24 * 60); since < q.Within {
		return 0
	}
	return (q.At - m + 24*60) % (24 * 60)
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

// maxQuiet is how far ahead Open looks: clocks change twice a year, and the
// days of a week are alike.
const maxQuiet = 8 * 24 * time.Hour

// Open returns the first moment from at on at which it is the campaign's hour and
// not quiet, whatever NotBefore and NotAfter say; ok is false where there is none
// within maxQuiet.
func (q *Quiet) Open(c *Clock, at time.Time, zone string) (open time.Time, ok bool) {
	for open = at; open.Sub(at) < maxQuiet; {
		if q.Within > 0 {
			if left := q.untilHour(c, open, zone); left > 0 {
				open = step(open, left, func(at time.Time) int { return q.untilHour(c, at, zone) })
				continue
			}
		}
		if !q.hasQuietHours() {
			return open, true
		}
		left := q.quietFor(c, open, zone)
		if left == 0 {
			return open, true
		}
		open = step(open, left, func(at time.Time) int { return q.quietFor(c, at, zone) })
	}
	return time.Time{}, false
}

// step advances from a closed moment by left minutes of wall time. closed returns
// for how many minutes a moment is still closed. When the clocks change in between,
// wall time and elapsed time differ, so step then searches minute by minute from the
// first minute that may be open.
func step(from time.Time, left int, closed func(time.Time) int) time.Time {
	from = from.Truncate(time.Minute)
	to := from.Add(time.Duration(left) * time.Minute)
	// Clocks change by two hours at most.
	for at := to.Add(-2 * time.Hour); at.Before(to); at = at.Add(time.Minute) {
		if at.After(from) && closed(at) == 0 {
			return at
		}
	}
	return to
}
