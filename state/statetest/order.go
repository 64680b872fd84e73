package statetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// toldAt is an event, the sending number at which it came, and the recipient of the
// delivery that it is about; "" for none.
type toldAt struct {
	number, about string
	event         message.Event
}

// aboutPeople draws an event with ids that often contradict others: one number with
// two user ids, or an impossible change.
func aboutPeople(rt *rapid.T, n int) (out toldAt) {
	address := func(what string) (message.Address, string) {
		which := rapid.IntRange(1, 7).Draw(rt, what)
		a, parent := message.Address{}, ""
		if which&1 != 0 {
			a.Phone = phone(rapid.IntRange(1, 3).Draw(rt, "phone"))
		}
		if which&2 != 0 {
			a.UserID = fmt.Sprint("DE.", rapid.IntRange(1, 3).Draw(rt, "user"))
		}
		if which&4 != 0 {
			parent = fmt.Sprint("DE.ENT.", rapid.IntRange(1, 2).Draw(rt, "parent"))
		}
		if a.Key() == "" {
			a.UserID = "DE.1"
		}
		return a, parent
	}
	e := message.Event{ID: fmt.Sprint("event ", n), At: noon.Add(-time.Duration(rapid.IntRange(1, 8).Draw(rt, "ago")) * 25 * time.Minute)}
	e.From, e.Parent = address("from")
	switch rapid.IntRange(0, 5).Draw(rt, "what") {
	case 0:
		e.Kind, e.OptOut, e.Category = message.EventPreference, rapid.Bool().Draw(rt, "out"), "marketing_messages"
	case 1:
		e.Kind = message.EventIdentity
		e.NewAddress, e.NewParent = address("new")
	case 2:
		out.about = phone(rapid.IntRange(1, 3).Draw(rt, "of"))
		e.Kind, e.Failed, e.Code = message.EventStatus, true, rapid.SampledFrom([]string{"131047", "131049", "131050"}).Draw(rt, "code")
	case 3:
		e.Kind, e.ID, e.Rank = message.EventStatus, fmt.Sprint("unknown ", n), message.RankSent
	default:
		text := rapid.SampledFrom([]string{"hello", "hello", "enough", "enough?", "go on"}).Draw(rt, "text")
		e.Kind, e.Type, e.Text, e.Username, e.ProfileName = message.EventInbound, "text", text, fmt.Sprint("user", n), fmt.Sprint("Name ", n)
	}
	out.number, out.event = rapid.SampledFrom([]string{mainNumber, otherNumber}).Draw(rt, "number"), e
	return out
}

// TestPeopleInAnyOrder gives two stores the same events in different orders, and some
// of them twice. Both must agree on who is who, what is known of people, their
// windows and who wrote what, even if ids contradict each other.
func (u suite) TestPeopleInAnyOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		one, _ := u.create(rt)
		other, _ := u.create(rt)
		var all []toldAt
		for n := range rapid.IntRange(2, 10).Draw(rt, "events") {
			all = append(all, aboutPeople(rt, n))
		}
		order := append(rapid.Permutation(all).Draw(rt, "order"), rapid.SliceOfN(rapid.SampledFrom(all), 0, 3).Draw(rt, "again")...)
		tell := func(s state.Store, list []toldAt) map[string]any {
			run := begin(rt, s)
			for i, v := range intend(rt, s, run, intent(s, phone(1)), intent(s, phone(2)), intent(s, phone(3))) {
				settle(rt, s, run, accepted(v, wamidOf(i)))
			}
			for _, e := range list {
				if e.about != "" {
					e.event.Ref = intent(s, e.about).Ref
				}
				told(rt, s, e.number, e.event)
			}
			return peopleOf(rt, s)
		}
		if d := cmp.Diff(tell(one, all), tell(other, order), cmpopts.EquateEmpty()); d != "" {
			rt.Errorf("another order, other people (-first +second):\n%s", d)
		}
	})
}

// peopleOf returns all that a store says about people.
func peopleOf(t T, s state.Store) map[string]any {
	t.Helper()
	out := map[string]any{}
	snap, err := s.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer snap.Close()
	out["people"], out["ties"] = sorted(t, snap.People(t.Context())), sorted(t, snap.Ties(t.Context()))
	out["windows at the main number"], out["windows at the other"] = sorted(t, snap.Windows(t.Context(), mainNumber)), sorted(t, snap.Windows(t.Context(), otherNumber))
	out["opt-outs"] = sorted(t, s.OptOuts(t.Context()))
	var wrote []string
	for _, number := range []string{mainNumber, otherNumber} {
		lane, after := answering(t, s, number), int64(0)
		for { // each is the oldest of its person when those before it are answered
			refs, upto, err := s.Claim(t.Context(), lane, after, 1)
			if err != nil {
				t.Fatal(err)
			}
			if upto == after {
				break
			}
			if after = upto; len(refs) != 1 {
				t.Fatalf("event %d is not given out", upto)
			}
			ev, _, err := s.Inbound(t.Context(), refs[0].Seq)
			if err == nil {
				err = s.Answered(t.Context(), lane, refs[0].Seq)
			}
			if err != nil {
				t.Fatal(err)
			}
			wrote = append(wrote, fmt.Sprint(ev.Event.ID, " by ", refs[0].Recipient, " as ", ev.Recipient))
		}
	}
	slices.Sort(wrote)
	out["wrote"] = wrote
	return out
}
