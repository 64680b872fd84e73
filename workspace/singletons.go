package workspace

import (
	"context"
	"fmt"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/providers"
)

// Singletons read the objects of which a number or account has one; without a block
// they make no request.
func (w *Workspace) Singletons() plan.Singletons {
	return plan.Singletons{
		Key: func(p *lang.Provider, of *account.Singleton) (key, why string) {
			n, done, err := w.SingletonWriter(p.Address(), of)
			if err != nil {
				return "", err.Error()
			}
			defer done()
			return n.SingletonKey(of)
		},
		Read: func(ctx context.Context, p *lang.Provider, of *account.Singleton) (seen plan.ReadSingleton, err error) {
			n, done, err := w.SingletonWriter(p.Address(), of)
			if err != nil {
				return seen, err
			}
			defer done()
			seen.At = w.host.Now().UTC().Round(0) // of the wall: a machine that sleeps counts, too
			seen.Values, err = n.Singleton(ctx, of)
			return seen, err
		},
	}
}

// SingletonWriter is the number at an address, for changes of what it has one of. The
// caller calls done in the end.
func (w *Workspace) SingletonWriter(address string, of *account.Singleton) (n providers.SingletonWriter, done func(), err error) {
	number, err := w.Provider(address)
	if err != nil {
		return nil, nil, err
	}
	n, ok := number.(providers.SingletonWriter)
	if !ok {
		CloseProvider(number)
		return nil, nil, fmt.Errorf("the %s of a number at %s can't be looked after. Change it in the provider's own pages or in WhatsApp Manager, and take the block out", of.Title, number.Profile().Title)
	}
	return n, func() { CloseProvider(number) }, nil
}
