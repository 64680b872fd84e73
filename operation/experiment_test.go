package operation

import (
	"testing"
	"time"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// What happens in the second in which a message is sent counts, since providers tell
// times in whole seconds; what happened before it, or after the time, does not.
func TestAnExperimentCountsFromTheSecondOfTheMessage(t *testing.T) {
	sent := time.Date(2026, 3, 2, 12, 0, 0, 900e6, time.UTC)
	second := sent.Truncate(time.Second)
	for at, want := range map[time.Time]bool{
		second: true, second.Add(-time.Second): false, sent.Add(time.Minute): true, sent.Add(time.Minute + time.Second): false, {}: false,
	} {
		who := "+4915112345678"
		d := &state.Delivery{Key: state.Key{Recipient: who}, Intended: sent, Rank: message.RankRead, RankAt: at, Replied: at}
		orders := &orderTimes{times: map[string][]time.Time{who: {at}}}
		for _, metric := range []string{"read", "replied", "ordered"} {
			if got := (&Experiment{Metric: metric, Within: time.Minute}).did(d, orders); got != want {
				t.Errorf("%s at %s: %t", metric, at, got)
			}
		}
		d.Rank = message.RankDelivered
		if got := (&Experiment{Metric: "delivered", Within: time.Minute}).did(d, orders); got != want {
			t.Errorf("delivered at %s: %t", at, got)
		}
	}
}
