package sandbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/internal/golden"
	"github.com/handbill/handbill/sandbox"
)

func TestWindow(t *testing.T) {
	n := serve(t, sandbox.Options{})
	code := func() string {
		n.send(sandbox.Cloud, text("b"))
		e := n.entries()
		return e[len(e)-1].Code
	}
	if got := code(); got != "131047" {
		t.Errorf("before anybody wrote: %q", got)
	}
	if got := n.send(sandbox.Cloud, template("")); got.status != 200 {
		t.Errorf("a template needs no window: %d %s", got.status, got.body)
	}
	if _, err := n.Inbound(sandbox.Inbound{Provider: sandbox.Cloud, Number: "106540352242922", From: "+" + user, Text: "Hi"}); err != nil {
		t.Fatal(err)
	}
	n.clock.Advance(24*time.Hour - time.Second)
	if got := code(); got != "" {
		t.Errorf("a second before it closes: %q", got)
	}
	n.clock.Advance(time.Second)
	if got := code(); got != "131047" {
		t.Errorf("after 24 hours: %q", got)
	}
	if got := n.send(sandbox.Dialog360, text("b")); !strings.Contains(got.body, "131047") {
		t.Errorf("the window is of one business number: %s", got.body)
	}
}

func TestThroughput(t *testing.T) {
	n := serve(t, sandbox.Options{AssumeOpen: true, Throughput: 5})
	var got []string
	for range 7 {
		n.send(sandbox.Cloud, text("b"))
		n.clock.Advance(100 * time.Millisecond)
	}
	n.clock.Advance(400 * time.Millisecond) // 1.1 s after the first
	n.send(sandbox.Cloud, text("b"))
	for _, e := range n.entries() {
		got = append(got, e.Code)
	}
	if diff := cmp.Diff([]string{"", "", "", "", "", "130429", "130429", ""}, got); diff != "" {
		t.Error(diff)
	}
	want := []sandbox.Rate{{Provider: sandbox.Cloud, Number: "106540352242922", Max: 7}}
	if diff := cmp.Diff(want, n.Rates()); diff != "" {
		t.Error(diff)
	}
}

func TestPairRate(t *testing.T) {
	n := serve(t, sandbox.Options{AssumeOpen: true, PairLimit: true})
	ok := 0
	for range 50 {
		if n.send(sandbox.Cloud, text("b")).status == 200 {
			ok++
		}
	}
	if ok != 45 {
		t.Errorf("a burst of %d, want 45", ok)
	}
	n.clock.Advance(6 * time.Second)
	if a, b := n.send(sandbox.Cloud, text("b")), n.send(sandbox.Cloud, text("b")); a.status != 200 || !strings.Contains(b.body, "131056") {
		t.Errorf("after six seconds: %d, then %s", a.status, b.body)
	}
}

func TestLedger(t *testing.T) {
	var journal bytes.Buffer
	n := serve(t, sandbox.Options{AssumeOpen: true, Journal: &journal})
	n.send(sandbox.Cloud, text("one"))
	n.send(sandbox.Cloud, strings.Replace(text("one"), "hb-1", "hb-2", 1)) // the same message with another reference
	n.send(sandbox.Cloud, text("two"))
	n.send(sandbox.Cloud, strings.Replace(text("one"), user, "491700000000", 1))
	n.send(sandbox.Cloud, text(""))
	n.send(sandbox.Kaleyra, text("one"))
	want := "true false 1,true true 2,true false 1,true false 1,false false 1,true false 1"
	got := []string{}
	for _, e := range n.entries() {
		ref := "1"
		if e.Ref == "hb-2" {
			ref = "2"
		}
		got = append(got, fmt.Sprint(e.Accepted, " ", e.Duplicate, " ", ref))
	}
	if diff := cmp.Diff(want, strings.Join(got, ",")); diff != "" {
		t.Error(diff)
	}
	if tot := n.Totals(); tot.Posts != 6 || tot.Accepted != 5 || tot.Duplicates != 1 {
		t.Errorf("totals %+v", tot)
	}
	overWire := n.get("/_sandbox/ledger")
	if diff := cmp.Diff(journal.String(), overWire.body); diff != "" {
		t.Errorf("journal and ledger differ: %s", diff)
	}
	golden.Assert(t, journal.Bytes(), "testdata/ledger.golden")
}

