package reply_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"

	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/reply"
	"github.com/handbill/handbill/state"
)

const rulesHCL = `
provider "sandbox" "main" {}
provider "sandbox" "other" {}

catalog "spring" {
  id = "1"
  product "prod_alpha" {
    title        = "Alpha Widget"
    price        = "19.90 EUR"
    availability = "in stock"
  }
}

list_message "browse" {
  body   = "Browse"
  button = "View"
  section "All" {
    row "alpha" { title = "Alpha" }
    row "beta"  { title = "Beta" }
  }
}

button_message "ask" {
  body = "Sure?"
  button "yes" { title = "Yes" }
  button "no" { title = "No" }
}

text_message "answer" { body = "${value.said}" }

reply_rule "night" {
  priority = 10
  when {
    any      = true
    time     = "22:00-06:00"
    timezone = "Europe/Berlin"
  }
  values = { said = "We sleep" }
  reply  = text_message.answer
}

reply_rule "availability" {
  provider = provider.sandbox.main
  when { text = "(?i)(?P<sku>prod_\\w+).*\\b(available|in stock)\\b" }
  values = { said = "${catalog.spring.products[match.sku].title} is ${lookup.stock.status}, ${recipient.name}" }
  reply  = text_message.answer
  set    = { interest = match.sku }
  lookup "stock" {
    url      = "https://stock.example/items/${match.sku}"
    headers  = { X-Who = recipient.phone }
    timeout  = "2s"
    fallback = { status = "unknown" }
  }
}

reply_rule "picked" {
  when {
    list_reply = list_message.browse
    row        = "alpha"
  }
  values = { said = "Row ${inbound.reply_id}" }
  reply  = text_message.answer
}

reply_rule "any_row" {
  when { list_reply = list_message.browse }
  values = { said = "Another row" }
  reply  = text_message.answer
}

reply_rule "yes" {
  when {
    button_reply = button_message.ask
    payload      = "yes"
  }
  values   = { said = "Good" }
  reply    = text_message.answer
  handover = true
}

reply_rule "big_order" {
  when {
    order     = true
    condition = inbound.order.items[0].quantity > 5
  }
  continue = true
  forward {
    url    = "https://crm.example/orders"
    secret = var.secret
  }
}

variable "secret" {
  type      = string
  sensitive = true
}

reply_rule "order" {
  when { order = true }
  values = { said = "Thanks for ${length(inbound.order.items)} items" }
  reply  = text_message.answer
}

reply_rule "photo" {
  when { type = ["image", "video"] }
  values = { said = "Nice picture" }
  reply  = text_message.answer
}

reply_rule "hello" {
  when {
    keywords      = ["hello", "Hi there"]
    first_contact = true
  }
  values   = { said = "Welcome" }
  reply    = text_message.answer
}

reply_rule "hello_again" {
  cooldown = "1h"
  when { keywords = ["hello"] }
  values = { said = "Hello again" }
  reply  = text_message.answer
}
`

func load(t testing.TB, src string) *reply.Rules {
	t.Helper()
	cfg, diags := lang.LoadFiles(context.Background(), map[string][]byte{"main.hcl": []byte(src)}, nil, lang.Options{
		Schemas: map[string]lang.ProviderSchema{"sandbox": {}}, Environ: []string{"HANDBILL_VAR_secret=s3cret-of-the-test"},
	})
	fatal(t, diags)
	rules, diags := reply.Compile(cfg, reply.Options{})
	fatal(t, diags)
	return rules
}

func fatal(t testing.TB, diags hcl.Diagnostics) {
	t.Helper()
	if diags.HasErrors() {
		t.Fatal(diags.Error())
	}
}

var noon = time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC) // 12:00 in Berlin

func said(s string) state.InboundEvent {
	return state.InboundEvent{Seq: 1, Provider: "provider.sandbox.main", Recipient: "+4915112345678", Received: noon,
		Event: message.Event{Kind: message.EventInbound, ID: "wamid.1", Type: "text", Text: s, ProfileName: "Ana",
			From: message.Address{Phone: "+4915112345678"}}}
}

func with(ev state.InboundEvent, change func(*state.InboundEvent)) state.InboundEvent {
	change(&ev)
	return ev
}

