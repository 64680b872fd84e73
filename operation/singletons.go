package operation

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/pace"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/state"
)

// SingletonsDone is the result of carrying out the singletons of a plan.
type SingletonsDone struct {
	Steps   []TemplateStep // how each one ended that was to change, by address
	Stopped bool
	Err     error // that ended it: the state, or a *plan.ChangedError before anything was changed
}

// Failed reports whether one could not be changed as planned.
func (d *SingletonsDone) Failed() bool {
	return slices.ContainsFunc(d.Steps, func(s TemplateStep) bool { return s.Did == TemplateFailed })
}

// Singletons carries out the singletons of the prepared plan. Before it changes
// anything it reads those that are to change, and refuses what is not as planned. An
// intent is stored before each request; what is read after it decides what is recorded.
// One that fails stops neither the others nor campaigns.
func (a *Apply) Singletons(ctx context.Context, opt TemplateOptions) *SingletonsDone {
	w := &singletonsWork{Apply: a, opt: opt, done: &SingletonsDone{}}
	if w.opt.Sleep == nil {
		w.opt.Sleep = pace.Sleep
	}
	w.done.Err = w.run(ctx)
	return w.done
}

// singletonsWork is one call of Singletons.
type singletonsWork struct {
	*Apply
	opt  TemplateOptions
	done *SingletonsDone
}

// singletonWork is one singleton.
type singletonWork struct {
	*singletonsWork
	c    *plan.SingletonChange
	kind *account.Singleton
	row  state.Managed
	held account.Values // as last read; nil if it was not
}