// TestStatusesAreDecidedBySeedAndNumber checks that two networks with one seed
// report the same statuses, that the shares are those of the mix, and that a
// network started later knows the ids of an earlier one.
func TestStatusesAreDecidedBySeedAndNumber(t *testing.T) {
	opt := sandbox.Options{AssumeOpen: true, Throughput: -1, Statuses: sandbox.StatusMix{
		Delivered: 0.9, Read: 0.5, Failed: 0.05, SentAfter: time.Second, DeliveredAfter: 2 * time.Second, ReadAfter: 3 * time.Second,
	}}
	a, b := serve(t, opt), serve(t, opt)
	count := map[string]int{}
	for range 400 {
		ida, idb := id(t, a.send(sandbox.Cloud, text("b"))), id(t, b.send(sandbox.Cloud, text("b")))
		if ida != idb {
			t.Fatalf("ids %s and %s", ida, idb)
		}
		a.clock.Advance(time.Minute)
		_, steps, _ := a.History(ida)
		_, same, ok := serveLater(a, opt).History(ida)
		if diff := cmp.Diff(steps, same); diff != "" || !ok {
			t.Fatal(diff)
		}
		count[steps[len(steps)-1].Word]++
		b.clock.Advance(time.Minute)
	}
	for word, want := range map[string]int{"read": 200, "delivered": 160, "failed": 20, "sent": 20} {
		if got := count[word]; got < want-want/2 || got > want+want/2 {
			t.Errorf("%d of 400 %s, want about %d", got, word, want)
		}
	}
	if _, _, ok := a.History("wamid.SGVsbG8="); ok {
		t.Error("a foreign id is known")
	}
}

func serveLater(n *network, opt sandbox.Options) *sandbox.Sandbox {
	opt.Clock, opt.Seed = n.clock.Now, 7
	return sandbox.New(opt)
}

// receiver keeps the webhooks that it receives.
type receiver struct {
	mu     sync.Mutex
	bodies []string
	heads  []http.Header
	refuse int // answers 500 to this many at first
	srv    *httptest.Server
}

func receive(t *testing.T) *receiver {
	r := &receiver{}
	r.srv = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		b, err := io.ReadAll(req.Body)
		if err != nil {
			t.Error(err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.refuse > 0 {
			r.refuse--
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		r.bodies, r.heads = append(r.bodies, string(b)), append(r.heads, req.Header)
	}))
	t.Cleanup(r.srv.Close)
	return r
}

