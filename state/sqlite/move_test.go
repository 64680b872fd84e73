package sqlite

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/state/statetest"
)

// files is a kind of store: states in files.
func files(dir string) statetest.Kind {
	n := atomic.Int64{}
	options := func(o statetest.Options, name string) Options {
		return Options{Path: filepath.Join(dir, name+".state"), Clock: o.Clock, Wish: o.Wish, Rand: rand.NewChaCha8([32]byte{1}), Version: "test"}
	}
	return statetest.Kind{
		Open: func(t statetest.T, o statetest.Options) state.Store {
			t.Helper()
			s, err := Create(t.Context(), options(o, fmt.Sprint(n.Add(1))))
			if err != nil {
				t.Fatal(err)
			}
			unsynced(t, s)
			t.Cleanup(func() { sound(t, s) })
			return s
		},
		Draft: func(t statetest.T, o statetest.Options, place string) (state.Draft, func() (state.Store, error)) {
			t.Helper()
			d, err := NewDraft(t.Context(), options(o, place), "")
			if err != nil {
				t.Fatal(err)
			}
			return d, func() (state.Store, error) {
				if err := Gone(options(o, place).Path); err != nil {
					return nil, err
				}
				s, err := Open(t.Context(), options(o, place))
				if err != nil {
					return nil, err
				}
				t.Cleanup(func() { sound(t, s) })
				return s, nil
			}
		},
	}
}

func TestMoves(t *testing.T) {
	kind := files(t.TempDir())
	statetest.Moves(t, kind, kind)
}

// TestMoveOldFormats moves states of every older format: what they hold is the same
// after it.
func TestMoveOldFormats(t *testing.T) {
	for format := 1; format < 8; format++ {
		t.Run(fmt.Sprint(format), func(t *testing.T) {
			o := stateOf(t, format)
			s, err := Open(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if _, err := state.RecoverAll(t.Context(), s); err != nil {
				t.Fatal(err)
			}
			before := exported(t, s)
			there := o
			there.Path += ".there"
			d, err := NewDraft(t.Context(), there, "")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := state.Move(t.Context(), s, d, "there", "ada"); err != nil {
				t.Fatal(err)
			}
			moved, err := Open(t.Context(), there)
			if err != nil {
				t.Fatal(err)
			}
			defer sound(t, moved)
			if diff := cmp.Diff(lines(before), lines(exported(t, moved))); diff != "" {
				t.Errorf("the export differs (-before +after):\n%s", diff)
			}
		})
	}
}

// lines are those of an export, in no order of the store.
func lines(export string) []string { return slices.Sorted(strings.SplitSeq(export, "\n")) }
