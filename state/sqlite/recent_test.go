package sqlite

import (
	"testing"

	"pgregory.net/rapid"
)

// TestRecentForgetsNobodyTooEarly compares recent with a list of everybody who
// was written to, with the times: nobody is forgotten too early, or remembered
// much too long.
func TestRecentForgetsNobodyTooEarly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var r recent
		written, now := map[int64]int64{}, int64(1_000_000)
		for range rapid.IntRange(1, 60).Draw(t, "turns") {
			now += rapid.Int64Range(0, remembered/2).Draw(t, "ms")
			if err := r.read(nil, 1, now); err != nil { // no attempts of others
				t.Fatal(err)
			}
			for who, at := range written {
				if now-at < remembered && !r.has(who) {
					t.Fatalf("who was written to %d ms ago is forgotten", now-at)
				}
				if now-at > 3*remembered && r.has(who) {
					t.Fatalf("who was written to %d ms ago is remembered", now-at)
				}
			}
			who := rapid.Int64Range(1, 5).Draw(t, "who")
			r.add(who)
			written[who] = now
		}
	})
}
