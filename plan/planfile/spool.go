package planfile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/handbill/handbill/plan"
)

// spoolMemory is how much of a plan stays in memory: some million entries. The
// temporary file costs a tenth of the time of planning (docs/benchmarks.md).
const spoolMemory = 96 << 20

// NewSpool makes a spool that keeps small plans in memory and large ones in a
// temporary file of dir ("" for the system's) that only this user can read and
// that is gone when the process ends.
func NewSpool(dir string) plan.Spool { return &fileSpool{dir: dir} }

type fileSpool struct {
	dir    string
	memory plan.MemorySpool
	file   *os.File
	out    *bufio.Writer
	size   int64
	flush  sync.Mutex // guards flushing out: lanes open the plan concurrently
}

func (s *fileSpool) Write(p []byte) (int, error) {
	if s.file == nil && s.size+int64(len(p)) > spoolMemory {
		if err := s.spill(); err != nil {
			return 0, err
		}
	}
	s.size += int64(len(p))
	if s.file == nil {
		return s.memory.Write(p)
	}
	return s.out.Write(p)
}

// spill moves what is in memory to a file.
func (s *fileSpool) spill() error {
	f, err := os.CreateTemp(s.dir, "handbill-plan-*") // mode 0600
	if err != nil {
		return fmt.Errorf("making a temporary file for the plan: %w", err)
	}
	// Where the system can't remove an open file, Close does it.
	_ = os.Remove(f.Name())
	s.file, s.out = f, bufio.NewWriterSize(f, 256<<10)
	kept, err := s.memory.Open()
	if err == nil {
		_, err = io.Copy(s.out, kept)
	}
	if err != nil {
		return fmt.Errorf("writing the plan's temporary file: %w", err)
	}
	return s.memory.Close()
}

func (s *fileSpool) Open() (io.Reader, error) {
	if s.file == nil {
		return s.memory.Open()
	}
	s.flush.Lock()
	defer s.flush.Unlock()
	if err := s.out.Flush(); err != nil {
		return nil, fmt.Errorf("writing the plan's temporary file: %w", err)
	}
	return bufio.NewReaderSize(io.NewSectionReader(s.file, 0, s.size), 256<<10), nil
}

func (s *fileSpool) Close() error {
	if s.file == nil {
		return s.memory.Close()
	}
	err := s.file.Close()
	if rm := os.Remove(s.file.Name()); rm != nil && !os.IsNotExist(rm) {
		err = errors.Join(err, rm)
	}
	s.file = nil
	return err
}
