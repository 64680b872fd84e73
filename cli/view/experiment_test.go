package view

import (
	"strings"
	"testing"
	"time"

	"github.com/handbill/handbill/stats"
)

// A winner is named when within is over for everybody and its interval to every other
// arm is above zero, and not before.
func TestVerdictsOfExperiments(t *testing.T) {
	share := func(did, of int) stats.Share { return stats.Share{Did: did, Of: of} }
	arms := func(list ...stats.Share) (out []ArmShare) {
		for i, s := range list {
			out = append(out, ArmShare{string(rune('a' + i)), s})
		}
		return out
	}
	ends := time.Date(2026, 3, 5, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name    string
		metric  string
		over    bool
		arms    []ArmShare
		holdout stats.Share
		winner  string
		says    string
	}{
		{"clear, and over", "replied", true, arms(share(10, 200), share(40, 200)), stats.Share{}, "b", "Decided: b is above"},
		{"the first is above", "replied", true, arms(share(40, 200), share(10, 200)), stats.Share{}, "a", "Decided: a is above"},
		{"clear, and not over", "replied", false, arms(share(10, 200), share(40, 200)), stats.Share{}, "", "Not decided yet: the last people have until 2026-03-05 12:00:00 UTC"},
		{"unclear, and over", "replied", true, arms(share(10, 200), share(14, 200)), stats.Share{}, "", "Not decided yet: the interval of the difference holds zero"},
		{"two above the first", "replied", true, arms(share(10, 200), share(40, 200), share(42, 200)), stats.Share{}, "", "Decided in part"},
		{"one above both", "replied", true, arms(share(10, 200), share(12, 200), share(42, 200)), stats.Share{}, "c", "Decided: c is above"},
		{"against the holdout", "ordered", true, arms(share(40, 200)), share(8, 200), "a", "Decided: more people ordered"},
		{"not above the holdout", "ordered", true, arms(share(12, 200)), share(8, 200), "", "Not decided yet"},
		{"above the other arm, and not above the holdout", "ordered", true, arms(share(8, 200), share(40, 200)), share(36, 200), "", "Decided in part"},
		{"a holdout that cannot answer", "replied", true, arms(share(10, 200), share(40, 200)), share(0, 200), "b", "Decided"},
	} {
		e := NewExperiment(c.metric, 72*time.Hour, ends, c.over, c.arms, c.holdout)
		if e.Winner != c.winner || !strings.HasPrefix(e.Verdict, c.says) {
			t.Errorf("%s: winner %q, %s", c.name, e.Winner, e.Verdict)
		}
		for _, a := range e.Arms {
			if a.ToFirst != nil && a.ToFirst.Decided && !c.over {
				t.Errorf("%s: %s is decided before within is over", c.name, a.Name)
			}
		}
	}
}
