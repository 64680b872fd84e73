package sandbox

import (
	"io"
	"time"
)

// Provider names a wire format.
type Provider string

// The wire formats.
const (
	Cloud     Provider = "cloud"
	Dialog360 Provider = "dialog360"
	Kaleyra   Provider = "kaleyra"
	OneMsg    Provider = "onemsg"
)

// Providers lists the wire formats in a fixed order.
func Providers() []Provider { return []Provider{Cloud, Dialog360, Kaleyra, OneMsg} }

// BasePath returns the path of a wire format on the sandbox's listener. Append it
// to the server's URL and use the result as the provider's base URL.
func BasePath(p Provider) string { return "/" + string(p) }

// Options say how the network behaves. Clock is required; all else may be zero.
type Options struct {
	// Clock tells the time. Everything that depends on time reads it: windows,
	// statuses, throughput, the ledger.
	Clock func() time.Time
	// Seed decides message ids, statuses, latencies and scripted shares.
	Seed int64
	// Latency is the mean time to an answer; each answer takes between a half
	// and one and a half of it. Zero answers at once.
	Latency time.Duration
	// Statuses is what becomes of accepted messages. By default 95 % are
	// delivered, 60 % are read, and 2 % fail.
	Statuses StatusMix
	// FailureRate is the share (0 to 1) of recipients that are refused with
	// 131026 (not on WhatsApp). Which ones depends on the seed and the number
	// alone, so a second attempt ends as the first.
	FailureRate float64
	// Throughput is how many messages each number may send in any one second;
	// more are answered with 130429. Zero is 80 (Meta's default, read
	// 2026-09-11); a negative value lifts the limit.
	Throughput int
	// PairLimit enforces one message per six seconds to one user with a burst
	// of 45 (131056; Meta, about-the-platform, read 2026-09-11).
	PairLimit bool
	// AssumeOpen treats every window as open, for runs without inbound events.
	AssumeOpen bool
	// BadTokens are the credentials that are refused; nil is "bad", "wrong",
	// "expired" and "invalid". Every other non-empty credential is accepted.
	BadTokens []string
	// Script makes chosen sends go wrong.
	Script *Script
	// Webhooks are where events go. Targets can also be registered over the
	// wire where the provider allows that.
	Webhooks []WebhookTarget
	// Delivery disturbs webhooks on purpose.
	Delivery Disturbance
	// Journal receives one JSON line for every POST, in a single Write before
	// its answer leaves, so that the record survives if this process is killed.
	Journal io.Writer
	// Hosts are the host names that requests may have as their Host, besides the
	// loopback names.
	Hosts []string
	// Chats is how many conversations the phone page keeps; zero is 64.
	Chats int
}

// defaultBadTokens are the credentials refused unless Options say otherwise.
func defaultBadTokens() []string { return []string{"bad", "wrong", "expired", "invalid"} }

// StatusMix is what becomes of accepted messages. Shares are of all accepted
// messages, from 0 to 1; delays are means, counted from the acceptance.
type StatusMix struct {
	Delivered float64 // share that reaches the phone
	Read      float64 // share that is read; no more than Delivered
	Failed    float64 // share that fails after acceptance
	FailCodes []int   // Meta's codes of those failures; empty is 131026 and 131049

	SentAfter, DeliveredAfter, ReadAfter time.Duration
}

// defaultStatuses is the mix used when Options.Statuses is zero.
func defaultStatuses() StatusMix {
	return StatusMix{
		Delivered: 0.95, Read: 0.6, Failed: 0.02, FailCodes: []int{131026, 131049},
		SentAfter: 300 * time.Millisecond, DeliveredAfter: 1500 * time.Millisecond, ReadAfter: 20 * time.Second,
	}
}

func (m StatusMix) orDefault() StatusMix {
	if m.Delivered == 0 && m.Read == 0 && m.Failed == 0 && m.SentAfter == 0 && m.DeliveredAfter == 0 && m.ReadAfter == 0 {
		return defaultStatuses()
	}
	if len(m.FailCodes) == 0 {
		m.FailCodes = defaultStatuses().FailCodes
	}
	return m
}

// WebhookTarget is an address that gets the events of a number.
type WebhookTarget struct {
	Provider Provider // whose numbers; required
	Number   string   // one number of that provider; empty for all
	URL      string

	AppSecret string            // cloud: signs the body into X-Hub-Signature-256
	Headers   map[string]string // dialog360, kaleyra: sent along
	User      string            // kaleyra: basic authentication
	Password  string
	Raw       bool // onemsg: post Meta's envelope instead of the normalised form
}

// Disturbance makes webhooks arrive late, twice or out of order, as real ones do.
// The zero value delivers each once, in order, when it is due.
type Disturbance struct {
	Duplicate float64       // share (0 to 1) delivered twice
	Shuffle   time.Duration // each is held back by a random time up to this
	Delay     time.Duration // each is held back by this
}
