package operation

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/state"
)

// depose makes room at the address of a translation: what it replaces goes on under
// an address of its own, until it is retired.
func (w *templateWork) depose(ctx context.Context, c *plan.TemplateChange) error {
	row, kept := w.rows[c.Address]
	if c.Depose == "" || !kept || row.Key == plan.TemplateKey(&c.Spec.Template) && row.Account == c.Account {
		return nil // done by an earlier run of this plan
	}
	row.Address = c.Depose
	delete(w.rows, c.Address)
	return w.keep(ctx, &row, c.Address)
}

// retire lets go, archives and deletes what is no longer declared. What was replaced
// goes only if what replaces it can be sent.
func (w *templateWork) retire(ctx context.Context, ends []*plan.TemplateChange) error {
	for _, c := range ends {
		if w.stopped() || ctx.Err() != nil {
			return ctx.Err()
		}
		row, kept := w.rows[c.Address]
		switch {
		case !kept:
			continue // by an earlier run of this plan, or what should replace it was not begun
		case c.After != "" && !w.sendable[c.After]:
			w.end(TemplateStep{Address: c.Address, Did: TemplateKept, Status: row.Status, ID: row.RemoteID, Detail: c.After + " can't be sent in its place yet"})
		case c.Change == plan.Forget:
			if err := w.gone(ctx, c, TemplateForgotten); err != nil {
				return err
			}
		default:
			if err := w.destroy(ctx, c, row); err != nil {
				return err
			}
		}
	}
	return nil
}

// gone removes the row of a template that handbill does not look after any more.
func (w *templateWork) gone(ctx context.Context, c *plan.TemplateChange, did string) error {
	if err := w.Store.Manage(context.WithoutCancel(ctx), nil, []string{c.Address}); err != nil {
		return err
	}
	delete(w.rows, c.Address)
	step := TemplateStep{Address: c.Address, Did: did}
	if did == TemplateForgotten {
		step.Detail = c.Why
		if c.Change != plan.Forget {
			step.Detail = "the account does not have it any more"
		}
	}
	w.end(step)
	return nil
}

// destroy archives or deletes a template. The intent is stored before the request,
// and what became of a request without an answer is read from the account. One that
// the account does not have any more is done.
func (w *templateWork) destroy(ctx context.Context, c *plan.TemplateChange, row state.Managed) error {
	whole := c.Provider + " " + c.Spec.Name
	switch {
	case w.destroyed(ctx, c, false):
		return w.gone(ctx, c, TemplateForgotten)
	case c.Whole && w.whole[whole]:
		return w.gone(ctx, c, TemplateDeleted)
	}
	number, err := w.number(c.Provider)
	if err != nil {
		return err
	}
	doing, did := TemplateDeleting, TemplateDeleted
	if c.Change == plan.Archive {
		doing, did = TemplateArchiving, TemplateArchived
	}
	w.tell(TemplateStep{Address: c.Address, Did: doing})
	row.Intent = &state.ManagedIntent{Change: c.Change, At: w.ws.Now().UTC()}
	if err := w.keep(ctx, &row); err != nil {
		return err
	}
	done, detail := w.finish(ctx, number, c)
	switch {
	case done && c.Whole:
		if w.whole == nil {
			w.whole = map[string]bool{}
		}
		w.whole[whole] = true
		return w.gone(ctx, c, did)
	case done:
		return w.gone(ctx, c, did)
	case ctx.Err() != nil:
		return ctx.Err() // the intent stays
	}
	w.failed(c, detail)
	row.Intent = nil
	return w.keep(ctx, &row)
}

// destroyed reports whether what the account holds of a template needs no request.
func (w *templateWork) destroyed(ctx context.Context, c *plan.TemplateChange, again bool) bool {
	held := w.held(ctx, c, again)
	switch {
	case w.list(ctx, c.Provider, false).Err != nil:
		return false
	case held == nil:
		return true
	case held.ID != c.Seen.ID: // another one took its place
		return true
	case c.Change == plan.Archive:
		return held.Status == "ARCHIVED"
	}
	return held.Status == "PENDING_DELETION" || held.Status == "DELETED"
}

// finish sends the request until the account has carried it out; a repetition does no
// harm.
func (w *templateWork) finish(ctx context.Context, number providers.TemplateWriter, c *plan.TemplateChange) (done bool, detail string) {
	for try := 1; ; try++ {
		ans := w.request(ctx, number, c)
		if ans.Outcome == providers.TemplateDone {
			return true, ""
		}
		detail = message.SafeText(ans.Detail)
		if ans.Code != "" {
			detail += " (code " + ans.Code + ")"
		}
		if ctx.Err() != nil {
			return false, detail
		}
		if w.destroyed(ctx, c, true) {
			return true, ""
		}
		pause := max(ans.Wait, firstPoll)
		if ans.Outcome == providers.TemplateRefused || try == busyTries || !w.sleep(ctx, pause) {
			return false, detail
		}
	}
}

func (w *templateWork) request(ctx context.Context, number providers.TemplateWriter, c *plan.TemplateChange) providers.TemplateAnswer {
	switch {
	case c.Change == plan.Archive:
		return number.ArchiveTemplate(ctx, c.Seen.ID)
	case c.Whole:
		return number.DeleteTemplate(ctx, c.Spec.Name, "")
	}
	return number.DeleteTemplate(ctx, c.Spec.Name, c.Seen.ID)
}

// use records which templates some campaigns of the plan name, before anything is
// sent with them: what was sent lately is not deleted.
func (w *templateWork) use(ctx context.Context, of func(*plan.Campaign) bool) error {
	var used []state.Managed
	now := w.ws.Now().UTC()
	for _, row := range w.rows {
		name, _, _ := strings.Cut(row.Key, "/")
		named := slices.ContainsFunc(w.plan.Campaigns, func(c plan.Campaign) bool {
			return of(&c) && !c.Halted() && c.Counts.Sends() > 0 && w.plan.NamesTemplate(&c, name, "")
		})
		if named && now.Sub(row.Used) > time.Hour {
			row.Used = now
			used = append(used, row)
		}
	}
	if len(used) == 0 {
		return nil
	}
	slices.SortFunc(used, func(a, b state.Managed) int { return strings.Compare(a.Address, b.Address) })
	for i := range used {
		w.rows[used[i].Address] = used[i]
	}
	return w.Store.Manage(context.WithoutCancel(ctx), used, nil)
}
