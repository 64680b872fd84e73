package apply

import (
	"strings"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
)

// identity checks that an answer belongs to the message that was sent. When a
// proxy or a provider repeats an answer on a kept connection, every later answer
// belongs to the message before it, and a message that looks accepted may never
// have been read.
type identity struct {
	known map[string]struct{} // the last ids that were given out
	order []string            // ring of them
	next  int
	wrong int // answers so far that were not ours
}

const (
	// knownIDs is how many message ids are remembered. An answer that belongs to
	// another message comes close to it, within what is in flight.
	knownIDs = 4 * maxConcurrency
	// wrongAnswers is how many answers may be somebody else's before the number
	// halts.
	wrongAnswers = 3
)

func newIdentity() identity {
	return identity{known: make(map[string]struct{}, knownIDs), order: make([]string, knownIDs)}
}

// mixedUp returns why an accepting answer cannot belong to the message to that
// address; "" when it may.
func (c *identity) mixedUp(to message.Address, a *message.Answer) string {
	if a.Class != message.Accepted {
		return ""
	}
	if !samePerson(to, a.Recipient) {
		c.wrong++
		return "the answer names another recipient"
	}
	if a.ID == "" {
		return ""
	}
	if _, ok := c.known[a.ID]; ok {
		c.wrong++
		return "the answer repeats the id of another message"
	}
	delete(c.known, c.order[c.next])
	c.known[a.ID] = struct{}{}
	c.order[c.next] = a.ID
	c.next = (c.next + 1) % len(c.order)
	return ""
}

// samePerson reports whether told, the recipient that a provider names in its
// answer, can be to. Providers write numbers with or without "+" and may respell
// them. A number and a user id cannot be compared and count as the same.
func samePerson(to message.Address, told string) bool {
	digits := strings.TrimPrefix(told, "+")
	number := digits != "" && strings.Trim(digits, "0123456789") == ""
	switch {
	case told == "":
		return true
	case to.Phone != "" && number:
		return message.Canonical("+"+digits) == message.Canonical(to.Phone)
	case to.Phone == "" && !number:
		return told == to.UserID
	}
	return true
}

// check puts an answer that is not the message's own in doubt, has the sender
// use new connections, and halts the number after a few of them.
func (l *lane) check(a *answered) {
	why := l.identity.mixedUp(a.job.entry.Recipient.Address, &a.answer)
	if why == "" {
		return
	}
	a.answer = message.Answer{Class: message.Unknown, Title: why}
	if d, ok := l.sender.(providers.Distruster); ok {
		d.Distrust()
	}
	if l.identity.wrong >= wrongAnswers {
		l.haltNumber(&Halt{Reason: delivery.HaltMixedAnswers, Title: why,
			Advice: "Answers of the provider, or of a proxy before it, belong to other messages, so nobody can tell what was taken. " +
				"Look at the proxy, compare with the provider's own list, and settle who is in doubt with handbill resolve."})
	}
}