func tap(kind, id, of string) state.InboundEvent {
	return with(said("the title"), func(ev *state.InboundEvent) {
		ev.Event.Type, ev.Event.ReplyKind, ev.Event.ReplyID, ev.Message = "interactive", kind, id, of
	})
}

func order(quantities ...int) state.InboundEvent {
	return with(said(""), func(ev *state.InboundEvent) {
		ev.Event.Type, ev.Event.Order = "order", &message.Order{CatalogID: "1"}
		for _, q := range quantities {
			ev.Event.Order.Items = append(ev.Event.Order.Items, message.OrderItem{ProductID: "prod_alpha", Quantity: q, Price: "19.90", Currency: "EUR"})
		}
	})
}

func TestAnswer(t *testing.T) {
	rules := load(t, rulesHCL)
	none := func(*reply.Known) {}
	for _, c := range []struct {
		name  string
		event state.InboundEvent
		known func(*reply.Known)
		want  map[string]string // rule to text; "" for a rule without a reply
	}{
		{"regular expression, catalog, lookup", said("is prod_alpha AVAILABLE?"), none, map[string]string{"reply_rule.availability": "Alpha Widget is unknown, Ana"}},
		{"an attribute is stronger than the profile's name", said("prod_alpha in stock"), func(k *reply.Known) { k.Person.Attributes = map[string]string{"name": "Anastasia"} },
			map[string]string{"reply_rule.availability": "Alpha Widget is unknown, Anastasia"}},
		{"another number", with(said("is prod_alpha available?"), func(ev *state.InboundEvent) { ev.Provider = "provider.sandbox.other" }), none, nil},
		{"row", tap("list_reply", "alpha", "list_message.browse"), none, map[string]string{"reply_rule.picked": "Row alpha"}},
		{"row without a context", tap("list_reply", "alpha", ""), none, map[string]string{"reply_rule.picked": "Row alpha"}},
		{"any row", tap("list_reply", "beta", "list_message.browse"), none, map[string]string{"reply_rule.any_row": "Another row"}},
		{"row of another list", tap("list_reply", "alpha", "list_message.else"), none, nil},
		{"foreign row without a context", tap("list_reply", "gamma", ""), none, nil},
		{"button", tap("button_reply", "yes", "button_message.ask"), none, map[string]string{"reply_rule.yes": "Good"}},
		{"button that no rule is for", tap("button_reply", "no", "button_message.ask"), none, nil},
		{"order", order(1), none, map[string]string{"reply_rule.order": "Thanks for 1 items"}},
		{"order that meets a condition goes on", order(6, 1), none, map[string]string{"reply_rule.big_order": "", "reply_rule.order": "Thanks for 2 items"}},
		{"type", with(said("look"), func(ev *state.InboundEvent) { ev.Event.Type = "image" }), none, map[string]string{"reply_rule.photo": "Nice picture"}},
		{"keyword of a first contact", with(said("  HELLO "), func(ev *state.InboundEvent) { ev.First = true }), none, map[string]string{"reply_rule.hello": "Welcome"}},
		{"keyword", said("Hello!"), none, map[string]string{"reply_rule.hello_again": "Hello again"}},
		{"keyword within a text", said("hello you"), none, nil},
		{"cooldown", said("hello"), func(k *reply.Known) {
			k.LastReply = map[string]time.Time{"reply_rule.hello_again": noon.Add(-59 * time.Minute)}
		}, nil},
		{"cooldown over", said("hello"), func(k *reply.Known) {
			k.LastReply = map[string]time.Time{"reply_rule.hello_again": noon.Add(-time.Hour)}
		}, map[string]string{"reply_rule.hello_again": "Hello again"}},
		{"time of day wins by priority", said("hello"), func(k *reply.Known) { k.Now = noon.Add(11 * time.Hour) }, map[string]string{"reply_rule.night": "We sleep"}},
		{"until is not in the time of day", said("hello"), func(k *reply.Known) { k.Now = noon.Add(18 * time.Hour) }, map[string]string{"reply_rule.hello_again": "Hello again"}},
		{"handed over", said("hello"), func(k *reply.Known) { k.Person.Handover = true }, nil},
		{"stop word", said("STOP"), none, nil},
		{"a row may be called stop", with(tap("list_reply", "alpha", "list_message.browse"), func(ev *state.InboundEvent) { ev.Event.Text = "Stop" }), none, map[string]string{"reply_rule.picked": "Row alpha"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := reply.Known{Now: noon}
			c.known(&k)
			var got map[string]string
			for _, a := range rules.Answer(&c.event, k).Answers {
				if got == nil {
					got = map[string]string{}
				}
				for i := range a.Lookups() {
					if err := a.Missed(i); err != nil {
						t.Fatal(err)
					}
				}
				got[a.Rule()] = body(t, a)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func body(t *testing.T, a *reply.Answer) string {
	t.Helper()
	r, err := a.Result()
	if err != nil {
		t.Fatal(err)
	}
	if r.Draft == nil {
		return ""
	}
	return r.Draft.Render(r.Values).(*message.Text).Body
}

func one(t *testing.T, rules *reply.Rules, ev state.InboundEvent) *reply.Answer {
	t.Helper()
	d := rules.Answer(&ev, reply.Known{Now: noon})
	if len(d.Answers) != 1 {
		t.Fatalf("%d rules fire; passed %v", len(d.Answers), d.Passed)
	}
	return d.Answers[0]
}

func TestLookup(t *testing.T) {
	a := one(t, load(t, rulesHCL), said("prod_alpha available"))
	want := []reply.Lookup{{Name: "stock", Timeout: 2 * time.Second, Fallback: true}}
	if diff := cmp.Diff(want, a.Lookups()); diff != "" {
		t.Fatal(diff)
	}
	r, err := a.Request(0)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(reply.Request{URL: "https://stock.example/items/prod_alpha", Method: "GET", Headers: map[string]string{"X-Who": "+4915112345678"}}, r); diff != "" {
		t.Error(diff)
	}
	if err := a.Found(0, []byte("<html>")); err == nil {
		t.Errorf("HTML is taken: %v", err)
	}
	if err := a.Found(0, []byte(`{"status": "sold out"}`)); err != nil {
		t.Fatal(err)
	}
	if got := body(t, a); got != "Alpha Widget is sold out, Ana" {
		t.Errorf("got %q", got)
	}
	res, err := a.Result()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"interest": "prod_alpha"}, res.Set); diff != "" {
		t.Error(diff)
	}
}

func TestAReplyThatCannotBeMadeIsAnError(t *testing.T) {
	rules := load(t, rulesHCL)
	for name, c := range map[string]struct{ text, lookup, want string }{
		"a product that the catalog lacks": {"prod_omega available", `{"status":"x"}`, "reply_rule.availability"},
		"a field that the answer lacks":    {"prod_alpha available", `{}`, "Unsupported attribute"},
		"a text above the limit":           {"prod_alpha available", `{"status":"` + strings.Repeat("x", 5000) + `"}`, "4096"},
	} {
		t.Run(name, func(t *testing.T) {
			a := one(t, rules, said(c.text))
			if err := a.Found(0, []byte(c.lookup)); err != nil {
				t.Fatal(err)
			}
			if _, err := a.Result(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want it to name %q", err, c.want)
			}
		})
	}
}

func TestForward(t *testing.T) {
	rules := load(t, rulesHCL)
	f, ok := rules.Forward("reply_rule.big_order")
	if !ok || f.URL != "https://crm.example/orders" || f.Secret != "s3cret-of-the-test" {
		t.Errorf("got %q, %v", f.URL, ok)
	}
	if _, ok := rules.Forward("reply_rule.order"); ok {
		t.Error("a rule without forward hands on")
	}
}

func TestStopWords(t *testing.T) {
	for text, want := range map[string]reply.Stop{
		"Stop":                       {Word: "stop", Exact: true, Language: "en"},
		" s​top!! ":                  {Word: "stop", Exact: true, Language: "en"},
		"ＳＴＯＰ":                       {Word: "stop", Exact: true, Language: "en"},
		"Opt-Out.":                   {Word: "opt out", Exact: true, Language: "en"},
		"KÜNDIGEN":                   {Word: "kündigen", Exact: true, Language: "de"},
		"ku\u0308ndigen":             {Word: "kündigen", Exact: true, Language: "de"},
		"Keine Werbung!":             {Word: "keine werbung", Exact: true, Language: "de"},
		"baja":                       {Word: "baja", Exact: true, Language: "es"},
		"NÃO QUERO MAIS":             {Word: "não quero mais", Exact: true, Language: "pt"},
		"arrêter":                    {Word: "arrêter", Exact: true, Language: "fr"},
		"Disiscrivimi":               {Word: "disiscrivimi", Exact: true, Language: "it"},
		"बंद करें":                   {Word: "बंद करें", Exact: true, Language: "hi"},
		"berhenti":                   {Word: "berhenti", Exact: true, Language: "id"},
		"إلغاء الاشتراك":             {Word: "إلغاء الاشتراك", Exact: true, Language: "ar"},
		"please stop now":            {Word: "stop", Exact: true, Language: "en"},
		"Stop, stop, stop!":          {Word: "stop", Exact: true, Language: "en"},
		"🛑 STOP 🛑":                   {Word: "stop", Exact: true, Language: "en"},
		"kundigen":                   {Word: "kündigen", Exact: true, Language: "de"},
		"Stop. Merci !":              {Word: "stop", Exact: true, Language: "en"},
		"desabonnez-moi svp":         {Word: "désabonnez moi", Exact: true, Language: "fr"},
		"schrijf me uit":             {Word: "schrijf me uit", Exact: true, Language: "nl"},
		"İPTAL":                      {Word: "iptal", Exact: true, Language: "tr"},
		"ХВАТИТ!":                    {Word: "хватит", Exact: true, Language: "ru"},
		"取消订阅。":                      {Word: "取消订阅", Exact: true, Language: "zh"},
		"수신거부":                       {Word: "수신거부", Exact: true, Language: "ko"},
		"unsubscribe me here":        {Word: "unsubscribe", Language: "en"},
		"You do not stop texting me": {Word: "stop texting", Language: "en"},
		"don't unsubscribe me":       {Word: "unsubscribe", Ask: true, Language: "en"},
		"Can I cancel?":              {Word: "can i cancel", Ask: true, Language: "en"},
		"STOP 4711":                  {Word: "stop", Ask: true, Language: "en"},
		"hủy":                        {Word: "hủy", Ask: true, Language: "vi"},
		"Start":                      {Word: "start", Stay: true, Language: "en"},
		// Words with other meanings count only when they stand alone.
		"can you cancel the blue one":  {},
		"the end of March":             {},
		"where is the next stop":       {},
		"quit asking":                  {},
		"o hotel fica em Alto Paraíso": {},
		"vou sair agora de casa":       {},
		"Please opt out me":            {Word: "opt out", Language: "en"},
		"please do stop it now":        {}, // five words
		"nonstop":                      {},
		"":                             {},
		"🙂":                            {},
	} {
		got := reply.BuiltIn().StopIn(&message.Event{Type: "text", Text: text})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
	if got := reply.BuiltIn().StopIn(&message.Event{Type: "image", Text: "Stop"}); !got.Exact {
		t.Error("the caption of a picture is not heeded")
	}
	if got := reply.BuiltIn().StopIn(&message.Event{Type: "edit", Text: "Stop"}); !got.Exact {
		t.Error("an edited message is not heeded")
	}
	if got := reply.BuiltIn().StopIn(&message.Event{Type: "interactive", ReplyKind: "button_reply", Text: "Stop"}); !got.Exact {
		t.Error("a reply button is not heeded")
	}
	for _, typ := range []string{"interactive", "order"} {
		if got := reply.BuiltIn().StopIn(&message.Event{Type: typ, Text: "Stop"}); got.Word != "" {
			t.Errorf("a %s is taken for a stop word", typ)
		}
	}
	if got := reply.BuiltIn().StopIn(&message.Event{Type: "button", Text: "Stop promotions"}); !got.Exact {
		t.Error("the quick reply of a template is not taken for a stop word")
	}
}

func FuzzStopIn(f *testing.F) {
	for _, s := range []string{"stop", "ＳＴＯＰ", "\xff\xfe", "إلغاء", "a\u0300\u0301", "\u202estop"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := reply.BuiltIn().StopIn(&message.Event{Type: "text", Text: s})
		if again := reply.BuiltIn().StopIn(&message.Event{Type: "text", Text: "  " + s + "\n"}); again != got {
			t.Errorf("white space around %q changes %v to %v", s, got, again)
		}
	})
}
