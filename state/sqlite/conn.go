package sqlite

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	msqlite "modernc.org/sqlite"

	"github.com/handbill/handbill/internal/fp"
	"github.com/handbill/handbill/state"
	"zombiezen.com/go/sqlite"
)

// conn is one connection to the file. It is used by one goroutine at a time.
type conn struct {
	*sqlite.Conn
	texts map[verbOf]string // statements that write rows, by verb and table
}

// verbOf is the key of a statement that writes a row: INSERT or REPLACE, and
// the table.
type verbOf struct {
	verb  string
	table table
}

// busyTimeout is how long a connection waits for another process's write.
const busyTimeout = 10 * time.Second

// pragmas are the settings of every connection. synchronous=FULL syncs every
// commit; cell_size_check and trusted_schema distrust a damaged file.
var pragmas = []string{
	"PRAGMA foreign_keys = ON",
	"PRAGMA trusted_schema = OFF",
	"PRAGMA cell_size_check = ON",
	"PRAGMA temp_store = MEMORY",
}

// writePragmas are those of a connection that writes. Its cache holds the
// indexes of a million deliveries, which are written in random order: small
// pages make a commit short, and a longer journal has them written back more
// rarely. Measured: pages of 2 KB write a third to a half less than those of 4,
// and scans take as long.
var writePragmas = []string{
	"PRAGMA page_size = 2048",
	"PRAGMA journal_mode = WAL",
	"PRAGMA synchronous = FULL",
	"PRAGMA secure_delete = ON",
	"PRAGMA wal_autocheckpoint = 24000",
	"PRAGMA cache_size = -65536",
}

// networkPragmas are for a file system where processes cannot share memory:
// one process alone.
var networkPragmas = []string{
	"PRAGMA locking_mode = EXCLUSIVE",
	"PRAGMA journal_mode = TRUNCATE",
	"PRAGMA synchronous = EXTRA",
	"PRAGMA secure_delete = ON",
}

// openConn opens the file and changes nothing; set makes the settings. query has
// parameters of SQLite's file URIs, such as "immutable=1".
func openConn(path string, flags sqlite.OpenFlags, query string) (*conn, error) {
	if err := ownLocks(); err != nil {
		return nil, err
	}
	uri := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: query}
	c, err := sqlite.OpenConn(uri.String(), flags|sqlite.OpenURI)
	if err != nil {
		return nil, err
	}
	c.SetBusyTimeout(busyTimeout)
	return &conn{Conn: c, texts: map[verbOf]string{}}, nil
}

// ownLocks has SQLite use locks that belong to an open file and not to the process
// (open file description locks). With the others, a process that opens and closes
// the file a second time loses all of its locks. Some systems, such as macOS, have
// no such locks; there this package opens the file only before SQLite does.
var ownLocks = sync.OnceValue(func() error {
	_, err := msqlite.OFDLocking(true)
	if errors.Is(err, msqlite.ErrOFDLockingUnavailable) || errors.Is(err, msqlite.ErrOFDLockingTooLate) {
		return nil
	}
	return err
})

// openMemory opens an empty database in memory; Verify makes one to compare
// definitions with.
func openMemory() (*conn, error) {
	c, err := sqlite.OpenConn(":memory:", sqlite.OpenReadWrite|sqlite.OpenMemory)
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c}, nil
}

// set makes settings of a connection. The first read or write of the disk
// happens here, so a failing disk shows here.
func (c *conn) set(pragmas ...[]string) error {
	for _, list := range pragmas {
		for _, p := range list {
			if err := c.script(p); sqlite.ErrCode(err).ToPrimary() == sqlite.ResultIOErr {
				return fmt.Errorf("its disk can't be read or written, perhaps because it is full: %w", err)
			} else if err != nil {
				return fmt.Errorf("%s: %w", p, err)
			}
		}
	}
	return nil
}

// tx is a write transaction.
type tx struct {
	s   *Store
	c   *conn
	now int64 // when it began, by the clock of the host
	// clock is now, to the microsecond.
	clock time.Time
	err   error  // the first error of a row
	hash  hasher // reused for every row
	// erasures says, while intents are written, whether anybody was erased.
	erasures bool
	paces    map[string]*numberSlots // slots of the numbers that it has read
	writer   rowWriter               // reused for every row
	deltas   [len(tables)]delta      // what changes in the ledger, by table
	commits  int64                   // see progressRow; 0 where nothing changed
	epoch    int64                   // of applies, where that was looked at
	// retimes says that the transaction only moves messages to other slots. How
	// often that happens depends on the machine, so failpoints do not count it.
	retimes bool
}

// delta is what a transaction changes in the ledger for one table.
type delta struct{ rows, acc int64 }

// count notes that rows were added or removed, and the sum of their checksums.
// flush writes it to the ledger.
func (t *tx) count(tab table, rows, sum int64) {
	d := &t.deltas[tab]
	d.rows += rows
	d.acc = (d.acc + sum) & sumMask
}

