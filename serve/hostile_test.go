package serve_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers/onemsg"
	"github.com/handbill/handbill/sandbox"
	"github.com/handbill/handbill/serve"
	"github.com/handbill/handbill/state"
)

func TestHostileRequests(t *testing.T) {
	h := newHouse(t, hello, func(h *house, _ *sandbox.Options) { h.opt.MaxBody = 100_000 })
	good := envelope("messages", wrote("wamid.forged", "Hi"))
	deep := `{"entry":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}`
	for _, c := range []struct {
		name, body, signature string
		want                  int
	}{
		{"unsigned", good, "", 403},
		{"signed by somebody else", good, sandbox.Signature("another secret", []byte(good)), 403},
		{"signature of another body", good, sandbox.Signature(secret, []byte(good+" ")), 403},
		{"signature without a value", good, "sha256=", 403},
		{"signature in another form", good, "sha1=" + strings.Repeat("0", 40), 403},
		{"too large", strings.Repeat(" ", 100_001), "", 413},
		{"nested too deeply and unsigned", deep, "", 403},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := post(t, h.hook(), c.body, c.signature); got != c.want {
				t.Errorf("status %d, want %d", got, c.want)
			}
		})
	}
	// A signed body comes from the provider, so even one that can't be used is
	// kept with the reason and answered with 200. The provider then does not
	// repeat it.
	kept := []string{deep, "\xff\xfe{}", `not JSON`, `{}`, `[]`, `{"entry":[{"changes":[{"value":7}]}]}`, `{"entry":null}`}
	for _, body := range kept {
		if got := h.post(body); got != 200 {
			t.Errorf("%.20q: status %d", body, got)
		}
	}
	h.stop()
	if n := len(h.sends()); n != 0 {
		t.Errorf("%d replies to forged messages", n)
	}
	notices := 0
	for n, err := range h.store.Notices(t.Context(), time.Time{}) {
		if err != nil {
			t.Fatal(err)
		}
		notices++
		if n.Reason == "" {
			t.Errorf("a body is kept without a reason: %.40q", n.Raw)
		}
	}
	if notices != len(kept) {
		t.Errorf("%d bodies are kept, want %d", notices, len(kept))
	}
}

// raw writes bytes to the server and returns what it answers.
func raw(t *testing.T, addr, text string) string {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	got, _ := io.ReadAll(c) // the server may reset a connection before it has read everything
	return string(got)
}

func TestSlowRequestsEnd(t *testing.T) {
	h := newHouse(t, hello, func(h *house, _ *sandbox.Options) { h.opt.ReadTimeout = 100 * time.Millisecond })
	for name, c := range map[string]struct{ request, want string }{
		"headers that do not end":    {"POST /webhooks/cloud/main HTTP/1.1\r\nHost: x\r\nX-A: ", "408"},
		"a body that does not come":  {"POST /webhooks/cloud/main HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{", "400"},
		"headers that are too large": {"GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: " + strings.Repeat("a", 40_000) + "\r\n\r\n", "431"},
	} {
		t.Run(name, func(t *testing.T) {
			got := raw(t, h.addr, c.request)
			if got == "" { // the server closed the connection
				return
			}
			resp, err := http.ReadResponse(bufio.NewReader(strings.NewReader(got)), nil)
			if err != nil || fmt.Sprint(resp.StatusCode) != c.want {
				t.Errorf("answered %.80q", got)
			}
		})
	}
	if code := h.post(envelope("messages", wrote("wamid.1", "Hi"))); code != 200 {
		t.Errorf("others are answered with %d", code)
	}
}

