package providertest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
)

// short is a client whose patience a test can wait for.
func short() *providers.Client {
	return providers.NewClient(providers.ClientOptions{Header: 100 * time.Millisecond, Total: 200 * time.Millisecond})
}

// faults checks every way in which an exchange can go wrong: the class, and
// that the server never saw the message twice.
func faults(t *testing.T, c Case) {
	t.Run("nobody listens", func(t *testing.T) {
		p := c.provider(t, "http://"+unused(t))
		check(t, c, p.Send(t.Context(), c.request(t, p)), message.NotSent)
	})
	t.Run("interrupted before the connection", func(t *testing.T) {
		p := c.provider(t, nowhere)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		check(t, c, p.Send(ctx, c.request(t, p)), message.NotSent)
	})
	t.Run("the name does not exist", func(t *testing.T) {
		p := c.provider(t, "https://handbill.invalid")
		check(t, c, p.Send(t.Context(), c.request(t, p)), message.NotSent)
	})
	t.Run("the certificate is not trusted", func(t *testing.T) {
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a request came through") }))
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		server.StartTLS()
		defer server.Close()
		p := c.provider(t, server.URL)
		check(t, c, p.Send(t.Context(), c.request(t, p)), message.NotSent)
	})
	c.unknown(t, "silence", short(), func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	})
	c.unknown(t, "reset after reading", nil, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		hangUp(w, true)
	})
	c.unknown(t, "closed before reading", nil, func(w http.ResponseWriter, _ *http.Request) { hangUp(w, false) })
	c.unknown(t, "answer larger than 1 MiB", nil, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(c.Success.Status)
		fmt.Fprint(w, c.Success.Text, strings.Repeat(" ", providers.MaxReply))
	})
	c.unknown(t, "body broken off", nil, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(c.Success.Text)+10))
		w.WriteHeader(c.Success.Status)
		fmt.Fprint(w, c.Success.Text)
	})
	c.unknown(t, "refusal broken off", nil, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(c.Refusal.Text)+10))
		w.WriteHeader(c.Refusal.Status)
		fmt.Fprint(w, c.Refusal.Text)
	})
	c.unknown(t, "not HTTP", nil, func(w http.ResponseWriter, _ *http.Request) { garbage(w) })
	t.Run("an idle connection that is closed when the next message comes", func(t *testing.T) { keepAlive(t, c) })
}

// unknown checks that a fault after the connection leaves a doubt and that the
// message was sent at most once.
func (c Case) unknown(t *testing.T, name string, client *providers.Client, handle http.HandlerFunc) {
	t.Run(name, func(t *testing.T) {
		got, seen := c.exchange(t, client, handle)
		check(t, c, got, message.Unknown)
		if seen > 1 {
			t.Errorf("the server saw %d requests", seen)
		}
	})
}

// keepAlive answers the first message and drops the connection on the second:
// net/http would repeat a request that it holds to be safe.
func keepAlive(t *testing.T, c Case) {
	var seen atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if seen.Add(1) == 1 {
			w.WriteHeader(c.Success.Status)
			fmt.Fprint(w, c.Success.Text)
			return
		}
		hangUp(w, false)
	}))
	defer server.Close()
	p := c.provider(t, server.URL)
	check(t, c, p.Send(t.Context(), c.request(t, p)), message.Accepted)
	check(t, c, p.Send(t.Context(), c.request(t, p)), message.Unknown)
	if n := seen.Load(); n != 2 {
		t.Errorf("the server saw %d requests of two messages", n)
	}
}

// hangUp closes the connection, at once and with a reset where hard is true.
func hangUp(w http.ResponseWriter, hard bool) {
	conn := hijack(w)
	if tcp, ok := conn.(*net.TCPConn); ok && hard {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

func garbage(w http.ResponseWriter) {
	conn := hijack(w)
	out := bufio.NewWriter(conn)
	_, _ = out.WriteString("220 mail.example ESMTP\r\n\r\n")
	_ = out.Flush()
	_ = conn.Close()
}

func hijack(w http.ResponseWriter) net.Conn {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	return conn
}

// unused is an address at which nobody listens.
func unused(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
