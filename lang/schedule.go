package lang

import (
	"time"
)

// Bounds and default of Schedule.Within.
const (
	defaultWithin = time.Hour
	maxWithin     = 12 * time.Hour
)

// recipientZone is the timezone of a schedule that uses each recipient's time.
const recipientZone = "recipient"

func (d *decoder) decodeSchedule(b *block) *Schedule {
	c := d.content(b, schema("not_before not_after at within quiet_hours timezone"))
	s := &Schedule{NotBefore: d.timestamp(c, "not_before"), NotAfter: d.timestamp(c, "not_after"), QuietFrom: -1, QuietUntil: -1, At: -1, DeclRange: b.defRange}
	if d.str(c, "timezone") != recipientZone {
		s.Timezone = d.timezone(c)
	}
	if !s.NotBefore.IsZero() && !s.NotAfter.IsZero() && !s.NotAfter.After(s.NotBefore) {
		d.invalid(c, "not_after", "must be after not_before")
	}
	if from, until, ok := d.timeRange(c, "quiet_hours"); ok {
		s.QuietFrom, s.QuietUntil = from, until
	}
	d.scheduleAt(s, c)
	return s
}

// scheduleAt reads the local hour at which a campaign goes out to each recipient.
func (d *decoder) scheduleAt(s *Schedule, c *content) {
	s.Within = d.duration(c, "within")
	switch {
	case c.args["at"] == nil && c.args["within"] != nil:
		d.diags.err("missing_argument", c.rangeOf("within"), "within says how long after at a message may go out, so at is needed too.")
		return
	case c.args["at"] == nil:
		return
	case s.Within == 0:
		s.Within = defaultWithin
	case s.Within < time.Minute || s.Within > maxWithin || s.Within%time.Minute != 0:
		d.invalid(c, "within", "is from 1m to 12h, in whole minutes")
		return
	}
	text := d.str(c, "at")
	at, ok := clockTime(text)
	if !ok || text == "" {
		d.invalid(c, "at", `is a time of day, such as "10:00"`)
		return
	}
	s.At = at
	if s.QuietFrom >= 0 && quietAt(s, at) {
		d.invalid(c, "at", "lies within quiet_hours, in which nothing is sent")
	}
}

// quietAt reports whether a minute of the day is one of the quiet hours.
func quietAt(s *Schedule, minute int) bool {
	if s.QuietFrom <= s.QuietUntil {
		return s.QuietFrom <= minute && minute < s.QuietUntil
	}
	return minute >= s.QuietFrom || minute < s.QuietUntil
}

// timezone is a name of the IANA database; nil where there is none.
func (d *decoder) timezone(c *content) *time.Location {
	name := d.str(c, "timezone")
	if name == "" || name == "Local" {
		if c.args["timezone"] != nil && name == "Local" {
			d.invalid(c, "timezone", "may not be Local: it would mean something else on every machine")
		}
		return nil
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		d.invalid(c, "timezone", `is a name of the IANA database, such as "Europe/Berlin"`)
		return nil
	}
	return loc
}
