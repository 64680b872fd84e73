package sqlite

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/state/statetest"
)

// testClock shows the same time until it is moved.
type testClock struct{ now time.Time }

func (c *testClock) read() time.Time { return c.now }

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func options(path string) Options {
	clock := &testClock{noon}
	return Options{Path: path, Clock: clock.read, Rand: rand.NewChaCha8([32]byte{1}), Version: "test"}
}

func create(t testing.TB) (*Store, *testClock) {
	t.Helper()
	return createAt(t, filepath.Join(t.TempDir(), "handbill.state"))
}

func createAt(t statetest.T, path string) (*Store, *testClock) {
	t.Helper()
	o := options(path)
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

const number = "provider.cloud.main"

// begin opens a run and returns its lane.
func begin(t statetest.T, s *Store) state.Lane {
	t.Helper()
	return beginAt(t, s, number)[0]
}

// beginAt opens a run that sends through several numbers.
func beginAt(t statetest.T, s *Store, numbers ...string) []state.Lane {
	t.Helper()
	r := state.Run{Version: "test", Plan: "sha256:1"}
	for _, number := range numbers {
		r.Lanes = append(r.Lanes, state.Lane{Number: number})
	}
	r, err := s.Begin(t.Context(), r, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r.Lanes
}

func phone(i int) string { return fmt.Sprintf("+49151%08d", i) }

func intent(s *Store, recipient string) state.Intent {
	k := state.Key{Campaign: "campaign.spring", Recipient: recipient, Revision: 1}
	return state.Intent{Key: k, To: message.AddressOf(recipient), Attempt: 1, Message: "list_message.browse", Digest: [16]byte{1, 2, 3},
		Body: [32]byte{9}, Ref: message.NewRef(s.lineage, k.Campaign, recipient, 1, 1)}
}

func intend(t statetest.T, s *Store, lane state.Lane, in ...state.Intent) []state.Verdict {
	t.Helper()
	v, err := s.Intend(t.Context(), lane, in)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func settle(t statetest.T, s *Store, lane state.Lane, out ...state.Outcome) {
	t.Helper()
	if err := s.Settle(t.Context(), lane, out); err != nil {
		t.Fatal(err)
	}
}

// wamidOf returns an id in Meta's form: base64 of some 45 bytes.
func wamidOf(i int) string {
	r := rand.NewChaCha8([32]byte{byte(i), byte(i >> 8), byte(i >> 16), 7})
	b := make([]byte, 45)
	_, _ = r.Read(b)
	return wamid + base64Std(b)
}

func accepted(v state.Verdict, id string) state.Outcome {
	return state.Outcome{Attempt: v.Attempt, Send: state.Accepted, ID: id, Proof: state.ProofResponse, At: noon}
}

func deliveries(t statetest.T, s *Store) []state.Delivery {
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

// one returns the only delivery of the state.
func oneDelivery(t statetest.T, s *Store) state.Delivery {
	t.Helper()
	all := deliveries(t, s)
	if len(all) != 1 {
		t.Fatalf("%d deliveries, want 1: %+v", len(all), all)
	}
	return all[0]
}

func person(t statetest.T, s *Store, recipient string) state.Person {
	t.Helper()
	p, err := s.Person(t.Context(), "provider.cloud.main", recipient)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func status(id, ref string, rank message.Rank, at time.Time) message.Event {
	return message.Event{Kind: message.EventStatus, ID: id, Ref: ref, Rank: rank, At: at}
}

func failure(id, ref, code string, at time.Time) message.Event {
	return message.Event{Kind: message.EventStatus, ID: id, Ref: ref, Failed: true, Code: code, Title: "t" + code, At: at}
}

func events(t statetest.T, s *Store, evs ...message.Event) {
	t.Helper()
	if err := s.Events(t.Context(), "provider.cloud.main", evs); err != nil {
		t.Fatal(err)
	}
}

func snapshot(t statetest.T, s *Store) state.Snapshot {
	t.Helper()
	snap, err := s.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { snap.Close() })
	return snap
}

func verify(t statetest.T, s *Store) {
	t.Helper()
	r, err := s.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !r.OK() {
		t.Fatalf("verify found %+v", r.Problems)
	}
}

// The database itself refuses a second message, even if the code above it has a
// bug.
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
