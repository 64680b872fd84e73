package state

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"zombiezen.com/go/sqlite"
)

// HaltError says why nothing is sent from this state until somebody has looked
// at it and said so with Store.Acknowledge.
type HaltError struct{ Why string }

func (e *HaltError) Error() string {
	return "nothing is sent from this state before somebody acknowledges: " + e.Why
}

// Begin implements apply.Recorder. The resources are those that are declared
// now; others are forgotten. It fails with a *HaltError when the state is
// older than what was sent from it.
func (s *Store) Begin(ctx context.Context, r Run, resources []Resource) (id int64, err error) {
	var epoch int64
	err = s.write(ctx, func(t *tx) error {
		err := t.changeMeta(func(m *metaRow) error {
			if m.halt != "" {
				return &HaltError{Why: m.halt}
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
		if id, err = t.nextID(tRuns); err != nil {
			return err
		}
		r.ID = id
		return t.putRun(&r, epoch)
	})
	if err != nil {
		return 0, fmt.Errorf("opening a run: %w", err)
	}
	return id, s.writeMark(epoch)
}

func (t *tx) putRun(r *Run, epoch int64) error {
	campaigns, err := json.Marshal(r.Campaigns)
	if err != nil {
		return err
	}
	started := millis(r.Started)
	if started == 0 {
		started = t.now
	}
	w := t.replace(tRuns, r.ID)
	w.int(epoch)
	w.int(started)
	w.maybe(millis(r.Ended))
	w.text(r.Version)
	w.text(r.Plan)
	w.text(r.Halted)
	w.text(string(campaigns))
	_, err = w.done()
	return err
}

func (t *tx) putResources(list []Resource) error {
	if _, err := t.removeAll(tResources, "SELECT id FROM resources"); err != nil {
		return err
	}
	for i, r := range list {
		if r.Refs == nil {
			r.Refs = []string{}
		}
		refs, err := json.Marshal(r.Refs)
		if err != nil {
			return err
		}
		w := t.insert(tResources, int64(i+1))
		w.text(r.Address)
		w.text(r.Type)
		w.text(r.Name)
		w.blob(r.Tree)
		w.text(string(refs))
		if _, err := w.done(); err != nil {
			return err
		}
	}
	return nil
}

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

// Finish implements apply.Recorder. It writes the run's counts as they are
// given; Tally has those of the state.
func (s *Store) Finish(ctx context.Context, r Run) error {
	err := s.write(ctx, func(t *tx) error {
		if err := t.fence(r.ID); err != nil {
			return err
		}
		epoch := t.s.runs[r.ID]
		delete(t.s.runs, r.ID)
		if r.Ended.IsZero() {
			r.Ended = t.s.opt.Clock()
		}
		return t.putRun(&r, epoch)
	})
	if err != nil {
		return fmt.Errorf("closing run %d: %w", r.ID, err)
	}
	for _, c := range r.Campaigns {
		// As with pack, a run is closed without its sheets.
		if s.writeSheets(ctx, c.Campaign, c.Revision) != nil {
			break
		}
	}
	return nil
}

// Runs are all applies, oldest first.
func (s *Store) Runs(ctx context.Context) ([]Run, error) {
	var out []Run
	err := s.read(ctx, func(c *conn) error {
		return c.each("SELECT id, started, ended, version, plan, halted, campaigns FROM runs ORDER BY id", func(st *sqlite.Stmt) error {
			var r Run
			if err := scanRun(st, &r); err != nil {
				return err
			}
			out = append(out, r)
			return nil
		})
	})
	return out, err
}

// readdress gives what runs counted under one address to another, or drops it
// where to is "".
func (t *tx) readdress(from, to string) error {
	type kept struct {
		run   Run
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
		k.run.Campaigns = slices.DeleteFunc(k.run.Campaigns, func(c CampaignRun) bool { return c.Campaign == "" })
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

func scanRun(st *sqlite.Stmt, r *Run) error {
	*r = Run{ID: st.ColumnInt64(0), Started: fromMillis(st.ColumnInt64(1)), Ended: fromMillis(st.ColumnInt64(2)),
		Version: st.ColumnText(3), Plan: st.ColumnText(4), Halted: st.ColumnText(5)}
	if err := json.Unmarshal([]byte(st.ColumnText(6)), &r.Campaigns); err != nil {
		return fmt.Errorf("%w: the counts of run %d: %w", ErrDamaged, r.ID, err)
	}
	return nil
}

// Tally implements apply.Recorder.
func (s *Store) Tally(ctx context.Context, campaign string, revision int) (Tally, error) {
	var out Tally
	rows, err := s.Funnel(ctx, campaign)
	for _, r := range rows {
		if r.Revision == revision {
			out.add(&r)
		}
	}
	return out, err
}

func (t *Tally) add(r *FunnelRow) {
	switch r.Send {
	case Accepted:
		t.Accepted += r.Count
		switch {
		case r.Rank >= 2:
			t.Delivered += r.Count
		case r.Failed:
			t.Failed += r.Count
		}
	case Rejected:
		t.Rejected += r.Count
	case Sending, InDoubt:
		t.InDoubt += r.Count
	case Pending:
		t.Pending += r.Count
	}
}
