package serve_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/handbill/handbill/internal/pgtest"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/cloud"
	"github.com/handbill/handbill/reply"
	"github.com/handbill/handbill/sandbox"
	"github.com/handbill/handbill/serve"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/state/postgres"
	"github.com/handbill/handbill/state/sqlite"
)

const (
	secret  = "app-secret-of-the-test"
	address = "provider.cloud.main"
	number  = "106540352242922"
	ana     = "+4915112345678"
)

// house is a server with its surroundings: a state on disk, the simulated
// network, and a number there.
type house struct {
	t      testing.TB
	path   string
	shared postgres.Options // of a state in a database; without a URL the state is a file
	store  state.Store
	net    *sandbox.Sandbox
	netURL string
	opt    serve.Options
	rules  atomic.Pointer[reply.Rules]
	events chan serve.Event
	addr   string // the server's, the same after a restart

	reader providers.Reader                        // nil for the number's own
	proxy  func(providers.Sender) providers.Sender // wraps the number's sender; nil for none

	mu     sync.Mutex
	sent   []string
	quotes []string

	server *serve.Server
	stop   func() // ends the server and waits
}

// network is the sandbox's default configuration: everybody receives and reads
// everything at once.
func network() sandbox.Options {
	return sandbox.Options{Clock: time.Now, Seed: 1, Throughput: -1, AssumeOpen: true,
		Statuses: sandbox.StatusMix{Delivered: 1, Read: 1, SentAfter: 1, DeliveredAfter: 1, ReadAfter: 1}}
}

func newHouse(t testing.TB, rules string, change ...func(*house, *sandbox.Options)) *house {
	t.Helper()
	h := &house{t: t, path: filepath.Join(t.TempDir(), "handbill.state"), events: make(chan serve.Event, 10_000)}
	if url := os.Getenv(sharedState); url != "" {
		h.shared = postgres.Options{URL: url, Schema: pgtest.Schema(), Clock: time.Now, Rand: rand.Reader, Wish: reply.BuiltIn().Wish}
	}
	l := h.listen("127.0.0.1:0")
	h.addr = l.Addr().String()
	opt := network()
	opt.Webhooks = []sandbox.WebhookTarget{{Provider: sandbox.Cloud, URL: h.hook(), AppSecret: secret}}
	for _, c := range change {
		c(h, &opt)
	}
	h.net = sandbox.New(opt)
	srv, err := h.net.Start(context.Background(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	})
	h.netURL = srv.URL()
	h.use(rules)
	h.open()
	h.start(l)
	t.Cleanup(func() { h.stop(); h.store.Close() })
	return h
}

func (h *house) hook() string { return "http://" + h.addr + "/webhooks/cloud/main" }

func (h *house) listen(addr string) net.Listener {
	h.t.Helper()
	l, err := serve.Listen(context.Background(), serve.ListenOptions{Addr: addr})
	if err != nil {
		h.t.Fatal(err)
	}
	return l
}

// use sets the rules of the last apply.
func (h *house) use(src string) {
	h.t.Helper()
	h.rules.Store(compile(h.t, src))
}

func compile(t testing.TB, src string) *reply.Rules {
	t.Helper()
	cfg, diags := lang.LoadFiles(context.Background(), map[string][]byte{"main.hcl": []byte(`provider "cloud" "main" {}` + src)}, nil,
		lang.Options{Schemas: map[string]lang.ProviderSchema{"cloud": {}}, Env: func(string) (string, bool) { return "whsec_c2VjcmV0LW9mLXRoZS1mb3J3YXJk", true }})
	if diags.HasErrors() {
		t.Fatal(diags.Error())
	}
	rules, diags := reply.Compile(cfg, reply.Options{})
	if diags.HasErrors() {
		t.Fatal(diags.Error())
	}
	return rules
}

func (h *house) open() {
	h.t.Helper()
	if h.shared.URL != "" {
		h.openShared()
		return
	}
	o := sqlite.Options{Path: h.path, Clock: time.Now, Rand: rand.Reader, Wish: reply.BuiltIn().Wish}
	make := sqlite.Create
	if sqlite.Exists(h.path) {
		make = sqlite.Open
	}
	var err error
	h.store, err = make(context.Background(), o)
	if err != nil {
		h.t.Fatal(err)
	}
}

