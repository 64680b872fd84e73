package operation

import (
	"context"
	"fmt"
	"strings"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/workspace"
)

// ImportSingleton records what a number has as the declared singleton at an address. id
// is the number's or account's. It changes nothing at the number. An error is an *Error,
// and then nothing was recorded.
func ImportSingleton(ctx context.Context, ws *workspace.Workspace, s state.Store, address, id string) ([]TemplateStep, error) {
	decl, err := declaredSingleton(ws.Config, address)
	if err != nil {
		return nil, &Error{"Not declared", err}
	}
	n, done, err := ws.SingletonWriter(decl.Provider.Address(), decl.Kind)
	if err != nil {
		return nil, &Error{"Not imported", err}
	}
	defer done()
	key, why := n.SingletonKey(decl.Kind)
	switch {
	case why != "":
		return nil, refuse("Not imported", "%s", why)
	case key != id:
		return nil, refuse("Not imported", "%s names %s, which is %s, and the id to import is %s", address, decl.Provider.Address(), message.SafeText(key), message.SafeText(id))
	}
	c := plan.SingletonChange{Address: address, Kind: decl.Kind.Kind, Level: decl.Level(), Provider: decl.Provider.Address(), Key: plan.SingletonKey(decl.Level(), key)}
	if decl.Kind.Ends {
		c.OnDestroy = decl.OnDestroy
	}
	rows, err := managed(ctx, s)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		switch {
		case row.Address == address && row.Known():
			return nil, refuse("Not imported", "the state has %s already. To take it over anew, remove it first: handbill state rm %s, which leaves the number alone", address, address)
		case row.Address != address && row.Kind == decl.Kind.Kind && row.Key == c.Key:
			return nil, refuse("Not imported", "the state has it as %s. If that was renamed: handbill state mv %s %s", row.Address, row.Address, address)
		}
	}
	held, err := n.Singleton(ctx, decl.Kind)
	if err != nil {
		return nil, &Error{"Not imported", fmt.Errorf("the %s of %s could not be read: %w", decl.Kind.Title, message.SafeText(key), err)}
	}
	c.Declared = held.Only(decl.Values.Names())
	w := &singletonWork{singletonsWork: &singletonsWork{Apply: &Apply{Store: s, ws: ws}}, c: &c, kind: decl.Kind, held: held}
	step := TemplateStep{Address: address, Did: TemplateAdopted, ID: key}
	if differ := decl.Kind.Differ(decl.Values, held); len(differ) > 0 {
		step.Detail = "other than declared, which the next plan changes: " + strings.Join(differ, ", ")
	}
	return []TemplateStep{step}, w.record(ctx)
}

// declaredSingleton is the declared singleton at an address.
func declaredSingleton(cfg *lang.Config, address string) (*lang.Singleton, error) {
	s, known := declaredAt(cfg.Singletons, address, func(s *lang.Singleton) bool { return s.Provider != nil })
	if s != nil {
		return s, nil
	}
	return nil, fmt.Errorf("%s is not declared; %s. To have the block written from what the number has, write an import block and run \"handbill plan -generate-config-out=numbers.hcl\"", message.SafeText(address), known)
}

// isSingleton reports whether an address is that of an object of which a number or an
// account has one.
func isSingleton(address string) bool {
	return account.SingletonOf(message.AddressType(address)) != nil
}
