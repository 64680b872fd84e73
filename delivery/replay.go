package delivery

import (
	"cmp"
	"maps"
	"slices"
)

// moment is something that happened.
type moment struct {
	at   int64
	rank int // order within one moment, the lowest first
	key  string
	do   func()
}

// The ranks: who is who is settled before what they said.
const (
	rankTogether = iota
	rankAlone
	rankFact
	rankWord // and what Word.rank adds
)

// replay applies everything that happened, from the beginning.
type replay struct {
	who   Registry
	known map[int64]*Known // by person
	alone map[ID]*Known    // of ids that were not seen with others yet
	late  [][2]ID          // whose opt-outs hold for whom, in the end
}

func (r *replay) base(people []Person) {
	for i := range people {
		p, n := &people[i], int64(i+1)
		for _, t := range p.Ties {
			t.Person = n
			r.who.ties = append(r.who.ties, t)
		}
		for _, t := range p.Former {
			t.Person = n
			r.who.former = append(r.who.former, t)
		}
		k := p.Known
		r.known[n], r.who.last = &k, n
	}
}

func (r *replay) person(n int64) *Known {
	if r.known[n] == nil {
		r.known[n] = &Known{}
	}
	return r.known[n]
}

// of is what is known of the person who has an id.
func (r *replay) of(id ID) *Known {
	if n := r.who.Person(id); n != 0 {
		return r.person(n)
	}
	if r.alone[id] == nil {
		r.alone[id] = &Known{}
	}
	return r.alone[id]
}

// sighting is the moment at which ids were seen together.
func (r *replay) sighting(s Sighting) moment {
	return moment{at: s.At, rank: rankTogether, key: s.key(), do: func() { r.see(s) }}
}

func (r *replay) see(s Sighting) {
	all := slices.Concat(s.IDs, s.Old)
	before := map[ID]int64{}
	for _, id := range all {
		before[id] = r.who.Person(id)
	}
	c := r.who.see(s)
	if c.Person == 0 {
		return
	}
	one := r.person(c.Person)
	for _, t := range c.Parted {
		one.Forbid(r.person(t.Person))
	}
	for _, t := range c.Ties {
		if k := r.alone[t.ID]; k != nil {
			one.Join(k)
			delete(r.alone, t.ID)
		}
	}
	for _, id := range c.Earlier {
		if i := slices.IndexFunc(all, func(o ID) bool { return o != id }); i >= 0 {
			r.late = append(r.late, [2]ID{all[i], id})
		}
	}
	for _, n := range c.Strict {
		one.Forbid(r.person(n))
	}
	for _, n := range c.Merged {
		one.Join(r.person(n))
		delete(r.known, n)
	}
}

// facts are what happened to the person behind an id. Facts that forbid something,
// such as a closed window or a cool-down, count for everybody who has had the
// number. Other facts count for the person who had it at the time.
func (r *replay) facts(all []moment, id ID, f *Facts) []moment {
	add := func(at int64, rank int, key string, do func()) {
		if at != 0 {
			all = append(all, moment{at, rank, string(id) + "\x00" + key, do})
		}
	}
	for number, w := range f.Windows {
		add(w.Inbound, rankAlone, number, func() { r.see(Sighting{At: w.Inbound, Number: number, IDs: []ID{id}}) })
		add(w.Inbound, rankFact, number, func() { r.of(id).Wrote(number, w.Inbound) })
		add(w.Shut, rankFact, number, func() {
			r.of(id).ShutAt(number, w.Shut)
			for _, t := range r.who.former {
				if t.ID == id {
					r.person(t.Person).ShutAt(number, w.Shut)
				}
			}
		})
	}
	add(f.LastInbound, rankFact, "", func() { k := r.of(id); k.LastInbound = max(k.LastInbound, f.LastInbound) })
	add(f.ProfileAt, rankFact, "", func() { r.of(id).Named(f.Profile, "", f.ProfileAt) })
	add(f.UsernameAt, rankFact, "", func() { r.of(id).Named("", f.Username, f.UsernameAt) })
	add(max(f.Decided, 1), rankFact, "", func() { r.decided(id, f) })
	for _, w := range f.Words {
		add(max(w.At, 1), rankWord+w.rank(), w.Reason+"\x00"+w.Evidence, func() { r.word(id, w) })
	}
	return all
}

func (r *replay) decided(id ID, f *Facts) {
	k := r.of(id)
	if f.Decided != 0 || f.Handover {
		k.Handover = f.Handover
	}
	if len(f.Attributes) > 0 {
		k.Attributes = maps.Clone(k.Attributes)
		if k.Attributes == nil {
			k.Attributes = map[string]string{}
		}
		maps.Copy(k.Attributes, f.Attributes)
	}
}

// word is what somebody said. An opt-in under an id that its person has left may
// be somebody else's, and lifts nothing.
func (r *replay) word(id ID, w Word) {
	if i := slices.IndexFunc(r.who.ties, func(t Tie) bool { return t.ID == id }); i >= 0 && w.Choice != OptedOut {
		if t := r.who.ties[i]; t.Left != 0 && t.Left < w.At {
			return
		}
	}
	k := r.of(id)
	k.Opt = k.Opt.Say(w)
}

// end adds what counts for everybody who ever had an id.
func (r *replay) end(facts map[ID]Facts) {
	for id, f := range facts {
		forbid := Known{Cooldown: f.Cooldown, Shut: f.Shut}
		r.of(id).Forbid(&forbid)
		for _, t := range r.who.former {
			if t.ID == id {
				r.person(t.Person).Forbid(&forbid)
			}
		}
	}
	for _, l := range r.late {
		r.of(l[1]).Forbid(r.of(l[0]))
	}
}

// people returns the persons at the end.
func (r *replay) people() []Person {
	var out []Person
	for _, n := range r.who.Persons() {
		ids, former := r.who.Of(n)
		if len(ids) == 0 { // all that they had is somebody else's: nothing reaches them
			continue
		}
		out = append(out, Person{tidy(ids), tidy(former), *r.person(n)})
	}
	for id, k := range r.alone {
		out = append(out, Person{Ties: []Tie{{ID: id}}, Known: *k})
	}
	slices.SortFunc(out, func(a, b Person) int { return cmp.Compare(a.Ties[0].ID, b.Ties[0].ID) })
	for i := range out {
		for _, list := range [...][]Tie{out[i].Ties, out[i].Former} {
			for j := range list {
				list[j].Person = int64(i + 1)
			}
		}
	}
	return out
}

// tidy sorts ties, and reduces the times at which ids were last seen to the hour.
func tidy(ties []Tie) []Tie {
	for i := range ties {
		ties[i].Seen = max(ties[i].Since, toStep(ties[i].Seen))
	}
	slices.SortFunc(ties, func(a, b Tie) int { return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Since, b.Since)) })
	return ties
}
