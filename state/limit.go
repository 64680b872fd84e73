package state

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// noLimit is the People of a MessagingLimit that bounds nothing.
const noLimit = -1

// MessagingLimit is how many people a number may write to outside their windows in 24 hours, as its provider told. The
// numbers of a business portfolio share one. Source: Meta, messaging-limits, read 2026-09-11.
type MessagingLimit struct {
	People    int       `json:"people"` // -1 for no limit, 0 where only the portfolio is known
	Told      time.Time `json:"told"`
	By        string    `json:"by"`                  // what told it: "providers check", "refresh", or the webhook's field
	Portfolio string    `json:"portfolio,omitempty"` // the provider's id of it; "" where it is not told
}

func limitName(provider string) string { return "limit/" + provider }

// PutMessagingLimit keeps what was told of a number, unless something was told later. What is not told stays known.
func PutMessagingLimit(ctx context.Context, s interface {
	PutAll(ctx context.Context, blobs map[string][]byte) error
	Blobs(ctx context.Context, prefix string) (map[string][]byte, error)
}, provider string, l MessagingLimit) error {
	name := limitName(provider)
	kept, err := s.Blobs(ctx, name)
	if err != nil {
		return err
	}
	before, _, err := readLimit(provider, kept[name])
	if err != nil {
		return err
	}
	if before.Told.After(l.Told) {
		before, l = l, before // what is missing is taken from what is older
	}
	if l.People == 0 {
		l.People, l.Told, l.By = before.People, before.Told, before.By
	}
	l.Portfolio = cmp.Or(l.Portfolio, before.Portfolio)
	data, err := json.Marshal(l)
	if err != nil {
		return err
	}
	return s.PutAll(ctx, map[string][]byte{name: data})
}

// GetMessagingLimit returns what was told of a number last; ok is false for nothing.
func GetMessagingLimit(ctx context.Context, s Snapshot, provider string) (l MessagingLimit, ok bool, err error) {
	data, err := s.Get(ctx, limitName(provider))
	if err != nil {
		return l, false, err
	}
	return readLimit(provider, data)
}

func readLimit(provider string, data []byte) (l MessagingLimit, ok bool, err error) {
	if data == nil {
		return l, false, nil
	}
	if err := json.Unmarshal(data, &l); err != nil {
		return l, false, fmt.Errorf("%w: the messaging limit of %s: %w", ErrDamaged, provider, err)
	}
	return l, true, nil
}

// ShareLimits gives every number of a portfolio what was told last of any of them, since WhatsApp counts them together.
func ShareLimits(limits map[string]MessagingLimit) {
	newest := map[string]MessagingLimit{}
	for _, l := range limits {
		if n := newest[l.Portfolio]; l.People != 0 && (n.People == 0 || l.Told.After(n.Told) || l.Told.Equal(n.Told) && smaller(l.People, n.People)) {
			newest[l.Portfolio] = l
		}
	}
	for address, l := range limits {
		if n, ok := newest[l.Portfolio]; ok && l.Portfolio != "" {
			limits[address] = n
		}
	}
}

func smaller(a, b int) bool { return a != noLimit && (b == noLimit || a < b) }
