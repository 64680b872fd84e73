package workspace

import (
	"fmt"
	"net/url"
	"strings"

	"golang.org/x/net/http/httpproxy"

	"github.com/handbill/handbill/audience"
	guard "github.com/handbill/handbill/internal/guarded"
)

// Proxy is the proxy of this process's requests to providers, lookups and forwards:
// HTTPS_PROXY, HTTP_PROXY and NO_PROXY, or the same in lower case. Addresses of
// this machine are always reached directly.
type Proxy struct {
	// Of returns the proxy for a URL; nil for none.
	Of func(*url.URL) (*url.URL, error)
	// HTTPS and Except are HTTPS_PROXY without its password, and NO_PROXY, for
	// people; "" where they are not set.
	HTTPS, Except string
}

// Proxy reads the environment of the process.
func (h *Host) Proxy() Proxy {
	env := func(names ...string) string {
		for _, name := range names {
			if v, ok := h.Env(name); ok && v != "" {
				return v
			}
		}
		return ""
	}
	c := httpproxy.Config{HTTPSProxy: env("HTTPS_PROXY", "https_proxy"), HTTPProxy: env("HTTP_PROXY", "http_proxy"),
		NoProxy: env("NO_PROXY", "no_proxy"), CGI: env("REQUEST_METHOD") != ""}
	p := Proxy{Of: c.ProxyFunc(), Except: c.NoProxy}
	// An invalid URL would otherwise be ignored silently.
	for name, value := range map[string]string{"HTTPS_PROXY": c.HTTPSProxy, "HTTP_PROXY": c.HTTPProxy} {
		if value != "" && usable(value) == nil {
			p.Of = func(*url.URL) (*url.URL, error) { return nil, fmt.Errorf("%s is no URL of a proxy", name) }
			p.HTTPS = "that " + name + " does not name as a URL, so nothing is sent"
			return p
		}
	}
	if u, err := p.Of(&url.URL{Scheme: "https", Host: "provider.invalid"}); err == nil && u != nil {
		p.HTTPS = u.Redacted()
	}
	return p
}

// usable returns the URL of a proxy setting; nil if it is invalid.
func usable(value string) *url.URL {
	c := httpproxy.Config{HTTPSProxy: value}
	u, err := c.ProxyFunc()(&url.URL{Scheme: "https", Host: "provider.invalid"})
	if err != nil || u == nil || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" {
		return nil
	}
	return u
}

// Web is how audiences ask web services.
func (h *Host) Web() audience.Web {
	return audience.Web{Client: guard.Client(h.AllowHosts, h.Proxy().Of, 0, 0), UserAgent: h.UserAgent}
}
