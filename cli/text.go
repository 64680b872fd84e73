package cli

import (
	"maps"
	"slices"
	"strings"
)

func sortedNames(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

// indent moves lines two columns to the right.
func indent(s string) string {
	return "  " + strings.ReplaceAll(strings.TrimSuffix(s, "\n"), "\n", "\n  ") + "\n"
}
