package providertest

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
)

// bodyText is the text of every message that the suite sends.
const bodyText = "a text that no report may hold"

// answers checks what each answer means.
func answers(t *testing.T, c Case) {
	list := append([]Answer{
		{Name: "success", Body: c.Success, Class: message.Accepted, ID: c.ID},
		{Name: "refusal", Body: c.Refusal, Class: message.Refused},
		{Name: "success without a body", Body: Body{Status: c.Success.Status}, Class: message.Unknown},
		{Name: "success that is not JSON", Body: Body{Status: c.Success.Status, Text: "<html>OK</html>"}, Class: message.Unknown},
		{Name: "success of an empty object", Body: Body{Status: c.Success.Status, Text: "{}"}, Class: message.Unknown},
		{Name: "success cut off in the middle", Body: Body{Status: c.Success.Status, Text: c.Success.Text[:len(c.Success.Text)/2]}, Class: message.Unknown},
		{Name: "server error", Body: Body{Status: 500, Text: "oops"}, Class: message.Unknown},
		{Name: "bad gateway", Body: Body{Status: 502, Text: "<html>"}, Class: message.Unknown},
		{Name: "gateway time-out", Body: Body{Status: 504}, Class: message.Unknown},
		{Name: "request time-out", Body: Body{Status: 408}, Class: message.Unknown},
		{Name: "conflict", Body: Body{Status: 409}, Class: message.Unknown},
		{Name: "bad request without a code", Body: Body{Status: 400, Text: "bad"}, Class: message.Unknown},
		{Name: "forbidden in plain text", Body: Body{Status: 403, Text: "forbidden"}, Class: message.AccountFault},
		{Name: "not found", Body: Body{Status: 404, Text: "no such page"}, Class: message.AccountFault},
		{Name: "too many requests", Body: Body{Status: 429, Text: "slow down"}, Class: message.Throttled},
		{Name: "found", Body: Body{Status: 302, Header: map[string]string{"Location": "/again"}}, Class: message.AccountFault},
		{Name: "temporary redirect", Body: Body{Status: 307, Header: map[string]string{"Location": "/again"}}, Class: message.AccountFault},
		{Name: "permanent redirect", Body: Body{Status: 308, Header: map[string]string{"Location": "/again"}}, Class: message.AccountFault},
	}, c.Answers...)
	for _, a := range list {
		t.Run(a.Name, func(t *testing.T) {
			got, seen := c.exchange(t, nil, func(w http.ResponseWriter, _ *http.Request) {
				for k, v := range a.Body.Header {
					w.Header().Set(k, v)
				}
				w.WriteHeader(a.Body.Status)
				_, _ = w.Write([]byte(a.Body.Text))
			})
			check(t, c, got, a.Class)
			if seen != 1 {
				t.Errorf("the server saw %d requests", seen)
			}
			if a.Code != "" && got.Code != a.Code {
				t.Errorf("code %q, want %q", got.Code, a.Code)
			}
			if got.ID != a.ID {
				t.Errorf("id %q, want %q", got.ID, a.ID)
			}
		})
	}
}

// check compares a class and looks for leaks.
func check(t *testing.T, c Case, got message.Answer, want message.Class) {
	t.Helper()
	if got.Class != want {
		t.Errorf("class %s (%s), want %s", got.Class, got.Title, want)
	}
	if got.Class != message.Accepted && got.Title == "" {
		t.Error("the answer says nothing for people")
	}
	if got.Class == message.AccountFault && got.Advice == "" {
		t.Error("the answer halts a campaign and does not say what to do")
	}
	leaks(t, c, got)
}

// exchange sends one message to a server and counts the requests it saw.
func (c Case) exchange(t *testing.T, client *providers.Client, handle http.HandlerFunc) (message.Answer, int32) {
	t.Helper()
	var seen atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen.Add(1)
		handle(w, r)
	}))
	defer server.Close()
	p, err := c.New(server.URL, client)
	if err != nil {
		t.Fatal(err)
	}
	a := p.Send(t.Context(), c.request(t, p))
	return a, seen.Load()
}

func (c Case) request(t *testing.T, p providers.Provider) message.Request {
	t.Helper()
	r, err := p.Encode(message.Address{Phone: To}, &message.Text{Body: bodyText}, Ref)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
