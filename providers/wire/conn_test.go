package wire_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/wire"
)

// raw is a server that, on each connection, answers the n-th request with the
// n-th text and then closes the connection. It counts connections and requests.
type raw struct {
	net.Listener
	mu              sync.Mutex
	conns, requests int
	closed          chan struct{} // receives one value for each connection that it closed
	answers         []string
}

func newRaw(t *testing.T, answers ...string) *raw {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &raw{Listener: l, answers: answers, closed: make(chan struct{}, 100)}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.conns++
			s.mu.Unlock()
			go s.serve(conn)
		}
	}()
	return s
}

func (s *raw) serve(conn net.Conn) {
	defer func() { conn.Close(); s.closed <- struct{}{} }()
	in := bufio.NewReader(conn)
	for _, answer := range s.answers {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		s.mu.Lock()
		s.requests++
		s.mu.Unlock()
		_, _ = io.WriteString(conn, answer)
	}
}

func (s *raw) url() string { return "http://" + s.Addr().String() + "/messages" }

func (s *raw) seen() (conns, requests int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conns, s.requests
}

const fine = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

func TestAnswersOnTheWire(t *testing.T) {
	for name, test := range map[string]struct {
		answers []string
		bodies  []string // "!" for one that stays unknown
		conns   int
	}{
		"two answers on one connection":         {[]string{fine, fine}, []string{"{}", "{}"}, 1},
		"the other side asks to close":          {[]string{"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"}, []string{"{}", "{}"}, 2},
		"HTTP/1.0 ends with the connection":     {[]string{"HTTP/1.0 200 OK\r\n\r\n{}"}, []string{"{}", "{}"}, 2},
		"in chunks":                             {[]string{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n", fine}, []string{"{}", "{}"}, 1},
		"wait is no answer":                     {[]string{"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + fine, fine}, []string{"{}", "{}"}, 1},
		"waits without an end":                  {[]string{strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 100)}, []string{"!"}, 1},
		"another protocol":                      {[]string{"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"}, []string{"!"}, 1},
		"nothing":                               {[]string{""}, []string{"!"}, 1},
		"a head that is longer than any":        {[]string{"HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 1<<19) + "\r\n\r\n"}, []string{"!"}, 1},
		"a second answer that nobody asked for": {[]string{fine + fine, fine}, []string{"{}", "{}"}, 2},
		"no body":                               {[]string{"HTTP/1.1 204 No Content\r\n\r\n", fine}, []string{"", "{}"}, 1},
		"no status before the answer":           {[]string{"HTTP/1.1 000 Nothing\r\n\r\n" + fine}, []string{"!"}, 1},
		"another version in the same words":     {[]string{"HTTP/2.0 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n"}, []string{"!"}, 1},
		"two lengths":                           {[]string{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"}, []string{"!"}, 1},
		"a body of the greatest length":         {[]string{fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", wire.MaxReply, strings.Repeat("x", wire.MaxReply)), fine}, []string{strings.Repeat("x", wire.MaxReply), "{}"}, 1},
		"a body that is longer than it may be":  {[]string{fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", wire.MaxReply+1, strings.Repeat("x", wire.MaxReply+1))}, []string{"!"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := newRaw(t, test.answers...)
			c := wire.New(wire.Options{Header: 2 * time.Second, Total: 3 * time.Second})
			for i, want := range test.bodies {
				reply, a := c.Post(t.Context(), s.url(), nil, []byte("{}"))
				switch {
				case want == "!":
					if a == nil || a.Class != message.Unknown {
						t.Errorf("%d: got %.80q, %+v", i, reply.Body, a)
					}
				case a != nil || string(reply.Body) != want:
					t.Errorf("%d: got %.80q, %+v, want %.80q", i, reply.Body, a, want)
				}
			}
			if conns, requests := s.seen(); conns != test.conns || requests != len(test.bodies) {
				t.Errorf("got %d requests on %d connections, want %d on %d", requests, conns, len(test.bodies), test.conns)
			}
		})
	}
}

// Nothing is written to an idle connection that the other side closed: the
// message would be in doubt although it was certainly not read.
func TestAConnectionThatWasClosedWhileIdle(t *testing.T) {
	s := newRaw(t, fine)
	c := wire.New(wire.Options{})
	for i := range 20 {
		if _, a := c.Post(t.Context(), s.url(), nil, []byte("{}")); a != nil {
			t.Fatalf("message %d: %s %s", i, a.Class, a.Title)
		}
		<-s.closed
	}
}

func TestInterruptedWhileItWaits(t *testing.T) {
	arrived := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		close(arrived)
		<-r.Context().Done()
	}))
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-arrived; cancel() }()
	_, a := wire.New(wire.Options{}).Post(ctx, server.URL, nil, []byte("{}"))
	if a == nil || a.Class != message.Unknown || !strings.Contains(a.Title, "interrupted") {
		t.Errorf("got %+v", a)
	}
}

// A body that arrives too slowly is cut off, like a head that does.
func TestABodyThatNeverEnds(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "10")
		_, _ = io.WriteString(w, "{")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}))
	defer server.Close()
	c := wire.New(wire.Options{Header: 500 * time.Millisecond, Total: 600 * time.Millisecond})
	_, a := c.Post(t.Context(), server.URL, nil, []byte("{}"))
	if a == nil || a.Class != message.Unknown || !strings.Contains(a.Title, "broke off: time-out") {
		t.Errorf("got %+v", a)
	}
}

// With many requests at once over TLS, each gets its own answer, and
// connections are reused.
func TestManyAtOnce(t *testing.T) {
	var mu sync.Mutex
	conns := map[string]bool{}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		conns[r.RemoteAddr] = true
		mu.Unlock()
		_, _ = io.Copy(w, r.Body)
	}))
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	c := wire.New(wire.Options{TLS: &tls.Config{RootCAs: roots}})
	const people, each = 16, 50
	var all sync.WaitGroup
	for who := range people {
		all.Go(func() {
			for i := range each {
				body := fmt.Sprintf(`{"to":"%d","n":"%s"}`, who, strings.Repeat("x", i*50))
				reply, a := c.Post(t.Context(), server.URL, providers.Header("Authorization", fmt.Sprint(who)), []byte(body))
				if a != nil || string(reply.Body) != body {
					t.Errorf("got %.60q, %+v", reply.Body, a)
				}
			}
		})
	}
	all.Wait()
	if n := len(conns); n > people {
		t.Errorf("%d connections for %d at once", n, people)
	}
}

