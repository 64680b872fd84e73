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

// mark is the high-water mark of a state: how far it has come, kept in a second
// file beside it. A state that has come less far than its mark was replaced by
// an older copy. The mark is written after the transactions that it counts are
// durable, so it never counts more than the state has. Its file is JSON, filled
// up with blanks:
//
//	{"lineage":"8d3e…","epoch":3,"commits":812,"alone":790}
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

// markPath is the mark of the state at path.
func markPath(path string) string { return path + ".mark" }

// readMark reads the mark beside the state at path. It is zero, and says nothing,
// where there is none or where it cannot be read.
func readMark(path string) (m mark) {
	f, err := os.Open(markPath(path))
	if err != nil {
		return mark{}
	}
	defer f.Close()
	defer lockShared(f)()
	return parseMark(f)
}

// parseMark reads the mark of an open file; zero for one that cannot be read.
func parseMark(f *os.File) (m mark) {
	data, err := io.ReadAll(io.NewSectionReader(f, 0, 4*markSize))
	if err != nil || json.Unmarshal(data, &m) != nil {
		return mark{}
	}
	return m
}

// raise raises the mark of the state at path to now. Other processes write it too,
// so each number only rises. A mark of another state is left for somebody to look
// at. A new number of applies is synced to the disk; the number of commits only
// has to survive the end of the process.
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

// change reads and writes the mark under its lock, and syncs it when the number
// of applies or the lineage changed.
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

// writeMark writes a mark in place.
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

// open opens the mark's file or makes it, again when somebody has removed it
// meanwhile.
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

// close closes the file.
func (k *marker) close() error {
	if k.file == nil {
		return nil
	}
	f := k.file
	k.file = nil
	return f.Close()
}

// Gone returns an error when there is no state at path although its mark tells that
// one was in use there. With a new state everybody would be sent to again, and
// those who asked to stop would be forgotten.
func Gone(path string) error {
	if Exists(path) {
		return nil
	}
	if Exists(draftPath(path)) {
		return goneError(fmt.Sprintf("there is no state at %s yet: \"handbill state migrate\" was moving one to there, and did not finish. Run it again, or remove %s", path, draftPath(path)))
	}
	return goneBy(path, readMark(path))
}

// goneBy is Gone by what a mark says.
func goneBy(path string, m mark) error {
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

// goneError is state.ErrGone for errors.Is, in words of its own.
type goneError string

func (e goneError) Error() string   { return string(e) }
func (e goneError) Is(t error) bool { return t == state.ErrGone }

// behind says why a state is not the one that its mark was written for, or is an
// older copy of it; "" when it is the one.
func behind(m mark, p progress, lineage string) string {
	switch {
	case m.Epoch == 0 && m.Commits == 0:
		return ""
	case m.Lineage != lineage:
		return "another state was put in its place, which does not know what was sent from the one before"
	case p.epoch < m.Epoch:
		return fmt.Sprintf("it is older than what was sent from it: it knows %d of %d applies", p.epoch, m.Epoch)
	case p.commits < m.Commits:
		return fmt.Sprintf("it is older than what was written to it last: it knows %d of %d changes", p.commits, m.Commits)
	}
	return ""
}

// putBack is the mark after an older file was put in the state's place: how much
// the file before held alone says nothing of this one.
func putBack(was mark) mark {
	was.Alone = 0
	return was
}

// checkMark halts a state that is older than its mark, or that is another one, and
// keeps it as a finding.
func (s *Store) checkMark(ctx context.Context, seen examined) error {
	why := s.astray
	s.astray = "" // from here on the halt in the state says so
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

// marked raises the mark after a transaction is durable.
func (s *Store) marked(commits int64) error {
	if s.opt.apart {
		return nil
	}
	return s.mark.raise(s.opt.Path, mark{s.lineage, s.epoch, commits, s.alone.holds()})
}
