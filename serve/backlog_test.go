package serve

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/state"
)

// openEvents is a store that knows which events are open, and nothing else.
type openEvents struct {
	Store
	refs   []state.InboundRef
	broken bool
}

func (o *openEvents) OpenInbound(_ context.Context, from state.InboundRef, n int) (out []state.InboundRef, err error) {
	if o.broken {
		return nil, errors.New("locked")
	}
	for _, ref := range o.refs {
		if ref.Seq > from.Seq && (from.Recipient == "" || ref.Recipient == from.Recipient && ref.Provider == from.Provider) && len(out) < n {
			out = append(out, ref)
		}
	}
	return out, nil
}

// add opens n more events of a person at a number.
func (o *openEvents) add(provider, recipient string, n int) {
	for range n {
		o.refs = append(o.refs, state.InboundRef{Seq: int64(len(o.refs) + 1), Provider: provider, Recipient: recipient})
	}
}

// answered takes an event out.
func (o *openEvents) answered(seq int64) {
	o.refs = slices.DeleteFunc(o.refs, func(r state.InboundRef) bool { return r.Seq == seq })
}

func (b *backlog) readAll(t *testing.T) {
	t.Helper()
	for more := true; more; {
		var err error
		if more, err = b.read(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// turns ends turn after turn until nothing waits, and tells who had them.
func (b *backlog) turns(t *testing.T, o *openEvents) (who []string, seqs map[string][]int64) {
	t.Helper()
	seqs = map[string][]int64{}
	for {
		l, seq, ok := b.next()
		if !ok {
			return who, seqs
		}
		who = append(who, l.recipient)
		seqs[l.recipient] = append(seqs[l.recipient], seq)
		o.answered(seq)
		if err := b.done(t.Context(), l, nil); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOnePersonsFloodWaitsBehindOthers(t *testing.T) {
	o := &openEvents{}
	o.add("a", "flood", 2*readAhead)
	o.add("a", "one", 1)
	o.add("a", "two", 3)
	b := newBacklog(o)
	b.readAll(t)
	if most := perPerson + 1 + 3; b.held != most {
		t.Errorf("%d events are held, want %d", b.held, most)
	}
	who, seqs := b.turns(t, o)
	if diff := cmp.Diff([]string{"flood", "one", "two", "flood", "two", "flood", "two", "flood"}, who[:8]); diff != "" {
		t.Error(diff)
	}
	for person, want := range map[string]int{"flood": 2 * readAhead, "one": 1, "two": 3} {
		if got := seqs[person]; len(got) != want || !slices.IsSorted(got) || len(slices.Compact(got)) != want {
			t.Errorf("%s: %d turns, want %d in order", person, len(got), want)
		}
	}
	if b.held != 0 || len(b.lines) != 0 {
		t.Errorf("%d events and %d people are held in the end", b.held, len(b.lines))
	}
}

func TestWhatComesWhileAPersonsEventsAreReadAgainHasOneTurn(t *testing.T) {
	o := &openEvents{}
	o.add("a", "ann", perPerson+2)
	b := newBacklog(o)
	b.readAll(t)
	o.add("a", "ann", 5) // not read yet, but the refill finds them
	_, first := b.turns(t, o)
	b.readAll(t)
	_, then := b.turns(t, o)
	if got := append(first["ann"], then["ann"]...); len(got) != perPerson+7 || len(slices.Compact(slices.Sorted(slices.Values(got)))) != perPerson+7 {
		t.Errorf("%d turns for %d events: %v", len(got), perPerson+7, got)
	}
}

func TestABusyNumberHoldsUpNoOther(t *testing.T) {
	o := &openEvents{}
	for i := range workers + 10 {
		o.add("busy", fmt.Sprint(i), 1)
	}
	o.add("idle", "eve", 1)
	b := newBacklog(o)
	b.readAll(t)
	got := map[string]int{}
	for l, _, ok := b.next(); ok; l, _, ok = b.next() {
		got[l.provider]++
	}
	if diff := cmp.Diff(map[string]int{"busy": workers, "idle": 1}, got); diff != "" {
		t.Error(diff)
	}
}

func TestAnEventIsTriedAgainAfterTheStateFailed(t *testing.T) {
	o := &openEvents{}
	o.add("a", "ann", perPerson+1)
	b := newBacklog(o)
	b.readAll(t)
	l, seq, _ := b.next()
	if err := b.done(t.Context(), l, errors.New("locked")); err == nil {
		t.Error("the fault is not told")
	}
	if _, _, ok := b.next(); ok {
		t.Error("the person has another turn at once")
	}
	if err := b.again(t.Context()); err != nil {
		t.Fatal(err)
	}
	l, second, ok := b.next()
	if !ok || second != seq {
		t.Fatalf("event %d has a turn, want %d", second, seq)
	}
	o.answered(seq)
	if err := b.done(t.Context(), l, nil); err != nil {
		t.Fatal(err)
	}
	for range perPerson - 2 {
		l, seq, _ = b.next()
		o.answered(seq)
		if err := b.done(t.Context(), l, nil); err != nil {
			t.Fatal(err)
		}
	}
	l, seq, _ = b.next()
	o.answered(seq)
	o.broken = true
	if err := b.done(t.Context(), l, nil); err == nil {
		t.Error("a refill that failed is not told")
	}
	o.broken = false
	if err := b.again(t.Context()); err != nil {
		t.Fatal(err)
	}
	if who, _ := b.turns(t, o); len(who) != 1 {
		t.Errorf("%d turns are left, want 1", len(who))
	}
}

func TestTheBacklogIsBounded(t *testing.T) {
	o := &openEvents{}
	for i := range heldMost + readAhead {
		o.add("a", fmt.Sprint(i), 1)
	}
	b := newBacklog(o)
	b.readAll(t)
	if b.held > heldMost+readAhead || !b.full || b.room() {
		t.Errorf("%d events are held", b.held)
	}
}
