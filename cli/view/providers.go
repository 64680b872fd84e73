package view

import (
	"fmt"
	"io"
	"strings"

	"github.com/handbill/handbill/message"
)

// ProvidersReport is what "handbill providers" ends in.
type ProvidersReport struct {
	Providers []ProviderNumber `json:"providers"`
}

// ProviderNumber is one sending number.
type ProviderNumber struct {
	Address    string   `json:"address"`
	Type       string   `json:"type"`
	Title      string   `json:"title"`
	Throughput float64  `json:"throughput"` // messages per second
	Echo       bool     `json:"echo"`
	Polls      bool     `json:"polls"`
	Campaigns  []string `json:"campaigns"`
	Carries    []string `json:"carries"`
	Doubted    []string `json:"doubted"`
	Not        []string `json:"not"`
}

// JSON writes one document.
func (r ProvidersReport) JSON(w io.Writer) error {
	for i := range r.Providers {
		p := &r.Providers[i]
		p.Campaigns, p.Carries, p.Doubted, p.Not = list(p.Campaigns), list(p.Carries), list(p.Doubted), list(p.Not)
	}
	out, err := encode(struct {
		FormatVersion string           `json:"format_version"`
		Providers     []ProviderNumber `json:"providers"`
	}{planFormat, list(r.Providers)})
	if err != nil {
		return err
	}
	_, err = w.Write(out)
	return err
}

// Text draws a paragraph for each number.
func (r ProvidersReport) Text(w io.Writer, s Style) error {
	var b strings.Builder
	if len(r.Providers) == 0 {
		b.WriteString("No provider is declared.\n")
	}
	for i, p := range r.Providers {
		if i > 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "%s (%s)\n", s.bold(p.Address), p.Title)
		if p.Throughput > 0 {
			fmt.Fprintf(&b, "  pace       %s messages per second\n", rate(p.Throughput))
		}
		fmt.Fprintf(&b, "  doubts     %s\n", doubtsText(p))
		if len(p.Campaigns) > 0 {
			fmt.Fprintf(&b, "  campaigns  %s\n", strings.Join(p.Campaigns, ", "))
		}
		fmt.Fprintf(&b, "  carries    %s\n", strings.Join(p.Carries, ", "))
		if len(p.Doubted) > 0 {
			fmt.Fprintf(&b, "  doubtful   %s\n", strings.Join(p.Doubted, ", "))
		}
		if len(p.Not) > 0 {
			fmt.Fprintf(&b, "  not        %s\n", strings.Join(p.Not, ", "))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// doubtsText is how a send in doubt gets settled at this provider.
func doubtsText(p ProviderNumber) string {
	switch {
	case p.Echo:
		return "settle by themselves: the provider echoes our reference"
	case p.Polls:
		return "a person settles them; outcomes of known messages can be polled"
	}
	return "a person settles them"
}

// HealthReport is what "handbill providers check" says of one number.
type HealthReport struct {
	Address, Status, Quality, Tier, Name string
	Throughput                           float64 // what the provider tells
	Paced                                float64 // what handbill would pace at
	Findings                             []HealthFinding
}

// HealthFinding is one thing to know before sending.
type HealthFinding struct {
	Severe       bool
	Text, Advice string
}

// OK reports whether the number can send.
func (r HealthReport) OK() bool {
	for _, f := range r.Findings {
		if f.Severe {
			return false
		}
	}
	return true
}

// Text draws the report.
func (r HealthReport) Text(w io.Writer, s Style) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", s.bold(r.Address))
	for _, l := range [...]struct{ name, value string }{{"status", r.Status}, {"name", r.Name}, {"quality", r.Quality}, {"tier", r.Tier}} {
		if l.value != "" {
			fmt.Fprintf(&b, "  %-10s %s\n", l.name, message.SafeText(l.value))
		}
	}
	if r.Throughput > 0 {
		fmt.Fprintf(&b, "  %-10s %s per second; handbill paces at %s\n", "throughput", rate(r.Throughput), rate(r.Paced))
		if r.Paced > r.Throughput {
			fmt.Fprintf(&b, "  %s the configured pace is above the number's: expect throttling\n", s.yellow("!"))
		}
	}
	for _, f := range r.Findings {
		mark := s.yellow("!")
		if f.Severe {
			mark = s.red("!")
		}
		fmt.Fprintf(&b, "  %s %s\n", mark, message.SafeText(f.Text))
		for _, l := range wrap(f.Advice, s.textWidth()-4) {
			fmt.Fprintf(&b, "    %s\n", l)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
