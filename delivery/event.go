package delivery

import (
	"cmp"

	"github.com/handbill/handbill/message"
)

// Names returns the ids that an event names, as one person's at its time: those
// that are theirs now, and those that these replaced.
func Names(ev *message.Event) (now, old []string) {
	now = names(ev.From, ev.Parent)
	if ev.Kind == message.EventIdentity { // it names the old ids first
		return names(ev.NewAddress, ev.NewParent), now
	}
	return now, nil
}

func names(a message.Address, parent string) (out []string) {
	for _, key := range [...]string{a.Phone, a.UserID, parent} {
		if key != "" {
			out = append(out, key)
		}
	}
	return out
}

// About returns the id under which an event's facts about its person are kept: if
// possible an id that never passes to another person.
func About(ev *message.Event) string { return cmp.Or(ev.From.UserID, ev.Parent, ev.From.Phone) }

// Preference returns what a person chose about marketing in WhatsApp itself.
func Preference(ev *message.Event, at int64) Word {
	opt := Opt{Choice: OptedIn, At: at, Reason: "user_preferences", Evidence: ev.Category}
	if ev.OptOut {
		opt.Choice = OptedOut
	}
	return Word{Opt: opt}
}

// Failure adds what a failed status of a message through a sending number says about
// its recipient.
func (f *Facts) Failure(code, number string, at int64) {
	switch ConsequenceOf(code) {
	case ConsequenceStop:
		f.Say(Word{Opt: Opt{Choice: OptedOut, At: at, Reason: code, Evidence: "failed status"}})
	case ConsequenceCool:
		f.Cooldown = max(f.Cooldown, cooldownUntil(at))
	case ConsequenceShut:
		f.ShutAt(number, at)
	}
}
