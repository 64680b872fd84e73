package apply

import (
	"testing"
	"time"
)

// TestAPauseIsSaidOnce checks that answers of one moment, each of which asks for an
// hour, extend the pause but are news only once.
func TestAPauseIsSaidOnce(t *testing.T) {
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	var f flow
	for _, step := range []struct {
		after, until time.Duration
		news         bool
	}{
		{0, time.Hour, true},
		{time.Millisecond, time.Hour + time.Millisecond, false},
		{2 * time.Millisecond, time.Minute, false},
		{3 * time.Millisecond, 2 * time.Hour, true},
		{2*time.Hour + time.Second, 2*time.Hour + 2*time.Second, true},
	} {
		if got := f.pauseFor(now.Add(step.until), now.Add(step.after)); got != step.news {
			t.Errorf("after %s until %s: news %t", step.after, step.until, got)
		}
	}
	if f.pauseUntil != now.Add(2*time.Hour+2*time.Second) {
		t.Errorf("it pauses until %s", f.pauseUntil)
	}
}
