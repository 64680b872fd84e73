package workspace

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/zclconf/go-cty/cty"

	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/cloud"
	"github.com/handbill/handbill/providers/dialog360"
	"github.com/handbill/handbill/providers/kaleyra"
	"github.com/handbill/handbill/providers/metaobject"
	"github.com/handbill/handbill/providers/onemsg"
	"github.com/handbill/handbill/providers/sandbox"
	"github.com/handbill/handbill/providers/wire"
)

// providerType is one row of the table of providers.
type providerType struct {
	name    string
	schema  func() []providers.Argument
	profile func(a arguments) providers.Profile
	make    func(a arguments, o outside) (providers.Provider, error)
}

// outside is what a provider gets from the process: clock, proxy, user agent.
type outside struct {
	client *wire.Client
	now    func() time.Time
}

// providerTypes is the table of providers. Add a new one here and in
// imports_test.go.
func providerTypes() []providerType {
	plain := func(p func() providers.Profile) func(arguments) providers.Profile {
		return func(arguments) providers.Profile { return p() }
	}
	return []providerType{
		{"cloud", cloud.Schema, plain(cloud.Profile), func(a arguments, o outside) (providers.Provider, error) {
			return cloud.New(cloud.Config{Client: o.client, PhoneNumberID: a.text("phone_number_id"), AccessToken: a.secret("access_token"),
				AppSecret: a.secret("app_secret"), VerifyToken: a.secret("verify_token"), WABAID: a.text("waba_id"),
				APIVersion: a.text("api_version"), BaseURL: a.text("base_url"), Throughput: a.number("throughput")})
		}},
		{"dialog360", dialog360.Schema, plain(dialog360.Profile), func(a arguments, o outside) (providers.Provider, error) {
			return dialog360.New(dialog360.Config{Client: o.client, APIKey: a.secret("api_key"), BaseURL: a.text("base_url"),
				Throughput: a.number("throughput"), PhoneNumber: a.text("phone_number"), WebhookToken: a.secret("webhook_token"), WebhookHeaders: a.secrets("webhook_headers")})
		}},
		{"kaleyra", kaleyra.Schema, plain(kaleyra.Profile), func(a arguments, o outside) (providers.Provider, error) {
			return kaleyra.New(kaleyra.Config{Client: o.client, SID: a.text("sid"), APIKey: a.secret("api_key"), PhoneNumber: a.text("phone_number"),
				Region: a.text("region"), BaseURL: a.text("base_url"), Throughput: a.number("throughput"),
				CallbackProfileID: a.text("callback_profile_id"), Ref1: a.text("ref1"), Ref2: a.text("ref2"), Source: a.text("source"),
				WebhookToken: a.secret("webhook_token"), WebhookUser: a.text("webhook_user"), WebhookPassword: a.secret("webhook_password")})
		}},
		{"onemsg", onemsg.Schema, plain(onemsg.Profile), func(a arguments, o outside) (providers.Provider, error) {
			return onemsg.New(onemsg.Config{Client: o.client, ChannelID: a.text("channel_id"), Token: a.secret("token"), BaseURL: a.text("base_url"),
				Throughput: a.number("throughput"), PhoneNumber: a.text("phone_number"), WebhookToken: a.secret("webhook_token"), MMLite: a.flag("mm_lite")})
		}},
		{"sandbox", sandbox.Schema, sandboxProfile, newSandbox},
	}
}

func findType(name string) (providerType, bool) {
	for _, t := range providerTypes() {
		if t.name == name {
			return t, true
		}
	}
	return providerType{}, false
}

// newSandbox makes the simulated number, with the wire format that the block names.
func newSandbox(a arguments, o outside) (providers.Provider, error) {
	latency, err := time.ParseDuration(a.or("latency", "0s"))
	if err != nil {
		return nil, errors.New(`latency: expected a duration such as "200ms"`)
	}
	c := sandbox.Config{URL: a.text("url"), Wire: a.text("wire"), Seed: int64(a.number("seed")), Latency: latency,
		FailureRate: a.number("failure_rate"), Throughput: a.number("throughput"), Clock: o.now, Client: o.client}
	return sandbox.New(c, func(base string) (providers.Provider, error) {
		return sandboxWire(c.Wire, base, a.number("throughput"), o)
	})
}

