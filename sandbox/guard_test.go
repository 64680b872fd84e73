package sandbox_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/handbill/handbill/sandbox"
)

// TestPagesOfOtherSites checks that a page of another site can neither read
// what was sent nor write as a person, whatever host name it uses for this
// machine.
func TestPagesOfOtherSites(t *testing.T) {
	n := serve(t, sandbox.Options{Hosts: []string{"handbill.test"}})
	port := n.url[strings.LastIndex(n.url, ":"):]
	const json = "application/json"
	for name, c := range map[string]struct {
		method, path, host string
		header             []string
		refused            bool
	}{
		"a tool reads by address":                  {method: "GET", path: "/_sandbox/ledger", host: "127.0.0.1" + port},
		"a tool reads by the name of the loopback": {method: "GET", path: "/_sandbox/ledger", host: "LocalHost" + port},
		"a tool reads by IPv6":                     {method: "GET", path: "/_sandbox/ledger", host: "[::1]" + port},
		"a name without a port":                    {method: "GET", path: "/_sandbox/ledger", host: "localhost"},
		"a name that is allowed":                   {method: "GET", path: "/_sandbox/ledger", host: "handbill.TEST" + port},
		"a name that leads here":                   {method: "GET", path: "/_sandbox/ledger", host: "rebound.example" + port, refused: true},
		"a name that leads here reads the phone":   {method: "GET", path: "/", host: "rebound.example" + port, refused: true},
		"a name that begins as the loopback":       {method: "GET", path: "/", host: "localhost.rebound.example" + port, refused: true},
		"a name below one that is allowed":         {method: "GET", path: "/", host: "a.handbill.test" + port, refused: true},
		"another address":                          {method: "GET", path: "/_sandbox/chats", host: "192.0.2.7" + port, refused: true},
		"the phone itself": {method: "POST", path: "/_sandbox/inbound", host: "127.0.0.1" + port,
			header: []string{"Content-Type", json, "Origin", "http://127.0.0.1" + port, "Sec-Fetch-Site", "same-origin"}},
		"a page of another site writes as a person": {method: "POST", path: "/_sandbox/inbound", host: "127.0.0.1" + port,
			header: []string{"Content-Type", json, "Sec-Fetch-Site", "cross-site"}, refused: true},
		"a page of another port writes as a person": {method: "POST", path: "/_sandbox/inbound", host: "127.0.0.1" + port,
			header: []string{"Content-Type", json, "Sec-Fetch-Site", "same-site"}, refused: true},
		"a page says its origin alone": {method: "POST", path: "/cloud/v23.0/1/messages", host: "127.0.0.1" + port,
			header: []string{"Authorization", "Bearer t", "Content-Type", json, "Origin", "https://rebound.example"}, refused: true},
		"a page without an origin": {method: "POST", path: "/cloud/v23.0/1/messages", host: "127.0.0.1" + port,
			header: []string{"Authorization", "Bearer t", "Content-Type", json, "Origin", "null"}, refused: true},
		"a form posts plain text to a provider's path": {method: "POST", path: "/onemsg/VID1/sendMessage?token=t", host: "127.0.0.1" + port,
			header: []string{"Content-Type", "Text/Plain; charset=utf-8"}, refused: true},
		"a provider's client": {method: "POST", path: "/cloud/v23.0/1/messages", host: "127.0.0.1" + port,
			header: []string{"Authorization", "Bearer t", "Content-Type", json}},
	} {
		t.Run(name, func(t *testing.T) {
			before := n.Totals()
			got := n.do(c.method, c.path, `{"provider":"cloud","number":"1","from":"491511234568","type":"text","text":"Moin"}`, append(c.header, "Host", c.host)...)
			if refused := got.status == http.StatusForbidden; got.err != nil || refused != c.refused {
				t.Errorf("%d %s %v, want it refused: %v", got.status, got.body, got.err, c.refused)
			}
			if c.refused && n.Totals() != before {
				t.Errorf("the network took it: %+v", n.Totals())
			}
		})
	}
}

// TestHostThatIsListenedAt checks that a sandbox that listens on a host name
// can be reached by that name.
func TestHostThatIsListenedAt(t *testing.T) {
	for addr, want := range map[string]int{"127.0.0.1:0": http.StatusForbidden, "0.0.0.0:0": http.StatusForbidden} {
		srv, err := sandbox.New(sandbox.Options{Clock: time.Now}).Start(context.Background(), addr)
		if err != nil {
			t.Fatal(err)
		}
		defer srv.Close()
		port := srv.URL()[strings.LastIndex(srv.URL(), ":"):]
		n := &network{t: t, url: "http://127.0.0.1" + port}
		if got := n.get("/_sandbox/totals", "Host", "0.0.0.0"+port); got.status != want {
			t.Errorf("listening at %s: %d for a host that stands for all, want %d", addr, got.status, want)
		}
		if got := n.get("/_sandbox/totals"); got.status != http.StatusOK {
			t.Errorf("listening at %s: %d by loopback", addr, got.status)
		}
	}
}
