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

// openEvents is a store that knows only which events are open.
type openEvents struct {
	Store
	refs   []state.InboundRef
	is     map[string]string // ids that turned out to belong to somebody
	broken bool
}

func (o *openEvents) Claim(_ context.Context, lane state.Lane, after int64, n int) (out []state.InboundRef, upto int64, err error) {
	if o.broken {
		return nil, after, errors.New("locked")
	}
	upto = after
	waits := map[string]bool{}
	for _, ref := range o.refs {
		if ref.Provider != lane.Number || n == 0 {
			continue
		}
		ref.Recipient = o.person(ref.Recipient)
		if ref.Seq > after {
			n, upto = n-1, ref.Seq
			if !waits[ref.Recipient] {
				out = append(out, ref)
			}
		}
		waits[ref.Recipient] = true
	}
	return out, upto, nil
}

func (o *openEvents) ClaimNext(_ context.Context, lane state.Lane, recipient string) (state.InboundRef, bool, error) {
	if o.broken {
		return state.InboundRef{}, false, errors.New("locked")
	}
	for _, ref := range o.refs {
		if o.person(ref.Recipient) == o.person(recipient) && ref.Provider == lane.Number {
			ref.Recipient = o.person(recipient)
			return ref, true, nil
		}
	}
	return state.InboundRef{}, false, nil
}

// person returns the person to whom an id belongs.
func (o *openEvents) person(id string) string {
	if person, known := o.is[id]; known {
		return person
	}
	return id
}

// backlogOf returns a backlog of the events that are open at some numbers.
func backlogOf(t *testing.T, o *openEvents, numbers ...string) *backlog {
	t.Helper()
	var lanes []state.Lane
	for _, number := range numbers {
		lanes = append(lanes, state.Lane{Number: number})
	}
	b := newBacklog(o, lanes)
	b.readAll(t)
	return b
}

// add opens n more events of a person at a number.
func (o *openEvents) add(provider, recipient string, n int) {
	for range n {
		o.refs = append(o.refs, state.InboundRef{Seq: int64(len(o.refs) + 1), Provider: provider, Recipient: recipient})
	}
}

// answered removes an event.
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

// turns takes and ends turns until nothing waits, and returns who had them.
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
	b := backlogOf(t, o, "a")
	if len(b.held) != 3 {
		t.Errorf("%d events are held, want one a person", len(b.held))
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
	if len(b.held) != 0 || len(b.lines) != 0 {
		t.Errorf("%d events and %d people are held in the end", len(b.held), len(b.lines))
	}
}

// An event that arrives after the last one was answered, but before that turn
// ends, gets exactly one turn of its own.
func TestAnEventAtTheEndOfATurnGetsOneTurn(t *testing.T) {
	o := &openEvents{}
	o.add("a", "ann", 1)
	b := backlogOf(t, o, "a")
	l, seq, _ := b.next()
	o.answered(seq)
	o.refs = append(o.refs, state.InboundRef{Seq: seq + 1, Provider: "a", Recipient: "ann"})
	b.readAll(t)
	if _, other, ok := b.next(); ok {
		t.Fatalf("event %d is worked on beside %d", other, seq)
	}
	if err := b.done(t.Context(), l, nil); err != nil {
		t.Fatal(err)
	}
	if _, seqs := b.turns(t, o); !slices.Equal(seqs["ann"], []int64{seq + 1}) {
		t.Errorf("turns %v, want one for event %d", seqs, seq+1)
	}
}

// If two turn out to be one person while each has an event in progress, they
// have one line from then on.
func TestTwoLinesOfOnePersonBecomeOne(t *testing.T) {
	o := &openEvents{}
	o.add("a", "ann", 1)
	o.add("a", "DE.7001", 2)
	b := backlogOf(t, o, "a")
	one, first, _ := b.next()
	two, second, _ := b.next()
	o.is = map[string]string{"DE.7001": "ann"}
	o.answered(first)
	if err := b.done(t.Context(), one, nil); err != nil {
		t.Fatal(err)
	}
	if _, seq, ok := b.next(); ok {
		t.Fatalf("event %d is worked on while %d is", seq, second)
	}
	o.answered(second)
	if err := b.done(t.Context(), two, nil); err != nil {
		t.Fatal(err)
	}
	if who, _ := b.turns(t, o); len(who) != 1 {
		t.Errorf("%d turns are left, want one for the last event", len(who))
	}
}

func TestABusyNumberHoldsUpNoOther(t *testing.T) {
	o := &openEvents{}
	for i := range workers + 10 {
		o.add("busy", fmt.Sprint(i), 1)
	}
	o.add("idle", "eve", 1)
	b := backlogOf(t, o, "busy", "idle")
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
	o.add("a", "ann", 3)
	b := backlogOf(t, o, "a")
	l, seq, _ := b.next()
	if err := b.done(t.Context(), l, errors.New("locked")); err == nil {
		t.Error("the fault is not reported")
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
	o.broken = true
	if err := b.done(t.Context(), l, nil); err == nil {
		t.Error("a failure to read the next event is not reported")
	}
	if err := b.again(t.Context()); err == nil {
		t.Error("the same failure in a retry is not reported")
	}
	o.broken = false
	if err := b.again(t.Context()); err != nil {
		t.Fatal(err)
	}
	if who, _ := b.turns(t, o); len(who) != 2 {
		t.Errorf("%d turns are left, want 2", len(who))
	}
}

func TestTheBacklogIsBounded(t *testing.T) {
	o := &openEvents{}
	for i := range heldMost + readAhead {
		o.add("a", fmt.Sprint(i), 1)
	}
	b := backlogOf(t, o, "a")
	if len(b.held) > heldMost+readAhead || !b.lanes["a"].full || b.room() {
		t.Errorf("%d events are held", len(b.held))
	}
}
