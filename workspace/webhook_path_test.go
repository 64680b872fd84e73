package workspace

import "testing"

// TestWebhookPathOfAKey checks that a number of a for_each key has a separate
// path, which serve accepts and providers are given.
func TestWebhookPathOfAKey(t *testing.T) {
	ws := open(t, testHost(), "provider \"sandbox\" \"market\" {\n  for_each = toset([\"de\", \"es\"])\n}\n")
	const address, path = `provider.sandbox.market["de"]`, "/webhooks/sandbox/market.de"
	if got := WebhookPath(ws.Config, address); got != path {
		t.Errorf("got %s", got)
	}
	if !LeadsHere(ws.Config, address, "/proxy"+path) || LeadsHere(ws.Config, address, "/webhooks/sandbox/market.fr") {
		t.Error("the paths of two keys are confused")
	}
}
