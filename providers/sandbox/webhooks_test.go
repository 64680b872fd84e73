package sandbox_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/cloud"
	"github.com/handbill/handbill/providers/providertest"
	network "github.com/handbill/handbill/sandbox"
)

// TestWebhooks checks that the provider of each wire format authenticates and
// understands what the network posts.
func TestWebhooks(t *testing.T) {
	all := wires("token-of-the-test")
	all["cloud"] = func(base string) (providers.Provider, error) {
		return cloud.New(cloud.Config{PhoneNumberID: "106540352242922", AccessToken: "token-of-the-test", AppSecret: "app-secret-of-the-test", BaseURL: base})
	}
	numbers := map[string]string{
		"cloud": "106540352242922", "dialog360": network.DialogNumber("token-of-the-test"), "kaleyra": "914400000000", "onemsg": "VID1",
	}
	for wire, construct := range all {
		t.Run(wire, func(t *testing.T) {
			box := &inbox{t: t}
			hook := httptest.NewServer(box)
			defer hook.Close()
			now := clock()
			net := network.New(network.Options{
				Clock: func() time.Time { return now }, AssumeOpen: true,
				Statuses: network.StatusMix{Delivered: 1, Read: 1, SentAfter: time.Second, DeliveredAfter: time.Second, ReadAfter: time.Second},
				Webhooks: []network.WebhookTarget{{Provider: network.Provider(wire), URL: hook.URL, AppSecret: "app-secret-of-the-test"}},
			})
			server := httptest.NewServer(net.Handler())
			defer server.Close()
			p, err := construct(server.URL + network.BasePath(network.Provider(wire)))
			if err != nil {
				t.Fatal(err)
			}
			box.hook = p.(providers.Webhook)
			a := send(t, p, "+4915112345678")
			if a.Class != message.Accepted {
				t.Fatal(a.Title)
			}
			now = now.Add(time.Minute)
			net.Tick(t.Context())
			checkStatuses(t, p, a.ID, box.take())

			in := network.Inbound{Provider: network.Provider(wire), Number: numbers[wire], From: "4915112345678", Name: "Ana"}
			checkInbound(t, wire, net, box, in)
		})
	}
}

// checkStatuses checks that every status can be matched to the sent message, by
// its id and by its reference if the provider echoes one.
func checkStatuses(t *testing.T, p providers.Provider, id string, events []message.Event) {
	t.Helper()
	var rank message.Rank
	for _, e := range events {
		if e.Kind != message.EventStatus {
			t.Errorf("%s: %s", e.Kind, e.Reason)
			continue
		}
		if e.ID != id {
			t.Errorf("a status of %q, sent was %q", e.ID, id)
		}
		if p.Profile().Echo && e.Ref != providertest.Ref {
			t.Errorf("a status without our reference: %+v", e)
		}
		rank = max(rank, e.Rank)
	}
	if rank != message.RankRead {
		t.Errorf("got as far as %q in %d events", rank, len(events))
	}
}

func checkInbound(t *testing.T, wire string, net *network.Sandbox, box *inbox, in network.Inbound) {
	t.Helper()
	act := func(change func(*network.Inbound)) message.Event {
		t.Helper()
		one := in
		change(&one)
		if _, err := net.Inbound(one); err != nil {
			t.Fatal(err)
		}
		net.Tick(t.Context())
		events := box.take()
		if len(events) != 1 {
			t.Fatalf("%s: %d events", one.Type, len(events))
		}
		if e := events[0]; e.From.Phone != "+4915112345678" {
			t.Errorf("%s: from %q, %s", one.Type, e.From.Phone, e.Reason)
		}
		return events[0]
	}
	if e := act(func(i *network.Inbound) { i.Type, i.Text = "text", "Hi" }); e.Kind != message.EventInbound || e.Text != "Hi" || e.ProfileName != "Ana" {
		t.Errorf("text: %+v", e)
	}
	if e := act(func(i *network.Inbound) { i.Type, i.ID, i.Title = "list_reply", "aloe", "Aloe" }); e.Text != "Aloe" || e.ReplyID != "aloe" {
		t.Errorf("list reply: %+v", e)
	}
	if wire == "onemsg" {
		return // the other formats do not document a normalised form
	}
	e := act(func(i *network.Inbound) {
		i.Type, i.Catalog = "order", "407"
		i.Items = []network.InboundItem{{Product: "aloe-12", Quantity: 2, Price: 12.5, Currency: "EUR"}}
	})
	want := &message.Order{CatalogID: "407", Items: []message.OrderItem{{ProductID: "aloe-12", Quantity: 2, Price: "12.5", Currency: "EUR"}}}
	if diff := cmp.Diff(want, e.Order); diff != "" {
		t.Errorf("order: %s", diff)
	}
	if e := act(func(i *network.Inbound) { i.Type = "stop" }); e.Kind != message.EventPreference || !e.OptOut {
		t.Errorf("stop: %+v", e)
	}
}

// inbox is a URL for webhooks.
type inbox struct {
	t    *testing.T
	hook providers.Webhook

	mu     sync.Mutex
	events []message.Event
}

func (b *inbox) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		b.t.Error(err)
	}
	if _, err := b.hook.Authenticate(r.Header, body); err != nil {
		b.t.Error(err)
	}
	events, err := b.hook.Decode(body)
	if err != nil {
		b.t.Error(err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.events = append(b.events, events...)
}

func (b *inbox) take() []message.Event {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := b.events
	b.events = nil
	return out
}
