package sqlite

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"

	"github.com/handbill/handbill/state"
)

// Draft is a state that is filled with what another one holds. It lies beside its
// path under another name, and gets its own when it is published:
//
//	.handbill.state.new-moving    until Publish; Gone tells of it
//	handbill.state                after it
//
// Each call of Add is a transaction, so a process that is killed leaves a file that
// opens. It is halted, has no mark, and is nobody's state: the next draft removes it.
// Everything else is as in Create, which makes its drafts under names at random.
type Draft struct {
	opt   Options // with the path that it will have
	halt  string  // what it is halted for afterwards; "" for nothing
	s     *Store  // nil before the first item
	about state.Identity
	lanes map[laneOf]*laneRow // by what attempts name
	done  bool                // everything that follows from the items is written
}

var _ state.Draft = (*Draft)(nil)

// laneOf is what an attempt says of its lane.
type laneOf struct {
	number string
	run    int64
}

// draftPath is where a draft lies that another state is moved into.
func draftPath(path string) string {
	return filepath.Join(filepath.Dir(path), draftPrefix(path)+"moving")
}

// draftHalt keeps a draft from being used under its own name.
const draftHalt = "it is the rest of a move that did not finish"

// NewDraft begins a state at o.Path, where there must be none. halt is why it
// sends nothing after it is published, "" for a state that may. The caller holds
// the lock of that path.
func NewDraft(ctx context.Context, o Options, halt string) (*Draft, error) {
	o.Path = RealPath(o.Path)
	if err := checkPlace(o); err != nil {
		return nil, err
	}
	if Exists(o.Path) {
		return nil, fmt.Errorf("there is something at %s already", o.Path)
	}
	if err := goneBy(o.Path, readMark(o.Path)); err != nil {
		return nil, err
	}
	d := &Draft{opt: o, halt: halt, lanes: map[laneOf]*laneRow{}}
	if err := d.clear(); err != nil {
		return nil, plainError(err)
	}
	f, err := os.OpenFile(d.path(), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("making a state at %s: %w", o.Path, plainError(err))
	}
	return d, f.Close()
}

// path is where the file lies until it is published.
func (d *Draft) path() string { return draftPath(d.opt.Path) }

// clear removes the files of a draft.
func (d *Draft) clear() (err error) {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		err = errors.Join(err, removeIfThere(d.path()+suffix))
	}
	return err
}

// begin makes the tables.
func (d *Draft) begin(ctx context.Context, i state.Identity) error {
	key, err := hex.DecodeString(i.Lineage)
	if err != nil || len(key) != 16 {
		return fmt.Errorf("%w: its lineage is %q", state.ErrDamaged, i.Lineage)
	}
	o := d.opt
	o.Path, o.apart = d.path(), true
	d.about, d.s = i, newStore(o)
	d.s.setLineage(i.Lineage, key)
	return d.s.initialise(ctx, metaRow{lineage: i.Lineage, serial: i.Serial, epoch: i.Epoch, recovered: i.Attempts, created: i.Latest, halt: draftHalt})
}

// Add implements state.Draft. The first item says which state it is, and nothing can
// be written before that: the lineage is the key of all checksums.
func (d *Draft) Add(ctx context.Context, items []state.Item) error {
	if len(items) == 0 {
		return nil
	}
	if first, ok := items[0].(state.Identity); ok && d.s == nil {
		if err := d.begin(ctx, first); err != nil {
			return err
		}
		items = items[1:]
	}
	if d.s == nil {
		return errors.New("a state without an identity")
	}
	return d.s.write(ctx, func(t *tx) error {
		for _, i := range items {
			if err := d.add(t, i); err != nil {
				return err
			}
		}
		return nil
	})
}

// add writes one item; addEvent, addBody and those that they call write the rest.
func (d *Draft) add(t *tx, i state.Item) error {
	switch i := i.(type) {
	case state.Resource:
		return t.addResource(0, &i)
	case state.Managed:
		return t.putManaged(&i)
	case state.KeptProduct:
		return t.putProduct(i.Catalog, &i)
	case state.Blob:
		return t.putBlob(i.Name, i.Data)
	case state.Pace:
		return t.putBlob(slotsPrefix+i.Number, i.Data)
	case state.Halt:
		return t.changeHalts(func(list []state.Halt) []state.Halt { return append(list, i) })
	case state.Run:
		return t.putRun(&i, 0)
	case state.TakenLane:
		return d.lane(t, &i)
	case state.Attempt:
		return d.attempt(t, &i)
	case state.KeptLink:
		return t.addLink(&i)
	case state.Told:
		return t.addTold(&i)
	}
	return t.addEvent(i)
}

// finish writes what follows from all items. How far the lanes are settled says where
// a recovery has to look for attempts that are open. Handles are not given out again
// even if their rows were removed before the move: SQLite keeps the highest of two
// tables in sqlite_sequence, and that of attempts is in meta. And where the newest
// moment is not what the rows say, since the rows lie in the future or the newest of
// them were removed, it is kept as when somebody says that the clock was ahead.
func (d *Draft) finish(ctx context.Context) error {
	switch {
	case d.s == nil:
		return errors.New("nothing was copied")
	case d.done:
		return nil
	}
	d.done = true
	return d.s.write(ctx, func(t *tx) error {
		settled, _, err := t.c.queryInt("SELECT coalesce(min(a.id) - 1, ?) FROM attempts a LEFT JOIN outcomes o ON o.id = a.id WHERE o.id IS NULL", d.about.Attempts)
		if err != nil {
			return err
		}
		lanes, err := t.c.lanes("1 = 1")
		for i := range lanes {
			if lanes[i].settled = settled; err == nil {
				err = t.putLane(&lanes[i])
			}
		}
		for tab, last := range map[table]int64{tInbox: d.about.Bodies, tInbound: d.about.Inbound} {
			if err == nil {
				err = t.c.exec("DELETE FROM sqlite_sequence WHERE name = ?", tab.String())
			}
			if err == nil && last > 0 {
				err = t.c.exec("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", tab.String(), last)
			}
		}
		if err != nil {
			return err
		}
		latest, err := t.c.latest()
		if err == nil && latest != d.about.Latest {
			err = t.clockWas(d.about.Latest)
		}
		return err
	})
}

// Items implements state.Draft. It first writes what follows from all items.
func (d *Draft) Items(ctx context.Context) iter.Seq2[state.Item, error] {
	return func(yield func(state.Item, error) bool) {
		if err := d.finish(ctx); err != nil {
			yield(nil, err)
			return
		}
		d.s.Items(ctx)(yield)
	}
}

// Publish implements state.Draft. The packed index is made last, and without it plans
// are only slower. Then the file gets its name, in one step.
func (d *Draft) Publish(ctx context.Context) error {
	err := d.finish(ctx)
	if err == nil {
		d.s.packSince(ctx, 0)
		err = d.s.write(ctx, func(t *tx) error { return t.haltAs(d.halt) })
	}
	if err == nil {
		err = d.s.Close()
	}
	if err == nil {
		d.s = nil
		err = publish(d.path(), d.opt.Path)
	}
	if err != nil {
		return fmt.Errorf("making a state of the copy at %s: %w", d.opt.Path, err)
	}
	return nil
}

// Close implements state.Draft.
func (d *Draft) Close() error {
	var err error
	if d.s != nil {
		err = d.s.Close()
		d.s = nil
	}
	return errors.Join(err, d.clear())
}