// TestWebhooks shows every webhook in every format.
func TestWebhooks(t *testing.T) {
	for _, p := range sandbox.Providers() {
		t.Run(string(p), func(t *testing.T) {
			r := receive(t)
			target := sandbox.WebhookTarget{Provider: p, URL: r.srv.URL, AppSecret: "s3", Headers: map[string]string{"X-Shop": "1"}}
			if p == sandbox.Kaleyra {
				target.User, target.Password = "u", "p"
			}
			n := serve(t, sandbox.Options{
				Webhooks: []sandbox.WebhookTarget{target},
				Statuses: sandbox.StatusMix{Delivered: 1, Read: 1, SentAfter: time.Second, DeliveredAfter: 3 * time.Second, ReadAfter: 9 * time.Second},
				Script:   &sandbox.Script{Rules: []sandbox.Rule{{Match: sandbox.Match{Contains: "doomed"}, Fails: 131049}}},
			}).open()
			var first string
			number := map[sandbox.Provider]string{sandbox.Cloud: "106540352242922", sandbox.Dialog360: sandbox.DialogNumber("secret"), sandbox.Kaleyra: "919812345678", sandbox.OneMsg: "VID1"}[p]
			if p == sandbox.OneMsg {
				first = id(t, n.oneMsg("sendMessage", `{"phone":"`+user+`","body":"Hello"}`))
				n.oneMsg("sendMessage", `{"phone":"`+user+`","body":"doomed"}`)
			} else {
				first = id(t, n.send(p, text("Hello")))
				n.send(p, text("doomed"))
			}
			first = n.entries()[0].ID
			n.clock.Advance(time.Minute)
			for _, in := range []sandbox.Inbound{
				{Text: "Hi <b>"},
				{Type: "list_reply", ID: "prod_alpha", Title: "Alpha", Description: "Compact", Context: first},
				{Type: "button_reply", ID: "yes", Title: "Yes", Context: first},
				{Type: "button", Title: "Stop", Context: first},
				{Type: "order", Catalog: "100", Text: "soon", Items: []sandbox.InboundItem{{Product: "sku-1", Quantity: 2, Price: 9.5, Currency: "EUR"}}},
				{Type: "image", Text: "look", Link: "https://a.example/1.jpg"},
				{Type: "location", Latitude: 1.5, Longitude: 2},
				{Type: "reaction", Emoji: "👍", Context: first},
				{Type: "flow", Data: `{"a":1}`, Context: first},
				{Type: "stop"},
			} {
				in.Provider, in.Number, in.From, in.Name = p, number, user, "Ana"
				body, err := json.Marshal(in)
				if err != nil {
					t.Fatal(err)
				}
				if got := n.post("/_sandbox/inbound", string(body), "Content-Type", "application/json"); got.status != 200 {
					t.Fatalf("%s: %d %s", in.Type, got.status, got.body)
				}
			}
			n.Tick(context.Background())
			for i, h := range r.heads {
				if p == sandbox.Cloud && h.Get("X-Hub-Signature-256") != sandbox.Signature("s3", []byte(r.bodies[i])) {
					t.Errorf("signature of %s", r.bodies[i])
				}
				if h.Get("X-Shop") != "1" || (p == sandbox.Kaleyra && h.Get("Authorization") == "") {
					t.Errorf("headers %v", h)
				}
			}
			golden.Assert(t, []byte(strings.Join(r.bodies, "\n")+"\n"), "testdata/webhooks-"+string(p)+".golden")
		})
	}
}

// TestPollAgreesWithWebhooks checks that hookInfo and message_history return
// what was posted.
func TestPollAgreesWithWebhooks(t *testing.T) {
	r := receive(t)
	n := serve(t, sandbox.Options{AssumeOpen: true, Webhooks: []sandbox.WebhookTarget{{Provider: sandbox.OneMsg, URL: r.srv.URL, Raw: true}, {Provider: sandbox.Cloud, URL: r.srv.URL}}})
	one, two := id(t, n.oneMsg("sendMessage", `{"phone":"`+user+`","body":"b"}`)), id(t, n.send(sandbox.Cloud, text("b")))
	n.clock.Advance(time.Hour)
	n.Tick(context.Background())
	posted := map[string][]string{}
	for _, b := range r.bodies {
		var w struct {
			Entry []struct {
				Changes []struct {
					Value struct {
						Statuses []struct{ ID, Status, Timestamp string }
					}
				}
			}
		}
		if err := json.Unmarshal([]byte(b), &w); err != nil {
			t.Fatal(err)
		}
		s := w.Entry[0].Changes[0].Value.Statuses[0]
		posted[s.ID] = append(posted[s.ID], s.Status+" "+s.Timestamp)
	}
	var hooks struct {
		Hooks []struct{ Status, Timestamp string }
	}
	body := n.get("/onemsg/VID1/hookInfo?messageId="+one, "Authorization", "Bearer secret").body
	if err := json.Unmarshal([]byte(body), &hooks); err != nil {
		t.Fatal(err)
	}
	var polled []string
	for _, h := range hooks.Hooks {
		polled = append(polled, h.Status+" "+h.Timestamp)
	}
	if diff := cmp.Diff(posted[one], polled); diff != "" || len(polled) == 0 {
		t.Errorf("hookInfo %v: %s", polled, diff)
	}
	var history struct {
		Data []struct {
			Events struct {
				Data []struct {
					Status string `json:"delivery_status"`
					At     int64  `json:"timestamp"`
				}
			}
		}
	}
	body = n.get("/cloud/v23.0/106540352242922/message_history?message_id="+two, "Authorization", "Bearer secret").body
	if err := json.Unmarshal([]byte(body), &history); err != nil {
		t.Fatal(err)
	}
	polled = nil
	for _, e := range history.Data[0].Events.Data {
		polled = append(polled, strings.ToLower(e.Status)+" "+fmt.Sprint(e.At))
	}
	if diff := cmp.Diff(posted[two], polled); diff != "" || len(polled) == 0 {
		t.Errorf("message_history %v: %s", polled, diff)
	}
}

