package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// testClock stands still until it is moved.
type testClock struct{ now time.Time }

func (c *testClock) read() time.Time { return c.now }

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func options(path string) Options {
	clock := &testClock{noon}
	return Options{Path: path, Clock: clock.read, Rand: rand.NewChaCha8([32]byte{1}), Version: "test"}
}

func create(t testing.TB) (*Store, *testClock) {
	t.Helper()
	o := options(filepath.Join(t.TempDir(), "handbill.state"))
	clock := &testClock{noon}
	o.Clock = clock.read
	s, err := Create(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, clock
}

func begin(t testing.TB, s *Store) int64 {
	t.Helper()
	id, err := s.Begin(t.Context(), state.Run{Version: "test", Plan: "sha256:1"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func phone(i int) string { return fmt.Sprintf("+49151%08d", i) }

func intent(s *Store, recipient string) state.Intent {
	k := state.Key{Campaign: "campaign.spring", Recipient: recipient, Revision: 1}
	return state.Intent{Key: k, To: addressOf(recipient), Attempt: 1, Message: "list_message.browse", Digest: [16]byte{1, 2, 3},
		Body: [32]byte{9}, Ref: message.NewRef(s.lineage, k.Campaign, recipient, 1, 1)}
}

func intend(t testing.TB, s *Store, run int64, in ...state.Intent) []state.Verdict {
	t.Helper()
	v, err := s.Intend(t.Context(), run, in)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func settle(t testing.TB, s *Store, run int64, out ...state.Outcome) {
	t.Helper()
	if err := s.Settle(t.Context(), run, out); err != nil {
		t.Fatal(err)
	}
}

// wamidOf looks like Meta's ids: base64 of some 45 bytes.
func wamidOf(i int) string {
	r := rand.NewChaCha8([32]byte{byte(i), byte(i >> 8), byte(i >> 16), 7})
	b := make([]byte, 45)
	_, _ = r.Read(b)
	return wamid + base64Std(b)
}

func accepted(v state.Verdict, id string) state.Outcome {
	return state.Outcome{Attempt: v.Attempt, Send: state.Accepted, ID: id, Proof: state.ProofResponse, At: noon}
}

func deliveries(t testing.TB, s *Store) []state.Delivery {
	t.Helper()
	snap, err := s.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer snap.Close()
	var out []state.Delivery
	for d, err := range snap.Deliveries(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, d)
	}
	return out
}

// one is the only delivery of the state.
func oneDelivery(t testing.TB, s *Store) state.Delivery {
	t.Helper()
	all := deliveries(t, s)
	if len(all) != 1 {
		t.Fatalf("%d deliveries, want 1: %+v", len(all), all)
	}
	return all[0]
}

func person(t testing.TB, s *Store, recipient string) state.Person {
	t.Helper()
	p, err := s.Person(t.Context(), recipient)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func verify(t testing.TB, s *Store) {
	t.Helper()
	r, err := s.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !r.OK() {
		t.Fatalf("verify found %+v", r.Problems)
	}
}

func TestDeliveryIsReadAsItWasWritten(t *testing.T) {
	s, _ := create(t)
	run := begin(t, s)
	for _, recipient := range []string{"+4915112345678", "US.13491208655302741918"} {
		in := intent(s, recipient)
		v := intend(t, s, run, in)
		settle(t, s, run, accepted(v[0], "wamid.HBgNNDkxNTExMjM0NTY3OBUCABEYEjdBRkE5RjQ3QkUwM0M3OEI1RAA="))
		want := state.Delivery{Key: in.Key, To: in.To, Send: state.Accepted, Attempt: 1, Ref: in.Ref, Message: in.Message, Digest: in.Digest,
			ID: "wamid.HBgNNDkxNTExMjM0NTY3OBUCABEYEjdBRkE5RjQ3QkUwM0M3OEI1RAA=", Proof: state.ProofResponse, Intended: noon, Settled: noon}
		all := deliveries(t, s)
		if diff := cmp.Diff(want, all[len(all)-1]); diff != "" {
			t.Errorf("delivery to %s (-want +got):\n%s", recipient, diff)
		}
	}
	verify(t, s)
}

func TestASecondAttemptIsGated(t *testing.T) {
	for _, tc := range []struct {
		name    string
		outcome *state.Outcome
		again   func(*state.Intent)
		gate    string
		next    int
	}{
		{"open", nil, nil, state.GateDoubt, 0},
		{"accepted", &state.Outcome{Send: state.Accepted, ID: "x", Proof: state.ProofResponse}, nil, state.GateSent, 0},
		{"accepted, as a retry", &state.Outcome{Send: state.Accepted, ID: "x", Proof: state.ProofResponse}, func(in *state.Intent) { in.Attempt, in.Retry = 2, true }, state.GateSent, 0},
		{"in doubt", &state.Outcome{Send: state.InDoubt, Cause: "timeout"}, func(in *state.Intent) { in.Attempt, in.Retry = 2, true }, state.GateDoubt, 0},
		{"refused", &state.Outcome{Send: state.Rejected, Code: "131026"}, func(in *state.Intent) { in.Attempt = 2 }, state.GateRefused, 0},
		{"refused, as a retry", &state.Outcome{Send: state.Rejected, Code: "131026"}, func(in *state.Intent) { in.Attempt, in.Retry = 2, true }, "", 0},
		{"not taken", &state.Outcome{Send: state.Pending, Code: "130429"}, func(in *state.Intent) { in.Attempt = 2 }, "", 0},
		{"not taken, by an old plan", &state.Outcome{Send: state.Pending, Code: "130429"}, nil, state.GateAttempt, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, _ := create(t)
			run := begin(t, s)
			in := intent(s, phone(1))
			v := intend(t, s, run, in)
			if tc.outcome != nil {
				o := *tc.outcome
				o.Attempt, o.At = v[0].Attempt, noon
				settle(t, s, run, o)
			}
			if tc.again != nil {
				tc.again(&in)
			}
			in.Ref = message.NewRef(s.lineage, in.Campaign, in.Recipient, 1, in.Attempt)
			got := intend(t, s, run, in)[0]
			if got.Gate != tc.gate || got.Next != tc.next || (got.Attempt != 0) != (tc.gate == "") {
				t.Errorf("verdict %+v, want gate %q", got, tc.gate)
			}
			verify(t, s)
		})
	}
}

// The database refuses a second message by itself, whatever the code above it
// believes.
func TestTheDatabaseRefusesASecondMessage(t *testing.T) {
	s, _ := create(t)
	run := begin(t, s)
	in := intent(s, phone(1))
	intend(t, s, run, in)
	err := s.write(t.Context(), func(tx *tx) error {
		return tx.c.exec("INSERT INTO attempts SELECT id + 1, recipient, campaign, revision, attempt + 1, run, message, intended, digest, body, NULL, sum FROM attempts")
	})
	if err == nil {
		t.Error("a second open attempt was stored")
	}
	settle(t, s, run, accepted(state.Verdict{Attempt: 1}, "a"))
	err = s.write(t.Context(), func(tx *tx) error {
		return tx.c.exec("INSERT OR REPLACE INTO outcomes SELECT id, 3, proof, settled, code, title, cause, hash, sent_id, sum FROM outcomes")
	})
	if err == nil {
		t.Error("an accepted delivery became rejected")
	}
	verify(t, s)
}

func TestGatesOfAPerson(t *testing.T) {
	inbound := func(at time.Time) message.Event {
		return message.Event{Kind: message.EventInbound, ID: "in1", At: at, From: message.Address{Phone: phone(1)}, Type: "text", Text: "hi"}
	}
	for _, tc := range []struct {
		name   string
		events []message.Event
		before func(*Store) error
		change func(*state.Intent)
		gate   string
		until  time.Time
	}{
		{name: "nothing known, marketing", change: func(in *state.Intent) { in.Marketing = true }},
		{name: "opted out", before: func(s *Store) error { return s.OptOut(context.Background(), phone(1), "stop_word", "STOP") },
			change: func(in *state.Intent) { in.Marketing = true }, gate: state.GateOptedOut},
		{name: "opted out, a reply", before: func(s *Store) error { return s.OptOut(context.Background(), phone(1), "stop_word", "STOP") },
			change: func(*state.Intent) {}},
		{name: "opted out and in again", before: func(s *Store) error {
			return errors.Join(s.OptOut(context.Background(), phone(1), "stop_word", "STOP"), s.OptIn(context.Background(), phone(1), "START"))
		}, change: func(in *state.Intent) { in.Marketing = true }},
		{name: "erased", before: func(s *Store) error { return s.Erase(context.Background(), phone(1)) },
			change: func(in *state.Intent) { in.Marketing = true }, gate: state.GateOptedOut},
		{name: "window unknown", change: func(in *state.Intent) { in.Window = true }, gate: state.GateWindowUnknown},
		{name: "window assumed open", change: func(in *state.Intent) { in.Window, in.AssumeOpen = true, true }},
		{name: "window claimed", change: func(in *state.Intent) { in.Window, in.KnownUntil = true, noon.Add(time.Hour) }},
		{name: "window open", events: []message.Event{inbound(noon.Add(-23 * time.Hour))}, change: func(in *state.Intent) { in.Window = true }},
		{name: "window ends in half a minute", events: []message.Event{inbound(noon.Add(-24*time.Hour + 30*time.Second))},
			change: func(in *state.Intent) { in.Window = true }, gate: state.GateWindowClosed},
		{name: "window closed, though assumed open", events: []message.Event{inbound(noon.Add(-25 * time.Hour))},
			change: func(in *state.Intent) { in.Window, in.AssumeOpen = true, true }, gate: state.GateWindowClosed},
		{name: "stopped in WhatsApp", events: []message.Event{{Kind: message.EventPreference, At: noon, From: message.Address{Phone: phone(1)}, OptOut: true}},
			change: func(in *state.Intent) { in.Marketing = true }, gate: state.GateOptedOut},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, _ := create(t)
			run := begin(t, s)
			if tc.before != nil {
				if err := tc.before(s); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.Events(t.Context(), "provider.cloud.main", tc.events); err != nil {
				t.Fatal(err)
			}
			in := intent(s, phone(1))
			tc.change(&in)
			v := intend(t, s, run, in)[0]
			if v.Gate != tc.gate || !v.Until.Equal(tc.until) {
				t.Errorf("verdict %+v, want gate %q", v, tc.gate)
			}
			verify(t, s)
		})
	}
}

func TestFrequencyCap(t *testing.T) {
	s, clock := create(t)
	run := begin(t, s)
	in := intent(s, phone(1))
	for i := range 3 {
		in.Campaign = fmt.Sprintf("campaign.n%d", i)
		in.Ref = fmt.Sprint("ref", i)
		in.CapCount, in.CapPer = 2, 48*time.Hour
		v := intend(t, s, run, in)[0]
		if i < 2 {
			if v.Gate != "" {
				t.Fatalf("message %d: %+v", i, v)
			}
			settle(t, s, run, accepted(v, fmt.Sprint("id", i)))
			clock.now = clock.now.Add(time.Hour)
			continue
		}
		if want := noon.Add(48 * time.Hour); v.Gate != state.GateCap || !v.Until.Equal(want) {
			t.Errorf("third message: %+v, want %s until %s", v, state.GateCap, want)
		}
	}
}

func TestFencing(t *testing.T) {
	s, _ := create(t)
	zombie := begin(t, s)
	v := intend(t, s, zombie, intent(s, phone(1)))[0]
	heir := begin(t, s)
	if _, err := s.Intend(t.Context(), zombie, []state.Intent{intent(s, phone(2))}); !errors.Is(err, state.ErrFenced) {
		t.Errorf("a zombie's intent: %v, want %v", err, state.ErrFenced)
	}
	if err := s.Settle(t.Context(), zombie, []state.Outcome{accepted(v, "x")}); !errors.Is(err, state.ErrFenced) {
		t.Errorf("a zombie's outcome: %v, want %v", err, state.ErrFenced)
	}
	if d := deliveries(t, s); len(d) != 1 || d[0].Send != state.Accepted || d[0].ID != "x" {
		t.Errorf("the zombie's outcome is not recorded: %+v", d)
	}
	intend(t, s, heir, intent(s, phone(2)))
}

func TestRecoverMakesDoubts(t *testing.T) {
	s, _ := create(t)
	run := begin(t, s)
	v := intend(t, s, run, intent(s, phone(1)), intent(s, phone(2)), intent(s, phone(3)))
	settle(t, s, run, accepted(v[1], "x"))
	n, err := s.Recover(t.Context())
	if n != 2 || err != nil {
		t.Fatalf("recovered %d, %v; want 2", n, err)
	}
	if n, err = s.Recover(t.Context()); n != 0 || err != nil {
		t.Fatalf("recovered %d more, %v", n, err)
	}
	got, err := s.Tally(t.Context(), "campaign.spring", 1)
	if diff := cmp.Diff(state.Tally{Accepted: 1, InDoubt: 2}, got); diff != "" || err != nil {
		t.Errorf("tally (-want +got):\n%s%v", diff, err)
	}
	key := state.Key{Campaign: "campaign.spring", Recipient: phone(1), Revision: 1}
	if err := s.Resolve(t.Context(), key, state.Pending, "ann", "not in the log"); err != nil {
		t.Fatal(err)
	}
	if err := s.Resolve(t.Context(), state.Key{Campaign: "campaign.spring", Recipient: phone(3), Revision: 1}, state.Accepted, "ann", "seen on the phone"); err != nil {
		t.Fatal(err)
	}
	if err := s.Resolve(t.Context(), key, state.Accepted, "ann", "again"); err == nil {
		t.Error("a delivery that is not in doubt was resolved")
	}
	run = begin(t, s)
	in := intent(s, phone(1))
	in.Attempt, in.Ref = 2, message.NewRef(s.lineage, in.Campaign, in.Recipient, 1, 2)
	if v := intend(t, s, run, in)[0]; v.Gate != "" {
		t.Errorf("after resolve -as=not-sent: %+v", v)
	}
	verify(t, s)
}

func TestExportIsDeterministic(t *testing.T) {
	s, _ := create(t)
	run := begin(t, s)
	for i := range 5 {
		v := intend(t, s, run, intent(s, phone(i)))
		settle(t, s, run, accepted(v[0], wamidOf(i)))
	}
	var a, b bytes.Buffer
	if err := errors.Join(s.Export(t.Context(), &a), s.Export(t.Context(), &b)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(a.String(), b.String()); diff != "" || bytes.Count(a.Bytes(), []byte("\n")) != 7 {
		t.Errorf("two exports differ, or are not of seven lines:\n%s\n%s", diff, &a)
	}
}
