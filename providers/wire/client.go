package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/handbill/handbill/message"
)

// The timeouts of a Client unless its options say otherwise. They are long on
// purpose: a short wait for an answer makes doubts, not speed.
const (
	dialTimeout   = 5 * time.Second
	headerTimeout = 30 * time.Second
	totalTimeout  = 60 * time.Second
	// idleTimeout is shorter than any provider keeps an idle connection, so
	// that it is we who close it; a request that meets a connection which the
	// other side has just closed is a needless doubt.
	idleTimeout = 15 * time.Second
	// maxFlights is how many connections are kept between requests: as many as
	// apply has requests in flight, since each one more is dialled anew.
	maxFlights = 256
)

// Options say how a Client behaves. The zero value is ready.
type Options struct {
	UserAgent string        // "" is "handbill"
	Header    time.Duration // the wait for the answer's head; 0 is 30 s
	Total     time.Duration // from the connection to the answer's end; 0 is 60 s
	TLS       *tls.Config   // further roots, for tests and private gateways; nil is the system's
	// Proxy is the proxy that an https request to a URL goes through, nil for
	// none, as httpproxy.Config.ProxyFunc tells it. Without it there is none.
	Proxy func(*url.URL) (*url.URL, error)
}

// Client is one provider's connection to the world. It has its own connections
// and makes exactly one request for each call: no redirect is followed, no
// request is repeated, no cookie is kept, and there is no proxy but that of
// its options.
//
// It speaks HTTP/1.1 only. With HTTP/2 all sends share one connection, so one
// reset would leave all of them in doubt instead of one.
type Client struct {
	userAgent string
	head      time.Duration
	total     time.Duration
	tls       *tls.Config
	proxy     func(*url.URL) (*url.URL, error)
	pool      pool
	last      atomic.Pointer[head] // sends have one address
}

// New makes a Client with connections of its own.
func New(o Options) *Client {
	if o.UserAgent == "" {
		o.UserAgent = "handbill"
	}
	if o.Header == 0 {
		o.Header = headerTimeout
	}
	if o.Total == 0 {
		o.Total = totalTimeout
	}
	config := &tls.Config{}
	if o.TLS != nil {
		config = o.TLS.Clone()
	}
	config.MinVersion = max(config.MinVersion, tls.VersionTLS12)
	config.NextProtos = []string{"http/1.1"}
	return &Client{userAgent: o.UserAgent, head: min(o.Header, o.Total), total: o.Total, tls: config, proxy: o.Proxy}
}

// Distrust uses no connection again that there is now: the idle ones are closed,
// and those in use when their exchange ends. It is for an answer that was not
// the request's own, since all that follow on that connection may be shifted.
func (c *Client) Distrust() { c.pool.drop() }

// Post sends body once. The Answer is nil when a whole Reply came whose meaning
// is the provider's to tell; otherwise it is the answer of the send:
//
//   - NotSent: no connection was obtained, so no byte left
//   - Unknown: a connection was obtained, and what came of it is not known
//   - AccountFault: the provider redirects, which is never followed
func (c *Client) Post(ctx context.Context, url string, h http.Header, body []byte) (Reply, *message.Answer) {
	return c.change(ctx, http.MethodPost, url, h, body)
}

// Delete asks once for something to be deleted; the Answer is as of Post.
func (c *Client) Delete(ctx context.Context, url string, h http.Header) (Reply, *message.Answer) {
	return c.change(ctx, http.MethodDelete, url, h, nil)
}

func (c *Client) change(ctx context.Context, method, url string, h http.Header, body []byte) (Reply, *message.Answer) {
	reply, f := c.do(ctx, method, url, h, body)
	if f != nil {
		return reply, f.answer()
	}
	if reply.Status >= 300 && reply.Status < 400 {
		a := ByStatus(reply)
		return reply, &a
	}
	return reply, nil
}

