// Package providers defines what all sending numbers have in common: a Profile
// (limits and capabilities, each with source and date), and the interfaces that
// the rest of handbill relies on. Each provider's package implements Provider;
// apply and serve send through a Sender. Some providers also implement Webhook,
// Poller, Reader, Checker and TemplateReader.
package providers

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/message"
)

// Provider is one sending number at one provider.
//
// A Provider never retries, never follows a redirect, and never puts a token,
// a phone number or a text of a message into an Answer or an error.
type Provider interface {
	Profile() *Profile
	// Encode builds the request for one message. ref is the reference that the
	// provider echoes in its events; it is left out if the provider has no field
	// for one. The result depends only on the arguments.
	Encode(to message.Address, m message.Message, ref string) (message.Request, error)
	// Send makes at most one HTTP request and says what its answer means.
	Send(ctx context.Context, r message.Request) message.Answer
}

// Sender is one sending number as apply and serve use it. It is safe for
// concurrent use.
type Sender interface {
	// Encode builds the request of draft d with one recipient's values. The result
	// depends only on the arguments. It is called before the intent is recorded.
	Encode(to message.Address, d *message.Draft, values []string, ref string) (message.Request, error)
	// Send makes at most one HTTP request and says what its answer means. It is
	// never called before the intent of r is durable, and never twice for one
	// intent.
	Send(ctx context.Context, r message.Request) message.Answer
}

// Distruster is a Provider or a Sender that can discard its connections. After an
// answer that belongs to another message, the next request must not use the same
// connection: every answer on it may be shifted by one.
type Distruster interface {
	// Distrust makes sure that no existing connection carries another request: idle
	// ones are closed at once, those in use when their exchange ends.
	Distrust()
}

// Distrust calls the sender's Distrust if it is a Distruster.
func Distrust(s Sender) {
	if d, ok := s.(Distruster); ok {
		d.Distrust()
	}
}

// Webhook is a Provider whose events can be received.
type Webhook interface {
	// Handshake answers the GET by which the provider verifies the address; ok is
	// false when the request must be refused.
	Handshake(query url.Values) (body string, ok bool)
	// Authenticate checks a POST before its body is parsed. signed is false if the
	// provider has no signatures, so that only the path's secret authenticates it.
	Authenticate(h http.Header, body []byte) (signed bool, err error)
	// Decode turns a body into events. An event that it does not understand
	// comes as message.EventOther with the reason; an error means that the
	// body as a whole is not this provider's.
	Decode(body []byte) ([]message.Event, error)
}

// Poller is a Provider that can be asked what became of a message.
type Poller interface {
	// Poll asks about the message with the provider's id messageID, and returns its
	// events, in no order; none if the provider knows nothing more. It changes
	// nothing.
	Poll(ctx context.Context, messageID string) ([]message.Event, error)
}

// Reader is a Provider that can show a person that a message was read.
type Reader interface {
	// MarkRead marks a message that a person wrote, given by the provider's id, as
	// read; with typing it also shows for a while that an answer is being written.
	// It makes one request that changes nothing else, so repeating or skipping it
	// does no harm. The error holds no address and no credential.
	MarkRead(ctx context.Context, messageID string, typing bool) error
}

// Checker is a Provider that reports the health of the number.
type Checker interface {
	Check(ctx context.Context) (*Health, error)
}

// TemplateReader is a Provider that lists its account's templates.
type TemplateReader interface {
	// Account names the account that the number belongs to, the same for all of the
	// account's numbers. "" means that the arguments do not say: then no other
	// number is known to share the account.
	Account() string
	// Templates reads all templates of the account, in all languages, sorted by
	// name and language. It changes nothing. It returns the whole list or an error:
	// a missing or unreadable page, or two pages that disagree, is an error. The
	// error holds no credential.
	Templates(ctx context.Context) ([]account.Template, error)
}

// Subscriber is a Provider that reports where it posts events, and which.
type Subscriber interface {
	// Subscription reads the current settings and changes nothing.
	Subscription(ctx context.Context) (*Subscription, error)
}

