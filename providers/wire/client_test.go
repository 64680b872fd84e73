package wire_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/wire"
)

// record answers requests and keeps them.
func record(t *testing.T, answer http.HandlerFunc) (base string, seen *[]*http.Request) {
	t.Helper()
	seen = &[]*http.Request{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		*seen = append(*seen, r)
		answer(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL, seen
}

func TestPostSendsNothingOfItsOwn(t *testing.T) {
	base, seen := record(t, func(w http.ResponseWriter, _ *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "1"})
		_, _ = w.Write([]byte("{}"))
	})
	c := wire.New(wire.Options{UserAgent: "handbill/1.2"})
	for range 2 {
		if _, a := c.Post(t.Context(), base+"/messages", providers.Header("api-key", "k"), []byte("{}")); a != nil {
			t.Fatalf("%s: %s", a.Class, a.Title)
		}
	}
	for _, r := range *seen {
		for name := range r.Header {
			switch name {
			case "Api-Key", "User-Agent", "Content-Type", "Content-Length":
			default:
				t.Errorf("the request carries %s", name)
			}
		}
		if r.Proto != "HTTP/1.1" || r.UserAgent() != "handbill/1.2" || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("got %s %s %s", r.Proto, r.UserAgent(), r.Header.Get("Content-Type"))
		}
	}
}

func TestRedirectIsNotFollowed(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		base, seen := record(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/messages" {
				t.Errorf("%d was followed to %s", status, r.URL.Path)
			}
			http.Redirect(w, r, "/elsewhere", status)
		})
		_, a := wire.New(wire.Options{}).Post(t.Context(), base+"/messages", nil, []byte("{}"))
		if a == nil || a.Class != message.AccountFault || a.Advice == "" || len(*seen) != 1 {
			t.Errorf("%d: got %+v after %d requests", status, a, len(*seen))
		}
	}
}

func TestTLS(t *testing.T) {
	serve := func(config *tls.Config) (string, *x509.CertPool) {
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.ProtoMajor != 1 {
				t.Errorf("spoke %s", r.Proto)
			}
			_, _ = w.Write([]byte("{}"))
		}))
		server.TLS = config
		server.EnableHTTP2 = true
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		server.StartTLS()
		t.Cleanup(server.Close)
		roots := x509.NewCertPool()
		roots.AddCert(server.Certificate())
		return server.URL, roots
	}
	base, roots := serve(nil)
	if _, a := wire.New(wire.Options{TLS: &tls.Config{RootCAs: roots}}).Post(t.Context(), base, nil, []byte("{}")); a != nil {
		t.Errorf("%s: %s", a.Class, a.Title)
	}
	base, roots = serve(&tls.Config{MaxVersion: tls.VersionTLS11})
	_, a := wire.New(wire.Options{TLS: &tls.Config{RootCAs: roots}}).Post(t.Context(), base, nil, []byte("{}"))
	if a == nil || a.Class != message.NotSent {
		t.Errorf("TLS 1.1: got %+v", a)
	}
}

func TestGetErrorsRevealNothing(t *testing.T) {
	base, _ := record(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	_, err := wire.New(wire.Options{}).Get(t.Context(), base+"/hookInfo?messageId=wamid.X", nil)
	if err == nil || strings.Contains(err.Error(), "127.0.0.1") || strings.Contains(err.Error(), "wamid") {
		t.Errorf("got %v", err)
	}
}

func TestRetryAfter(t *testing.T) {
	for _, test := range []struct {
		value, date string
		want        time.Duration
	}{
		{"30", "", 30 * time.Second},
		{"-5", "", 0},
		{"3600", "", time.Hour},
		{"3601", "", time.Hour},
		{"999999", "", time.Hour},
		{"99999999999999999999", "", time.Hour},
		{"-99999999999999999999", "", 0},
		{"soon", "", 0},
		{"", "", 0},
		{"Mon, 04 May 2026 12:01:00 GMT", "Mon, 04 May 2026 12:00:00 GMT", time.Minute},
		{"Mon, 04 May 2026 12:01:00 GMT", "", 0},
		{"Mon, 04 May 2026 11:00:00 GMT", "Mon, 04 May 2026 12:00:00 GMT", 0},
	} {
		h := http.Header{}
		h.Set("Retry-After", test.value)
		h.Set("Date", test.date)
		if got := wire.RetryAfter(h); got != test.want {
			t.Errorf("%q at %q: got %s, want %s", test.value, test.date, got, test.want)
		}
	}
}
