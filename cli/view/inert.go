package view

import "strings"

// inert keeps a line of foreign text from being read as a command by the
// runner that shows our output in its log: GitHub's takes a line that begins
// with "::", after spaces, and "##[" anywhere. Source: actions/runner,
// ActionCommand.cs, read 2026-11-21.
func inert(line string) string {
	if trimmed := strings.TrimLeft(line, " \t"); strings.HasPrefix(trimmed, "::") {
		line = line[:len(line)-len(trimmed)] + `\` + trimmed
	}
	return strings.ReplaceAll(line, "##[", `##\[`)
}
