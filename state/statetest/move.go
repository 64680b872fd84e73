package statetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/state/memstate"
)

// Kind is a kind of store that states are moved from and to.
type Kind struct {
	Open Open
	// Draft begins a state at a place, into which another one is moved. opened opens it after it was published, and fails
	// before.
	Draft func(t T, o Options, place string) (d state.Draft, opened func() (state.Store, error))
}

// Moves tests that a state that is moved from one kind of store to the next gives the same answers, and goes on as it would
// have.
func Moves(t *testing.T, kinds ...Kind) {
	t.Run("AnyHistory", func(t *testing.T) {
		n := 0
		rapid.Check(t, func(rt *rapid.T) { n++; anyMove(rt, kinds, fmt.Sprint("moved", n)) })
	})
	MoveFailures(t, kinds[0], kinds[1])
}

// MoveFailures tests what must not be moved, and moves that are cut short.
func MoveFailures(t *testing.T, from, to Kind) {
	t.Run("Refusals", func(t *testing.T) { moveRefusals(t, from) })
	t.Run("Lost", func(t *testing.T) { moveLost(t, from, to) })
	t.Run("Interrupted", func(t *testing.T) { moveInterrupted(t, from, to) })
}

// anyMove makes random calls on a store and on the model, moves the store, and makes more.
func anyMove(t *rapid.T, kinds []Kind, place string) {
	clock := &testClock{noon}
	o := Options{Clock: clock.read, Wish: says}
	s := kinds[0].Open(t, o)
	p := &pair{t: t, clock: clock, store: s, lineage: lineage(s)}
	p.model = memstate.New(memstate.Options{Clock: clock.read, Lineage: p.lineage, Wish: says})
	for i := range kinds {
		p.lanes, p.run, p.replies = map[string][2]state.Lane{}, 0, [2]state.Lane{}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			clock.now = clock.now.Add(time.Duration(rapid.IntRange(0, 4).Draw(t, "wait")) * 7 * time.Hour / 3)
			p.step()
		}
		if i+1 < len(kinds) {
			p.move(kinds[i+1], o, fmt.Sprint(place, "_", i))
		}
	}
}

// move moves the store, and compares all that can be read of it before and after, and with the model.
func (p *pair) move(to Kind, o Options, place string) {
	p.t.Helper()
	p.recover(mainNumber)
	p.recover(otherNumber)
	before := items(p.t, p.store)
	d, opened := to.Draft(p.t, o, place)
	if _, err := state.Move(p.t.Context(), p.store.(state.Movable), d, place, "ada"); err != nil {
		p.t.Fatal(err)
	}
	wantHalt(p.t, p.store, state.MovedTo(place))
	var err error
	if p.store, err = opened(); err != nil {
		p.t.Fatal(err)
	}
	wantHalt(p.t, p.store, "")
	if diff := cmp.Diff(before, items(p.t, p.store)); diff != "" {
		p.t.Fatalf("the items differ (-before +after):\n%s", diff)
	}
	if diff := cmp.Diff(p.picture(p.model), p.picture(p.store), cmpopts.EquateEmpty()); diff != "" {
		p.t.Fatalf("the moved state differs (-model +store):\n%s", diff)
	}
}

// items returns all items as sorted texts, except what is known of people, which stores keep in two ways.
func items(t T, s state.Store) (out []string) {
	t.Helper()
	for i, err := range s.(state.Movable).Items(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if _, people := i.(state.Told); people {
			continue
		}
		text, err := json.Marshal(i)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, fmt.Sprintf("%T %s", i, strings.NewReplacer("null", "[]", `""`, "[]").Replace(string(text))))
	}
	slices.Sort(out)
	return out
}

