// Package sqlite keeps a state in one SQLite file: what was sent, to whom and
// what came of it. It also has what goes with a file: its lock, its backups, its
// mark, and the checks of where it lies.
//
// Nothing outside this package sees SQL. See package state for what is kept and
// docs/delivery.md for the rules.
package sqlite

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// Options say which state is opened and how.
type Options struct {
	Path     string // of the file
	ReadOnly bool
	// Clock tells the time; required.
	Clock func() time.Time
	// Rand is where the lineage of a new state comes from; required by Create.
	Rand io.Reader
	// Version is handbill's, for messages.
	Version string
	// AllowNetwork opens a state on a network file system, by one process at a
	// time and more slowly.
	AllowNetwork bool
	// Wish reads what a person's message says about being written to. It is
	// asked when the message is joined, in the same transaction: an opt-out
	// waits for no rule and no answer. Nil heeds no words.
	Wish func(ev *message.Event, at time.Time) state.Wish
	// Backups is how many automatic backups are kept; 0 for 10, -1 for none.
	Backups int

	// Lineage lets Restore take a backup of another state: it is how the lineage
	// of that one begins, in eight hexadecimal digits.
	Lineage string

	// apart says that the file is not in use as a state: a backup or a draft. It
	// may have several names and has no mark.
	apart bool
}

// applicationID marks a SQLite file as a handbill state: "hbst".
const applicationID = 0x68627374

var _ state.Store = (*Store)(nil)

// Store is an open state. It is safe for concurrent use. One process opens a
// file once.
type Store struct {
	opt       Options
	key       []byte // of the row checksums: the lineage
	lineage   string
	refHead   string // how its references begin
	immutable bool
	opened    os.FileInfo // the file, of a state that is open for writing
	astray    string      // why it is not the one that its mark tells of; of a state that is read

	turn    chan struct{} // holds the writer's turn
	writer  *conn
	broken  error
	readers chan *conn

	// How far it has come, as this process knows, and whether file and mark know
	// it too; see progressRow. Held with the turn.
	commits, epoch int64
	rollback       bool                        // its journal is none that stays
	journaled      bool                        // the file tells that it has a journal
	journal        atomic.Pointer[os.FileInfo] // that one; read without the turn
	mark           marker
	alone          alone // its file without the journal

	// Caches of the writer, valid for dataVersion.
	dataVersion int64
	ids         map[string]int64     // addresses
	lanes       map[state.Lane]int64 // those of open runs and of replies, and the number's address
	recent      recent               // of the writer, valid for any
	slots       map[string]ownSlots

	inbox  appender
	sheets sheetSize
}

// readerPool is how many idle read connections are kept.
const readerPool = 4

// Exists reports whether there is something at path.
func Exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil || !errors.Is(err, fs.ErrNotExist)
}

// Create makes a new state and mints its lineage. It is an error when there is
// a file already, or was one that messages were sent from.
func Create(ctx context.Context, o Options) (*Store, error) {
	o.Path = RealPath(o.Path)
	if err := checkPlace(o); err != nil {
		return nil, err
	}
	if err := Gone(o.Path); err != nil {
		return nil, err
	}
	var raw [16]byte
	if _, err := io.ReadFull(o.Rand, raw[:]); err != nil {
		return nil, fmt.Errorf("minting the lineage of a new state: %w", err)
	}
	// It is made beside and then given its name in one step, with everything in
	// the one file: a state that a crash left half made would be no state.
	if Exists(o.Path) {
		return nil, fmt.Errorf("creating the state %s: %w", o.Path, fs.ErrExist)
	}
	draft, err := makeDraft(ctx, o, raw)
	if err == nil {
		err = publish(draft, o.Path)
	}
	if err != nil {
		return nil, fmt.Errorf("creating the state %s: %w", o.Path, err)
	}
	return Open(ctx, o)
}

// makeDraft makes a whole state in a file of another name.
func makeDraft(ctx context.Context, o Options, lineage [16]byte) (path string, err error) {
	// SQLite takes the mode of its journals from the file.
	f, err := os.CreateTemp(filepath.Dir(o.Path), draftPrefix(o.Path)+"*")
	if err != nil {
		var where *fs.PathError // names the draft, which nobody knows
		if errors.As(err, &where) {
			err = where.Err
		}
		return "", err
	}
	path = f.Name()
	o.Path, o.apart = path, true
	s := newStore(o)
	s.setLineage(hex.EncodeToString(lineage[:]), lineage[:])
	err = f.Close()
	if err == nil {
		err = s.initialise(ctx)
	}
	if err = errors.Join(err, s.Close()); err != nil {
		return "", errors.Join(err, os.Remove(path))
	}
	return path, nil
}

// publish gives a file its name, unless there is another of that name by now.
func publish(draft, path string) error {
	err := os.Link(draft, path)
	if err != nil && !errors.Is(err, fs.ErrExist) { // a file system without links
		return errors.Join(os.Rename(draft, path), syncDir(filepath.Dir(path)))
	}
	// An opening that found the new state first may have removed the draft.
	return errors.Join(err, removeIfThere(draft), syncDir(filepath.Dir(path)))
}

func (s *Store) setLineage(lineage string, key []byte) {
	s.lineage, s.key, s.refHead = lineage, key, refHead(lineage)
}

func newStore(o Options) *Store {
	return &Store{opt: o, turn: make(chan struct{}, 1), readers: make(chan *conn, readerPool),
		ids: map[string]int64{}, lanes: map[state.Lane]int64{}, slots: map[string]ownSlots{}, sheets: wholeSheets}
}

