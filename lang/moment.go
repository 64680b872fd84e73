package lang

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/handbill/handbill/message"
)

// window reads when the person wrote last.
func (r *Rows) window(values []message.Value, out *Person) error {
	if r.lastInbound == nil || r.placeholders.nothing(r.lastInbound, values) {
		return nil
	}
	text, err := r.text(r.lastInbound, values, out)
	if err != nil {
		return err
	}
	text = strings.TrimSpace(text)
	if text == "" {
		return nil
	}
	t, ok := parseMoment(text)
	if !ok {
		return &RowError{
			Range: r.lastInbound.Range(), Code: "invalid_value", Summary: summaryOf("invalid_value"),
			Detail: "last_inbound is a time with its zone, such as 2026-03-01T09:00:00+01:00, or in Unix seconds or milliseconds. " + momentAdvice(text, r.lastInboundText),
		}
	}
	out.LastInbound = t
	return nil
}

// windowSource returns the source of last_inbound, for advice.
func windowSource(e hclsyntax.Expression) string {
	if e == nil {
		return ""
	}
	return sourceOf(e)
}

// The counts of seconds and milliseconds that are read as times: from 1973 and 2001
// to 2100. Smaller and larger numbers are spreadsheets' counts of days, and dates
// without separators: 20261127, 202611271000, 20261127100000.
const (
	firstSecond, lastSecond = 100_000_000, 4102444800
	firstMilli, lastMilli   = 1_000_000_000_000, 1000 * lastSecond
)

// momentForms are the forms that can't be misread: they begin with the year or
// name the month, and have a zone.
func momentForms() []string {
	return []string{
		time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05Z07",
		"2006-01-02 15:04:05Z07:00", "2006-01-02 15:04Z07:00", "2006-01-02 15:04:05Z0700", "2006-01-02 15:04:05Z07",
		"2006-01-02 15:04:05 Z07:00", "2006-01-02 15:04:05 Z0700", "2006-01-02 15:04:05 UTC", "2006-01-02 15:04:05 GMT", "2006-01-02 15:04:05 -0700 UTC",
		"Mon, 2 Jan 2006 15:04:05 GMT", "Mon, 2 Jan 2006 15:04:05 UTC", "Mon, 2 Jan 2006 15:04:05 -0700", "2 Jan 2006 15:04:05 -0700",
	}
}

// parseMoment reads a time in an unambiguous form: RFC 3339, also with a space in
// place of the T; RFC 1123; Unix seconds and milliseconds. It refuses a time
// without a zone, and a date whose day and month could be exchanged.
func parseMoment(s string) (time.Time, bool) {
	if len(s) > 4 && s[4] == '-' { // RFC 3339, the usual form
		if t, err := time.Parse(time.RFC3339, s); err == nil {
			return t, true
		}
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		switch {
		case n == 0, n >= firstSecond && n <= lastSecond:
			return time.Unix(n, 0).UTC(), true
		case n >= firstMilli && n <= lastMilli:
			return time.UnixMilli(n).UTC(), true
		}
		return time.Time{}, false
	}
	for _, form := range momentForms() {
		if t, err := time.Parse(form, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// momentShape is a form of time that needs an explicit layout, and the layouts that
// it may have.
type momentShape struct {
	shape   *regexp.Regexp
	layouts []string
}

const clockShape = `( \d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[AaPp][Mm])?)?`

// momentShapes are the usual forms in exports, by year, month and day.
var momentShapes = []momentShape{
	{regexp.MustCompile(`^\d{5}([.,]\d+)?$`), []string{"excel"}},
	{regexp.MustCompile(`^\d{8}$`), []string{"YYYYMMDD"}},
	{regexp.MustCompile(`^\d{12}$`), []string{"YYYYMMDDhhmm"}},
	{regexp.MustCompile(`^\d{14}$`), []string{"YYYYMMDDhhmmss"}},
	{regexp.MustCompile(`^\d{4}-\d{2}-\d{2}([ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?)?$`), []string{"YYYY-MM-DD"}},
	{regexp.MustCompile(`^\d{4}/\d{1,2}/\d{1,2}` + clockShape + `$`), []string{"YYYY/M/D"}},
	{regexp.MustCompile(`^(1[3-9]|2\d|3[01])/\d{1,2}/\d{4}` + clockShape + `$`), []string{"D/M/YYYY"}},
	{regexp.MustCompile(`^\d{1,2}/(1[3-9]|2\d|3[01])/\d{4}` + clockShape + `$`), []string{"M/D/YYYY"}},
	{regexp.MustCompile(`^\d{1,2}/\d{1,2}/\d{4}` + clockShape + `$`), []string{"D/M/YYYY", "M/D/YYYY"}},
	{regexp.MustCompile(`^\d{1,2}\.\d{1,2}\.\d{4}` + clockShape + `$`), []string{"D.M.YYYY"}},
	{regexp.MustCompile(`^\d{1,2}-\d{1,2}-\d{4}` + clockShape + `$`), []string{"D-M-YYYY", "M-D-YYYY"}},
	{regexp.MustCompile(`^\d{1,2} [A-Za-z]{3} \d{4}` + clockShape + `$`), []string{"D MMM YYYY"}},
}

// momentAdvice returns the call that reads a time of this form, written around the
// expression that gave it. It shows the form, but not the text.
func momentAdvice(text, source string) string {
	if source == "" {
		source = "row.COLUMN"
	}
	call := func(layout string) string { return fmt.Sprintf("parsetime(%s, %q, \"Europe/Berlin\")", source, layout) }
	for _, form := range momentShapes {
		if !form.shape.MatchString(text) {
			continue
		}
		clock := clockLayout(text)
		if len(form.layouts) == 1 {
			layout := form.layouts[0]
			if layout == "excel" {
				return "A spreadsheet's count of days is read with " + call(layout) + ", with the zone that it was written in."
			}
			return "This one says no zone. Write " + call(layout+clock) + ", with the zone that it is in."
		}
		return fmt.Sprintf("This one may mean two days. Write %s where the day comes first, or %s where the month does, with the zone that it is in.",
			call(form.layouts[0]+clock), call(form.layouts[1]+clock))
	}
	return "For another form write " + call("DD/MM/YYYY hh:mm") + " with the layout and the zone that it is in."
}

// clockLayout is the layout of the time of day in a text.
func clockLayout(text string) string {
	colons := strings.Count(text, ":")
	if colons == 0 {
		return ""
	}
	end := strings.ToLower(text[max(len(text)-2, 0):])
	layout, half := " h:mm", end == "am" || end == "pm"
	if half {
		layout = " H:mm"
	}
	if day, _, _ := strings.Cut(text, ":"); strings.Contains(day, "T") {
		layout = "'T'h:mm"
	}
	if colons > 1 {
		layout += ":ss"
	}
	switch {
	case half && strings.Contains(text[max(len(text)-3, 0):], " "):
		layout += " AA"
	case half:
		layout += "AA"
	}
	return layout
}
