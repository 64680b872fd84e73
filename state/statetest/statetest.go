// Package statetest tests a store against the contract of state.Store. A new kind of
// store that passes these tests keeps the rules of sending once.
//
//	func TestContract(t *testing.T) {
//		statetest.Run(t, func(t statetest.T, o statetest.Options) state.Store { … })
//	}
//
// It does not test what damaged files, failing servers or crashes do to a store.
package statetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// T is the part of testing.T that tests and properties share.
type T interface {
	Helper()
	Error(args ...any)
	Errorf(format string, args ...any)
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Cleanup(f func())
	Context() context.Context
}

// Options are what a test requires of the store that it opens.
type Options struct {
	Clock func() time.Time
	// Wish reads what a person's message says about getting further messages.
	Wish func(ev *message.Event, at time.Time) state.Wish
}

// Open makes a new, empty state, or ends the test. With t.Cleanup it closes the store
// and, if the store can, checks it for damage.
type Open func(t T, o Options) state.Store

// suite has the tests: each method whose name begins with Test is one.
type suite struct{ open Open }

// Run runs every test of the contract, or only some by name, each as a subtest.
func Run(t *testing.T, open Open, only ...string) {
	u := reflect.ValueOf(suite{open})
	for i := range u.NumMethod() {
		if name, ok := strings.CutPrefix(u.Type().Method(i).Name, "Test"); ok && (len(only) == 0 || slices.Contains(only, name)) {
			t.Run(name, u.Method(i).Interface().(func(*testing.T)))
		}
	}
}

// testClock stands still until it is moved.
type testClock struct{ now time.Time }

func (c *testClock) read() time.Time { return c.now }

// mainNumber is the sending number that tests use unless they name another.
const mainNumber, otherNumber = "provider.cloud.main", "provider.cloud.other"

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func (u suite) create(t T) (state.Store, *testClock) {
	t.Helper()
	clock := &testClock{noon}
	return u.open(t, Options{Clock: clock.read, Wish: says}), clock
}

// begin opens a run and returns its lane of the main number.
func begin(t T, s state.Store) state.Lane {
	t.Helper()
	return beginAt(t, s, mainNumber)[0]
}

// beginAt opens a run that sends through some numbers.
func beginAt(t T, s state.Store, numbers ...string) []state.Lane {
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

// answering takes a number for replies.
func answering(t T, s state.Store, number string) state.Lane {
	t.Helper()
	lane, _, err := s.RecoverReplies(t.Context(), number)
	if err != nil {
		t.Fatal(err)
	}
	return lane
}

func phone(i int) string { return fmt.Sprintf("+49151%08d", i) }

// lineage returns the lineage of an open store.
func lineage(s state.Store) string {
	m, err := s.Meta(context.Background())
	if err != nil {
		panic(err)
	}
	return m.Lineage
}

func intent(s state.Store, recipient string) state.Intent {
	k := state.Key{Campaign: "campaign.spring", Recipient: recipient, Revision: 1}
	return state.Intent{Key: k, To: message.AddressOf(recipient), Attempt: 1, Message: "list_message.browse", Digest: [16]byte{1, 2, 3},
		Body: [32]byte{9}, Ref: message.NewRef(lineage(s), k.Campaign, recipient, 1, 1)}
}

func intend(t T, s state.Store, run state.Lane, in ...state.Intent) []state.Verdict {
	t.Helper()
	v, err := s.Intend(t.Context(), run, in)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func settle(t T, s state.Store, run state.Lane, out ...state.Outcome) {
	t.Helper()
	if err := s.Settle(t.Context(), run, out); err != nil {
		t.Fatal(err)
	}
}

// wamidOf returns an id that looks like Meta's.
func wamidOf(i int) string {
	r := rand.New(rand.NewPCG(uint64(i), 7))
	return fmt.Sprintf("wamid.%016x%016x", r.Uint64(), r.Uint64())
}

func accepted(v state.Verdict, id string) state.Outcome {
	return state.Outcome{Attempt: v.Attempt, Send: state.Accepted, ID: id, Proof: state.ProofResponse, At: noon}
}

func deliveries(t T, s state.Store) []state.Delivery {
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

// oneDelivery returns the only delivery of the state.
func oneDelivery(t T, s state.Store) state.Delivery {
	t.Helper()
	all := deliveries(t, s)
	if len(all) != 1 {
		t.Fatalf("%d deliveries, want 1: %+v", len(all), all)
	}
	return all[0]
}

func person(t T, s state.Store, recipient string) state.Person {
	t.Helper()
	p, err := s.Person(t.Context(), mainNumber, recipient)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
