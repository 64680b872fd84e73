package delivery

// Wish is what a message of a person says about being written to.
type Wish int8

// The wishes.
const (
	WishNone    Wish = iota
	WishStop         // the person wants no more marketing
	WishUnclear      // perhaps: marketing pauses until the person says so
	WishStay         // answers that: marketing may go on
)

// OptUnclear is the reason of an opt-out that is only a pause: what the person
// wrote may have meant something else. WishStay lifts this opt-out and no other.
const OptUnclear = "stop_word_unclear"

// Heed applies a wish to a person's choice. said is the choice that the wish makes,
// with its time, reason and evidence. It reports whether the wish stopped marketing
// to the person.
func (o Opt) Heed(w Wish, said Opt) (Opt, bool) {
	out := o.Choice == OptedOut
	paused := out && o.Reason == OptUnclear
	switch {
	case w == WishStop && paused:
		// A clear word replaces the pause whichever is joined first, so that
		// WishStay cannot lift it.
		said.Choice = OptedOut
		return said, true
	case w == WishStop, w == WishUnclear && !out:
		said.Choice = OptedOut
		n := o.Join(said)
		return n, !out && n.Choice == OptedOut
	case w == WishStay && paused && said.At >= o.At:
		// WhatsApp's clock has seconds: an answer may be as old as the question.
		return Opt{Choice: OptedIn, At: said.At, Reason: "stay", Evidence: said.Evidence}, false
	}
	return o, false
}

// WordOf returns the word that a message with a wish stands for. said has its time,
// reason and evidence.
func WordOf(w Wish, said Opt) Word {
	if w == WishStay {
		said.Choice = OptedIn
		return Word{Opt: said, Stay: true}
	}
	said.Choice = OptedOut
	return Word{Opt: said}
}
