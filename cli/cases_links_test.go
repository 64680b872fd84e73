package cli_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"

	"github.com/handbill/handbill/reply"
	"github.com/handbill/handbill/serve"
)

// link is the address of a link in a request to a provider.
var link = regexp.MustCompile(`https://go\.example\.com(/[0-9A-Za-z/]*)`)

// follow opens the first link of the newest message to a number, as a person's phone,
// as WhatsApp's fetcher, or to look at the head; and that of a message that nobody has,
// for "nobody".
func (g *game) follow(args []string) error {
	g.net.mu.Lock()
	path := "/nobody000000"
	for _, r := range slices.Backward(g.net.requests) {
		if found := link.FindSubmatch(r.body); found != nil && bytes.Contains(r.body, []byte(strings.TrimPrefix(args[0], "+"))) {
			path = string(found[1])
			break
		}
	}
	g.net.mu.Unlock()
	s, err := g.store()
	if err != nil {
		return err
	}
	defer s.Close()
	server, err := serve.New(context.Background(), serve.Options{Store: s, Now: g.now, Rules: func(context.Context) (*reply.Rules, error) { return nil, nil }})
	if err != nil {
		return err
	}
	method := http.MethodGet
	if args[1] == "head" {
		method = http.MethodHead
	}
	r := httptest.NewRequest(method, path, nil)
	r.Header.Set("User-Agent", map[string]string{"whatsapp": "WhatsApp/2.23.20.0 A"}[args[1]])
	if args[1] == "phone" {
		r.Header.Set("User-Agent", "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36")
	}
	w := httptest.NewRecorder()
	server.Handler().ServeHTTP(w, r)
	server.Settle()
	fmt.Fprintf(&g.stdout, "$ follow %s\n%d %s\n\n", strings.Join(args, " "), w.Code, w.Header().Get("Location"))
	return nil
}
