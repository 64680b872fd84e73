package sqlite

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/state/statetest"
)

func TestContract(t *testing.T) {
	dir, n := t.TempDir(), atomic.Int64{}
	statetest.Run(t, func(t statetest.T, o statetest.Options) state.Store {
		t.Helper()
		s, err := Create(t.Context(), Options{Path: filepath.Join(dir, fmt.Sprint(n.Add(1), ".state")), Clock: o.Clock, Wish: o.Wish,
			Rand: rand.NewChaCha8([32]byte{1}), Version: "test"})
		if err != nil {
			t.Fatal(err)
		}
		unsynced(t, s)
		t.Cleanup(func() { sound(t, s) })
		return s
	})
}

// unsynced turns off syncing: a test's state need not survive a power cut.
func unsynced(t statetest.T, s *Store) {
	t.Helper()
	if err := s.writer.script("PRAGMA synchronous = OFF"); err != nil {
		t.Fatal(err)
	}
}

// sound verifies and closes a state, which must be undamaged.
func sound(t statetest.T, s *Store) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context()) // a test's context ends before its cleanup
	if r, err := s.Verify(ctx); err != nil || !r.OK() {
		t.Errorf("verify found %+v, %v", r.Problems, err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
