package providertest

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"github.com/handbill/handbill/providers"
)

// distrust checks that no connection from before Distrust carries a message
// after it, whether it was idle or in use at that moment.
func distrust(t *testing.T, c Case) {
	var mu sync.Mutex
	var from []string
	var middle func() // called while a request is in progress
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		from = append(from, r.RemoteAddr)
		if middle != nil {
			middle()
			middle = nil
		}
		mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(c.Success.Status)
		_, _ = w.Write([]byte(c.Success.Text))
	}))
	defer server.Close()
	p := c.provider(t, server.URL)
	s := providers.NewSender(p)
	d, ok := s.(providers.Distruster)
	if !ok {
		t.Fatal("the sender cannot give up its connections")
	}
	post := func() {
		q, err := marked(p, len(from))
		if err != nil {
			t.Fatal(err)
		}
		s.Send(t.Context(), q)
	}
	post()
	post()
	d.Distrust()
	post()
	middle = d.Distrust
	post()
	post()
	if len(from) != 5 || from[0] != from[1] || from[2] != from[3] {
		t.Fatalf("connections are not kept: %q", from)
	}
	if slices.Contains(from[:2], from[2]) || from[4] == from[3] {
		t.Errorf("a connection was used again: %q", from)
	}
}
