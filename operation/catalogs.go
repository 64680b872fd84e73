package operation

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/pace"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/state"
)

// CatalogOptions are the options for carrying out the managed catalogs of a plan.
type CatalogOptions struct {
	// Stop, when closed, ends the work cleanly: nothing new is handed in or waited for.
	Stop <-chan struct{}
	// Sleep waits; nil is pace.Sleep.
	Sleep func(context.Context, time.Duration) error
	// Observe is called for each step; may be nil.
	Observe func(CatalogStep)
}

// CatalogStep is one step for a managed catalog, or for one of its products.
type CatalogStep struct {
	Address  string
	Did      string // a Catalog… constant
	Products int    // how many products it is about
	Detail   string
	Took     time.Duration
}

// What a CatalogStep did:
const (
	CatalogWriting   = "handing_in" // a batch is about to leave
	CatalogWaiting   = "waiting"    // for batches
	CatalogWritten   = "written"    // products are as declared
	CatalogTaken     = "taken_over" // products that the catalog had already
	CatalogForgotten = "forgotten"
	CatalogFailed    = "failed" // one product, or all that were to change
	CatalogLate      = "late"   // a batch did not end in time
)

// CatalogsDone is the result of carrying out the managed catalogs of a plan.
type CatalogsDone struct {
	Steps   []CatalogStep
	Stopped bool
	Err     error // that ended it: the state, or a *plan.ChangedError before anything was changed
}

// Failed reports whether a product could not be changed as planned.
func (d *CatalogsDone) Failed() bool { return d.any(CatalogFailed) }

// Late reports whether a batch did not end in time.
func (d *CatalogsDone) Late() bool { return d.any(CatalogLate) }

func (d *CatalogsDone) any(did string) bool {
	return slices.ContainsFunc(d.Steps, func(s CatalogStep) bool { return s.Did == did })
}

// Catalogs carries out the managed catalogs of the prepared plan. Before it changes
// anything it reads them all, and refuses what is not as planned. An intent is stored
// before each batch, and its handle after it; in the end the catalog is read, and what
// it has decides what is recorded.
func (a *Apply) Catalogs(ctx context.Context, opt CatalogOptions) *CatalogsDone {
	w := &catalogsWork{Apply: a, opt: opt, done: &CatalogsDone{}}
	if len(a.plan.Catalogs) == 0 {
		return w.done
	}
	if w.opt.Sleep == nil {
		w.opt.Sleep = pace.Sleep
	}
	defer w.close()
	w.done.Err = w.run(ctx)
	return w.done
}

// catalogsWork is one call of Catalogs.
type catalogsWork struct {
	*Apply
	opt  CatalogOptions
	done *CatalogsDone
	list []*catalogWork
}

// catalogWork is one catalog.
type catalogWork struct {
	*catalogsWork
	c       *plan.CatalogChange
	row     state.Managed
	number  providers.CatalogWriter
	free    func()
	started time.Time
	index   map[string]int             // into c.Products, by id
	held    map[string]account.Product // what the catalog has of them, as last read
	why     map[string]string          // why products are not as planned, by id
	late    bool
}

func (w *catalogsWork) close() {
	for _, one := range w.list {
		if one.free != nil {
			one.free()
		}
	}
}

func (w *catalogsWork) stopped() bool {
	w.done.Stopped = w.done.Stopped || isClosed(w.opt.Stop)
	return w.done.Stopped
}

func (w *catalogsWork) tell(s CatalogStep) {
	if w.opt.Observe != nil {
		w.opt.Observe(s)
	}
}

// end records how a catalog or a product ended.
func (w *catalogsWork) end(s CatalogStep) {
	w.tell(s)
	w.done.Steps = append(w.done.Steps, s)
}

