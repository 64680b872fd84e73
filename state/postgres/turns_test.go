package postgres

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/internal/pgtest"
	"github.com/handbill/handbill/state"
)

// together makes calls while another writer keeps all of them waiting, so that those
// after the first share a transaction.
func together(t *testing.T, s *Store, calls ...func(context.Context)) {
	t.Helper()
	var all sync.WaitGroup
	err := s.once(t.Context(), func(c *pgx.Conn) error {
		if err := s.begin(t.Context(), c, beginWrite, idleRead, alone); err != nil {
			return err
		}
		for i, call := range calls {
			all.Go(func() { call(t.Context()) })
			for waits := -1; waits != i; runtime.Gosched() { // the first one is under way
				s.turns.mu.Lock()
				waits = len(s.turns.waiting)
				if !s.turns.running {
					waits = -1
				}
				s.turns.mu.Unlock()
			}
		}
		_, err := c.Exec(t.Context(), "commit", pgx.QueryExecModeSimpleProtocol)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	all.Wait()
}

// TestTurnsShareACommit checks that turns that wait for another writer are committed
// together, and that one that fails does so alone.
func TestTurnsShareACommit(t *testing.T) {
	s := create(t, pgtest.Shared(t))
	run := carried(t, s, nil)
	var calls []func(context.Context)
	for i := range 8 {
		calls = append(calls, func(ctx context.Context) {
			v, err := s.Intend(ctx, run.Lanes[i%2], []state.Intent{intent(fmt.Sprintf("+491511234567%d", i))})
			if err != nil || v[0].Attempt == 0 {
				t.Errorf("turn %d: %+v, %v", i, v, err)
			}
		})
	}
	together(t, s, calls...)
	commits := 0
	err := s.read(t.Context(), func(tx *tx) error {
		tx.one("SELECT count(DISTINCT xmin::text) FROM attempts", nil, &commits)
		return nil
	})
	if err != nil || commits != 2 {
		t.Errorf("%d commits, %v", commits, err)
	}
	bad := run.Lanes[0]
	bad.ID += 1000
	ok := func(person string) func(context.Context) {
		return func(ctx context.Context) {
			if v, err := s.Intend(ctx, run.Lanes[1], []state.Intent{intent(person)}); err != nil || v[0].Attempt == 0 {
				t.Errorf("beside one that fails: %+v, %v", v, err)
			}
		}
	}
	together(t, s, ok("+4915112345681"), ok("+4915112345682"), func(ctx context.Context) {
		if _, err := s.Intend(ctx, bad, []state.Intent{intent("+4915112345683")}); err == nil || errors.Is(err, state.ErrFenced) {
			t.Errorf("a lane that is not there: %v", err)
		}
	}, ok("+4915112345684"))
}

// TestAPoolerLosesWhatWasPrepared checks that a turn is made all the same where the
// database does not know the statements that were prepared: a pooler between may look
// like the database, and give each transaction another connection.
func TestAPoolerLosesWhatWasPrepared(t *testing.T) {
	s := create(t, pgtest.Shared(t))
	s.opt.Patience = 30 * time.Second
	lane := begin(t, s)
	intend := func(who string) {
		t.Helper()
		if v, err := s.Intend(t.Context(), lane, []state.Intent{intent(who)}); err != nil || v[0].Attempt == 0 {
			t.Errorf("%s: %+v, %v", who, v, err)
		}
	}
	// prepared counts the statements that the connection has, and loses them.
	prepared := func() (n int) {
		t.Helper()
		err := s.once(t.Context(), func(c *pgx.Conn) error {
			err := c.QueryRow(t.Context(), "SELECT count(*) FROM pg_prepared_statements", pgx.QueryExecModeSimpleProtocol).Scan(&n)
			if err == nil {
				_, err = c.Exec(t.Context(), "DEALLOCATE ALL", pgx.QueryExecModeSimpleProtocol)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	intend("+4915112345681")
	if prepared() == 0 {
		t.Error("no plans are kept")
	}
	intend("+4915112345682")
	intend("+4915112345683")
	if n := prepared(); n != 0 {
		t.Errorf("%d statements were prepared anew", n)
	}
}

// TestNobodyIsWrittenToWhoIsErasedMeanwhile checks that a transaction that waits while
// somebody is erased knows of it, also where nobody was erased before.
func TestNobodyIsWrittenToWhoIsErasedMeanwhile(t *testing.T) {
	s := create(t, pgtest.Shared(t))
	lane := begin(t, s)
	other, err := Open(t.Context(), s.opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { other.Close() })
	const who = "+4915112345678"
	var all sync.WaitGroup
	err = s.once(t.Context(), func(c *pgx.Conn) error {
		if err := s.begin(t.Context(), c, beginWrite, idleRead, alone); err != nil {
			return err
		}
		// wait until so many writers wait, which the database lets in one after another.
		wait := func(many int) (err error) {
			for n := 0; n != many && err == nil; runtime.Gosched() {
				err = c.QueryRow(t.Context(), "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted AND pid IN (SELECT pid FROM pg_locks WHERE relation = 'meta'::regclass)").Scan(&n)
			}
			return err
		}
		all.Go(func() {
			if err := s.Erase(t.Context(), who); err != nil {
				t.Error(err)
			}
		})
		if err := wait(1); err != nil {
			return err
		}
		all.Go(func() {
			v, err := other.Intend(t.Context(), lane, []state.Intent{intent(who)})
			if err != nil || v[0].Gate != delivery.GateOptedOut {
				t.Errorf("the person is written to: %+v, %v", v, err)
			}
		})
		if err := wait(2); err != nil {
			return err
		}
		_, err := c.Exec(t.Context(), "commit", pgx.QueryExecModeSimpleProtocol)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	all.Wait()
}
