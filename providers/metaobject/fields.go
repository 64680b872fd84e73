package metaobject

import "github.com/handbill/handbill/providers"

// Fields returns the fields of Meta's webhooks that handbill reads, and what is
// lost without each.
// Source: Meta, webhooks/reference, read 2026-09-11.
func Fields() []providers.Missing {
	return []providers.Missing{
		{Name: "messages", Severe: true, Lost: "Nothing that people write arrives, not even a stop; no rule answers; and the status of messages is unknown, so doubts stay and failures go unseen."},
		{Name: "user_preferences", Severe: true, Lost: "People who stop marketing in WhatsApp itself are sent to until WhatsApp refuses a message (131050), and opt-ins do not arrive."},
		{Name: "user_id_update", Lost: "When the user id of a person without a known number changes, an opt-out, a window and what was sent stay with the old one."},
		{Name: "message_template_status_update", Lost: "That a template is approved shows at the next reading of the account; that it is paused, disabled or refused, when a message is refused."},
		{Name: "message_template_quality_update", Lost: "That people dislike a template shows when WhatsApp pauses it."},
		{Name: "message_template_components_update", Lost: "That somebody changed the words of a template shows at the next plan."},
		{Name: "template_category_update", Lost: "That WhatsApp counts a template as marketing shows at the next plan; until then on the bill, and in messages that it refuses."},
		{Name: "phone_number_quality_update", Lost: "A changed messaging limit or throughput of the number shows at the next \"handbill refresh\"."},
		{Name: "business_capability_update", Lost: "A changed messaging limit of the portfolio shows at the next \"handbill refresh\"; until then plans use the old one."},
		{Name: "account_update", Lost: "That the account is restricted or disabled shows when a campaign halts."},
		{Name: "account_alerts", Lost: "Warnings of WhatsApp, such as why a higher limit was refused, are seen in WhatsApp Manager only."},
	}
}

// MissingFields returns the Fields that are not subscribed to.
func MissingFields(subscribed []string) []providers.Missing {
	have := map[string]bool{}
	for _, f := range subscribed {
		have[f] = true
	}
	var out []providers.Missing
	for _, f := range Fields() {
		if !have[f.Name] {
			out = append(out, f)
		}
	}
	return out
}
