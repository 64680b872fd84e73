package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/handbill/handbill/state"
)

// mark is how far a state has come, kept in a second file beside it: a state
// that has come less far was put back behind our back. It is written after what
// it tells of is durable, so it never tells more than the state.
type mark struct {
	Lineage string `json:"lineage"`
	Epoch   int64  `json:"epoch"`   // applies that were begun
	Commits int64  `json:"commits"` // transactions that changed something
	Alone   int64  `json:"alone"`   // of them, those that the file holds without its journal, at least
}

// markSize is the length of a mark's file in bytes: it is written in place, and
// a shorter text leaves nothing of the one before it.
const markSize = 192

// marker is the file of a mark, kept open by a state that is written.
type marker struct{ file *os.File }

func markPath(path string) string { return path + ".mark" }

// readMark reads the mark beside the state at path. One that is not there or
// that cannot be read marks nothing.
func readMark(path string) (m mark) {
	f, err := os.Open(markPath(path))
	if err != nil {
		return mark{}
	}
	defer f.Close()
	defer lockShared(f)()
	return parseMark(f)
}

func parseMark(f *os.File) (m mark) {
	data, err := io.ReadAll(io.NewSectionReader(f, 0, 4*markSize))
	if err != nil || json.Unmarshal(data, &m) != nil {
		return mark{}
	}
	return m
}

// raise writes how far the state at path is, unless the mark tells of more
// already, for other processes write it too, or of another state. The number of
// applies is made durable; that of commits survives the end of the process,
// however it ends.
func (k *marker) raise(path string, now mark) error {
	return k.change(path, func(was mark) mark {
		switch {
		case was.Epoch == 0 && was.Commits == 0:
			return now
		case was.Lineage != now.Lineage: // somebody must look first
			return was
		}
		return mark{now.Lineage, max(now.Epoch, was.Epoch), max(now.Commits, was.Commits), max(now.Alone, was.Alone)}
	})
}

func (k *marker) change(path string, next func(was mark) mark) error {
	err := k.open(path)
	if err == nil {
		defer lockAlone(k.file)()
		was := parseMark(k.file)
		now := next(was)
		if err = writeMark(k.file, now); err == nil && (was.Epoch != now.Epoch || was.Lineage != now.Lineage) {
			err = errors.Join(k.file.Sync(), syncDir(filepath.Dir(path)))
		}
	}
	if err != nil {
		return fmt.Errorf("marking how far the state is: %w", err)
	}
	return nil
}

func writeMark(f *os.File, m mark) error {
	data, err := json.Marshal(m)
	if err != nil {
		return err
	}
	for len(data) < markSize-1 {
		data = append(data, ' ')
	}
	_, err = f.WriteAt(append(data, '\n'), 0)
	return err
}

// open opens the file, or makes it, again when somebody has removed it.
func (k *marker) open(path string) error {
	if k.file != nil {
		if info, err := k.file.Stat(); err == nil && links(info) > 0 {
			return nil
		}
		_ = k.file.Close() // nobody reads what it holds
	}
	var err error
	k.file, err = os.OpenFile(markPath(path), os.O_RDWR|os.O_CREATE, 0o600)
	return err
}

func (k *marker) close() error {
	if k.file == nil {
		return nil
	}
	f := k.file
	k.file = nil
	return f.Close()
}

// Gone is an error when there is no state at path although one was in use
// there, as its mark tells: with a new one everybody would be sent to again, and
// who asked to stop would be forgotten.
func Gone(path string) error {
	if Exists(path) {
		return nil
	}
	m := readMark(path)
	what := ""
	switch {
	case m.Epoch > 1:
		what = fmt.Sprintf("an apply was begun on it %d times: with a new state everybody would be sent to again", m.Epoch)
	case m.Epoch == 1:
		what = "an apply was begun on it once: with a new state everybody would be sent to again"
	case m.Commits > 0:
		what = "it was written to: a new state would not know who asked for no more messages"
	default:
		return nil
	}
	return goneError(fmt.Sprintf("there is no state at %[1]s, and its mark beside it tells that %[2]s. "+
		"Put it back, or a backup of it (\"handbill state restore FILE\"; the automatic ones lie beside it). To begin anew all the same, remove %[1]s.mark", path, what))
}

// goneError is a state.ErrGone in words of its own.
type goneError string

func (e goneError) Error() string   { return string(e) }
func (e goneError) Is(t error) bool { return t == state.ErrGone }

// behind says why a state is not the one that its mark tells of; "" when it is.
func behind(m mark, p progress, lineage string) string {
	switch {
	case m.Epoch == 0 && m.Commits == 0:
		return ""
	case m.Lineage != lineage:
		return "another state lies in its place: what was sent from the one that was here it does not know"
	case p.epoch < m.Epoch:
		return fmt.Sprintf("it is older than what was sent from it: it knows %d of %d applies", p.epoch, m.Epoch)
	case p.commits < m.Commits:
		return fmt.Sprintf("it is older than what was written to it last: it knows %d of %d changes", p.commits, m.Commits)
	}
	return ""
}

// putBack is the mark of a state in whose place an older file was put: what the
// one before it held says nothing of this one.
func putBack(was mark) mark {
	was.Alone = 0
	return was
}

// checkMark halts a state that is older than its mark, or another one.
func (s *Store) checkMark(ctx context.Context, seen examined) error {
	why := s.astray
	s.astray = "" // the state says so itself from here on
	if why == "" {
		return nil
	}
	if err := s.mark.change(s.opt.Path, putBack); err != nil || seen.halted {
		return err
	}
	return s.write(ctx, func(t *tx) error {
		if err := t.find(state.FindingRollback, 0, why); err != nil {
			return err
		}
		return t.changeMeta(func(m *metaRow) error { m.halt = why; return nil })
	})
}

// marked tells the mark what a transaction has made durable.
func (s *Store) marked(commits int64) error {
	if s.opt.apart {
		return nil
	}
	return s.mark.raise(s.opt.Path, mark{s.lineage, s.epoch, commits, s.alone.holds()})
}