// Subscription is where a provider posts events of a number, and which.
type Subscription struct {
	// URLs are where the events go; none if they go nowhere. They may hold a secret.
	URLs []string
	// Missing are events that handbill needs and does not get.
	Missing []Missing
	// Findings are other things that a person should know.
	Findings []Finding
}

// Missing is a kind of event that handbill needs and does not get.
type Missing struct {
	Name   string // the provider's: a field of Meta's webhooks, or a setting
	Lost   string // what is lost without it, in sentences
	Severe bool   // stops are lost
}

// Profile is what a provider can do, with its limits. Every Fact has a source and a
// date.
type Profile struct {
	Type  string // "onemsg"
	Title string // "1msg"
	// Limits are message.DefaultLimits with this provider's tighter ones.
	Limits message.Limits
	// Kinds says for every kind of message whether the provider carries it.
	Kinds map[message.Kind]Capability
	// Features says for every Feature whether the provider carries it.
	Features map[Feature]Capability
	// Throughput is the number's default in messages per second.
	Throughput Fact
	// Echo says whether a reference comes back in events.
	Echo bool
	// Polls says whether a message's outcome can be asked for.
	Polls bool
	// PairSeconds is the least time between two messages to one recipient.
	PairSeconds Fact
}

// Feature is something other than a kind of message that a message or a reply rule
// may ask for. Its value is the name of the argument in the language.
type Feature string

// The features.
const (
	FeatureQuote     Feature = "quote"              // quote an earlier message
	FeatureIdentity  Feature = "identity_key_hash"  // refuse if the person behind a number has changed
	FeatureMarketing Feature = "marketing_messages" // Meta's Marketing Messages
	FeatureRead      Feature = "mark_read"          // mark a person's message as read: a Reader
	FeatureTyping    Feature = "typing"             // show that an answer is being written: a Reader
)

// AllFeatures returns all features, in the order of the documentation.
func AllFeatures() []Feature {
	return []Feature{FeatureQuote, FeatureIdentity, FeatureMarketing, FeatureRead, FeatureTyping}
}

// FeaturesOf returns the features that a message asks for.
func FeaturesOf(d *message.Draft) []Feature {
	var out []Feature
	asks := func(text, path string, f Feature) {
		if text != "" || slices.ContainsFunc(d.Bindings, func(b message.Binding) bool { return b.Path == path }) {
			out = append(out, f)
		}
	}
	e := message.EnvelopeOf(d.Message)
	asks(e.Quote, message.QuotePath, FeatureQuote)
	asks(e.IdentityKeyHash, message.IdentityKeyHashPath, FeatureIdentity)
	if t, ok := d.Message.(*message.Template); ok && t.Marketing != "" {
		out = append(out, FeatureMarketing)
	}
	return out
}

// Capability is whether and how well a provider carries a kind of message.
type Capability struct {
	Support message.Support
	// Note explains the doubt or, if the kind can't be carried, the alternative.
	Note string
	// Fields are the texts that a doubt is about, by path ("header"); empty if the
	// doubt is about the whole kind.
	Fields []string
	Source string
	Date   string
}

// Fact is a figure with its source.
type Fact struct {
	Value  float64
	Source string
	Date   string // YYYY-MM-DD
}

// Health is what a provider reports about the number without sending anything.
// Empty strings are unknown.
type Health struct {
	Status  string // provider's word: "connected", "AVAILABLE", …
	Quality string // GREEN, YELLOW, RED
	Tier    string // messaging limit
	// Limit is Tier in people in 24 hours; -1 for no limit, 0 where it is unknown.
	Limit int
	// Portfolio is the id of the business portfolio whose numbers share the limit.
	Portfolio  string
	Throughput float64
	Name       string // verified name
	Findings   []Finding
}

// Finding is something that a person should know before sending.
type Finding struct {
	Severe bool
	Text   string
	Advice string
}

// Clock returns the current time.
type Clock func() time.Time

// Code explains one of a provider's error codes to people.
type Code struct {
	Code   string
	Class  message.Class
	Title  string // what it reports
	Advice string // what a person can do; "" where there is nothing
	Source string // where that is from, and when it was read
}