// sandboxWire is the provider that talks to the simulator in a wire format, with
// credentials that the simulator accepts.
func sandboxWire(wire, base string, throughput float64, o outside) (providers.Provider, error) {
	const accepted = "sandbox"
	pace := min(throughput, 1000) // the wire's own bound; the sandbox's profile has the real one
	switch wire {
	case "", "cloud":
		return cloud.New(cloud.Config{Client: o.client, PhoneNumberID: "1", AccessToken: accepted, WABAID: sandbox.AccountID, BaseURL: base, Throughput: pace})
	case "dialog360":
		return dialog360.New(dialog360.Config{Client: o.client, APIKey: accepted, BaseURL: base, Throughput: pace})
	case "kaleyra":
		return kaleyra.New(kaleyra.Config{Client: o.client, SID: accepted, APIKey: accepted, PhoneNumber: "+15550100000", BaseURL: base, Throughput: pace})
	case "onemsg":
		return onemsg.New(onemsg.Config{Client: o.client, ChannelID: accepted, Token: accepted, BaseURL: base, Throughput: pace})
	}
	return nil, fmt.Errorf("wire: %q is not one of cloud, dialog360, kaleyra, onemsg", message.SafeText(wire))
}

// sandboxProfile is the profile of the wire format.
func sandboxProfile(a arguments) providers.Profile {
	if t, ok := findType(a.or("wire", "cloud")); ok && t.name != "sandbox" {
		return t.profile(a)
	}
	return cloud.Profile()
}

// arguments are those of a provider block, typed by its schema.
type arguments map[string]cty.Value

func (a arguments) value(name string) (cty.Value, bool) {
	v, ok := a[name]
	if !ok {
		return v, false
	}
	v, _ = v.Unmark()
	return v, !v.IsNull() && v.IsKnown()
}

func (a arguments) text(name string) string {
	if v, ok := a.value(name); ok && v.Type() == cty.String {
		return v.AsString()
	}
	return ""
}

func (a arguments) or(name, otherwise string) string {
	if s := a.text(name); s != "" {
		return s
	}
	return otherwise
}

func (a arguments) secret(name string) providers.Secret { return providers.Secret(a.text(name)) }

func (a arguments) number(name string) float64 {
	if v, ok := a.value(name); ok && v.Type() == cty.Number {
		f, _ := v.AsBigFloat().Float64()
		return f
	}
	return 0
}

// flag is nil where the argument is not set.
func (a arguments) flag(name string) *bool {
	v, ok := a.value(name)
	if !ok || v.Type() != cty.Bool {
		return nil
	}
	set := v.True()
	return &set
}

func (a arguments) secrets(name string) map[string]providers.Secret {
	v, ok := a.value(name)
	if !ok || !v.CanIterateElements() {
		return nil
	}
	out := map[string]providers.Secret{}
	for k, e := range v.AsValueMap() {
		if e, _ := e.Unmark(); !e.IsNull() && e.Type() == cty.String {
			out[k] = providers.Secret(e.AsString())
		}
	}
	return out
}

// Schemas are the arguments of provider blocks for the language.
func Schemas() map[string]lang.ProviderSchema {
	types := map[string]cty.Type{"string": cty.String, "number": cty.Number, "bool": cty.Bool, "map": cty.Map(cty.String)}
	out := map[string]lang.ProviderSchema{}
	for _, t := range providerTypes() {
		var s lang.ProviderSchema
		for _, arg := range t.schema() {
			s.Arguments = append(s.Arguments, lang.ProviderArgument{Name: arg.Name, Type: types[arg.Type],
				Required: arg.Required, Sensitive: arg.Sensitive, Description: arg.Description})
		}
		out[t.name] = s
	}
	return out
}

// Limits returns the bounds of messages for a type of provider.
func Limits(name string) message.Limits {
	if t, ok := findType(name); ok {
		return t.profile(nil).Limits
	}
	return message.DefaultLimits()
}

// Supports says what sending numbers can do, for plans.
func Supports() plan.Supports { return plan.Supports{Message: carries, Feature: can} }

// carries says whether a sending number supports a message with all its features. A
// doubt about single texts counts only if the message has one of them.
func carries(p *lang.Provider, d *message.Draft) (support message.Support, note string) {
	t, ok := findType(p.Type)
	if !ok {
		return message.Yes, ""
	}
	profile := t.profile(arguments(p.Arguments))
	c := profile.Kinds[d.Message.Kind()]
	if c.Support == message.Doubted && len(c.Fields) > 0 && !hasText(d, c.Fields) {
		c = providers.Capability{Support: message.Yes}
	}
	for _, name := range providers.FeaturesOf(d) {
		if f := profile.Features[name]; f.Support < c.Support {
			c = providers.Capability{Support: f.Support, Note: fmt.Sprintf("About %s: %s.", name, f.Note)}
		}
	}
	return c.Support, c.Note
}

