package sandbox_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/handbill/handbill/sandbox"
)

// BenchmarkSend measures one list message over real HTTP, answered immediately,
// with keep-alive connections on loopback.
func BenchmarkSend(b *testing.B) {
	s := sandbox.New(sandbox.Options{Clock: time.Now, AssumeOpen: true, Throughput: -1})
	srv, err := s.Start(context.Background(), "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer srv.Close()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}}
	url := srv.BaseURL(sandbox.Cloud) + "/v23.0/1/messages"
	body := []byte(interactive(list("", "Browse our catalog for spring", "", "View catalog",
		section("Featured", rows(0, 2))+","+section("Bundles", rows(2, 2)))))
	b.ReportAllocs()
	b.SetParallelism(16)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
			if err != nil {
				b.Fatal(err)
			}
			req.Header.Set("Authorization", "Bearer secret")
			resp, err := client.Do(req)
			if err != nil {
				b.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				b.Fatalf("answer %d", resp.StatusCode)
			}
		}
	})
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "sends/s")
}
