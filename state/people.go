package state

import (
	"maps"
	"time"

	"github.com/handbill/handbill/delivery"
)

// PersonOf returns what is known of a person in the form that a state returns, without
// the window, which belongs to a sending number.
func PersonOf(recipient string, k *delivery.Known) Person {
	out := Person{Recipient: recipient, LastInbound: Moment(k.LastInbound), Shut: Moment(k.Shut), Username: k.Username,
		OptedOut: k.Opt.Choice == delivery.OptedOut, Cooldown: Moment(k.Cooldown), ProfileName: k.Profile, Attributes: maps.Clone(k.Attributes), Handover: k.Handover}
	if out.OptedOut {
		out.OptOut, out.OptOutAt = k.Opt.Reason, Moment(k.Opt.At)
	}
	return out
}

// PersonWindow is what a state knows of the 24-hour window of one person at one sending number.
type PersonWindow struct {
	Recipient string
	Number    string
	Window    delivery.Window
}

// Tie says that an id is, or was, one of a person who has several. An id without a Tie is a person by itself.
type Tie struct {
	Recipient string
	Person    string    // as Person.Recipient
	Since     time.Time // when it was first seen as theirs
	Seen      time.Time // when it was last seen as theirs, to the hour
	Left      time.Time // when they had another one in its place; zero while they have it
	Former    bool      // it passed to somebody else
}
