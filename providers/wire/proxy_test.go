package wire_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers/wire"
)

// tunnels is a proxy that tunnels every CONNECT to one server, or gives a fixed
// answer instead, and records the requests.
type tunnels struct {
	to     string
	answer string // given instead of a tunnel

	mu    sync.Mutex
	asked []*http.Request
}

func (p *tunnels) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.asked = append(p.asked, r)
	p.mu.Unlock()
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	if p.answer != "" {
		_, _ = io.WriteString(conn, p.answer)
		return
	}
	server, err := net.Dial("tcp", p.to)
	if err != nil {
		return
	}
	defer server.Close()
	_, _ = io.WriteString(conn, "HTTP/1.1 200 Connection established\r\n\r\n")
	go func() {
		_, _ = io.Copy(server, buffered)
		_ = server.Close()
	}()
	_, _ = io.Copy(conn, server)
}

// A proxy tunnels, with one CONNECT for each connection: it learns the
// provider's host name, but neither a message nor a credential.
func TestProxyLeadsToTheProvider(t *testing.T) {
	for _, secure := range []bool{false, true} {
		var got []string
		server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			got = append(got, r.Host+" "+r.Header.Get("api-key")+" "+string(body))
			_, _ = w.Write([]byte("{}"))
		}))
		defer server.Close()
		p := &tunnels{to: server.Listener.Addr().String()}
		proxy := httptest.NewUnstartedServer(p)
		roots := x509.NewCertPool()
		roots.AddCert(server.Certificate())
		if secure {
			proxy.StartTLS()
			roots.AddCert(proxy.Certificate())
		} else {
			proxy.Start()
		}
		defer proxy.Close()
		u, err := url.Parse(proxy.URL)
		if err != nil {
			t.Fatal(err)
		}
		u.User = url.UserPassword("ada", "s3cret")
		c := wire.New(wire.Options{UserAgent: "handbill/1.2", TLS: &tls.Config{RootCAs: roots}, Proxy: func(*url.URL) (*url.URL, error) { return u, nil }})
		for range 2 {
			// httptest's certificate includes example.com.
			if _, a := c.Post(t.Context(), "https://example.com/messages", http.Header{"Api-Key": {"k"}}, []byte(`"Hi"`)); a != nil {
				t.Fatalf("%s: %s", a.Class, a.Title)
			}
		}
		if len(got) != 2 || got[1] != `example.com k "Hi"` {
			t.Errorf("the provider got %q", got)
		}
		if len(p.asked) != 1 {
			t.Fatalf("the proxy was asked %d times", len(p.asked))
		}
		user, password, _ := (&http.Request{Header: http.Header{"Authorization": p.asked[0].Header["Proxy-Authorization"]}}).BasicAuth()
		if r := p.asked[0]; r.Method != http.MethodConnect || r.Host != "example.com:443" || user != "ada" || password != "s3cret" ||
			r.Header.Get("Api-Key") != "" || r.UserAgent() != "handbill/1.2" {
			t.Errorf("the proxy was asked %s %s with %v", r.Method, r.Host, r.Header)
		}
	}
}

// Whatever a proxy does before the tunnel stands, no message has left.
func TestAProxyThatLeadsNowhere(t *testing.T) {
	down := httptest.NewServer(http.NotFoundHandler())
	down.Close()
	for name, test := range map[string]struct{ answer, proxy, want string }{
		"refuses":                 {"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", "", "it leads nowhere (HTTP 502)"},
		"asks for a password":     {"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", "", "(HTTP 407)"},
		"says too much":           {"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\n{}", "", "it sends what nobody asked for"},
		"is no proxy":             {"hello\r\n\r\n", "", "the proxy: "},
		"hangs up":                {"HTTP/1.1", "", "the proxy: "},
		"is not there":            {"", down.URL, "the dial failed"},
		"speaks another protocol": {"", "socks5://127.0.0.1:1080", "only http and https proxies"},
	} {
		t.Run(name, func(t *testing.T) {
			proxy := httptest.NewServer(&tunnels{answer: test.answer})
			defer proxy.Close()
			if test.proxy == "" {
				test.proxy = proxy.URL
			}
			u, err := url.Parse(test.proxy)
			if err != nil {
				t.Fatal(err)
			}
			u.User = url.UserPassword("ada", "s3cret")
			c := wire.New(wire.Options{Proxy: func(*url.URL) (*url.URL, error) { return u, nil }})
			_, a := c.Post(t.Context(), "https://example.com/messages", nil, []byte("{}"))
			if a == nil || a.Class != message.NotSent || !strings.Contains(a.Title, test.want) {
				t.Fatalf("got %+v", a)
			}
			for _, secret := range []string{"s3cret", "ada", "127.0.0.1", "example.com"} {
				if strings.Contains(a.Title+a.Advice, secret) {
					t.Errorf("the answer holds %q: %s", secret, a.Title)
				}
			}
		})
	}
}
