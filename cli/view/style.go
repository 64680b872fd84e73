// Package view renders reports: as text for people, as JSON for programs, as
// Markdown and HTML for reviewers.
//
// Rules of the text: what a command found or did goes to stdout, diagnostics of
// failure and progress to stderr. Colours come from here alone and mean one
// thing each: green is new, yellow changed or a warning, red gone or an error.
// Everything that comes from files, contacts or providers passes
// message.SafeText before it reaches a sink, and recipients are masked unless
// a person asked to see them.
package view

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/handbill/handbill/message"
)

// Style is how text is drawn.
type Style struct {
	Color bool
	Width int // columns; 0 for unknown
	// ShowRecipients shows numbers and names as they are.
	ShowRecipients bool
}

func (s Style) paint(code, text string) string {
	if !s.Color || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (s Style) bold(text string) string   { return s.paint("1", text) }
func (s Style) dim(text string) string    { return s.paint("2", text) }
func (s Style) red(text string) string    { return s.paint("31", text) }
func (s Style) green(text string) string  { return s.paint("32", text) }
func (s Style) yellow(text string) string { return s.paint("33", text) }

// Recipient returns a recipient's key in the style's form.
func (s Style) Recipient(key string) string {
	if s.ShowRecipients {
		return message.SafeText(key)
	}
	return message.Mask(key)
}

// Username returns a WhatsApp username in the style's form; "" for none.
func (s Style) Username(name string) string {
	switch {
	case name == "":
		return ""
	case s.ShowRecipients:
		return "@" + message.SafeText(name)
	}
	return "@" + message.MaskName(name)
}

// Count formats n with thousands separators: 1,204.
func Count(n int) string {
	if n < 0 {
		return "-" + Count(-n)
	}
	digits := fmt.Sprint(n)
	var b strings.Builder
	for i, r := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// Plural is "1 message", "2 messages".
func Plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if noun == "person" {
		return Count(n) + " people"
	}
	return Count(n) + " " + noun + "s"
}

// safeLines is SafeText line by line.
func safeLines(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = message.SafeText(l)
	}
	return strings.Join(lines, "\n")
}

// Duration formats d in units that people plan with.
func Duration(d time.Duration) string {
	switch {
	case d < time.Second:
		return "a moment"
	case d < 90*time.Second:
		return fmt.Sprintf("%d s", int(d.Round(time.Second).Seconds()))
	case d < 90*time.Minute:
		return fmt.Sprintf("%d min", int(d.Round(time.Minute).Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%.1f h", d.Hours())
	}
	return fmt.Sprintf("%.1f days", d.Hours()/24)
}

// rate formats a number of messages per second, with thousands separators.
func rate(f float64) string {
	if whole := int(f); f >= 1000 && float64(whole) == f {
		return Count(whole)
	}
	return strings.TrimRight(strings.TrimRight(fmt.Sprintf("%.2f", f), "0"), ".")
}

// Reason turns the identifier of a reason into words.
func Reason[T ~string](word T) string {
	return message.SafeText(strings.ReplaceAll(string(word), "_", " "))
}

func sorted[K ~string](m map[K]int) []K { return slices.Sorted(maps.Keys(m)) }

// byCount returns the keys of m, the highest counts first.
func byCount[K ~string](m map[K]int) []K {
	names := sorted(m)
	slices.SortStableFunc(names, func(a, b K) int { return m[b] - m[a] })
	return names
}
