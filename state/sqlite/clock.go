package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/handbill/handbill/state"
)

// Halted is why nothing is sent from this state before somebody acknowledges,
// as a *HaltError; nil when it may be sent from.
func (s *Store) Halted(ctx context.Context) (halt *state.HaltError, err error) {
	if s.astray != "" {
		halt = &state.HaltError{Why: s.astray}
	}
	err = s.read(ctx, func(c *conn) error {
		said, err := c.halt()
		if said != nil {
			halt = said
		}
		return err
	})
	return halt, err
}

// halt reads why nothing is sent; nil for no reason.
func (c *conn) halt() (halt *state.HaltError, err error) {
	err = c.each("SELECT halt FROM meta", func(st *sqlite.Stmt) error {
		if why := st.ColumnText(0); why != "" {
			halt = state.HaltOf(why)
		}
		return nil
	})
	return halt, err
}

// dated lists the tables whose newest row has a time of this machine's clock,
// and the column that has it.
var dated = []struct{ table, moment string }{
	{"runs", "max(max(started), coalesce(max(ended), 0))"},
	{"attempts", "intended"},
	{"inbound", "received"},
	{"inbox", "received"},
	{"decisions", "at"},
}

// clockBlob is the name of what AcknowledgeClock keeps.
const clockBlob = "clock_acknowledged"

// rightClock is what AcknowledgeClock keeps: a moment that was right, and for
// each table the last row at that moment. Times in rows up to there may lie in
// the future, since they were written by a clock that was ahead. As JSON:
// {"at": 1772452800000, "rows": {"attempts": 812, "runs": 3}}.
type rightClock struct {
	At   int64            `json:"at"` // the moment, which was right
	Rows map[string]int64 `json:"rows"`
}

// Latest is the newest moment that this machine's clock wrote into the state,
// but for what somebody said to be of a clock that was ahead; zero in a new
// one. A clock that shows less was put back since.
func (s *Store) Latest(ctx context.Context) (time.Time, error) {
	latest := int64(0)
	err := s.read(ctx, func(c *conn) (err error) {
		latest, err = c.latest()
		return err
	})
	return state.Moment(latest), err
}

// latest is Store.Latest in milliseconds.
func (c *conn) latest() (int64, error) {
	known, err := c.rightClock()
	if err != nil {
		return 0, err
	}
	latest := known.At
	if latest == 0 {
		if latest, _, err = c.queryInt("SELECT created FROM meta"); err != nil {
			return 0, err
		}
	}
	for _, d := range dated {
		query := "SELECT " + d.moment + " FROM " + d.table + " WHERE id > ?"
		if d.table == "attempts" {
			query += " AND lane <> -1"
		}
		if d.table != "runs" {
			query += " ORDER BY id DESC LIMIT 1"
		}
		at, _, err := c.queryInt(query, known.Rows[d.table])
		if err != nil {
			return 0, err
		}
		latest = max(latest, at)
	}
	return latest, nil
}

// rightClock reads what somebody said about the clock; zero when nobody did.
func (c *conn) rightClock() (known rightClock, err error) {
	return known, c.each("SELECT data FROM blobs WHERE name = ?", func(st *sqlite.Stmt) error {
		return json.Unmarshal(columnBlob(st, 0), &known)
	}, clockBlob)
}

// AcknowledgeClock has Latest leave out what was written before: a person says
// that the clock was ahead then, and is right now.
func (s *Store) AcknowledgeClock(ctx context.Context, who, why string) error {
	err := s.write(ctx, func(t *tx) error {
		if err := t.decided(who, "acknowledged that the clock was ahead", why); err != nil {
			return err
		}
		return t.clockWas(t.now)
	})
	if err != nil {
		return fmt.Errorf("acknowledging the clock: %w", err)
	}
	return nil
}

// clockWas keeps that everything until now was written at a moment, at the latest.
func (t *tx) clockWas(at int64) error {
	known := rightClock{At: at, Rows: map[string]int64{}}
	for _, d := range dated {
		last, _, err := t.c.queryInt("SELECT max(id) FROM " + d.table)
		if err != nil {
			return err
		}
		known.Rows[d.table] = last
	}
	data, err := json.Marshal(known)
	if err != nil {
		return err
	}
	return t.putBlob(clockBlob, data)
}
