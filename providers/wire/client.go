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
// purpose: giving up early leaves a message in doubt and gains no speed.
const (
	dialTimeout   = 5 * time.Second
	headerTimeout = 30 * time.Second
	totalTimeout  = 60 * time.Second
	// idleTimeout is shorter than any provider keeps an idle connection, so that we
	// close it first. A request on a connection that the other side has just closed
	// would be in doubt for no reason.
	idleTimeout = 15 * time.Second
	// maxFlights is how many idle connections are kept: as many as apply has requests
	// in flight. Any more than that would have to be dialled again.
	maxFlights = 256
)

// Options say how a Client behaves. The zero value is ready.
type Options struct {
	UserAgent string        // "" is "handbill"
	Header    time.Duration // the wait for the answer's head; 0 is 30 s
	Total     time.Duration // from the connection to the answer's end; 0 is 60 s
	TLS       *tls.Config   // further roots, for tests and private gateways; nil is the system's
	// Proxy returns the proxy for an https request to a URL, nil for none, as
	// httpproxy.Config.ProxyFunc does. A nil Proxy uses no proxy.
	Proxy func(*url.URL) (*url.URL, error)
}

// Client is one provider's HTTP client. It has its own connections and makes at
// most one request for each call: it follows no redirect, repeats no request,
// keeps no cookie, and uses no proxy except that of its options.
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

// New makes a Client that shares no connection with another.
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

// Distrust makes sure that no existing connection carries another request: idle
// ones are closed at once, those in use when their exchange ends. Call it after an
// answer that belongs to another request: later answers on that connection may be
// shifted too.
func (c *Client) Distrust() { c.pool.drop() }

// Post sends body once. If a whole Reply came that the provider's package must
// interpret, the Answer is nil; otherwise the Answer is the result of the send:
//
//   - NotSent: no connection was obtained, so no byte left
//   - Unknown: a connection was obtained, and the result is not known
//   - AccountFault: the provider redirects, which is never followed
func (c *Client) Post(ctx context.Context, url string, h http.Header, body []byte) (Reply, *message.Answer) {
	return c.change(ctx, http.MethodPost, url, h, body)
}

// Delete makes one DELETE request; the Answer has the same meaning as that of Post.
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

// Get makes one GET request, which must change nothing at the provider. Its errors
// name neither the address nor a credential.
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

// do makes one exchange on a connection that no other exchange uses meanwhile. If
// it fails before it has a connection, nothing was sent; after that, anything may
// have happened.
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

// unknown describes what went wrong after a connection was obtained; nil for a
// whole answer.
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

// cause describes a transport's error without address, name or credential.
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
		return "time-out" // only our timer closes a connection
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

// errno returns the system's text for an error, which holds no address.
func errno(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}