// can says whether a sending number has a feature that a reply rule needs.
func can(p *lang.Provider, name string) (support message.Support, note string) {
	t, ok := findType(p.Type)
	if !ok {
		return message.Yes, ""
	}
	c := t.profile(arguments(p.Arguments)).Features[providers.Feature(name)]
	return c.Support, c.Note
}

// hasText reports whether a message has one of the texts at the paths,
// constant or made for each recipient.
func hasText(d *message.Draft, paths []string) bool {
	there := func(path string) bool {
		first, _, _ := strings.Cut(path, ".")
		return slices.Contains(paths, first)
	}
	found := slices.ContainsFunc(d.Bindings, func(b message.Binding) bool { return there(b.Path) })
	message.Fields(d.Message, func(f message.Field) { found = found || *f.Text != "" && there(f.Path) })
	return found
}

// Throughput is a number's own rate in messages per second.
func Throughput(p *lang.Provider) float64 {
	a := arguments(p.Arguments)
	if v := a.number("throughput"); v > 0 {
		return v
	}
	if t, ok := findType(p.Type); ok {
		return t.profile(a).Throughput.Value
	}
	return 0
}

// Outdated says what is wrong at a point in time with the API version of a provider
// block; "" for nothing.
func Outdated(at time.Time) func(*lang.Provider) string {
	return func(p *lang.Provider) string {
		if p.Type != "cloud" {
			return ""
		}
		return cloud.VersionEnded(arguments(p.Arguments).text("api_version"), at)
	}
}

// Advice is what a person can do about a code of a provider.
func Advice(code string) string {
	var n int
	if _, err := fmt.Sscanf(code, "%d", &n); err != nil || fmt.Sprint(n) != code {
		return ""
	}
	c, _ := metaobject.LookUp(n)
	return c.Advice
}

// Profile is the profile of a number's type of provider; ok is false if there is no
// such type.
func Profile(p *lang.Provider) (profile providers.Profile, ok bool) {
	t, ok := findType(p.Type)
	if !ok {
		return providers.Profile{}, false
	}
	return t.profile(arguments(p.Arguments)), true
}

// Codes are the codes that providers answer with, by provider.
func Codes() map[string][]providers.Code {
	return map[string][]providers.Code{
		"Meta (360dialog, 1msg and Kaleyra pass it on)": metaobject.Explained(),
		"Kaleyra":   kaleyra.Codes(),
		"360dialog": dialog360.Codes(),
		"1msg":      onemsg.Codes(),
		"HTTP, where a provider's answer says no more": statusCodes(),
	}
}

// statusCodes are the HTTP statuses that have a meaning by themselves.
func statusCodes() []providers.Code {
	var out []providers.Code
	for _, status := range wire.Statuses() {
		a := wire.ByStatus(wire.Reply{Status: status})
		out = append(out, providers.Code{Code: a.Code, Class: a.Class, Title: a.Title, Advice: a.Advice, Source: "docs/delivery.md, the table of attempts"})
	}
	return out
}

// Provider makes the sending number at an address of cfg.
func (h *Host) Provider(cfg *lang.Config, address string) (providers.Provider, error) {
	for _, p := range cfg.Providers {
		if p.Address() != address {
			continue
		}
		t, ok := findType(p.Type)
		if !ok {
			return nil, fmt.Errorf("%s: there is no provider of that type", address)
		}
		if err := WithSecrets(p); err != nil {
			return nil, err
		}
		made, err := t.make(arguments(p.Arguments), outside{wire.New(wire.Options{UserAgent: h.UserAgent, Proxy: h.Proxy().Of}), h.Now})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", address, err)
		}
		return made, nil
	}
	return nil, fmt.Errorf("%s is not declared", address)
}

// WithSecrets returns an error if a secret of p reads an environment variable that
// is not set: p can then be used for planning, but not for requests.
func WithSecrets(p *lang.Provider) error {
	if len(p.Unset) == 0 {
		return nil
	}
	s := p.Unset[0]
	return fmt.Errorf("%s: its %s reads the environment variable %s, which is not set; set it where handbill runs", p.Address(), s.Argument, s.Variable)
}

// Provider makes the sending number at an address of the configuration. The
// caller closes it with CloseProvider.
func (w *Workspace) Provider(address string) (providers.Provider, error) {
	return w.host.Provider(w.Config, address)
}

// CloseProvider closes what a number keeps open.
func CloseProvider(p providers.Provider) {
	if c, ok := p.(io.Closer); ok {
		c.Close()
	}
}
