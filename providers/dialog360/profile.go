// Package dialog360 sends through 360dialog, which passes on Meta's message object
// and has its own errors besides Meta's.
package dialog360

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
	source = "docs.360dialog.com, messaging API 1.41.0"
	read   = "2026-11-20"
)

// Config are the arguments of a dialog360 provider.
type Config struct {
	APIKey         providers.Secret            // required: the key of the number
	BaseURL        string                      // "" is https://waba-v2.360dialog.io
	Throughput     float64                     // messages per second; 0 is 80
	PhoneNumber    string                      // events that name another number are not its own; "" takes all
	WebhookToken   providers.Secret            // secret part of the webhook's path; "current,previous" while it is changed
	WebhookHeaders map[string]providers.Secret // headers that 360dialog is configured to send along
	Client         *wire.Client
}

// Schema returns the arguments of the provider's block in the language.
func Schema() []providers.Argument {
	return []providers.Argument{
		{Name: "api_key", Type: "string", Required: true, Sensitive: true, Description: "The number's D360-API-KEY."},
		{Name: "base_url", Type: "string", Description: "Address of the API; https://waba-v2.360dialog.io by default."},
		{Name: "throughput", Type: "number", Description: "Messages per second of the number; 80 by default."},
		{Name: "phone_number", Type: "string", Description: "The number, such as +4915112345678: webhooks that name another one are not taken for this number's."},
		{Name: "webhook_token", Type: "string", Sensitive: true, Description: "Secret part of the webhook's path; \"current,previous\" while it is being changed."},
		{Name: "webhook_headers", Type: "map", Sensitive: true, Description: "Headers that were given with the webhook's address; an event without them is refused."},
	}
}

// Provider is one number at 360dialog.
type Provider struct {
	config  Config
	base    string
	profile *providers.Profile
	client  *wire.Client
	header  http.Header // credentials
}

// Format implements fmt.Formatter: no verb prints a credential.
func (p *Provider) Format(f fmt.State, _ rune) { fmt.Fprint(f, "dialog360") }

// New checks the arguments and makes a Provider. It makes no request.
func New(c Config) (*Provider, error) {
	if c.BaseURL == "" {
		c.BaseURL = "https://waba-v2.360dialog.io"
	}
	if c.Client == nil {
		c.Client = wire.New(wire.Options{})
	}
	base, err := providers.CheckBase(c.BaseURL)
	err = errors.Join(c.APIKey.Check("api_key"), err, providers.CheckThroughput(c.Throughput))
	for name, value := range c.WebhookHeaders {
		err = errors.Join(err, providers.CheckPart("a name in webhook_headers", name), value.Check("webhook_headers: the value of "+name))
	}
	if err != nil {
		return nil, err
	}
	return &Provider{config: c, base: base, profile: Profile().WithThroughput(c.Throughput), client: c.Client,
		header: providers.Header("D360-API-KEY", string(c.APIKey))}, nil
}

// Profile is what 360dialog can do.
func (p *Provider) Profile() *providers.Profile { return p.profile }

// Profile returns what 360dialog can do. What it only passes on to Meta, without
// documenting it, is marked as doubtful.
func Profile() providers.Profile {
	kinds := map[message.Kind]providers.Capability{}
	for _, k := range []message.Kind{
		message.KindText, message.KindList, message.KindButtons, message.KindLink, message.KindMedia,
		message.KindLocationRequest, message.KindProduct, message.KindProductList, message.KindCatalog,
		message.KindFlow, message.KindTemplate, message.KindContacts, message.KindLocation, message.KindReaction,
	} {
		kinds[k] = providers.Capability{Support: message.Yes, Source: source, Date: read}
	}
	for _, k := range []message.Kind{
		message.KindCarousel, message.KindAddressRequest, message.KindCall,
		message.KindCallPermissionRequest, message.KindContactRequest,
	} {
		kinds[k] = providers.Capability{
			Support: message.Doubted, Source: source, Date: read,
			Note: "360dialog has no page for it; it passes Meta's object on, so it should arrive",
		}
	}
	return providers.Profile{
		Type: "dialog360", Title: "360dialog", Limits: message.DefaultLimits(), Kinds: kinds, Features: features(),
		Throughput:  providers.Fact{Value: 80, Source: "docs.360dialog.com, capacity: Meta's figure applies", Date: read},
		PairSeconds: providers.Fact{Value: 6, Source: "Meta, about-the-platform", Date: "2026-09-11"},
		Echo:        true,
	}
}

func features() map[providers.Feature]providers.Capability {
	passes := providers.Capability{Support: message.Doubted, Source: source, Date: read,
		Note: "360dialog's pages do not tell of it; it passes Meta's object on, so it should work"}
	return map[providers.Feature]providers.Capability{
		providers.FeatureQuote:    {Support: message.Yes, Source: source, Date: read},
		providers.FeatureIdentity: passes,
		providers.FeatureMarketing: {Support: message.Doubted, Source: "docs.360dialog.com, technical details for MM API", Date: read,
			Note: "360dialog documents the address, and not the policy \"fallback\" or \"strict\"; its partners' accounts may route marketing templates there by themselves"},
		providers.FeatureRead:   passes,
		providers.FeatureTyping: passes,
	}
}
