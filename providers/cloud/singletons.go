package cloud

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/metaobject"
)

// webhookKind is the singleton that has requests of its own.
const webhookKind = "webhook"

// SingletonKey implements providers.SingletonWriter.
func (p *Provider) SingletonKey(of *account.Singleton) (key, why string) {
	switch {
	case !of.Account:
		return p.config.PhoneNumberID, ""
	case p.config.WABAID == "":
		return "", "it belongs to an account, and the number's is not known: declare waba_id in the provider block"
	}
	return p.config.WABAID, ""
}

// Singleton implements providers.SingletonWriter.
func (p *Provider) Singleton(ctx context.Context, of *account.Singleton) (account.Values, error) {
	if of.Kind == webhookKind {
		address, err := p.webhook(ctx, of.Account)
		return account.Values{"url": address}, err
	}
	read := metaobject.SingletonRead(of)
	body, err := p.get(ctx, p.edge(read.Edge), read.Query)
	if err != nil {
		return nil, err
	}
	return metaobject.DecodeSingleton(of, body)
}

// edge is the path of an edge of the number.
func (p *Provider) edge(edge string) string {
	return strings.TrimSuffix(p.config.PhoneNumberID+"/"+edge, "/")
}

// PutSingleton implements providers.SingletonWriter.
func (p *Provider) PutSingleton(ctx context.Context, of *account.Singleton, v account.Values, secret string) providers.TemplateAnswer {
	if of.Kind == webhookKind {
		return p.putWebhook(ctx, of.Account, v.Text("url"), secret)
	}
	write, err := metaobject.SingletonWrite(of, v)
	if err != nil {
		return providers.TemplateAnswer{Outcome: providers.TemplateRefused, Detail: err.Error()}
	}
	to := p.edge(write.Edge)
	if len(write.Query) > 0 {
		to += "?" + write.Query.Encode()
	}
	return p.change(ctx, to, write.Body)
}

// webhook reads the address that overrides that of the app, for the number or for the
// account; "" for none.
// Source: Meta, webhooks/override, 2026-09-11.
func (p *Provider) webhook(ctx context.Context, ofAccount bool) (string, error) {
	if !ofAccount {
		var number struct {
			ID            string
			Configuration struct {
				Number string `json:"phone_number"`
			} `json:"webhook_configuration"`
		}
		err := p.read(ctx, p.config.PhoneNumberID, url.Values{"fields": {"webhook_configuration"}}, &number)
		if err == nil && number.ID == "" { // a number without a webhook tells its id
			err = errForm
		}
		return number.Configuration.Number, err
	}
	body, err := p.get(ctx, p.config.WABAID+"/subscribed_apps", nil)
	if err != nil {
		return "", err
	}
	apps, err := decodeApps(body)
	if err != nil || len(apps) == 0 {
		return "", err
	}
	if len(apps) == 1 {
		return apps[0].Override, nil
	}
	var own struct{ ID string }
	if err := p.read(ctx, "app", url.Values{"fields": {"id"}}, &own); err != nil {
		return "", err
	}
	for _, app := range apps {
		if app.App.ID == own.ID {
			return app.Override, nil
		}
	}
	return "", nil
}

// subscribedApp is an app that gets an account's events.
type subscribedApp struct {
	App      struct{ ID string } `json:"whatsapp_business_api_data"`
	Override string              `json:"override_callback_uri"`
}

func decodeApps(body []byte) ([]subscribedApp, error) {
	var list struct {
		Data *[]subscribedApp `json:"data"`
	}
	if json.Unmarshal(body, &list) != nil || list.Data == nil {
		return nil, errForm
	}
	return *list.Data, nil
}

// putWebhook sets or takes away the address that overrides that of the app. Without an
// address, the account's request has no body: it keeps the app's subscription, which
// must never be deleted, since then no event would come at all.
func (p *Provider) putWebhook(ctx context.Context, ofAccount bool, address, secret string) providers.TemplateAnswer {
	override := map[string]string{"override_callback_uri": address}
	if address != "" {
		override["verify_token"] = secret
	}
	to, body := p.config.PhoneNumberID, any(map[string]any{"webhook_configuration": override})
	if ofAccount {
		if to = p.config.WABAID + "/subscribed_apps"; address == "" {
			return p.change(ctx, to, nil)
		}
		body = override
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return providers.TemplateAnswer{Outcome: providers.TemplateRefused, Detail: err.Error()}
	}
	return p.change(ctx, to, raw, secret)
}
