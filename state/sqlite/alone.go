package sqlite

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"zombiezen.com/go/sqlite"
)

// alone is what a process that writes a state knows of its file without the
// journal. Only what stands in the journal is ever brought into the file, so it
// never holds less than before: when it does, a copy was written over it. The
// journal would then be laid over pages that it does not fit, and what was in
// the file and no more in the journal is lost.
type alone struct {
	mu      sync.Mutex
	changed time.Time // when it was written last, as its file system says
	size    int64
	commits int64 // transactions that it holds at least
	lost    error // why nothing is written any more
}

// errMixed says that a file cannot be read alone: only a part of the journal was
// brought into it, since it is being written, or before a kill or on a full disk.
var errMixed = errors.New("it cannot be read without its journal")

// inFile is how far the file alone has come, without the journal beside it.
func inFile(path string) (progress, error) {
	c, err := openConn(path, sqlite.OpenReadOnly, "immutable=1")
	if err != nil {
		return progress{}, err
	}
	p, err := c.progress()
	return p, errors.Join(err, c.Close())
}

// holds reports how many transactions the file alone holds at least.
func (a *alone) holds() int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.commits
}

// has notes that the file alone holds so many transactions.
func (a *alone) has(commits int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.commits = max(a.commits, commits)
}

// check compares the file at path with what it held, if it was written since;
// info is of before.
func (a *alone) check(path string, info os.FileInfo) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.lost != nil {
		return a.lost
	}
	if info.ModTime().Equal(a.changed) && info.Size() == a.size {
		return nil
	}
	for try := 0; ; try++ {
		p, err := inFile(path)
		if err == nil && p.commits == 0 && a.commits > 0 {
			err = errMixed // its tables were moved by then, and this one was not found
		}
		switch {
		case err == nil && p.commits >= a.commits:
			a.changed, a.size, a.commits = info.ModTime(), info.Size(), p.commits
			return nil
		case err != nil && info.Size() >= a.size:
			return nil // mixed
		case try < rereads: // read while it was written
			time.Sleep(rereadAfter << try)
			continue
		case err != nil:
			return fmt.Errorf("the state %s was cut off while it was open: %w", path, describe(err))
		}
		a.lost = fmt.Errorf("a copy was written over the state %s: its file held %d changes, and now it holds %d: %w", path, a.commits, p.commits, ErrMoved)
		return a.lost
	}
}

// How often a file is read again that seems to have lost something, and how
// long after.
const (
	rereads     = 3
	rereadAfter = 20 * time.Millisecond
)
