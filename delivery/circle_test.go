package delivery

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// circles keeps the circles of ids as a store does.
type circles []*Circle

// of merges the circles of some ids.
func (c *circles) of(ids ...ID) *Circle {
	one := &Circle{}
	*c = slices.DeleteFunc(*c, func(o *Circle) bool {
		theirs := slices.ContainsFunc(o.IDs(), func(id ID) bool { return slices.Contains(ids, id) })
		if theirs {
			one.Join(o)
		}
		return theirs
	})
	*c = append(*c, one)
	return one
}

// tell parses and applies one event: "+1 U1 stop", "+1 > +2", "+1 hello @2".
func (c *circles) tell(at int64, text string) {
	text, what := strings.TrimSuffix(text, " @2"), ""
	number := "one"
	if strings.Contains(text, " @2") {
		number = "two"
	}
	for _, word := range []string{"stop", "perhaps", "stay", "in", "hello", "shut", "cool"} {
		if before, ok := strings.CutSuffix(text, " "+word); ok {
			text, what = before, word
		}
	}
	s := sight(at, text)
	s.Number = number
	one := c.of(slices.Concat(s.IDs, s.Old)...)
	if len(s.IDs)+len(s.Old) > 1 {
		one.See(s)
	}
	word := func(c Choice, reason string) func(*Facts) {
		return func(f *Facts) { f.Say(Word{Opt: Opt{c, at, reason, ""}, Stay: reason == "stay"}) }
	}
	about := s.IDs[len(s.IDs)-1]
	switch what {
	case "stop":
		one.Tell(about, word(OptedOut, "stop_word"))
	case "perhaps":
		one.Tell(about, word(OptedOut, OptUnclear))
	case "stay":
		one.Tell(about, word(OptedIn, "stay"))
	case "in":
		one.Tell(about, word(OptedIn, "opt_in"))
	case "hello":
		one.Tell(about, func(f *Facts) { f.Wrote(number, at); f.Named("Ann", fmt.Sprint("ann", at), at) })
	case "shut":
		one.Tell(about, func(f *Facts) { f.ShutAt(number, at) })
	case "cool":
		one.Tell(about, func(f *Facts) { f.Cooldown = max(f.Cooldown, cooldownUntil(at)) })
	}
}

func (c *circles) people() (out []Person) {
	for _, one := range *c {
		out = append(out, one.People()...)
	}
	for i := range out {
		for j := range out[i].Ties {
			out[i].Ties[j].Person = 0
		}
		for j := range out[i].Former {
			out[i].Former[j].Person = 0
		}
	}
	slices.SortFunc(out, func(a, b Person) int { return strings.Compare(string(a.Ties[0].ID), string(b.Ties[0].ID)) })
	return out
}

// Any events, even about ids that contradict each other, end in the same people
// in any order and with any repetition.
func TestPeopleDoNotDependOnTheOrderOfEvents(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		type told struct {
			at   int64
			text string
		}
		var all []told
		ids := []string{"+1", "+2", "+3", "U1", "U2", "U3", "P1", "P2"}
		for range rapid.IntRange(1, 12).Draw(rt, "events") {
			some := rapid.SliceOfNDistinct(rapid.SampledFrom(ids), 1, 3, rapid.ID[string]).Draw(rt, "ids")
			text := strings.Join(some, " ")
			if rapid.IntRange(0, 3).Draw(rt, "changes") == 0 {
				text = strings.Join(rapid.SliceOfNDistinct(rapid.SampledFrom(ids), 1, 2, rapid.ID[string]).Draw(rt, "old"), " ") + " > " + text
			}
			if what := rapid.SampledFrom([]string{"", "stop", "perhaps", "stay", "in", "hello", "hello", "shut", "cool"}).Draw(rt, "what"); what != "" {
				text += " " + what
			}
			text += rapid.SampledFrom([]string{"", "", " @2"}).Draw(rt, "number")
			all = append(all, told{rapid.Int64Range(1, 6).Draw(rt, "at") * seenStep.Milliseconds() / 2, text})
		}
		var one, other circles
		for _, e := range all {
			one.tell(e.at, e.text)
		}
		for _, e := range append(rapid.Permutation(all).Draw(rt, "order"), rapid.SliceOfN(rapid.SampledFrom(all), 0, 4).Draw(rt, "again")...) {
			other.tell(e.at, e.text)
		}
		if d := cmp.Diff(one.people(), other.people(), cmpopts.EquateEmpty()); d != "" {
			rt.Errorf("another order, other people (-first +second):\n%s", d)
		}
		for _, c := range one { // a circle decodes to what was encoded
			text, err := json.Marshal(c)
			var back Circle
			if err == nil {
				err = json.Unmarshal(text, &back)
			}
			if d := cmp.Diff(c.People(), back.People(), cmpopts.EquateEmpty()); d != "" || err != nil {
				rt.Errorf("read back: %v (-want +got):\n%s", err, d)
			}
		}
	})
}

