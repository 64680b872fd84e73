package workspace

import (
	"net/url"
	"strings"
	"testing"
)

func TestProxy(t *testing.T) {
	for name, test := range map[string]struct {
		env  map[string]string
		to   string
		want string // "" for none
		told string
	}{
		"none":                         {nil, "https://graph.facebook.com/v26.0", "", ""},
		"https":                        {map[string]string{"HTTPS_PROXY": "http://proxy.corp:3128"}, "https://graph.facebook.com", "http://proxy.corp:3128", "http://proxy.corp:3128"},
		"in lower case":                {map[string]string{"https_proxy": "http://proxy.corp:3128"}, "https://graph.facebook.com", "http://proxy.corp:3128", "http://proxy.corp:3128"},
		"without a scheme":             {map[string]string{"HTTPS_PROXY": "proxy.corp:3128"}, "https://graph.facebook.com", "http://proxy.corp:3128", "http://proxy.corp:3128"},
		"with a password":              {map[string]string{"HTTPS_PROXY": "http://ada:s3cret@proxy.corp:3128"}, "https://graph.facebook.com", "http://ada:s3cret@proxy.corp:3128", "http://ada:xxxxx@proxy.corp:3128"},
		"that of http is not of https": {map[string]string{"HTTP_PROXY": "http://proxy.corp:3128"}, "https://graph.facebook.com", "", ""},
		"http":                         {map[string]string{"HTTP_PROXY": "http://proxy.corp:3128"}, "http://crm.corp", "http://proxy.corp:3128", ""},
		"an exception":                 {map[string]string{"HTTPS_PROXY": "http://proxy.corp:3128", "NO_PROXY": ".facebook.com"}, "https://graph.facebook.com", "", "http://proxy.corp:3128"},
		"an exception for all":         {map[string]string{"HTTPS_PROXY": "http://proxy.corp:3128", "NO_PROXY": "*"}, "https://graph.facebook.com", "", ""},
		"this machine":                 {map[string]string{"HTTPS_PROXY": "http://proxy.corp:3128"}, "https://127.0.0.1:8443", "", "http://proxy.corp:3128"},
		"this machine by name":         {map[string]string{"HTTPS_PROXY": "http://proxy.corp:3128"}, "https://localhost:8443", "", "http://proxy.corp:3128"},
		"no URL":                       {map[string]string{"HTTPS_PROXY": "http://proxy corp"}, "https://graph.facebook.com", "error", "that HTTPS_PROXY does not name as a URL, so nothing is sent"},
	} {
		t.Run(name, func(t *testing.T) {
			h := &Host{Env: func(name string) (string, bool) { v, ok := test.env[name]; return v, ok }}
			p := h.Proxy()
			u, err := url.Parse(test.to)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if to, err := p.Of(u); err != nil {
				got = "error"
			} else if to != nil {
				got = to.String()
			}
			if got != test.want || p.HTTPS != test.told || strings.Contains(p.HTTPS, "s3cret") {
				t.Errorf("goes through %q, and tells %q", got, p.HTTPS)
			}
		})
	}
}
