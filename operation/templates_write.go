package operation

import (
	"context"
	"fmt"
	"time"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/state"
)

// The waiting times of one change.
const (
	lookups   = 3                // readings of a list that may lag behind a creation
	lookSpan  = 40 * time.Second // between them, so that all take two minutes
	busyTries = 3
	busySpan  = time.Minute // if the provider does not say how long
)

// write creates or edits a translation.
func (w *templateWork) write(ctx context.Context, c *plan.TemplateChange) (made bool, err error) {
	row, started := w.rows[c.Address], w.ws.Now()
	if c.From != "" {
		row = w.rows[c.From]
	}
	if held := w.held(ctx, c, false); held != nil && c.Spec.SameWords(held) && (row.Intent != nil || row.Known()) {
		return true, w.adopt(ctx, c, held, row) // by an earlier run of this plan
	}
	w.tell(TemplateStep{Address: c.Address, Did: map[string]string{plan.Create: TemplateCreating, plan.Update: TemplateEditing}[c.Change]})
	number, err := w.number(c.Provider)
	if err != nil {
		return false, err
	}
	handle, err := w.upload(ctx, number, c)
	if err != nil {
		w.failed(c, err.Error())
		return false, nil
	}
	before := row
	row.Address, row.Kind, row.Provider, row.Account, row.Key = c.Address, "template", c.Provider, c.Account, plan.TemplateKey(&c.Spec.Template)
	row.Intent = &state.ManagedIntent{Change: c.Change, Digest: c.Spec.Digest(), At: started.UTC()}
	if row.Declared == nil {
		row.Declared = []byte(`{}`)
	}
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	forget := []string{}
	if c.From != "" {
		forget = append(forget, c.From)
	}
	if err := w.keep(ctx, &row, forget...); err != nil {
		return false, err
	}
	for try := 1; ; try++ {
		ans := w.send(ctx, number, c, handle)
		again, made, err := w.answered(ctx, c, &ans, row, before, started, try)
		if !again || err != nil {
			return made, err
		}
	}
}

// upload uploads the file of the header, as it was planned.
func (w *templateWork) upload(ctx context.Context, number providers.TemplateWriter, c *plan.TemplateChange) (string, error) {
	f := c.Spec.File
	if f == nil {
		return "", nil
	}
	content, err := plan.ReadSample(w.ws.Root, f.Path)
	if err != nil {
		return "", err
	}
	if account.FileOf(f.Path, f.Type, content).Digest != f.Digest {
		return "", fmt.Errorf("the file %s is another one than planned; nothing was handed in; run `handbill plan` again", f.Path)
	}
	return number.UploadSample(ctx, f, content)
}

func (w *templateWork) send(ctx context.Context, number providers.TemplateWriter, c *plan.TemplateChange, handle string) providers.TemplateAnswer {
	if c.Change == plan.Create {
		return number.CreateTemplate(ctx, &c.Spec, handle)
	}
	return number.EditTemplate(ctx, c.Seen.ID, &c.Spec, handle, c.Seen.Category != c.Spec.Category)
}

// answered handles an answer. again says that the request must be repeated, because
// it certainly had no effect.
func (w *templateWork) answered(ctx context.Context, c *plan.TemplateChange, ans *providers.TemplateAnswer, row, before state.Managed, started time.Time, try int) (again, made bool, err error) {
	switch ans.Outcome {
	case providers.TemplateDone:
		return false, true, w.made(ctx, c, ans, row, started)
	case providers.TemplateBusy, providers.TemplateLocked:
		pause := ans.Wait
		if pause == 0 {
			pause = busySpan
		}
		if try < busyTries && w.sleep(ctx, pause) {
			return true, false, nil
		}
	case providers.TemplateThere, providers.TemplateUnknown:
		held, read := w.lookUp(ctx, c)
		switch {
		case held != nil && c.Spec.SameWords(held):
			return false, true, w.adopt(ctx, c, held, row)
		case held != nil && c.Change == plan.Create:
			w.failed(c, "the account has a template of that name and language with other words, which handbill did not create: "+ans.Detail)
			return false, false, w.undo(ctx, c, before)
		case ctx.Err() != nil:
			return false, false, ctx.Err()
		case !read || w.done.Stopped || try > 1:
			w.failed(c, "nobody knows whether it was made: "+ans.Detail+". Nothing is repeated automatically; the next apply looks for it first")
			return false, false, nil // the intent stays
		}
		return true, false, nil // three readings show that it had no effect
	}
	detail := ans.Detail
	if ans.Code != "" {
		detail += " (code " + ans.Code + ")"
	}
	if ans.Outcome == providers.TemplateLocked {
		detail += ". A name and language that were deleted are blocked for 30 days: give the block another name"
	}
	w.failed(c, detail)
	return false, false, w.undo(ctx, c, before)
}

