// Package providertest is the test suite that every provider must pass. It compares
// requests with golden files and checks answers of every kind, and every way in
// which an exchange can go wrong, over real HTTP on loopback.
package providertest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/handbill/handbill/internal/golden"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/wire"
)

// Case is one provider under test.
type Case struct {
	// New makes the provider for a base URL, with the client to use.
	New func(base string, client *wire.Client) (providers.Provider, error)
	// Secrets are the credentials that New puts in.
	Secrets []string
	// Success is an answer that accepts, and ID the message's id in it.
	Success Body
	ID      string
	// Refusal is an answer that certainly refuses the message.
	Refusal Body
	// Answers are further answers and their meaning.
	Answers []Answer
}

// Body is a provider's answer on the wire.
type Body struct {
	Status int
	Text   string
	Header map[string]string
}

// Answer is an answer and what it means.
type Answer struct {
	Name  string
	Body  Body
	Class message.Class
	Code  string
	ID    string
}

// To and Ref are the recipient and the reference of every request.
const (
	To  = "+12025550123"
	Ref = "hb1.AAAAAAAA.BBBBBBBBBBBBBBBBBBBBBBBB.CCCCCCCC"
)

// Run checks one provider.
func Run(t *testing.T, c Case) {
	t.Run("profile", func(t *testing.T) { profile(t, c) })
	t.Run("requests", func(t *testing.T) { requests(t, c) })
	t.Run("sender", func(t *testing.T) { sender(t, c.provider(t, nowhere)) })
	t.Run("awkward values", func(t *testing.T) { awkward(t, c.provider(t, nowhere)) })
	t.Run("answers", func(t *testing.T) { answers(t, c) })
	t.Run("without a connection", func(t *testing.T) { unconnected(t, c) })
	t.Run("server", func(t *testing.T) { matrix(t, c) })
	t.Run("distrust", func(t *testing.T) { distrust(t, c) })
	t.Run("managed", func(t *testing.T) { managed(t, c) })
	t.Run("secrets", func(t *testing.T) { secrets(t, c) })
}

const nowhere = "http://127.0.0.1:1"

func (c Case) provider(t *testing.T, base string) providers.Provider {
	t.Helper()
	p, err := c.New(base, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// profile checks that every fact has a source and a date, and that every kind of
// message has a verdict, with an alternative if the provider does not carry it.
func profile(t *testing.T, c Case) {
	p := c.provider(t, nowhere).Profile()
	for _, e := range Examples() {
		kind, known := p.Kinds[e.Message.Kind()]
		switch {
		case !known:
			t.Errorf("%s: no capability is stated", e.Message.Kind())
		case kind.Source == "" || kind.Date == "":
			t.Errorf("%s: the capability has no source or date", e.Message.Kind())
		case kind.Support != message.Yes && kind.Note == "":
			t.Errorf("%s: the capability does not say why, or what else to use", e.Message.Kind())
		}
	}
	for _, name := range providers.AllFeatures() {
		f, known := p.Features[name]
		if !known || f.Source == "" || f.Date == "" || f.Support != message.Yes && f.Note == "" {
			t.Errorf("%s: %+v lacks a source, a date or what else to do", name, f)
		}
	}
	_, reads := c.provider(t, nowhere).(providers.Reader)
	if reads != (p.Features[providers.FeatureRead].Support != message.No) {
		t.Error("the profile and the provider disagree about mark_read")
	}
	for name, f := range map[string]providers.Fact{"throughput": p.Throughput, "pair seconds": p.PairSeconds} {
		if f.Value <= 0 || f.Source == "" || f.Date == "" {
			t.Errorf("%s: %+v has no value, source or date", name, f)
		}
	}
	for name, l := range p.Limits {
		if l.Source == "" || l.Date == "" {
			t.Errorf("limit %s has no source or date", name)
		}
	}
}

// requests compares the request of every example with its golden file.
func requests(t *testing.T, c Case) {
	p := c.provider(t, nowhere)
	for _, e := range Examples() {
		t.Run(e.Name, func(t *testing.T) {
			r, err := p.Encode(message.Address{Phone: To}, e.Message, Ref)
			if !carries(p.Profile(), e.Message) {
				if err == nil {
					t.Errorf("the profile says no to %s, and it is encoded all the same", e.Name)
				}
				return
			}
			if err != nil {
				golden.Assert(t, []byte(err.Error()+"\n"), "testdata/requests/"+e.Name+".golden")
				return
			}
			golden.Assert(t, pretty(t, r), "testdata/requests/"+e.Name+".golden")
			if p.Profile().Echo && !bytes.Contains(r.Body, []byte(Ref)) {
				t.Error("the profile says that the reference comes back, and it is not sent")
			}
		})
	}
}

// carries reports whether a profile supports a message and its features.
func carries(p *providers.Profile, m message.Message) bool {
	ok := p.Kinds[m.Kind()].Support != message.No
	for _, f := range providers.FeaturesOf(&message.Draft{Message: m}) {
		ok = ok && p.Features[f].Support != message.No
	}
	return ok
}

// pretty formats a request for review. Indenting keeps the order of keys.
func pretty(t *testing.T, r message.Request) []byte {
	t.Helper()
	var out bytes.Buffer
	fmt.Fprintf(&out, "POST %s\n", r.Path)
	if err := json.Indent(&out, r.Body, "", "  "); err != nil {
		t.Fatalf("the body is not JSON: %v\n%s", err, r.Body)
	}
	out.WriteByte('\n')
	return out.Bytes()
}

// secrets checks that printing a provider in any way shows no credential.
func secrets(t *testing.T, c Case) {
	p := c.provider(t, nowhere)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x", "%q"} {
		text := fmt.Sprintf(verb, p)
		for _, s := range c.Secrets {
			if strings.Contains(text, s) {
				t.Errorf("%s prints a credential", verb)
			}
		}
	}
}

// leaks reports parts of the message or credentials that an answer holds.
func leaks(t *testing.T, c Case, a message.Answer) {
	t.Helper()
	text := a.Title + " " + a.Advice + " " + a.Code
	for _, s := range append(c.Secrets, To, To[1:], bodyText) {
		if strings.Contains(text, s) {
			t.Errorf("the answer holds a credential, a number or a text: %q", text)
		}
	}
}
