package audience

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/handbill/handbill/message"
)

// dateKind says how a style shows a number.
type dateKind uint8

const (
	noDate    dateKind = iota
	wholeDay           // a date without a time of day
	timeOfDay          // a time of day without a date
	moment             // both
)

// cell converts what stands in a cell. Texts are taken as they are; numbers have all
// their digits, whatever the cell shows; dates are "2006-01-02", and moments
// "2006-01-02T15:04:05" without a zone, since a workbook knows none.
func (w *workbook) cell(kind, style, raw string) sheetCell {
	switch kind {
	case "s":
		n, err := strconv.Atoi(strings.TrimSpace(raw))
		if err != nil || n < 0 || n >= len(w.texts) {
			return sheetCell{err: errors.New("names a text that the workbook does not have")}
		}
		return sheetText(w.texts[n])
	case "inlineStr":
		return sheetText(raw)
	case "str":
		return sheetText(unescape(raw))
	case "b":
		return sheetCell{value: message.Value{Kind: message.Bool, Text: strconv.FormatBool(strings.TrimSpace(raw) == "1")}}
	case "e":
		return sheetCell{failed: true}
	case "d":
		return sheetText(strings.TrimSpace(raw)) // as ISO 8601 already
	case "n", "":
	default:
		return sheetCell{err: errors.New("is of an unknown type")}
	}
	raw = strings.TrimSpace(raw)
	if raw == "" {
		return sheetCell{}
	}
	v, err := strconv.ParseFloat(raw, 64)
	if err != nil || math.IsInf(v, 0) || math.IsNaN(v) {
		return sheetCell{err: errors.New("is not a number")}
	}
	if shown := w.shows(style); shown != noDate {
		if text, ok := w.date(v, shown); ok {
			return sheetText(text)
		}
	}
	return sheetCell{value: message.Value{Kind: message.Number, Text: strconv.FormatFloat(v, 'f', -1, 64)}}
}

func sheetText(s string) sheetCell {
	switch {
	case s == "":
		return sheetCell{}
	case strings.IndexByte(s, 0) >= 0:
		return sheetCell{err: errors.New("holds a NUL character")}
	case len(s) > maxRowBytes:
		return sheetCell{err: errors.New(sprintf("holds more than %d bytes", maxRowBytes))}
	}
	return sheetCell{value: message.Str(s)}
}

// shows is how a style shows a number.
func (w *workbook) shows(style string) dateKind {
	n, err := strconv.Atoi(style)
	if err != nil || n < 0 || n >= len(w.dates) {
		return noDate
	}
	return w.dates[n]
}

// date converts a count of days. Excel has a 29 February 1900, which never was, as
// day 60; before it, its days are one too few.
// Source: ECMA-376 part 1, 18.17.4.1; read 2026-11.
func (w *workbook) date(days float64, shown dateKind) (string, bool) {
	const last = 2_958_466 // the day after 9999-12-31
	day, part := math.Floor(days), days-math.Floor(days)
	seconds := math.Round(part * 86_400)
	if seconds == 86_400 {
		day, seconds = day+1, 0
	}
	if days < 0 || day >= last {
		return "", false
	}
	clock := time.Duration(seconds) * time.Second
	begin := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
	switch {
	case w.from04:
		begin = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)
	case day < 1 && shown != timeOfDay:
		return "", false // no date that Excel has
	case day < 60:
		begin = begin.AddDate(0, 0, 1)
	case day == 60:
		return "", false
	}
	at := begin.AddDate(0, 0, int(day)).Add(clock)
	switch {
	case shown == timeOfDay && day == 0:
		return at.Format(time.TimeOnly), true
	case shown == wholeDay && seconds == 0:
		return at.Format(time.DateOnly), true
	}
	return at.Format("2006-01-02T15:04:05"), true
}

// builtInFormat is the code of a format that workbooks name by number alone, as far
// as it shows a date. Source: ECMA-376 part 1, 18.8.30; read 2026-11.
func builtInFormat(id string) string {
	n, err := strconv.Atoi(id)
	switch {
	case err != nil:
		return ""
	case n >= 14 && n <= 17, n >= 27 && n <= 31, n == 36, n >= 50 && n <= 54, n == 57, n == 58:
		return "yyyy-mm-dd"
	case n >= 18 && n <= 21, n >= 32 && n <= 35, n == 45, n == 47, n == 55, n == 56:
		return "hh:mm:ss"
	case n == 22:
		return "yyyy-mm-dd hh:mm"
	}
	return "" // 46 is [h]:mm:ss, a length of time
}

// kindOfFormat reads how a format code shows a number. A code with an elapsed time,
// such as [h]:mm, shows none of a calendar.
func kindOfFormat(code string) dateKind {
	code, _, _ = strings.Cut(code, ";") // what follows is for negative numbers
	days, clock := false, false
	for i := 0; i < len(code); i++ {
		switch code[i] {
		case '"':
			end := strings.IndexByte(code[i+1:], '"')
			if end < 0 {
				return noDate
			}
			i += end + 1
		case '\\', '_', '*': // the next character stands for itself
			i++
		case '[':
			end := strings.IndexByte(code[i:], ']')
			if end < 0 {
				return noDate
			}
			if inside := strings.ToLower(code[i+1 : i+end]); inside != "" && strings.Trim(inside, "hms") == "" {
				return noDate
			}
			i += end
		case 'y', 'Y', 'd', 'D':
			days = true
		case 'h', 'H', 's', 'S':
			clock = true
		case 'G', 'g': // General; in Japanese formats, an era
			if strings.HasPrefix(strings.ToLower(code[i:]), "general") {
				return noDate
			}
		}
	}
	switch {
	case days && clock:
		return moment
	case days:
		return wholeDay
	case clock:
		return timeOfDay
	}
	return noDate
}
