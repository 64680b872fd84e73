package wire

import (
	"net/http"
	"strings"
	"testing"
)

// A request contains nothing that would allow an intermediary to repeat it. Its
// head, which is kept from one request to the next, always has the length of
// its own body.
func TestRequestsAsTheyAreWritten(t *testing.T) {
	c := New(Options{UserAgent: "handbill/1"})
	for _, test := range []struct {
		method, token, body string
		want                string
	}{
		{"POST", "a", "{}", "POST /v1/messages?x=1 HTTP/1.1\r\nHost: gate.example\r\nUser-Agent: handbill/1\r\nContent-Length: 2\r\nAuthorization: a\r\nContent-Type: application/json\r\n\r\n{}"},
		{"POST", "a", `{"to":"1"}`, "POST /v1/messages?x=1 HTTP/1.1\r\nHost: gate.example\r\nUser-Agent: handbill/1\r\nContent-Length: 10\r\nAuthorization: a\r\nContent-Type: application/json\r\n\r\n" + `{"to":"1"}`},
		{"POST", "b", "", "POST /v1/messages?x=1 HTTP/1.1\r\nHost: gate.example\r\nUser-Agent: handbill/1\r\nContent-Length: 0\r\nAuthorization: b\r\nContent-Type: application/json\r\n\r\n"},
		{"POST", "b\r\nX-Other: 1", "{}", "POST /v1/messages?x=1 HTTP/1.1\r\nHost: gate.example\r\nUser-Agent: handbill/1\r\nContent-Length: 2\r\nAuthorization: b  X-Other: 1\r\nContent-Type: application/json\r\n\r\n{}"},
		{"GET", "a", "", "GET /v1/messages?x=1 HTTP/1.1\r\nHost: gate.example\r\nUser-Agent: handbill/1\r\nAuthorization: a\r\n\r\n"},
	} {
		body := []byte(test.body)
		if test.method == "GET" {
			body = nil
		}
		h, f := c.heading(test.method, "https://gate.example/v1/messages?x=1", http.Header{"authorization": {test.token}}, body)
		if f != nil {
			t.Fatal(f.text)
		}
		got := string(h.fill(nil, body))
		if got != test.want {
			t.Errorf("got  %q\nwant %q", got, test.want)
		}
		if strings.Contains(strings.ToLower(got), "idempotency") {
			t.Error("a header invites others to repeat the request")
		}
	}
}

func TestAddressesThatLeadNowhere(t *testing.T) {
	for _, address := range []string{"", "/messages", "ftp://gate.example/", "http://", "https://gate.example:x/", "http://gate.example/%zz"} {
		if h, f := New(Options{}).heading("POST", address, nil, []byte("{}")); f == nil {
			t.Errorf("%q: got %q", address, h.fill(nil, nil))
		}
	}
}
