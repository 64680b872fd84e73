package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/handbill/handbill/state"
)

// here distinguishes this database from copies that hold the same rows. It is the
// cluster's identifier, which differs if a dump was restored in another cluster; the
// timeline, which a promoted standby and a recovery to an earlier moment raise; and
// the table's own identity, which restoring a dump changes. Any role may read them.
// A standby has no timeline of its own, and nobody writes there.
const here = `(SELECT system_identifier FROM pg_control_system())::text || '/' ||
	CASE WHEN pg_is_in_recovery() THEN '' ELSE substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END || '/' || 'meta'::regclass::oid`

// halted returns why nothing may be sent from the state; nil if it may. A database
// that took over from another, or was restored, may lack the last commits.
func (t *tx) halted() *state.HaltError {
	switch m := &t.meta; {
	case m.halt != "":
		halt := state.HaltOf(m.halt)
		halt.Database = true
		return halt
	case m.place != m.here && !strings.Contains(m.here, "//"):
		return &state.HaltError{Database: true, Why: "the database is not the one that the state was written to last. " + whatMoved(m.place, m.here) +
			" What was committed last may be missing, and would be sent again. See docs/shared-state.md"}
	}
	return nil
}

// whatMoved describes what differs between two places.
func whatMoved(was, now string) string {
	a, b := strings.SplitN(was, "/", 3), strings.SplitN(now, "/", 3)
	switch {
	case len(a) != 3 || len(b) != 3:
		return "Nobody knows how it came here."
	case a[0] != b[0]:
		return "It is another cluster: a dump was restored, or the cluster was upgraded."
	case a[1] != b[1]:
		return fmt.Sprintf("A standby was promoted, or it was recovered to an earlier moment: timeline %s follows %s.", b[1], a[1])
	}
	return "The tables were made anew: a dump was restored."
}

// Halted implements state.Store.
func (s *Store) Halted(ctx context.Context) (halt *state.HaltError, err error) {
	err = s.read(ctx, func(t *tx) error {
		halt = t.halted()
		return nil
	})
	return halt, err
}

// Acknowledge implements state.Store.
func (s *Store) Acknowledge(ctx context.Context, who, why string) error {
	err := s.write(ctx, func(t *tx) error {
		t.meta.halt, t.meta.place = "", t.meta.here
		t.decided(who, "acknowledged that the state may be older than what was sent", why)
		return nil
	})
	return named(err, "acknowledging")
}

// AcknowledgeClock implements state.Store.
func (s *Store) AcknowledgeClock(ctx context.Context, who, why string) error {
	err := s.write(ctx, func(t *tx) error {
		t.decided(who, "acknowledged that the clock was ahead", why)
		t.meta.latest = t.now
		t.one("SELECT coalesce(max(id), 0) FROM inbox", nil, &t.meta.waived)
		return nil
	})
	return named(err, "acknowledging the clock")
}

// unknownError says that it is not known whether a transaction was committed.
type unknownError struct{ err error }

func (e *unknownError) Error() string {
	return "the connection to the database was lost during a commit, and whether it was made can't be found out; nothing of it is sent: " + e.err.Error()
}

func (e *unknownError) Unwrap() error { return e.err }

// errRolledBack is returned if the database rolled a transaction back at its commit.
var errRolledBack = errors.New("the database rolled the transaction back")

// resolve finds out what became of a transaction whose commit was not answered. It
// must ask the same database: one that took over may give the same number to another
// transaction.
func (s *Store) resolve(ctx context.Context, t *tx, cause error) error {
	ctx = context.WithoutCancel(ctx) // it is bounded, and its answer decides what may be sent
	var wait backoff
	for wait.again(ctx, max(s.opt.Patience, minPatience)) {
		var place string
		var how *string
		err := s.once(ctx, func(c *pgx.Conn) error {
			if err := s.begin(ctx, c, beginRead, idleRead); err != nil {
				return err
			}
			return c.QueryRow(ctx, "SELECT "+here+", pg_xact_status($1::text::xid8)", t.xid).Scan(&place, &how)
		})
		switch {
		case lost(err):
		case err != nil:
			return &unknownError{errors.Join(cause, err)}
		case place != t.meta.here || how == nil:
			return &unknownError{cause}
		case *how == "committed":
			return nil
		case *how == "aborted":
			return fmt.Errorf("%w: %w", errLost, cause)
		}
	}
	return &unknownError{cause}
}