func TestWebhookRetryAndDisturbance(t *testing.T) {
	r := receive(t)
	r.refuse = 2
	n := serve(t, sandbox.Options{
		AssumeOpen: true, Webhooks: []sandbox.WebhookTarget{{Provider: sandbox.Cloud, URL: r.srv.URL}},
		Delivery: sandbox.Disturbance{Duplicate: 1, Shuffle: time.Minute, Delay: time.Second},
	})
	var want []string
	for i := range 20 {
		in := sandbox.Inbound{Provider: sandbox.Cloud, Number: "1", From: user, Text: fmt.Sprintf("m%02d", i)}
		if _, err := n.Inbound(in); err != nil {
			t.Fatal(err)
		}
		want = append(want, in.Text, in.Text)
	}
	if n.Tick(context.Background()) != 0 {
		t.Error("webhooks left before their delay")
	}
	for range 10 {
		n.clock.Advance(2 * time.Minute)
		n.Tick(context.Background())
	}
	var got []string
	for _, b := range r.bodies {
		got = append(got, b[strings.Index(b, `"body":"`)+8:][:3])
	}
	if slices.IsSorted(got) {
		t.Error("the order was kept")
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if tot := n.Totals(); tot.Webhooks != 40 || tot.Undeliv != 0 || tot.Pending != 0 {
		t.Errorf("totals %+v", tot)
	}
}

func TestInboundIsForThisPageOnly(t *testing.T) {
	n := serve(t, sandbox.Options{})
	body := `{"provider":"cloud","number":"1","from":"` + user + `","type":"text","text":"Hi"}`
	for name, header := range map[string][]string{
		"foreign origin": {"Content-Type", "application/json", "Origin", "https://evil.example"},
		"form":           {"Content-Type", "text/plain"},
	} {
		if got := n.post("/_sandbox/inbound", body, header...); got.status != 403 {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	for _, bad := range []string{`{`, `{"provider":"pigeon"}`, `{"provider":"cloud","number":"1","from":"` + user + `","type":"order"}`} {
		if got := n.post("/_sandbox/inbound", bad, "Content-Type", "application/json"); got.status != 400 {
			t.Errorf("%s: %d", bad, got.status)
		}
	}
}

// TestStart runs the listener, lets statuses arrive in real time, and stops it.
func TestStart(t *testing.T) {
	r := receive(t)
	s := sandbox.New(sandbox.Options{Clock: time.Now, AssumeOpen: true, FailureRate: 0,
		Webhooks: []sandbox.WebhookTarget{{Provider: sandbox.Cloud, URL: r.srv.URL}},
		Statuses: sandbox.StatusMix{Delivered: 1, Read: 1, SentAfter: time.Millisecond},
		Script:   &sandbox.Script{Rules: []sandbox.Rule{{Match: sandbox.Match{Contains: "lost"}, Behaviour: sandbox.Silence}}}})
	srv, err := s.Start(context.Background(), ":0")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(srv.URL(), "http://127.0.0.1:") || srv.BaseURL(sandbox.OneMsg) != srv.URL()+"/onemsg" {
		t.Errorf("url %s, %s", srv.URL(), srv.BaseURL(sandbox.OneMsg))
	}
	n := &network{Sandbox: s, t: t, url: srv.URL()}
	n.send(sandbox.Cloud, text("b"))
	deadline := time.After(time.Minute)
	for s.Totals().Webhooks < 3 {
		select {
		case <-deadline:
			t.Fatalf("totals %+v", s.Totals())
		case <-time.After(5 * time.Millisecond):
		}
	}
	silent := make(chan reply)
	go func() { silent <- n.send(sandbox.Cloud, text("lost")) }()
	for s.Totals().Posts < 2 {
		select {
		case <-deadline:
			t.Fatal("no second post")
		case <-time.After(5 * time.Millisecond):
		}
	}
	if err := srv.Close(); err != nil {
		t.Error(err)
	}
	if got := <-silent; got.err == nil {
		t.Errorf("silence answered %d %s", got.status, got.body)
	}
}
