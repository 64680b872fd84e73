package serve_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/handbill/handbill/sandbox"
	"github.com/handbill/handbill/serve"
	"github.com/handbill/handbill/state/sqlite"
)

// BenchmarkWebhooks measures status webhooks over HTTP, with the load generator
// in the same process. They are verified, decoded, stored and committed, and
// joined concurrently. "bare" only reads the body and answers: the cost of HTTP
// alone.
func BenchmarkWebhooks(b *testing.B) {
	b.Run("bare", func(b *testing.B) {
		load(b, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }), nil)
	})
	b.Run("serve", func(b *testing.B) {
		store, err := sqlite.Create(b.Context(), sqlite.Options{Path: filepath.Join(b.TempDir(), "handbill.state"), Clock: time.Now, Rand: rand.Reader})
		if err != nil {
			b.Fatal(err)
		}
		defer store.Close()
		ids := make([]string, 1000)
		for i := range ids {
			ids[i] = fmt.Sprint("wamid.", i)
		}
		refs := accepted(b, store, ids...)
		s, err := serve.New(b.Context(), serve.Options{Spacing: -1, Store: store, Now: time.Now, Rules: noRules,
			Numbers: []serve.Number{{Address: address, Type: "cloud", Name: "main", Webhook: metaNumber(b, "http://127.0.0.1:1")}}})
		if err != nil {
			b.Fatal(err)
		}
		ctx, cancel := context.WithCancel(b.Context())
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx) }()
		load(b, s.Handler(), refs)
		cancel()
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	})
}

// load posts b.N webhooks from 64 connections.
func load(b *testing.B, handler http.Handler, refs []string) {
	srv := httptest.NewServer(handler)
	defer srv.Close()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	took := make([]time.Duration, b.N)
	var next atomic.Int64
	words := []string{"sent", "delivered", "read"}
	var wg sync.WaitGroup
	b.ResetTimer()
	for range 64 {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= b.N {
					return
				}
				ref := ""
				if len(refs) > 0 {
					ref = refs[i%len(refs)]
				}
				body := []byte(envelope("statuses", status(fmt.Sprint("wamid.", i%1000), words[i%3], ref, 1_700_000_000+int64(i))))
				r, _ := http.NewRequest(http.MethodPost, srv.URL+"/webhooks/cloud/main", bytes.NewReader(body)) // our own URL is valid
				r.Header.Set("X-Hub-Signature-256", sandbox.Signature(secret, body))
				began := time.Now()
				resp, err := client.Do(r)
				if err != nil {
					b.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				took[i] = time.Since(began)
				if resp.StatusCode != http.StatusOK {
					b.Errorf("status %d", resp.StatusCode)
					return
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	slices.Sort(took)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "webhooks/s")
	b.ReportMetric(float64(took[b.N*99/100].Microseconds())/1000, "p99-ms")
}

// BenchmarkReply measures the time from a person's tap on the phone to the
// arrival of the reply at the network, including the webhook.
func BenchmarkReply(b *testing.B) {
	h := newHouse(b, strings.ReplaceAll(hello, "you said", "heard"))
	took := make([]time.Duration, b.N)
	for i := range b.N {
		began := time.Now()
		h.phone(sandbox.Inbound{Text: fmt.Sprint("message ", i)})
		h.await(serve.EventReplied)
		took[i] = time.Since(began)
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[b.N/2].Microseconds())/1000, "median-ms")
	b.ReportMetric(float64(took[b.N*99/100].Microseconds())/1000, "p99-ms")
}
