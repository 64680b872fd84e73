package sqlite

import (
	"context"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/handbill/handbill/state"
)

// Halted is why nothing is sent from this state before somebody acknowledges,
// as a *HaltError; nil when it may be sent from.
func (s *Store) Halted(ctx context.Context) (halt *state.HaltError, err error) {
	err = s.read(ctx, func(c *conn) error {
		return c.each("SELECT halt FROM meta", func(st *sqlite.Stmt) error {
			if why := st.ColumnText(0); why != "" {
				halt = &state.HaltError{Why: why}
			}
			return nil
		})
	})
	return halt, err
}

// Latest is the newest moment that this machine's clock wrote into the state;
// zero in a new one. A clock that shows less was put back since.
func (s *Store) Latest(ctx context.Context) (time.Time, error) {
	latest := int64(0)
	err := s.read(ctx, func(c *conn) error {
		for _, query := range [...]string{
			"SELECT created FROM meta",
			"SELECT max(max(started), coalesce(max(ended), 0)) FROM runs",
			"SELECT intended FROM attempts WHERE run <> -1 ORDER BY id DESC LIMIT 1",
			"SELECT received FROM inbound ORDER BY id DESC LIMIT 1",
			"SELECT received FROM inbox ORDER BY id DESC LIMIT 1",
			"SELECT at FROM decisions ORDER BY id DESC LIMIT 1",
		} {
			at, _, err := c.one(query)
			if err != nil {
				return err
			}
			latest = max(latest, at)
		}
		return nil
	})
	return fromMillis(latest), err
}