func wantHalt(t T, s state.Store, why string) {
	t.Helper()
	halt, err := s.Halted(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	if halt != nil {
		got = halt.Why
	}
	if got != why {
		t.Fatalf("halted for %q, want %q", got, why)
	}
}

// nothing is a taker that must not be called.
func nothing(t T) func(iter.Seq2[state.Item, error]) error {
	return func(iter.Seq2[state.Item, error]) error {
		t.Error("a state was given away that must not be moved")
		return nil
	}
}

func moveRefusals(t *testing.T, from Kind) {
	clock := &testClock{noon}
	s := from.Open(t, Options{Clock: clock.read})
	m := s.(state.Movable)
	run := begin(t, s)
	intend(t, s, run, intent(s, phone(1)))
	if err := m.MoveAway(t.Context(), "there", "ada", nothing(t)); err == nil || !strings.Contains(err.Error(), "in doubt") {
		t.Errorf("a state with an open attempt: %v", err)
	}
	if _, err := s.Recover(t.Context(), mainNumber); err != nil {
		t.Fatal(err)
	}
	full := errors.New("no room there")
	if err := m.MoveAway(t.Context(), "there", "ada", func(iter.Seq2[state.Item, error]) error { return full }); !errors.Is(err, full) {
		t.Errorf("a move that failed: %v", err)
	}
	wantHalt(t, s, "")
	take := func(iter.Seq2[state.Item, error]) error { return nil }
	if err := m.MoveAway(t.Context(), "there", "ada", take); err != nil {
		t.Fatal(err)
	}
	wantHalt(t, s, state.MovingTo("there"))
	var halt *state.HaltError
	if err := m.MoveAway(t.Context(), "elsewhere", "ada", nothing(t)); !errors.As(err, &halt) {
		t.Errorf("a state that is being moved to another place: %v", err)
	}
	if _, err := s.Begin(t.Context(), state.Run{}, nil); !errors.As(err, &halt) {
		t.Errorf("an apply from a state that is being moved: %v", err)
	}
	if err := m.MoveAway(t.Context(), "there", "ada", take); err != nil {
		t.Errorf("a state that is being moved, once more: %v", err)
	}
	if err := m.Moved(t.Context(), "there"); err != nil {
		t.Fatal(err)
	}
	if err := m.MoveAway(t.Context(), "there", "ada", nothing(t)); !errors.As(err, &halt) {
		t.Errorf("a state that was moved: %v", err)
	}
}

// killedDraft ends its process in the middle, as far as a state can tell.
type killedDraft struct {
	state.Draft
	adds, publishes int // that it lives through
}

var errKilled = errors.New("killed")

func (d *killedDraft) Add(ctx context.Context, items []state.Item) error {
	if d.adds--; d.adds < 0 {
		return errKilled
	}
	return d.Draft.Add(ctx, items)
}

func (d *killedDraft) Publish(ctx context.Context) error {
	if d.publishes--; d.publishes < 0 {
		return errKilled
	}
	return d.Draft.Publish(ctx)
}

// forgetfulDraft loses one of its items.
type forgetfulDraft struct{ state.Draft }

func (d forgetfulDraft) Add(ctx context.Context, items []state.Item) error {
	return d.Draft.Add(ctx, items[:len(items)-1])
}

// moveLost tests that a state is not sealed whose copy lacks something.
func moveLost(t *testing.T, from, to Kind) {
	clock := &testClock{noon}
	o := Options{Clock: clock.read}
	s := from.Open(t, o)
	if err := s.OptOut(t.Context(), phone(1), "operator", "called"); err != nil {
		t.Fatal(err)
	}
	run := begin(t, s)
	settle(t, s, run, accepted(intend(t, s, run, intent(s, phone(2)))[0], wamidOf(1)))
	if err := s.Halt(t.Context(), state.Halt{Campaign: "campaign.spring", Reason: "canary", Since: noon}); err != nil {
		t.Fatal(err)
	}
	if err := s.Move(t.Context(), "campaign.spring", "campaign.easter"); err != nil { // a decision, which comes last
		t.Fatal(err)
	}
	d, opened := to.Draft(t, o, "lost")
	if _, err := state.Move(t.Context(), s.(state.Movable), forgetfulDraft{d}, "there", "ada"); err == nil || !strings.Contains(err.Error(), "does not hold what the state holds") {
		t.Errorf("a copy that lacks something: %v", err)
	}
	wantHalt(t, s, "")
	if _, err := opened(); err == nil {
		t.Error("a copy that lacks something can be used")
	}
}

func moveInterrupted(t *testing.T, from, to Kind) {
	clock := &testClock{noon}
	o := Options{Clock: clock.read}
	s := from.Open(t, o)
	many := map[string][]byte{}
	for i := range 4200 { // more than one transaction takes
		many[fmt.Sprint("item/", i)] = []byte{1}
	}
	if err := s.PutAll(t.Context(), many); err != nil {
		t.Fatal(err)
	}
	before := items(t, s)
	for _, killed := range []killedDraft{{adds: 1}, {adds: 1 << 20}} {
		d, opened := to.Draft(t, o, "interrupted")
		killed.Draft = d
		if _, err := state.Move(t.Context(), s.(state.Movable), &killed, "there", "ada"); !errors.Is(err, errKilled) {
			t.Fatalf("a move that was killed: %v", err)
		}
		if half, err := opened(); err == nil {
			t.Errorf("%d items of a move that did not finish can be used", len(items(t, half)))
		}
		if killed.adds < 0 {
			wantHalt(t, s, "")
		} else {
			wantHalt(t, s, state.MovingTo("there"))
		}
	}
	d, opened := to.Draft(t, o, "interrupted")
	if _, err := state.Move(t.Context(), s.(state.Movable), d, "there", "ada"); err != nil {
		t.Fatal(err)
	}
	s, err := opened()
	if err != nil {
		t.Fatal(err)
	}
	notes := func(line string) bool { return strings.Contains(line, "moved the state") }
	if diff := cmp.Diff(slices.DeleteFunc(before, notes), slices.DeleteFunc(items(t, s), notes)); diff != "" {
		t.Errorf("the items differ (-before +after):\n%s", diff)
	}
}
