package sqlite

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/pace"
	"github.com/handbill/handbill/state"
)

// spaced returns an intent for that person of that campaign, 6 seconds after
// any other message to them.
func spaced(s *Store, who, campaign string) state.Intent {
	in := intent(s, who)
	in.Campaign, in.Spacing = campaign, delivery.Spacing
	return in
}

// Two messages to one person are 6 seconds apart, even if another process sent
// the first.
func TestSpacing(t *testing.T) {
	for name, test := range map[string]struct {
		send  state.Send // of the first message
		after time.Duration
		to    string // recipient of the second
		want  delivery.Gate
	}{
		"at once":                        {state.Accepted, 0, phone(1), delivery.GateSpacing},
		"5.9 seconds later":              {state.Accepted, 5900 * time.Millisecond, phone(1), delivery.GateSpacing},
		"while the first is under way":   {state.Sending, time.Second, phone(1), delivery.GateSpacing},
		"the first is in doubt":          {state.InDoubt, time.Second, phone(1), delivery.GateSpacing},
		"the first was refused":          {state.Rejected, time.Second, phone(1), delivery.GateSpacing},
		"the first was not taken":        {state.Pending, time.Second, phone(1), ""},
		"7 seconds later":                {state.Accepted, 7 * time.Second, phone(1), ""},
		"somebody else":                  {state.Accepted, 0, phone(2), ""},
		"another spelling of the number": {state.Accepted, 0, "+551187654321", delivery.GateSpacing},
	} {
		for _, same := range []bool{true, false} {
			t.Run(fmt.Sprint(name, ", by the same process: ", same), func(t *testing.T) {
				s, clock := create(t)
				second := s
				if !same {
					second = beside(t, s, clock)
				}
				run := begin(t, s)
				first := phone(1)
				if message.OtherSpelling(test.to) != "" {
					first = message.OtherSpelling(test.to)
				}
				got := intend(t, s, run, spaced(s, first, "campaign.one"))
				if test.send != state.Sending {
					o := state.Outcome{Attempt: got[0].Attempt, Send: test.send, At: clock.now}
					if test.send == state.Accepted {
						o = accepted(got[0], "wamid.1")
					}
					settle(t, s, run, o)
				}
				clock.now = clock.now.Add(test.after)
				in := spaced(second, test.to, "campaign.two")
				v := intend(t, second, run, in)[0]
				if v.Gate != test.want || v.Gate != "" && (!v.Until.After(clock.now) || v.Until.Sub(clock.now) > 7*time.Second) {
					t.Fatalf("got %+v, want %q", v, test.want)
				}
				if v.Gate == "" {
					return
				}
				clock.now = v.Until
				if v := intend(t, second, run, in)[0]; v.Gate != "" {
					t.Errorf("at the time that it was given: got %+v", v)
				}
			})
		}
	}
}

// beside opens another store on the same file, as a second process does.
func beside(t *testing.T, s *Store, clock *testClock) *Store {
	t.Helper()
	o := options(s.opt.Path)
	o.Clock = clock.read
	second, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := second.Close(); err != nil {
			t.Error(err)
		}
	})
	return second
}

// Stores on one file never give a slot of a number twice, and give at most as
// many slots in a second as its limit allows.
func TestSlotsOfSeveralStores(t *testing.T) {
	s, clock := create(t)
	stores := []*Store{s, beside(t, s, clock), beside(t, s, clock)}
	run := begin(t, s)
	ask := pace.Ask{Gap: 100 * time.Millisecond, After: clock.now}
	var mu sync.Mutex
	var slots []time.Time
	held := 0
	var all sync.WaitGroup
	for i, store := range stores {
		all.Go(func() {
			for k := range 3 {
				in := intent(store, phone(100*i+k))
				in.Pace = ask
				v, err := store.Intend(t.Context(), run, []state.Intent{in})
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				if v[0].Gate == delivery.GatePace {
					held++
				} else {
					slots = append(slots, v[0].Leave)
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	// Sends that missed their slots get new ones, however far in the future.
	for _, store := range stores {
		first, err := store.Slots(t.Context(), number, ask, 2)
		if err != nil {
			t.Fatal(err)
		}
		slots = append(slots, first, first.Add(ask.Gap))
	}
	slices.SortFunc(slots, time.Time.Compare)
	if held != 6 || len(slots) != 9 {
		t.Fatalf("%d slots, %d held", len(slots), held)
	}
	for i := range slots[1:] {
		if slots[i+1].Sub(slots[i]) < ask.Gap {
			t.Errorf("slots %v and %v", slots[i], slots[i+1])
		}
	}
	// Another number has separate slots; a number without a limit has none.
	lanes := beginAt(t, s, "provider.cloud.other", number)
	for i, ask := range []pace.Ask{ask, {}} {
		one := intent(s, phone(500+i))
		one.Pace = ask
		if v := intend(t, s, lanes[i], one)[0]; v.Gate != "" || v.Leave.After(clock.now) {
			t.Errorf("%+v: got %+v", ask, v)
		}
	}
}
