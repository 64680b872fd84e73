package operation

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// Resolution is what somebody found out about deliveries in doubt.
type Resolution struct {
	As       state.Send // state.Accepted, or state.Pending for not sent
	Who, Why string     // kept in the state
}

// Resolved is how many doubts of a campaign were settled.
type Resolved struct {
	Campaign string
	Messages int
	// Told are those that what the provider told settled before the person did.
	Told int
}

// Resolve settles the doubts at an address: those of a campaign, or of one
// delivery such as campaign.spring["+4915112345678"]. None is an *Error.
func Resolve(ctx context.Context, s state.Store, address string, r Resolution) (one Resolved, err error) {
	campaign, recipient, err := deliveryAddress(address)
	if err != nil {
		return one, &Error{"Invalid address", err}
	}
	one.Campaign = campaign
	var keys []state.Key
	for d, err := range s.InDoubt(ctx, campaign) {
		if err != nil {
			return one, err
		}
		if recipient == "" || d.Recipient == recipient {
			keys = append(keys, d.Key)
		}
	}
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
	if recipient == "" {
		return campaign
	}
	return fmt.Sprintf("%s[%q]", campaign, message.Mask(recipient))
}

// deliveryAddress reads campaign.spring or campaign.spring["+4915112345678"].
func deliveryAddress(s string) (campaign, recipient string, err error) {
	campaign, rest, ok := strings.Cut(s, "[")
	if !strings.Contains(campaign, ".") {
		return "", "", errors.New("expected campaign.NAME, or campaign.NAME[\"RECIPIENT\"]")
	}
	if !ok {
		return campaign, "", nil
	}
	inner, ok := strings.CutSuffix(rest, "]")
	if !ok {
		return "", "", errors.New("a bracket is not closed: expected campaign.NAME[\"RECIPIENT\"], in single quotes for the shell")
	}
	if recipient, err = strconv.Unquote(inner); err != nil {
		recipient = inner // a shell took the quotes away
	}
	if recipient == "" {
		return "", "", errors.New("the recipient is empty")
	}
	return campaign, recipient, nil
}
