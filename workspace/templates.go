package workspace

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/state"
)

// accounts reads the templates of accounts: each account once, however many data
// blocks and numbers it has.
type accounts struct {
	w     *Workspace
	lists map[string]*plan.Observed // by account
}

// templates reads what the configuration's blocks need, and what the state's records
// of templates need that are to be archived or deleted once they are not declared;
// without any of these it makes no request.
func (w *Workspace) templates(ctx context.Context, records []state.Managed) plan.Templates {
	read := &accounts{w: w, lists: map[string]*plan.Observed{}}
	known := map[*lang.Provider]*plan.Observed{}
	need := slices.Clone(w.Config.Data)
	for _, t := range w.Config.Templates {
		need = append(need, t.Held)
	}
	for _, p := range w.Config.Providers {
		ends := func(m state.Managed) bool {
			return m.Kind == "template" && m.Provider == p.Address() && m.OnDestroy != "" && m.OnDestroy != lang.OnDestroyKeep
		}
		if slices.ContainsFunc(records, ends) {
			need = append(need, &lang.DataTemplate{Provider: p})
		}
	}
	for _, d := range need {
		if d.Provider != nil && known[d.Provider] == nil {
			known[d.Provider] = read.of(ctx, d.Provider.Address())
		}
	}
	return plan.Templates{
		Of:        func(p *lang.Provider) *plan.Observed { return known[p] },
		Account:   func(p *lang.Provider) string { return w.account(p.Address()) },
		Abilities: func(p *lang.Provider) account.Abilities { return w.abilities(p.Address()) },
	}
}

// remembered is templates without a request: what the state keeps of each account, as
// old as its oldest record, with what webhooks have reported since.
func (w *Workspace) remembered(records []state.Managed, told []state.ToldTemplate) plan.Templates {
	return plan.Templates{
		Of: func(p *lang.Provider) *plan.Observed {
			seen := &plan.Observed{Account: w.account(p.Address()), Kept: true}
			var list []account.Template
			for i := range records {
				var t account.Template
				m := &records[i]
				if m.Account != seen.Account || m.Provider != p.Address() && m.Account == "" || json.Unmarshal(m.Observed, &t) != nil || t.Name == "" {
					continue
				}
				news := m.Told(told)
				if !news.Content.IsZero() {
					seen.Err = fmt.Errorf("a webhook reported at %s that the words of %s were changed: plan without -refresh=false", news.Content.UTC().Format(time.RFC3339), m.Address)
					return seen
				}
				list = append(list, *withTold(&t, &news))
				if seen.At.IsZero() || m.ObservedAt.Before(seen.At) {
					seen.At = m.ObservedAt
				}
			}
			seen.Templates, seen.Err = account.Join([][]account.Template{list})
			if len(list) == 0 {
				seen.Err = errors.New("it was not asked (-refresh=false), and the state keeps nothing of it")
			}
			return seen
		},
		Account:   func(p *lang.Provider) string { return w.account(p.Address()) },
		Abilities: func(p *lang.Provider) account.Abilities { return w.abilities(p.Address()) },
	}
}

// withTold is a template with what webhooks reported since it was read.
func withTold(t *account.Template, told *state.ToldTemplate) *account.Template {
	out := *t
	if told.Status.Word != "" {
		out.Status, out.Reason = told.Status.Word, told.Status.Reason
	}
	if told.Category.Word != "" {
		out.Category = told.Category.Word
	}
	if !told.Announced.At.IsZero() {
		out.CorrectCategory = told.Announced.Word
	}
	if told.Quality.Word != "" {
		out.Quality = told.Quality.Word
	}
	return &out
}

// abilities says which changes of templates are possible in the account of the
// number at an address.
func (w *Workspace) abilities(address string) account.Abilities {
	number, err := w.Provider(address)
	if err != nil {
		return account.Abilities{} // reported when its account is read
	}
	defer CloseProvider(number)
	if writer, ok := number.(providers.TemplateWriter); ok {
		return writer.Abilities()
	}
	why := "handbill can't change the templates of a " + number.Profile().Title + " account: create it there, and read it with a data block"
	return account.NoAbilities(why)
}

// account names the account of the number at an address; "" if it is not known.
func (w *Workspace) account(address string) string {
	number, err := w.Provider(address)
	if err != nil {
		return "" // reported when the number is used
	}
	defer CloseProvider(number)
	if reader, ok := number.(providers.TemplateReader); ok {
		return reader.Account()
	}
	return ""
}

// of returns what the account of the number at an address holds, as this reader
// first read it.
func (r *accounts) of(ctx context.Context, address string) *plan.Observed {
	number, err := r.w.Provider(address)
	if err != nil {
		return &plan.Observed{Err: err}
	}
	defer CloseProvider(number)
	reader, ok := number.(providers.TemplateReader)
	if !ok {
		return &plan.Observed{Err: fmt.Errorf("handbill can't list the templates of a %s account. Write the template's name as a text, which is sent unchecked, and take the data block out", number.Profile().Title)}
	}
	key := address
	if name := reader.Account(); name != "" && number.Profile().Type != "sandbox" { // each network has an account of that name
		key = number.Profile().Type + "/" + name
	}
	if r.lists[key] == nil {
		seen := &plan.Observed{Account: reader.Account()}
		seen.Templates, seen.Err = reader.Templates(ctx)
		seen.At = r.w.host.Now().UTC().Round(0) // of the wall: a machine that sleeps counts, too
		r.lists[key] = seen
	}
	return r.lists[key]
}

// Accounts returns a function that reads what the account of a number has, each
// account once.
func (w *Workspace) Accounts(ctx context.Context) func(*lang.Provider) *plan.Observed {
	read := &accounts{w: w, lists: map[string]*plan.Observed{}}
	return func(p *lang.Provider) *plan.Observed { return read.of(ctx, p.Address()) }
}

// ReadTemplates reads the templates of the account of the number at an address.
func (w *Workspace) ReadTemplates(ctx context.Context, address string) *plan.Observed {
	read := &accounts{w: w, lists: map[string]*plan.Observed{}}
	return read.of(ctx, address)
}

// SameTemplates reads the templates of a plan again if they were read more than
// five minutes ago. A *plan.ChangedError says that one has changed since the plan
// was made.
func (w *Workspace) SameTemplates(ctx context.Context, p *plan.Plan) error {
	read := &accounts{w: w, lists: map[string]*plan.Observed{}}
	err := p.SameTemplates(w.host.Now(), func(address string) *plan.Observed { return read.of(ctx, address) })
	if err != nil && ctx.Err() != nil {
		return errors.Join(ctx.Err(), err)
	}
	return err
}
