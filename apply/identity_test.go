package apply_test

import (
	"fmt"
	"iter"
	"testing"
	"testing/synctest"

	"github.com/handbill/handbill/apply"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
)

// An answer that belongs to another message marks nothing as accepted, and a
// few such answers halt the number.
func TestAnswersOfOtherMessages(t *testing.T) {
	taken := func(id, who string) message.Answer {
		return message.Answer{Class: message.Accepted, ID: id, Recipient: who}
	}
	cases := map[string]struct {
		answer func(to string, k int) message.Answer
		doubts int
	}{
		"its own number is fine":                {func(to string, k int) message.Answer { return taken(fmt.Sprint("m", k), to) }, 0},
		"its own number without a plus is fine": {func(to string, k int) message.Answer { return taken(fmt.Sprint("m", k), to[1:]) }, 0},
		"a user id for a number says nothing":   {func(_ string, k int) message.Answer { return taken(fmt.Sprint("m", k), "DE.88120") }, 0},
		"one that names another is in doubt":    {func(to string, k int) message.Answer { return taken(fmt.Sprint("m", k), other(to, k == 4)) }, 1},
		"one that repeats an id is in doubt":    {func(to string, k int) message.Answer { return taken(fmt.Sprint("m", max(k, 2)), "") }, 1},
		"three of them halt the number":         {func(to string, k int) message.Answer { return taken(fmt.Sprint("m", k), other(to, k >= 6)) }, 3},
		"one id for all halts the number":       {func(string, int) message.Answer { return taken("m", "") }, 3},
		"a refusal needs no recipient": {func(to string, k int) message.Answer {
			return message.Answer{Class: message.Refused, Code: "131026", Recipient: "99"}
		}, 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, k := newLedger(t), 0
				n := distrusting{newNumber(l, func(to string, _ int) message.Answer { k++; return c.answer(to, k) }), new(int)}
				rep, err := run(t, campaignOf(40), l, n.number, func(o *apply.Options) {
					o.Parallelism = 1
					o.Senders["provider.sandbox.main"] = n
				})
				if err != nil {
					t.Fatal(err)
				}
				got := rep.Campaigns[0]
				halted := got.Halt != nil && got.Halt.Reason == "mixed_answers"
				if got.InDoubt != c.doubts || halted != (c.doubts == 3) || halted == (len(n.number.times) == 40) {
					t.Errorf("%d in doubt after %d requests, halt %+v", got.InDoubt, len(n.number.times), got.Halt)
				}
				if *n.times != c.doubts {
					t.Errorf("the connections were given up %d times for %d answers of other messages", *n.times, c.doubts)
				}
			})
		})
	}
}

// distrusting counts the calls of Distrust.
type distrusting struct {
	*number
	times *int
}

func (d distrusting) Distrust() { *d.times++ }

func other(to string, change bool) string {
	if change {
		return "+4930555" + to[len(to)-3:]
	}
	return to
}

// WhatsApp spells some numbers differently.
func TestRespelledRecipientIsTheSamePerson(t *testing.T) {
	for to, told := range map[string]string{"+5511987654321": "551187654321", "+5215512345678": "525512345678", "+5491123456789": "541123456789"} {
		synctest.Test(t, func(t *testing.T) {
			l := newLedger(t)
			p := campaignOf(1)
			p.Entries = func() iter.Seq2[plan.Entry, error] {
				return func(yield func(plan.Entry, error) bool) {
					e := plan.Entry{Action: plan.Send, Attempt: 1}
					e.Recipient.Phone = to
					yield(e, nil)
				}
			}
			n := newNumber(l, func(string, int) message.Answer {
				return message.Answer{Class: message.Accepted, ID: "m", Recipient: told}
			})
			if rep, err := run(t, p, l, n); err != nil || rep.Campaigns[0].Accepted != 1 {
				t.Errorf("%s answered for %s: %+v, %v", told, to, rep.Campaigns, err)
			}
		})
	}
}
