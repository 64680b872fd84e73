package apply_test

import (
	"iter"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/apply"
	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/state"
)

// Who was not due when the plan was made is not sent to by it, though the time has come
// meanwhile: they may have answered, and a new plan looks. That goes for repetitions too.
func TestAPlanNeverSendsToWhoItFoundNotDue(t *testing.T) {
	due := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	for action, counts := range map[plan.Action]plan.Counts{
		plan.Defer: {Defer: map[delivery.Reason]int{delivery.ReasonNotDue: 1}}, plan.Replace: {Replace: 1}, plan.Retry: {Retry: 1},
	} {
		p := campaignOf(1)
		p.Campaigns[0].Counts = counts
		p.Entries = func() iter.Seq2[plan.Entry, error] {
			return func(yield func(plan.Entry, error) bool) {
				e := plan.Entry{Action: action, Reason: "not_due", Due: due, Attempt: 1}
				e.Recipient.Phone = "+4915112345678"
				yield(e, nil)
			}
		}
		l := newLedger(t)
		rep, err := run(t, p, l, newNumber(l, accept), func(o *apply.Options) { o.Now = func() time.Time { return due.Add(time.Hour) } })
		if err != nil {
			t.Fatal(err)
		}
		c := rep.Campaigns[0]
		if c.Sent != 0 || len(l.rows) != 0 {
			t.Errorf("%s: %+v", action, c)
		}
		if action == plan.Defer && (c.HeldFor[delivery.ReasonNotDue] != 1 || !c.HeldTill.Equal(due)) { // a repetition stays what it was
			t.Errorf("%s: %+v", action, c)
		}
	}
}

// The attributes that the plan keeps are recorded with each message.
func TestKeptAttributesAreRecorded(t *testing.T) {
	p := campaignOf(3)
	p.Campaigns[0].Kept = []string{"city", "vip"}
	all := p.Entries
	p.Entries = func() iter.Seq2[plan.Entry, error] {
		return func(yield func(plan.Entry, error) bool) {
			for e, err := range all() {
				e.Kept = []message.Value{message.Str("Köln"), {Kind: message.Bool, Text: "true"}}
				if !yield(e, err) {
					return
				}
			}
		}
	}
	l := newLedger(t)
	var kept []string
	l.gate = func(in state.Intent) state.Verdict {
		kept = append(kept, in.Attributes)
		return state.Verdict{}
	}
	if _, err := run(t, p, l, newNumber(l, accept)); err != nil {
		t.Fatal(err)
	}
	one := `{"city":"Köln","vip":true}`
	if diff := cmp.Diff([]string{one, one, one}, kept); diff != "" {
		t.Error(diff)
	}
}
