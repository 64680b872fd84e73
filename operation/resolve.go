package operation

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// Resolution is what a person found out about deliveries in doubt.
type Resolution struct {
	As       state.Send // state.Accepted, or state.Pending for not sent
	Who, Why string     // kept in the state
}

// Resolved is how many doubts of a campaign were settled.
type Resolved struct {
	Campaign string
	Messages int
	// Told counts those that the provider's own report settled before the person
	// did.
	Told int
}

// Resolve settles the doubts at an address: those of a campaign, or of one delivery
// such as campaign.spring["+4915112345678"]. If there are none it returns an
// *Error.
func Resolve(ctx context.Context, s state.Store, address string, r Resolution) (one Resolved, err error) {
	if address, err = withQuotes(address); err != nil {
		return one, &Error{"Invalid address", err}
	}
	campaign, recipient := address, ""
	keys, err := inDoubt(ctx, s, campaign, recipient)
	if base, key, ok := state.SplitAddress(address); err == nil && ok && len(keys) == 0 { // no campaign of this key
		campaign, recipient = base, key
		keys, err = inDoubt(ctx, s, campaign, recipient)
	}
	if err != nil {
		return one, err
	}
	one.Campaign = campaign
	if len(keys) == 0 {
		return one, refuse("Nothing in doubt", "%s has nothing in doubt; see \"handbill status\"", message.SafeText(maskAddress(campaign, recipient)))
	}
	for _, k := range keys {
		switch err := s.Resolve(ctx, k, r.As, r.Who, r.Why); {
		case errors.Is(err, state.ErrSettled):
			one.Told++
		case err != nil:
			return one, err
		default:
			one.Messages++
		}
	}
	return one, nil
}

func maskAddress(campaign, recipient string) string {
	switch {
	case recipient == "":
		return campaign
	case !strings.ContainsAny(recipient, ".0123456789"): // a key of for_each: people's keys have digits or a dot
		return state.WithKey(campaign, recipient)
	}
	return fmt.Sprintf("%s[%q]", campaign, message.Mask(recipient))
}

// inDoubt returns a campaign's deliveries in doubt: all, or those of one recipient.
func inDoubt(ctx context.Context, s state.Store, campaign, recipient string) (keys []state.Key, err error) {
	for d, err := range s.InDoubt(ctx, campaign) {
		if err != nil {
			return nil, err
		}
		if recipient == "" || d.Recipient == recipient {
			keys = append(keys, d.Key)
		}
	}
	return keys, nil
}

// withQuotes restores the quotes around the key in the address of a campaign or
// delivery, which a shell removes.
func withQuotes(s string) (string, error) {
	head, _, hasKey := strings.Cut(s, "[")
	if !strings.Contains(head, ".") {
		return "", errors.New("expected campaign.NAME, or campaign.NAME[\"RECIPIENT\"]")
	}
	if !hasKey {
		return s, nil
	}
	if _, _, ok := state.SplitAddress(s); !ok {
		return "", errors.New("a bracket is not closed, or is empty: expected campaign.NAME[\"RECIPIENT\"], in single quotes for the shell")
	}
	return state.Quoted(s), nil
}
