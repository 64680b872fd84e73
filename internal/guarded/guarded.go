// Package guarded makes requests to addresses that a configuration names: they lead to
// public services, and into this machine or a private network only where an operator
// allowed it by name.
package guarded

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"syscall"
	"time"
)

// Refusal says why a request was not made.
type Refusal string

// Error is the reason and the way out.
func (r Refusal) Error() string { return string(r) }

// errAddress is returned while connecting, after the name was resolved, so that the
// address cannot change after the check.
const errAddress Refusal = "the address is on this machine or in a private network; allow it with -allow-host=HOST:PORT if that is meant"

// Client returns a client that reaches public addresses by https on port 443, and the
// hosts in allow, each "HOST:PORT". It follows no redirect. Requests for which proxy
// returns a proxy go through it, under the same rules; a nil proxy uses none. answer is
// how long a service may take to begin its answer, and whole, if it is not 0, how long a
// request may take with all of its body.
func Client(allow []string, proxy func(*url.URL) (*url.URL, error), answer, whole time.Duration) *http.Client {
	if proxy == nil {
		proxy = func(*url.URL) (*url.URL, error) { return nil, nil }
	}
	guarded := &net.Dialer{Timeout: 5 * time.Second, Control: guard}
	free := &net.Dialer{Timeout: 5 * time.Second}
	return &http.Client{
		Timeout: whole,
		Transport: &allowed{hosts: slices.Clone(allow), proxy: proxy, proxied: transport(&http.Transport{
			DialContext: free.DialContext, Proxy: func(r *http.Request) (*url.URL, error) { return proxy(r.URL) },
		}, answer), next: transport(&http.Transport{
			DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
				if slices.Contains(allow, addr) {
					return free.DialContext(ctx, network, addr)
				}
				return guarded.DialContext(ctx, network, addr)
			},
		}, answer)},
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
func transport(t *http.Transport, answer time.Duration) *http.Transport {
	t.TLSHandshakeTimeout, t.ResponseHeaderTimeout, t.MaxResponseHeaderBytes = 5*time.Second, answer, 64<<10
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
		return errAddress
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
		return false, Refusal("only https is allowed; allow a host with -allow-host=HOST:PORT")
	case port != "443":
		return false, Refusal("only port 443 is allowed; allow a host with -allow-host=HOST:PORT")
	}
	return false, nil
}

// guard refuses addresses that are not public.
func guard(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil || !public(ap.Addr()) {
		return errAddress
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

// Cause says what went wrong with a request without its URL, which may hold what a
// person wrote, or a secret.
func Cause(err error) error {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return errors.New("it took too long")
	case errors.Is(err, errAddress):
		return errAddress
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
