package guarded

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// Requests through a proxy follow the same rules as those without: the proxy is
// asked only for public hosts and for hosts that were allowed.
func TestThroughAProxy(t *testing.T) {
	var asked []string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method+" "+r.Host)
		w.WriteHeader(http.StatusBadGateway)
	}))
	defer proxy.Close()
	at, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	through := func(*url.URL) (*url.URL, error) { return at, nil }
	none := func(*url.URL) (*url.URL, error) { return nil, errors.New("no URL") }
	for name, test := range map[string]struct {
		url   string
		proxy func(*url.URL) (*url.URL, error)
		asked string
		says  string
	}{
		"a public address":           {"https://93.184.215.14/items", through, "CONNECT 93.184.215.14:443", ""},
		"a private address":          {"https://10.0.0.8/items", through, "", "private network"},
		"the address of a cloud":     {"https://169.254.169.254/latest", through, "", "private network"},
		"this machine":               {"https://127.0.0.1/items", through, "", "private network"},
		"a name of this machine":     {"https://localhost/items", through, "", "private network"},
		"a name that nobody knows":   {"https://crm.invalid/items", through, "", "allow it with -allow-host"},
		"a name that was allowed":    {"https://crm.invalid:8443/items", through, "CONNECT crm.invalid:8443", ""},
		"http":                       {"http://93.184.215.14/items", through, "", "only https"},
		"another port":               {"https://93.184.215.14:8443/items", through, "", "only port 443"},
		"a proxy that is not usable": {"https://93.184.215.14/items", none, "", "HTTPS_PROXY"},
	} {
		t.Run(name, func(t *testing.T) {
			asked = nil
			c := Client([]string{"crm.invalid:8443"}, test.proxy, time.Minute, time.Minute)
			resp, err := c.Get(test.url)
			if err == nil {
				resp.Body.Close()
				t.Fatal("it was answered")
			}
			if strings.Join(asked, ", ") != test.asked || !strings.Contains(err.Error(), test.says) {
				t.Errorf("the proxy was asked for %q: %v", asked, err)
			}
		})
	}
}
