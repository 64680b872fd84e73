package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"zombiezen.com/go/sqlite"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/state"
)

// Begin implements state.Store.
func (s *Store) Begin(ctx context.Context, r state.Run, resources []state.Resource) (state.Run, error) {
	r.Lanes = slices.Clone(r.Lanes)
	err := s.write(ctx, func(t *tx) error {
		var epoch int64
		err := t.changeMeta(func(m *metaRow) error {
			if m.halt != "" {
				return state.HaltOf(m.halt)
			}
			m.serial++
			m.epoch++
			epoch = m.epoch
			return nil
		})
		if err != nil {
			return err
		}
		if err := t.putResources(resources); err != nil {
			return err
		}
		if err := t.resume(r.Who, r.Resume); err != nil {
			return err
		}
		for name, data := range r.Blobs {
			if err := t.putBlob(name, data); err != nil {
				return err
			}
		}
		if r.ID, err = t.nextID(tRuns); err != nil {
			return err
		}
		for i := range r.Lanes {
			if r.Lanes[i], err = t.take(r.Lanes[i].Number, r.ID); err != nil {
				return err
			}
		}
		return t.putRun(&r, epoch)
	})
	if err != nil {
		return state.Run{}, fmt.Errorf("opening a run: %w", err)
	}
	return r, nil
}

// putRun writes a row of runs. The counts of its campaigns are one JSON text.
func (t *tx) putRun(r *state.Run, epoch int64) error {
	campaigns, err := json.Marshal(r.Campaigns)
	if err != nil {
		return err
	}
	started := state.Millis(r.Started)
	if started == 0 {
		started = t.now
	}
	w := t.replace(tRuns, r.ID)
	w.int(epoch)
	w.int(started)
	w.maybe(state.Millis(r.Ended))
	w.text(r.Version)
	w.text(r.Plan)
	w.text(string(r.Halted))
	w.text(string(campaigns))
	_, err = w.done()
	return err
}

// putResources replaces the declared resources. Their ids are their order.
func (t *tx) putResources(list []state.Resource) error {
	if _, err := t.removeAll(tResources, "SELECT id FROM resources"); err != nil {
		return err
	}
	for i := range list {
		if err := t.addResource(int64(i+1), &list[i]); err != nil {
			return err
		}
	}
	return nil
}

// addResource writes a declared resource; an id of 0 is the next.
func (t *tx) addResource(id int64, r *state.Resource) error {
	refs, err := json.Marshal(append([]string{}, r.Refs...))
	if err != nil {
		return err
	}
	w := t.insert(tResources, id)
	w.text(r.Address)
	w.text(r.Type)
	w.text(r.Name)
	w.blob(r.Tree)
	w.text(string(refs))
	_, err = w.done()
	return err
}

// putBlob keeps data under a name; nil removes the name.
func (t *tx) putBlob(name string, data []byte) error {
	if _, err := t.removeAll(tBlobs, "SELECT id FROM blobs WHERE name = ?", name); err != nil || data == nil {
		return err
	}
	w := t.insert(tBlobs, 0)
	w.text(name)
	w.blob(data)
	_, err := w.done()
	return err
}

// Put keeps data under a name for Snapshot.Get; nil removes it.
func (s *Store) Put(ctx context.Context, name string, data []byte) error {
	return s.write(ctx, func(t *tx) error { return t.putBlob(name, data) })
}

// Finish implements state.Store. It writes the run's counts as they are
// given; Tally has those of the state.
func (s *Store) Finish(ctx context.Context, r state.Run) error {
	err := s.write(ctx, func(t *tx) error {
		epoch, ok, err := t.c.queryInt("SELECT epoch FROM runs WHERE id = ? AND ended IS NULL", r.ID)
		switch {
		case err != nil:
			return err
		case !ok:
			return errors.New("it is not open; this is a bug in handbill")
		}
		if err := t.close(r.ID); err != nil {
			return err
		}
		if r.Ended.IsZero() {
			r.Ended = t.s.opt.Clock()
		}
		return t.putRun(&r, epoch)
	})
	if err != nil {
		return fmt.Errorf("closing run %d: %w", r.ID, err)
	}
	for _, c := range r.Campaigns {
		// As with packSince, a run is closed without its blocks.
		if s.packRevision(ctx, c.Campaign, c.Revision) != nil {
			break
		}
	}
	return nil
}

// Runs are all applies, oldest first.
func (s *Store) Runs(ctx context.Context) ([]state.Run, error) {
	var out []state.Run
	err := s.read(ctx, func(c *conn) error {
		return c.each("SELECT id, started, ended, version, plan, halted, campaigns FROM runs ORDER BY id", func(st *sqlite.Stmt) error {
			var r state.Run
			if err := scanRun(st, &r); err != nil {
				return err
			}
			out = append(out, r)
			return nil
		})
	})
	return out, err
}

// readdress renames a campaign in the counts of all runs; "" drops its counts.
func (t *tx) readdress(from, to string) error {
	type kept struct {
		run   state.Run
		epoch int64
	}
	var changed []kept
	err := t.c.each("SELECT id, started, ended, version, plan, halted, campaigns, epoch FROM runs ORDER BY id", func(st *sqlite.Stmt) error {
		k := kept{epoch: st.ColumnInt64(7)}
		if err := scanRun(st, &k.run); err != nil {
			return err
		}
		had := len(k.run.Campaigns)
		named := false
		for i := range k.run.Campaigns {
			if k.run.Campaigns[i].Campaign == from {
				k.run.Campaigns[i].Campaign, named = to, true
			}
		}
		k.run.Campaigns = slices.DeleteFunc(k.run.Campaigns, func(c state.CampaignRun) bool { return c.Campaign == "" })
		if named || len(k.run.Campaigns) != had {
			changed = append(changed, k)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i := range changed {
		if err := t.putRun(&changed[i].run, changed[i].epoch); err != nil {
			return err
		}
	}
	return nil
}

// scanRun reads the columns id to campaigns of a run.
func scanRun(st *sqlite.Stmt, r *state.Run) error {
	*r = state.Run{ID: st.ColumnInt64(0), Started: state.Moment(st.ColumnInt64(1)), Ended: state.Moment(st.ColumnInt64(2)),
		Version: st.ColumnText(3), Plan: st.ColumnText(4), Halted: delivery.HaltReason(st.ColumnText(5))}
	if err := json.Unmarshal([]byte(st.ColumnText(6)), &r.Campaigns); err != nil {
		return fmt.Errorf("%w: the counts of run %d: %w", state.ErrDamaged, r.ID, err)
	}
	return nil
}

// Tally implements state.Store. It adds up the rows of Funnel.
func (s *Store) Tally(ctx context.Context, campaign string, revision int) (state.Tally, error) {
	var out state.Tally
	rows, err := s.Funnel(ctx, campaign)
	for _, r := range rows {
		if r.Revision == revision {
			out.Add(&r)
		}
	}
	return out, err
}
