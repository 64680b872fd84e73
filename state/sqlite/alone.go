package sqlite

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"zombiezen.com/go/sqlite"
)

// alone watches the file of an open state by itself, without its journal. The file
// only gains what the journal brings into it, so it never holds less than before.
// When it does, somebody wrote an older copy over it, as cp does. Then the journal
// no longer fits the pages of the file, and nothing may be written any more.
type alone struct {
	mu      sync.Mutex // readers check it too
	changed time.Time  // when it was written last, as its file system says
	size    int64      // in bytes
	commits int64      // transactions that it holds at least
	lost    error      // why nothing is written any more
}

// errMixed says that a file cannot be read alone, since only a part of the journal
// is in it: it is being written, or the process was killed, or the disk is full.
var errMixed = errors.New("it cannot be read without its journal")

// inFile reads how far the file alone has come, without the journal beside it.
func inFile(path string) (progress, error) {
	c, err := openConn(path, sqlite.OpenReadOnly, "immutable=1")
	if err != nil {
		return progress{}, err
	}
	p, err := c.progress()
	return p, errors.Join(err, c.Close())
}

// holds returns how many transactions the file alone holds, at least.
func (a *alone) holds() int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.commits
}

// has notes that the file alone holds this many transactions.
func (a *alone) has(commits int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.commits = max(a.commits, commits)
}

// check compares the file at path with what it held before, if it was written
// since. info was read before the call.
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
			err = errMixed // the ledger was not found: its page was moved meanwhile
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

// A file that seems to have lost something is read again this often, first after
// rereadAfter and then after twice as long each time.
const (
	rereads     = 3
	rereadAfter = 20 * time.Millisecond
)