func (w *singletonsWork) run(ctx context.Context) error {
	var todo []*singletonWork
	rows := map[string]state.Managed{}
	for i := range w.plan.Singletons {
		c := &w.plan.Singletons[i]
		if c.Change == plan.NoOp {
			continue
		}
		if len(todo) == 0 {
			list, err := managed(ctx, w.Store)
			if err != nil {
				return err
			}
			for _, row := range list {
				rows[row.Address] = row
			}
		}
		one := &singletonWork{singletonsWork: w, c: c, kind: c.Of(), row: rows[c.Address]}
		if c.From != "" {
			one.row = rows[c.From]
		}
		todo = append(todo, one)
	}
	for _, one := range todo {
		if err := one.check(ctx); err != nil {
			return err
		}
	}
	for _, one := range todo {
		if w.done.Stopped = isClosed(w.opt.Stop); w.done.Stopped {
			return nil
		}
		if err := one.carryOut(ctx); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (w *singletonWork) tell(did, detail string) {
	s := TemplateStep{Address: w.c.Address, Did: did, Detail: detail}
	if w.opt.Observe != nil {
		w.opt.Observe(s)
	}
	if did != TemplateEditing {
		w.done.Steps = append(w.done.Steps, s)
	}
}

// remote reports whether the number has to be asked.
func (w *singletonWork) remote() bool {
	return w.c.Change == plan.Update || w.c.Change == plan.Import || w.c.Change == plan.Delete
}

// check compares what is to change with what the plan saw. What is as it is to be
// already is fine, too: by an earlier run of this plan, or by somebody else.
func (w *singletonWork) check(ctx context.Context) error {
	if !w.remote() {
		return nil
	}
	if err := w.read(ctx); err != nil {
		return fmt.Errorf("%s could not be read, so nothing was changed or sent: %w", w.c.Address, err)
	}
	if w.c.Seen != nil && !w.reached() && len(w.kind.Differ(w.c.Seen, w.held)) > 0 {
		return &plan.ChangedError{Detail: w.c.Address + " is not as planned any more"}
	}
	return nil
}

func (w *singletonWork) read(ctx context.Context) error {
	n, done, err := w.ws.SingletonWriter(w.c.Provider, w.kind)
	if err != nil {
		return err
	}
	defer done()
	held, err := n.Singleton(ctx, w.kind)
	if err == nil {
		w.held = held
	}
	return err
}

// reached reports whether the number has what is declared.
func (w *singletonWork) reached() bool { return len(w.kind.Differ(w.c.Declared, w.held)) == 0 }

func (w *singletonWork) carryOut(ctx context.Context) error {
	switch {
	case w.c.Change == plan.Forget:
		w.tell(TemplateForgotten, "")
		return w.Store.Manage(ctx, nil, []string{w.c.Address})
	case w.c.Change != plan.Import && w.remote() && !w.reached():
		return w.write(ctx)
	case w.c.Change == plan.Delete:
		return w.finish(ctx, TemplateDeleted)
	case w.c.Change == plan.Move:
		w.tell(TemplateMoved, "")
	case w.remote():
		w.tell(TemplateAdopted, "")
	}
	return w.record(ctx)
}

// write changes what differs, and reads the result. An answer that was lost is looked
// up and the request is not repeated.
func (w *singletonWork) write(ctx context.Context) error {
	n, done, err := w.ws.SingletonWriter(w.c.Provider, w.kind)
	if err != nil {
		return err
	}
	defer done()
	secret, err := w.secret()
	if err != nil {
		w.tell(TemplateFailed, err.Error())
		return nil
	}
	v := w.c.Declared.Only(w.kind.Differ(w.c.Declared, w.held))
	w.tell(TemplateEditing, "")
	before := w.row
	w.identify()
	w.row.Intent = &state.ManagedIntent{Change: "update", Digest: v.Digest(), At: w.ws.Now().UTC()}
	if err := w.keep(ctx); err != nil {
		return err
	}
	ans := n.PutSingleton(ctx, w.kind, v, secret)
	switch ans.Outcome {
	case providers.TemplateDone, providers.TemplateUnknown:
		return w.verify(ctx, ans)
	}
	w.tell(TemplateFailed, refusedDetail(ans))
	if w.row = before; w.row.Address == "" {
		return w.Store.Manage(context.WithoutCancel(ctx), nil, []string{w.c.Address})
	}
	w.row.Address = w.c.Address // the intent has moved it there already
	return w.keep(ctx)
}

// refusedDetail says why a request was not carried out.
func refusedDetail(ans providers.TemplateAnswer) string {
	out := ans.Detail
	if ans.Code != "" {
		out += " (code " + ans.Code + ")"
	}
	if ans.Outcome == providers.TemplateBusy {
		out += "; apply again later"
	}
	return out
}

// verify reads until the number has what is declared, three times at most.
func (w *singletonWork) verify(ctx context.Context, ans providers.TemplateAnswer) error {
	var err error
	for look := range lookups {
		if look > 0 && !sleepUntil(ctx, w.opt.Stop, w.opt.Sleep, firstPoll) {
			break
		}
		if err = w.read(ctx); err == nil && w.reached() {
			return w.finish(ctx, TemplateEdited)
		}
	}
	switch {
	case err != nil:
		w.tell(TemplateFailed, "it could not be read after the change ("+message.SafeText(err.Error())+"), so nothing of it was recorded; the next apply looks again")
	case ans.Outcome == providers.TemplateUnknown:
		w.tell(TemplateFailed, "the answer was lost ("+ans.Detail+"), and the number does not show the change; the next apply looks again")
	default:
		w.tell(TemplateFailed, "the change was taken, and the number still has another "+strings.Join(w.kind.Differ(w.c.Declared, w.held), ", ")+"; the next apply looks again")
	}
	return ctx.Err()
}

// secret is what the request has besides; it is in the configuration alone.
func (w *singletonWork) secret() (string, error) {
	for _, s := range w.ws.Config.Singletons {
		if s.Address() != w.c.Address {
			continue
		}
		if s.Unset != "" {
			return "", fmt.Errorf("the environment variable %s, which %s reads, is not set", s.Unset, s.Kind.Secret)
		}
		return s.Secret, nil
	}
	return "", nil
}

// finish records that it is as planned.
func (w *singletonWork) finish(ctx context.Context, did string) error {
	if w.c.Change != plan.Delete {
		w.tell(did, "")
		return w.record(ctx)
	}
	w.tell(TemplateDeleted, "")
	return w.Store.Manage(context.WithoutCancel(ctx), nil, []string{w.c.Address})
}

// identify says in the record what it is about.
func (w *singletonWork) identify() {
	if w.row.Key != w.c.Key { // another number's
		w.row = state.Managed{}
	}
	w.row.Address, w.row.Kind, w.row.Provider, w.row.Account, w.row.Key, w.row.RemoteID = w.c.Address, w.c.Kind, w.c.Provider, w.c.Owner(), w.c.Key, w.c.Owner()
	w.row.OnDestroy = w.c.OnDestroy
}

// record stores what is declared, and what the number has of it.
func (w *singletonWork) record(ctx context.Context) error {
	w.identify()
	w.row.Intent = nil
	declared, err := json.Marshal(w.c.Declared)
	if err != nil {
		return err
	}
	w.row.Declared = declared
	if w.held != nil {
		if w.row.Observed, err = json.Marshal(w.held); err != nil {
			return err
		}
		w.row.ObservedAt = w.ws.Now().UTC()
		if w.row.Since.IsZero() {
			w.row.Since = w.row.ObservedAt
		}
	}
	return w.keep(ctx)
}

// keep stores the record.
func (w *singletonWork) keep(ctx context.Context) error {
	var forget []string
	if w.c.From != "" {
		forget = []string{w.c.From}
	}
	return w.Store.Manage(context.WithoutCancel(ctx), []state.Managed{w.row}, forget)
}
