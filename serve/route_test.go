package serve_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/cloud"
	"github.com/handbill/handbill/providers/kaleyra"
	"github.com/handbill/handbill/providers/onemsg"
	"github.com/handbill/handbill/sandbox"
	"github.com/handbill/handbill/serve"
)

// about is a change in Meta's envelope: a message to the number with that id
// and spelling.
func about(id, phone, message string) string {
	return fmt.Sprintf(`{"field":"messages","value":{"metadata":{"display_phone_number":%q,"phone_number_id":%q},"messages":[%s]}}`, phone, id, message)
}

func changes(list ...string) string {
	return `{"object":"whatsapp_business_account","entry":[{"id":"7","changes":[` + strings.Join(list, ",") + `]}]}`
}

// noticeOf is a change with a notice about an account.
func noticeOf(account string) string {
	return strings.Replace(changes(`{"field":"account_update","value":{"event":"ACCOUNT_DELETED"}}`), `"id":"7"`, fmt.Sprintf(`"id":%q`, account), 1)
}

// routed posts a body to a path of a server with these numbers. It returns at
// which numbers messages wait, and why others were put aside.
func routed(t *testing.T, numbers []serve.Number, path, body, signature string) (at, aside []string) {
	t.Helper()
	h := newHouse(t, hello)
	h.stop()
	s, err := serve.New(t.Context(), serve.Options{Spacing: -1, Store: h.store, Now: time.Now, Rules: noRules, Numbers: numbers})
	if err != nil {
		t.Fatal(err)
	}
	hook := serveHandler(t, s.Handler())
	if got := post(t, hook[:strings.Index(hook, "/webhooks")]+path, body, signature); got != 200 {
		t.Fatalf("status %d", got)
	}
	if err := h.store.FoldAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	if at, err = h.store.Unanswered(t.Context()); err != nil {
		t.Fatal(err)
	}
	for n, err := range h.store.Notices(t.Context(), time.Time{}) {
		if err != nil {
			t.Fatal(err)
		}
		if len(n.Raw) == 0 {
			t.Errorf("put aside without the event: %+v", n)
		}
		if n.Kind == message.EventOther {
			aside = append(aside, n.Reason)
		}
	}
	slices.Sort(at)
	return at, aside
}

func TestEventsGoToTheNumberThatTheyAreAbout(t *testing.T) {
	var numbers []serve.Number
	for name, c := range map[string]struct{ id, account, secret string }{"north": {"4401", "7", secret}, "south": {"4402", "8", secret}, "other_app": {"4403", "7", "another-secret"}} {
		p, err := cloud.New(cloud.Config{PhoneNumberID: c.id, AccessToken: "token", AppSecret: providers.Secret(c.secret), VerifyToken: "v"})
		if err != nil {
			t.Fatal(err)
		}
		numbers = append(numbers, serve.Number{Address: "provider.cloud." + name, Type: "cloud", Name: name, Webhook: p, ID: c.id, Account: c.account})
	}
	for _, c := range []struct {
		name  string
		body  string
		at    []string
		aside string
	}{
		{"to the number of the path", changes(about("4401", "1", wrote("wamid.a", "Hi"))), []string{"provider.cloud.north"}, ""},
		{"to another number of the account", changes(about("4402", "1", wrote("wamid.b", "Hi"))), []string{"provider.cloud.south"}, ""},
		{"to both at once", changes(about("4401", "1", wrote("wamid.c", "Hi")), about("4402", "1", wrote("wamid.d", "Hi"))), []string{"provider.cloud.north", "provider.cloud.south"}, ""},
		{"to a number that is not declared", changes(about("9999", "1", wrote("wamid.e", "STOP"))), nil, "it is about number 9999, which no provider block declares"},
		{"to a number whose secret does not vouch", changes(about("4403", "1", wrote("wamid.f", "Hi"))), nil, "it is about number 4403, which is provider.cloud.other_app, and its secret does not vouch for the webhook"},
		{"about the account as a whole", noticeOf("7"), nil, ""},
		{"about another number's account", noticeOf("8"), nil, ""},
		{"about an account that no number is of", noticeOf("9"), nil, "it is about account 9, which no provider block declares"},
		{"to nobody in particular", changes(about("", "", wrote("wamid.g", "Hi"))), []string{"provider.cloud.north"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			at, aside := routed(t, numbers, "/webhooks/cloud/north", c.body, sandbox.Signature(secret, []byte(c.body)))
			if diff := cmp.Diff(c.at, at); diff != "" {
				t.Errorf("messages wait at (-want +got):\n%s", diff)
			}
			if got := strings.Join(aside, "; "); got != c.aside {
				t.Errorf("put aside: %q, want %q", got, c.aside)
			}
		})
	}
}

