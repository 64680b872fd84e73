package serve

import (
	"testing"
	"time"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/pace"
)

// After a throttle of the number, all answers of that number wait. After a
// throttle of a pair, or a message that was not taken, they do not.
func TestAThrottleHoldsTheWholeNumber(t *testing.T) {
	now := time.Date(2026, 4, 1, 9, 0, 0, 0, time.UTC)
	s := &Server{opt: Options{Now: func() time.Time { return now }, Backoff: []time.Duration{time.Second, 4 * time.Second}}}
	for _, c := range []struct {
		name  string
		ans   message.Answer
		try   int
		own   time.Duration // how long this answer waits for its next attempt
		all   time.Duration // how long the next answer of the number waits
		again bool
	}{
		{"throttled", message.Answer{Class: message.Throttled}, 0, 0, time.Second, true},
		{"throttled for a time that it says", message.Answer{Class: message.Throttled, RetryAfter: 9 * time.Second}, 1, 0, 9 * time.Second, true},
		{"throttled once too often", message.Answer{Class: message.Throttled}, 2, 0, 0, false},
		{"the pair throttled", message.Answer{Class: message.PairThrottled}, 1, 4 * time.Second, 0, true},
		{"not sent", message.Answer{Class: message.NotSent}, 0, time.Second, 0, true},
		{"refused", message.Answer{Class: message.Refused}, 0, 0, 0, false},
	} {
		n := &number{pace: pace.New(0)}
		own, again := s.again(n, c.ans, c.try)
		if all := n.pace.Reserve(now); own != c.own || all != c.all || again != c.again {
			t.Errorf("%s: waits %s, all wait %s, again %v; want %s, %s, %v", c.name, own, all, again, c.own, c.all, c.again)
		}
	}
}
