package sqlite

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// FuzzOpen puts arbitrary bytes in the place of a state or a backup. They are
// refused, or the state can be verified and exported, within memory that is
// bounded by the file's size.
func FuzzOpen(f *testing.F) {
	dir := f.TempDir()
	o := options(filepath.Join(dir, "seed.state"))
	s, err := Create(f.Context(), o)
	if err != nil {
		f.Fatal(err)
	}
	run := begin(f, s)
	settle(f, s, run, accepted(intend(f, s, run, intent(s, phone(1)))[0], "x"))
	if err := s.Close(); err != nil {
		f.Fatal(err)
	}
	sound, err := os.ReadFile(o.Path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint32(0), []byte{})                      // unchanged
	f.Add(uint32(100), []byte("CREATE TABLE x(y)")) // in the schema
	f.Add(uint32(16), []byte{0xff, 0xff})           // in the page size
	f.Add(uint32(28), []byte{0xff, 0xff, 0xff, 0xff})
	f.Add(uint32(4096), bytes.Repeat([]byte{0xff}, 64))
	f.Add(uint32(1<<31), []byte("SQLite format 3\x00")) // beyond the end: only these bytes
	f.Fuzz(func(t *testing.T, at uint32, bytesThere []byte) {
		data := bytesThere
		if int(at) < len(sound) {
			data = bytes.Clone(sound)
			copy(data[at:], bytesThere)
		}
		path := filepath.Join(dir, "fuzzed.state")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if mode := flag.Lookup("test.fuzz"); mode != nil && mode.Value.String() != "" { // ordinary tests measure no time
			late := time.AfterFunc(3*time.Second, func() { panic("a damaged state keeps its reader busy") })
			defer late.Stop()
		}
		readAll(t, path)
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20+uint64(100*len(data)) {
			t.Errorf("%d bytes cost %d", len(data), used)
		}
		if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, data) {
			t.Errorf("reading changed the file: %v", err)
		}
	})
}

// readAll reads a file as status, verify and export do. It may be refused.
func readAll(t *testing.T, path string) {
	o := options(path)
	o.ReadOnly = true
	s, err := Open(t.Context(), o)
	if err != nil {
		return
	}
	if _, err := s.Verify(t.Context()); err == nil {
		_ = s.Export(t.Context(), io.Discard) // it may rightly fail on a damaged row
	}
	_ = s.Close()
}