// flush writes the ledger at the end of a transaction, and counts the
// transaction where it changed anything.
func (t *tx) flush() error {
	if t.deltas == [len(tables)]delta{} {
		return nil
	}
	for tab, d := range t.deltas {
		if d == (delta{}) {
			continue
		}
		err := t.c.exec("INSERT INTO ledger (id, rows, acc) VALUES (?1, ?2, ?3) ON CONFLICT (id) DO UPDATE SET rows = rows + ?2, acc = (acc + ?3) & "+sumMaskText,
			tab, d.rows, d.acc)
		if err != nil {
			return err
		}
	}
	return t.advance()
}

// sumMaskText is sumMask as SQL writes it.
const sumMaskText = "281474976710655"

// write runs fn in a transaction that is durable when write returns nil. ctx ends
// the wait for the transaction to begin, and never a transaction that has begun.
func (s *Store) write(ctx context.Context, fn func(*tx) error) error {
	if s.opt.ReadOnly {
		return fmt.Errorf("the state %s was opened for reading only", s.opt.Path)
	}
	if err := s.acquire(ctx); err != nil {
		return err
	}
	defer s.release()
	if s.broken != nil {
		return fmt.Errorf("the state %s is not written any more, for a commit failed earlier: %w", s.opt.Path, s.broken)
	}
	if err := s.there(); err != nil {
		return err
	}
	c := s.writer
	if err := c.claim(ctx); err != nil {
		return fmt.Errorf("writing the state %s: %w", s.opt.Path, err)
	}
	clock := s.opt.Clock()
	t := &tx{s: s, c: c, now: state.Millis(clock), clock: clock}
	err := s.refreshCaches(c)
	if err == nil {
		err = fn(t)
	}
	if err == nil {
		err = t.flush()
	}
	if err != nil {
		s.forgetCaches()
		s.recent.forget()
		if !c.AutocommitEnabled() {
			err = errors.Join(err, c.exec("ROLLBACK"))
		}
		return describe(err)
	}
	// Everything before this was undone on an error. From here on, nobody
	// knows.
	if err := t.commit(); err != nil {
		// Nobody knows what a failed sync left on the disk, and a second try may
		// succeed without having synced anything. So this store writes no more.
		s.broken = err
		s.forgetCaches()
		s.recent.forget()
		if !c.AutocommitEnabled() {
			err = errors.Join(err, c.exec("ROLLBACK"))
		}
		return fmt.Errorf("committing to the state %s: %w", s.opt.Path, describe(err))
	}
	if t.commits > 0 {
		if err := s.told(t); err != nil {
			return err
		}
	}
	// Where the file was moved away meanwhile, the transaction went with it.
	return s.there()
}

// commit ends the transaction. A commit that fails may still be on the disk.
func (t *tx) commit() error {
	if t.retimes {
		return t.c.exec("COMMIT")
	}
	fp.Hit("commit-before")
	if err := fp.Err("commit-refused"); err != nil {
		return err
	}
	if err := t.c.exec("COMMIT"); err != nil {
		return err
	}
	fp.Hit("commit-after")
	return fp.Err("commit-unclear")
}

// How a connection waits for another process's write: it looks often at first,
// since an apply at full speed leaves the file free only for moments between its
// commits. SQLite's own wait looks every tenth of a second soon, which kept a
// reply waiting for more than a second (docs/benchmarks.md).
const (
	quickLook  = 100 * time.Microsecond
	quickLooks = 500
	slowLook   = time.Millisecond
)

// claim begins a write transaction. It waits for other processes as long as
// busyTimeout, or until ctx is done.
func (c *conn) claim(ctx context.Context) error {
	c.SetBusyTimeout(0)
	defer c.SetBusyTimeout(busyTimeout)
	waited, look := time.Duration(0), quickLook
	for tries := 1; ; tries++ {
		err := c.exec("BEGIN IMMEDIATE")
		if sqlite.ErrCode(err).ToPrimary() != sqlite.ResultBusy || waited > busyTimeout {
			return err
		}
		if tries > quickLooks {
			look = slowLook
		}
		waited += look
		select {
		case <-time.After(look):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// read runs fn in a read transaction: one consistent view.
func (s *Store) read(ctx context.Context, fn func(*conn) error) error {
	c, err := s.reader(ctx)
	if err != nil {
		return err
	}
	defer s.free(c)
	return fn(c)
}

// reader is a connection inside a read transaction.
func (s *Store) reader(ctx context.Context) (*conn, error) {
	if err := errors.Join(ctx.Err(), s.there()); err != nil {
		return nil, err
	}
	var c *conn
	select {
	case c = <-s.readers:
	default:
		var err error
		if c, err = s.connectReader(); err != nil {
			return nil, fmt.Errorf("reading the state %s: %w", s.opt.Path, err)
		}
	}
	c.SetInterrupt(ctx.Done())
	if err := c.exec("BEGIN"); err != nil {
		c.SetInterrupt(nil)
		return nil, errors.Join(fmt.Errorf("reading the state %s: %w", s.opt.Path, err), c.Close())
	}
	return c, nil
}

// free ends the read transaction of c.
func (s *Store) free(c *conn) {
	c.SetInterrupt(nil)
	if c.exec("ROLLBACK") != nil {
		_ = c.Close() // nothing was written through it
		return
	}
	select {
	case s.readers <- c:
	default:
		_ = c.Close() // as above
	}
}