// The events' times decide who is who: each case ends in the same persons when
// its events are told in reverse.
func TestTimesDecideWhoIsWho(t *testing.T) {
	for _, tt := range []struct{ name, told, want string }{
		{"a number that passed on", "1: +1 U1, 2: +1 U2", "+1 U2 | U1"},
		{"three had it", "1: +1 U1, 2: +1 U2, 3: +1 U3", "+1 U3 | U1 | U2"},
		{"it came back", "1: +1 U1, 2: +1 U2, 3: +1 U1", "+1 U1 | U2"},
		{"left, and seen alone", "1: +1 U1, 2: +1 > +2, 3: +1 hello", "+1 | +2 U1"},
		{"left, and a late word", "1: +1 U1, 3: +1 > +2, 2: +1 hello", "+1 +2 U1"},
		{"seen alone before anybody knew that it was left", "5: +1 hello, 2: +1 > +2", "+1 | +2"},
		{"two who changed with each other", "1: +1 U1, 2: +2 U2, 3: +1 U1 > +2 U3, 4: +2 U2 > +1 U4", "+1 U2 U4 | +2 U1 U3"},
	} {
		events := strings.Split(tt.told, ", ")
		for range 2 {
			var c circles
			for _, e := range events {
				at, text, _ := strings.Cut(e, ": ")
				var n int64
				_, _ = fmt.Sscan(at, &n)
				c.tell(n*seenStep.Milliseconds(), text)
			}
			var got []string
			for _, p := range c.people() {
				var names []string
				for _, tie := range p.Ties {
					names = append(names, string(tie.ID))
				}
				got = append(got, strings.Join(names, " "))
			}
			if who := strings.Join(got, " | "); who != tt.want {
				t.Errorf("%s, told as %v: %s, want %s", tt.name, events, who, tt.want)
			}
			slices.Reverse(events)
		}
	}
}

// What a person wrote under several ids counts in the order in which it was
// written.
func TestWordsUnderSeveralIDs(t *testing.T) {
	for _, tt := range []struct{ name, told, out string }{
		{"a stop under one id", "1: +1 stop, 2: +1 U1", "+1 U1"},
		{"an opt-in under another id, before they were seen together", "1: +1 stop, 2: U1 in, 3: +1 U1", "+1 U1"},
		{"and after", "1: +1 stop, 3: U1 in, 2: +1 U1", ""},
		{"an answer to a pause that lifts no stop", "1: +1 stop, 2: +1 perhaps, 3: +1 stay", "+1"},
		{"an answer to a pause", "2: +1 perhaps, 3: +1 stay", ""},
		{"an opt-in by who has the number next", "1: +1 stop, 2: +1 > +2, 3: +1 U9 in", "+2"},
		{"an opt-in under a number that was left, alone", "1: +1 stop, 2: +1 > +2, 3: +1 in", "+1 +2"},
		{"a stop stays with the number", "1: +1 U1 stop, 2: +1 U2", "+1 U1 U2"},
	} {
		events := strings.Split(tt.told, ", ")
		for range 2 {
			var c circles
			for _, e := range events {
				at, text, _ := strings.Cut(e, ": ")
				var n int64
				_, _ = fmt.Sscan(at, &n)
				c.tell(n*seenStep.Milliseconds(), text)
			}
			var out []string
			for _, p := range c.people() {
				for _, tie := range p.Ties {
					if p.Opt.Choice == OptedOut {
						out = append(out, string(tie.ID))
					}
				}
			}
			slices.Sort(out)
			if got := strings.Join(out, " "); got != tt.out {
				t.Errorf("%s, told as %v: %s are out, want %s", tt.name, events, got, tt.out)
			}
			slices.Reverse(events)
		}
	}
}
