package apply_test

import (
	"iter"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/handbill/handbill/apply"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
)

// TestScheduleAgreesWithThePlan checks that the plan and apply decide the same
// at any moment, for one zone, for several, and for none.
func TestScheduleAgreesWithThePlan(t *testing.T) {
	zones := []string{"", "Europe/Berlin", "America/New_York", "Europe/Berlin America/New_York Asia/Tokyo", "Mars/Olympus"}
	rapid.Check(t, func(rt *rapid.T) {
		began := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
		moment := func(name string) time.Time {
			return began.Add(time.Duration(rapid.IntRange(0, 40*24*60).Draw(rt, name)) * time.Minute)
		}
		q := &plan.Quiet{From: rapid.IntRange(-1, 1439).Draw(rt, "from"), Until: rapid.IntRange(0, 1439).Draw(rt, "until"), Timezone: "Asia/Kolkata"}
		if rapid.Bool().Draw(rt, "local") {
			q.At, q.Within = rapid.IntRange(0, 1439).Draw(rt, "hour"), rapid.SampledFrom([]int{1, 60, 720}).Draw(rt, "within")
		}
		if rapid.Bool().Draw(rt, "bounded") {
			q.NotBefore, q.NotAfter = moment("not_before"), moment("not_after")
		}
		zone, at := rapid.SampledFrom(zones).Draw(rt, "zone"), moment("at")
		p := campaignOf(1, func(c *plan.Campaign) { c.Quiet = q })
		p.Entries = func() iter.Seq2[plan.Entry, error] {
			return func(yield func(plan.Entry, error) bool) {
				e := plan.Entry{Action: plan.Send, Attempt: 1}
				e.Recipient.Phone = "+4915112345678"
				e.Recipient.Attributes = []message.Value{message.Str(zone)}
				yield(e, nil)
			}
		}
		l := newLedger(t)
		rep, err := run(t, p, l, newNumber(l, accept), func(o *apply.Options) { o.Now = func() time.Time { return at } })
		if err != nil {
			rt.Fatal(err)
		}
		want, got := q.Wait(&plan.Clock{}, at, zone), rep.Campaigns[0]
		switch {
		case want == "" && got.Sent == 1:
		case want == "expired" && got.Gates["expired"] == 1:
		case want != "" && got.HeldFor[want] == 1 && got.HeldTill.After(at):
		case (want == "quiet_hours" || want == "local_time") && got.HeldFor[want] == 1 && got.HeldTill.IsZero():
			if _, ends := q.Open(&plan.Clock{}, at, zone); ends {
				rt.Fatalf("the quiet hours end, and the run does not say when")
			}
		default:
			rt.Fatalf("the plan's rule says %q, and the run did %+v", want, got)
		}
	})
}
