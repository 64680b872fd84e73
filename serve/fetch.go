package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/handbill/handbill/reply"
)

const (
	// maxAnswer bounds what a lookup may answer, in bytes.
	maxAnswer = 1 << 20
	// maxFetch bounds a request to a service of the user's own.
	maxFetch = 10 * time.Second
)

// errForbiddenAddress is returned while connecting, after the name was resolved, so
// that the address cannot change after the check.
var errForbiddenAddress = errors.New("the address is on this machine or in a private network; allow it with -allow-host=HOST:PORT if that is meant")

// guardedClient reaches public addresses by https on port 443, and the hosts in
// allow. It follows no redirect. Requests for which proxy returns a proxy go through
// it, under the same rules: see proxied.
func guardedClient(allow []string, proxy func(*url.URL) (*url.URL, error)) *http.Client {
	if proxy == nil {
		proxy = func(*url.URL) (*url.URL, error) { return nil, nil }
	}
	guarded := &net.Dialer{Timeout: 5 * time.Second, Control: guard}
	free := &net.Dialer{Timeout: 5 * time.Second}
	return &http.Client{
		Timeout: maxFetch,
		Transport: &allowed{hosts: slices.Clone(allow), proxy: proxy, proxied: transport(&http.Transport{
			DialContext: free.DialContext, Proxy: func(r *http.Request) (*url.URL, error) { return proxy(r.URL) },
		}), next: transport(&http.Transport{
			DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
				if slices.Contains(allow, addr) {
					return free.DialContext(ctx, network, addr)
				}
				return guarded.DialContext(ctx, network, addr)
			},
		})},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// allowed checks the URL of a request before anything is dialled.
type allowed struct {
	hosts   []string
	proxy   func(*url.URL) (*url.URL, error)
	next    http.RoundTripper
	proxied http.RoundTripper // the same through a proxy
}

// transport limits how long a service may keep us waiting.
func transport(t *http.Transport) *http.Transport {
	t.TLSHandshakeTimeout, t.ResponseHeaderTimeout, t.MaxResponseHeaderBytes = 5*time.Second, maxFetch, 64<<10
	t.MaxIdleConnsPerHost, t.IdleConnTimeout = 8, 30*time.Second
	return t
}

func (a *allowed) RoundTrip(r *http.Request) (*http.Response, error) {
	next, err := a.way(r)
	if err != nil {
		if r.Body != nil {
			_ = r.Body.Close() // as the contract of RoundTripper asks
		}
		return nil, err
	}
	return next.RoundTrip(r)
}

// way returns the transport for a request, or why the request is refused.
func (a *allowed) way(r *http.Request) (http.RoundTripper, error) {
	free, err := a.check(r)
	if err != nil {
		return nil, err
	}
	proxy, err := a.proxy(r.URL)
	switch {
	case err != nil:
		return nil, errors.New("the proxy's address is not usable; check HTTPS_PROXY and HTTP_PROXY")
	case proxy == nil:
		return a.next, nil
	case free:
		return a.proxied, nil
	}
	return a.proxied, publicHost(r.Context(), r.URL.Hostname())
}

// publicHost refuses a host that has a non-public address, or that this machine
// cannot resolve. It replaces guard when a proxy connects. The proxy resolves the
// name itself, so it should refuse private networks as well.
func publicHost(ctx context.Context, host string) error {
	list, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return fmt.Errorf("the name has no address here, so nobody knows whether the proxy would lead into a private network; allow it with -allow-host=HOST:PORT: %w", err)
	}
	if slices.ContainsFunc(list, func(a netip.Addr) bool { return !public(a) }) {
		return errForbiddenAddress
	}
	return nil
}

// check refuses URLs that no request may have; free says that the host is in
// AllowHosts.
func (a *allowed) check(r *http.Request) (free bool, err error) {
	port := r.URL.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[r.URL.Scheme]
	}
	switch {
	case slices.Contains(a.hosts, net.JoinHostPort(r.URL.Hostname(), port)):
		return true, nil
	case r.URL.Scheme != "https":
		return false, errors.New("only https is allowed; allow a host with -allow-host=HOST:PORT")
	case port != "443":
		return false, errors.New("only port 443 is allowed; allow a host with -allow-host=HOST:PORT")
	}
	return false, nil
}

// guard refuses addresses that are not public.
func guard(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil || !public(ap.Addr()) {
		return errForbiddenAddress
	}
	return nil
}

// reserved returns the networks without public services, besides those that netip
// knows. Source: IANA special-purpose address registries, 2026-11-20.
func reserved() []netip.Prefix {
	var out []netip.Prefix
	for _, s := range [...]string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
		"240.0.0.0/4", "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fec0::/10",
	} {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

// public reports whether an address may be that of a public service.
func public(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if !a.IsGlobalUnicast() || a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() {
		return false
	}
	return !slices.ContainsFunc(reserved(), func(p netip.Prefix) bool { return p.Contains(a) })
}

// fetch makes a lookup's request. Its errors hold neither the URL, which may
// hold what a person wrote, nor a header.
func (s *Server) fetch(ctx context.Context, q reply.Request, timeout time.Duration) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var body io.Reader
	if q.Body != "" {
		body = strings.NewReader(q.Body)
	}
	r, err := http.NewRequestWithContext(ctx, q.Method, q.URL, body)
	if err != nil {
		return nil, errors.New("its address is no URL")
	}
	r.Header.Set("Accept", "application/json")
	if q.Body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for k, v := range q.Headers {
		r.Header.Set(k, v)
	}
	return s.do(r, maxAnswer)
}

// do makes a request and reads up to limit bytes of a 2xx answer.
func (s *Server) do(r *http.Request, limit int64) ([]byte, error) {
	r.Header.Set("User-Agent", strings.TrimSuffix("handbill/"+s.opt.Build.Version, "/"))
	r.GetBody = nil // so that net/http never repeats the request
	resp, err := s.client.Do(r)
	if err != nil {
		return nil, unwrapURL(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return nil, &statusError{code: resp.StatusCode}
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	switch {
	case err != nil:
		return nil, errors.New("its answer broke off")
	case int64(len(data)) > limit:
		return nil, fmt.Errorf("its answer has more than %d bytes", limit)
	}
	return data, nil
}

// statusError is an answer that is not 2xx. Its body is dropped: it may hold
// anything.
type statusError struct{ code int }

func (e *statusError) Error() string { return fmt.Sprintf("it answered with status %d", e.code) }

// unwrapURL removes the URL from an error.
func unwrapURL(err error) error {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return errors.New("it took too long")
	case errors.Is(err, errForbiddenAddress):
		return errForbiddenAddress
	}
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return errors.New("its name has no address")
	}
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return err
}