// gathered buffers what is written until it is released, so that several TLS
// records arrive together.
type gathered struct {
	net.Conn
	held []byte
	on   bool
}

func (g *gathered) Write(p []byte) (int, error) {
	if g.on {
		g.held = append(g.held, p...)
		return len(p), nil
	}
	return g.Conn.Write(p)
}

// A second answer that arrives together with the first, in a TLS record of its
// own, stays inside the TLS layer, where peeking at the socket does not find
// it. The next message must not take it for its own answer.
func TestAnAnswerThatNobodyAskedForInsideTLS(t *testing.T) {
	borrowed := httptest.NewTLSServer(nil)
	borrowed.Close()
	roots := x509.NewCertPool()
	roots.AddCert(borrowed.Certificate())
	for name, stray := range map[string]string{
		"whole": "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray", "in part": "HTTP/1.1 2", "one byte": "\n",
	} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			go func() {
				for {
					conn, err := l.Accept()
					if err != nil {
						return
					}
					wire := &gathered{Conn: conn}
					secure := tls.Server(wire, &tls.Config{Certificates: borrowed.TLS.Certificates})
					go func() {
						defer conn.Close()
						in := bufio.NewReader(secure)
						for {
							r, err := http.ReadRequest(in)
							if err != nil {
								return
							}
							_, _ = io.Copy(io.Discard, r.Body)
							wire.on = true
							_, _ = io.WriteString(secure, fine)
							_, _ = io.WriteString(secure, stray)
							wire.on = false
							_, _ = wire.Write(wire.held)
							wire.held = nil
						}
					}()
				}
			}()
			c := wire.New(wire.Options{TLS: &tls.Config{RootCAs: roots}})
			for i := range 3 {
				reply, a := c.Post(t.Context(), "https://"+l.Addr().String(), nil, []byte("{}"))
				if a != nil || string(reply.Body) != "{}" {
					t.Errorf("message %d: got %q, %+v", i, reply.Body, a)
				}
			}
		})
	}
}
