package plan

import (
	"testing"
	"time"
)

// On nights when clocks change, quiet hours end at the same minute that a
// search minute by minute finds.
func TestQuietHoursEndOnNightsThatClocksChange(t *testing.T) {
	for zone, nights := range map[string][]time.Time{
		"Europe/Lisbon":       {time.Date(2027, 3, 27, 18, 0, 0, 0, time.UTC), time.Date(2027, 10, 30, 18, 0, 0, 0, time.UTC)},
		"America/Chicago":     {time.Date(2027, 3, 13, 23, 0, 0, 0, time.UTC), time.Date(2027, 11, 6, 23, 0, 0, 0, time.UTC)},
		"Australia/Lord_Howe": {time.Date(2027, 4, 3, 8, 0, 0, 0, time.UTC), time.Date(2027, 10, 2, 8, 0, 0, 0, time.UTC)},
	} {
		for _, hours := range [][2]int{{21 * 60, 8 * 60}, {22 * 60, 90}, {0, 5 * 60}, {150, 160}} {
			q := &Quiet{From: hours[0], Until: hours[1], Timezone: zone, Attribute: -1}
			for _, night := range nights {
				for at := night; at.Before(night.Add(15 * time.Hour)); at = at.Add(11 * time.Minute) {
					c := &Clock{}
					want := at
					for q.quietFor(c, want, "") > 0 {
						want = want.Truncate(time.Minute).Add(time.Minute)
					}
					if end, ok := q.Open(c, at, ""); !ok || !end.Equal(want) {
						t.Fatalf("%s, quiet from %d to %d: at %v they end at %v, want %v", zone, hours[0], hours[1], at, end, want)
					}
				}
			}
		}
	}
}
