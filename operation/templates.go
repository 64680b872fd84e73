package operation

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/apply"
	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/pace"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/workspace"
)

// TemplateOptions are the options for carrying out the template blocks of a plan.
type TemplateOptions struct {
	// Stop, when closed, ends the work cleanly: nothing new is begun or waited for.
	Stop <-chan struct{}
	// Sleep waits; nil is pace.Sleep.
	Sleep func(context.Context, time.Duration) error
	// Observe is called for each step; may be nil.
	Observe func(TemplateStep)
}

// TemplateStep is one step for one translation of a template block.
type TemplateStep struct {
	Address string
	Did     string // a Template… constant
	Status  string // Meta's word
	ID      string // the account's; "" if it reports none
	Detail  string // of what failed, or what else is to be known
	Took    time.Duration
}

// What a TemplateStep did:
const (
	TemplateCreating  = "creating" // a request is about to leave
	TemplateEditing   = "editing"
	TemplateCreated   = "created"
	TemplateEdited    = "edited"
	TemplateAdopted   = "adopted" // it was there, by an earlier request
	TemplateForgotten = "forgotten"
	TemplateDeleting  = "deleting"
	TemplateDeleted   = "deleted"
	TemplateArchiving = "archiving"
	TemplateArchived  = "archived"
	TemplateKept      = "kept" // what replaces it can't be sent yet
	TemplateMoved     = "moved"
	TemplateWaiting   = "waiting"
	TemplateApproved  = "approved"
	TemplateFailed    = "failed"
	TemplateLate      = "late" // not approved within its time
)

// TemplatesDone is the result of carrying out the template blocks of a plan.
type TemplatesDone struct {
	Steps []TemplateStep // how each one that was to change or to be waited for ended, by address
	// Hold are the campaigns that may not be sent yet, and why.
	Hold    map[string]delivery.Reason
	Stopped bool
	Err     error // that ended it: the state, or a *plan.ChangedError before anything was changed

	later *templateWork // what is left, during which other campaigns are sent; nil for nothing
	waits []*plan.TemplateChange
	ends  []*plan.TemplateChange
}

// Failed reports whether a template could not be changed as planned.
func (d *TemplatesDone) Failed() bool { return d.any(TemplateFailed) }

// Late reports whether a template was not approved in time.
func (d *TemplatesDone) Late() bool { return d.any(TemplateLate) }

func (d *TemplatesDone) any(did string) bool {
	return slices.ContainsFunc(d.Steps, func(s TemplateStep) bool { return s.Did == did })
}

// Templates carries out the template blocks of the prepared plan: it stores an
// intent before each request and records the answer after it. Then it waits for the
// templates that messages need. A template that fails stops neither the others nor
// the campaigns that do not need it.
//
// Where there are campaigns to send that need none of those templates, the wait and
// what follows it are left to Run, which sends these campaigns meanwhile.
func (a *Apply) Templates(ctx context.Context, opt TemplateOptions) *TemplatesDone {
	w := &templateWork{Apply: a, opt: opt, done: &TemplatesDone{Hold: map[string]delivery.Reason{}}, rows: map[string]state.Managed{}, numbers: map[string]providers.TemplateWriter{}}
	if len(a.plan.Templates) == 0 {
		return w.done
	}
	if w.opt.Sleep == nil {
		w.opt.Sleep = pace.Sleep
	}
	if w.done.Err = w.run(ctx); w.done.Err == nil && w.meanwhile() {
		if w.done.Err = w.use(ctx, func(c *plan.Campaign) bool { return len(c.AfterApproval) == 0 }); w.done.Err == nil {
			w.done.later = w
			return w.done
		}
	}
	w.rest(ctx, w.done.Err)
	return w.done
}

// meanwhile reports whether campaigns can be sent while templates are waited for that
// others need.
func (w *templateWork) meanwhile() bool {
	return !w.detach && !w.done.Stopped && len(w.done.waits) > 0 && slices.ContainsFunc(w.plan.Campaigns, func(c plan.Campaign) bool {
		return len(c.AfterApproval) == 0 && c.Counts.Sends() > 0 && !c.Halted()
	})
}

// rest waits, ends what is no longer declared, and says which campaigns are held.
// failed is the error that what was before ended with.
func (w *templateWork) rest(ctx context.Context, failed error) {
	defer w.close()
	if failed == nil {
		failed = w.await(ctx)
	}
	w.done.Err = failed
	for _, c := range w.plan.Campaigns {
		for _, address := range c.AfterApproval {
			if !w.sendable[address] {
				w.done.Hold[c.Address] = delivery.ReasonTemplatePending
			}
		}
	}
	slices.SortStableFunc(w.done.Steps, func(x, y TemplateStep) int { return strings.Compare(x.Address, y.Address) })
}