// Get asks for something that changes nothing. Its errors name neither the
// address nor a credential.
func (c *Client) Get(ctx context.Context, url string, h http.Header) (Reply, error) {
	reply, f := c.do(ctx, http.MethodGet, url, h, nil)
	if f != nil {
		return reply, errors.New(f.text)
	}
	return reply, nil
}

// failure is an exchange that ended without a whole reply.
type failure struct {
	class message.Class
	text  string
}

func (f *failure) answer() *message.Answer {
	a := &message.Answer{Class: f.class, Title: f.text}
	if f.class == message.Unknown {
		a.Advice = "do not send it again before its fate is known; see the in-doubt section of the operations guide"
	}
	return a
}

// do makes one exchange on a connection that nobody else has meanwhile. What
// fails before there is one left nothing behind; afterwards anything may have
// happened.
func (c *Client) do(ctx context.Context, method, address string, h http.Header, body []byte) (Reply, *failure) {
	request, f := c.heading(method, address, h, body)
	if f != nil {
		return Reply{}, f
	}
	if ctx.Err() != nil {
		return Reply{}, &failure{message.NotSent, "no connection: " + cause(ctx.Err())}
	}
	w := c.pool.take(request.host)
	if w == nil {
		era := c.pool.now()
		var err error
		if w, err = c.dial(ctx, request.url); err != nil {
			return Reply{}, &failure{message.NotSent, "no connection: " + cause(err)}
		}
		w.era = era
	}
	uncut := context.AfterFunc(ctx, w.cut)
	reply, again, err := c.converse(w, request, body)
	if again = uncut() && again; again {
		c.pool.put(request.host, w)
	} else {
		w.close()
	}
	return reply, c.unknown(ctx, &reply, err)
}

// converse writes the request on w and reads the whole answer. again says
// whether w may carry another request.
func (c *Client) converse(w *connection, f *head, body []byte) (reply Reply, again bool, err error) {
	w.out = f.fill(w.out[:0], body)
	response, err := w.exchange(w.out, c.head)
	if err != nil {
		return reply, false, err
	}
	reply.Status, reply.Header = response.StatusCode, response.Header
	reply.Body, err = w.body(response, c.total-c.head)
	return reply, err == nil && len(reply.Body) <= MaxReply && w.reusable(response), err
}

// unknown words what went wrong once a connection was there; nil for a whole
// answer.
func (c *Client) unknown(ctx context.Context, r *Reply, err error) *failure {
	if err != nil && ctx.Err() != nil {
		err = ctx.Err() // it cut the connection
	}
	switch {
	case err != nil && r.Status != 0:
		return &failure{message.Unknown, fmt.Sprintf("the answer (HTTP %d) broke off: %s", r.Status, cause(err))}
	case err != nil:
		return &failure{message.Unknown, "no answer: " + cause(err)}
	case len(r.Body) > MaxReply:
		return &failure{message.Unknown, fmt.Sprintf("the answer (HTTP %d) is larger than 1 MiB", r.Status)}
	}
	return nil
}

// cause words a transport's error without address, name or credential.
func cause(err error) string {
	var dns *net.DNSError
	var certificate *tls.CertificateVerificationError
	var op *net.OpError
	var proxy *proxyError
	switch {
	case errors.As(err, &proxy):
		return proxy.Error()
	case errors.Is(err, context.Canceled):
		return "interrupted"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, net.ErrClosed), isTimeout(err):
		return "time-out" // nobody else closes a connection of ours
	case errors.As(err, &dns):
		return "the host's name cannot be resolved"
	case errors.As(err, &certificate):
		return "the host's certificate is not trusted"
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return "the connection was closed"
	case errors.As(err, &op):
		return "the " + op.Op + " failed: " + errno(op.Err)
	case strings.HasPrefix(err.Error(), "tls: "):
		return "the TLS handshake failed"
	}
	return "the connection failed"
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

// errno is the system's word for an error, which holds no address.
func errno(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}