func (w *catalogsWork) run(ctx context.Context) error {
	rows, err := managed(ctx, w.Store)
	if err != nil {
		return err
	}
	for i := range w.plan.Catalogs {
		c := &w.plan.Catalogs[i]
		one := &catalogWork{catalogsWork: w, c: c, index: map[string]int{}, why: map[string]string{}, started: w.ws.Now()}
		for _, row := range rows {
			if row.Kind == "catalog" && (row.Address == c.Address || row.Address == c.From) {
				one.row = row
			}
		}
		for k := range c.Products {
			one.index[c.Products[k].ID] = k
		}
		w.list = append(w.list, one)
	}
	for _, one := range w.list {
		if err := one.check(ctx); err != nil {
			return err
		}
	}
	for _, one := range w.list {
		if w.stopped() {
			return nil
		}
		if err := one.carryOut(ctx); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// idle reports whether nothing is read or handed in: only the state changes.
func (w *catalogWork) idle() bool {
	return w.row.Intent == nil && !slices.ContainsFunc(w.c.Products, func(p plan.ProductChange) bool { return p.Change != plan.Forget })
}

// check ends what an earlier apply began, and compares the products that are to change
// with what the plan saw.
func (w *catalogWork) check(ctx context.Context) error {
	if w.idle() {
		return nil
	}
	var err error
	if w.number, w.free, err = w.ws.CatalogWriter(w.c.Provider); err != nil {
		return err
	}
	if err := w.earlier(ctx); err != nil || w.late || w.done.Stopped {
		return err
	}
	if err := w.read(ctx); err != nil {
		return fmt.Errorf("the catalog %s could not be read, so nothing was changed or sent: %w", w.c.Catalog, err)
	}
	for i := range w.c.Products {
		if p := &w.c.Products[i]; !w.settled(p) && !w.asPlanned(p) {
			return &plan.ChangedError{Detail: fmt.Sprintf("the product %q of %s is not as planned any more", message.SafeText(p.ID), w.c.Address)}
		}
	}
	return nil
}

// read takes down what the catalog has of the products that change.
func (w *catalogWork) read(ctx context.Context) error {
	held := map[string]account.Product{}
	_, err := w.ws.ReadCatalog(ctx, w.c.Provider, w.c.Catalog, func(p *account.Product) error {
		if _, changes := w.index[p.ID]; changes {
			held[p.ID] = *p
		}
		return nil
	})
	if err == nil {
		w.held = held
	}
	return err
}

// asPlanned reports whether a product is as the plan saw it.
func (w *catalogWork) asPlanned(p *plan.ProductChange) bool {
	held, there := w.held[p.ID]
	switch {
	case w.c.Unread:
		return true
	case !there:
		return p.Seen == ""
	}
	return p.Seen == held.Digest()
}

// settled reports whether the catalog has a product as it is to be, so that nothing is
// handed in: by an earlier run of this plan, or by somebody else.
func (w *catalogWork) settled(p *plan.ProductChange) bool {
	held, there := w.held[p.ID]
	switch {
	case p.Change == plan.Forget:
		return true
	case p.Change == plan.Delete, p.Retired && !there:
		return !there
	case p.Data == nil || !there:
		return false
	case w.row.Intent == nil && p.Data.Unseen():
		return false
	}
	return p.Data.In(&held, false)
}

// carryOut hands in what is left to do, waits, and records what the catalog has then.
func (w *catalogWork) carryOut(ctx context.Context) error {
	if w.late {
		return nil
	}
	if !w.idle() {
		wrote := false
		for _, ends := range []bool{false, true} { // what is not declared goes last
			todo := w.todo(ends)
			if len(todo) == 0 {
				continue
			}
			wrote = true
			if err := w.hand(ctx, todo); err != nil {
				return err
			}
			if w.late || w.done.Stopped || ctx.Err() != nil {
				return ctx.Err()
			}
		}
		if err := w.verify(ctx, wrote); err != nil {
			return err
		}
	}
	return w.record(ctx)
}

// todo are the requests for products that are not as they are to be; ends chooses those
// that are not declared.
func (w *catalogWork) todo(ends bool) []account.ProductRequest {
	var out []account.ProductRequest
	for i := range w.c.Products {
		p := &w.c.Products[i]
		if p.Retired != ends || p.Change == plan.Import || w.settled(p) {
			continue
		}
		method := account.ProductUpdate
		_, there := w.held[p.ID]
		switch {
		case p.Change == plan.Delete:
			method = account.ProductDelete
		case !there:
			method = account.ProductCreate
		}
		data := account.Product{ID: p.ID}
		if p.Data != nil {
			data = *p.Data
		}
		out = append(out, account.ProductRequest{Method: method, Data: data})
	}
	return out
}

// verify reads the catalog until the products are as they are to be, or no list that
// lags behind explains the difference.
func (w *catalogWork) verify(ctx context.Context, wrote bool) error {
	for look := 1; wrote; look++ {
		if err := w.read(ctx); err != nil {
			return fmt.Errorf("the catalog %s could not be read after the change, so nothing of it was recorded; the next apply looks again: %w", w.c.Catalog, err)
		}
		open := slices.ContainsFunc(w.c.Products, func(p plan.ProductChange) bool { return !w.reached(&p) && w.why[p.ID] == "" })
		if !open || look == lookups || !w.sleep(ctx, firstPoll) {
			break
		}
	}
	return ctx.Err()
}

// reached reports whether the catalog has a product as it is to be.
func (w *catalogWork) reached(p *plan.ProductChange) bool {
	held, there := w.held[p.ID]
	switch {
	case p.Change == plan.Forget:
		return true
	case p.Change == plan.Delete, p.Retired && !there:
		return !there
	case !there:
		return false
	case p.Data == nil:
		return true
	case p.Data.Unseen():
		return w.why[p.ID] == ""
	}
	return p.Data.In(&held, true)
}

// record stores what is known now, and says what became of each product.
func (w *catalogWork) record(ctx context.Context) error {
	keep, forget := slices.Clone(w.c.Record), slices.Clone(w.c.Forget)
	written, taken, failed := 0, 0, 0
	for i := range w.c.Products {
		p := &w.c.Products[i]
		switch {
		case !w.reached(p):
			failed++
			w.end(CatalogStep{Address: plan.ProductAddress(w.c.Address, p.ID), Did: CatalogFailed, Products: 1, Detail: w.reason(p)})
		case p.Retired:
			forget = append(forget, p.ID)
			written++
		default:
			keep = append(keep, state.KeptProduct{ID: p.ID, Digest: p.Digest, Review: w.held[p.ID].Review})
			if p.Change == plan.Import {
				taken++
			} else {
				written++
			}
		}
	}
	gone := w.c.Gone && failed == 0
	if gone {
		all, err := w.keptIDs(ctx, w.c.Catalog)
		if err != nil {
			return err
		}
		keep, forget = nil, all
	}
	if err := w.store(ctx, keep, forget, gone); err != nil {
		return err
	}
	for _, s := range []CatalogStep{{Did: CatalogTaken, Products: taken}, {Did: CatalogWritten, Products: written}} {
		if s.Products > 0 {
			s.Address, s.Took = w.c.Address, w.ws.Now().Sub(w.started)
			w.end(s)
		}
	}
	if gone {
		w.end(CatalogStep{Address: w.c.Address, Did: CatalogForgotten})
	}
	return nil
}

// store writes the products first and the record of the catalog last: until then a
// batch counts as one of which nothing is known.
func (w *catalogWork) store(ctx context.Context, keep []state.KeptProduct, forget []string, gone bool) error {
	ctx = context.WithoutCancel(ctx)
	if len(keep)+len(forget) > 0 {
		if err := w.Store.KeepProducts(ctx, w.c.Catalog, keep, forget); err != nil {
			return err
		}
	}
	if w.c.Left != "" {
		left, err := w.keptIDs(ctx, w.c.Left)
		if err != nil {
			return err
		}
		if err := w.Store.KeepProducts(ctx, w.c.Left, nil, left); err != nil {
			return err
		}
	}
	if gone {
		return w.Store.Manage(ctx, nil, slices.DeleteFunc([]string{w.c.Address, w.c.From}, func(a string) bool { return a == "" }))
	}
	w.row.Intent = nil
	return w.keep(ctx)
}

// keep stores the record of the catalog.
func (w *catalogWork) keep(ctx context.Context) error {
	now := w.ws.Now().UTC()
	w.row.Address, w.row.Kind, w.row.Provider, w.row.Account, w.row.Key, w.row.RemoteID = w.c.Address, "catalog", w.c.Provider, w.c.Catalog, w.c.Catalog, w.c.Catalog
	w.row.Declared, w.row.ObservedAt, w.row.OnDestroy = w.c.CatalogSettings(), now, w.c.OnDestroy
	if w.row.Since.IsZero() {
		w.row.Since = now
	}
	var forget []string
	if w.c.From != "" {
		forget = []string{w.c.From}
	}
	return w.Store.Manage(context.WithoutCancel(ctx), []state.Managed{w.row}, forget)
}

// keptIDs lists the products that the state knows of a catalog.
func (w *catalogWork) keptIDs(ctx context.Context, catalog string) (ids []string, err error) {
	snap, err := w.Store.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	defer snap.Close()
	for p, err := range snap.Products(ctx, catalog) {
		if err != nil {
			return nil, err
		}
		ids = append(ids, p.ID)
	}
	return ids, nil
}

// reason says why a product is not as planned.
func (w *catalogWork) reason(p *plan.ProductChange) string {
	if why := w.why[p.ID]; why != "" {
		return why
	}
	held, there := w.held[p.ID]
	switch {
	case !there:
		return "the catalog does not have it, and does not say why"
	case p.Data == nil:
		return "the catalog still has it, and does not say why"
	}
	var fields []string
	for _, c := range p.Data.Changes(&held, "") {
		fields = append(fields, c.Name)
	}
	return "the catalog has another " + strings.Join(fields, ", ") + ", and does not say why"
}
