// Package kaleyra sends through Kaleyra's WhatsApp API v2, which wraps Meta's
// message object and has its own answers and callbacks.
package kaleyra

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/wire"
)

// Where the facts of this package are from, unless said otherwise.
const (
	source = "developers.kaleyra.io, WhatsApp API v2"
	read   = "2026-11-20"
)

// maxRef bounds ref, ref1 and ref2, in characters.
const maxRef = 255

// Config are the arguments of a kaleyra provider.
type Config struct {
	SID               string           // required: the account's id
	APIKey            providers.Secret // required
	PhoneNumber       string           // required: the sending number, E.164
	Region            string           // "in" (default), "eu", "sg" or "na"
	BaseURL           string           // in place of the region's address
	Throughput        float64          // messages per second; 0 is 20
	CallbackProfileID string           // the callback profile that status goes to
	Ref1, Ref2        string           // come back in callbacks and reports
	Source            string           // wa_source
	WebhookToken      providers.Secret // secret part of the webhook's path; "current,previous" while it is changed
	WebhookUser       string           // basic authentication of callbacks
	WebhookPassword   providers.Secret
	Client            *wire.Client
}

// Schema returns the arguments of the provider's block in the language.
func Schema() []providers.Argument {
	return []providers.Argument{
		{Name: "sid", Type: "string", Required: true, Description: "The account's SID."},
		{Name: "api_key", Type: "string", Required: true, Sensitive: true, Description: "The account's API key."},
		{Name: "phone_number", Type: "string", Required: true, Description: "The sending number, such as +914400000000."},
		{Name: "region", Type: "string", Description: "Where the account lives: in (default), eu, sg or na."},
		{Name: "base_url", Type: "string", Description: "Address of the API in place of the region's."},
		{Name: "throughput", Type: "number", Description: "Messages per second; 20 by default, since Kaleyra documents no figure."},
		{Name: "callback_profile_id", Type: "string", Description: "Callback profile to which status goes, where the number has none."},
		{Name: "ref1", Type: "string", Description: "Word that comes back in callbacks and reports."},
		{Name: "ref2", Type: "string", Description: "Word that comes back in callbacks and reports."},
		{Name: "source", Type: "string", Description: "Kaleyra's wa_source, such as \"api\"."},
		{Name: "webhook_token", Type: "string", Sensitive: true, Description: "Secret part of the callback's path; \"current,previous\" while it is being changed."},
		{Name: "webhook_user", Type: "string", Description: "User of the callback profile's basic authentication."},
		{Name: "webhook_password", Type: "string", Sensitive: true, Description: "Password of the callback profile's basic authentication."},
	}
}

// Provider is one number at Kaleyra.
type Provider struct {
	config  Config
	base    string // up to the sending number
	profile *providers.Profile
	client  *wire.Client
	header  http.Header // credentials
}

// Format implements fmt.Formatter: no verb prints a credential.
func (p *Provider) Format(f fmt.State, _ rune) {
	fmt.Fprint(f, "kaleyra ", message.Mask(p.config.PhoneNumber))
}

// regions returns the base URLs of Kaleyra's regions. Kaleyra's pages disagree about
// Singapore: older ones say api.ap.kaleyra.io, newer ones api.kaleyra.io.
func regions() map[string]string {
	return map[string]string{
		"in": "https://api.in.kaleyra.io",
		"eu": "https://api.eu.kaleyra.io",
		"sg": "https://api.ap.kaleyra.io",
		"na": "https://api.na.kaleyra.ai",
	}
}

// sources returns the values of wa_source; Kaleyra turns any other into "API".
func sources() []string {
	return []string{"api", "clevertap", "zoho", "webengage", "shopify", "leadsquared", "responsys", "braze",
		"hubspot", "salesforce", "zapier", "eloqua", "moengage"}
}

// New checks the arguments and makes a Provider. It makes no request.
func New(c Config) (*Provider, error) {
	if c.Region == "" {
		c.Region = "in"
	}
	if c.Client == nil {
		c.Client = wire.New(wire.Options{})
	}
	base, err := c.base()
	err = errors.Join(providers.CheckPart("sid", c.SID), c.APIKey.Check("api_key"), err, c.check())
	if err != nil {
		return nil, err
	}
	return &Provider{
		header: providers.Header("api-key", string(c.APIKey)),
		config: c, base: base + "/v2/" + c.SID + "/whatsapp/+" + strings.TrimPrefix(c.PhoneNumber, "+"),
		profile: Profile().WithThroughput(c.Throughput), client: c.Client,
	}, nil
}

