package apply

import (
	"context"
	"math"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// However late and in however great a crowd requests come, no second has more
// than the limit, and nobody waits longer than a second for a free place.
func TestWindowKeepsAnySecond(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.SampledFrom([]float64{0.5, 1, 2.5, 20, 80, 199, 200, 1000}).Draw(t, "rate")
		now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
		w := newRateWindow(rate, now)
		var left []time.Time
		for range rapid.IntRange(1, 3000).Draw(t, "requests") {
			if rapid.IntRange(0, 9).Draw(t, "pause") == 0 {
				now = now.Add(time.Duration(rapid.IntRange(0, 1500).Draw(t, "micros")) * time.Microsecond * 1000)
			}
			began := now
			for d := w.take(now); d > 0; d = w.take(now) {
				now = now.Add(d)
			}
			if now.Sub(began) > 1002*time.Millisecond {
				t.Fatalf("a request waited %s", now.Sub(began))
			}
			left = append(left, now)
		}
		from := 0
		for i, at := range left {
			for at.Sub(left[from]) >= time.Second {
				from++
			}
			if n := i - from + 1; float64(n) > math.Ceil(rate) {
				t.Fatalf("%d requests in a second, limit %v", n, rate)
			}
		}
	})
}

func TestWindowOfAClockThatIsPutBack(t *testing.T) {
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	w := newRateWindow(2, now)
	now = now.Add(time.Minute)
	if w.take(now) != 0 || w.take(now) != 0 {
		t.Error("two of two have to wait")
	}
	if now = now.Add(-time.Hour); w.take(now) == 0 {
		t.Error("a clock that was put back lets a third go")
	}
	if now = now.Add(time.Hour + 1002*time.Millisecond); w.take(now) != 0 {
		t.Error("it never goes on")
	}
}

// A crowd that a stall held up leaves one second after the other, and those who
// are told to stop do not wait.
func TestACrowdAfterAStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		w := newRateWindow(100, time.Now())
		var mu sync.Mutex
		var left []time.Duration
		var all sync.WaitGroup
		began := time.Now()
		for range 250 {
			all.Go(func() {
				w.wait(ctx, time.Now)
				mu.Lock()
				defer mu.Unlock()
				left = append(left, time.Since(began))
			})
		}
		time.Sleep(1500 * time.Millisecond)
		synctest.Wait()
		cancel()
		all.Wait()
		slices.Sort(left)
		if left[99] != 0 || left[100] < time.Second || left[199] > 1100*time.Millisecond || left[249] != 1500*time.Millisecond {
			t.Errorf("got %v, %v, %v, %v", left[99], left[100], left[199], left[249])
		}
	})
}
