package plan

import (
	"bytes"
	"io"
)

// Spool keeps the encoded entries of a plan while it is made and until it is
// applied or saved. planfile.NewSpool makes one for plans of any size.
type Spool interface {
	// Write appends; entries may be cut anywhere between two calls.
	io.Writer
	// Open reads everything from the start. It may be called again, even while
	// another reader is open, but only after the last Write.
	Open() (io.Reader, error)
	// Close frees what the spool holds.
	io.Closer
}

// MemorySpool keeps entries in memory, for small plans and tests. The zero
// value is ready.
type MemorySpool struct {
	chunks [][]byte // all are full except the last, so that growing copies nothing
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
