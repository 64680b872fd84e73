package pace_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/handbill/handbill/pace"
)

// state is where several processes keep the slots of one number.
type state struct {
	mu     sync.Mutex
	slots  pace.Slots
	commit time.Duration
	taken  []time.Time // when messages were sent
	anew   int
	fail   error
}

func (s *state) intend(a pace.Ask) (time.Time, bool) {
	s.mu.Lock()
	slot, ok := s.slots.Take(a, time.Now())
	s.mu.Unlock()
	time.Sleep(s.commit)
	return slot, ok
}

func (s *state) again(a pace.Ask, many int) (time.Time, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.anew++
	return s.slots.Again(a, time.Now(), many), s.fail
}

func (s *state) left(at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken = append(s.taken, at)
}

// send sends many messages, as a process does that asks for one slot at a time.
// stall delays each message before it leaves.
func (s *state) send(t testing.TB, n *pace.Number, many int, stall func(i int) time.Duration) {
	for i := range many {
		for {
			time.Sleep(n.Reserve(time.Now()))
			slot, ok := s.intend(n.Ask(time.Now()))
			if n.Told(slot, ok); !ok {
				time.Sleep(time.Until(slot))
				continue
			}
			time.Sleep(stall(i))
			if err := n.Leave(t.Context(), time.Now, slot, s.again); err != nil {
				t.Error(err)
			}
			s.left(time.Now())
			break
		}
	}
}

// most returns the largest number of times in any second.
func most(times []time.Time) (n int) {
	slices.SortFunc(times, time.Time.Compare)
	first := 0
	for i, at := range times {
		for at.Sub(times[first]) >= time.Second {
			first++
		}
		n = max(n, i-first+1)
	}
	return n
}

// However many processes send through a number, and however long commits take
// and machines stall, no second has more messages than the limit.
func TestNoSecondHasMoreThanTheLimit(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		rate := rapid.SampledFrom([]float64{0.5, 1, 2.5, 10, 20, 80, 200, 1000}).Draw(rt, "rate")
		processes := rapid.IntRange(1, 4).Draw(rt, "processes")
		commit := rapid.SampledFrom([]time.Duration{0, time.Millisecond, 7 * time.Millisecond, 40 * time.Millisecond, 300 * time.Millisecond}).Draw(rt, "commit")
		stalls := rapid.SliceOfN(rapid.SampledFrom([]time.Duration{0, 0, 0, 0, 9 * time.Millisecond, 30 * time.Millisecond, 700 * time.Millisecond}), 8, 8).Draw(rt, "stalls")
		s := &state{commit: commit}
		synctest.Test(t, func(t *testing.T) {
			var all sync.WaitGroup
			for p := range processes {
				all.Go(func() {
					s.send(t, pace.New(rate), 30, func(i int) time.Duration { return stalls[(i+3*p)%8] })
				})
			}
			all.Wait()
		})
		if len(s.taken) != 30*processes {
			rt.Fatalf("%d messages left", len(s.taken))
		}
		if n := most(s.taken); float64(n) > math.Ceil(rate) {
			rt.Fatalf("%d messages in a second, limit %v", n, rate)
		}
	})
}

// The limit is also reached, by one process and by three together.
func TestTheLimitIsMet(t *testing.T) {
	for _, processes := range []int{1, 3} {
		synctest.Test(t, func(t *testing.T) {
			s, n := &state{commit: 3 * time.Millisecond}, 300
			var all sync.WaitGroup
			for range processes {
				all.Go(func() { s.send(t, pace.New(20), n/processes, func(int) time.Duration { return 0 }) })
			}
			all.Wait()
			slices.SortFunc(s.taken, time.Time.Compare)
			if rate := float64(n-1) / s.taken[n-1].Sub(s.taken[0]).Seconds(); rate < 0.97*20 {
				t.Errorf("%d processes: %.2f a second, limit 20", processes, rate)
			}
			if s.anew > 0 {
				t.Errorf("%d processes: %d slots were missed", processes, s.anew)
			}
		})
	}
}

// Many senders that missed their slots take new ones with few requests, and
// send at the number's pace.
func TestACrowdThatMissedItsSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, n := &state{}, pace.New(100)
		began := time.Now()
		var all sync.WaitGroup
		for range 250 {
			all.Go(func() {
				if err := n.Leave(t.Context(), time.Now, began.Add(-time.Second), s.again); err != nil {
					t.Error(err)
				}
				s.left(time.Now())
			})
		}
		all.Wait()
		if most(s.taken) > 100 || s.anew > 250 || s.taken[249].Sub(began) > 2600*time.Millisecond {
			t.Errorf("%d in a second, %d goes, %v", most(s.taken), s.anew, s.taken[249].Sub(began))
		}
	})
}

func TestWhatCannotTakeASlotDoesNotLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		full := errors.New("disk full")
		s, n := &state{fail: full}, pace.New(10)
		if err := n.Leave(t.Context(), time.Now, time.Now().Add(-time.Second), s.again); !errors.Is(err, full) {
			t.Errorf("got %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := n.Leave(ctx, time.Now, time.Now().Add(time.Second), s.again); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

func TestSlots(t *testing.T) {
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	ask := pace.Ask{Gap: 100 * time.Millisecond, After: now}
	var s pace.Slots
	for i, want := range []time.Duration{-5, 95, 195} {
		if slot, ok := s.Take(ask, now); !ok || slot.Sub(now) != want*time.Millisecond {
			t.Errorf("slot %d: got %v, %v", i, slot.Sub(now), ok)
		}
	}
	if slot, ok := s.Take(ask, now); ok || slot.Sub(now) != 295*time.Millisecond {
		t.Errorf("too far away: got %v, %v", slot.Sub(now), ok)
	}
	if slot := s.Again(ask, now, 3); slot.Sub(now) != 295*time.Millisecond || s.Next.Sub(now) != 595*time.Millisecond {
		t.Errorf("three who missed theirs: got %v, then %v", slot.Sub(now), s.Next.Sub(now))
	}
	data, err := s.MarshalBinary()
	var kept pace.Slots
	if err = errors.Join(err, kept.UnmarshalBinary(data)); err != nil || !kept.Next.Equal(s.Next) || !kept.At.Equal(s.At) {
		t.Errorf("got %v, %v", kept, err)
	}
	if kept.UnmarshalBinary(data[1:]) == nil {
		t.Error("15 bytes are slots")
	}
	s.Hold(now.Add(time.Minute), now)
	if slot, ok := s.Take(ask, now); ok || slot.Sub(now) != time.Minute {
		t.Errorf("held: got %v, %v", slot.Sub(now), ok)
	}
	if slot, ok := s.Take(pace.Ask{}, now); !ok || !slot.IsZero() {
		t.Errorf("without a limit: got %v, %v", slot, ok)
	}
}

// If a clock was ahead and is set back, nothing waits until it shows the old
// time again.
func TestAClockThatIsSetBack(t *testing.T) {
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	var s pace.Slots
	s.Take(pace.Ask{Gap: time.Second, After: now}, now)
	now = now.Add(-time.Hour)
	if slot, ok := s.Take(pace.Ask{Gap: time.Second, After: now}, now); !ok || slot.After(now) {
		t.Errorf("slots: got %v, %v", slot, ok)
	}
	n := pace.New(10)
	n.Ask(now)
	n.Told(now.Add(time.Second), false)
	if n.Due(now, 5) != 0 || n.Due(now.Add(-time.Hour), 5) == 0 {
		t.Error("the number waits for a clock that was put back")
	}
	synctest.Test(t, func(t *testing.T) {
		var s pace.Slots
		n := pace.New(10)
		began, off := time.Now(), time.Duration(0)
		clock := func() time.Time { return time.Now().Add(off) }
		again := func(a pace.Ask, many int) (time.Time, error) { return s.Again(a, clock(), many), nil }
		time.AfterFunc(300*time.Millisecond, func() { off = -time.Minute })
		if err := n.Leave(t.Context(), clock, time.Now().Add(2*time.Second), again); err != nil || time.Since(began) > 2*time.Second {
			t.Errorf("left after %v, %v", time.Since(began), err)
		}
	})
}

func TestThrottlesSlowANumber(t *testing.T) {
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	n := pace.New(100)
	full := n.Ask(now).Gap
	for range 10 { // throttles within one second count once
		n.Slow(now)
	}
	if slow := n.Ask(now).Gap; math.Abs(float64(slow)/float64(full)-1/0.7) > 0.001 {
		t.Errorf("got a gap of %v after %v", slow, full)
	}
	for i := range 100 {
		n.Slow(now.Add(time.Duration(i) * time.Second))
	}
	if slow := n.Ask(now).Gap; math.Abs(float64(slow)/float64(full)-20) > 0.01 {
		t.Errorf("the slowest is a gap of %v", slow)
	}
	for range 200 {
		n.Ease()
	}
	if n.Ask(now).Gap != full {
		t.Errorf("got a gap of %v after 200 accepted messages", n.Ask(now).Gap)
	}
	n.Pause(now.Add(time.Minute))
	if n.Due(now, 5) != 0 || n.Wait(now) != time.Minute || n.Reserve(now) != time.Minute {
		t.Error("a pause does not hold")
	}
}
