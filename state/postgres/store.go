// Package postgres keeps a state in a schema of a PostgreSQL database, so that
// several machines share it: what was sent, to whom and what came of it.
//
// Like the other stores, it leaves to package delivery what may be sent and how
// events are folded; SQL only stores and finds. A writer locks the single row of
// meta, so that writers run one after another, as with a file: nobody changes what a
// transaction has read before it commits. Accepting webhooks does not need the lock.
//
// Nothing outside this package sees SQL. See docs/shared-state.md for operators.
package postgres

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/state/packed"
)

// Options say which state is opened and how.
type Options struct {
	// URL is a connection string of PostgreSQL. TLS with a verified name is
	// required (sslmode=verify-full), except for loopback and sockets.
	URL string
	// Schema holds the tables of one state; "" for "handbill".
	Schema string
	// Clock tells the time; required.
	Clock func() time.Time
	// Rand is the source of a new state's lineage; required by Create.
	Rand io.Reader
	// Wish reads what a person's message says about getting further messages; nil
	// ignores all words. See sqlite.Options.
	Wish func(ev *message.Event, at time.Time) state.Wish
	// Patience is how long a transaction waits for a database that went away and may
	// come back; 0 means not at all.
	Patience time.Duration
}

// defaultSchema is the schema used if Options name none.
const defaultSchema = "handbill"

// minPatience is the least time spent on finding out whether a commit was made.
const minPatience = 10 * time.Second

// Store is an open state. It is safe for concurrent use, by many processes too.
type Store struct {
	opt          Options
	pool         *pgxpool.Pool
	closed       atomic.Bool
	own          sync.Map                // ownSlots by sending number
	descriptions sync.Map                // *pgconn.StatementDescription by text of the statement
	last         atomic.Pointer[metaRow] // of the last transaction that wrote
	pooled       atomic.Bool             // a pooler lost a statement that was prepared
	turns        turns

	accepting acceptances
	blocks    packed.Size // smaller in tests

	sweeping sync.Mutex
	swept    [2]int64 // the newest orphan at the last sweep but one, and at the last one
}

var _ state.Store = (*Store)(nil)

func (s *Store) schema() string {
	if s.opt.Schema == "" {
		return defaultSchema
	}
	return s.opt.Schema
}

// connections is how many a process has open at most.
const connections = 6

// connect makes the pool, and proves that the database answers.
func connect(ctx context.Context, o Options) (*Store, error) {
	cfg, err := config(o.URL)
	if err != nil {
		return nil, err
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, errURL
	}
	s := &Store{opt: o, pool: pool, blocks: packed.Usual}
	if err := s.check(ctx); err != nil {
		pool.Close()
		if lost(err) {
			return nil, fmt.Errorf("no connection to the database of the state: %w", reason(err))
		}
		return nil, s.describe(err)
	}
	return s, nil
}

// oldest is the oldest supported version of PostgreSQL, as server_version_num.
const oldest = 140000

func (s *Store) check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	var version int
	err := s.once(ctx, func(c *pgx.Conn) error {
		return c.QueryRow(ctx, "SELECT current_setting('server_version_num')::int").Scan(&version)
	})
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("the database of the state did not answer within %s", connectTimeout)
	}
	if err == nil && version < oldest {
		return fmt.Errorf("the database is PostgreSQL %d, and a state needs 14 or newer", version/10000)
	}
	return err
}

// Exists reports whether there is a state in the schema. A database that can't be
// reached is an error.
func Exists(ctx context.Context, o Options) (bool, error) {
	s, err := connect(ctx, o)
	if err != nil {
		return false, err
	}
	defer s.Close()
	format, err := s.format(ctx)
	return format > 0, err
}

// format is the format of the state in the schema; 0 for none.
func (s *Store) format(ctx context.Context) (format int, err error) {
	err = s.once(ctx, func(c *pgx.Conn) error {
		var there bool
		if err := c.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_catalog.pg_class r JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace WHERE n.nspname = $1 AND r.relname = 'meta')", s.schema()).Scan(&there); err != nil || !there {
			return err
		}
		return unfinished(c.QueryRow(ctx, "SELECT format FROM "+pgx.Identifier{s.schema(), "meta"}.Sanitize()).Scan(&format))
	})
	return format, s.describe(err)
}

// ErrNone is wrapped if a schema holds no state.
var ErrNone = errors.New("there is no state yet")

// Open opens an existing state and changes nothing. It fails with ErrNone if the
// schema holds none, and with another error if the state has the format of another
// version of handbill.
func Open(ctx context.Context, o Options) (*Store, error) {
	s, err := connect(ctx, o)
	if err != nil {
		return nil, err
	}
	format, err := s.format(ctx)
	if err == nil {
		err = s.usable(format, newestFormat)
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// usable returns an error if format is not the known one.
func (s *Store) usable(format, known int) error {
	switch {
	case format == 0:
		return fmt.Errorf("%w in the schema %q of the database. \"handbill init\" makes it", ErrNone, s.schema())
	case format > known:
		return fmt.Errorf("%w (format %d, and this version knows %d)", errNewer, format, known)
	case format < known:
		return fmt.Errorf("%w (format %d, and this version writes %d)", errOlder, format, known)
	}
	return nil
}

// errNewer is wrapped if a newer handbill wrote the state, and errOlder if an older
// one did. Nothing was changed.
var (
	errNewer = errors.New("the state was written by a newer handbill; use that version")
	errOlder = errors.New("the state was written by an older handbill; stop serve and every apply, and run \"handbill init\" as a role that owns the tables: it brings the state up to date")
)

// newLineage mints the identity of a state.
func newLineage(r io.Reader) (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return "", fmt.Errorf("minting a lineage: %w", err)
	}
	return hex.EncodeToString(b[:]), nil
}

// Close implements state.Store.
func (s *Store) Close() error {
	if !s.closed.Swap(true) {
		s.pool.Close()
	}
	return nil
}

// Meta implements state.Store.
func (s *Store) Meta(ctx context.Context) (m state.Meta, err error) {
	err = s.read(ctx, func(t *tx) error { m = t.meta.Meta; return nil })
	return m, err
}

// Latest implements state.Store.
func (s *Store) Latest(ctx context.Context) (at time.Time, err error) {
	err = s.read(ctx, func(t *tx) error {
		latest := t.meta.latest
		t.one("SELECT greatest($1, (SELECT max(received) FROM inbox WHERE id > $2))", args(latest, t.meta.waived), &latest)
		at = state.Moment(latest)
		return nil
	})
	return at, err
}

// wrote records the latest time that was written into the state.
func (t *tx) wrote(at int64) { t.meta.latest = max(t.meta.latest, at) }

// decided raises the serial and records who decided what, and why.
func (t *tx) decided(who, what, why string) {
	t.meta.Serial++
	t.wrote(t.now)
	t.later("INSERT INTO decisions (at, who, what, why) VALUES ($1, $2, $3, $4)", t.now, who, what, why)
}
