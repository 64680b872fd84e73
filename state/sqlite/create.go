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

	"github.com/handbill/handbill/state"
)

// Create makes a new state with a new lineage. It fails when there is a file at
// the path, and with ErrGone when the mark tells that a state was in use there.
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
	// The state is made under another name and then gets its own in one step, so
	// that no crash leaves half a state at the path.
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

// makeDraft makes a whole state under a temporary name beside the path, such as
// ".handbill.state.new-123", and closes it.
func makeDraft(ctx context.Context, o Options, lineage [16]byte) (path string, err error) {
	// SQLite takes the mode of its journals from the file.
	f, err := os.CreateTemp(filepath.Dir(o.Path), draftPrefix(o.Path)+"*")
	if err != nil {
		var where *fs.PathError // it names the draft, which tells nobody anything
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
		err = s.initialise(ctx, metaRow{lineage: s.lineage, created: state.Millis(o.Clock())})
	}
	if err = errors.Join(err, s.Close()); err != nil {
		return "", errors.Join(err, os.Remove(path))
	}
	return path, nil
}

// publish gives the draft its name, unless another process was faster.
func publish(draft, path string) error {
	err := os.Link(draft, path)
	if err != nil && !errors.Is(err, fs.ErrExist) { // a file system without links
		return errors.Join(os.Rename(draft, path), syncDir(filepath.Dir(path)))
	}
	// An opening that found the new state first may have removed the draft.
	return errors.Join(err, removeIfThere(draft), syncDir(filepath.Dir(path)))
}

// initialise writes the tables and the one row of meta into an empty file.
func (s *Store) initialise(ctx context.Context, m metaRow) error {
	if err := s.connectWriter(); err != nil {
		return err
	}
	return s.write(ctx, func(t *tx) error {
		for version := 1; version <= format; version++ {
			if err := t.c.migrate(version); err != nil {
				return err
			}
		}
		return t.insert(tMeta, 1).meta(&m)
	})
}