func (w *templateWork) await(ctx context.Context) error {
	if w.done.Stopped {
		return nil
	}
	if err := w.wait(ctx, w.done.waits); err != nil {
		return err
	}
	if err := w.retire(ctx, w.done.ends); err != nil {
		return err
	}
	return w.use(ctx, func(*plan.Campaign) bool { return true })
}

// begin begins what Templates has left, while await holds the campaigns back that need
// it; nil for none. waited returns when it is over; it is ended if the run has failed.
func (d *TemplatesDone) begin(ctx context.Context) (await *apply.Await, waited func(failed error)) {
	if d.later == nil {
		return nil, func(error) {}
	}
	var held []string
	for i := range d.later.plan.Campaigns {
		if c := &d.later.plan.Campaigns[i]; len(c.AfterApproval) > 0 {
			held = append(held, c.Address)
		}
	}
	await = apply.NewAwait(held...)
	ctx, cancel := context.WithCancel(ctx)
	over := make(chan struct{})
	go func() {
		defer close(over)
		d.later.rest(ctx, nil)
		await.End(d.Hold)
	}()
	return await, func(failed error) {
		if failed != nil {
			cancel()
		}
		<-over
		cancel()
	}
}

// templateWork is one call of Templates.
type templateWork struct {
	*Apply
	opt      TemplateOptions
	done     *TemplatesDone
	rows     map[string]state.Managed // by address
	numbers  map[string]providers.TemplateWriter
	sendable map[string]bool // by address: approved, in the category that is declared
	whole    map[string]bool // names that were deleted in all languages, with the number
	lists    map[string]*plan.Observed
	told     []state.ToldTemplate // by webhooks, when the work began
}

func (w *templateWork) close() {
	for _, n := range w.numbers {
		if p, ok := n.(providers.Provider); ok {
			workspace.CloseProvider(p)
		}
	}
}

func (w *templateWork) stopped() bool {
	w.done.Stopped = w.done.Stopped || isClosed(w.opt.Stop)
	return w.done.Stopped
}

func (w *templateWork) tell(s TemplateStep) {
	if w.opt.Observe != nil {
		w.opt.Observe(s)
	}
}

// end records how a translation ended.
func (w *templateWork) end(s TemplateStep) {
	w.tell(s)
	w.done.Steps = append(w.done.Steps, s)
}

func (w *templateWork) run(ctx context.Context) error {
	w.sendable = map[string]bool{}
	if err := w.load(ctx); err != nil {
		return err
	}
	if err := w.unchanged(ctx); err != nil {
		return err
	}
	for i := range w.plan.Templates {
		c := &w.plan.Templates[i]
		if w.stopped() {
			return nil
		}
		if c.Change == plan.Forget || c.Change == plan.Archive || c.Change == plan.Delete {
			w.done.ends = append(w.done.ends, c)
			continue
		}
		made, err := w.step(ctx, c)
		if err != nil {
			return err
		}
		if row, kept := w.rows[c.Address]; made && kept {
			w.settle(c, row.Status, row.Category)
			if c.Wait && (&account.Template{Status: row.Status}).State() == account.Pending {
				w.done.waits = append(w.done.waits, c)
			}
		}
	}
	return nil
}

// settle records whether messages may use a translation.
func (w *templateWork) settle(c *plan.TemplateChange, status, category string) {
	w.sendable[c.Address] = (&account.Template{Status: status}).State() == account.Sendable && category == c.Spec.Category
}

func (w *templateWork) load(ctx context.Context) error {
	snap, err := w.Store.Snapshot(ctx)
	if err != nil {
		return err
	}
	defer snap.Close()
	list, err := snap.Managed(ctx)
	for _, m := range list {
		if m.Kind == "template" {
			w.rows[m.Address] = m
		}
	}
	if err == nil {
		w.told, err = state.ToldTemplates(ctx, w.Store)
	}
	return err
}

// keep stores a row. An answer is stored even after an interrupt.
func (w *templateWork) keep(ctx context.Context, row *state.Managed, forget ...string) error {
	if err := w.Store.Manage(context.WithoutCancel(ctx), []state.Managed{*row}, forget); err != nil {
		return err
	}
	w.rows[row.Address] = *row
	return nil
}

// list returns the templates in the account of a number; again reads them anew.
func (w *templateWork) list(ctx context.Context, provider string, again bool) *plan.Observed {
	if w.lists == nil || again {
		w.lists = map[string]*plan.Observed{}
	}
	if w.lists[provider] == nil {
		w.lists[provider] = w.ws.ReadTemplates(ctx, provider)
	}
	return w.lists[provider]
}

func (w *templateWork) number(provider string) (providers.TemplateWriter, error) {
	if n := w.numbers[provider]; n != nil {
		return n, nil
	}
	p, err := w.ws.Provider(provider)
	if err != nil {
		return nil, err
	}
	n, ok := p.(providers.TemplateWriter)
	if !ok {
		workspace.CloseProvider(p)
		return nil, fmt.Errorf("handbill can't change the templates of a %s account", p.Profile().Title)
	}
	w.numbers[provider] = n
	return n, nil
}