func (c Config) base() (string, error) {
	if c.BaseURL != "" {
		return providers.CheckBase(c.BaseURL)
	}
	base, ok := regions()[c.Region]
	if !ok {
		return "", fmt.Errorf("region: expected in, eu, sg or na, got %q; give base_url for another", c.Region)
	}
	return base, nil
}

var numberForm = regexp.MustCompile(`^\+?[1-9][0-9]{6,14}$`)

func (c Config) check() error {
	errs := []error{providers.CheckThroughput(c.Throughput)}
	if !numberForm.MatchString(c.PhoneNumber) {
		errs = append(errs, errors.New("phone_number: expected the sending number with its country code, such as +914400000000"))
	}
	for name, ref := range map[string]string{"ref1": c.Ref1, "ref2": c.Ref2, "callback_profile_id": c.CallbackProfileID} {
		if utf8.RuneCountInString(ref) > maxRef {
			errs = append(errs, fmt.Errorf("%s: at most %d characters", name, maxRef))
		}
	}
	if c.Source != "" && !slices.Contains(sources(), c.Source) {
		errs = append(errs, fmt.Errorf("source: expected one of %s, got %q", strings.Join(sources(), ", "), c.Source))
	}
	if (c.WebhookUser == "") != (c.WebhookPassword == "") {
		errs = append(errs, errors.New("webhook_user and webhook_password belong together; set both or neither"))
	}
	return errors.Join(errs...)
}

func features() map[providers.Feature]providers.Capability {
	no := func(note string) providers.Capability {
		return providers.Capability{Support: message.No, Source: source, Date: read, Note: note}
	}
	return map[providers.Feature]providers.Capability{
		providers.FeatureQuote: {Support: message.Yes, Source: source + ", send reply-to messages", Date: read},
		providers.FeatureIdentity: {Support: message.Doubted, Source: source, Date: read,
			Note: "Kaleyra has no page for it; it passes Meta's object on, and tells of a refusal in a callback only"},
		providers.FeatureMarketing: no("Kaleyra documents no address for Marketing Messages; leave marketing_messages out, and the template goes out as an ordinary one"),
		providers.FeatureRead:      no("Kaleyra documents no call for it; leave mark_read out"),
		providers.FeatureTyping:    no("Kaleyra documents no call for it; leave typing out"),
	}
}

// Profile is what Kaleyra can do.
func (p *Provider) Profile() *providers.Profile { return p.profile }

// Profile returns what Kaleyra can do. Kinds of messages that it passes on to Meta
// without documenting them are marked as doubtful.
func Profile() providers.Profile {
	kinds := map[message.Kind]providers.Capability{}
	for _, k := range []message.Kind{
		message.KindText, message.KindList, message.KindButtons, message.KindMedia, message.KindProduct,
		message.KindProductList, message.KindCatalog, message.KindTemplate,
	} {
		kinds[k] = providers.Capability{Support: message.Yes, Source: source, Date: read}
	}
	for _, k := range []message.Kind{
		message.KindLink, message.KindLocationRequest, message.KindFlow, message.KindContacts, message.KindLocation,
		message.KindReaction, message.KindCarousel, message.KindAddressRequest, message.KindCall,
		message.KindCallPermissionRequest, message.KindContactRequest,
	} {
		kinds[k] = providers.Capability{
			Support: message.Doubted, Source: source, Date: read,
			Note: "Kaleyra has no page for it; it passes Meta's object on, and tells of a refusal in a callback only",
		}
	}
	limits := message.DefaultLimits().With(message.Limits{
		"kaleyra.ref": {Max: maxRef, Source: source + ", send interactive list messages", Date: read},
	})
	return providers.Profile{
		Type: "kaleyra", Title: "Kaleyra", Limits: limits, Kinds: kinds, Features: features(),
		Throughput:  providers.Fact{Value: 20, Source: "handbill's caution: Kaleyra documents no figure for v2", Date: read},
		PairSeconds: providers.Fact{Value: 6, Source: "Meta, about-the-platform: Kaleyra passes messages on to Meta", Date: "2026-09-11"},
		Echo:        true,
	}
}
