package cli

import (
	"bytes"
	"io"
	"strings"
)

// completing reports whether a shell asks for completions.
func completing(args []string) bool {
	return len(args) > 0 && (args[0] == "__complete" || args[0] == "__completeNoDesc")
}

// oneDashWriter shows completions of flags with one dash, as handbill documents
// them; cobra writes two.
type oneDashWriter struct {
	w    io.Writer
	rest []byte
}

// Write passes on whole lines.
func (o *oneDashWriter) Write(p []byte) (int, error) {
	o.rest = append(o.rest, p...)
	for {
		i := bytes.IndexByte(o.rest, '\n')
		if i < 0 {
			return len(p), nil
		}
		line := string(o.rest[:i+1])
		o.rest = o.rest[i+1:]
		if name, ok := strings.CutPrefix(line, "--"); ok {
			line = "-" + name
		}
		if _, err := io.WriteString(o.w, line); err != nil {
			return len(p), err
		}
	}
}
