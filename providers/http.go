package providers

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/handbill/handbill/message"
)

// MaxReply is how much of an answer is read, in bytes. A longer one cannot be
// an answer of a provider, so what it means is unknown.
const MaxReply = 1 << 20

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

// ClientOptions say how a Client behaves. The zero value is ready.
type ClientOptions struct {
	UserAgent string        // "" is "handbill"
	Header    time.Duration // the wait for the answer's head; 0 is 30 s
	Total     time.Duration // the whole exchange; 0 is 60 s
	TLS       *tls.Config   // further roots, for tests and private gateways; nil is the system's
}

// Client is one provider's connection to the world. It has its own transport
// and makes exactly one request for each call: no redirect is followed, no
// request is repeated, no cookie is kept, no proxy is taken from the
// environment.
//
// It speaks HTTP/1.1 only. With HTTP/2 all sends share one connection, so one
// reset would leave all of them in doubt instead of one, and net/http repeats
// requests after GOAWAY and REFUSED_STREAM by its own judgement.
type Client struct {
	transport *http.Transport
	userAgent string
	total     time.Duration
	last      atomic.Pointer[target] // sends have one address
}

// target is an address, parsed.
type target struct {
	text string
	url  *url.URL
}

// NewClient makes a Client with a transport of its own.
func NewClient(o ClientOptions) *Client {
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
	http1 := new(http.Protocols)
	http1.SetHTTP1(true)
	return &Client{
		userAgent: o.UserAgent,
		total:     o.Total,
		transport: &http.Transport{
			DialContext:           (&net.Dialer{Timeout: dialTimeout, KeepAlive: 15 * time.Second}).DialContext,
			TLSClientConfig:       config,
			TLSHandshakeTimeout:   dialTimeout,
			ResponseHeaderTimeout: o.Header,
			IdleConnTimeout:       idleTimeout,
			MaxIdleConnsPerHost:   maxFlights,
			DisableCompression:    true,
			// Providers answer with a few hundred bytes of headers.
			MaxResponseHeaderBytes: 256 << 10,
			Protocols:              http1,
		},
	}
}

// Reply is a provider's whole answer.
type Reply struct {
	Status int
	Header http.Header
	Body   []byte
}

// Post sends body once. The Answer is nil when a whole Reply came whose meaning
// is the provider's to tell; otherwise it is the answer of the send:
//
//   - NotSent: no connection was obtained, so no byte left
//   - Unknown: a connection was obtained, and what came of it is not known
//   - AccountFault: the provider redirects, which is never followed
func (c *Client) Post(ctx context.Context, url string, h http.Header, body []byte) (Reply, *message.Answer) {
	reply, f := c.do(ctx, http.MethodPost, url, h, body)
	if f != nil {
		return reply, f.answer()
	}
	if reply.Status >= 300 && reply.Status < 400 {
		return reply, &message.Answer{
			Class:  message.AccountFault,
			Code:   strconv.Itoa(reply.Status),
			Title:  fmt.Sprintf("the provider answers with a redirect (HTTP %d), which is not followed", reply.Status),
			Advice: "compare base_url with the provider's documentation",
		}
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

func (c *Client) do(ctx context.Context, method, address string, h http.Header, body []byte) (Reply, *failure) {
	ctx, cancel := context.WithTimeout(ctx, c.total)
	defer cancel()
	var got atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { got.Store(true) },
	})
	request, f := c.request(ctx, method, address, h, body)
	if f != nil {
		return Reply{}, f
	}
	// RoundTrip, not Client.Do: nothing between us and the wire that follows
	// redirects, keeps cookies or wraps errors with the address.
	response, err := c.transport.RoundTrip(request)
	if err != nil {
		return Reply{}, classify(err, got.Load())
	}
	defer response.Body.Close()
	reply := Reply{Status: response.StatusCode, Header: response.Header}
	reply.Body, err = io.ReadAll(io.LimitReader(response.Body, MaxReply+1))
	if err != nil {
		return reply, &failure{message.Unknown, fmt.Sprintf("the answer (HTTP %d) broke off: %s", reply.Status, cause(err))}
	}
	if len(reply.Body) > MaxReply {
		return reply, &failure{message.Unknown, fmt.Sprintf("the answer (HTTP %d) is larger than 1 MiB", reply.Status)}
	}
	return reply, nil
}

func (c *Client) request(ctx context.Context, method, address string, h http.Header, body []byte) (*http.Request, *failure) {
	var reader io.Reader
	if body != nil {
		reader = bytes.NewReader(body)
	}
	u, err := c.parse(address)
	if err != nil {
		return nil, &failure{message.NotSent, "the provider's address cannot be parsed"}
	}
	request, err := http.NewRequestWithContext(ctx, method, "", reader)
	if err != nil {
		return nil, &failure{message.NotSent, "the request cannot be made"}
	}
	request.URL, request.Host = u, u.Host
	// Without GetBody no layer of net/http is able to send the body twice.
	request.GetBody = nil
	for name, values := range h {
		request.Header[http.CanonicalHeaderKey(name)] = values
	}
	request.Header.Set("User-Agent", c.userAgent)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	return request, nil
}

// parse is url.Parse, which is spared where the last request went to the same
// address. Nobody changes what it returns.
func (c *Client) parse(address string) (*url.URL, error) {
	if t := c.last.Load(); t != nil && t.text == address {
		return t.url, nil
	}
	u, err := url.Parse(address)
	if err == nil {
		c.last.Store(&target{address, u})
	}
	return u, err
}

// classify tells what an error of the transport proves: before a connection
// was obtained nothing left; afterwards anything may have happened.
func classify(err error, got bool) *failure {
	if got {
		return &failure{message.Unknown, "no answer: " + cause(err)}
	}
	return &failure{message.NotSent, "no connection: " + cause(err)}
}

// cause words a transport's error without address, name or credential.
func cause(err error) string {
	var dns *net.DNSError
	var certificate *tls.CertificateVerificationError
	var op *net.OpError
	switch {
	case errors.Is(err, context.Canceled):
		return "interrupted"
	case errors.Is(err, context.DeadlineExceeded), isTimeout(err):
		return "time-out"
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

// CheckBase says what is wrong with a base URL: only https, and plain http to
// this machine itself. It returns the URL without a trailing slash.
func CheckBase(base string) (string, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", errors.New("base_url: expected a URL such as https://host/path, without user, query or fragment")
	}
	switch u.Scheme {
	case "https":
	case "http":
		if !isLoopback(u.Hostname()) {
			return "", fmt.Errorf("base_url: http is for this machine only, and %q is not; write https", u.Hostname())
		}
	default:
		return "", fmt.Errorf("base_url: expected https, got %q", u.Scheme)
	}
	return strings.TrimRight(base, "/"), nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