// A probe learns nothing: the answers for what does not exist, what is
// protected and what is requested in the wrong way look alike.
func TestProbingLearnsNothing(t *testing.T) {
	h := newHouse(t, hello, oneMsgNumber(t, "a-token-of-128-bits-or-more"))
	answer := func(method, path string) string {
		r, err := http.NewRequest(method, "http://"+h.addr+path, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		resp.Header.Del("Date")
		var b bytes.Buffer
		if err := resp.Header.Write(&b); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(&b, resp.Body); err != nil {
			t.Fatal(err)
		}
		return resp.Status + "\n" + b.String()
	}
	want := answer("POST", "/")
	if !strings.HasPrefix(want, "404") {
		t.Fatalf("/ is answered with %s", want)
	}
	for _, probe := range []string{
		"POST /webhooks", "POST /webhooks/", "POST /webhooks/onemsg/main", "POST /webhooks/onemsg/main/", "POST /webhooks/onemsg/main/wrong",
		"POST /webhooks/onemsg/main/a-token-of-128-bits-or-more/x", "POST /webhooks/onemsg/nobody/a-token-of-128-bits-or-more", "POST /webhooks/cloud/main/x",
		"POST //webhooks/cloud/main", "POST /webhooks/cloud/../cloud/main", "GET /webhooks/cloud/main", "GET /webhooks/cloud/main?hub.mode=subscribe&hub.verify_token=wrong&hub.challenge=1",
		"DELETE /webhooks/cloud/main", "PUT /webhooks/cloud/main", "GET /metrics", "GET /debug/pprof/", "POST /healthz",
	} {
		method, path, _ := strings.Cut(probe, " ")
		if diff := cmp.Diff(want, answer(method, path)); diff != "" {
			t.Errorf("%s: %s", probe, diff)
		}
	}
	if got := answer("GET", "/webhooks/cloud/main?hub.mode=subscribe&hub.verify_token=verify-of-the-test&hub.challenge=12ab"); !strings.HasSuffix(got, "\n12ab") {
		t.Errorf("the handshake is answered with %q", got)
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		if got := answer("GET", path); !strings.HasPrefix(got, "200") {
			t.Errorf("%s: %s", path, got)
		}
	}
}

// oneMsgNumber adds a number whose provider does not sign webhooks.
func oneMsgNumber(t *testing.T, tokens ...string) func(*house, *sandbox.Options) {
	return func(h *house, _ *sandbox.Options) {
		p, err := onemsg.New(onemsg.Config{ChannelID: "VID1", Token: "t"})
		if err != nil {
			t.Fatal(err)
		}
		h.opt.Numbers = append(h.opt.Numbers, serve.Number{Address: "provider.onemsg.main", Type: "onemsg", Name: "main", Webhook: p, Tokens: tokens, Sender: refusing{t}})
	}
}

// refusing is a sender that fails the test when it is used.
type refusing struct{ t *testing.T }

func (r refusing) Encode(message.Address, *message.Draft, []string, string) (message.Request, error) {
	r.t.Error("a reply to what nothing vouches for")
	return message.Request{}, nil
}
func (r refusing) Send(context.Context, message.Request) message.Answer { return message.Answer{} }

// Anybody can post to a number without a signature and without a token. Nothing
// of such a body is believed or kept, and the client and the operator are told
// so.
func TestUnsignedWebhooksAreRefused(t *testing.T) {
	h := newHouse(t, hello, oneMsgNumber(t))
	h.stop()
	accepted(t, h.store, "wamid.sent")
	before := dump(t, h.store)
	h.start(h.listen(h.addr))
	url := "http://" + h.addr + "/webhooks/onemsg/main"
	for name, body := range map[string]string{
		"a message":             `{"messages":[{"id":"x","type":"chat","body":"Hi","fromMe":false,"time":1,"chatId":"4915112345678@c.us","author":"4915112345678@c.us"}]}`,
		"a stop":                `{"messages":[{"id":"y","type":"chat","body":"STOP","fromMe":false,"time":1,"chatId":"4915112345678@c.us","author":"4915112345678@c.us"}]}`,
		"Meta's envelope":       envelope("messages", wrote("wamid.x", "Hi")),
		"a status":              `{"ack":[{"id":"wamid.sent","chatId":"4915112345678@c.us","status":"delivered"}]}`,
		"nothing that is known": `{"padding":"` + strings.Repeat("x", 10_000) + `"}`,
		"no JSON":               "no JSON",
	} {
		if code := post(t, url, body, ""); code != 403 {
			t.Errorf("%s is answered with %d", name, code)
		}
		if ev := h.await(serve.EventRefused); ev.Provider != "provider.onemsg.main" || !strings.Contains(ev.Err.Error(), "webhook_token") {
			t.Errorf("%s: the operator hears %+v", name, ev)
		}
	}
	if diff := cmp.Diff(before, h.settled()); diff != "" {
		t.Errorf("the state changed:\n%s", diff)
	}
}

func TestATrustedNumberNeedsNoSignature(t *testing.T) {
	number := oneMsgNumber(t)
	h := newHouse(t, hello, func(h *house, o *sandbox.Options) {
		number(h, o)
		h.opt.Numbers[0].TrustUnsigned = true
	})
	body := fmt.Sprintf(`{"messages":[{"id":"z","type":"image","fromMe":false,"time":%d,"chatId":"4915112345678@c.us","author":"4915112345678@c.us"}]}`, time.Now().Unix())
	if code := post(t, "http://"+h.addr+"/webhooks/onemsg/main", body, ""); code != 200 {
		t.Errorf("status %d", code)
	}
	h.stop()
	if p, err := h.store.Person(t.Context(), "provider.cloud.main", ana); err != nil || p.LastInbound.IsZero() {
		t.Errorf("the message was not taken: %+v, %v", p, err)
	}
}

func TestATokenVouches(t *testing.T) {
	h := newHouse(t, hello, oneMsgNumber(t, "new-token", "old-token"))
	for i, token := range []string{"new-token", "old-token"} {
		body := fmt.Sprintf(`{"messages":[{"id":"x%d","type":"image","fromMe":false,"time":%d,"chatId":"4915112345678@c.us","author":"4915112345678@c.us"}]}`, i, time.Now().Unix())
		if code := post(t, "http://"+h.addr+"/webhooks/onemsg/main/"+token, body, ""); code != 200 {
			t.Errorf("%s: status %d", token, code)
		}
	}
	h.stop()
	p, err := h.store.Person(t.Context(), "provider.cloud.main", ana)
	if err != nil {
		t.Fatal(err)
	}
	if p.LastInbound.IsZero() {
		t.Error("the message was not taken")
	}
}

// A replay of a signed webhook, however old, changes nothing.
func TestReplay(t *testing.T) {
	h := newHouse(t, hello)
	body := envelope("messages", wrote("wamid.1", "Hi"))
	h.post(body)
	h.await(serve.EventReplied)
	before := h.settled()
	h.start(h.listen(h.addr))
	for range 3 {
		h.post(body)
	}
	if diff := cmp.Diff(before, h.settled()); diff != "" {
		t.Error(diff)
	}
}

// full is a store whose disk is busy until it is released.
type full struct {
	serve.Store
	entered chan struct{}
	release chan struct{}
}

func (f *full) Append(ctx context.Context, in []state.Inbox) ([]bool, error) {
	f.entered <- struct{}{}
	<-f.release
	return f.Store.Append(ctx, in)
}

func TestAFullQueueAsksToComeAgain(t *testing.T) {
	h := newHouse(t, hello)
	h.stop()
	f := &full{Store: h.store, entered: make(chan struct{}, 2), release: make(chan struct{})}
	s, err := serve.New(t.Context(), serve.Options{Spacing: -1, Store: f, Queue: 1, Now: time.Now, Rules: noRules,
		Numbers: []serve.Number{{Address: address, Type: "cloud", Name: "main", Webhook: metaNumber(t, h.netURL)}}})
	if err != nil {
		t.Fatal(err)
	}
	url := serveHandler(t, s.Handler())
	first := make(chan int)
	body := envelope("messages", wrote("wamid.1", "Hi"))
	go func() { first <- post(t, url, body, sandbox.Signature(secret, []byte(body))) }()
	<-f.entered
	r, err := http.NewRequest("POST", url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Hub-Signature-256", sandbox.Signature(secret, []byte(body)))
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" {
		t.Errorf("status %d, Retry-After %q", resp.StatusCode, resp.Header.Get("Retry-After"))
	}
	close(f.release)
	if code := <-first; code != 200 {
		t.Errorf("the one that waited: %d", code)
	}
}

func TestWhatIsWrittenCannotBreakAForward(t *testing.T) {
	nasty := "\x1b[2J\u202e</script>\x00\"\\ @team =1+1"
	got := make(chan string, 1)
	url, host := service(t, func(_ http.ResponseWriter, r *http.Request) {
		var f serve.Forwarded
		if err := json.NewDecoder(r.Body).Decode(&f); err != nil {
			t.Error(err)
		}
		got <- f.Data.Text
	})
	h := newHouse(t, strings.ReplaceAll(crm, "URL", url), func(h *house, _ *sandbox.Options) { h.opt.AllowHosts = []string{host} })
	h.post(envelope("messages", wrote("wamid.1", nasty)))
	if text := <-got; text != nasty {
		t.Errorf("got %q", text)
	}
}
