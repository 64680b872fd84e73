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
)

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
