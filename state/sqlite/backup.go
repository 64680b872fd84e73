package sqlite

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/handbill/handbill/state"
)

// defaultBackups is how many automatic backups are kept.
const defaultBackups = 10

// Backup writes a copy of the state to a new file at path.
func (s *Store) Backup(ctx context.Context, path string) error {
	if Exists(path) {
		return fmt.Errorf("backing up the state: there is something at %s already", path)
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // 0600, which VACUUM INTO keeps
	if err != nil {
		return fmt.Errorf("backing up the state: %w", err)
	}
	name := tmp.Name()
	err = tmp.Close()
	if err == nil {
		err = s.copyTo(ctx, name)
	}
	if err == nil {
		err = syncFile(name)
	}
	if err == nil {
		err = os.Rename(name, path)
	}
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("backing up the state to %s: %w", path, err), removeIfThere(name))
	}
	return nil
}

// copyTo has SQLite write the copy. The copy is whole and has no free pages, and
// its mode, 0600, is that of the empty file that was made for it.
func (s *Store) copyTo(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c, err := s.connectReader()
	if err != nil {
		return err
	}
	c.SetInterrupt(ctx.Done())
	if err := errors.Join(c.exec("VACUUM INTO ?", name), c.Close()); err != nil {
		return err
	}
	return detach(name)
}

// detach notes in a copy that it is whole, so that nobody misses a journal beside
// it; see progressRow.
func detach(name string) error {
	c, err := openConn(name, sqlite.OpenReadWrite, "")
	if err != nil {
		return err
	}
	err = c.set([]string{"PRAGMA journal_mode = OFF"})
	if err == nil {
		err = c.exec("UPDATE ledger SET acc = 0 WHERE id = ?", progressRow)
	}
	return errors.Join(err, c.Close())
}

