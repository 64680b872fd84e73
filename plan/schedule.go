package plan

import (
	"time"

	"github.com/handbill/handbill/lang"
)

// quiet is a campaign's schedule as data. attributes are the audience's.
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
	if timezone >= 0 && q.hasQuietHours() {
		q.Attribute = 0 // of the only attribute that entries keep
	}
	return q
}

func (q *Quiet) hasQuietHours() bool { return q.From >= 0 && q.From != q.Until }

// clock says for one moment what time it is in the zones of recipients.
type clock struct {
	at    time.Time
	zones map[string]int // minutes after midnight; -1 for an unknown zone
}

// minutes is the wall time in the zone, in minutes after midnight; ok is false
// for a zone that does not exist.
func (c *clock) minutes(zone string) (m int, ok bool) {
	m, known := c.zones[zone]
	if !known {
		m = -1
		if loc, err := time.LoadLocation(zone); err == nil && zone != "" {
			local := c.at.In(loc)
			m = 60*local.Hour() + local.Minute()
		}
		if c.zones == nil {
			c.zones = map[string]int{}
		}
		c.zones[zone] = m
	}
	return m, m >= 0
}

// wait is why a message to somebody in the zone is not for now: "expired" for
// good, "not_before" or "quiet_hours" for a while; "" for no reason. badZone
// says that the recipient's zone does not exist, and the schedule's counts.
func (q *Quiet) wait(c *clock, zone string) (reason string, badZone bool) {
	if q == nil {
		return "", false
	}
	if !q.NotAfter.IsZero() && !c.at.Before(q.NotAfter) {
		return "expired", false
	}
	if c.at.Before(q.NotBefore) {
		return "not_before", false
	}
	if !q.hasQuietHours() {
		return "", false
	}
	m, ok := 0, false
	if zone != "" {
		m, ok = c.minutes(zone)
		badZone = !ok
	}
	if !ok {
		m, ok = c.minutes(q.Timezone)
	}
	if !ok {
		m, _ = c.minutes("UTC")
	}
	inside := q.From <= m && m < q.Until
	if q.Until < q.From {
		inside = m >= q.From || m < q.Until
	}
	if inside {
		return "quiet_hours", badZone
	}
	return "", badZone
}
