package operation

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/state"
)

// How long a batch is waited for. Meta publishes no upper bound; a partner reports two
// minutes (as quoted 2026-08-19).
const (
	batchTimeout = 30 * time.Minute
	// handleLife is how long an earlier batch is asked about whose handle can't be read.
	handleLife = 24 * time.Hour
)

// sleep waits; it returns false if it was interrupted.
func (w *catalogsWork) sleep(ctx context.Context, d time.Duration) bool {
	slept := !w.stopped() && sleepUntil(ctx, w.opt.Stop, w.opt.Sleep, d)
	return !w.stopped() && slept
}

// earlier waits for the batches of an earlier apply of which nothing is known. One
// whose answer was lost has two minutes to show in the catalog: then it was not taken.
func (w *catalogWork) earlier(ctx context.Context) error {
	in := w.row.Intent
	if in == nil {
		return nil
	}
	if err := w.wait(ctx); err != nil || w.late || w.done.Stopped {
		return err
	}
	if in.Digest != "" {
		_, err := w.appears(ctx)
		return err
	}
	return nil
}

// appears reads the catalog until everything that is to change is as it is to be, three
// times in two minutes; all says that it is.
func (w *catalogWork) appears(ctx context.Context) (all bool, err error) {
	for look := range lookups {
		if look > 0 && !w.sleep(ctx, lookSpan) {
			return false, ctx.Err()
		}
		if err = w.read(ctx); err != nil {
			continue
		}
		if all = len(w.todo(false))+len(w.todo(true)) == 0; all {
			return true, nil
		}
	}
	if err != nil {
		return false, fmt.Errorf("the answer to a batch was lost, and the catalog %s could not be read, so it is not known what became of it; the next apply looks again: %w", w.c.Catalog, err)
	}
	return false, nil
}

// hand hands requests in, as many batches as it takes, and waits until all have ended.
func (w *catalogWork) hand(ctx context.Context, todo []account.ProductRequest) error {
	w.tell(CatalogStep{Address: w.c.Address, Did: CatalogWriting, Products: len(todo)})
	for len(todo) > 0 {
		if w.stopped() || ctx.Err() != nil {
			break
		}
		body, n, err := account.Batch(todo)
		if err != nil {
			return err
		}
		on, err := w.batch(ctx, todo[:n], body)
		if err != nil {
			return err
		}
		if todo = todo[n:]; !on {
			for i := range todo {
				w.why[todo[i].Data.ID] = "it was not handed in, since the batch before was refused"
			}
			break
		}
	}
	return w.wait(ctx)
}

// batch hands one batch in; on says that the next one may follow. A lost answer is
// looked up in the catalog, and the batch is handed in once more if it had no effect.
func (w *catalogWork) batch(ctx context.Context, list []account.ProductRequest, body []byte) (on bool, err error) {
	sum := sha256.Sum256(body)
	for try := 1; ; try++ {
		if w.row.Intent == nil {
			w.row.Intent = &state.ManagedIntent{Change: "batch"}
		}
		w.row.Intent.Digest, w.row.Intent.At = "sha256:"+hex.EncodeToString(sum[:]), w.ws.Now().UTC()
		if err := w.keep(ctx); err != nil {
			return false, err
		}
		ans := w.number.PostProducts(ctx, w.c.Catalog, body)
		switch ans.Outcome {
		case providers.BatchTaken:
			w.row.Intent.Handles = append(w.row.Intent.Handles, ans.Handle)
			w.invalid(ans.Invalid)
			return true, w.answered(ctx)
		case providers.BatchUnknown:
			if ctx.Err() != nil {
				return false, ctx.Err() // the intent stays
			}
			if all, err := w.appears(ctx); all || err != nil || w.done.Stopped {
				return all, err
			}
			if try < 2 {
				continue
			}
		case providers.BatchBusy:
			if try < busyTries && w.sleep(ctx, max(ans.Wait, busySpan)) {
				continue
			}
		}
		w.refused(list, &ans)
		return len(ans.Invalid) > 0, w.answered(ctx)
	}
}

// answered stores that nothing is open any more about the last batch but its handle.
func (w *catalogWork) answered(ctx context.Context) error {
	w.row.Intent.Digest = ""
	return w.keep(ctx)
}

func (w *catalogWork) invalid(list map[string]string) {
	for id, why := range list {
		if why == "" {
			why = "the catalog refused it, and does not say why"
		}
		w.why[id] = why
	}
}

// refused notes why nothing of a batch was taken.
func (w *catalogWork) refused(list []account.ProductRequest, ans *providers.BatchAnswer) {
	detail := message.SafeText(ans.Detail)
	if ans.Code != "" {
		detail += " (code " + ans.Code + ")"
	}
	for i := range list {
		w.why[list[i].Data.ID] = detail
	}
	w.invalid(ans.Invalid)
}

// wait asks about the batches of the intent until each has ended.
func (w *catalogWork) wait(ctx context.Context) error {
	waited, pause := time.Duration(0), firstPoll // counted by what was slept: no clock that is set shortens it
	for w.row.Intent != nil && len(w.row.Intent.Handles) > 0 {
		var left []string
		failure := ""
		for _, handle := range w.row.Intent.Handles {
			s, err := w.number.ProductBatch(ctx, w.c.Catalog, handle)
			switch {
			case ctx.Err() != nil:
				return ctx.Err()
			case err != nil && w.ws.Now().Sub(w.row.Intent.At) > handleLife:
				continue // what the catalog has decides
			case err != nil:
				failure = ". It could not be asked for: " + err.Error()
			case s.Failed:
				w.invalid(s.Invalid)
				w.ended(s.Status)
			case s.Final:
				w.invalid(s.Invalid)
			}
			if err != nil || !s.Final {
				left = append(left, handle)
			}
		}
		if len(left) == 0 {
			w.row.Intent.Handles = nil
			return nil
		}
		if waited >= batchTimeout {
			w.late = true
			w.end(CatalogStep{Address: w.c.Address, Did: CatalogLate, Products: len(w.c.Products), Took: waited,
				Detail: message.SafeText(fmt.Sprintf("a batch of its products did not end within %s; the next apply continues to wait%s", batchTimeout, failure))})
			return nil
		}
		w.tell(CatalogStep{Address: w.c.Address, Did: CatalogWaiting, Took: waited})
		if !w.sleep(ctx, pause) {
			return ctx.Err()
		}
		waited, pause = waited+pause, min(pause*3/2, lastPoll)
	}
	return nil
}

// ended notes that a batch ended as a whole: the products that are not as they are to
// be have that for a reason, unless they have their own.
func (w *catalogWork) ended(status string) {
	for i := range w.c.Products {
		if id := w.c.Products[i].ID; w.why[id] == "" {
			w.why[id] = fmt.Sprintf("the batch ended with the status %q", status)
		}
	}
}
