package sqlite

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"zombiezen.com/go/sqlite"

	"github.com/handbill/handbill/state"
)

// checkPlace refuses a place where a state cannot be kept safely.
func checkPlace(o Options) error {
	info, err := os.Stat(o.Path)
	if err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("opening the state %s: it is not a file", o.Path)
	}
	if err == nil && !o.apart {
		if err := checkNames(o, info); err != nil {
			return err
		}
	}
	if fs := networkFS(o.Path); fs != "" && !o.AllowNetwork {
		return fmt.Errorf("opening the state %s: it is on a network file system (%s), where SQLite states get damaged; keep it on a local disk", o.Path, fs)
	}
	return nil
}

// checkHeader reads format and application id without SQLite, which would
// write beside the file.
func checkHeader(path, version string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("opening the state: %w", err)
	}
	var head [100]byte
	_, err = io.ReadFull(f, head[:])
	if closed := f.Close(); closed != nil {
		return fmt.Errorf("opening the state %s: %w", path, closed)
	}
	// The layout: https://www.sqlite.org/fileformat2.html#the_database_header,
	// read 2026-09.
	if err != nil || string(head[:16]) != "SQLite format 3\x00" || binary.BigEndian.Uint32(head[68:]) != applicationID {
		return fmt.Errorf("opening the state %s: %w", path, state.ErrForeign)
	}
	if v := binary.BigEndian.Uint32(head[60:]); v > format {
		return fmt.Errorf("opening the state %s: its format is %d, and handbill %s reads up to %d: %w", path, v, version, format, state.ErrFormat)
	}
	return nil
}

// describe says in words what SQLite's codes mean for a person.
func describe(err error) error {
	switch sqlite.ErrCode(err).ToPrimary() {
	case sqlite.ResultCorrupt, sqlite.ResultNotADB:
		return fmt.Errorf("%w (%w)", state.ErrDamaged, err)
	case sqlite.ResultReadOnly:
		return fmt.Errorf("it cannot be written: %w", err)
	case sqlite.ResultCantOpen:
		return fmt.Errorf("it cannot be opened, or its directory cannot be written: %w", err)
	case sqlite.ResultBusy:
		return fmt.Errorf("another program keeps it locked for writing: %w", err)
	case sqlite.ResultFull:
		return fmt.Errorf("the disk is full: %w", err)
	}
	return err
}

// syncDir makes a new or renamed file's name durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
