package providers_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
)

// record answers and keeps the requests it saw.
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
	c := providers.NewClient(providers.ClientOptions{UserAgent: "handbill/1.2"})
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
		_, a := providers.NewClient(providers.ClientOptions{}).Post(t.Context(), base+"/messages", nil, []byte("{}"))
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
	if _, a := providers.NewClient(providers.ClientOptions{TLS: &tls.Config{RootCAs: roots}}).Post(t.Context(), base, nil, []byte("{}")); a != nil {
		t.Errorf("%s: %s", a.Class, a.Title)
	}
	base, roots = serve(&tls.Config{MaxVersion: tls.VersionTLS11})
	_, a := providers.NewClient(providers.ClientOptions{TLS: &tls.Config{RootCAs: roots}}).Post(t.Context(), base, nil, []byte("{}"))
	if a == nil || a.Class != message.NotSent {
		t.Errorf("TLS 1.1: got %+v", a)
	}
}

func TestGetErrorsTellNothing(t *testing.T) {
	base, _ := record(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	_, err := providers.NewClient(providers.ClientOptions{}).Get(t.Context(), base+"/hookInfo?messageId=wamid.X", nil)
	if err == nil || strings.Contains(err.Error(), "127.0.0.1") || strings.Contains(err.Error(), "wamid") {
		t.Errorf("got %v", err)
	}
}

func TestCheckBase(t *testing.T) {
	for base, want := range map[string]string{
		"https://graph.facebook.com":     "https://graph.facebook.com",
		"https://gate.example/whatsapp/": "https://gate.example/whatsapp",
		"http://127.0.0.1:8080/cloud":    "http://127.0.0.1:8080/cloud",
		"http://localhost:8080":          "http://localhost:8080",
		"http://[::1]:8080":              "http://[::1]:8080",
		"http://graph.facebook.com":      "",
		"http://127.0.0.1.example":       "",
		"https://user:pw@gate.example":   "",
		"https://gate.example?token=1":   "",
		"ftp://gate.example":             "",
		"graph.facebook.com":             "",
		"":                               "",
	} {
		got, err := providers.CheckBase(base)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s: got %q, %v", base, got, err)
		}
		if err != nil && strings.Contains(err.Error(), "pw") {
			t.Errorf("the error holds the password: %v", err)
		}
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
		if got := providers.RetryAfter(h); got != test.want {
			t.Errorf("%q at %q: got %s, want %s", test.value, test.date, got, test.want)
		}
	}
}

func TestSafe(t *testing.T) {
	request := []byte(`{"to":"+4915112345678","type":"text","text":{"body":"Hello Ana Díaz"},"row":{"title":"Aloe vera"}}`)
	for _, test := range []struct{ text, want string }{
		{"Row title is too long. Max length is 24", "Row title is too long. Max length is 24"},
		{"Body text length invalid. Min length: 1, Max length: 1024", "Body text length invalid. Min length: 1, Max length: 1024"},
		{"bad number 4915112345678", "bad number …"},
		{"bad number +49 151 1234-5678", "bad number …"},
		{"cannot parse Hello Ana Díaz here", "cannot parse … here"},
		{"token s3cr3t-token refused", "token … refused"},
		{`value "Ana" is wrong`, "value … is wrong"},
		{"see https://shop.example/?u=ana or mail ana@shop.example", "see … or mail …"},
		{"two\nlines\x09here", "two lines here"},
		{strings.Repeat("ä ", 200), strings.Repeat("ä ", 79) + "ä…"},
	} {
		if got := providers.Safe(test.text, request, "s3cr3t-token"); got != test.want {
			t.Errorf("%q:\ngot  %q\nwant %q", test.text, got, test.want)
		}
	}
}

func TestSecretCheck(t *testing.T) {
	for s, want := range map[providers.Secret]string{
		"": "token is missing", "abc\n": "a line end", "a b": "white space", "tökén": "no header may hold",
	} {
		err := s.Check("token")
		if err == nil || !strings.Contains(err.Error(), want) || s != "" && strings.Contains(err.Error(), string(s)) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if err := errors.Join(providers.Secret("EAAG.x-y_z=").Check("token")); err != nil {
		t.Error(err)
	}
}
