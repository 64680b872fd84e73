package sqlite

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
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
	case state.Told:
		return t.addTold(&i)
	}
	return t.addEvent(i)
}

// addEvent writes what has to do with events, and what is kept for people to read.
func (t *tx) addEvent(i state.Item) error {
	var w *rowWriter
	switch i := i.(type) {
	case state.ErasedHash:
		w = t.insert(tErased, 0)
		w.blob(i.Hash)
		w.int(i.At)
	case state.WaitingEvent:
		return t.addWaiting(&i)
	case state.KeptInbound:
		return t.addInbound(&i)
	case state.KeptFinding:
		w = t.insert(tFindings, i.ID)
		w.int(i.At)
		w.text(i.Kind)
		w.int(i.Attempt)
		w.text(i.Detail)
	case state.Decision:
		w = t.insert(tDecisions, 0)
		w.int(i.At)
		w.text(i.Who)
		w.text(i.What)
		w.text(i.Why)
	default:
		return t.addBody(i)
	}
	_, err := w.done()
	return err
}

// addBody writes what came from a provider.
func (t *tx) addBody(i state.Item) error {
	var number string
	switch i := i.(type) {
	case state.SeenBody:
		number = i.Provider
	case state.WaitingBody:
		number = i.Provider
	case state.KeptNotice:
		number = i.Provider
	default:
		return fmt.Errorf("an item of an unknown type, %T", i)
	}
	provider, err := t.address(number)
	if err != nil {
		return err
	}
	var w *rowWriter
	switch i := i.(type) {
	case state.SeenBody:
		w = t.insert(tSeen, 0)
		w.int(provider)
		w.blob(i.Hash)
		w.int(i.Received)
	case state.WaitingBody:
		w = t.insert(tInbox, i.ID)
		w.int(provider)
		w.int(i.Received)
		w.blob(i.Raw)
		w.blob(i.Events)
	case state.KeptNotice:
		w = t.insert(tNotices, 0)
		w.int(provider)
		w.int(i.At)
		w.text(i.Kind)
		w.text(i.Field)
		w.text(i.Reason)
		w.blob(i.Raw)
	}
	_, err = w.done()
	return err
}

// lane writes a lane. Attempts of replies do not say which lane they had, so they
// get the newest at their number.
func (d *Draft) lane(t *tx, i *state.TakenLane) error {
	id, err := t.nextLane(i.Replies)
	if err != nil {
		return err
	}
	l := &laneRow{id: id, replies: i.Replies, epoch: i.Epoch, run: i.Run, over: i.Over}
	if i.Number != "" {
		if l.number, err = t.address(i.Number); err != nil {
			return err
		}
	}
	of := laneOf{i.Number, i.Run}
	if had := d.lanes[of]; had == nil || had.epoch < l.epoch {
		d.lanes[of] = l
	}
	return t.putLane(l)
}

// attempt writes an attempt with everything that became of it. It comes after its
// lane, and after the attempts before it, as the triggers of the tables want.
func (d *Draft) attempt(t *tx, i *state.Attempt) error {
	lane := int64(laneImport)
	switch l := d.lanes[laneOf{i.From, i.Run}]; {
	case l != nil && i.Run >= 0:
		lane = l.id
	case i.Run == 0:
		lane = 0 // as before format 7
	case i.Run > 0:
		return fmt.Errorf("%w: attempt %d has no lane", state.ErrDamaged, i.ID)
	}
	who, err := t.recipient(i.Recipient)
	if err != nil {
		return err
	}
	campaign, err := t.address(i.Campaign)
	if err != nil {
		return err
	}
	text, err := t.address(i.Message)
	if err != nil {
		return err
	}
	w := t.insert(tAttempts, i.ID)
	for _, v := range [...]int64{who, campaign, int64(i.Revision), int64(i.Number), lane, text, i.Intended} {
		w.int(v)
	}
	w.blob(i.Digest[:])
	w.blob(i.Body[:])
	w.packed(packRef(t.s.refHead, i.Ref))
	if _, err := w.done(); err != nil {
		return err
	}
	if err := t.putChoice(i.ID, &i.Choice); err != nil {
		return err
	}
	return t.addFate(i)
}

// addFate writes what became of an attempt.
func (t *tx) addFate(i *state.Attempt) error {
	if s := i.Settled; s != nil {
		o := outcomeRow{id: i.ID, send: s.Send, proof: s.Proof, settled: s.At, code: s.Code, title: s.Title, cause: s.Cause, hash: hash48(s.ID), sentID: packID(s.ID)}
		if err := t.putOutcome(&o, false); err != nil {
			return err
		}
	}
	if i.Again != nil {
		if err := t.addSuperseded(i.ID, i.Again.At, i.Again.Why); err != nil {
			return err
		}
	}
	if i.Status != (delivery.Status{}) || i.RepliedAt != 0 {
		if err := t.putStatus(&statusRow{id: i.ID, joined: i.Status, replied: i.RepliedAt}); err != nil {
			return err
		}
	}
	if i.Billed != (delivery.Billed{}) {
		return t.putBilled(i.ID, i.Billed)
	}
	return nil
}

// addTold writes what was told about some ids.
func (t *tx) addTold(i *state.Told) error {
	c := &circle{Circle: i.Circle, alone: map[int64]delivery.Known{}}
	if id, alone := i.Lone(); alone {
		spelled := i.Spelled[id]
		if spelled == "" {
			spelled = string(id)
		}
		var err error
		if c.place, err = t.recipient(spelled); err != nil {
			return err
		}
	}
	return t.keep(c)
}

// addWaiting writes an event whose message is not known, under the hash of that
// message's id.
func (t *tx) addWaiting(i *state.WaitingEvent) error {
	var ev message.Event
	if err := json.Unmarshal(i.Event, &ev); err != nil {
		return fmt.Errorf("%w: an event that waits: %w", state.ErrDamaged, err)
	}
	provider, err := t.address(i.Provider)
	if err != nil {
		return err
	}
	return t.putOrphan(provider, i.Received, aboutOf(&ev), i.Event)
}

// addInbound writes what a person wrote. What identifies it is made anew, since it
// goes by the integer of the sending number.
func (t *tx) addInbound(i *state.KeptInbound) error {
	ev := inboundJSON{Stopped: i.Stopped}
	if err := json.Unmarshal(i.Event, &ev.Event); err != nil {
		return fmt.Errorf("%w: an inbound event: %w", state.ErrDamaged, err)
	}
	text, err := json.Marshal(&ev)
	if err != nil {
		return err
	}
	r := inboundRow{at: eventTime(&ev.Event, i.Received), received: i.Received, state: inboundNew, first: asInt(i.First), attempt: i.Attempt,
		cart: asInt(ev.Order != nil), event: text}
	if i.Answered {
		r.state = inboundAnswered
	}
	if r.provider, err = t.address(i.Provider); err != nil {
		return err
	}
	if r.recipient, err = t.recipient(i.Recipient); err != nil {
		return err
	}
	r.hash = inboundHash(r.provider, &ev.Event)
	return t.writeInbound(t.insert(tInbound, i.Seq), &r)
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
