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
	}, c.Answers...)
	for _, a := range list {
		t.Run(a.Name, func(t *testing.T) {
			got, seen := c.exchange(t, func(w http.ResponseWriter, _ *http.Request) {
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
func (c Case) exchange(t *testing.T, handle http.HandlerFunc) (message.Answer, int32) {
	t.Helper()
	var seen atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen.Add(1)
		handle(w, r)
	}))
	defer server.Close()
	p, err := c.New(server.URL, nil)
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