// syncFile makes what was written to a file durable.
func syncFile(name string) error {
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// removeIfThere removes a file; one that is not there is no error.
func removeIfThere(name string) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// AutoBackup makes a backup beside the state, and removes the oldest beyond the
// number in Options.Backups. Why is a word for the file's name, such as "apply".
// It returns the backup's path, "" when none are wanted.
func (s *Store) AutoBackup(ctx context.Context, why string) (string, error) {
	keep := s.opt.Backups
	if keep == 0 {
		keep = defaultBackups
	}
	if keep < 0 {
		return "", nil
	}
	stamp := s.opt.Clock().UTC().Format("20060102T150405.000")
	path := fmt.Sprintf("%s.backup-%s-%s", s.opt.Path, stamp, why)
	for n := 2; Exists(path); n++ { // a clock that was set back, or two in one millisecond
		path = fmt.Sprintf("%s.backup-%s-%s-%d", s.opt.Path, stamp, why, n)
	}
	if err := s.Backup(ctx, path); err != nil {
		return "", err
	}
	return path, s.pruneBackups(keep)
}

// pruneBackups removes the oldest backups; their names sort by time.
func (s *Store) pruneBackups(keep int) error {
	dir, base := filepath.Dir(s.opt.Path), filepath.Base(s.opt.Path)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("looking for old backups: %w", err)
	}
	var names []string
	for _, e := range entries {
		whole := strings.HasPrefix(e.Name(), base+".backup-")
		switch {
		case strings.HasPrefix(e.Name(), "."+base+".backup-"), whole && endsInRandom.MatchString(e.Name()):
			if err := s.removeLeftover(e); err != nil {
				return fmt.Errorf("removing the rest of a backup: %w", err)
			}
		case whole:
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	for len(names) > keep {
		if err := os.Remove(filepath.Join(dir, names[0])); err != nil {
			return fmt.Errorf("removing an old backup: %w", err)
		}
		names = names[1:]
	}
	return nil
}

// endsInRandom are the names that earlier versions gave to backups that they
// were about to write.
var endsInRandom = regexp.MustCompile(`\.[0-9]+$`)

// leftoverAge is how old an unfinished backup must be before it counts as left
// over. A younger one may still be written by another process.
const leftoverAge = time.Hour

// removeLeftover removes the unfinished backup of a process that was killed.
func (s *Store) removeLeftover(e fs.DirEntry) error {
	info, err := e.Info()
	if errors.Is(err, fs.ErrNotExist) || err == nil && s.opt.Clock().Sub(info.ModTime()) < leftoverAge {
		return nil
	}
	if err != nil {
		return err
	}
	return removeIfThere(filepath.Join(filepath.Dir(s.opt.Path), e.Name()))
}

// Restore puts a backup in the place of the state at o.Path, and keeps that one
// beside it as ".replaced". It verifies the backup first. The restored state is
// halted until Acknowledge, since it does not know what was sent after the backup
// was made. A backup of another state is refused with a *state.OtherStateError,
// unless Options.Lineage names it. The caller holds the lock, and no process has
// the state open.
func Restore(ctx context.Context, backup string, o Options) (err error) {
	o.Path = RealPath(o.Path)
	if err := checkPlace(o); err != nil {
		return err
	}
	if err := checkHeader(backup, o.Version); err != nil {
		return err
	}
	if err := checkBackup(ctx, backup, o); err != nil {
		return err
	}
	draft := o.Path + ".migrating"
	defer func() {
		err = errors.Join(err, removeIfThere(draft), removeIfThere(draft+"-wal"), removeIfThere(draft+"-shm"))
	}()
	// Open the backup for reading, in the newest format, and check all of it.
	from := o
	from.ReadOnly, from.apart = true, true
	if from.Path, err = currentFormat(ctx, backup, draft, o); err != nil {
		return fmt.Errorf("restoring the backup %s: %w", backup, err)
	}
	b, err := Open(ctx, from)
	if err != nil {
		return err
	}
	err = checkLineage(b.lineage, o)
	var report Report
	if err == nil {
		report, err = b.Verify(ctx)
	}
	if err == nil && !report.OK() {
		err = fmt.Errorf("restoring the state: the backup %s: %w: %s", backup, state.ErrDamaged, report.Problems[0].What)
	}
	// Write the copy that will be the state, halt it, and only then touch the
	// state at the path.
	fresh := o.Path + ".restoring"
	if err == nil {
		err = errors.Join(removeIfThere(fresh), b.Backup(ctx, fresh))
	}
	if err := errors.Join(err, b.Close()); err != nil {
		return err
	}
	if err := haltRestored(ctx, fresh, o); err != nil {
		return errors.Join(err, removeIfThere(fresh))
	}
	return swap(fresh, o.Path)
}

// checkBackup refuses a backup beside which another file's journal lies: SQLite
// would mix the two.
func checkBackup(ctx context.Context, backup string, o Options) error {
	if !hasJournal(backup) {
		return nil
	}
	o.Path, o.ReadOnly = backup, true
	s, err := Open(ctx, o)
	if err == nil {
		return s.Close()
	}
	if errors.Is(err, ErrJournal) {
		return err
	}
	return nil // other faults show when it is opened as a backup
}

// lineageNamed is how many digits of a lineage people see and type.
const lineageNamed = 8

// checkLineage refuses the lineage of another state than the one at the path.
func checkLineage(backup string, o Options) error {
	here := lineageAt(o.Path)
	if here == "" || here == backup || o.Lineage == backup[:lineageNamed] {
		return nil
	}
	return &state.OtherStateError{Backup: backup[:lineageNamed], Here: here[:lineageNamed]}
}

// lineageAt reads the lineage of the state at a path, or of its mark where the
// state cannot be read; "" for none.
func lineageAt(path string) (lineage string) {
	query := ""
	if !hasJournal(path) {
		query = "immutable=1" // leaves nothing beside it
	}
	c, err := openConn(path, sqlite.OpenReadOnly, query)
	if err == nil {
		err = c.each("SELECT lineage FROM meta", func(st *sqlite.Stmt) error {
			lineage = st.ColumnText(0)
			return nil
		})
		err = errors.Join(err, c.Close())
	}
	if err != nil || len(lineage) < lineageNamed {
		lineage = readMark(path).Lineage
	}
	if len(lineage) < lineageNamed {
		return ""
	}
	return lineage
}

// currentFormat returns the path of the backup in the newest format. A backup of
// an older format is copied to draft and migrated there, so that the backup
// itself stays as it is.
func currentFormat(ctx context.Context, backup, draft string, o Options) (path string, err error) {
	head := make([]byte, 100)
	f, err := os.Open(backup)
	if err != nil {
		return "", err
	}
	_, err = io.ReadFull(f, head)
	if err = errors.Join(err, f.Close()); err != nil || binary.BigEndian.Uint32(head[60:]) >= format {
		return backup, err
	}
	if err := copyBackup(backup, draft); err != nil {
		return "", describe(err)
	}
	o.Path, o.apart, o.Backups = draft, true, -1
	s, err := Open(ctx, o)
	if err != nil {
		return "", err
	}
	return draft, s.Close()
}

// copyBackup has SQLite copy a backup to a file that only this user may read.
func copyBackup(backup, path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	query := ""
	if !Exists(backup + "-wal") {
		query = "immutable=1" // its directory may be one that nobody can write
	}
	c, err := openConn(backup, sqlite.OpenReadOnly, query)
	if err != nil {
		return err
	}
	return errors.Join(c.exec("VACUUM INTO ?", path), c.Close())
}

// haltRestored halts a state that is about to take the place of another: it
// does not know what was sent after the backup was made.
func haltRestored(ctx context.Context, fresh string, o Options) error {
	o.Path, o.apart = fresh, true
	s, err := Open(ctx, o)
	if err != nil {
		return err
	}
	err = s.write(ctx, func(t *tx) error {
		if err := t.changeMeta(func(m *metaRow) error {
			m.halt = "it was restored from a backup, and does not know what was sent after that backup"
			return nil
		}); err != nil {
			return err
		}
		return t.decided("restore", "restored from a backup", "")
	})
	return errors.Join(err, s.Close())
}

// swap renames the state at path and its journals to ".replaced", and fresh to
// path. A crash between the two leaves no state, which the mark tells (Gone).
func swap(fresh, path string) error {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Rename(path+suffix, path+".replaced"+suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("restoring the state: %w", err)
		}
	}
	if err := errors.Join(os.Rename(fresh, path), syncDir(filepath.Dir(path))); err != nil {
		return fmt.Errorf("restoring the state: %w", err)
	}
	return nil
}

// Acknowledge lifts the halt of a state that was restored or rolled back.
func (s *Store) Acknowledge(ctx context.Context, who, why string) error {
	err := s.write(ctx, func(t *tx) error {
		was := readMark(s.opt.Path)
		if was.Lineage != s.lineage {
			was = mark{} // of another state: from now on this one is compared with itself
		}
		if err := t.changeMeta(func(m *metaRow) error {
			m.halt = ""
			m.epoch = max(m.epoch, was.Epoch)
			return nil
		}); err != nil {
			return err
		}
		if err := t.overtake(was.Commits); err != nil {
			return err
		}
		return t.decided(who, "acknowledged that the state is older than what was sent", why)
	})
	if err != nil {
		return fmt.Errorf("acknowledging: %w", err)
	}
	return s.mark.change(s.opt.Path, func(mark) mark { return mark{s.lineage, s.epoch, s.commits, s.alone.holds()} })
}
