package serve_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/pace"
	"github.com/handbill/handbill/reply"
	"github.com/handbill/handbill/sandbox"
	"github.com/handbill/handbill/serve"
	"github.com/handbill/handbill/state"
)

const hello = `
text_message "hello" { body = "Hello, ${recipient.name}: ${value.said}" }
list_message "browse" {
  body   = "Choose"
  button = "View"
  section "All" {
    row "alpha" { title = "Alpha" }
  }
}
reply_rule "menu" {
  when { keywords = ["menu"] }
  reply = list_message.browse
}
reply_rule "row" {
  when { list_reply = list_message.browse }
  values = { said = "you chose ${inbound.reply_id}" }
  reply  = text_message.hello
  set    = { chosen = inbound.reply_id }
}
reply_rule "hello" {
  when { text = "." }
  values = { said = "you said ${inbound.text}" }
  reply  = text_message.hello
}
`

func TestATapIsAnswered(t *testing.T) {
	h := newHouse(t, hello)
	h.phone(sandbox.Inbound{Text: "menu"})
	h.await(serve.EventReplied)
	var list string
	for e := range h.net.Ledger {
		list = e.ID
	}
	h.phone(sandbox.Inbound{Type: "list_reply", ID: "alpha", Title: "Alpha", Context: list})
	ev := h.await(serve.EventReplied)
	if want := (serve.Event{Kind: serve.EventReplied, Provider: address, Rule: "reply_rule.row", Recipient: message.Mask(ana), Detail: "accepted"}); ev != want {
		t.Errorf("got %+v", ev)
	}
	if diff := cmp.Diff([]string{"Choose", "Hello, Ana: you chose alpha"}, h.sends()); diff != "" {
		t.Error(diff)
	}
	h.stop()
	p, err := h.store.Person(t.Context(), "provider.cloud.main", ana)
	if err != nil {
		t.Fatal(err)
	}
	if p.Attributes["chosen"] != "alpha" || p.ProfileName != "Ana" || time.Until(p.WindowEnds) < 23*time.Hour {
		t.Errorf("the person is known as %+v", p)
	}
	if n, answered, err := h.store.Waiting(t.Context()); err != nil || n+answered != 0 {
		t.Errorf("%d webhooks and %d messages wait, %v", n, answered, err)
	}
}

// A message may arrive many times: alone and with others, before and after a
// restart. It is answered once.
func TestOneMessageOneReply(t *testing.T) {
	h := newHouse(t, hello)
	first := wrote("wamid.once", "Hi")
	for i := range 5 {
		if code := h.post(envelope("messages", first)); code != 200 {
			t.Fatal(code)
		}
		if code := h.post(envelope("messages", wrote(fmt.Sprint("wamid.", i), "Others"), first)); code != 200 {
			t.Fatal(code)
		}
	}
	for range 6 {
		h.await(serve.EventReplied)
	}
	h.restart()
	h.post(envelope("messages", first, wrote("wamid.last", "Last")))
	h.await(serve.EventReplied)
	h.stop()
	if got := slices.Collect(count(h.sends(), "Hello, Ana: you said Hi")); len(got) != 1 {
		t.Errorf("answered %d times: %q", len(got), h.sends())
	}
	if n := len(h.sends()); n != 7 {
		t.Errorf("%d replies to 7 messages", n)
	}
}

func count(all []string, want string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for _, s := range all {
			if s == want && !yield(s) {
				return
			}
		}
	}
}

