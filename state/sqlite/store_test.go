package sqlite

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestKilledBeforeTheFirstCheckpoint opens a copy of the files of a state that
// a process has just made and still has open, as a kill would leave them.
func TestKilledBeforeTheFirstCheckpoint(t *testing.T) {
	dir := t.TempDir()
	o := Options{Path: filepath.Join(dir, "new.state"), Clock: time.Now, Rand: rand.Reader, Version: "test"}
	s, err := Create(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Put(t.Context(), "name", []byte("value")); err != nil {
		t.Fatal(err)
	}
	killed := filepath.Join(t.TempDir(), "new.state")
	for _, suffix := range []string{"", "-wal"} {
		data, err := os.ReadFile(o.Path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(killed+suffix, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, readOnly := range []bool{true, false} {
		o.Path, o.ReadOnly = killed, readOnly
		again, err := Open(t.Context(), o)
		if err != nil {
			t.Fatalf("read only %v: %v", readOnly, err)
		}
		snap, err := again.Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got, err := snap.Get(t.Context(), "name"); err != nil || string(got) != "value" {
			t.Errorf("read only %v: got %q, %v", readOnly, got, err)
		}
		if err := errors.Join(snap.Close(), again.Close()); err != nil {
			t.Fatal(err)
		}
	}
}
