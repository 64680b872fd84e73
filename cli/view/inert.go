package view

import (
	"strings"
	"unicode"

	"github.com/handbill/handbill/message"
)

// inert keeps a line of foreign text from being read as a command by the
// runner that shows our output in its log: GitHub's takes a line that begins
// with "::", after white space, and "##[" anywhere. Source: actions/runner,
// src/Runner.Common/ActionCommand.cs at 079cdb1, read 2026-11-21.
func inert(line string) string {
	if trimmed := strings.TrimLeftFunc(line, unicode.IsSpace); strings.HasPrefix(trimmed, "::") {
		line = line[:len(line)-len(trimmed)] + `\` + trimmed
	}
	return strings.ReplaceAll(line, "##[", `##\[`)
}

// inertLines makes each line of a foreign text inert.
func inertLines(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = inert(message.SafeText(l))
	}
	return strings.Join(lines, "\n")
}

// inertText changes the lines of a finished text that a CI runner would take for
// commands.
func inertText(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = inert(l)
	}
	return strings.Join(lines, "\n")
}
