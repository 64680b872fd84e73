package metaobject

import (
	"strings"

	"github.com/handbill/handbill/providers"
)

// Health is Meta's health_status: whether a number, its account, business and
// app can send.
// Source: Meta, support/health-status, 2026-09-11.
type Health struct {
	CanSend  string `json:"can_send_message"`
	Entities []struct {
		Type    string `json:"entity_type"`
		ID      string `json:"id"`
		CanSend string `json:"can_send_message"`
		Errors  []struct {
			Code        int    `json:"error_code"`
			Description string `json:"error_description"`
			Solution    string `json:"possible_solution"`
		} `json:"errors"`
	} `json:"entities"`
}

// Portfolio returns the id of the number's business portfolio; "" if the answer
// does not say.
func (h Health) Portfolio() string {
	for _, e := range h.Entities {
		if e.Type == "BUSINESS" && e.ID != "" && len(e.ID) <= 32 && strings.Trim(e.ID, "0123456789") == "" {
			return e.ID
		}
	}
	return ""
}

// Findings lists what is not AVAILABLE: BLOCKED is severe, LIMITED is not.
func (h Health) Findings() []providers.Finding {
	var out []providers.Finding
	for _, e := range h.Entities {
		if e.CanSend == "AVAILABLE" || e.CanSend == "" {
			continue
		}
		f := providers.Finding{
			Severe: e.CanSend == "BLOCKED",
			Text:   "Meta reports " + e.CanSend + " for " + e.Type,
			Advice: "open WhatsApp Manager, Account quality",
		}
		if len(e.Errors) > 0 {
			f.Text += ": " + providers.Safe(e.Errors[0].Description, nil)
			if s := providers.Safe(e.Errors[0].Solution, nil); s != "" {
				f.Advice = s
			}
		}
		out = append(out, f)
	}
	return out
}
