package reply_test

import (
	"strings"
	"testing"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// TestACodeNeedsANumber checks that a rule that answers with an authentication
// template fails for a person who is known only by a user id.
func TestACodeNeedsANumber(t *testing.T) {
	const src = `
provider "sandbox" "main" {}
template_message "code" {
  template = "code"
  language = "en"
  category = "CATEGORY"
}
reply_rule "code" {
  when { any = true }
  reply = template_message.code
}
`
	hidden := with(said("code"), func(ev *state.InboundEvent) { ev.Event.From = message.Address{UserID: "DE.1A"} })
	for _, c := range []struct {
		category string
		ev       state.InboundEvent
		ok       bool
	}{{"authentication", hidden, false}, {"authentication", said("code"), true}, {"utility", hidden, true}} {
		_, err := one(t, load(t, strings.Replace(src, "CATEGORY", c.category, 1)), c.ev).Result()
		if (err == nil) != c.ok || err != nil && !strings.Contains(err.Error(), "phone number only") {
			t.Errorf("%s to %s: %v", c.category, c.ev.Event.From.Key(), err)
		}
	}
}
