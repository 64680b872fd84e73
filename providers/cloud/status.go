package cloud

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/metaobject"
	"github.com/handbill/handbill/providers/wire"
)

// Poll asks the message history of one message. Accounts without access to it
// get no events and no error.
// Source: Meta's OpenAPI v23.0, message_history; which accounts have it and
// how long it keeps data is not documented.
func (p *Provider) Poll(ctx context.Context, messageID string) ([]message.Event, error) {
	query := url.Values{
		"message_id": {messageID},
		"fields":     {"id,message_id,events{delivery_status,timestamp,error_description}"},
	}
	reply, err := p.get(ctx, p.config.PhoneNumberID+"/message_history", query)
	if errors.Is(err, errNotOffered) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return metaobject.DecodeHistory(reply, messageID)
}

// errNotOffered is returned when the account lacks a part of the API.
var errNotOffered = errors.New("this account does not offer it")

// get asks the Graph API.
func (p *Provider) get(ctx context.Context, path string, query url.Values) ([]byte, error) {
	return p.getAs(ctx, p.header, path, query)
}

// getAs asks the Graph API with credentials other than the number's.
func (p *Provider) getAs(ctx context.Context, as http.Header, path string, query url.Values) ([]byte, error) {
	reply, err := p.client.Get(ctx, p.base+"/"+path+"?"+query.Encode(), as)
	if err != nil {
		return nil, err
	}
	if reply.Status == 200 {
		return reply.Body, nil
	}
	return nil, p.refusal(&reply)
}

// refusal says what Meta answers in place of what was asked for.
func (p *Provider) refusal(reply *wire.Reply) error {
	e, ok := metaobject.DecodeError(reply.Body)
	if !ok {
		return errors.New(wire.ByStatus(*reply).Title)
	}
	a := metaobject.ByCode(e, reply.Status, nil, append(p.config.AppSecret.Split(), string(p.config.AccessToken))...)
	switch e.Code {
	case 3, 10, 100, 2500:
		return fmt.Errorf("%w: %s (code %d)", errNotOffered, a.Title, e.Code)
	}
	return fmt.Errorf("%s (code %d)", a.Title, e.Code)
}

// Check reads what Meta reports about the number: health, quality, throughput,
// limit and name.
func (p *Provider) Check(ctx context.Context) (*providers.Health, error) {
	var n struct {
		Name       string                 `json:"verified_name"`
		Quality    string                 `json:"quality_rating"`
		Status     string                 `json:"status"`
		Code       string                 `json:"code_verification_status"`
		Throughput struct{ Level string } `json:"throughput"`
		Health     metaobject.Health      `json:"health_status"`
	}
	fields := "verified_name,quality_rating,status,code_verification_status,throughput,health_status"
	body, err := p.get(ctx, p.config.PhoneNumberID, url.Values{"fields": {fields}})
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(body, &n); err != nil {
		return nil, errors.New("the number's data is not JSON of the documented form")
	}
	h := &providers.Health{Status: n.Status, Quality: n.Quality, Name: n.Name, Tier: p.tier(ctx), Portfolio: n.Health.Portfolio()}
	h.Limit = metaobject.Tier(h.Tier)
	switch n.Throughput.Level {
	case "STANDARD":
		h.Throughput = 80
	case "HIGH":
		h.Throughput = 1000
	}
	p.findings(h, n.Code)
	h.Findings = append(h.Findings, n.Health.Findings()...)
	h.Findings = append(h.Findings, p.checkAccount(ctx)...)
	return h, nil
}

func (p *Provider) findings(h *providers.Health, verification string) {
	add := func(severe bool, text, advice string) {
		h.Findings = append(h.Findings, providers.Finding{Severe: severe, Text: text, Advice: advice})
	}
	if h.Status != "" && h.Status != "CONNECTED" {
		add(h.Status != "FLAGGED", "the number's status is "+h.Status, "open WhatsApp Manager, Phone numbers")
	}
	if verification != "" && verification != "VERIFIED" {
		add(false, "the number's verification is "+verification, "verify the number in WhatsApp Manager")
	}
	switch h.Quality {
	case "RED":
		add(true, "people block or report the number: its quality is RED", "send to fewer people, and only to those who asked for it")
	case "YELLOW":
		add(false, "the number's quality is YELLOW", "watch blocks and reports before sending more")
	}
	if want := p.profile.Throughput.Value; h.Throughput > 0 && want > h.Throughput {
		add(true, fmt.Sprintf("throughput is %g in the configuration and %g at Meta", want, h.Throughput), "lower throughput in the provider block")
	}
}

// tier reads how many people may be written to in 24 hours. The field has had two
// names; every account has at least one of them.
func (p *Provider) tier(ctx context.Context) string {
	for _, field := range []string{"whatsapp_business_manager_messaging_limit", "messaging_limit_tier"} {
		body, err := p.get(ctx, p.config.PhoneNumberID, url.Values{"fields": {field}})
		if err != nil {
			continue
		}
		var answer map[string]any
		if json.Unmarshal(body, &answer) != nil {
			continue
		}
		if tier, ok := answer[field].(string); ok && tier != "" {
			return strings.TrimPrefix(tier, "TIER_")
		}
	}
	return ""
}

// checkAccount compares waba_id with the account's numbers.
func (p *Provider) checkAccount(ctx context.Context) []providers.Finding {
	if p.config.WABAID == "" {
		return nil
	}
	body, err := p.get(ctx, p.config.WABAID+"/phone_numbers", url.Values{"fields": {"id"}, "limit": {"100"}})
	var answer struct{ Data []struct{ ID string } }
	if err != nil || json.Unmarshal(body, &answer) != nil {
		return []providers.Finding{{Text: "the numbers of waba_id can't be read", Advice: "check waba_id, and give the system user whatsapp_business_management"}}
	}
	for _, n := range answer.Data {
		if n.ID == p.config.PhoneNumberID {
			return nil
		}
	}
	return []providers.Finding{{Severe: true, Text: "phone_number_id is not a number of waba_id", Advice: "compare both with WhatsApp Manager"}}
}
