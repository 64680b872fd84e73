package providertest

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/providers"
)

// changeAnswers are answers to a change of what an account or a number has, and what they
// mean: only a success is one, and of what nothing certain is said nothing is certain.
func changeAnswers() map[string]struct {
	body Body
	want providers.TemplateOutcome
} {
	refused := func(code int) string {
		return fmt.Sprintf(`{"error":{"message":"(#%d) no","type":"OAuthException","code":%d,"fbtrace_id":"x"}}`, code, code)
	}
	return map[string]struct {
		body Body
		want providers.TemplateOutcome
	}{
		"no JSON":             {Body{Status: 200, Text: "<html>"}, providers.TemplateUnknown},
		"half an answer":      {Body{Status: 200, Text: `{"success"`}, providers.TemplateUnknown},
		"no success":          {Body{Status: 200, Text: `{"success":false}`}, providers.TemplateRefused},
		"a fault of theirs":   {Body{Status: 500, Text: refused(2)}, providers.TemplateUnknown},
		"a proxy":             {Body{Status: 502, Text: "<html>Bad gateway</html>"}, providers.TemplateUnknown},
		"a refusal":           {Body{Status: 400, Text: refused(100)}, providers.TemplateRefused},
		"too many calls":      {Body{Status: 400, Text: refused(80008)}, providers.TemplateBusy},
		"too many of an item": {Body{Status: 400, Text: refused(80014)}, providers.TemplateBusy},
	}
}

// always is a server that gives one answer to everything and counts the requests.
func always(t *testing.T, b Body) (base string, n *atomic.Int32) {
	t.Helper()
	n = &atomic.Int32{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n.Add(1)
		w.WriteHeader(b.Status)
		fmt.Fprint(w, b.Text)
	}))
	t.Cleanup(server.Close)
	return server.URL, n
}

// managed checks what changes accounts and numbers, for a provider that has it: each
// answer means what it says, one change is one request, and what can't be read is an
// error and never empty.
func managed(t *testing.T, c Case) {
	ctx := context.Background()
	for name, a := range changeAnswers() {
		t.Run(name, func(t *testing.T) {
			base, n := always(t, a.body)
			p := c.provider(t, base)
			if w, ok := p.(providers.SingletonWriter); ok {
				singleton(ctx, t, c, w, n, a.want)
			}
			if w, ok := p.(providers.CatalogWriter); ok && w.CatalogAbility() == "" {
				n.Store(0)
				got := w.PostProducts(ctx, "881", []byte(`{"item_type":"PRODUCT_ITEM","requests":[]}`))
				want := map[providers.TemplateOutcome]providers.BatchOutcome{providers.TemplateUnknown: providers.BatchUnknown, providers.TemplateRefused: providers.BatchRefused, providers.TemplateBusy: providers.BatchBusy}[a.want]
				if got.Outcome != want || got.Handle != "" || n.Load() != 1 {
					t.Errorf("a batch: %+v after %d requests", got, n.Load())
				}
				told(t, c, got.Detail)
				products(ctx, t, w)
			}
		})
	}
}

// singleton changes and reads each object of which the number has one.
func singleton(ctx context.Context, t *testing.T, c Case, w providers.SingletonWriter, n *atomic.Int32, want providers.TemplateOutcome) {
	for _, of := range append(account.Singletons(), account.SingletonOf("webhook").At(account.LevelAccount)) {
		if key, why := w.SingletonKey(of); key == "" {
			if why == "" {
				t.Errorf("%s: neither whose it is nor why it can't be changed", of.Kind)
			}
			continue
		}
		n.Store(0)
		v := account.Values{}
		for i := range of.Fields {
			v[of.Fields[i].Name] = of.Fields[i].Empty()
		}
		if got := w.PutSingleton(ctx, of, v, "a-word-of-a-webhook"); got.Outcome != want || n.Load() != 1 {
			t.Errorf("%s: %+v after %d requests", of.Kind, got, n.Load())
		} else {
			told(t, c, got.Detail)
		}
		if _, err := w.Singleton(ctx, of); err == nil {
			t.Errorf("%s: nothing was told, and it counts as read", of.Kind)
		}
	}
}

// products reads a catalog that tells nothing.
func products(ctx context.Context, t *testing.T, w providers.CatalogWriter) {
	if err := w.EachProduct(ctx, "881", func(p *account.Product) error { return fmt.Errorf("a product: %+v", p) }); err == nil {
		t.Error("a list that can't be read counts as an empty one")
	}
	if _, err := w.Catalog(ctx, "881"); err == nil {
		t.Error("a catalog that can't be read counts as read")
	}
	if got, err := w.ProductBatch(ctx, "881", "H"); err == nil {
		t.Errorf("a batch that tells nothing is %+v", got)
	}
	if got, err := w.CatalogLink(ctx, "881"); err == nil && got != account.LinkUnknown {
		t.Errorf("a link that can't be read is %v", got)
	}
}

// told reports credentials in what people see.
func told(t *testing.T, c Case, text string) {
	t.Helper()
	for _, s := range append(c.Secrets, "a-word-of-a-webhook") {
		if strings.Contains(text, s) {
			t.Errorf("it holds a credential: %q", text)
		}
	}
}
