package providertest

import (
	"context"
	"crypto/tls"
	"net"
	"strings"
	"testing"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers/wire"
)

// unconnected checks that no message is in doubt if there was no connection to send
// it on, whether or not an earlier connection carried a message.
func unconnected(t *testing.T, c Case) {
	t.Run("nobody listens", func(t *testing.T) {
		p := c.provider(t, "http://"+unused(t))
		check(t, c, p.Send(t.Context(), c.request(t, p)), message.NotSent)
	})
	t.Run("nobody listens any more", func(t *testing.T) { gone(t, c) })
	t.Run("interrupted before the connection", func(t *testing.T) {
		p := c.provider(t, nowhere)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		check(t, c, p.Send(ctx, c.request(t, p)), message.NotSent)
	})
	t.Run("a server of TLS behind http", func(t *testing.T) {
		// There is a connection here, so the answer is unknown.
		l := newStranger(t, overTLS(), "")
		p := c.provider(t, "http://"+l.Addr().String())
		for range 2 {
			check(t, c, p.Send(t.Context(), c.request(t, p)), message.Unknown)
		}
	})
	t.Run("the name cannot exist", func(t *testing.T) {
		// A label has at most 63 letters, so no resolver sends a query for it.
		p := c.provider(t, "https://"+strings.Repeat("x", 64)+".invalid")
		check(t, c, p.Send(t.Context(), c.request(t, p)), message.NotSent)
	})
	right := overTLS()
	for _, row := range []struct {
		name   string
		tls    *secured // the server's; nil is plain
		answer string   // of a plain server
		client *tls.Config
	}{
		{name: "the certificate is not trusted", tls: right},
		{name: "the certificate is another host's", tls: right, client: &tls.Config{RootCAs: right.roots, ServerName: "shop.example"}},
		{name: "no version of TLS in common", tls: right, client: &tls.Config{RootCAs: right.roots, MaxVersion: tls.VersionTLS12, MinVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA}}},
		{name: "a server that speaks nothing of ours", tls: overTLS("spdy/3"), client: &tls.Config{RootCAs: right.roots}},
		{name: "a plain server behind https", answer: "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"},
		{name: "a server behind https that closes"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newStranger(t, row.tls, row.answer)
			p, err := c.New("https://"+s.Addr().String(), wire.New(wire.Options{TLS: row.client}))
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				check(t, c, p.Send(t.Context(), c.request(t, p)), message.NotSent)
			}
		})
	}
}

// gone sends to a server, and again after the server has gone away.
func gone(t *testing.T, c Case) {
	s, err := newScript(c, behaviour{}, -1)
	if err != nil {
		t.Fatal(err)
	}
	p := c.provider(t, s.url())
	for n, want := range []message.Class{message.Accepted, message.NotSent} {
		r, err := marked(p, n)
		if err != nil {
			t.Fatal(err)
		}
		check(t, c, p.Send(t.Context(), r), want)
		if n == 0 {
			s.finish()
		}
	}
}

// newStranger is a server with which no handshake succeeds.
func newStranger(t *testing.T, s *secured, answer string) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			var hello [4096]byte
			if s == nil {
				_, _ = conn.Read(hello[:])
				_, _ = conn.Write([]byte(answer))
			} else if n, _ := tls.Server(conn, s.server()).Read(hello[:]); n > 0 {
				t.Error("a request came through")
			}
			_ = conn.Close()
		}
	}()
	return l
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
