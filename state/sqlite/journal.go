package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"zombiezen.com/go/sqlite"
)

// progressRow is a row of the ledger that belongs to no table. Its column rows
// counts the transactions that changed something. Its column acc is 0 when the
// file was closed with everything in it; otherwise it is the number of the
// transaction since which the journal may hold a part.
//
// The first transaction of a new journal writes this row into the file itself.
// By comparing the row in the file with the row that SQLite reads through the
// journal, a file without its journal is recognised, and a journal beside
// another file.
const progressRow = -1

// progress is how far a state has come.
type progress struct {
	commits, since int64 // see progressRow
	epoch          int64 // how many applies were begun
	halted         bool  // nothing is sent from it
}

// progress reads how far the state has come, as the connection sees it. It is zero
// for a state that was last written before there was such a row.
func (c *conn) progress() (p progress, err error) {
	err = c.each("SELECT rows, acc FROM ledger WHERE id = ?", func(st *sqlite.Stmt) error {
		p.commits, p.since = st.ColumnInt64(0), st.ColumnInt64(1)
		return nil
	}, progressRow)
	if err != nil {
		return p, err
	}
	return p, c.each("SELECT epoch, halt FROM meta", func(st *sqlite.Stmt) error {
		p.epoch, p.halted = st.ColumnInt64(0), st.ColumnText(1) != ""
		return nil
	})
}

// advance counts a transaction that changed something.
func (t *tx) advance() (err error) {
	first, since := 0, "0"
	if t.s.journals() {
		first, since = 1, sinceWhen
	}
	err = t.c.each("INSERT INTO ledger (id, rows, acc) VALUES (?1, 1, ?2) ON CONFLICT (id) DO UPDATE SET rows = rows + 1, acc = "+since+" RETURNING rows, acc", func(st *sqlite.Stmt) error {
		t.commits = st.ColumnInt64(0)
		if st.ColumnInt64(1) == t.commits {
			t.s.journaled = false // another process had closed the file with everything in it
		}
		return nil
	}, progressRow, first)
	if err == nil && t.commits <= t.s.commits {
		err = fmt.Errorf("the state went back from change %d to %d while it was open: %w", t.s.commits, t.commits-1, ErrMoved)
	}
	return err
}

// sinceWhen is the new value of acc in a transaction: it stays, or is this
// transaction where it was 0.
const sinceWhen = "CASE acc WHEN 0 THEN rows + 1 ELSE acc END"

// overtake raises the count of transactions to that of another copy of this state,
// so that this one does not look older than its mark.
func (t *tx) overtake(commits int64) error {
	t.s.journaled = false
	return t.c.exec("UPDATE ledger SET acc = "+sinceWhen+", rows = max(rows, ?2) WHERE id = ?1", progressRow, commits)
}

// journals reports whether commits go to a journal that stays when the process
// ends (SQLite's write-ahead log). On network file systems they do not.
func (s *Store) journals() bool { return !s.opt.apart && !s.rollback }

// told notes a committed transaction where a later process looks for it: in the
// file itself, when the journal is new, and in the mark.
func (s *Store) told(t *tx) error {
	s.commits, s.epoch = t.commits, max(s.epoch, t.epoch)
	if s.journals() && !s.journaled {
		// A reader in another process, or the disk, may prevent this now. The next
		// transaction tries again.
		if s.journaled, _ = s.writer.checkpoint(); s.journaled {
			s.alone.has(t.commits)
		}
		if info, err := os.Stat(s.opt.Path + "-wal"); err == nil {
			s.journal.Store(&info)
		}
	}
	return s.marked(t.commits)
}

// checkpoint writes what is in the journal into the file, as far as readers let
// it; whole reports whether that was everything.
func (c *conn) checkpoint() (whole bool, err error) {
	err = c.each("PRAGMA wal_checkpoint(PASSIVE)", func(st *sqlite.Stmt) error {
		whole = st.ColumnInt64(0) == 0 && st.ColumnInt64(1) == st.ColumnInt64(2)
		return nil
	})
	return whole, err
}

