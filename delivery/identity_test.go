package delivery

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// id returns the id with a name: "+1" is a phone number, "U1" a user id, "P1" a
// user id in linked portfolios.
func id(name string) ID { return ID(strings.Replace(name, "P", "P.ENT.", 1)) }

func ids(names string) (out []ID) {
	for _, n := range strings.Fields(names) {
		out = append(out, id(n))
	}
	return out
}

// sight parses what an event told: "+1 U1", "+1 U1 > +1 U2" for a change, "+1
// U1 @2" at the second sending number.
func sight(at int64, text string) Sighting {
	s := Sighting{At: at, Number: "one"}
	if before, _, ok := strings.Cut(text, " @2"); ok {
		text, s.Number = before, "two"
	}
	if old, now, ok := strings.Cut(text, " > "); ok {
		s.Old, s.IDs = ids(old), ids(now)
	} else {
		s.IDs = ids(text)
	}
	return s
}

// who groups names by person: "+1 U1 | +2".
func (r Registry) who(names ...string) string {
	groups := map[string][]string{}
	for _, n := range names {
		key := n
		if p := r.Person(id(n)); p != 0 {
			key = fmt.Sprint(p)
		}
		groups[key] = append(groups[key], n)
	}
	var out []string
	for _, g := range groups {
		slices.Sort(g)
		out = append(out, strings.Join(g, " "))
	}
	slices.Sort(out)
	return strings.Join(out, " | ")
}

// Each case lists what was told, one moment after the other; "3: …" was told
// late and is about moment 3.
func TestWhoIsWho(t *testing.T) {
	for _, tt := range []struct {
		name string
		told []string
		want string
	}{
		{"ids that nobody saw together are persons by themselves", []string{"+1", "U1"}, "+1 | U1"},
		{"ids that were seen together are one person's", []string{"+1 U1"}, "+1 U1"},
		{"an id joins others one by one", []string{"+1 U1", "U1 P1"}, "+1 P1 U1"},
		{"persons who share an id are one", []string{"U1 P1", "+1 U2", "U2 P1"}, "+1 P1 U1 U2"},
		{"the user ids of two portfolios are one person's", []string{"+1 U1", "+1 U2 @2"}, "+1 U1 U2"},
		{"a changed number is the same person's", []string{"+1 U1", "+1 > +2"}, "+1 +2 U1"},
		{"a changed user id is the same person's", []string{"+1 U1", "+1 U1 > +1 U2"}, "+1 U1 U2"},
		{"a user id for a number", []string{"+1 > U1"}, "+1 U1"},
		{"a changed user id of an unknown number", []string{"U1 > U2", "+1 U2"}, "+1 U1 U2"},
		{"a new number without a word of it", []string{"+1 U1", "+2 U1"}, "+1 +2 U1"},
		{"a new user id with the same one of linked portfolios", []string{"+1 U1 P1", "+1 U2 P1"}, "+1 P1 U1 U2"},
		{"a number with another user id has passed on", []string{"+1 U1", "+1 U2"}, "+1 U2 | U1"},
		{"a number that passed on, told late", []string{"5: +1 U2", "2: +1 U1"}, "+1 U2 | U1"},
		{"a number that passed on twice", []string{"+1 U1", "+1 U2", "+1 U3"}, "+1 U3 | U1 | U2"},
		{"a user id that was replaced does not speak against another", []string{"+1 U1", "U1 > U2", "+1 U2"}, "+1 U1 U2"},
		{"a number that was left stays theirs until somebody else is seen with it", []string{"+1 U1", "+1 > +2", "+2 U2"}, "+1 +2 U1 U2"},
		{"a number that was left, with another user id", []string{"+1 > +2", "+1 U9"}, "+1 U9 | +2"},
		{"a number that was left, alone", []string{"+1 > +2", "+1"}, "+1 | +2"},
		{"a late word from a number that was left", []string{"5: +1 > +2", "2: +1"}, "+1 +2"},
		{"a person who goes back to their number", []string{"+1 U1", "+1 > +2", "+1 U1", "+1"}, "+1 +2 U1"},
		{"who changes to a number that was somebody else's", []string{"+2 U9", "+1 U1", "+1 > +2"}, "+1 +2 U1 | U9"},
		{"who was seen with the new number before the change was told", []string{"+1 U1", "5: +2 U2", "3: +1 > +2"}, "+1 +2 U1 U2"},
		{"a change that is told after the old number passed on", []string{"1: +1 U1", "7: +1 U9", "5: +1 > +2"}, "+1 U9 | +2 | U1"},
		{"a change of user id that is told after the number passed on", []string{"1: +1 U1", "7: +1 U9", "5: +1 U1 > +1 U2"}, "+1 U9 | U1 U2"},
		{"two who changed numbers with each other", []string{"+1 U1", "+2 U2", "+1 U1 > +2 U3", "+2 U2 > +1 U4"}, "+1 U2 U4 | +2 U1 U3"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var r Registry
			var names []string
			for i, told := range tt.told {
				at := int64(i + 1)
				if moment, rest, ok := strings.Cut(told, ": "); ok {
					_, _ = fmt.Sscan(moment, &at)
					told = rest
				}
				r.see(sight(at*seenStep.Milliseconds(), told))
				for _, n := range strings.Fields(strings.NewReplacer(">", "", "@2", "").Replace(told)) {
					if !slices.Contains(names, n) {
						names = append(names, n)
					}
				}
			}
			if got := r.who(names...); got != tt.want {
				t.Errorf("%s\nwant %s\nties %+v", got, tt.want, r.ties)
			}
		})
	}
}

