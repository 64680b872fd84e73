package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// ErrNames is wrapped when a state can be reached by more than one path. Its
// lock, journal and mark go by path, so two runs could send at once without
// knowing of each other.
var ErrNames = errors.New("the state can be reached by more than one path, and its lock and journal go by path: two runs could send the same messages at once")

// ErrMoved is wrapped when the file of an open state is no longer the one at its
// path. Nothing is written any more: nobody would find it.
var ErrMoved = errors.New("the state was put away while it was open, and what would be written to it now would be lost")

// ErrJournal is wrapped when the file of a state and its journal do not belong
// together: one of them is gone or was put away. Nothing was written.
var ErrJournal = errors.New("what was committed last stands in the journal of a state that is in use, or was when its process ended: people may have got messages, or asked for no more, that the file alone does not know of")

// maxLinks bounds a chain of symbolic links, as Linux does.
const maxLinks = 40

// RealPath is the path of the file that path names, without symbolic links in
// its last part: everything beside a state is named after the file itself, not
// after a link to it. The file need not exist.
func RealPath(path string) string {
	for range maxLinks {
		target, err := os.Readlink(path)
		if err != nil { // no link, or nothing there
			return path
		}
		if real, err := filepath.EvalSymlinks(path); err == nil {
			return real
		}
		dir, err := filepath.EvalSymlinks(filepath.Dir(path))
		if err != nil {
			return path
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(dir, target)
		}
		path = target
	}
	return path
}

// checkNames refuses a file with several hard links, and one that is mounted into
// a container by itself: others would not see the lock that lies beside it.
func checkNames(o Options, info os.FileInfo) error {
	if n := links(info); n > 1 {
		drafts, err := draftsOf(o.Path, info, !o.ReadOnly)
		if err != nil {
			return fmt.Errorf("opening the state %s: %w", o.Path, err)
		}
		if n -= drafts; n > 1 {
			return fmt.Errorf("opening the state %s: the file has %d names (hard links): %w. Remove the other names, or put a copy in their place; \"find DIRECTORY -samefile %s\" shows them",
				o.Path, n, ErrNames, filepath.Base(o.Path))
		}
	}
	alone, err := mountedAlone(o.Path)
	if err != nil {
		return fmt.Errorf("opening the state %s: %w", o.Path, err)
	}
	if alone {
		return fmt.Errorf("opening the state %s: the file is mounted by itself: %w. Its lock, journal and mark lie beside it and would stay behind. Mount the folder that holds the state, not the file",
			o.Path, ErrNames)
	}
	return nil
}

// draftsOf counts the names that a draft of Create left to the same file: the
// process ended between giving the state its name and removing the draft's.
func draftsOf(path string, info os.FileInfo, remove bool) (n uint64, err error) {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return 0, plainError(err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), draftPrefix(path)) {
			continue
		}
		name := filepath.Join(filepath.Dir(path), e.Name())
		other, err := os.Lstat(name)
		if err != nil || !os.SameFile(info, other) {
			continue
		}
		n++
		if remove {
			if err := removeIfThere(name); err != nil {
				return n, plainError(err)
			}
		}
	}
	return n, nil
}

// draftPrefix begins the temporary names of new states.
func draftPrefix(path string) string { return "." + filepath.Base(path) + ".new-" }

// plainError is the cause of an error of the file system. The path in it may be
// one that the person never named.
func plainError(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// there checks that the file at the path is still the one that was opened, that
// nobody wrote an older copy over it, and that its journal is still there. Every
// read and write calls it.
func (s *Store) there() error {
	if s.opened == nil {
		return nil
	}
	info, err := os.Stat(s.opt.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no file at %s any more: %w", s.opt.Path, ErrMoved)
	case err != nil:
		return fmt.Errorf("looking for the state %s: %w", s.opt.Path, plainError(err))
	case !os.SameFile(s.opened, info):
		return fmt.Errorf("another file lies at %s: %w", s.opt.Path, ErrMoved)
	}
	if s.journals() {
		if err := s.alone.check(s.opt.Path, info); err != nil {
			return err
		}
	}
	journal := s.journal.Load()
	if journal == nil {
		return nil
	}
	if info, err = os.Stat(s.opt.Path + "-wal"); err != nil || !os.SameFile(*journal, info) {
		return fmt.Errorf("the journal %s-wal was taken away while the state was open: %w", s.opt.Path, ErrJournal)
	}
	return nil
}
