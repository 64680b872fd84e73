package sandbox_test

import (
	"testing"
	"time"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/dialog360"
	"github.com/handbill/handbill/providers/kaleyra"
	"github.com/handbill/handbill/providers/onemsg"
	"github.com/handbill/handbill/providers/providertest"
	"github.com/handbill/handbill/providers/sandbox"
	network "github.com/handbill/handbill/sandbox"
)

// wires are the constructors that the command line passes.
func wires(token providers.Secret) map[string]sandbox.Constructor {
	return map[string]sandbox.Constructor{
		"cloud": cloudWire,
		"dialog360": func(base string) (providers.Provider, error) {
			return dialog360.New(dialog360.Config{APIKey: token, BaseURL: base})
		},
		"kaleyra": func(base string) (providers.Provider, error) {
			return kaleyra.New(kaleyra.Config{SID: "S1", APIKey: token, PhoneNumber: "+914400000000", BaseURL: base})
		},
		"onemsg": func(base string) (providers.Provider, error) {
			return onemsg.New(onemsg.Config{ChannelID: "VID1", Token: token, BaseURL: base})
		},
	}
}

// TestWires sends every kind of message that a provider supports to the
// simulated network, which checks requests with code of its own.
func TestWires(t *testing.T) {
	for wire, construct := range wires("token-of-the-test") {
		t.Run(wire, func(t *testing.T) {
			p := open(t, sandbox.Config{Wire: wire, Clock: clock, Throughput: 1000}, construct)
			for _, e := range providertest.Examples() {
				r, err := p.Encode(message.Address{Phone: providertest.To}, e.Message, providertest.Ref)
				if err != nil {
					continue // unsupported kinds have their own test
				}
				if a := p.Send(t.Context(), r); a.Class != message.Accepted || a.ID == "" {
					t.Errorf("%s: %s %s: %s", e.Name, a.Class, a.Code, a.Title)
				}
			}
		})
	}
}

// TestRefresh checks that a message's statuses can be polled, even from a
// network that was restarted: they follow from the seed.
func TestRefresh(t *testing.T) {
	for wire, construct := range wires("token-of-the-test") {
		t.Run(wire, func(t *testing.T) {
			now := clock()
			config := sandbox.Config{Wire: wire, Seed: 7, Clock: func() time.Time { return now }}
			p := open(t, config, construct)
			r, err := p.Encode(message.Address{Phone: providertest.To}, &message.Text{Body: "Hi"}, providertest.Ref)
			if err != nil {
				t.Fatal(err)
			}
			a := p.Send(t.Context(), r)
			now = now.Add(time.Hour)
			events, err := open(t, config, construct).Poll(t.Context(), a.ID)
			if err != nil || (len(events) > 0) != p.Profile().Polls {
				t.Errorf("polls: %v, but %d events, %v", p.Profile().Polls, len(events), err)
			}
		})
	}
}

// TestScripted lets the network give the scripted answers of each wire format.
func TestScripted(t *testing.T) {
	for wire, construct := range wires("bad") {
		t.Run(wire+" refuses the credentials", func(t *testing.T) {
			if wire == "cloud" {
				construct = func(base string) (providers.Provider, error) { return badCloud(base) }
			}
			server, err := network.New(network.Options{Clock: clock, AssumeOpen: true}).Start(t.Context(), "")
			if err != nil {
				t.Fatal(err)
			}
			defer server.Close()
			p := open(t, sandbox.Config{URL: server.URL(), Wire: wire, Clock: clock}, construct)
			if a := send(t, p, "+4915112345678"); a.Class != message.AccountFault || a.Advice == "" {
				t.Errorf("%s: %s", a.Class, a.Title)
			}
		})
	}
	for wire, construct := range wires("token-of-the-test") {
		t.Run(wire+" is too fast", func(t *testing.T) {
			p := open(t, sandbox.Config{Wire: wire, Clock: clock, Throughput: 2}, construct)
			for range 2 {
				if a := send(t, p, "+4915112345678"); a.Class != message.Accepted {
					t.Errorf("%s: %s", a.Class, a.Title)
				}
			}
			if a := send(t, p, "+4915112345679"); a.Class != message.Throttled {
				t.Errorf("%s: %s", a.Class, a.Title)
			}
		})
		t.Run(wire+" with a closed window", func(t *testing.T) {
			server, err := network.New(network.Options{Clock: clock}).Start(t.Context(), "")
			if err != nil {
				t.Fatal(err)
			}
			defer server.Close()
			p := open(t, sandbox.Config{URL: server.URL(), Wire: wire, Clock: clock}, construct)
			want := message.WindowClosed
			if wire == "kaleyra" {
				want = message.Accepted // Meta's verdict comes in a callback
			}
			if a := send(t, p, "+4915112345678"); a.Class != want {
				t.Errorf("%s: %s", a.Class, a.Title)
			}
		})
	}
}

func send(t *testing.T, p providers.Provider, to string) message.Answer {
	t.Helper()
	r, err := p.Encode(message.Address{Phone: to}, &message.Text{Body: "Hi"}, providertest.Ref)
	if err != nil {
		t.Fatal(err)
	}
	return p.Send(t.Context(), r)
}