// If the provider's id of a number is not configured, the number's digits
// decide. They are written in several ways.
func TestEventsGoToTheNumberOfTheseDigits(t *testing.T) {
	var numbers []serve.Number
	for name, phone := range map[string]string{"first": "+5215512345678", "second": "+4930111222333"} {
		p, err := kaleyra.New(kaleyra.Config{SID: "S1", APIKey: "key", PhoneNumber: phone, WebhookToken: "a-word-of-the-account"})
		if err != nil {
			t.Fatal(err)
		}
		numbers = append(numbers, serve.Number{Address: "provider.kaleyra." + name, Type: "kaleyra", Name: name, Webhook: p, Phone: phone[1:], Tokens: p.WebhookTokens()})
	}
	for _, c := range []struct{ name, phone, want, aside string }{
		{"its own", "5215512345678", "provider.kaleyra.first", ""},
		{"its own, written otherwise", "+52 55 1234-5678", "provider.kaleyra.first", ""},
		{"another of the account", "+49 30 111222333", "provider.kaleyra.second", ""},
		{"one that is not declared", "+1 202 555 0143", "", "which no provider block declares"},
	} {
		t.Run(c.name, func(t *testing.T) {
			at, aside := routed(t, numbers, "/webhooks/kaleyra/first/a-word-of-the-account", changes(about("77", c.phone, wrote("wamid.k", "Hi"))), "")
			if got := strings.Join(at, " "); got != c.want {
				t.Errorf("waits at %q, want %q", got, c.want)
			}
			if got := strings.Join(aside, "; "); !strings.HasSuffix(got, c.aside) || (got == "") != (c.aside == "") || strings.Contains(got, "5550143") {
				t.Errorf("put aside: %q", got)
			}
		})
	}
}

// 1msg's own format names the channel.
func TestEventsGoToTheChannelThatTheyAreAbout(t *testing.T) {
	var numbers []serve.Number
	for _, name := range []string{"first", "second"} {
		p, err := onemsg.New(onemsg.Config{ChannelID: "VID" + name, Token: "token", WebhookToken: "a-word-of-the-account"})
		if err != nil {
			t.Fatal(err)
		}
		id, _ := p.WebhookNumber()
		numbers = append(numbers, serve.Number{Address: "provider.onemsg." + name, Type: "onemsg", Name: name, Webhook: p, ID: id, Tokens: p.WebhookTokens()})
	}
	for _, c := range []struct{ channel, want, aside string }{
		{"VIDfirst", "provider.onemsg.first", ""},
		{"VIDsecond", "provider.onemsg.second", ""},
		{"VIDthird", "", "it is about number VIDthird, which no provider block declares"},
		{"", "provider.onemsg.first", ""},
	} {
		t.Run(c.channel, func(t *testing.T) {
			body := fmt.Sprintf(`{"instanceId":%q,"messages":[{"id":"m1","type":"chat","body":"Hi","fromMe":false,"chatId":"4915112345678@c.us"}]}`, c.channel)
			at, aside := routed(t, numbers, "/webhooks/onemsg/first/a-word-of-the-account", body, "")
			if got := strings.Join(at, " "); got != c.want {
				t.Errorf("waits at %q, want %q", got, c.want)
			}
			if got := strings.Join(aside, "; "); got != c.aside {
				t.Errorf("put aside: %q, want %q", got, c.aside)
			}
		})
	}
}
