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

// FuzzOpen puts any bytes where a state or a backup is: they are refused, or the
// state can be verified and exported, within memory that the file's size bounds.
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
	f.Add(uint32(0), []byte{})                      // as it is
	f.Add(uint32(100), []byte("CREATE TABLE x(y)")) // in the schema
	f.Add(uint32(16), []byte{0xff, 0xff})           // the size of a page
	f.Add(uint32(28), []byte{0xff, 0xff, 0xff, 0xff})
	f.Add(uint32(4096), bytes.Repeat([]byte{0xff}, 64))
	f.Add(uint32(1<<31), []byte("SQLite format 3\x00")) // beyond the end: these bytes alone
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
		if mode := flag.Lookup("test.fuzz"); mode != nil && mode.Value.String() != "" { // ordinary tests know no clock
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

// readAll reads a file as status, verify and export do; that it is refused is
// fine.
func readAll(t *testing.T, path string) {
	o := options(path)
	o.ReadOnly = true
	s, err := Open(t.Context(), o)
	if err != nil {
		return
	}
	if _, err := s.Verify(t.Context()); err == nil {
		_ = s.Export(t.Context(), io.Discard) // a damaged row is an error, and that is right
	}
	_ = s.Close()
}
