package workspace

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

const numbers = `
provider "cloud" "north" {
  phone_number_id = "7001"
  waba_id         = "88"
  access_token    = env("TOKEN")
  base_url        = env("GRAPH")
}

provider "cloud" "south" {
  phone_number_id = "7002"
  waba_id         = "88"
  access_token    = env("TOKEN")
  base_url        = env("GRAPH")
}

template_message "ready" {
  template = TEMPLATE
  language = "en_US"
  body     = [recipient.name]
}

audience "agreed" {
  source "csv" { path = "contacts.csv" }
  attributes = { name = row.name }
  consent    = true
}

campaign "ready" {
  provider = provider.cloud.north
  audience = audience.agreed
  message  = template_message.ready
}
`

// TestDataBlocksAloneAreAsked checks that a plan makes no request to a provider
// for a template that is written as a text, and only one for all data blocks of
// an account.
func TestDataBlocksAloneAreAsked(t *testing.T) {
	for _, c := range []struct {
		name, template, more string
		asked                []string
		sends                int
	}{
		{"a text", `"order_ready"`, "", nil, 4}, // two of them are the shop's
		{"a data block", "data.template.ready", `data "template" "ready" {
  provider = provider.cloud.north
  name     = "order_ready"
}
data "template" "other" {
  provider = provider.cloud.south
  name     = "order_ready"
}
`, []string{"GET /v26.0/88/message_templates"}, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			var mu sync.Mutex
			var asked []string
			graph := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				defer mu.Unlock()
				asked = append(asked, r.Method+" "+r.URL.Path)
				_, _ = w.Write([]byte(`{"data":[{"id":"5","name":"order_ready","language":"en_US","status":"APPROVED","category":"UTILITY",
					"components":[{"type":"BODY","text":"Hello {{1}}, your order is ready."}]}]}`))
			}))
			defer graph.Close()
			host := testHost()
			host.Env = func(name string) (string, bool) {
				return map[string]string{"TOKEN": "token-of-the-test", "GRAPH": graph.URL}[name], true
			}
			ws := open(t, host, strings.Replace(numbers, "TEMPLATE", c.template, 1)+c.more)
			p, diags, err := ws.Plan(t.Context(), nil, PlanOptions{})
			if err != nil || diags.HasErrors() {
				t.Fatal(err, diags)
			}
			defer p.Close()
			if !slices.Equal(asked, c.asked) || p.Sends() != c.sends {
				t.Errorf("it asked %q and would send %d", asked, p.Sends())
			}
		})
	}
}
