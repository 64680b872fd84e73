package operation

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/apply"
	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/state"
)

// used is one language of a template that campaigns of a plan send, as the account
// was last read.
type used struct {
	campaigns                             []string
	provider, account, id, name, language string
	category                              string // as planned
	since                                 time.Time
}

// toldTemplates returns, for apply.Options.Told, what webhooks report about the
// templates of a plan while it is sent; nil if the plan sends none that was read.
func toldTemplates(ctx context.Context, store state.Store, p *plan.Plan) (func() map[string]apply.Told, error) {
	list, err := usedTemplates(ctx, store, p)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return func() map[string]apply.Told {
		told, err := state.ToldTemplates(ctx, store)
		if err != nil {
			return nil // a state that fails stops the run by itself
		}
		news := judgeAll(list, told)
		if len(news) > 0 { // accounts may have been read since
			if list, err = usedTemplates(ctx, store, p); err == nil {
				news = judgeAll(list, told)
			}
		}
		return news
	}, nil
}

func judgeAll(list []used, told []state.ToldTemplate) map[string]apply.Told {
	out := map[string]apply.Told{}
	for i := range list {
		u := &list[i]
		// Notices have whole seconds: one of the second of the reading counts.
		news := u.judge(state.ToldSince(told, u.since.Truncate(time.Second).Add(-1), u.provider, u.account, u.id, u.name, u.language))
		for _, c := range u.campaigns {
			if was := out[c]; was.Halt == nil && (news.Halt != nil || news.Hold != delivery.ReasonNone) {
				out[c] = news
			}
		}
	}
	return out
}

// usedTemplates are the templates that the plan has read or made, with the campaigns
// that send them.
func usedTemplates(ctx context.Context, store state.Store, p *plan.Plan) ([]used, error) {
	var list []used
	at := map[string]int{} // by address
	add := func(address string, u used) {
		for i := range p.Campaigns {
			if c := &p.Campaigns[i]; c.Template != "" && c.Counts.Sends() > 0 && p.NamesTemplate(c, u.name, u.language) {
				u.campaigns = append(u.campaigns, c.Address)
			}
		}
		if len(u.campaigns) > 0 {
			at[address] = len(list)
			list = append(list, u)
		}
	}
	for i := range p.Managed {
		m := &p.Managed[i]
		add(m.Address, used{provider: m.Provider, account: m.Account, id: m.ID, name: m.Observed.Name, language: m.Observed.Language, category: m.Category, since: m.ObservedAt})
	}
	for i := range p.Templates {
		if c := &p.Templates[i]; !slices.ContainsFunc(p.Managed, func(m plan.Managed) bool { return m.Address == c.Address }) {
			add(c.Address, used{provider: c.Provider, account: c.Account, name: c.Spec.Name, language: c.Spec.Language, category: c.Spec.Category})
		}
	}
	if len(list) == 0 {
		return nil, nil
	}
	rows, err := managed(ctx, store)
	for i := range rows {
		row := &rows[i]
		if k, ok := at[row.Address]; ok && row.Key == list[k].name+"/"+list[k].language && row.ObservedAt.After(list[k].since) {
			list[k].since, list[k].id = row.ObservedAt, row.RemoteID
		}
	}
	return list, err
}

// judge says what a campaign does after a notice: it waits as a plan would have it
// wait, or it stops.
func (u *used) judge(told state.ToldTemplate) apply.Told {
	where := fmt.Sprintf("the template %s in %s", u.name, u.language)
	if word := told.Status.Word; word != "" {
		t := account.Template{Status: word, Reason: told.Status.Reason}
		switch t.State() {
		case account.Sendable:
		case account.Paused:
			return apply.Told{Hold: delivery.ReasonTemplatePaused}
		case account.Unusable:
			return apply.Told{Halt: &apply.Halt{Reason: delivery.HaltTemplate, Title: "a webhook reported " + where + " as " + message.SafeText(word), Advice: message.SafeText(t.Says())}}
		default:
			return apply.Told{Hold: delivery.ReasonTemplatePending}
		}
	}
	if word := told.Category.Word; word != "" && word != u.category {
		return apply.Told{Halt: &apply.Halt{Reason: delivery.HaltTemplate, Title: "a webhook reported " + where + " as " + message.SafeText(word),
			Advice: "It was planned as " + message.SafeText(u.category) + ". Price, consent, and whether it reaches numbers of the United States depend on its category: plan again."}}
	}
	return apply.Told{}
}

// nap waits between two readings of the accounts. It ends early with the translations
// about which a webhook has reported a new status; over is false if it was
// interrupted.
func (w *templateWork) nap(ctx context.Context, pause time.Duration, waits []*plan.TemplateChange) (slept time.Duration, news map[string]state.ToldTemplate, over bool) {
	for slept < pause {
		span := min(lookEvery, pause-slept)
		if !w.sleep(ctx, span) {
			return slept, nil, false
		}
		slept += span
		told, err := state.ToldTemplates(ctx, w.Store)
		if err != nil || len(told) == 0 {
			continue // a state that fails stops the work when it is written
		}
		news = map[string]state.ToldTemplate{}
		for _, c := range waits {
			row := w.rows[c.Address]
			since := row.Told(told)
			if word := since.Status.Word; word != "" && (&account.Template{Status: word}).State() != account.Pending {
				news[c.Address] = since
			}
		}
		if len(news) > 0 {
			return slept, news, true
		}
	}
	return slept, nil, true
}

// take uses a status that a webhook reported instead of a reading of the account; ok
// is false if it says too little: of an approved template the category has to be known.
func (w *templateWork) take(ctx context.Context, c *plan.TemplateChange, told state.ToldTemplate, waited time.Duration) (ok bool, err error) {
	row := w.rows[c.Address]
	held := c.Spec.Template
	held.ID, held.Status, held.Reason, held.Category = row.RemoteID, told.Status.Word, told.Status.Reason, told.Category.Word
	switch held.State() {
	case account.Sendable:
		if held.Category == "" {
			return false, nil
		}
	case account.Unknown:
		return false, nil
	default:
		if held.Category == "" {
			held.Category = row.Category
		}
	}
	if err := w.record(ctx, c, &held, row); err != nil {
		return false, err
	}
	w.judge(c, &held, waited, false)
	return true, nil
}
