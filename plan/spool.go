package plan

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

// Spool keeps the encoded entries of a plan while it is made and until it is
// applied or saved.
type Spool interface {
	// Write appends; entries may be cut anywhere between two calls.
	io.Writer
	// Open reads everything from the start. It may be called again, and while
	// another reader is open, but not before the last Write.
	Open() (io.Reader, error)
	// Close frees what the spool holds.
	io.Closer
}

// MemorySpool keeps entries in memory, for small plans and tests. The zero
// value is ready.
type MemorySpool struct {
	chunks [][]byte // full but for the last one, so that growing copies nothing
	size   int
}

// Write appends p.
func (s *MemorySpool) Write(p []byte) (int, error) {
	s.size += len(p)
	for rest := p; len(rest) > 0; {
		last := len(s.chunks) - 1
		if last < 0 || len(s.chunks[last]) == cap(s.chunks[last]) {
			s.chunks = append(s.chunks, make([]byte, 0, min(max(s.size, 4<<10), 256<<10)))
			last++
		}
		c := s.chunks[last]
		n := copy(c[len(c):cap(c)], rest)
		s.chunks[last], rest = c[:len(c)+n], rest[n:]
	}
	return len(p), nil
}

// Open reads from the start.
func (s *MemorySpool) Open() (io.Reader, error) {
	readers := make([]io.Reader, len(s.chunks))
	for i, c := range s.chunks {
		readers[i] = bytes.NewReader(c)
	}
	return io.MultiReader(readers...), nil
}

// Close frees the memory.
func (s *MemorySpool) Close() error {
	s.chunks, s.size = nil, 0
	return nil
}

// spoolMemory is how much of a plan stays in memory: some million entries. The
// temporary file costs a tenth of the time of planning (docs/benchmarks.md).
const spoolMemory = 96 << 20

// NewSpool makes a spool that keeps small plans in memory and large ones in a
// temporary file of dir ("" for the system's) that only this user can read and
// that is gone when the process ends.
func NewSpool(dir string) Spool { return &fileSpool{dir: dir} }

type fileSpool struct {
	dir    string
	memory MemorySpool
	file   *os.File
	out    *bufio.Writer
	size   int64
	flush  sync.Mutex // of out: numbers open the plan side by side
}

func (s *fileSpool) Write(p []byte) (int, error) {
	if s.file == nil && s.memory.size+len(p) > spoolMemory {
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
	for _, c := range s.memory.chunks {
		if _, err := s.out.Write(c); err != nil {
			return fmt.Errorf("writing the plan's temporary file: %w", err)
		}
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
