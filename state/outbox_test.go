package state

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/message"
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
	if _, err := s.Append(t.Context(), []Inbox{{Provider: "provider.cloud.main", Received: now, Raw: []byte("x"), Events: []message.Event{ev}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Fold(t.Context(), 10); err != nil {
		t.Fatal(err)
	}
	claimed, err := s.ClaimInbound(t.Context(), 10)
	if err != nil || len(claimed) != 1 {
		t.Fatal(claimed, err)
	}
	got, ok, err := s.Inbound(t.Context(), claimed[0].Seq)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	if diff := cmp.Diff(claimed[0], got); diff != "" {
		t.Error(diff)
	}
	in := Intent{Key: Key{"reply_rule.x", "+4915112345678", int(got.Seq)}, To: ev.From, Attempt: 1, Ref: "r", Message: "text_message.x", Inbound: got.Seq}
	if _, err := s.Intend(t.Context(), 0, []Intent{in}); err != nil {
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
