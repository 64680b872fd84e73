// Package cloud sends through Meta's WhatsApp Cloud API directly.
package cloud

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/wire"
)

// Where the facts of this package are from, unless said otherwise.
const (
	source = "Meta, WhatsApp Cloud API"
	read   = "2026-09-11"
)

// Config are the arguments of a cloud provider.
type Config struct {
	PhoneNumberID string           // required: the id of the number, not the number
	AccessToken   providers.Secret // required: a system user's token
	AppSecret     providers.Secret // checks the signature of webhooks; "current,previous" while it is changed
	VerifyToken   providers.Secret // answers the handshake of webhooks
	WABAID        string           // the account that the number must belong to, for Check
	APIVersion    string           // "" is v26.0
	BaseURL       string           // "" is https://graph.facebook.com
	Throughput    float64          // messages per second; 0 is 80
	Client        *wire.Client
}

// Schema returns the arguments of the provider's block in the language.
func Schema() []providers.Argument {
	return []providers.Argument{
		{Name: "phone_number_id", Type: "string", Required: true, Description: "Id of the sending number in WhatsApp Manager (not the number itself)."},
		{Name: "access_token", Type: "string", Required: true, Sensitive: true, Description: "Token of a system user with whatsapp_business_messaging."},
		{Name: "app_secret", Type: "string", Sensitive: true, Description: "Secret of the app, which signs webhooks; \"current,previous\" while it is being changed."},
		{Name: "verify_token", Type: "string", Sensitive: true, Description: "Word with which Meta checks the webhook's address."},
		{Name: "waba_id", Type: "string", Description: "Id of the WhatsApp Business Account; providers check compares it."},
		{Name: "api_version", Type: "string", Description: "Version of the Graph API; v26.0 by default."},
		{Name: "base_url", Type: "string", Description: "Address of the API; https://graph.facebook.com by default."},
		{Name: "throughput", Type: "number", Description: "Messages per second of the number; 80 by default."},
	}
}

// Provider is one number at Meta's Cloud API.
type Provider struct {
	config  Config
	base    string // base URL and version
	profile *providers.Profile
	client  *wire.Client
	header  http.Header // credentials
}

// Format implements fmt.Formatter: no verb prints a credential.
func (p *Provider) Format(f fmt.State, _ rune) { fmt.Fprint(f, "cloud ", p.config.PhoneNumberID) }

var versionForm = regexp.MustCompile(`^v[0-9]{1,3}\.[0-9]{1,2}$`)

// defaultBase is where Meta's Graph API is.
const defaultBase = "https://graph.facebook.com"

// New checks the arguments and makes a Provider. It makes no request.
func New(c Config) (*Provider, error) {
	if c.APIVersion == "" {
		c.APIVersion = defaultVersion
	}
	if c.BaseURL == "" {
		c.BaseURL = defaultBase
	}
	if c.Client == nil {
		c.Client = wire.New(wire.Options{})
	}
	base, err := providers.CheckBase(c.BaseURL)
	err = errors.Join(
		providers.CheckPart("phone_number_id", c.PhoneNumberID),
		c.AccessToken.Check("access_token"), err, providers.CheckThroughput(c.Throughput),
	)
	if !versionForm.MatchString(c.APIVersion) {
		err = errors.Join(err, fmt.Errorf("api_version: expected a version such as %s", defaultVersion))
	}
	if c.WABAID != "" {
		err = errors.Join(err, providers.CheckPart("waba_id", c.WABAID))
	}
	if err != nil {
		return nil, err
	}
	return &Provider{config: c, base: base + "/" + c.APIVersion, profile: Profile().WithThroughput(c.Throughput), client: c.Client,
		header: providers.Header("Authorization", "Bearer "+string(c.AccessToken))}, nil
}

// Profile is what the Cloud API can do.
func (p *Provider) Profile() *providers.Profile { return p.profile }

// Profile returns what the Cloud API can do, as Meta documents it.
func Profile() providers.Profile {
	kinds := map[message.Kind]providers.Capability{}
	for _, k := range []message.Kind{
		message.KindText, message.KindList, message.KindButtons, message.KindLink, message.KindMedia,
		message.KindLocationRequest, message.KindProduct, message.KindProductList, message.KindCatalog,
		message.KindFlow, message.KindTemplate, message.KindContacts, message.KindLocation, message.KindReaction,
		message.KindCarousel, message.KindCall, message.KindCallPermissionRequest,
	} {
		kinds[k] = providers.Capability{Support: message.Yes, Source: source, Date: read}
	}
	kinds[message.KindAddressRequest] = providers.Capability{
		Support: message.Doubted, Source: source + ", messages/address-messages", Date: read,
		Note: "only Indian businesses may send it, and only to +91 numbers",
	}
	kinds[message.KindContactRequest] = providers.Capability{
		Support: message.Doubted, Source: source + ", business-scoped-user-ids", Date: read,
		Note: "it is being rolled out, and the number may not have it yet",
	}
	return providers.Profile{
		Type: "cloud", Title: "Meta Cloud API", Limits: message.DefaultLimits(), Kinds: kinds, Features: features(),
		Throughput:  providers.Fact{Value: 80, Source: source + ", throughput", Date: read},
		PairSeconds: providers.Fact{Value: 6, Source: source + ", about-the-platform", Date: read},
		Echo:        true, Polls: true,
	}
}

func features() map[providers.Feature]providers.Capability {
	yes := func(page string) providers.Capability {
		return providers.Capability{Support: message.Yes, Source: source + ", " + page, Date: read}
	}
	return map[providers.Feature]providers.Capability{
		providers.FeatureQuote:     yes("messages/contextual-replies"),
		providers.FeatureIdentity:  yes("identity-change"),
		providers.FeatureMarketing: yes("marketing-messages"),
		providers.FeatureRead:      yes("messages/mark-message-as-read"),
		providers.FeatureTyping:    yes("typing-indicators"),
	}
}
