package serve_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/handbill/handbill/sandbox"
	"github.com/handbill/handbill/serve"
)

// Several messages of one person wait for a service that does not answer;
// meanwhile others get their answers.
func TestOnePersonsFloodDelaysNobodyElse(t *testing.T) {
	release := make(chan struct{})
	url, host := service(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "prod_stuck") {
			<-release
		}
		_, _ = io.WriteString(w, `{"status":"here"}`)
	})
	rules := strings.ReplaceAll(strings.ReplaceAll(stock, "URL", url), "200ms", "10s")
	h := newHouse(t, rules, func(h *house, _ *sandbox.Options) { h.opt.AllowHosts = []string{host} })
	var list []string
	for i := range 150 {
		list = append(list, wrote(fmt.Sprint("wamid.many", i), "prod_stuck"))
	}
	h.post(envelope("messages", list...))
	for i := range 3 {
		h.post(strings.ReplaceAll(envelope("messages", wrote(fmt.Sprint("wamid.calm", i), "prod_here")), ana[1:], fmt.Sprint("491700000000", i)))
	}
	var got []string
	for range 3 {
		got = append(got, h.await(serve.EventReplied).Recipient)
	}
	close(release)
	slices.Sort(got)
	if len(slices.Compact(got)) != 3 || strings.HasSuffix(got[0], ana[len(ana)-2:]) {
		t.Errorf("answered: %v", got)
	}
}
