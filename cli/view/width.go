package view

import (
	"strings"

	"github.com/rivo/uniseg"
)

// columns returns how many terminal columns s takes. Wide scripts and emoji are
// counted as terminals draw them.
func columns(s string) int { return uniseg.StringWidth(s) }

// pad fills s with spaces up to width columns.
func pad(s string, width int) string {
	if n := width - columns(s); n > 0 {
		return s + strings.Repeat(" ", n)
	}
	return s
}

// padLeft puts spaces in front of s up to width columns.
func padLeft(s string, width int) string {
	if n := width - columns(s); n > 0 {
		return strings.Repeat(" ", n) + s
	}
	return s
}

// clip cuts s to width columns; the last column is then "…".
func clip(s string, width int) string {
	if columns(s) <= width {
		return s
	}
	var b strings.Builder
	used, state := 0, -1
	for len(s) > 0 {
		cluster, rest, w, next := uniseg.FirstGraphemeClusterInString(s, state)
		if used+w > width-1 {
			break
		}
		b.WriteString(cluster)
		used, s, state = used+w, rest, next
	}
	return b.String() + "…"
}

// Clip cuts s to width columns; the last column is then "…".
func Clip(s string, width int) string { return clip(s, width) }
