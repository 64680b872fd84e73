package delivery

import (
	"strings"
	"sync"

	"github.com/handbill/handbill/message"
)

// Answers checks that the answers on one sending number belong to the messages
// that were sent. If a proxy or a provider repeats an answer on a kept connection,
// each later answer belongs to the message before: what looks accepted was never
// read. The zero value is ready. It is safe for concurrent use.
type Answers struct {
	mu    sync.Mutex
	known map[string]struct{} // the last ids that were given out
	order [knownIDs]string    // ring of them
	next  int
	wrong int // answers that were not ours
	right int // answers that were, since the last that was not
}

const (
	// knownIDs is how many message ids are remembered. A misplaced answer arrives
	// close to its own message, within what is in flight.
	knownIDs = 1024
	// wrongAnswers is how many answers to other messages, with fewer than knownIDs
	// right ones between them, stop all sending.
	wrongAnswers = 3
)

// Doubt puts an accepting answer in doubt if it cannot belong to the message to
// this address, and reports whether it did. The sender must then use new
// connections; if halt is true, nothing more may be sent from the number.
func (c *Answers) Doubt(to message.Address, a *message.Answer) (doubted, halt bool) {
	if a.Class != message.Accepted {
		return false, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	why := c.mixedUp(to, a)
	if why == "" {
		if c.right++; c.right >= knownIDs {
			c.wrong = 0
		}
		return false, false
	}
	c.wrong, c.right = c.wrong+1, 0
	*a = message.Answer{Class: message.Unknown, Title: why}
	return true, c.wrong >= wrongAnswers
}

// mixedUp says why an answer belongs to another message; "" if nothing suggests
// that.
func (c *Answers) mixedUp(to message.Address, a *message.Answer) string {
	if !samePerson(to, a.Recipient) {
		return "the answer names another recipient"
	}
	if a.ID == "" {
		return ""
	}
	if _, ok := c.known[a.ID]; ok {
		return "the answer repeats the id of another message"
	}
	if c.known == nil {
		c.known = make(map[string]struct{}, knownIDs)
	}
	delete(c.known, c.order[c.next])
	c.known[a.ID] = struct{}{}
	c.order[c.next] = a.ID
	c.next = (c.next + 1) % knownIDs
	return ""
}

// samePerson reports whether told, the recipient that a provider reports, can be
// to. Providers write numbers with or without "+" and may respell them; a number
// and a user id say nothing about each other.
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
