package delivery

import (
	"cmp"
	"maps"
	"slices"
)

// Known is what is known of a person.
type Known struct {
	Opt         Opt               `json:",omitzero"`
	Cooldown    int64             `json:",omitempty"` // until when
	LastInbound int64             `json:",omitempty"` // to any number
	Shut        int64             `json:",omitempty"` // by then all windows were closed; from a state older than format 3
	Windows     map[string]Window `json:",omitempty"` // by sending number
	Profile     string            `json:",omitempty"`
	ProfileAt   int64             `json:",omitempty"`
	Username    string            `json:",omitempty"`
	UsernameAt  int64             `json:",omitempty"`
	Attributes  map[string]string `json:",omitempty"`
	Handover    bool              `json:",omitempty"`
}

// Empty reports whether nothing is known.
func (k *Known) Empty() bool {
	return k.Opt == (Opt{}) && k.Cooldown == 0 && k.LastInbound == 0 && k.Shut == 0 && len(k.Windows) == 0 &&
		k.Profile == "" && k.Username == "" && len(k.Attributes) == 0 && !k.Handover
}

// Wrote records that the person wrote to a sending number.
func (k *Known) Wrote(number string, at int64) {
	k.LastInbound = max(k.LastInbound, at)
	k.window(number, Window{Inbound: at})
}

// ShutAt records that a provider found the person's window at a number closed, or
// all windows if number is "".
func (k *Known) ShutAt(number string, at int64) {
	if number == "" {
		k.Shut = max(k.Shut, at)
		return
	}
	k.window(number, Window{Shut: at})
}

func (k *Known) window(number string, w Window) {
	k.Windows = maps.Clone(k.Windows)
	if k.Windows == nil {
		k.Windows = map[string]Window{}
	}
	k.Windows[number] = k.Windows[number].Join(w)
}

// Named records what the person is called: the newest name, and of two equally new
// ones the first in the alphabet, so that order does not matter.
func (k *Known) Named(profile, username string, at int64) {
	if profile != "" && newer(at, profile, k.ProfileAt, k.Profile) {
		k.Profile, k.ProfileAt = profile, at
	}
	if username != "" && newer(at, username, k.UsernameAt, k.Username) {
		k.Username, k.UsernameAt = username, at
	}
}

func newer(at int64, name string, was int64, old string) bool {
	return at > was || at == was && (old == "" || name < old)
}

// WindowAt is what is known of the window at a sending number.
func (k *Known) WindowAt(number string) Window { return k.Windows[number].Join(Window{Shut: k.Shut}) }

// With returns the attributes after some are set; "" removes one.
func (k *Known) With(set map[string]string) map[string]string {
	all := map[string]string{}
	maps.Copy(all, k.Attributes)
	maps.Copy(all, set)
	maps.DeleteFunc(all, func(_, v string) bool { return v == "" })
	return all
}

// Choose returns somebody's present decision about marketing to the person. It
// holds even if a provider's clock was ahead, since it is dated after the last one.
func (k *Known) Choose(o Opt, now int64) Word {
	o.At = max(now, k.Opt.At+1)
	return Word{Opt: o}
}

// Join adds what is known of the same person under another id. The stricter of the
// two holds.
func (k *Known) Join(o *Known) {
	k.Opt = k.Opt.Stricter(o.Opt)
	k.Cooldown, k.LastInbound, k.Shut = max(k.Cooldown, o.Cooldown), max(k.LastInbound, o.LastInbound), max(k.Shut, o.Shut)
	for number, w := range o.Windows {
		k.window(number, w)
	}
	k.Named(o.Profile, "", o.ProfileAt)
	k.Named("", o.Username, o.UsernameAt)
	k.Handover = k.Handover || o.Handover
	mine := k.Attributes
	if k.Attributes = maps.Clone(o.Attributes); k.Attributes == nil {
		k.Attributes = mine
	}
	maps.Copy(k.Attributes, mine)
}

// Forbid adds the opt-outs, cool-downs and closed windows of another person who has,
// or had, the same number.
func (k *Known) Forbid(o *Known) {
	k.Opt = k.Opt.Stricter(o.Opt.Passed())
	k.Cooldown, k.Shut = max(k.Cooldown, o.Cooldown), max(k.Shut, o.Shut)
}

// Word is one statement about marketing to a person.
type Word struct {
	Opt
	Stay bool `json:",omitempty"` // it only lifts a pause: WishStay
}

// Say joins a word to the person's earlier choice.
func (o Opt) Say(w Word) Opt {
	switch {
	case w.Stay:
		o, _ = o.Heed(WishStay, w.Opt)
	case w.Choice == OptedOut && w.Reason == OptUnclear:
		o, _ = o.Heed(WishUnclear, w.Opt)
	case w.Choice == OptedOut:
		o, _ = o.Heed(WishStop, w.Opt)
	default:
		o = o.Join(w.Opt)
	}
	return o
}

// rank orders words of one moment, so that a pause can be answered within the same
// second, and a stop holds.
func (w *Word) rank() int {
	switch {
	case w.Stay:
		return 3
	case w.Choice != OptedOut:
		return 1
	case w.Reason == OptUnclear:
		return 2
	}
	return 4
}

func compareWords(a, b Word) int {
	return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.rank(), b.rank()), cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.Evidence, b.Evidence))
}

// Facts are what was reported about a person under one of their ids. Joining facts
// in any order, and with any repetition, gives the same result.
type Facts struct {
	Known          // without the Opt, which follows from Words
	Words   []Word `json:",omitempty"` // the oldest first
	Decided int64  `json:",omitempty"` // when somebody decided on Attributes and Handover
}

// Decide records what somebody decided about the person.
func (f *Facts) Decide(attributes map[string]string, handover bool, now int64) {
	f.Attributes, f.Handover, f.Decided = attributes, handover, now
}

// Say adds a word. Beyond maxWords, words that only repeat the one before are
// dropped.
func (f *Facts) Say(w Word) {
	if slices.Contains(f.Words, w) {
		return
	}
	f.Words = append(slices.Clone(f.Words), w)
	slices.SortFunc(f.Words, compareWords)
	if len(f.Words) > maxWords {
		again := 1
		for i := 1; i < len(f.Words)-1; i++ {
			if f.Words[i].rank() == f.Words[i-1].rank() {
				again = i
				break
			}
		}
		f.Words = slices.Delete(f.Words, again, again+1)
	}
}

// maxWords bounds what is kept of somebody who says "stop" all day.
const maxWords = 64
