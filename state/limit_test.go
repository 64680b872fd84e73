package state

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// blobs is the store in which limits are kept.
type blobs map[string][]byte

func (b blobs) PutAll(_ context.Context, set map[string][]byte) error {
	for k, v := range set {
		b[k] = v
	}
	return nil
}

func (b blobs) Blobs(context.Context, string) (map[string][]byte, error) { return b, nil }

// The newest report counts, in whatever order reports arrive. What it omits is
// taken from older ones.
func TestTheNewestLimitCounts(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2026, 3, n, 0, 0, 0, 0, time.UTC) }
	check := MessagingLimit{People: 2000, Told: day(2), By: "refresh", Portfolio: "77"}
	notice := MessagingLimit{People: 250, Told: day(3), By: "business_capability_update"}
	nameless := MessagingLimit{Told: day(4), By: "refresh", Portfolio: "77"}
	want := MessagingLimit{People: 250, Told: day(3), By: "business_capability_update", Portfolio: "77"}
	for _, order := range [][]MessagingLimit{{check, notice}, {notice, check}, {check, notice, check, notice}, {notice, nameless}, {check, nameless, notice}} {
		b := blobs{}
		for _, l := range order {
			if err := PutMessagingLimit(t.Context(), b, "provider.cloud.main", l); err != nil {
				t.Fatal(err)
			}
		}
		got, ok, err := readLimit("provider.cloud.main", b[limitName("provider.cloud.main")])
		if diff := cmp.Diff(want, got); diff != "" || !ok || err != nil {
			t.Errorf("%+v (-want +got):\n%s%v", order, diff, err)
		}
	}
}

func TestNumbersOfAPortfolioShareTheNewestLimit(t *testing.T) {
	early, late := time.Unix(1000, 0), time.Unix(2000, 0)
	limits := map[string]MessagingLimit{
		"a": {People: 250, Told: early, Portfolio: "1"}, "b": {People: 2000, Told: late, Portfolio: "1"}, "c": {Told: late, Portfolio: "1"},
		"d": {People: 10_000, Told: early, Portfolio: "2"}, "e": {People: noLimit, Told: early, Portfolio: "2"},
		"f": {People: 100_000, Told: late}, "g": {}, "h": {Told: late, Portfolio: "3"},
	}
	ShareLimits(limits)
	got := map[string]int{}
	for address, l := range limits {
		got[address] = l.People
	}
	want := map[string]int{"a": 2000, "b": 2000, "c": 2000, "d": 10_000, "e": 10_000, "f": 100_000, "g": 0, "h": 0}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
