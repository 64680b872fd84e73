package serve

import (
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// proof holds what authenticates a webhook.
type proof struct {
	header http.Header
	body   []byte
	token  [32]byte // SHA-256 of the path's last part
}

// vouched reports whether the webhook is authentic for the number too: a sender who
// knows the secret of one number must not speak for another.
func (n *number) vouched(p proof) bool {
	signed, err := n.Webhook.Authenticate(p.header, p.body)
	if err != nil {
		return false
	}
	match := 0
	for _, t := range n.tokens {
		match |= subtle.ConstantTimeCompare(t[:], p.token[:])
	}
	return signed || match == 1 || len(n.tokens) == 0 && n.TrustUnsigned
}

// route assigns each event to the number that it is about, since a provider posts
// the events of all numbers of an account to one address. An event about a number
// that is not declared is put aside with the reason: it opens no window, gets no
// answer, and opts nobody out.
func (s *Server) route(n *number, events []message.Event, p proof) []state.Inbox {
	at := map[*number]int{}
	now := s.opt.Now()
	out := make([]state.Inbox, 0, 1)
	for i := range events {
		ev := events[i]
		to := s.about(n, &ev)
		switch {
		case to == nil:
			to, ev = n, aside(&ev, "which no provider block declares")
		case to != n && !to.vouched(p):
			ev = aside(&ev, fmt.Sprintf("which is %s, and its secret does not vouch for the webhook", to.Address))
			to = n
		}
		ev.NumberID, ev.Number, ev.AccountID = "", "", ""
		k, ok := at[to]
		if !ok {
			k = len(out)
			at[to] = k
			out = append(out, state.Inbox{Provider: to.Address, Received: now, Raw: p.body})
		}
		out[k].Events = append(out[k].Events, ev)
	}
	if len(out) == 0 {
		out = append(out, state.Inbox{Provider: n.Address, Received: now, Raw: p.body})
	}
	return out
}

// about returns the number that an event is about, among the numbers of n's type;
// nil when it is none of them. An event that names no number is n's.
func (s *Server) about(n *number, ev *message.Event) *number {
	switch {
	case ev.NumberID == "" && ev.Number == "":
		return s.ofAccount(n, ev.AccountID)
	case n.named(ev) == named:
		return n
	}
	for _, other := range s.numbers {
		if other != n && other.Type == n.Type && other.named(ev) == named {
			return other
		}
	}
	if n.named(ev) == unknown {
		return n
	}
	return nil
}

// ofAccount returns a number of the account that a notice is about; nil when no
// declared number belongs to that account.
func (s *Server) ofAccount(n *number, account string) *number {
	if account == "" || n.Account == "" || n.Account == account {
		return n
	}
	for _, other := range s.numbers {
		if other.Type == n.Type && other.Account == account {
			return other
		}
	}
	return nil
}

// naming says whether an event names a number.
type naming int8

const (
	unknown naming = iota // it cannot be compared
	named
	another
)

func (n *number) named(ev *message.Event) naming {
	switch {
	case n.ID != "" && ev.NumberID != "":
		return same(n.ID == ev.NumberID)
	case n.Phone != "" && ev.Number != "":
		return same(tail(n.Phone) == tail(ev.Number))
	}
	return unknown
}

func same(yes bool) naming {
	if yes {
		return named
	}
	return another
}

// tail returns the digits that two spellings of a number share: some countries have
// optional digits after the country code.
func tail(digits string) string { return digits[max(len(digits)-8, 0):] }

// aside turns an event that belongs to no declared number into a notice with the
// reason.
func aside(ev *message.Event, why string) message.Event {
	what := "number " + ev.NumberID
	switch {
	case ev.NumberID != "":
	case ev.Number != "":
		what = "number " + message.Mask("+"+ev.Number)
	default:
		what = "account " + ev.AccountID
	}
	raw, err := json.Marshal(ev)
	if err != nil {
		raw = nil // cannot happen: an event holds only texts and numbers
	}
	return message.Event{Kind: message.EventOther, Field: string(ev.Kind), At: ev.At, Raw: raw,
		Reason: fmt.Sprintf("it is about %s, %s", message.SafeText(what), why)}
}
