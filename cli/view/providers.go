package view

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/handbill/handbill/message"
)

// ProvidersReport is the final report of "handbill providers".
type ProvidersReport struct {
	Providers []ProviderNumber `json:"providers"`
	// Proxy is the proxy of requests, without its password; NoProxy lists the hosts
	// that are reached without it. "" if the environment does not set it.
	Proxy   string `json:"proxy,omitempty"`
	NoProxy string `json:"no_proxy,omitempty"`
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
func (r ProvidersReport) JSON(w io.Writer, _ Style) error {
	for i := range r.Providers {
		p := &r.Providers[i]
		p.Campaigns, p.Carries, p.Doubted, p.Not = list(p.Campaigns), list(p.Carries), list(p.Doubted), list(p.Not)
	}
	out, err := encode(struct {
		FormatVersion string           `json:"format_version"`
		Providers     []ProviderNumber `json:"providers"`
		Proxy         string           `json:"proxy,omitempty"`
		NoProxy       string           `json:"no_proxy,omitempty"`
	}{planFormat, list(r.Providers), message.SafeText(r.Proxy), message.SafeText(r.NoProxy)})
	if err != nil {
		return err
	}
	_, err = w.Write(out)
	return err
}

// Text writes a paragraph for each number.
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
	if r.Proxy != "" {
		fmt.Fprintf(&b, "\nRequests go through the proxy %s, but not to this machine", message.SafeText(r.Proxy))
		if r.NoProxy != "" {
			fmt.Fprintf(&b, " and to %s (NO_PROXY)", message.SafeText(r.NoProxy))
		}
		b.WriteString(".\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// doubtsText says how a send in doubt is settled at this provider.
func doubtsText(p ProviderNumber) string {
	switch {
	case p.Echo:
		return "settle by themselves: the provider echoes our reference"
	case p.Polls:
		return "a person settles them; outcomes of known messages can be polled"
	}
	return "a person settles them"
}

// CheckReport is the final report of "providers check".
type CheckReport struct {
	Numbers []NumberHealth `json:"numbers"`
}

// NumberHealth is what a provider reports about one number.
type NumberHealth struct {
	Address string `json:"address"`
	// Checked is false if the provider reports nothing about its numbers, or could
	// not be reached; Problem says which.
	Checked    bool            `json:"checked"`
	Reached    bool            `json:"reached"`
	Problem    string          `json:"problem,omitempty"`
	Status     string          `json:"status,omitempty"`
	Name       string          `json:"name,omitempty"`
	Quality    string          `json:"quality,omitempty"`
	Tier       string          `json:"tier,omitempty"`
	Throughput float64         `json:"throughput,omitempty"` // what the provider reports, messages per second
	Paced      float64         `json:"paced,omitempty"`      // what handbill would pace at
	Webhook    *WebhookHealth  `json:"webhook,omitempty"`    // absent if the provider does not report it
	Findings   []HealthFinding `json:"findings"`
}

// WebhookHealth says where a provider posts a number's events, and which events
// handbill needs but does not receive.
type WebhookHealth struct {
	Hosts   []string       `json:"hosts"` // without the path, which may hold a secret
	Missing []MissingEvent `json:"missing"`
}

// MissingEvent is a kind of event that handbill does not receive.
type MissingEvent struct {
	Name   string `json:"name"`
	Lost   string `json:"lost"`
	Severe bool   `json:"severe"` // people's stops are lost
}

// HealthFinding is one thing to know before sending.
type HealthFinding struct {
	Severe bool   `json:"severe"`
	Text   string `json:"text"`
	Advice string `json:"advice"`
}

// OK reports whether every number can send, and receives people's opt-outs as far
// as its provider reports that.
func (r *CheckReport) OK() bool {
	return !slices.ContainsFunc(r.Numbers, func(n NumberHealth) bool {
		return !n.Reached || slices.ContainsFunc(n.Findings, func(f HealthFinding) bool { return f.Severe }) ||
			n.Webhook != nil && slices.ContainsFunc(n.Webhook.Missing, func(m MissingEvent) bool { return m.Severe })
	})
}

// JSON writes one document.
func (r *CheckReport) JSON(w io.Writer, _ Style) error {
	for i := range r.Numbers {
		r.Numbers[i].Findings = list(r.Numbers[i].Findings)
		if w := r.Numbers[i].Webhook; w != nil {
			w.Hosts, w.Missing = list(w.Hosts), list(w.Missing)
		}
	}
	out, err := encode(struct {
		FormatVersion string         `json:"format_version"`
		Numbers       []NumberHealth `json:"numbers"`
	}{planFormat, list(r.Numbers)})
	if err != nil {
		return err
	}
	return say(w, string(out))
}

// Text writes a paragraph for each number.
func (r *CheckReport) Text(w io.Writer, s Style) error {
	var b strings.Builder
	for i := range r.Numbers {
		if n := &r.Numbers[i]; n.Checked {
			healthText(&b, s, n)
		} else {
			fmt.Fprintf(&b, "%s: %s\n", n.Address, message.SafeText(n.Problem))
		}
	}
	return say(w, b.String())
}

func healthText(b *strings.Builder, s Style, r *NumberHealth) {
	fmt.Fprintf(b, "%s\n", s.bold(r.Address))
	for _, l := range [...]struct{ name, value string }{{"status", r.Status}, {"name", r.Name}, {"quality", r.Quality}, {"tier", r.Tier}} {
		if l.value != "" {
			fmt.Fprintf(b, "  %-10s %s\n", l.name, message.SafeText(l.value))
		}
	}
	if r.Throughput > 0 {
		fmt.Fprintf(b, "  %-10s %s per second; handbill paces at %s\n", "throughput", rate(r.Throughput), rate(r.Paced))
		if r.Paced > r.Throughput {
			fmt.Fprintf(b, "  %s the configured pace is above the number's: expect throttling\n", s.yellow("!"))
		}
	}
	if r.Webhook != nil && len(r.Webhook.Hosts) > 0 {
		fmt.Fprintf(b, "  %-10s %s\n", "webhook", message.SafeText(strings.Join(r.Webhook.Hosts, ", ")))
	}
	for _, f := range r.Findings {
		findingText(b, s, &f)
	}
	if r.Webhook == nil {
		return
	}
	for _, m := range r.Webhook.Missing {
		findingText(b, s, &HealthFinding{Severe: m.Severe, Text: "not subscribed to " + m.Name, Advice: m.Lost})
	}
}

func findingText(b *strings.Builder, s Style, f *HealthFinding) {
	mark := s.yellow("!")
	if f.Severe {
		mark = s.red("!")
	}
	for i, l := range wrap(message.SafeText(f.Text), s.textWidth()-4) {
		if i > 0 {
			mark = " "
		}
		fmt.Fprintf(b, "  %s %s\n", mark, l)
	}
	for _, l := range wrap(message.SafeText(f.Advice), s.textWidth()-4) {
		fmt.Fprintf(b, "    %s\n", l)
	}
}
