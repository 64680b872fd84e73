package memstate

import (
	"cmp"
	"context"
	"slices"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// link is a link in the message of an attempt.
type link struct {
	token    string // "" where the recipient was erased
	attempt  *attempt
	link     string
	clicked  int64
	programs int
}

// sent reports whether the attempt of the link is still there.
func (s *Store) sent(l *link) bool { return s.attempts[l.attempt.id-1] != nil }

func (s *Store) linkOf(token string) *link {
	for _, l := range s.links {
		if l.token == token && token != "" && s.sent(l) {
			return l
		}
	}
	return nil
}

// clicked is when the person first followed a link of an attempt; 0 for never.
func (s *Store) clicked(a *attempt) (at int64) {
	for _, l := range s.links {
		if l.attempt == a {
			at = state.EarlierClick(at, l.clicked)
		}
	}
	return at
}

// Link implements state.Store.
func (s *Store) Link(ctx context.Context, token string) (out state.SentLink, ok bool, err error) {
	err = s.read(ctx, func() error {
		if l := s.linkOf(token); l != nil {
			out, ok = state.SentLink{Campaign: l.attempt.key.Campaign, Link: l.link, Clicked: state.Moment(l.clicked)}, true
		}
		return nil
	})
	return out, ok, err
}

// Click implements state.Store.
func (s *Store) Click(ctx context.Context, clicks []state.Click) error {
	return s.write(ctx, func() error {
		for _, c := range clicks {
			if l := s.linkOf(c.Token); l != nil {
				set(s, &l.clicked, state.EarlierClick(l.clicked, state.Millis(c.At)))
				set(s, &l.programs, l.programs+c.Programs)
			}
		}
		return nil
	})
}

// LinkCounts implements state.Store.
func (s *Store) LinkCounts(ctx context.Context, campaign string) (out []state.LinkCount, err error) {
	type in struct {
		delivery state.Key
		link     string
	}
	counted := map[in]bool{}
	err = s.read(ctx, func() error {
		for _, l := range s.links {
			of := l.attempt.key.Campaign
			if !s.sent(l) || campaign != "" && of != campaign {
				continue
			}
			i := slices.IndexFunc(out, func(n state.LinkCount) bool { return n.Campaign == of && n.Link == l.link })
			if i < 0 {
				i = len(out)
				out = append(out, state.LinkCount{Campaign: of, Link: l.link})
			}
			out[i].Programs += l.programs
			key := l.attempt.key
			key.Recipient = message.Canonical(key.Recipient)
			if in := (in{key, l.link}); l.clicked != 0 && !counted[in] {
				counted[in] = true
				out[i].Clicked++
			}
		}
		return nil
	})
	slices.SortFunc(out, func(a, b state.LinkCount) int {
		return cmp.Or(cmp.Compare(a.Campaign, b.Campaign), cmp.Compare(a.Link, b.Link))
	})
	return out, err
}