// undo removes the intent of a change that was certainly not made.
func (w *templateWork) undo(ctx context.Context, c *plan.TemplateChange, before state.Managed) error {
	if before.Address == "" || !before.Known() {
		delete(w.rows, c.Address)
		return w.Store.Manage(context.WithoutCancel(ctx), nil, []string{c.Address})
	}
	before.Address, before.Intent = c.Address, nil
	return w.keep(ctx, &before)
}

func (w *templateWork) failed(c *plan.TemplateChange, detail string) {
	w.end(TemplateStep{Address: c.Address, Did: TemplateFailed, Detail: message.SafeText(detail)})
}

// made records a change that was confirmed.
func (w *templateWork) made(ctx context.Context, c *plan.TemplateChange, ans *providers.TemplateAnswer, row state.Managed, started time.Time) error {
	held := c.Spec.Template
	held.ID, held.Status = ans.ID, ans.Status
	did := TemplateCreated
	if c.Change == plan.Update {
		held.ID, did = c.Seen.ID, TemplateEdited
		if c.Seen.Status == "APPROVED" {
			row.Edits = append(recent(row.Edits, started), started.UTC())
		}
	}
	if held.Status == "" {
		held.Status = "PENDING"
	}
	if err := w.record(ctx, c, &held, row); err != nil {
		return err
	}
	w.end(TemplateStep{Address: c.Address, Did: did, Status: held.Status, ID: held.ID})
	return nil
}

// recent drops edits that no longer count towards a limit.
func recent(edits []time.Time, now time.Time) []time.Time {
	var out []time.Time
	for _, at := range edits {
		if now.Sub(at) < 30*24*time.Hour {
			out = append(out, at)
		}
	}
	return out
}

// adopt records a template that an earlier request made.
func (w *templateWork) adopt(ctx context.Context, c *plan.TemplateChange, held *account.Template, row state.Managed) error {
	if c.Change == plan.Update && row.Intent != nil && c.Seen.Status == "APPROVED" {
		row.Edits = append(recent(row.Edits, row.Intent.At), row.Intent.At)
	}
	if err := w.record(ctx, c, held, row); err != nil {
		return err
	}
	w.end(TemplateStep{Address: c.Address, Did: TemplateAdopted, Status: held.Status, ID: held.ID, Detail: "its answer was lost, and the account has it"})
	return nil
}

// held returns what the account has of a translation; nil for nothing.
func (w *templateWork) held(ctx context.Context, c *plan.TemplateChange, again bool) *account.Template {
	seen := w.list(ctx, c.Provider, again)
	if seen.Err != nil {
		return nil
	}
	return account.Find(seen.Templates, c.Spec.Name, c.Spec.Language)
}

// lookUp looks for a translation whose answer was lost, in a list that may lag
// behind; read is false if the list could not be read completely.
func (w *templateWork) lookUp(ctx context.Context, c *plan.TemplateChange) (held *account.Template, read bool) {
	for i := range lookups {
		if i > 0 && !w.sleep(ctx, lookSpan) {
			return nil, false
		}
		held = w.held(ctx, c, true)
		if w.list(ctx, c.Provider, false).Err != nil {
			continue
		}
		read = i == lookups-1
		if held != nil && (c.Change == plan.Create || c.Spec.SameWords(held)) {
			return held, true
		}
	}
	return held, read
}

// sleep waits; it returns false if it was interrupted.
func (w *templateWork) sleep(ctx context.Context, d time.Duration) bool {
	slept := !w.stopped() && sleepUntil(ctx, w.opt.Stop, w.opt.Sleep, d)
	return !w.stopped() && slept
}

// sleepUntil waits for a while; it returns false if stop was closed or ctx ended meanwhile.
func sleepUntil(ctx context.Context, stop <-chan struct{}, sleep func(context.Context, time.Duration) error, d time.Duration) bool {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	over := make(chan struct{})
	defer close(over)
	go func() {
		select {
		case <-stop:
			cancel()
		case <-over:
		}
	}()
	return sleep(ctx, d) == nil && !isClosed(stop)
}

// isClosed reports whether a channel on which nothing is sent was closed; nil never is.
func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
