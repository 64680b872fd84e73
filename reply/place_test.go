package reply_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/reply"
)

func lookupRule(url string) string {
	return `
provider "sandbox" "main" {}
text_message "answer" { body = lookup.stock.text }
reply_rule "find" {
  when { any = true }
  reply = text_message.answer
  lookup "stock" { url = "` + url + `" }
}`
}

func TestAValueInALookupStaysInItsPlace(t *testing.T) {
	for _, c := range []struct{ url, text, want string }{
		{"https://shop.example/items/${inbound.text}/price", "blue shirt", "https://shop.example/items/blue%20shirt/price"},
		{"https://shop.example/items/${inbound.text}", "../users?role=owner#x", "https://shop.example/items/..%2Fusers%3Frole=owner%23x"},
		{"https://shop.example/find?q=${inbound.text}&n=1", "a&n=9 +", "https://shop.example/find?q=a%26n%3D9+%2B&n=1"},
		{"https://shop.example/find?q=${urlencode(inbound.text)}", "a b&c", "https://shop.example/find?q=a+b%26c"},
		{"https://shop.example/${inbound.text}/x", "..", ""},
		{"https://shop.example/${inbound.text}/x", ".", ""},
		{"https://shop.example/.${inbound.text}", ".", ""},
		{"https://shop.example/v${inbound.text}", "1.2", "https://shop.example/v1.2"},
		{"https://${inbound.text}.shop.example/x", "berlin", "https://berlin.shop.example/x"},
		{"https://${inbound.text}.shop.example/x", "me@other.example:1", ""},
		{"${inbound.text}/x", "gopher://other.example", ""},
	} {
		a := one(t, load(t, lookupRule(c.url)), said(c.text))
		got, err := a.Request(0)
		switch {
		case c.want == "" && err == nil:
			t.Errorf("%s with %q becomes %s", c.url, c.text, got.URL)
		case c.want != "" && (err != nil || got.URL != c.want):
			t.Errorf("%s with %q becomes %s (%v), want %s", c.url, c.text, got.URL, err, c.want)
		}
	}
}

func TestALookupAsksAWebService(t *testing.T) {
	for _, url := range []string{"file:///srv/stock.json", "gopher://shop.example/1", "unix:///run/shop.sock/${inbound.text}", "shop.example/items"} {
		cfg, diags := lang.LoadFiles(context.Background(), map[string][]byte{"main.hcl": []byte(lookupRule(url))}, nil, lang.Options{
			Schemas: map[string]lang.ProviderSchema{"sandbox": {}},
		})
		if !diags.HasErrors() {
			_, diags = reply.Compile(cfg, reply.Options{})
		}
		if !diags.HasErrors() || !strings.Contains(errors.Join(diags.Errs()...).Error(), "https://") {
			t.Errorf("%s is taken: %v", url, diags)
		}
	}
}

func TestTheTimeOfDayWithinOneDay(t *testing.T) {
	rules := load(t, `
provider "sandbox" "main" {}
text_message "answer" { body = "We are here" }
reply_rule "office" {
  when {
    any  = true
    time = "08:00-17:00"
  }
  reply = text_message.answer
}`)
	for clock, want := range map[string]int{"07:59": 0, "08:00": 1, "16:59": 1, "17:00": 0} {
		at, err := time.Parse("15:04", clock)
		if err != nil {
			t.Fatal(err)
		}
		ev := said("anybody?")
		if got := len(rules.Answer(&ev, reply.Known{Now: at}).Answers); got != want {
			t.Errorf("at %s %d rules fire, want %d", clock, got, want)
		}
	}
}

// The buttons of a template are defined at the provider, so a tap that does not
// say what it answers may be one of them.
func TestAButtonOfATemplateIsTaken(t *testing.T) {
	rules := load(t, `
provider "sandbox" "main" {}
text_message "answer" { body = "See you" }
template_message "visit" {
  template = "visit_reminder"
  language = "en"
}
reply_rule "coming" {
  when { button_reply = template_message.visit }
  reply = text_message.answer
}`)
	for of, want := range map[string]int{"": 1, "template_message.visit": 1, "template_message.others": 0} {
		ev := tap("button", "I am coming", of)
		if got := len(rules.Answer(&ev, reply.Known{Now: noon}).Answers); got != want {
			t.Errorf("a tap on %q: %d rules fire, want %d", of, got, want)
		}
	}
}
