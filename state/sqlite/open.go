package sqlite

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"

	"zombiezen.com/go/sqlite"

	"github.com/handbill/handbill/state"
)

// Open opens a state, and migrates an older format after a backup. A state of
// a newer format, a file that is no state, a directory and a network file
// system are refused, and left as they are.
func Open(ctx context.Context, o Options) (*Store, error) {
	o.Path = RealPath(o.Path)
	if err := checkPlace(o); err != nil {
		return nil, err
	}
	if err := checkHeader(o.Path, o.Version); err != nil {
		return nil, err
	}
	var s *Store
	err := settled(ctx, func() error {
		s = newStore(o)
		err := s.open(ctx)
		if err != nil {
			s.broken = errors.New("it was not opened")
			err = errors.Join(describe(err), s.Close())
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("opening the state %s: %w", o.Path, err)
	}
	return s, nil
}

// open examines the state, connects, migrates an older format, and checks the
// newest rows and the mark.
func (s *Store) open(ctx context.Context) error {
	if !s.opt.ReadOnly {
		var err error
		if s.opened, err = os.Stat(s.opt.Path); err != nil {
			return plainError(err)
		}
	}
	seen, err := s.examine()
	if err != nil || s.opt.ReadOnly {
		return err
	}
	if err := s.connectWriter(); err != nil {
		return err
	}
	s.commits, s.epoch = seen.commits, seen.epoch
	if err := s.there(); err != nil {
		return err
	}
	if seen.format < format {
		if err := s.migrate(ctx, seen.format); err != nil {
			return err
		}
	}
	if err := s.checkTail(); err != nil {
		return err
	}
	return s.checkMark(ctx, seen)
}

// examined is what a state looks like before anything is written to it.
type examined struct {
	progress      // how far it has come
	mark     mark // what the mark tells
	format   int  // of the file
}

// examine reads what a state is and how far it has come, and compares it with its
// journal and its mark. It writes nothing: once SQLite writes, it brings the
// journal into the file beside it, even when that is the wrong file.
func (s *Store) examine() (seen examined, err error) {
	file := untold
	if !s.opt.apart {
		// Both are read before the state itself, since others may go on writing.
		seen.mark, file = readMark(s.opt.Path), underJournal(s.opt.Path)
	}
	c, err := s.connectReader()
	// Where the directory cannot be written, SQLite cannot make the files that
	// processes share. Without a journal the file is complete, and is read as
	// one that nobody changes.
	if s.opt.ReadOnly && sqlite.ErrCode(err).ToPrimary() == sqlite.ResultCantOpen && !Exists(s.opt.Path+"-wal") {
		s.immutable = true
		c, err = s.connectReader()
	}
	if err != nil {
		if sqlite.ErrCode(err).ToPrimary() == sqlite.ResultCorrupt && file != untold && file.commits < seen.mark.Alone {
			err = errForeignJournal(s.opt.Path) // SQLite mixed the pages of two files
		}
		return seen, err
	}
	defer func() {
		if s.free(c); s.networked() { // there, one connection has the file alone
			err = errors.Join(err, s.dismiss())
		}
	}()
	if err := c.exec("BEGIN"); err != nil {
		return seen, err
	}
	version, _, err := c.queryInt("PRAGMA user_version")
	seen.format = int(version)
	switch {
	case err != nil:
		return seen, err
	case version > format: // its journal says so; the header of the file did not
		return seen, state.ErrFormat
	case version < format && s.opt.ReadOnly:
		return seen, fmt.Errorf("format %d is older than this handbill's %d; run handbill init to migrate it", version, format)
	}
	if err := s.identify(c); err != nil {
		return seen, err
	}
	if seen.progress, err = c.progress(); err != nil || s.opt.apart {
		return seen, err
	}
	s.astray = behind(seen.mark, seen.progress, s.lineage)
	return seen, checkJournal(s.opt.Path, file, seen.progress, seen.mark, s.lineage)
}

// identify reads the lineage, which is the key of all checksums, and checks its row.
func (s *Store) identify(c *conn) error {
	found := false
	err := c.each("SELECT * FROM meta", func(st *sqlite.Stmt) error {
		found = true
		lineage := st.ColumnText(1)
		key, err := hex.DecodeString(lineage)
		if err != nil || len(key) != 16 {
			return fmt.Errorf("%w: its lineage is %q", state.ErrDamaged, lineage)
		}
		s.setLineage(lineage, key)
		if _, ok := sumRow(&hasher{}, key, tMeta, st); !ok {
			return fmt.Errorf("%w: the row of its identity is not what was written", state.ErrDamaged)
		}
		return nil
	})
	if err == nil && !found {
		err = fmt.Errorf("%w: it has no identity", state.ErrDamaged)
	}
	return err
}

// tailRows is how many of the newest rows Open checks.
const tailRows = 200

// checkTail verifies the newest rows of three tables, where a crash would show.
func (s *Store) checkTail() error {
	var h hasher
	for _, tab := range [...]table{tAttempts, tOutcomes, tRuns} {
		query := fmt.Sprintf("SELECT * FROM %s ORDER BY id DESC LIMIT %d", tab, tailRows)
		err := s.writer.each(query, func(st *sqlite.Stmt) error {
			if _, ok := sumRow(&h, s.key, tab, st); !ok {
				return fmt.Errorf("%w: row %d of %s is not what was written", state.ErrDamaged, st.ColumnInt64(0), tab)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// connectWriter opens the one connection that writes.
func (s *Store) connectWriter() error {
	c, err := openConn(s.opt.Path, sqlite.OpenReadWrite, "")
	if err != nil {
		return err
	}
	s.writer = c
	if s.networked() {
		s.rollback = true
		return c.set(networkPragmas, pragmas)
	}
	return c.set(writePragmas, pragmas)
}

// networked reports whether the file is where processes cannot share memory.
func (s *Store) networked() bool { return s.opt.AllowNetwork && networkFS(s.opt.Path) != "" }

// connectReader opens a connection that reads.
func (s *Store) connectReader() (*conn, error) {
	query := ""
	if s.immutable {
		query = "immutable=1"
	}
	c, err := openConn(s.opt.Path, sqlite.OpenReadOnly, query)
	if err != nil {
		return nil, err
	}
	if err = c.set(pragmas); err == nil {
		_, _, err = c.queryInt("SELECT count(*) FROM sqlite_schema")
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}
