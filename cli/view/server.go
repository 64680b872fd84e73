package view

import (
	"fmt"
	"io"
	"strings"
)

// ServerReport is what "serve" and "sandbox" print once they listen.
type ServerReport struct {
	What    string // "Listening", "Sandbox"
	URL     string
	Paths   []ServerPath
	Wide    int    // columns of what a path is for
	Metrics string // URL; "" for none
}

// ServerPath is a path or URL, with the number or wire format that it serves.
type ServerPath struct{ Of, Path string }

// Text writes the address, and one path per line.
func (r *ServerReport) Text(w io.Writer, _ Style) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s on %s\n", r.What, r.URL)
	for _, p := range r.Paths {
		fmt.Fprintf(&b, "  %-*s %s\n", r.Wide, p.Of, p.Path)
	}
	if r.Metrics != "" {
		fmt.Fprintf(&b, "Metrics on %s\n", r.Metrics)
	}
	return say(w, b.String())
}