// If a server ended between an intent and its outcome, nobody knows whether the
// reply left. The next server does not send it again under any rule.
func TestADoubtfulReplyIsNotSentAgain(t *testing.T) {
	h := newHouse(t, hello)
	h.stop()
	if _, err := h.store.Append(t.Context(), []state.Inbox{{Provider: address, Received: time.Now(), Raw: []byte("x"), Events: []message.Event{{
		Kind: message.EventInbound, ID: "wamid.1", At: time.Now(), From: message.Address{Phone: ana}, ProfileName: "Ana", Type: "text", Text: "Hi"}}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.store.Fold(t.Context(), 10); err != nil {
		t.Fatal(err)
	}
	lane, _, err := h.store.RecoverReplies(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	evs, _, err := h.store.Claim(t.Context(), lane, 0, 10)
	if err != nil || len(evs) != 1 {
		t.Fatal(evs, err)
	}
	in := state.Intent{Key: state.Key{Campaign: "reply_rule.of_yesterday", Recipient: ana, Revision: int(evs[0].Seq)}, To: message.Address{Phone: ana},
		Attempt: 1, Ref: "hb1.x", Message: "text_message.hello", Inbound: evs[0].Seq}
	if v, err := h.store.Intend(t.Context(), lane, []state.Intent{in}); err != nil || v[0].Attempt == 0 {
		t.Fatal(v, err)
	}
	h.restart()
	h.post(envelope("messages", wrote("wamid.2", "Next")))
	h.await(serve.EventReplied)
	h.stop()
	if diff := cmp.Diff([]string{"Hello, Ana: you said Next"}, h.sends()); diff != "" {
		t.Error(diff)
	}
	doubts := 0
	for d, err := range h.store.InDoubt(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		doubts++
		if d.Campaign != "reply_rule.of_yesterday" {
			t.Errorf("%s is in doubt", d.Campaign)
		}
	}
	if doubts != 1 {
		t.Errorf("%d doubts, want 1", doubts)
	}
}

func TestNewRulesNeedNoRestart(t *testing.T) {
	h := newHouse(t, hello)
	h.phone(sandbox.Inbound{Text: "one"})
	h.await(serve.EventReplied)
	h.use(strings.ReplaceAll(hello, "you said", "they heard"))
	h.phone(sandbox.Inbound{Text: "two"})
	h.await(serve.EventReplied)
	if diff := cmp.Diff([]string{"Hello, Ana: you said one", "Hello, Ana: they heard two"}, h.sends()); diff != "" {
		t.Error(diff)
	}
}

func TestMessagesOfOnePersonKeepTheirOrder(t *testing.T) {
	h := newHouse(t, hello)
	var list, want []string
	for i := range 20 {
		list = append(list, wrote(fmt.Sprint("wamid.", i), fmt.Sprint(i)))
		want = append(want, fmt.Sprintf("Hello, Ana: you said %d", i))
	}
	h.post(envelope("messages", list...))
	for range list {
		h.await(serve.EventReplied)
	}
	if diff := cmp.Diff(want, h.sends()); diff != "" {
		t.Error(diff)
	}
}

func TestOldMessagesOpenNoWindow(t *testing.T) {
	h := newHouse(t, hello)
	old := fmt.Sprintf(`{"from":%q,"id":"wamid.old","timestamp":"%d","type":"text","text":{"body":"Hi"}}`, ana[1:], time.Now().Add(-25*time.Hour).Unix())
	h.post(envelope("messages", old))
	if ev := h.await(serve.EventGated); ev.Detail != string(delivery.GateWindowClosed) {
		t.Errorf("gate %q", ev.Detail)
	}
	if n := len(h.sends()); n != 0 {
		t.Errorf("%d replies outside the window", n)
	}
}

func TestARefusedReplyIsTriedAgainOnlyWhenItWasNotTaken(t *testing.T) {
	script, err := sandbox.ParseScript([]byte(`{"rules": [
		{"match": {"nth": 1}, "answer": {"code": 130429}},
		{"match": {"nth": 2}, "answer": {"code": 131026}},
		{"match": {"nth": 2}, "behaviour": "reset_after_read", "accepts": true}
	]}`))
	if err != nil {
		t.Fatal(err)
	}
	h := newHouse(t, hello, func(h *house, o *sandbox.Options) {
		o.Script = script
		h.opt.Backoff = []time.Duration{time.Millisecond, time.Millisecond}
	})
	var got []string
	for i, answers := range []int{2, 1, 1} {
		h.post(envelope("messages", wrote(fmt.Sprint("wamid.", i), fmt.Sprint(i))))
		for range answers {
			got = append(got, h.await(serve.EventReplied).Detail)
		}
	}
	if diff := cmp.Diff([]string{"throttled", "accepted", "refused", "unknown"}, got); diff != "" {
		t.Error(diff)
	}
	h.restart()
	h.post(envelope("messages", wrote("wamid.0", "0"), wrote("wamid.1", "1"), wrote("wamid.2", "2"), wrote("wamid.3", "3")))
	h.await(serve.EventReplied)
	h.stop()
	if n := len(h.sends()); n != 5 {
		t.Errorf("%d requests, want 5: %q", n, h.sends())
	}
}

// A throttle by the provider makes everything wait that sends through the
// number, including an apply beside serve.
func TestAThrottleHoldsTheNumberForAll(t *testing.T) {
	script, err := sandbox.ParseScript([]byte(`{"rules": [{"match": {"nth": 1}, "answer": {"code": 130429, "http": 429, "retry_after": 3000}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	h := newHouse(t, hello, func(_ *house, o *sandbox.Options) { o.Script = script })
	began := time.Now()
	h.post(envelope("messages", wrote("wamid.0", "Hi")))
	if ev := h.await(serve.EventReplied); ev.Detail != "throttled" {
		t.Fatalf("got %+v", ev)
	}
	next, err := h.store.Slots(t.Context(), address, pace.Ask{Gap: time.Millisecond, After: time.Now()}, 1)
	if err != nil || next.Before(began.Add(3000*time.Second)) {
		t.Errorf("the number gives a slot after %v, %v", next.Sub(began), err)
	}
}

func TestStopWords(t *testing.T) {
	h := newHouse(t, hello)
	h.phone(sandbox.Inbound{Text: "Stopp!"})
	if ev := h.await(serve.EventStop); ev.Detail != "stop_word" {
		t.Errorf("got %+v", ev)
	}
	h.await(serve.EventReplied)
	h.phone(sandbox.Inbound{Text: "STOP"})
	h.phone(sandbox.Inbound{Text: "Sorry?"}) // rules still answer people who write
	h.await(serve.EventReplied)
	if diff := cmp.Diff([]string{"Sie erhalten keine Nachrichten mehr von uns.", "Hello, Ana: you said Sorry?"}, h.sends()); diff != "" {
		t.Error(diff)
	}
	h.stop()
	p, err := h.store.Person(t.Context(), "provider.cloud.main", ana)
	if err != nil {
		t.Fatal(err)
	}
	if !p.OptedOut || p.OptOut != "stop_word" {
		t.Errorf("known as %+v", p)
	}
	run, err := h.store.Begin(t.Context(), state.Run{Lanes: []state.Lane{{Number: address}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	in := state.Intent{Key: state.Key{Campaign: "campaign.x", Recipient: ana, Revision: 1}, To: message.Address{Phone: ana}, Attempt: 1, Ref: "hb1.x", Message: "m", Marketing: true}
	if v, err := h.store.Intend(t.Context(), run.Lanes[0], []state.Intent{in}); err != nil || v[0].Gate != delivery.GateOptedOut {
		t.Errorf("a campaign's next message is not gated: %+v, %v", v, err)
	}
}

func TestAStopWordAmongOthers(t *testing.T) {
	h := newHouse(t, hello)
	h.phone(sandbox.Inbound{Text: "unsubscribe me from this"})
	if ev := h.await(serve.EventStop); ev.Detail != "stop_word_near" {
		t.Errorf("got %+v", ev)
	}
	h.await(serve.EventReplied)
	if diff := cmp.Diff([]string{"Hello, Ana: you said unsubscribe me from this"}, h.sends()); diff != "" {
		t.Error(diff)
	}
}

func TestHandover(t *testing.T) {
	h := newHouse(t, hello+`
reply_rule "person" {
  priority = 1
  when { keywords = ["help"] }
  values   = { said = "somebody comes" }
  reply    = text_message.hello
  handover = true
}`)
	h.post(envelope("messages", wrote("wamid.1", "help"), wrote("wamid.2", "still there?")))
	h.await(serve.EventReplied)
	if ev := h.await(serve.EventGated); ev.Detail != "handover" {
		t.Errorf("gate %q", ev.Detail)
	}
	h.stop()
	if err := h.store.Handover(t.Context(), ana, false); err != nil {
		t.Fatal(err)
	}
	h.restart()
	h.post(envelope("messages", wrote("wamid.3", "back")))
	h.await(serve.EventReplied)
	if diff := cmp.Diff([]string{"Hello, Ana: somebody comes", "Hello, Ana: you said back"}, h.sends()); diff != "" {
		t.Error(diff)
	}
}

// service is a service of the user.
func service(t *testing.T, handler http.HandlerFunc) (url, host string) {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return s.URL, strings.TrimPrefix(s.URL, "http://")
}

const stock = `
text_message "stock" { body = "It is ${value.status}" }
reply_rule "stock" {
  when { text = "(?P<sku>prod_\\w+)" }
  values = { status = lookup.stock.status }
  reply  = text_message.stock
  lookup "stock" {
    url      = "URL/items/${match.sku}"
    headers  = { X-Key = "k" }
    timeout  = "200ms"
    fallback = { status = "not known" }
  }
}
`

func TestLookups(t *testing.T) {
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		deny    bool
		want    string
	}{
		"answer": {handler: func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/items/prod_alpha" || r.Header.Get("X-Key") != "k" {
				http.Error(w, "?", http.StatusBadRequest)
				return
			}
			_, _ = io.WriteString(w, `{"status":"in stock"}`)
		}, want: "It is in stock"},
		"error":   {handler: func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "{}", 500) }, want: "It is not known"},
		"no JSON": {handler: func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }, want: "It is not known"},
		"too slow": {handler: func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-release:
			case <-r.Context().Done():
			}
		}, want: "It is not known"},
		"too much": {handler: func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"status":"`+strings.Repeat("x", 2<<20)+`"}`)
		}, want: "It is not known"},
		"redirect": {handler: func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/elsewhere" {
				_, _ = io.WriteString(w, `{"status":"stolen"}`)
				return
			}
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
		}, want: "It is not known"},
		"a private address that nobody allowed": {handler: func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"status":"stolen"}`) }, deny: true, want: "It is not known"},
	} {
		t.Run(name, func(t *testing.T) {
			url, host := service(t, c.handler)
			h := newHouse(t, strings.ReplaceAll(stock, "URL", url), func(h *house, _ *sandbox.Options) {
				if !c.deny {
					h.opt.AllowHosts = []string{host}
				}
			})
			h.phone(sandbox.Inbound{Text: "prod_alpha?"})
			h.await(serve.EventReplied)
			if diff := cmp.Diff([]string{c.want}, h.sends()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

const crm = hello + `
reply_rule "crm" {
  priority = 1
  continue = true
  when { any = true }
  forward {
    url    = "URL/whatsapp"
    secret = env("CRM_SECRET")
  }
}
`

func TestForward(t *testing.T) {
	type call struct {
		id, body string
	}
	calls := make(chan call, 10)
	var answers atomic.Int32
	url, host := service(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		id := r.Header.Get("Webhook-Id")
		if got, want := r.Header.Get("Webhook-Signature"), serve.Sign("secret-of-the-forward", id, r.Header.Get("Webhook-Timestamp"), body); got != want {
			t.Errorf("signature %q, want %q", got, want)
		}
		calls <- call{id, string(body)}
		if answers.Add(1) < 3 {
			w.WriteHeader(http.StatusBadGateway)
		}
	})
	h := newHouse(t, strings.ReplaceAll(crm, "URL", url), func(h *house, _ *sandbox.Options) {
		h.opt.AllowHosts, h.opt.ForwardBackoff = []string{host}, []time.Duration{1, 1, 1}
	})
	id := h.phone(sandbox.Inbound{Type: "order", Text: "be quick", Catalog: "77", Items: []sandbox.InboundItem{{Product: "prod_alpha", Quantity: 2, Price: 19.9, Currency: "EUR"}}})
	first, second, third := <-calls, <-calls, <-calls
	if first != second || second != third {
		t.Errorf("attempts differ: %v %v %v", first, second, third)
	}
	h.await(serve.EventForwarded)
	var got serve.Forwarded
	if err := json.Unmarshal([]byte(first.body), &got); err != nil {
		t.Fatal(err)
	}
	if got.Data.ID != id || got.Data.From.Phone != ana || got.Data.Order == nil || got.Data.Order.Items[0].Quantity != 2 || got.Data.Rule != "reply_rule.crm" {
		t.Errorf("forwarded %s", first.body)
	}
}

// A service that is down prevents nobody from getting an answer. What it did
// not accept is still there after a restart, and after the attempts were given
// up.
func TestAServiceThatIsDown(t *testing.T) {
	var up atomic.Bool
	url, host := service(t, func(w http.ResponseWriter, _ *http.Request) {
		if !up.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	h := newHouse(t, strings.ReplaceAll(crm, "URL", url), func(h *house, _ *sandbox.Options) {
		h.opt.AllowHosts, h.opt.ForwardBackoff = []string{host}, []time.Duration{time.Hour}
	})
	h.phone(sandbox.Inbound{Text: "Hi"})
	h.await(serve.EventReplied)
	// left reports whether a forward waits for its time, and how many were given up.
	left := func() (waits bool, dead int) {
		due, next, err := h.store.ClaimForwards(t.Context(), "", 1)
		if err != nil || len(due) > 0 {
			t.Fatalf("a forward is due: %+v, %v", due, err)
		}
		if dead, err = h.store.DeadForwards(t.Context()); err != nil {
			t.Fatal(err)
		}
		return !next.IsZero(), dead
	}
	h.stop()
	if waits, dead := left(); !waits || dead != 0 {
		t.Fatal("the forward is lost")
	}
	h.opt.ForwardBackoff = []time.Duration{}
	h.store.Close()
	h.open()
	// As if its time had come.
	if err := errors.Join(h.store.DoneForward(t.Context(), "", state.Forward{Event: 1, Rule: "reply_rule.crm"}, state.ForwardOver), h.store.AddForward(t.Context(), 1, "reply_rule.crm")); err != nil {
		t.Fatal(err)
	}
	h.start(h.listen(h.addr))
	h.await(serve.EventDead)
	h.stop()
	if waits, dead := left(); waits || dead != 1 {
		t.Fatal("the forward that was given up is lost")
	}
	up.Store(true)
	h.opt.RetryDead = true
	h.restart()
	h.await(serve.EventForwarded)
	h.stop()
	if waits, dead := left(); waits || dead != 0 {
		t.Error("a forward that was taken is kept")
	}
}

func TestAnUnclearStopPausesAndAsks(t *testing.T) {
	h := newHouse(t, hello)
	h.phone(sandbox.Inbound{Text: "How do I cancel?"})
	if ev := h.await(serve.EventStop); ev.Detail != state.OptUnclear {
		t.Errorf("got %+v", ev)
	}
	h.await(serve.EventReplied)
	h.await(serve.EventReplied)
	p, err := h.store.Person(t.Context(), "provider.cloud.main", ana)
	if err != nil || !p.OptedOut || p.OptOut != state.OptUnclear {
		t.Errorf("marketing does not pause: %+v, %v", p, err)
	}
	h.phone(sandbox.Inbound{Text: "START"})
	h.await(serve.EventReplied)
	if p, err = h.store.Person(t.Context(), "provider.cloud.main", ana); err != nil || p.OptedOut {
		t.Errorf("marketing does not resume: %+v, %v", p, err)
	}
	if diff := cmp.Diff([]string{reply.Question("en"), "Hello, Ana: you said How do I cancel?", "Hello, Ana: you said START"}, h.sends()); diff != "" {
		t.Error(diff)
	}
}
