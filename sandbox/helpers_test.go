package sandbox_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/handbill/handbill/sandbox"
)

// clock is a clock that only the test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// network serves a sandbox for the duration of a test.
type network struct {
	*sandbox.Sandbox
	t     *testing.T
	clock *clock
	url   string
}

func serve(t *testing.T, opt sandbox.Options) *network {
	t.Helper()
	c := newClock()
	opt.Clock = c.Now
	if opt.Seed == 0 {
		opt.Seed = 7
	}
	s := sandbox.New(opt)
	srv := httptest.NewServer(s.Handler())
	t.Cleanup(srv.Close)
	return &network{Sandbox: s, t: t, clock: c, url: srv.URL}
}

// reply is an answer as a client sees it.
type reply struct {
	status int
	body   string
	header http.Header
	err    error
}

const user = "491511234567"

// send posts a body in the way that each provider expects.
func (n *network) send(p sandbox.Provider, body string) reply {
	n.t.Helper()
	switch p {
	case sandbox.Cloud:
		return n.post("/cloud/v23.0/106540352242922/messages", body, "Authorization", "Bearer secret")
	case sandbox.Dialog360:
		return n.post("/dialog360/messages", body, "D360-API-KEY", "secret")
	case sandbox.Kaleyra:
		return n.post("/kaleyra/v2/SID/whatsapp/+919812345678/messages", `{"messaging_object":`+body+`,"extra_info":{"ref":"r-1","ref1":"a","ref2":"b","wa_source":"api"}}`, "api-key", "secret")
	}
	n.t.Fatalf("no way to send through %s", p)
	return reply{}
}

func (n *network) oneMsg(method, body string) reply {
	n.t.Helper()
	return n.post("/onemsg/VID1/"+method, body, "Authorization", "Bearer secret")
}

func (n *network) post(path, body string, header ...string) reply {
	n.t.Helper()
	return n.do(http.MethodPost, path, body, header...)
}

func (n *network) get(path string, header ...string) reply {
	n.t.Helper()
	return n.do(http.MethodGet, path, "", header...)
}

func (n *network) do(method, path, body string, header ...string) reply {
	n.t.Helper()
	req, err := http.NewRequest(method, n.url+path, bytes.NewReader([]byte(body)))
	if err != nil {
		n.t.Fatal(err)
	}
	req.GetBody = nil
	for i := 0; i+1 < len(header); i += 2 {
		if header[i] == "Host" {
			req.Host = header[i+1]
			continue
		}
		req.Header.Set(header[i], header[i+1])
	}
	client := &http.Client{
		Transport:     &http.Transport{DisableCompression: true, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       5 * time.Second,
	}
	resp, err := client.Do(req)
	if err != nil {
		return reply{err: err}
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return reply{resp.StatusCode, string(b), resp.Header, err}
}

// open opens the user's window with every number that the tests use.
func (n *network) open() *network {
	n.OpenWindow(sandbox.Cloud, "106540352242922", user)
	n.OpenWindow(sandbox.Dialog360, sandbox.DialogNumber("secret"), user)
	n.OpenWindow(sandbox.Kaleyra, "919812345678", user)
	n.OpenWindow(sandbox.OneMsg, "VID1", user)
	return n
}

// entries is the whole ledger.
func (n *network) entries() []sandbox.Entry {
	var out []sandbox.Entry
	n.Ledger(func(e sandbox.Entry) bool { out = append(out, e); return true })
	return out
}

// message wraps a content object into an envelope to user.
func message(content string) string {
	return `{"messaging_product":"whatsapp","recipient_type":"individual","to":"` + user + `",` + content + `}`
}

func text(body string) string {
	return message(`"type":"text","text":{"body":"` + body + `"},"biz_opaque_callback_data":"hb-1"`)
}

func interactive(content string) string {
	return message(`"type":"interactive","interactive":` + content)
}

func x(n int) string { return strings.Repeat("ü", n) }
