package sqlite

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

func TestBlobsByPrefix(t *testing.T) {
	s, _ := newStateOf(t)
	if err := s.PutAll(t.Context(), map[string][]byte{"forward/1": []byte("a"), "forward/2": []byte("b"), "forward_dead/1": []byte("c"), "other": []byte("d")}); err != nil {
		t.Fatal(err)
	}
	if err := s.PutAll(t.Context(), map[string][]byte{"forward/1": nil, "forward/2": []byte("e")}); err != nil {
		t.Fatal(err)
	}
	got, err := s.Blobs(t.Context(), "forward/")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string][]byte{"forward/2": []byte("e")}, got); diff != "" {
		t.Error(diff)
	}
	if data, err := s.Get(t.Context(), "other"); err != nil || string(data) != "d" {
		t.Errorf("got %q, %v", data, err)
	}
	if data, err := s.Get(t.Context(), "forward/1"); err != nil || data != nil {
		t.Errorf("what was removed is %q, %v", data, err)
	}
}

func TestAnInboundEventByItsNumber(t *testing.T) {
	s, now := newStateOf(t)
	ev := message.Event{Kind: message.EventInbound, ID: "wamid.1", At: now, From: message.Address{Phone: "+4915112345678"}, Type: "text", Text: "Hi"}
	if _, err := s.Append(t.Context(), []state.Inbox{{Provider: "provider.cloud.main", Received: now, Raw: []byte("x"), Events: []message.Event{ev}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Fold(t.Context(), 10); err != nil {
		t.Fatal(err)
	}
	open := openInbound(t, s)
	if len(open) != 1 {
		t.Fatal(open)
	}
	got := open[0]
	want := state.InboundEvent{Seq: 1, Provider: "provider.cloud.main", Received: now, Recipient: "+4915112345678", First: true, Event: ev}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	in := state.Intent{Key: state.Key{Campaign: "reply_rule.x", Recipient: "+4915112345678", Revision: int(got.Seq)}, To: ev.From, Attempt: 1, Ref: "r", Message: "text_message.x", Inbound: got.Seq}
	if _, err := s.Intend(t.Context(), 0, []state.Intent{in}); err != nil {
		t.Fatal(err)
	}
	rules, err := s.RepliedBy(t.Context(), "+4915112345678", got.Seq)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"reply_rule.x"}, rules); diff != "" {
		t.Error(diff)
	}
	if err := s.Erase(t.Context(), "+4915112345678"); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := s.Inbound(t.Context(), got.Seq); ok || err != nil {
		t.Errorf("what an erased person wrote is still there: %v, %v", ok, err)
	}
}

func newStateOf(t *testing.T) (*Store, time.Time) {
	t.Helper()
	now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	s, err := Create(t.Context(), Options{Path: t.TempDir() + "/handbill.state", Clock: func() time.Time { return now }, Rand: zeroReader{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, now
}

type zeroReader struct{}

func (zeroReader) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// openInbound are the events that no rule has answered.
func openInbound(t *testing.T, s *Store) (out []state.InboundEvent) {
	t.Helper()
	refs, err := s.OpenInbound(t.Context(), state.InboundRef{}, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, ref := range refs {
		ev, ok, err := s.Inbound(t.Context(), ref.Seq)
		if err != nil || !ok || ev.Recipient != ref.Recipient || ev.Provider != ref.Provider {
			t.Fatal(ref, ev, ok, err)
		}
		out = append(out, ev)
	}
	return out
}

func TestOpenEventsOfOnePersonAtOneNumber(t *testing.T) {
	s, now := newStateOf(t)
	for i, c := range []struct{ provider, from string }{
		{"provider.cloud.main", "+4915112345678"}, {"provider.cloud.main", "+4915187654321"},
		{"provider.cloud.other", "+4915112345678"}, {"provider.cloud.main", "+4915112345678"},
	} {
		ev := message.Event{Kind: message.EventInbound, ID: fmt.Sprint("wamid.", i), At: now, From: message.Address{Phone: c.from}, Type: "text", Text: "Hi"}
		if _, err := s.Append(t.Context(), []state.Inbox{{Provider: c.provider, Received: now, Raw: []byte{byte(i)}, Events: []message.Event{ev}}}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Fold(t.Context(), 10); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		from state.InboundRef
		n    int
		want []int64
	}{
		{state.InboundRef{}, 3, []int64{1, 2, 3}},
		{state.InboundRef{Seq: 3}, 3, []int64{4}},
		{state.InboundRef{Provider: "provider.cloud.main", Recipient: "+4915112345678"}, 9, []int64{1, 4}},
		{state.InboundRef{Seq: 1, Provider: "provider.cloud.main", Recipient: "+4915112345678"}, 9, []int64{4}},
		{state.InboundRef{Provider: "provider.cloud.none", Recipient: "+4915112345678"}, 9, nil},
	} {
		refs, err := s.OpenInbound(t.Context(), c.from, c.n)
		if err != nil {
			t.Fatal(err)
		}
		var got []int64
		for _, ref := range refs {
			got = append(got, ref.Seq)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%+v: %s", c.from, diff)
		}
	}
}