// What was joined stays so for messages that were sent before: they belong to
// both ids.
func TestAPassedNumberIsReported(t *testing.T) {
	var r Registry
	first := r.see(sight(1, "+1 U1"))
	second := r.see(sight(2, "+1 U2"))
	if len(second.Parted) != 1 || second.Parted[0].Person != first.Person || second.Person == first.Person {
		t.Errorf("the number that passed on: %+v", second)
	}
	late := r.see(sight(1, "+1 U3"))
	if d := cmp.Diff([]ID{id("+1")}, late.Earlier); d != "" || len(late.Parted) != 0 {
		t.Errorf("a word from before (-want +got):\n%s%+v", d, late)
	}
	strict := r.see(sight(1, "+1 > +2"))
	if d := cmp.Diff([]int64{second.Person}, strict.Strict); d != "" {
		t.Errorf("whose opt-outs hold (-want +got):\n%s", d)
	}
}

// Ids that people keep end in the same persons, in any order and with any
// repetition.
func TestSightingsInAnyOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var told []Sighting
		names, owner := []string{}, map[string]string{}
		for n := range rapid.IntRange(1, 5).Draw(rt, "people") {
			person := fmt.Sprint(n + 1)
			all := []string{"+" + person, "U" + person, "P" + person}
			for range rapid.IntRange(1, 4).Draw(rt, "events") {
				some := rapid.SliceOfNDistinct(rapid.SampledFrom(all), 1, 3, rapid.ID[string]).Draw(rt, "ids")
				told = append(told, sight(rapid.Int64Range(1, 9).Draw(rt, "at")*seenStep.Milliseconds(), strings.Join(some, " ")))
				for _, name := range some {
					names, owner[name] = append(names, name), person
				}
			}
		}
		slices.Sort(names)
		names = slices.Compact(names)
		var one, other Registry
		for _, s := range told {
			one.see(s)
		}
		for _, s := range append(rapid.Permutation(told).Draw(rt, "order"), told[0]) {
			other.see(s)
		}
		if d := cmp.Diff(one.who(names...), other.who(names...)); d != "" {
			rt.Errorf("another order, other persons (-first +second):\n%s", d)
		}
		for a, b := range maps.All(owner) {
			for c, d := range maps.All(owner) {
				if p := one.Person(id(a)); b != d && p != 0 && p == one.Person(id(c)) {
					rt.Errorf("%s and %s are one person", a, c)
				}
			}
		}
	})
}

func TestAStopHoldsWhenTwoTurnOutToBeOne(t *testing.T) {
	out, in := Opt{OptedOut, now, "stop_word", ""}, Opt{OptedIn, now + 9, "opt_in", ""}
	pause := Opt{OptedOut, now + 5, OptUnclear, ""}
	for _, tt := range []struct{ a, b, want Opt }{
		{out, in, out}, {pause, in, pause}, {out, pause, out}, {in, Opt{}, in}, {Opt{}, Opt{}, Opt{}},
		{in, Opt{OptedIn, now, "opt_in", ""}, in},
	} {
		if got, back := tt.a.Stricter(tt.b), tt.b.Stricter(tt.a); got != tt.want || back != tt.want {
			t.Errorf("%v with %v: %v and %v, want %v", tt.a, tt.b, got, back, tt.want)
		}
	}
	if out.Passed() != out || in.Passed() != (Opt{}) {
		t.Error("an opt-out stays with a number that passes on, and an opt-in does not")
	}
}

func TestOfTwoDeliveriesTheOneThatMayHaveArrivedStands(t *testing.T) {
	order := []Attempt{{}, {1, Pending}, {1, Rejected}, {1, InDoubt}, {1, Accepted}}
	for i, a := range order {
		for j, b := range order {
			if a.Over(b) != (i > j) {
				t.Errorf("%+v over %+v: %v", a, b, a.Over(b))
			}
		}
	}
}

func TestKindsOfIDs(t *testing.T) {
	for key, want := range map[string]IDKind{"+4915112345678": IDPhone, "DE.13491208655302741918": IDUser, "DE.ENT.11815799212886844830": IDParent} {
		if got := kindOf(key); got != want {
			t.Errorf("%s is of kind %d, want %d", key, got, want)
		}
	}
}
