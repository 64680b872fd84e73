package postgres

import (
	"runtime"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/handbill/handbill/internal/pgtest"
)

// TestNoMoreForwardsThanAsked checks that a claim gets no more forwards than it asks
// for while others give theirs back. A database that takes the table for empty looks
// for free forwards once for each row, and finds others each time.
func TestNoMoreForwardsThanAsked(t *testing.T) {
	s := create(t, pgtest.Shared(t))
	sql(t, s, `INSERT INTO forwards VALUES (1, 'reply_rule.echo', 0, 1, '', false); DELETE FROM forwards; ANALYZE forwards;
		INSERT INTO forwards VALUES (1, 'reply_rule.echo', 0, 2, '', false), (2, 'reply_rule.echo', 0, 1, '', false);
		CREATE FUNCTION pause() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_xact_lock(7); RETURN new; END';
		CREATE TRIGGER pause BEFORE UPDATE ON forwards FOR EACH ROW EXECUTE FUNCTION pause()`)
	claimed := make(chan int, 1)
	err := s.once(t.Context(), func(c *pgx.Conn) error {
		if err := s.begin(t.Context(), c, beginWrite, idleRead, "SELECT FROM forwards WHERE event = 2 FOR UPDATE", "SELECT pg_advisory_xact_lock(7)"); err != nil {
			return err
		}
		go func() {
			due, _, err := s.ClaimForwards(t.Context(), "serve 1", 1)
			if err != nil {
				t.Error(err)
			}
			claimed <- len(due)
		}()
		for waits := false; !waits; runtime.Gosched() { // with the first one claimed
			if err := c.QueryRow(t.Context(), "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))").Scan(&waits); err != nil {
				return err
			}
		}
		_, err := c.Exec(t.Context(), "commit", pgx.QueryExecModeSimpleProtocol)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := <-claimed; n != 1 {
		t.Errorf("%d forwards are claimed, and one was asked for", n)
	}
}
