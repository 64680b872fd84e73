package providertest

import (
	"fmt"
	"strconv"

	"github.com/handbill/handbill/message"
)

// MetaAnswers returns Meta's errors as they come over the wire, for the providers
// that pass them on. Meta changes the HTTP status of throttling errors, so each
// comes with several.
func MetaAnswers() []Answer {
	list := []struct {
		status, code int
		class        message.Class
	}{
		{401, 190, message.AccountFault}, {401, 0, message.AccountFault}, {403, 10, message.AccountFault},
		{403, 200, message.AccountFault}, {403, 299, message.AccountFault}, {403, 368, message.AccountFault},
		{403, 131031, message.AccountFault}, {400, 131042, message.AccountFault}, {500, 131045, message.AccountFault},
		{400, 131048, message.AccountFault}, {400, 132015, message.AccountFault}, {400, 132016, message.AccountFault},
		{400, 130429, message.Throttled}, {403, 130429, message.Throttled}, {429, 130429, message.Throttled},
		{400, 80007, message.Throttled}, {400, 4, message.Throttled}, {429, 613, message.Throttled},
		{500, 131057, message.Throttled}, {400, 131056, message.PairThrottled}, {429, 131056, message.PairThrottled},
		{400, 131047, message.WindowClosed}, {400, 131050, message.OptedOut},
		{400, 100, message.Refused}, {400, 131008, message.Refused}, {400, 131009, message.Refused},
		{400, 131021, message.Refused}, {400, 131026, message.Refused}, {400, 131049, message.Refused},
		{400, 130472, message.Refused}, {400, 132000, message.Refused}, {404, 132001, message.Refused},
		{400, 132018, message.Refused}, {400, 999123, message.Refused}, {403, 999123, message.AccountFault},
		{500, 999123, message.Unknown}, {400, 1, message.Unknown}, {503, 2, message.Unknown},
		{500, 131000, message.Unknown}, {500, 131016, message.Unknown},
	}
	var out []Answer
	for _, e := range list {
		out = append(out, Answer{
			Name: fmt.Sprintf("%d as %d", e.code, e.status), Class: e.class, Code: strconv.Itoa(e.code),
			Body: Body{Status: e.status, Text: fmt.Sprintf(
				`{"error":{"message":"(#%[1]d) something about %[2]s","type":"OAuthException","code":%[1]d,`+
					`"error_data":{"messaging_product":"whatsapp","details":"%[3]s for %[2]s is wrong"},"fbtrace_id":"Az8or2yhqkZfEZ"}}`,
				e.code, To, bodyText)},
		})
	}
	return append(out, Answer{
		Name: "held for quality", Class: message.Accepted, ID: "wamid.H1",
		Body: Body{Status: 200, Text: `{"messaging_product":"whatsapp","contacts":[{"input":"x"}],"messages":[{"id":"wamid.H1","message_status":"held_for_quality_assessment"}]}`},
	})
}
