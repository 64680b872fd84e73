package operation

import (
	"context"
	"net/url"

	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/workspace"
)

// NumberCheck is what a provider reports about one sending number.
type NumberCheck struct {
	Address string
	Profile *providers.Profile
	Told    bool  // the provider reports the health of its numbers
	Err     error // it could not be asked; then nothing below is set

	Health       *providers.Health
	Subscription *Subscription // nil if the provider does not report it
	// SubscriptionErr says that the webhook subscription could not be read,
	// LimitErr that the messaging limit could not be stored.
	SubscriptionErr, LimitErr error
}

// Subscription says where a provider posts a number's events, and which.
type Subscription struct {
	*providers.Subscription
	Hosts []string // scheme and host of each URL: the path may hold a secret
	Here  bool     // one of them leads to a path of handbill serve
	Path  string   // the path that handbill serve has for the number
}

// CheckNumber asks the provider about the number at an address, and stores the
// messaging limit that it reports in the state, if there is one. Nothing is sent.
func CheckNumber(ctx context.Context, ws *workspace.Workspace, address string) (*NumberCheck, error) {
	number, err := ws.Provider(address)
	if err != nil {
		return nil, &Error{"Provider not usable", err}
	}
	defer workspace.CloseProvider(number)
	c := &NumberCheck{Address: address, Profile: number.Profile()}
	checker, ok := number.(providers.Checker)
	if c.Told = ok; !ok {
		return c, nil
	}
	if c.Health, c.Err = checker.Check(ctx); c.Err != nil {
		return c, nil
	}
	if s, ok := number.(providers.Subscriber); ok {
		c.subscription(ctx, ws, s)
	}
	if c.Profile.Type != "sandbox" { // its limit is nobody's
		c.LimitErr = ws.KeepMessagingLimit(ctx, address, c.Health)
	}
	return c, nil
}

func (c *NumberCheck) subscription(ctx context.Context, ws *workspace.Workspace, from providers.Subscriber) {
	s, err := from.Subscription(ctx)
	if err != nil {
		c.SubscriptionErr = err
		return
	}
	c.Subscription = &Subscription{Subscription: s, Path: workspace.WebhookPath(ws.Config, c.Address)}
	for _, raw := range s.URLs {
		u, err := url.Parse(raw)
		if err != nil || u.Host == "" {
			continue
		}
		c.Subscription.Hosts = append(c.Subscription.Hosts, u.Scheme+"://"+u.Host)
		c.Subscription.Here = c.Subscription.Here || workspace.LeadsHere(ws.Config, c.Address, u.Path)
	}
}
