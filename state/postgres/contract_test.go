package postgres

import (
	"context"
	"flag"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/handbill/handbill/internal/pgtest"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/state/packed"
	"github.com/handbill/handbill/state/statetest"
)

// usualChecks is how many histories a property tries, unless a flag says so.
const usualChecks = "20"

func TestMain(m *testing.M) {
	flag.Parse()
	asked := false
	flag.Visit(func(f *flag.Flag) { asked = asked || f.Name == "rapid.checks" })
	if !asked { // each commit waits for the disk, and the other stores run the same properties hundreds of times
		if err := flag.Set("rapid.checks", usualChecks); err != nil {
			panic(err)
		}
	}
	os.Exit(pgtest.Main(m))
}

func TestContract(t *testing.T) {
	contract(t, pgtest.Shared(t).URL())
}

// contract runs the suite on states in a database.
func contract(t *testing.T, url string, only ...string) {
	var free used
	t.Cleanup(free.close)
	statetest.Run(t, func(t statetest.T, o statetest.Options) state.Store {
		t.Helper()
		s := free.take()
		if s == nil {
			var err error
			if s, err = Create(t.Context(), Options{URL: url, Schema: pgtest.Schema(), Clock: o.Clock, Rand: rand.NewChaCha8([32]byte{1})}); err != nil {
				t.Fatal(err)
			}
		}
		s.opt.Clock, s.opt.Wish = o.Clock, o.Wish
		s.blocks = packed.Size{Least: 2, Most: 5}
		if err := s.write(t.Context(), func(t *tx) error { t.meta.latest = o.Clock().UnixMilli(); return nil }); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			ctx := context.WithoutCancel(t.Context()) // a test's context ends before its cleanup
			if r, err := s.Verify(ctx); err != nil || len(r.Problems) > 0 {
				t.Errorf("verify found %+v, %v", r.Problems, err)
			}
			free.give(ctx, t, s)
		})
		return s
	}, only...)
}

// used are states whose tests have ended: a property needs hundreds, and a new
// one takes half a second.
type used struct {
	mu   sync.Mutex
	free []*Store
}

func (u *used) take() (s *Store) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if n := len(u.free); n > 0 {
		s, u.free = u.free[n-1], u.free[:n-1]
	}
	return s
}

func (u *used) close() {
	for _, s := range u.free {
		_ = s.Close()
	}
}

// give empties a state for the next test.
func (u *used) give(ctx context.Context, t statetest.T, s *Store) {
	t.Helper()
	var sql strings.Builder
	for _, table := range strings.Fields("packed links findings notices orphans forwards inbound inbox seen statuses outcomes attempts ids circles erased runs lanes halts slots blobs managed products resources decisions") {
		sql.WriteString("DELETE FROM " + table + ";")
	}
	for _, table := range strings.Fields("findings notices orphans inbound inbox attempts circles decisions") {
		sql.WriteString("SELECT setval(pg_get_serial_sequence('" + table + "', 'id'), 1, false);")
	}
	sql.WriteString("UPDATE meta SET serial = 0, epoch = 0, waived = 0, halt = NULL; commit")
	err := s.once(ctx, func(c *pgx.Conn) error {
		if err := s.begin(ctx, c, beginWrite, idleWrite); err != nil {
			return err
		}
		_, err := c.Exec(ctx, sql.String(), pgx.QueryExecModeSimpleProtocol)
		return err
	})
	if err != nil {
		t.Error(err)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.free = append(u.free, s)
}