func metaNumber(t testing.TB, base string) *cloud.Provider {
	t.Helper()
	p, err := cloud.New(cloud.Config{PhoneNumberID: number, AccessToken: "token", AppSecret: secret, VerifyToken: "verify-of-the-test", BaseURL: base + "/cloud"})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// start runs the server on l until stop.
func (h *house) start(l net.Listener) {
	h.t.Helper()
	p := metaNumber(h.t, h.netURL)
	o := h.opt
	o.Store, o.Now = h.store, time.Now
	if o.Spacing == 0 {
		o.Spacing = -1 // in most tests one person writes quickly
	}
	n := serve.Number{Address: address, Type: "cloud", Name: "main", Webhook: p, Sender: noting{providers.NewSender(p), h}, Reader: p, Rate: 1000}
	if h.proxy != nil {
		n.Sender = h.proxy(n.Sender)
	}
	if h.reader != nil {
		n.Reader = h.reader
	}
	o.Numbers = append(o.Numbers, n)
	o.Rules = func(context.Context) (*reply.Rules, error) { return h.rules.Load(), nil }
	o.Observe = func(ev serve.Event) {
		select {
		case h.events <- ev:
		default:
		}
	}
	s, err := serve.New(context.Background(), o)
	h.server = s
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l, nil) }()
	h.stop = func() {
		cancel()
		if err := <-done; err != nil {
			h.t.Error(err)
		}
		h.stop = func() {}
	}
}

// restart ends the server, closes and reopens the state, and starts another
// server.
func (h *house) restart() {
	h.t.Helper()
	h.stop()
	if err := h.store.Close(); err != nil {
		h.t.Fatal(err)
	}
	h.open()
	h.start(h.listen(h.addr))
}

// await waits for an event of a kind and drops others before it.
func (h *house) await(kind serve.EventKind) serve.Event {
	h.t.Helper()
	deadline := time.After(time.Minute)
	for {
		select {
		case ev := <-h.events:
			if ev.Kind == kind {
				return ev
			}
		case <-deadline:
			h.t.Fatalf("nothing of kind %q happened", kind)
		}
	}
}

// sends are the texts that were sent to the network.
func (h *house) sends() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.sent)
}

// quoted are the ids of the messages that the sent ones quote.
func (h *house) quoted() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.quotes)
}

// noting is a sender that records the texts that it sends.
type noting struct {
	providers.Sender
	h *house
}

func (n noting) Send(ctx context.Context, r message.Request) message.Answer {
	var b struct {
		Text        struct{ Body string }
		Interactive struct{ Body struct{ Text string } }
		Context     struct {
			ID string `json:"message_id"`
		}
	}
	if err := json.Unmarshal(r.Body, &b); err != nil {
		n.h.t.Error(err)
	}
	n.h.mu.Lock()
	n.h.sent = append(n.h.sent, b.Text.Body+b.Interactive.Body.Text)
	if b.Context.ID != "" {
		n.h.quotes = append(n.h.quotes, b.Context.ID)
	}
	n.h.mu.Unlock()
	return n.Sender.Send(ctx, r)
}

// phone acts as Ana.
func (h *house) phone(in sandbox.Inbound) string {
	h.t.Helper()
	in.Provider, in.Number, in.From, in.Name = sandbox.Cloud, number, ana, "Ana"
	id, err := h.net.Inbound(in)
	if err != nil {
		h.t.Fatal(err)
	}
	return id
}

// post sends a webhook as Meta would and returns the status of the answer.
func (h *house) post(body string) int {
	return post(h.t, h.hook(), body, sandbox.Signature(secret, []byte(body)))
}

func post(t testing.TB, url, body, signature string) int {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if signature != "" {
		r.Header.Set("X-Hub-Signature-256", signature)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode
}

// envelope wraps statuses or messages as Meta does.
func envelope(kind string, list ...string) string {
	return `{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"1","phone_number_id":"` +
		number + `"},"contacts":[{"profile":{"name":"Ana"},"wa_id":"` + ana[1:] + `"}],"` + kind + `":[` + strings.Join(list, ",") + `]}}]}]}`
}

func wrote(id, text string) string {
	q, _ := json.Marshal(text) // a string: cannot fail
	return fmt.Sprintf(`{"from":%q,"id":%q,"timestamp":"%d","type":"text","text":{"body":%s}}`, ana[1:], id, time.Now().Unix(), q)
}

func status(id, word, ref string, at int64) string {
	return fmt.Sprintf(`{"id":%q,"status":%q,"timestamp":"%d","recipient_id":%q,"biz_opaque_callback_data":%q}`, id, word, at, ana[1:], ref)
}

// settled stops the server, which first joins what it accepted, and dumps the
// state.
func (h *house) settled() string {
	h.t.Helper()
	h.stop()
	return dump(h.t, h.store)
}

func dump(t testing.TB, s state.Store) string {
	t.Helper()
	var b bytes.Buffer
	if err := s.(*sqlite.Store).Export(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
