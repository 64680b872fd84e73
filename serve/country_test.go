package serve_test

import (
	"testing"

	"github.com/handbill/handbill/sandbox"
	"github.com/handbill/handbill/serve"
)

// A message from a country that the platform does not serve is recorded, and
// nothing is sent back.
func TestNothingIsAnsweredToACountryThatIsNotServed(t *testing.T) {
	h := newHouse(t, hello)
	for _, from := range []string{"+989121110000", "+5352220000"} {
		if _, err := h.net.Inbound(sandbox.Inbound{Provider: sandbox.Cloud, Number: number, From: from, Name: "Sara", Text: "Hello"}); err != nil {
			t.Fatal(err)
		}
		if ev := h.await(serve.EventGated); ev.Detail != "unreachable_country" {
			t.Errorf("%s: got %+v", from, ev)
		}
	}
	if got := h.sends(); len(got) > 0 {
		t.Errorf("sent %q", got)
	}
}
