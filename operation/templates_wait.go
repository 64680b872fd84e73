package operation

import (
	"context"
	"fmt"
	"time"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/state"
)

// How often the account is asked during a review.
const (
	firstPoll = 10 * time.Second
	lastPoll  = time.Minute
)

// wait asks the accounts about templates until each has a final status or its time
// is up. An account that cannot be read is asked again: its templates are not taken
// for deleted. A status that a webhook reported is used at once.
func (w *templateWork) wait(ctx context.Context, waits []*plan.TemplateChange) error {
	waited, pause := time.Duration(0), firstPoll // counted by what was slept: no clock that is set shortens it
	var news map[string]state.ToldTemplate       // by address
	for first := true; len(waits) > 0; first = false {
		if !first {
			slept, told, ok := w.nap(ctx, pause, waits)
			if !ok {
				return w.interrupted(ctx, waits)
			}
			if waited, news = waited+slept, told; news == nil {
				pause = min(pause*3/2, lastPoll)
			}
		}
		w.lists = nil
		var left []*plan.TemplateChange
		for _, c := range waits {
			over, err := w.hear(ctx, c, news, waited)
			if err != nil {
				return err
			}
			if !over {
				left = append(left, c)
			}
		}
		waits = left
	}
	return nil
}

// hear asks once about a translation, unless a webhook has reported all that matters;
// after news about others it is left alone. over says that there is nothing more to
// wait for.
func (w *templateWork) hear(ctx context.Context, c *plan.TemplateChange, news map[string]state.ToldTemplate, waited time.Duration) (over bool, err error) {
	told, about := news[c.Address]
	switch {
	case news == nil:
		return w.look(ctx, c, waited)
	case !about:
		return false, nil
	}
	if ok, err := w.take(ctx, c, told, waited); ok || err != nil {
		return true, err
	}
	return w.look(ctx, c, waited)
}

// interrupted leaves pending reviews to the next apply.
func (w *templateWork) interrupted(ctx context.Context, waits []*plan.TemplateChange) error {
	if !w.done.Stopped {
		return ctx.Err()
	}
	for _, c := range waits {
		w.end(TemplateStep{Address: c.Address, Did: TemplateWaiting, Status: w.rows[c.Address].Status, Detail: "interrupted; the next apply continues to wait"})
	}
	return nil
}

// look asks once about a translation; over says that there is nothing more to wait
// for.
func (w *templateWork) look(ctx context.Context, c *plan.TemplateChange, waited time.Duration) (over bool, err error) {
	seen := w.list(ctx, c.Provider, false)
	held := account.Find(seen.Templates, c.Spec.Name, c.Spec.Language)
	row := w.rows[c.Address]
	if seen.Err == nil && held != nil && (held.Status != row.Status || held.Category != row.Category || held.ID != row.RemoteID) {
		if err := w.record(ctx, c, held, row); err != nil {
			return false, err
		}
	}
	late := waited >= c.Timeout
	switch {
	case seen.Err != nil && late:
		w.late(c, row.Status, waited, "the account could not be read: "+seen.Err.Error())
		return true, nil
	case held == nil && late: // its list may lag behind its creation
		w.late(c, row.Status, waited, "the account's list does not have it yet")
		return true, nil
	case held == nil:
		return false, nil
	}
	return w.judge(c, held, waited, late), nil
}

// judge says what the account's word about a translation means; over says that there
// is nothing more to wait for.
func (w *templateWork) judge(c *plan.TemplateChange, held *account.Template, waited time.Duration, late bool) (over bool) {
	w.settle(c, held.Status, held.Category)
	switch {
	case held.State() == account.Pending && late:
		w.late(c, held.Status, waited, held.Says())
	case held.State() == account.Pending:
		w.tell(TemplateStep{Address: c.Address, Did: TemplateWaiting, Status: held.Status, ID: held.ID, Took: waited})
		return false
	case held.State() != account.Sendable:
		w.failed(c, fmt.Sprintf("the account holds it as %s. %s", held.Status, held.Says()))
	case held.Category != c.Spec.Category:
		w.failed(c, fmt.Sprintf("Meta approved it as %q, and it is declared as %q: price, consent, and whether it reaches numbers of the United States depend on it. Write category = %q, and plan again",
			message.SafeText(held.Category), c.Spec.Category, message.SafeText(held.Category)))
	default:
		w.end(TemplateStep{Address: c.Address, Did: TemplateApproved, Status: held.Status, ID: held.ID, Took: waited})
	}
	return true
}

func (w *templateWork) late(c *plan.TemplateChange, status string, waited time.Duration, why string) {
	w.end(TemplateStep{Address: c.Address, Did: TemplateLate, Status: status, Took: waited,
		Detail: message.SafeText("it was not approved within " + lang.ShortDuration(c.Timeout) + "; it stays in the account, and the next apply continues to wait. " + why)})
}
