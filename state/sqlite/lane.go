package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"zombiezen.com/go/sqlite"

	"github.com/handbill/handbill/state"
)

// laneImport stands in attempts for the lane of what was made elsewhere.
const laneImport = -1

// ofCampaigns and ofReplies choose attempts: lanes of runs have ids from 1, and
// those of replies go down from -2; it was 0 for all replies before format 7.
const (
	ofCampaigns = "(lane > 0 OR lane = -1)"
	ofReplies   = "(lane = 0 OR lane < -1)"
)

// laneRow is a row of lanes: one sending number as one run, or one server, has
// or had it. settled is the last attempt up to which nothing of the lane is
// open; over says that it gets no more attempts.
type laneRow struct {
	id, number int64 // number is the integer of its address; 0 where an older format did not keep it
	replies    bool  // of a server, not of a run
	epoch, run int64 // run is 0 for replies
	settled    int64 // nothing is open up to this attempt
	over       bool  // it gets no more attempts
}

// putLane writes a row of lanes.
func (t *tx) putLane(l *laneRow) error {
	w := t.replace(tLanes, l.id)
	w.int(l.number)
	w.bool(l.replies)
	w.int(l.epoch)
	w.int(l.run)
	w.int(l.settled)
	w.bool(l.over)
	_, err := w.done()
	return err
}

// take gives a sending number to a run, or for run 0 to a server that answers
// there. The lane before has a lower epoch from then on and is fenced.
func (t *tx) take(number string, run int64) (state.Lane, error) {
	if number == "" {
		return state.Lane{}, errors.New("a lane needs a sending number; this is a bug in handbill")
	}
	l := laneRow{replies: run == 0, run: run}
	var err error
	if l.number, err = t.address(number); err != nil {
		return state.Lane{}, err
	}
	last, err := t.c.lastEpoch(l.number, l.replies)
	if err != nil {
		return state.Lane{}, err
	}
	l.epoch = last + 1
	if l.id, err = t.nextLane(l.replies); err != nil {
		return state.Lane{}, err
	}
	if l.settled, err = t.c.lastAttemptID(); err != nil {
		return state.Lane{}, err
	}
	lane := state.Lane{Number: number, ID: l.id, Epoch: l.epoch, Run: run}
	t.s.lanes[lane] = l.number
	return lane, t.putLane(&l)
}

// nextLane is a free id of a lane; nextID would choose one of the other kind.
func (t *tx) nextLane(replies bool) (int64, error) {
	next := "SELECT max(coalesce(max(id), 0), 0) + 1 FROM lanes"
	if replies {
		next = "SELECT min(coalesce(min(id), 0), -1) - 1 FROM lanes"
	}
	id, _, err := t.c.queryInt(next)
	return id, err
}

// lastEpoch is the epoch of the lane that has a number now; 0 for none. Runs
// and replies count apart.
func (c *conn) lastEpoch(number int64, replies bool) (int64, error) {
	epoch, _, err := c.queryInt("SELECT coalesce(max(epoch), 0) FROM lanes WHERE number = ? AND replies = ?", number, asInt(replies))
	return epoch, err
}

