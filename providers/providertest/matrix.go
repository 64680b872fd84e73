package providertest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/wire"
)

// patience is how long a client waits for a silent server. All such trials run at
// once and before the others, so that on a busy machine a slow answer does not look
// like silence.
const patience = 700 * time.Millisecond

// trial is one behaviour on a fresh connection or on one that has carried a message
// before, in plain text or over TLS.
type trial struct {
	c       Case
	b       behaviour
	reused  bool
	secure  bool
	kind    string // of the provider
	script  *script
	answers []message.Answer
	err     error
}

// matrix tries every behaviour on a fresh and on a reused connection, in plain text
// and over TLS that offers HTTP/2, and sends one more message after it.
func matrix(t *testing.T, c Case) {
	var trials []*trial
	var waiting sync.WaitGroup
	h2 := overTLS("h2", "http/1.1")
	for _, b := range behaviours() {
		for _, r := range []trial{{}, {reused: true}, {secure: true}, {reused: true, secure: true}} {
			r.c, r.b = c, b
			if r.secure {
				r.b.tls = h2
			}
			trials = append(trials, &r)
			if b.end == hold {
				waiting.Go(r.play)
			}
		}
	}
	waiting.Wait()
	for _, r := range trials {
		t.Run(r.name(), func(t *testing.T) {
			if r.b.end != hold {
				r.play()
			}
			if r.err != nil {
				t.Fatal(r.err)
			}
			r.check(t)
		})
	}
}

func (r *trial) name() string {
	name := r.b.name + map[bool]string{false: "/fresh", true: "/reused"}[r.reused]
	if r.secure {
		name += " over TLS"
	}
	return name
}

// met returns the number of the message that meets the behaviour.
func (r *trial) met() int {
	if r.reused {
		return 1
	}
	return 0
}

// play sends the messages, one after the other, through one client.
func (r *trial) play() {
	if r.script, r.err = newScript(r.c, r.b, r.met()); r.err != nil {
		return
	}
	defer r.script.finish()
	var o wire.Options
	if r.b.end == hold {
		o.Header, o.Total = patience, patience+patience/2
	}
	if r.b.tls != nil {
		o.TLS = &tls.Config{RootCAs: r.b.tls.roots}
	}
	p, err := r.c.New(r.script.url(), wire.New(o))
	if err != nil {
		r.err = err
		return
	}
	r.kind = p.Profile().Type
	for n := range r.met() + 2 {
		q, err := marked(p, n)
		if err != nil {
			r.err = err
			return
		}
		r.answers = append(r.answers, p.Send(context.Background(), q))
		if r.b.idle != nil && n == r.met() {
			<-r.script.played
			r.b.idle(r.script.peer)
		}
	}
}

// check compares the result with the table.
func (r *trial) check(t *testing.T) {
	s, met := r.script, r.met()
	if r.reused && (s.conn != 0 || s.exchange != 1) || !r.reused && (s.conn != 0 || s.exchange != 0) {
		t.Errorf("the behaviour was met on connection %d by its request %d", s.conn, s.exchange)
	}
	for n, a := range r.answers {
		want, id := message.Accepted, identity(r.c, n)
		if n == met {
			want = r.b.want(r.kind)
		}
		if want != message.Accepted {
			id = ""
		} else if n == met && r.b.id != "" {
			id = r.b.id
		}
		check(t, r.c, a, want)
		if a.ID != id {
			t.Errorf("message %d got the id %.60q, want %.60q", n, a.ID, id)
		}
	}
	if a := r.answers[met]; a.RetryAfter != r.b.wait {
		t.Errorf("the wait is %s, want %s", a.RetryAfter, r.b.wait)
	}
	if len(s.begun) != len(r.answers) || s.posts > len(r.answers) {
		t.Fatalf("%d messages made %d requests, %d of them with a first line that came whole", len(r.answers), len(s.begun), s.posts)
	}
	if again := s.begun[met+1] == s.conn; again != r.b.again {
		t.Errorf("the next message came on connection %d after %d", s.begun[met+1], s.conn)
	}
	if s.another.visits != 0 {
		t.Errorf("another host got %d visits", s.another.visits)
	}
	if len(s.strange) > 0 {
		t.Errorf("the requests have what none may have: %s", strings.Join(s.strange, ", "))
	}
}

// marked returns the request of a trial's n-th message, which has n in its text.
func marked(p providers.Provider, n int) (message.Request, error) {
	return p.Encode(message.Address{Phone: To}, &message.Text{Body: fmt.Sprintf("%s (%d)", bodyText, n)}, Ref)
}

// identity returns the id of a trial's n-th message.
func identity(c Case, n int) string { return c.ID + "-" + strconv.Itoa(n) }

// secured is how a script speaks TLS.
type secured struct {
	certificate tls.Certificate
	roots       *x509.CertPool
	protocols   []string
}

func (s *secured) server() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{s.certificate}, NextProtos: s.protocols}
}

// overTLS uses httptest's certificate for loopback.
func overTLS(protocols ...string) *secured {
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	return &secured{certificate: server.TLS.Certificates[0], roots: roots, protocols: protocols}
}