func (s *Store) initialise(ctx context.Context) error {
	if err := s.connectWriter(); err != nil {
		return err
	}
	return s.write(ctx, func(t *tx) error {
		for version := 1; version <= format; version++ {
			if err := t.c.migrate(version); err != nil {
				return err
			}
		}
		w := t.insert(tMeta, 1)
		w.text(s.lineage)
		w.int(0)
		w.int(0)
		w.int(0)
		w.int(t.now)
		w.null()
		_, err := w.done()
		return err
	})
}

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
	progress
	mark   mark
	format int
}

// examine reads what a state is and how far it has come, and compares it with
// its journal and its mark. It writes nothing: SQLite would write a journal into
// the file that lies beside it, whichever that is.
func (s *Store) examine() (seen examined, err error) {
	file := untold
	if !s.opt.apart {
		// Both before the state itself, since others may go on writing.
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
			err = errForeignJournal(s.opt.Path) // pages of two files
		}
		return seen, err
	}
	defer func() {
		if s.free(c); s.networked() { // where one process has the file alone, one connection has
			err = errors.Join(err, s.dismiss())
		}
	}()
	if err := c.exec("BEGIN"); err != nil {
		return seen, err
	}
	version, _, err := c.one("PRAGMA user_version")
	seen.format = int(version)
	switch {
	case err != nil:
		return seen, err
	case version > format: // newer than the file's header told: its journal says so
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

// identify reads the lineage, which is the key of every checksum.
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

// checkTail verifies the newest rows of the ledger, where a crash would show.
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

// connectReader opens a read connection.
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
		_, _, err = c.one("SELECT count(*) FROM sqlite_schema")
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// Close writes everything into the one file and closes it.
func (s *Store) Close() error {
	errs := []error{s.dismiss()}
	there := s.there()
	if s.writer != nil && there != nil && !errors.Is(there, ErrJournal) {
		// SQLite writes the journal into the file and removes it by its path when it
		// closes, and one of them belongs to another file by now. The process's end
		// closes this one.
		s.writer = nil
		s.broken = errors.New("it is closed")
	}
	if s.writer != nil {
		s.turn <- struct{}{}
		// Another program may hold the file; nothing is lost by that.
		if s.broken == nil && there == nil {
			if err := s.settle(); sqlite.ErrCode(err).ToPrimary() != sqlite.ResultBusy {
				errs = append(errs, err)
			}
		}
		errs = append(errs, s.writer.Close())
		s.writer = nil
		s.broken = errors.New("it is closed")
		<-s.turn
	}
	errs = append(errs, s.mark.close())
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("closing the state %s: %w", s.opt.Path, err)
	}
	return nil
}

// dismiss closes the idle read connections.
func (s *Store) dismiss() error {
	var errs []error
	for {
		select {
		case c := <-s.readers:
			errs = append(errs, c.Close())
		default:
			return errors.Join(errs...)
		}
	}
}

func (s *Store) acquire(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case s.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Store) release() { <-s.turn }

// refreshCaches empties the caches when another process has written.
func (s *Store) refreshCaches(c *conn) error {
	v, _, err := c.one("PRAGMA data_version")
	if err != nil {
		return err
	}
	if v != s.dataVersion {
		s.forgetCaches()
		s.dataVersion = v
	}
	return nil
}

func (s *Store) forgetCaches() {
	clear(s.ids)
	clear(s.lanes)
}

// Meta is the identity of the state.
func (s *Store) Meta(ctx context.Context) (state.Meta, error) {
	var m state.Meta
	err := s.read(ctx, func(c *conn) (err error) {
		m, err = c.meta()
		return err
	})
	return m, err
}

func (c *conn) meta() (state.Meta, error) {
	m := state.Meta{}
	version, _, err := c.one("PRAGMA user_version")
	if err != nil {
		return m, err
	}
	m.Format = int(version)
	return m, c.each("SELECT lineage, serial, epoch FROM meta", func(st *sqlite.Stmt) error {
		m.Lineage, m.Serial, m.Epoch = st.ColumnText(0), st.ColumnInt64(1), st.ColumnInt64(2)
		return nil
	})
}

// metaRow is the whole row of meta, for those who change it.
type metaRow struct {
	lineage                           string
	serial, epoch, recovered, created int64
	halt                              string
}

// changeMeta reads, changes and writes the row of meta.
func (t *tx) changeMeta(change func(*metaRow) error) error {
	var m metaRow
	defer func() { t.epoch = max(t.epoch, m.epoch) }()
	err := t.c.each("SELECT lineage, serial, epoch, recovered, created, halt FROM meta", func(st *sqlite.Stmt) error {
		m = metaRow{st.ColumnText(0), st.ColumnInt64(1), st.ColumnInt64(2), st.ColumnInt64(3), st.ColumnInt64(4), st.ColumnText(5)}
		return nil
	})
	if err != nil {
		return err
	}
	if err := change(&m); err != nil {
		return err
	}
	w := t.replace(tMeta, 1)
	w.text(m.lineage)
	w.int(m.serial)
	w.int(m.epoch)
	w.int(m.recovered)
	w.int(m.created)
	w.maybeText(m.halt)
	_, err = w.done()
	return err
}

// decided raises the serial and writes down who decided what.
func (t *tx) decided(who, what, why string) error {
	if err := t.changeMeta(func(m *metaRow) error { m.serial++; return nil }); err != nil {
		return err
	}
	return t.note(who, what, why)
}

// note writes down who decided what, where the serial rises by other means.
func (t *tx) note(who, what, why string) error {
	w := t.insert(tDecisions, 0)
	w.int(t.now)
	w.text(who)
	w.text(what)
	w.text(why)
	_, err := w.done()
	return err
}