// asInt is a truth value as SQLite keeps it.
func asInt(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// lastAttemptID is the newest attempt; 0 for none.
func (c *conn) lastAttemptID() (int64, error) {
	id, _, err := c.queryInt("SELECT coalesce(max(id), 0) FROM attempts")
	return id, err
}

// fence fails with ErrFenced for a lane whose number was taken since. Lanes
// that were found open are remembered, as long as no other process has written.
func (t *tx) fence(lane state.Lane) error {
	number, known := t.s.lanes[lane]
	if !known {
		var err error
		if number, err = t.c.openLane(lane); err != nil {
			return err
		}
		t.s.lanes[lane] = number
	}
	return t.c.overtaken(number, lane)
}

// overtaken is ErrFenced when somebody has taken the lane's number since.
func (c *conn) overtaken(number int64, lane state.Lane) error {
	last, err := c.lastEpoch(number, lane.Run == 0)
	if err == nil && last != lane.Epoch {
		err = state.ErrFenced
	}
	return err
}

// openLane returns the integer of a lane's number, and fails for a lane that
// never was, or whose run is over.
func (c *conn) openLane(lane state.Lane) (int64, error) {
	number, err := c.addressID(lane.Number)
	if err != nil {
		return 0, err
	}
	_, ok, err := c.queryInt(`SELECT 1 FROM lanes l WHERE id = ? AND number = ? AND epoch = ? AND run = ?
		AND (run = 0 OR EXISTS (SELECT 1 FROM runs r WHERE r.id = l.run AND r.ended IS NULL))`, lane.ID, number, lane.Epoch, lane.Run)
	if err == nil && (!ok || number == 0) {
		err = fmt.Errorf("lane %d of run %d is not open; this is a bug in handbill", lane.ID, lane.Run)
	}
	return number, err
}

// close ends the lanes of a run, unless somebody has taken the number of one.
func (t *tx) close(run int64) error {
	lanes, err := t.c.lanes("run = ?", run)
	for i := range lanes {
		if last, err := t.c.lastEpoch(lanes[i].number, false); err != nil || last != lanes[i].epoch {
			return errors.Join(err, state.ErrFenced)
		}
	}
	for l := range t.s.lanes {
		if l.Run == run {
			delete(t.s.lanes, l)
		}
	}
	return err
}

// lanes are those that a condition chooses.
func (c *conn) lanes(where string, args ...any) (out []laneRow, err error) {
	err = c.each("SELECT id, number, replies, epoch, run, settled, over FROM lanes WHERE "+where+" ORDER BY id", func(st *sqlite.Stmt) error {
		out = append(out, laneRow{st.ColumnInt64(0), st.ColumnInt64(1), st.ColumnBool(2), st.ColumnInt64(3), st.ColumnInt64(4), st.ColumnInt64(5), st.ColumnBool(6)})
		return nil
	}, args...)
	return out, err
}

// Unsettled implements state.Store.
func (s *Store) Unsettled(ctx context.Context) (numbers []string, err error) {
	err = s.read(ctx, func(c *conn) error {
		return c.each("SELECT DISTINCT coalesce(a.address, '') FROM lanes l LEFT JOIN addresses a ON a.id = l.number WHERE l.over = 0 AND l.replies = 0 ORDER BY 1",
			func(st *sqlite.Stmt) error {
				numbers = append(numbers, st.ColumnText(0))
				return nil
			})
	})
	if err != nil {
		return nil, fmt.Errorf("looking for what an earlier process left open: %w", err)
	}
	return numbers, nil
}

// Recover implements state.Store.
func (s *Store) Recover(ctx context.Context, number string) (n int, err error) {
	var from, last int64
	err = s.write(ctx, func(t *tx) error {
		at, err := t.c.addressID(number)
		if err != nil {
			return err
		}
		if last, err = t.c.lastAttemptID(); err != nil {
			return err
		}
		if n, from, err = t.recover(at, false, last); err != nil || from == last {
			return err
		}
		return t.changeMeta(func(m *metaRow) error { m.recovered = max(m.recovered, last); return nil })
	})
	if err != nil {
		return 0, fmt.Errorf("settling what an earlier process left open: %w", err)
	}
	if from < last {
		s.packSince(ctx, from)
	}
	return n, nil
}

// recover puts in doubt what the lanes of a number left open, up to the attempt
// last, and returns how many those were and the attempt after which it looked.
// Lanes of no known number are among them: older formats did not keep it.
func (t *tx) recover(number int64, replies bool, last int64) (n int, from int64, err error) {
	lanes, err := t.c.lanes("over = 0 AND replies = ? AND number IN (0, ?)", asInt(replies), number)
	if err != nil {
		return 0, 0, err
	}
	from = last
	ids := make([]int64, len(lanes))
	for i := range lanes {
		from, ids[i] = min(from, lanes[i].settled), lanes[i].id
	}
	list, err := json.Marshal(ids)
	if err != nil {
		return 0, 0, err
	}
	open, err := t.c.queryInts(`SELECT id FROM attempts WHERE id > ? AND lane IN (SELECT value FROM json_each(?))
		AND NOT EXISTS (SELECT 1 FROM outcomes o WHERE o.id = attempts.id)`, from, string(list))
	if err != nil {
		return 0, 0, err
	}
	// Whether the provider took these, nobody knows: only a status, a poll or a
	// person can settle them.
	if err := t.interrupted(open); err != nil {
		return 0, 0, err
	}
	for i := range lanes {
		if err := t.settled(&lanes[i], last); err != nil {
			return 0, 0, err
		}
	}
	return len(open), from, nil
}

// interrupted puts attempts in doubt whose process ended before their outcome
// was recorded.
func (t *tx) interrupted(ids []int64) error {
	for _, id := range ids {
		o := outcomeRow{id: id, send: state.InDoubt, settled: t.now, cause: "interrupted"}
		if err := t.putOutcome(&o, false); err != nil {
			return err
		}
	}
	return nil
}

// settled writes down that a lane has nothing open up to the attempt last, and
// whether it can get more.
func (t *tx) settled(l *laneRow, last int64) error {
	epoch, err := t.c.lastEpoch(l.number, l.replies)
	if err != nil {
		return err
	}
	_, running, err := t.c.queryInt("SELECT 1 FROM runs WHERE id = ? AND ended IS NULL", l.run)
	if err != nil {
		return err
	}
	l.settled, l.over = last, l.number == 0 || epoch != l.epoch || !l.replies && !running
	return t.putLane(l)
}

// RecoverReplies implements state.Store.
func (s *Store) RecoverReplies(ctx context.Context, number string) (lane state.Lane, n int, err error) {
	err = s.write(ctx, func(t *tx) (err error) {
		if lane, err = t.take(number, 0); err != nil {
			return err
		}
		last, err := t.c.lastAttemptID()
		if err != nil {
			return err
		}
		n, _, err = t.recover(t.s.lanes[lane], true, last)
		return err
	})
	if err != nil {
		return state.Lane{}, 0, fmt.Errorf("taking over the answers at %s: %w", number, err)
	}
	return lane, n, nil
}

// lanesOfFormat6 makes a lane for each run of a state of format 6, which had none.
// That format did not keep through which number an attempt went, so the first
// recovery of any number settles what those runs left open. Open replies are put
// in doubt here, and events that a server had taken up become unanswered again.
func (t *tx) lanesOfFormat6() error {
	var lanes []laneRow
	err := t.c.each("SELECT r.id, r.epoch, m.recovered FROM runs r, meta m ORDER BY r.id", func(st *sqlite.Stmt) error {
		lanes = append(lanes, laneRow{id: st.ColumnInt64(0), epoch: st.ColumnInt64(1), run: st.ColumnInt64(0), settled: st.ColumnInt64(2)})
		return nil
	})
	if err != nil {
		return err
	}
	for i := range lanes {
		if err := t.putLane(&lanes[i]); err != nil {
			return err
		}
	}
	open, err := t.c.queryInts("SELECT id FROM attempts WHERE lane = 0 AND NOT EXISTS (SELECT 1 FROM outcomes o WHERE o.id = attempts.id)")
	if err != nil {
		return err
	}
	if err := t.interrupted(open); err != nil {
		return err
	}
	claimed, err := t.c.queryInts("SELECT id FROM inbound WHERE state = 1")
	if err != nil {
		return err
	}
	return t.setInbound(claimed, inboundNew)
}
