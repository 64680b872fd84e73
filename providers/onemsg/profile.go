// Package onemsg sends through 1msg (api.1msg.io), which has bodies of its own
// for each kind of message.
package onemsg

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/wire"
)

// Where the facts of this package are from, unless said otherwise.
const (
	source = "1msg OpenAPI 2.39 (1msg/1sdk fca4662) and SDK 1.0.0 (1msg/1msg-sdk aee1671)"
	read   = "2026-11-20"
)

// Config are the arguments of a onemsg provider.
type Config struct {
	ChannelID    string           // required
	Token        providers.Secret // required: the channel's JWT or an API key
	BaseURL      string           // "" is https://api.1msg.io
	Throughput   float64          // messages per second; 0 is 20
	PhoneNumber  string           // events that name another number are not its own; "" takes all
	WebhookToken providers.Secret // secret part of the webhook's path; "current,previous" while it is changed
	MMLite       *bool            // whether marketing templates take Meta's marketing API; nil leaves it to the channel
	Client       *wire.Client
}

// Schema returns the arguments of the provider's block in the language.
func Schema() []providers.Argument {
	return []providers.Argument{
		{Name: "channel_id", Type: "string", Required: true, Description: "Id of the channel in 1msg's dashboard."},
		{Name: "token", Type: "string", Required: true, Sensitive: true, Description: "The channel's token."},
		{Name: "base_url", Type: "string", Description: "Address of the API; https://api.1msg.io by default."},
		{Name: "throughput", Type: "number", Description: "Messages per second; 20 by default, since 1msg documents no figure."},
		{Name: "phone_number", Type: "string", Description: "The number, such as +4915112345678: webhooks that name another one are not taken for this number's."},
		{Name: "webhook_token", Type: "string", Sensitive: true, Description: "Secret part of the webhook's path, since 1msg signs nothing; \"current,previous\" while it is being changed."},
		{Name: "mm_lite", Type: "bool", Description: "Whether marketing templates take Meta's marketing API; the channel's setting by default."},
	}
}

// Provider is one channel at 1msg.
type Provider struct {
	config  Config
	base    string // base URL and channel
	profile *providers.Profile
	client  *wire.Client
	header  http.Header // credentials: in the query, logs would keep them
}

// Format implements fmt.Formatter: no verb prints a credential.
func (p *Provider) Format(f fmt.State, _ rune) { fmt.Fprint(f, "onemsg ", p.config.ChannelID) }

// New checks the arguments and makes a Provider. It makes no request.
func New(c Config) (*Provider, error) {
	if c.BaseURL == "" {
		c.BaseURL = "https://api.1msg.io"
	}
	if c.Client == nil {
		c.Client = wire.New(wire.Options{})
	}
	base, err := providers.CheckBase(c.BaseURL)
	err = errors.Join(
		providers.CheckPart("channel_id", c.ChannelID), c.Token.Check("token"), err,
		providers.CheckThroughput(c.Throughput),
	)
	if err != nil {
		return nil, err
	}
	return &Provider{config: c, base: base + "/" + c.ChannelID, profile: Profile().WithThroughput(c.Throughput), client: c.Client,
		header: providers.Header("Authorization", "Bearer "+string(c.Token))}, nil
}

// Profile returns what this channel can do: Profile with the configured throughput.
func (p *Provider) Profile() *providers.Profile { return p.profile }

// Profile returns what 1msg can do, as it documents it.
func Profile() providers.Profile {
	return providers.Profile{
		Type: "onemsg", Title: "1msg", Limits: message.DefaultLimits(), Kinds: kinds(), Features: features(),
		Throughput:  providers.Fact{Value: 20, Source: "handbill's caution: 1msg answers 429 and documents no figure", Date: read},
		PairSeconds: providers.Fact{Value: 6, Source: "Meta, about-the-platform: 1msg passes messages on to Meta", Date: "2026-09-11"},
		Polls:       true,
	}
}

func kinds() map[message.Kind]providers.Capability {
	out := map[message.Kind]providers.Capability{}
	state := func(support message.Support, note string, list ...message.Kind) {
		for _, k := range list {
			out[k] = providers.Capability{Support: support, Note: note, Source: source, Date: read}
		}
	}
	state(message.Yes, "", message.KindText, message.KindButtons, message.KindLink, message.KindMedia, message.KindLocation,
		message.KindContacts, message.KindProduct, message.KindProductList, message.KindTemplate, message.KindFlow)
	state(message.Doubted, "the method is listed and its fields are not documented",
		message.KindLocationRequest, message.KindReaction, message.KindCarousel)
	state(message.No, "1msg has no method for it; send a product_list_message, or a template_message with a catalog button", message.KindCatalog)
	state(message.No, "1msg's fields for it are not documented; ask with a flow_message or a text_message", message.KindAddressRequest)
	state(message.No, "1msg has no method for it; write the number into a text_message", message.KindCall)
	state(message.No, "1msg has no method for it; ask with a button_message", message.KindCallPermissionRequest, message.KindContactRequest)
	out[message.KindList] = providers.Capability{
		Support: message.Doubted, Source: source, Date: read, Fields: []string{"header", "footer"},
		Note: "header and footer of a list are documented in 2023 and not in 2026; 1msg may not show them",
	}
	return out
}

func features() map[providers.Feature]providers.Capability {
	state := func(support message.Support, note string) providers.Capability {
		return providers.Capability{Support: support, Note: note, Source: source, Date: read}
	}
	return map[providers.Feature]providers.Capability{
		providers.FeatureQuote:     state(message.Yes, ""),
		providers.FeatureIdentity:  state(message.No, "1msg has no field for it; leave identity_key_hash out, or send through a provider that passes Meta's object on"),
		providers.FeatureMarketing: state(message.Doubted, "1msg routes the template to Marketing Messages (useMMlite), and what happens where that can't deliver is 1msg's choice, whichever policy is written"),
		providers.FeatureRead:      state(message.Doubted, "the method readMessage is documented in 2023 and not in 2026"),
		providers.FeatureTyping:    state(message.No, "1msg has no method for it; mark_read shows that the message was read"),
	}
}
