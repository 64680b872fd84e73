package eval

import (
	"errors"
	"strings"
	"time"
)

// timeLayout is a form of time in the letters of formatdate, split into runs of one
// letter and the texts between them.
type timeLayout []layoutPiece

type layoutPiece struct {
	letters string // "YYYY"; "" for a text
	text    string
}

// layoutLetters are the pieces by which a time can be read, and the maximum number of
// digits of the numeric ones.
var layoutLetters = map[string]int{
	"YYYY": 4, "YY": 2, "MMMM": 0, "MMM": 0, "MM": 2, "M": 2, "DD": 2, "D": 2, "EEEE": 0, "EEE": 0,
	"hh": 2, "h": 2, "HH": 2, "H": 2, "AA": 0, "aa": 0, "mm": 2, "m": 2, "ss": 2, "s": 2, "ZZZZZ": 0, "ZZZZ": 0, "Z": 0,
}

// parseLayout splits a layout into pieces. A letter without a meaning, or the same
// unit twice, is an error.
func parseLayout(s string) (timeLayout, error) {
	var out timeLayout
	seen := map[byte]bool{}
	for s != "" {
		c := s[0]
		switch {
		case c == '\'':
			text, rest, ok := quotedText(s)
			if !ok {
				return nil, errors.New("a quotation mark opens that nothing closes")
			}
			out, s = append(out, layoutPiece{text: text}), rest
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			n := 1
			for n < len(s) && s[n] == c {
				n++
			}
			letters := s[:n]
			if _, ok := layoutLetters[letters]; !ok {
				return nil, errors.New("it holds letters that mean no part of a time; put text between quotation marks, as in 'T'")
			}
			key := layoutKey(letters)
			if seen[key] {
				return nil, errors.New("it names one part of a time twice")
			}
			seen[key] = true
			out, s = append(out, layoutPiece{letters: letters}), s[n:]
		default:
			out, s = append(out, layoutPiece{text: s[:1]}), s[1:]
		}
	}
	if !seen['Y'] || !seen['M'] || !seen['D'] {
		return nil, errors.New("it needs a year, a month and a day")
	}
	if seen['H'] != seen['a'] {
		return nil, errors.New("hours of twelve (HH, H) and AA go together")
	}
	return out, nil
}

// layoutKey is equal for pieces of the same unit.
func layoutKey(letters string) byte {
	if letters[0] == 'A' {
		return 'a'
	}
	return letters[0]
}

// quotedText returns the text in the quotation marks with which s begins; two marks
// in a row stand for one.
func quotedText(s string) (text, rest string, ok bool) {
	for i := 1; i < len(s); i++ {
		if s[i] != '\'' {
			text += s[i : i+1]
			continue
		}
		if i+1 < len(s) && s[i+1] == '\'' {
			text += "'"
			i++
			continue
		}
		return text, s[i+1:], true
	}
	return "", "", false
}

// clock holds the parts of a time that a text gives.
type clock struct {
	year, month, day           int
	hour, minute, second, nano int
	half                       int // 0 unknown, 1 AM, 2 PM
	offset                     int // seconds east
	hasOffset                  bool
}

// read reads text, which must match the layout as a whole.
func (l timeLayout) read(text string, zone *time.Location) (time.Time, bool) {
	c := clock{}
	for i, p := range l {
		var ok bool
		if p.letters == "" {
			text, ok = strings.CutPrefix(text, p.text)
		} else {
			text, ok = c.take(p.letters, text, i+1 == len(l) || l[i+1].text != "." && l[i+1].text != ",")
		}
		if !ok {
			return time.Time{}, false
		}
	}
	if text != "" {
		return time.Time{}, false
	}
	return c.time(zone)
}

// take reads one piece. fraction says that seconds may have a fraction.
func (c *clock) take(letters, text string, fraction bool) (rest string, ok bool) {
	switch letters {
	case "MMMM", "MMM":
		c.month, rest, ok = takeName(text, letters == "MMM", 12, func(n int) string { return time.Month(n).String() })
		return rest, ok
	case "EEEE", "EEE":
		_, rest, ok = takeName(text, letters == "EEE", 7, func(n int) string { return time.Weekday(n - 1).String() })
		return rest, ok
	case "AA", "aa":
		return c.takeHalf(text)
	case "ZZZZZ", "ZZZZ", "Z":
		return c.takeOffset(text, letters)
	}
	n, rest, ok := takeNumber(text, letters)
	switch letters[0] {
	case 'Y':
		c.year = n
		if letters == "YY" {
			c.year = century(n)
		}
	case 'M':
		c.month = n
	case 'D':
		c.day = n
	case 'h', 'H':
		c.hour = n
		ok = ok && (letters[0] == 'h' || n >= 1 && n <= 12)
	case 'm':
		c.minute = n
	case 's':
		c.second = n
		if ok && fraction {
			rest, c.nano = takeFraction(rest)
		}
	}
	return rest, ok
}

