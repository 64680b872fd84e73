package sandbox_test

import (
	"strings"
	"testing"
	"time"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/cloud"
	"github.com/handbill/handbill/providers/providertest"
	"github.com/handbill/handbill/providers/sandbox"
)

func cloudWire(base string) (providers.Provider, error) {
	return cloud.New(cloud.Config{PhoneNumberID: "106540352242922", AccessToken: "token-of-the-test", BaseURL: base})
}

func badCloud(base string) (providers.Provider, error) {
	return cloud.New(cloud.Config{PhoneNumberID: "106540352242922", AccessToken: "bad", BaseURL: base})
}

func clock() time.Time { return time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC) }

func open(t *testing.T, c sandbox.Config, wire sandbox.Constructor) *sandbox.Provider {
	t.Helper()
	p, err := sandbox.New(c, wire)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func TestEveryKindIsTaken(t *testing.T) {
	p := open(t, sandbox.Config{Clock: clock}, cloudWire)
	for _, e := range providertest.Examples() {
		r, err := p.Encode(message.Address{Phone: providertest.To}, e.Message, providertest.Ref)
		if err != nil {
			t.Errorf("%s: %v", e.Name, err)
			continue
		}
		if a := p.Send(t.Context(), r); a.Class != message.Accepted {
			t.Errorf("%s: %s: %s", e.Name, a.Class, a.Title)
		}
	}
}

func TestPoll(t *testing.T) {
	now := clock()
	p := open(t, sandbox.Config{Clock: func() time.Time { return now }}, cloudWire)
	r, err := p.Encode(message.Address{Phone: "+4915112345678"}, &message.Text{Body: "Hi"}, providertest.Ref)
	if err != nil {
		t.Fatal(err)
	}
	a := p.Send(t.Context(), r)
	if a.Class != message.Accepted {
		t.Fatalf("%s: %s", a.Class, a.Title)
	}
	now = now.Add(time.Hour)
	events, err := p.Poll(t.Context(), a.ID)
	if err != nil || len(events) == 0 {
		t.Fatalf("no events, %v", err)
	}
	for _, e := range events {
		if e.ID != a.ID || e.Kind != message.EventStatus || e.Rank == message.RankNone && !e.Failed || e.At.IsZero() {
			t.Errorf("not a status of the message: %+v", e)
		}
	}
	if _, err := p.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestNewRefuses(t *testing.T) {
	for _, test := range []struct {
		name   string
		config sandbox.Config
		want   string
	}{
		{"wire", sandbox.Config{Wire: "telegram"}, "wire: expected cloud"},
		{"url", sandbox.Config{URL: "http://sandbox.example"}, "base_url: http is for this machine only"},
		{"failure rate", sandbox.Config{FailureRate: 5}, "failure_rate: expected"},
		{"latency", sandbox.Config{Latency: time.Hour}, "latency: expected"},
		{"throughput", sandbox.Config{Throughput: -1}, "throughput: expected"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := sandbox.New(test.config, cloudWire)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}
