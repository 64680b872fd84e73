package eval

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

func dateFunctions() []definition {
	return []definition{
		{name: "formatdate", fn: stdlib.FormatDateFunc},
		{name: "parsetime", fn: parseTimeFunc},
		{name: "timeadd", fn: stdlib.TimeAddFunc},
	}
}

// excelLayout is the layout of a spreadsheet's count of days.
const excelLayout = "excel"

// parseTimeFunc reverses formatdate, for texts that contain no zone.
var parseTimeFunc = function.New(&function.Spec{
	Description: "Reads a time that an export has in a form of its own, and returns it in RFC 3339: parsetime(row.seen, \"DD/MM/YYYY hh:mm\", \"Europe/Berlin\"). " +
		"The layout has formatdate's letters, or is \"excel\" for a spreadsheet's count of days; of several the one that fits is taken, and the last argument is the zone of texts that name none. An empty text stays empty.",
	Params: []function.Parameter{stringParam("text", "The time."), stringParam("layout", "Its form, in the letters of formatdate.")},
	VarParam: &function.Parameter{Name: "layouts_and_zone", Type: cty.String,
		Description: "More layouts, and at the end a zone of the IANA database, such as \"UTC\"."},
	Type: function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		last := len(args) - 1
		if last < 2 {
			return cty.NilVal, &safeError{"parsetime takes a text, one layout or more, and a zone, as in parsetime(row.seen, \"DD/MM/YYYY hh:mm\", \"Europe/Berlin\")."}
		}
		zone, err := zoneNamed(args[last].AsString())
		if err != nil {
			return cty.NilVal, err
		}
		text, layouts := strings.TrimSpace(args[0].AsString()), make([]string, 0, last-1)
		for i, arg := range args[1:last] {
			layouts = append(layouts, arg.AsString())
			if _, err := parseLayout(layouts[i]); err != nil && layouts[i] != excelLayout {
				return cty.NilVal, &safeError{fmt.Sprintf("This is no layout of a time: %s.", err)}
			}
		}
		if text == "" {
			return cty.StringVal(""), nil
		}
		t, err := readTime(text, layouts, zone)
		if err != nil {
			return cty.NilVal, err
		}
		return cty.StringVal(t.Format(time.RFC3339Nano)), nil
	},
})

func zoneNamed(name string) (*time.Location, error) {
	zone, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		return nil, &safeError{"The last argument is to be a zone of the IANA database, such as \"Europe/Berlin\" or \"UTC\"."}
	}
	return zone, nil
}

// readTime reads text by the layouts that fit. If two fit and give different moments,
// it returns an error instead of a guess.
func readTime(text string, layouts []string, zone *time.Location) (time.Time, error) {
	var found time.Time
	by := ""
	for _, layout := range layouts {
		t, ok := readLayout(text, layout, zone)
		switch {
		case !ok:
		case by != "" && !t.Equal(found):
			return found, &safeError{fmt.Sprintf("The text fits two of the layouts, %q and %q, and means another time by each.", by, layout)}
		default:
			found, by = t, layout
		}
	}
	if by == "" {
		return found, &safeError{fmt.Sprintf("The text is no time of the form %s.", quoted(layouts))}
	}
	return found, nil
}

func quoted(layouts []string) string {
	words := make([]string, len(layouts))
	for i, l := range layouts {
		words[i] = strconv.Quote(l)
	}
	return strings.Join(words, " or ")
}

func readLayout(text, layout string, zone *time.Location) (time.Time, bool) {
	if layout == excelLayout {
		return readExcel(text, zone)
	}
	l, err := parseLayout(layout)
	if err != nil {
		return time.Time{}, false
	}
	return l.read(text, zone)
}

// readExcel reads a count of days since 1899-12-30, the first day of Excel,
// LibreOffice and Google Sheets, to the second. It refuses days before March 1900,
// because Excel's own are off by one.
func readExcel(text string, zone *time.Location) (time.Time, bool) {
	days, err := strconv.ParseFloat(strings.Replace(text, ",", ".", 1), 64)
	const first, last = 61, 2958465 // 1900-03-01 to 9999-12-31
	if err != nil || !(days >= first && days < last+1) || strings.ContainsAny(text, "eExXpP_") {
		return time.Time{}, false
	}
	whole := math.Floor(days)
	seconds := math.Round((days - whole) * 24 * 60 * 60)
	wall := time.Date(1899, 12, 30+int(whole), 0, 0, int(seconds), 0, time.UTC)
	return inZone(wall, zone), true
}
