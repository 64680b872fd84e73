package cloud

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"

	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/metaobject"
)

// Subscription reads where Meta posts the number's events. Messages go to the
// number's own address; without one to the account's; without that to the app's.
// The app's subscribed fields apply to all three.
// Source: Meta, webhooks/override and Graph API, app/subscriptions, 2026-09-11.
func (p *Provider) Subscription(ctx context.Context) (*providers.Subscription, error) {
	s := &providers.Subscription{}
	var number struct {
		Configuration struct {
			Number  string `json:"phone_number"`
			Account string `json:"whatsapp_business_account"`
			App     string `json:"application"`
		} `json:"webhook_configuration"`
	}
	if err := p.read(ctx, p.config.PhoneNumberID, url.Values{"fields": {"webhook_configuration"}}, &number); err != nil {
		return nil, err
	}
	c := number.Configuration
	for _, address := range []string{c.Number, c.Account, c.App} {
		if address != "" && len(s.URLs) == 0 {
			s.URLs = []string{address}
		}
	}
	if len(s.URLs) > 0 && c.Number+c.Account != "" && c.App != s.URLs[0] {
		s.Findings = append(s.Findings, providers.Finding{Text: "only messages go to this address, which overrides the app's; notices about templates, limits and the account go to the app's",
			Advice: "let the app's address lead to handbill serve too, or look at such notices there"})
	}
	p.subscribedAccount(ctx, s)
	p.subscribedFields(ctx, s)
	return s, nil
}

// read asks for an object of the Graph API.
func (p *Provider) read(ctx context.Context, path string, query url.Values, to any) error {
	body, err := p.get(ctx, path, query)
	if err != nil {
		return err
	}
	if json.Unmarshal(body, to) != nil {
		return errForm
	}
	return nil
}

var errForm = errors.New("the answer is not JSON of the documented form")

// subscribedAccount checks whether any app gets the account's events.
func (p *Provider) subscribedAccount(ctx context.Context, s *providers.Subscription) {
	if p.config.WABAID == "" {
		s.Findings = append(s.Findings, providers.Finding{Text: "whether the app is subscribed to the account is not known", Advice: "declare waba_id"})
		return
	}
	var apps struct {
		Data []struct {
			App struct{ ID, Name string } `json:"whatsapp_business_api_data"`
		}
	}
	switch err := p.read(ctx, p.config.WABAID+"/subscribed_apps", nil, &apps); {
	case err != nil:
		s.Findings = append(s.Findings, providers.Finding{Text: "whether the app is subscribed to the account can't be read: " + err.Error(),
			Advice: "give the system user whatsapp_business_management"})
	case len(apps.Data) == 0:
		s.Missing = append(s.Missing, metaobject.Fields()...)
		s.Findings = append(s.Findings, providers.Finding{Severe: p.receives(), Text: "no app is subscribed to the account, so no event comes at all",
			Advice: "subscribe the app: POST /" + p.config.WABAID + "/subscribed_apps, or Webhooks in the app's dashboard"})
	}
}

// receives reports whether the number is set up to get webhooks.
func (p *Provider) receives() bool { return p.config.AppSecret != "" }

// subscribedFields reads which fields the app gets. That needs the app's own token,
// which consists of its id and its secret.
func (p *Provider) subscribedFields(ctx context.Context, s *providers.Subscription) {
	if len(s.Missing) > 0 {
		return
	}
	if !p.receives() {
		s.Findings = append(s.Findings, providers.Finding{Text: "app_secret is not set, so handbill serve takes no webhook of this number, and the app's fields can't be read",
			Advice: "declare app_secret and verify_token, and register the webhook as docs/webhooks.md says"})
		return
	}
	fields, active, err := p.appFields(ctx)
	switch {
	case err != nil:
		s.Findings = append(s.Findings, providers.Finding{Text: "the fields that the app gets can't be read: " + err.Error(),
			Advice: "compare Webhooks in the app's dashboard with docs/webhooks.md"})
		return
	case !active:
		s.Missing = metaobject.Fields()
		s.Findings = append(s.Findings, providers.Finding{Severe: true, Text: "the app has no active webhook for WhatsApp accounts, so no event comes at all",
			Advice: "register the address under WhatsApp, Configuration, in the app's dashboard"})
		return
	}
	s.Missing = metaobject.MissingFields(fields)
}

// appFields are the fields that the app is subscribed to for WhatsApp accounts,
// and whether that subscription is active.
func (p *Provider) appFields(ctx context.Context) (fields []string, active bool, err error) {
	var app struct{ ID string }
	if err := p.read(ctx, "app", url.Values{"fields": {"id"}}, &app); err != nil {
		return nil, false, err
	}
	if err := providers.CheckPart("the app's id", app.ID); err != nil {
		return nil, false, err
	}
	var body []byte
	for _, secret := range p.config.AppSecret.Split() {
		if body, err = p.getAs(ctx, providers.Header("Authorization", "Bearer "+app.ID+"|"+secret), app.ID+"/subscriptions", nil); err == nil {
			break
		}
	}
	if err != nil {
		return nil, false, err
	}
	return decodeAppFields(body)
}

func decodeAppFields(body []byte) (fields []string, active bool, err error) {
	var list struct {
		Data []struct {
			Object string
			Active bool
			Fields []json.RawMessage
		}
	}
	if json.Unmarshal(body, &list) != nil {
		return nil, false, errors.New("the app's subscriptions are not JSON of the documented form")
	}
	for _, sub := range list.Data {
		if sub.Object != "whatsapp_business_account" {
			continue
		}
		active = active || sub.Active
		for _, raw := range sub.Fields {
			fields = append(fields, fieldName(raw))
		}
	}
	return fields, active, nil
}

// fieldName reads a field, which is {"name":…}, or a string in older versions.
func fieldName(raw json.RawMessage) string {
	var field struct{ Name string }
	if json.Unmarshal(raw, &field) == nil {
		return field.Name
	}
	var name string
	_ = json.Unmarshal(raw, &name) // "" is no field
	return name
}
