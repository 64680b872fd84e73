package serve_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/handbill/handbill/sandbox"
	"github.com/handbill/handbill/serve"
)

// lockedLines collects output from many goroutines.
type lockedLines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedLines) entries(t *testing.T) (out []sandbox.Entry) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	d := json.NewDecoder(bytes.NewReader(l.b.Bytes()))
	for d.More() {
		var e sandbox.Entry
		if err := d.Decode(&e); err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
	return out
}

func TestPlainHTTPIsForThisMachine(t *testing.T) {
	for addr, ok := range map[string]bool{"127.0.0.1:0": true, "[::1]:0": true, "localhost:0": true, "0.0.0.0:0": false, ":0": false, "[::]:0": false} {
		l, err := serve.Listen(t.Context(), serve.ListenOptions{Addr: addr})
		if err == nil {
			l.Close()
		}
		if !ok && (err == nil || !strings.Contains(err.Error(), "-insecure-behind-proxy")) {
			t.Errorf("%s: %v", addr, err)
		}
		if ok && err != nil && !strings.Contains(addr, "::1") { // some machines have no IPv6
			t.Errorf("%s: %v", addr, err)
		}
	}
	l, err := serve.Listen(t.Context(), serve.ListenOptions{Addr: "0.0.0.0:0", BehindProxy: true})
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
}

// certificate writes a certificate with a serial number.
func certificate(t *testing.T, dir string, serial int64, at time.Time) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: raw}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(name, at, at); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

func TestNewCertificatesAreTakenWhileServing(t *testing.T) {
	dir := t.TempDir()
	cert, key := certificate(t, dir, 1, time.Now().Add(-time.Hour))
	l, err := serve.Listen(t.Context(), serve.ListenOptions{Addr: "127.0.0.1:0", CertFile: cert, KeyFile: key})
	if err != nil {
		t.Fatal(err)
	}
	h := newHouse(t, hello)
	h.stop()
	h.start(l)
	serial := func() int64 {
		t.Helper()
		c, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		return c.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
	}
	if got := serial(); got != 1 {
		t.Errorf("serial %d", got)
	}
	certificate(t, dir, 2, time.Now())
	if got := serial(); got != 2 {
		t.Errorf("after the change: serial %d", got)
	}
	if err := os.WriteFile(key, []byte("half a"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := serial(); got != 2 {
		t.Errorf("with half a file: serial %d", got)
	}
	if _, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11}); err == nil {
		t.Error("TLS 1.1 is spoken")
	}
}

// Clients that open connections and send nothing keep nobody out: a new
// connection gets a place, and the oldest is closed.
func TestConnectionsThatSendNothingKeepOutNobody(t *testing.T) {
	const most = 8
	l, err := serve.Listen(t.Context(), serve.ListenOptions{Addr: "127.0.0.1:0", MaxConns: most})
	if err != nil {
		t.Fatal(err)
	}
	h := newHouse(t, hello)
	h.stop()
	h.start(l)
	var held []net.Conn
	for range 5 * most {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		held = append(held, c)
	}
	body := envelope("messages", wrote("wamid.1", "Hi"))
	if got := post(t, "http://"+l.Addr().String()+"/webhooks/cloud/main", body, sandbox.Signature(secret, []byte(body))); got != 200 {
		t.Errorf("a webhook is answered with %d", got)
	}
	if err := held[0].SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if n, err := held[0].Read(make([]byte, 1)); n != 0 || err == nil || os.IsTimeout(err) {
		t.Errorf("the oldest connection stays: %d, %v", n, err)
	}
}

func TestCertificatesAreLookedAtOnceASecond(t *testing.T) {
	dir := t.TempDir()
	var now atomic.Int64
	cert, key := certificate(t, dir, 1, time.Now().Add(-time.Hour))
	l, err := serve.Listen(t.Context(), serve.ListenOptions{Addr: "127.0.0.1:0", CertFile: cert, KeyFile: key,
		Now: func() time.Time { return time.Unix(1_800_000_000, now.Load()) }})
	if err != nil {
		t.Fatal(err)
	}
	h := newHouse(t, hello)
	h.stop()
	h.start(l)
	for _, c := range []struct {
		name string
		at   time.Duration
		file int64 // serial number in the files, from now on
		want int64
	}{
		{"at first", 0, 1, 1},
		{"within a second", 900 * time.Millisecond, 2, 1},
		{"a second later", time.Second, 2, 2},
		{"within the next second", 1900 * time.Millisecond, 3, 2},
		{"after the clock was set back", -time.Hour, 3, 3},
	} {
		now.Store(int64(c.at))
		certificate(t, dir, c.file, time.Now().Add(time.Duration(c.file)*time.Minute))
		conn, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
		if got := conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64(); got != c.want {
			t.Errorf("%s: serial %d, want %d", c.name, got, c.want)
		}
	}
}

func TestMetrics(t *testing.T) {
	h := newHouse(t, hello)
	h.post(envelope("messages", wrote("wamid.1", "Hi")))
	h.await(serve.EventReplied)
	h.stop()
	page := httptest.NewRecorder()
	h.server.Metrics().ServeHTTP(page, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, want := range []string{`handbill_turns_total{provider="provider.cloud.main",result="done"} 2`, "handbill_turn_seconds_count 2"} { // an intent and an outcome
		if !strings.Contains(page.Body.String(), want) {
			t.Errorf("no %s", want)
		}
	}
	s, err := serve.New(t.Context(), serve.Options{Spacing: -1, Store: h.store, Now: time.Now, Rules: noRules,
		Build:   serve.Build{Version: "1.2.3", Revision: "5d3f0c1a", Go: "go1.26.0"},
		Numbers: []serve.Number{{Address: address, Type: "cloud", Name: "main", Webhook: metaNumber(t, h.netURL)}}})
	if err != nil {
		t.Fatal(err)
	}
	l, m := h.listen("127.0.0.1:0"), h.listen("127.0.0.1:0")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l, m) }()
	post(t, "http://"+l.Addr().String()+"/webhooks/cloud/main", "{}", "sha256=00")
	resp, err := http.Get("http://" + m.Addr().String() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`handbill_webhooks_total{provider="provider.cloud.main",status="403"} 1`, "handbill_webhooks_waiting 0", "handbill_webhook_seconds_bucket",
		`handbill_build_info{goversion="go1.26.0",revision="5d3f0c1a",version="1.2.3"} 1`} {
		if !strings.Contains(string(body), want) {
			t.Errorf("no %s", want)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