// takeName reads one of n English names, in full or as its first three letters.
func takeName(text string, short bool, n int, name func(int) string) (found int, rest string, ok bool) {
	for i := 1; i <= n; i++ {
		word := name(i)
		if short {
			word = word[:3]
		}
		if len(text) >= len(word) && strings.EqualFold(text[:len(word)], word) {
			return i, text[len(word):], true
		}
	}
	return 0, text, false
}

// century returns the year for two digits, as most programs do.
func century(n int) int {
	if n >= 69 {
		return 1900 + n
	}
	return 2000 + n
}

// takeNumber reads as many digits as the letters ask for; one letter takes one
// digit or two.
func takeNumber(text, letters string) (n int, rest string, ok bool) {
	digits := 0
	for digits < len(text) && digits < layoutLetters[letters] && text[digits]-'0' <= 9 {
		n = 10*n + int(text[digits]-'0')
		digits++
	}
	return n, text[digits:], digits == layoutLetters[letters] || len(letters) == 1 && digits > 0
}

// takeFraction reads a fraction of seconds, in nanoseconds.
func takeFraction(text string) (rest string, nano int) {
	if len(text) < 2 || text[0] != '.' && text[0] != ',' || text[1]-'0' > 9 {
		return text, 0
	}
	i, unit := 1, 100_000_000
	for ; i < len(text) && text[i]-'0' <= 9; i++ {
		nano += int(text[i]-'0') * unit
		unit /= 10
	}
	return text[i:], nano
}

func (c *clock) takeHalf(text string) (rest string, ok bool) {
	if len(text) < 2 {
		return text, false
	}
	switch strings.ToUpper(text[:2]) {
	case "AM":
		c.half = 1
	case "PM":
		c.half = 2
	}
	return text[2:], c.half > 0
}

// takeOffset reads +02:00, +0200 or, for Z, also Z.
func (c *clock) takeOffset(text, letters string) (rest string, ok bool) {
	c.hasOffset = true
	if rest, ok = strings.CutPrefix(text, "Z"); ok {
		return rest, letters == "Z"
	}
	size, colon := len("+02:00"), true
	if letters == "ZZZZ" {
		size, colon = len("+0200"), false
	}
	if len(text) < size || text[0] != '+' && text[0] != '-' {
		return text, false
	}
	hours, minutes, okHours := takeNumber(text[1:], "hh")
	if colon {
		minutes, ok = strings.CutPrefix(minutes, ":")
		okHours = okHours && ok
	}
	m, rest, okMinutes := takeNumber(minutes, "mm")
	c.offset = 60 * (60*hours + m)
	if text[0] == '-' {
		c.offset = -c.offset
	}
	return rest, okHours && okMinutes && hours < 24 && m < 60
}

// time returns the moment that the clock shows in zone. When clocks go back, two
// moments have the same hour, and it returns the earlier one. When they go forward
// and skip the hour, it also returns the earlier of the possible moments.
func (c *clock) time(zone *time.Location) (time.Time, bool) {
	hour := c.hour
	switch {
	case c.half == 1 && hour == 12:
		hour = 0
	case c.half == 2 && hour < 12:
		hour += 12
	}
	wall := time.Date(c.year, time.Month(c.month), c.day, hour, c.minute, c.second, c.nano, time.UTC)
	if wall.Year() != c.year || int(wall.Month()) != c.month || wall.Day() != c.day || hour > 23 || c.minute > 59 || c.second > 59 {
		return time.Time{}, false
	}
	if c.hasOffset {
		return wall.Add(-time.Duration(c.offset) * time.Second).In(time.FixedZone("", c.offset)), true
	}
	return inZone(wall, zone), true
}

// inZone returns the moment when clocks in zone show the time wall.
func inZone(wall time.Time, zone *time.Location) time.Time {
	var found time.Time
	for _, near := range []time.Duration{-24 * time.Hour, 24 * time.Hour} {
		_, offset := wall.Add(near).In(zone).Zone()
		t := wall.Add(-time.Duration(offset) * time.Second).In(zone)
		_, there := t.Zone()
		if there == offset && (found.IsZero() || t.Before(found)) {
			found = t
		}
	}
	if found.IsZero() { // the hour was skipped
		_, before := wall.Add(-24 * time.Hour).In(zone).Zone()
		_, after := wall.Add(24 * time.Hour).In(zone).Zone()
		return wall.Add(-time.Duration(max(before, after)) * time.Second).In(zone)
	}
	return found
}
