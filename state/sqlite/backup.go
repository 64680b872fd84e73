package sqlite

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

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
	tmp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // 0600, which VACUUM INTO keeps
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

// copyTo has SQLite write the copy: nobody else may read the file.
func (s *Store) copyTo(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c, err := s.connectReader()
	if err != nil {
		return err
	}
	c.SetInterrupt(ctx.Done())
	return errors.Join(c.exec("VACUUM INTO ?", name), c.Close())
}

func syncFile(name string) error {
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func removeIfThere(name string) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// AutoBackup backs the state up beside itself, and keeps the newest as
// Options.Backups says. Why is a word for the file's name, such as "apply". It
// returns the backup's path, "" when none are wanted.
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
		if strings.HasPrefix(e.Name(), base+".backup-") {
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

// Restore puts a backup in the place of the state at o.Path, which is kept
// beside as ".replaced". The backup is verified first. What was sent after it
// was made it does not know, so nothing is sent from it before Acknowledge.
// The caller holds the lock, and nobody has the state open.
func Restore(ctx context.Context, backup string, o Options) (err error) {
	o.Path = RealPath(o.Path)
	if err := checkPlace(o); err != nil {
		return err
	}
	if err := checkHeader(backup, o.Version); err != nil {
		return err
	}
	draft := o.Path + ".migrating"
	defer func() {
		err = errors.Join(err, removeIfThere(draft), removeIfThere(draft+"-wal"), removeIfThere(draft+"-shm"))
	}()
	from := o
	from.ReadOnly, from.copied = true, true
	if from.Path, err = currentFormat(ctx, backup, draft, o); err != nil {
		return fmt.Errorf("restoring the backup %s: %w", backup, err)
	}
	b, err := Open(ctx, from)
	if err != nil {
		return err
	}
	report, err := b.Verify(ctx)
	if err == nil && !report.OK() {
		err = fmt.Errorf("restoring the state: the backup %s: %w: %s", backup, state.ErrDamaged, report.Problems[0].What)
	}
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

// currentFormat is the path of a backup in the format of today: its own, or that
// of a copy in draft, for a backup is left as it is.
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
	o.Path, o.ReadOnly, o.Backups = draft, false, -1
	s, err := Open(ctx, o)
	if err != nil {
		return "", err
	}
	return draft, s.Close()
}

// copyBackup has SQLite write a copy that nobody else may read.
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

func haltRestored(ctx context.Context, fresh string, o Options) error {
	o.Path, o.ReadOnly = fresh, false
	s, err := Open(ctx, o)
	if err != nil {
		return err
	}
	err = s.write(ctx, func(t *tx) error {
		if err := t.changeMeta(func(m *metaRow) error {
			m.halt = "it was restored from a backup, and what was sent after that backup it does not know"
			return nil
		}); err != nil {
			return err
		}
		return t.decided("restore", "restored from a backup", "")
	})
	return errors.Join(err, s.Close())
}

// swap moves what is at path out of the way, journals included, and fresh in.
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
	var epoch int64
	err := s.write(ctx, func(t *tx) error {
		mark, _ := s.readMark() // without a mark there is nothing to overtake
		if err := t.changeMeta(func(m *metaRow) error {
			m.halt = ""
			m.epoch = max(m.epoch, mark.Epoch)
			epoch = m.epoch
			return nil
		}); err != nil {
			return err
		}
		return t.decided(who, "acknowledged that the state is older than what was sent", why)
	})
	if err != nil {
		return fmt.Errorf("acknowledging: %w", err)
	}
	return s.writeMark(epoch)
}

// mark is the high-water mark of a state, kept in a second file: a state with a
// lower epoch was put back behind our back.
type mark struct {
	Lineage string `json:"lineage"`
	Epoch   int64  `json:"epoch"`
}

func (s *Store) markPath() string { return s.opt.Path + ".mark" }

func (s *Store) readMark() (mark, error) {
	var m mark
	data, err := os.ReadFile(s.markPath())
	if err != nil {
		return m, err
	}
	return m, json.Unmarshal(data, &m)
}

func (s *Store) writeMark(epoch int64) error {
	data, err := json.Marshal(mark{s.lineage, epoch})
	if err == nil {
		err = replaceFile(s.markPath(), append(data, '\n'))
	}
	if err != nil {
		return fmt.Errorf("marking how far the state is: %w", err)
	}
	return nil
}

// Gone is an error when there is no state at path although messages were sent
// from one, as its mark tells: with a new one everybody would be sent to again.
func Gone(path string) error {
	if Exists(path) {
		return nil
	}
	s := Store{opt: Options{Path: path}}
	m, err := s.readMark()
	if err != nil || m.Epoch == 0 { // a mark that cannot be read marks nothing
		return nil
	}
	times := "once"
	if m.Epoch > 1 {
		times = fmt.Sprintf("%d times", m.Epoch)
	}
	return fmt.Errorf("there is no state at %[1]s, and its mark beside it tells that an apply was begun on it %[2]s: with a new state everybody would be sent to again. "+
		"Put it back, or a backup of it (\"handbill state restore FILE\"; the automatic ones lie beside it). To begin anew all the same, remove %[1]s.mark", path, times)
}

// checkMark halts a state that is older than its mark. A mark that cannot be
// read marks nothing.
func (s *Store) checkMark(ctx context.Context) error {
	m, err := s.readMark()
	if err != nil || m.Lineage != s.lineage {
		return nil
	}
	epoch, halted := int64(0), false
	err = s.writer.each("SELECT epoch, halt FROM meta", func(st *sqlite.Stmt) error {
		epoch, halted = st.ColumnInt64(0), st.ColumnText(1) != ""
		return nil
	})
	if err != nil || epoch >= m.Epoch || halted {
		return err
	}
	return s.write(ctx, func(t *tx) error {
		why := fmt.Sprintf("it is older than what was sent from it: %d applies, and %d were made", epoch, m.Epoch)
		if err := t.find(state.FindingRollback, 0, why); err != nil {
			return err
		}
		return t.changeMeta(func(m *metaRow) error { m.halt = why; return nil })
	})
}
