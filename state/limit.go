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

// MessagingLimit is how many people may be written to outside their windows in
// 24 hours, as a provider told it of one number. All numbers of a business
// portfolio share one.
// Source: Meta, messaging-limits, read 2026-09-11.
type MessagingLimit struct {
	People    int       `json:"people"` // -1 for no limit, 0 where only the portfolio is known
	Told      time.Time `json:"told"`
	By        string    `json:"by"`                  // what told it: "providers check", "refresh", or the webhook's field
	Portfolio string    `json:"portfolio,omitempty"` // the provider's id of it; "" where it is not told
}

// limitName is where the limit of a number is kept.
func limitName(provider string) string { return "limit/" + provider }

// PutMessagingLimit keeps what was told of a number, unless something was told
// of it later. What is not told leaves what is known.
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

// GetMessagingLimit is what was told of a number last; ok is false where nothing
// was.
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

// ShareLimits has the numbers of one portfolio share what was told last of any
// of them: WhatsApp counts all of them together.
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

// smaller reports whether a allows fewer people than b.
func smaller(a, b int) bool { return a != noLimit && (b == noLimit || a < b) }
