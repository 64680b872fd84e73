package apply

import (
	"testing"
	"time"

	"github.com/handbill/handbill/message"
)

func TestPlacesInFlight(t *testing.T) {
	answers := func(w *concurrency, n int, class message.Class, took time.Duration, rate float64) {
		for range n {
			w.answered(took, class, rate)
		}
	}
	for _, test := range []struct {
		name string
		rate float64
		took time.Duration
		want []int // after each 8 answers
	}{
		{"a known rate gets what it needs at once", 1000, 100 * time.Millisecond, []int{126, 126}},
		{"a slow number needs few", 20, 100 * time.Millisecond, []int{8, 8}},
		{"never more than can be in flight", 1000, time.Second, []int{256}},
		{"without a rate they double", 0, 100 * time.Millisecond, []int{16, 16, 32}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newConcurrency(0)
			for i, want := range test.want {
				if answers(&w, 8, message.Accepted, test.took, test.rate); w.now != want {
					t.Errorf("after %d answers: got %d, want %d", 8*(i+1), w.now, want)
				}
			}
		})
	}
	t.Run("after unclear answers they grow slowly", func(t *testing.T) {
		w := newConcurrency(0)
		answers(&w, 8, message.Accepted, 100*time.Millisecond, 1000)
		answers(&w, 10, message.Unknown, 100*time.Millisecond, 1000)
		if w.now != minConcurrency {
			t.Errorf("got %d", w.now)
		}
		answers(&w, 8, message.Accepted, 100*time.Millisecond, 1000)
		if w.now != 16 {
			t.Errorf("got %d, want 16", w.now)
		}
	})
	t.Run("what was asked for stays", func(t *testing.T) {
		w := newConcurrency(4)
		answers(&w, 100, message.Accepted, time.Second, 1000)
		if w.now != 4 {
			t.Errorf("got %d", w.now)
		}
	})
}