// unchanged checks, before any change, that the templates to be changed are as the
// plan saw them. Changes that an earlier run of the same plan made are accepted.
func (w *templateWork) unchanged(ctx context.Context) error {
	for i := range w.plan.Templates {
		c := &w.plan.Templates[i]
		if !slices.Contains([]string{plan.Create, plan.Update, plan.Import, plan.Archive, plan.Delete}, c.Change) {
			continue
		}
		seen := w.list(ctx, c.Provider, false)
		if seen.Err != nil {
			return fmt.Errorf("the templates of the account of %s could not be read, so nothing was changed or sent: %w", c.Provider, seen.Err)
		}
		held := account.Find(seen.Templates, c.Spec.Name, c.Spec.Language)
		row, kept := w.rows[c.Address]
		ours := kept && held != nil && c.Spec.SameWords(held) && (row.Intent != nil || row.Known())
		switch {
		case ours, held == nil && (c.Seen == nil || c.Change == plan.Archive || c.Change == plan.Delete):
		case held == nil:
			return &plan.ChangedError{Detail: fmt.Sprintf("the account no longer has the template %s in %s", c.Spec.Name, c.Spec.Language)}
		case c.Seen == nil:
			return &plan.ChangedError{Detail: fmt.Sprintf("the account has a template %s in %s by now, which handbill did not create", c.Spec.Name, c.Spec.Language)}
		case !c.Seen.Same(held):
			return &plan.ChangedError{Detail: fmt.Sprintf("the template %s in %s is another one than planned (status %s)", c.Spec.Name, c.Spec.Language, message.SafeText(held.Status))}
		}
	}
	return nil
}

// step carries out one change; made says that the account now has the template as
// declared.
func (w *templateWork) step(ctx context.Context, c *plan.TemplateChange) (made bool, err error) {
	if err := w.depose(ctx, c); err != nil {
		return false, err
	}
	switch c.Change {
	case plan.Create, plan.Update:
		return w.write(ctx, c)
	case plan.Import:
		if err := w.record(ctx, c, c.Seen, w.rows[c.Address]); err != nil {
			return false, err
		}
		w.end(TemplateStep{Address: c.Address, Did: TemplateAdopted, Status: c.Seen.Status, ID: c.Seen.ID})
		return true, nil
	case plan.Move:
		if err := w.record(ctx, c, c.Seen, w.rows[c.From], c.From); err != nil {
			return false, err
		}
		w.end(TemplateStep{Address: c.Address, Did: TemplateMoved, Status: c.Seen.Status, ID: c.Seen.ID})
		return true, nil
	}
	row := w.rows[c.Address]
	if c.Change == plan.NoOp && row.Intent == nil && row.Status == c.Seen.Status && row.Category == c.Seen.Category && !w.outdated(c, &row) {
		return true, nil
	}
	return true, w.record(ctx, c, c.Seen, row)
}

// outdated reports whether the plan read the translation after a webhook reported
// something about it, which the state would go on showing.
func (w *templateWork) outdated(c *plan.TemplateChange, row *state.Managed) bool {
	told := row.Told(w.told)
	newest := told.Newest()
	return !newest.IsZero() && slices.ContainsFunc(w.plan.Managed, func(m plan.Managed) bool { return m.Address == c.Address && newest.Before(m.ObservedAt) })
}

// record stores what the account has for a translation, based on row, and removes
// the rows at the addresses to forget.
func (w *templateWork) record(ctx context.Context, c *plan.TemplateChange, held *account.Template, row state.Managed, forget ...string) error {
	row, err := recorded(c, held, row, w.ws.Now().UTC())
	if err != nil {
		return err
	}
	if held == c.Seen { // what was reported since then counts
		for i := range w.plan.Managed {
			if m := &w.plan.Managed[i]; m.Address == c.Address {
				row.ObservedAt = m.ObservedAt
			}
		}
	}
	return w.keep(ctx, &row, forget...)
}

// recorded is row with what the account has for a translation now.
func recorded(c *plan.TemplateChange, held *account.Template, row state.Managed, now time.Time) (state.Managed, error) {
	declared, err := json.Marshal(&c.Spec)
	if err != nil {
		return row, err
	}
	observed, err := json.Marshal(held)
	if err != nil {
		return row, err
	}
	row.Address, row.Kind, row.Provider, row.Account, row.Key = c.Address, "template", c.Provider, c.Account, plan.TemplateKey(&c.Spec.Template)
	row.RemoteID, row.Declared, row.Observed, row.ObservedAt, row.Status, row.Category = held.ID, declared, observed, now, held.Status, held.Category
	row.OnDestroy, row.PreventDestroy, row.Intent = c.OnDestroy, c.PreventDestroy, nil
	if row.Since.IsZero() {
		row.Since = now
	}
	return row, nil
}