// closeTime is how long Close waits for other writers.
const closeTime = time.Second

// settle notes in the file that it holds everything, if it does and no other
// process writes. Close calls it.
func (s *Store) settle() error {
	c := s.writer
	before, err := c.progress()
	if err != nil || before.since == 0 {
		return err
	}
	whole, err := c.checkpoint()
	if err != nil || !whole {
		return err
	}
	c.SetBusyTimeout(closeTime)
	if err := c.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	after, err := c.progress()
	if err == nil && after == before {
		err = c.exec("UPDATE ledger SET acc = 0 WHERE id = ?", progressRow)
	}
	if err != nil {
		return errors.Join(err, c.exec("ROLLBACK"))
	}
	if err := c.exec("COMMIT"); err != nil {
		return err
	}
	_, err = c.checkpoint()
	return err
}

// emptyJournal is the size in bytes up to which a journal holds nothing: the
// headers of the journal and of one page.
// Source: https://www.sqlite.org/fileformat2.html#walformat, read 2026-11.
const emptyJournal = 32 + 24

// hasJournal reports whether something stands in the journal beside a file.
func hasJournal(path string) bool {
	info, err := os.Stat(path + "-wal")
	return err == nil && info.Size() > emptyJournal
}

// underJournal reads how far the file alone has come, without the journal beside
// it; untold where there is no journal, or the file alone cannot be read.
func underJournal(path string) progress {
	if !hasJournal(path) {
		return untold
	}
	p, err := inFile(path)
	if err != nil {
		return untold
	}
	return p
}

// untold is the progress of a file that cannot be read alone: one that only a
// part of the journal was brought into, before a kill or on a full disk.
var untold = progress{commits: -1}

// belongs reports whether a file with this progress is the one that its journal
// continues, where both together make whole. The mark knows how much the file has
// held alone. It says nothing where whole is older than the mark: then the state
// was put back before this journal began.
func (file progress) belongs(whole progress, m mark) bool {
	switch {
	case file == untold || file.commits == 0:
		return true
	case file.commits < m.Alone && m.Commits <= whole.commits:
		return false
	case whole.since == 0:
		return file.commits == whole.commits
	}
	return file.since == whole.since || file.commits == whole.since-1
}

// checkJournal refuses a file whose journal is gone, or is another file's. Nothing
// is written, since the missing part may still be found.
func checkJournal(path string, file, whole progress, m mark, lineage string) error {
	if m.Lineage != lineage {
		m = mark{}
	}
	switch {
	case !file.belongs(whole, m):
		return errForeignJournal(path)
	case whole.since == 0 || hasJournal(path):
		return nil
	case 0 < m.Commits && m.Commits <= whole.commits:
		return nil // another program has written the journal into the file
	}
	return fmt.Errorf("its journal %[1]s-wal is gone: %[2]w. "+
		"Put the journal back beside the file. If it is lost, take a backup (\"handbill state restore FILE\"; the automatic ones lie beside the state), or go on with what the file holds as with a restored one: \"handbill state restore %[1]s\"", path, ErrJournal)
}

// errForeignJournal says that file and journal do not belong together.
func errForeignJournal(path string) error {
	return fmt.Errorf("the journal %[1]s-wal does not continue the file that lies beside it: %[2]w. "+
		"It looks as if a copy was put in the file's place while the journal was left there. Put the file of that journal back; or take the journal away, and go on with the file as a restored one: \"handbill state restore %[1]s\"", path, ErrJournal)
}

// settled tries an opening again that found file and journal apart: another
// process may have changed them while they were read.
func settled(ctx context.Context, try func() error) error {
	const tries = 4
	var err error
	for n := range tries {
		if err = try(); !errors.Is(err, ErrJournal) {
			return err
		}
		if n == tries-1 {
			break
		}
		select {
		case <-time.After(20 * time.Millisecond << n):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return err
}
