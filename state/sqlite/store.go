package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync/atomic"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/state/packed"
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
	*state.ForwardQueue // one server has a state in a file for itself

	opt       Options
	key       []byte      // of the row checksums: the lineage
	lineage   string      // hexadecimal
	refHead   string      // how its references begin
	immutable bool        // the file is read as one that nobody changes
	opened    os.FileInfo // the file, of a state that is open for writing
	astray    string      // why it is not the one that its mark tells of; of a state that is read

	turn    chan struct{} // holds the writer's turn
	writer  *conn         // nil for a state that is read, and after Close
	broken  error         // why nothing is written any more; nil while it works
	readers chan *conn    // idle ones, in a read transaction of nobody

	// How far it has come, as this process knows, and whether file and mark know
	// it too; see progressRow. Held with the turn.
	commits, epoch int64
	rollback       bool                        // its journal is none that stays
	journaled      bool                        // the file tells that it has a journal
	journal        atomic.Pointer[os.FileInfo] // that one; read without the turn
	mark           marker                      // the high-water mark beside the file
	alone          alone                       // its file without the journal

	// Caches of the writer, valid for dataVersion.
	dataVersion int64                // rises when another process writes; see PRAGMA data_version
	ids         map[string]int64     // addresses
	lanes       map[state.Lane]int64 // those of open runs and of replies, and the number's address
	recent      recent               // of the writer, valid for any
	slots       map[string]ownSlots  // as this process wrote them

	inbox     appender    // webhooks on their way into a commit
	blockSize packed.Size // smaller in tests
}

// readerPool is how many idle read connections are kept.
const readerPool = 4

// Exists reports whether there is something at path.
func Exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil || !errors.Is(err, fs.ErrNotExist)
}

// setLineage sets the identity and what follows from it: the key of checksums
// and the head of references.
func (s *Store) setLineage(lineage string, key []byte) {
	s.lineage, s.key, s.refHead = lineage, key, refHead(lineage)
}

// newStore is a store that is not connected yet.
func newStore(o Options) *Store {
	s := &Store{opt: o, turn: make(chan struct{}, 1), readers: make(chan *conn, readerPool),
		ids: map[string]int64{}, lanes: map[state.Lane]int64{}, slots: map[string]ownSlots{}, blockSize: packed.Usual}
	s.ForwardQueue = state.NewForwardQueue(s, o.Clock)
	return s
}

// Close brings everything from the journal into the file, where no other
// process has it open, and closes it.
func (s *Store) Close() error {
	errs := []error{s.dismiss()}
	there := s.there()
	if s.writer != nil && there != nil && !errors.Is(there, ErrJournal) {
		// When SQLite closes, it writes the journal into the file and removes it by
		// its path. One of the two belongs to another file by now, so the connection
		// is left to the end of the process.
		s.writer = nil
		s.broken = errors.New("it is closed")
	}
	if s.writer != nil {
		s.turn <- struct{}{}
		// Without a note that the file holds everything, the journal has to stay: a
		// file that has none and does not say so looks like one that was copied alone.
		// When the last connection closes, SQLite removes the journal, so this one is
		// left to the end of the process.
		leave := there == nil && s.broken != nil && s.journals()
		if there == nil && s.broken == nil {
			// Another program may hold the file. Nothing is lost by that.
			if err := s.settle(); err != nil && sqlite.ErrCode(err).ToPrimary() != sqlite.ResultBusy {
				errs = append(errs, err)
				leave = true
			}
		}
		if !leave {
			errs = append(errs, s.writer.Close())
		}
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

// acquire waits for the turn to write. One write at a time keeps SQLite from
// returning SQLITE_BUSY among goroutines of this process.
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

// release gives the turn to the next.
func (s *Store) release() { <-s.turn }

// refreshCaches empties the caches when another process has written.
func (s *Store) refreshCaches(c *conn) error {
	v, _, err := c.queryInt("PRAGMA data_version")
	if err != nil {
		return err
	}
	if v != s.dataVersion {
		s.forgetCaches()
		s.dataVersion = v
	}
	return nil
}

// forgetCaches drops what the writer remembers of rows.
func (s *Store) forgetCaches() {
	clear(s.ids)
	clear(s.lanes)
}
