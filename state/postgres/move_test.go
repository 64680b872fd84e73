package postgres

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/internal/pgtest"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/state/sqlite"
	"github.com/handbill/handbill/state/statetest"
)

// file is a kind of store: states in files, without syncing them.
func file(dir string) statetest.Kind {
	n := atomic.Int64{}
	options := func(o statetest.Options, name string) sqlite.Options {
		return sqlite.Options{Path: filepath.Join(dir, name+".state"), Clock: o.Clock, Wish: o.Wish, Rand: rand.NewChaCha8([32]byte{1}), Version: "test"}
	}
	keep := func(t statetest.T, s *sqlite.Store, err error) (state.Store, error) {
		if err != nil {
			return nil, err
		}
		t.Cleanup(func() {
			if r, err := s.Verify(context.WithoutCancel(t.Context())); err != nil || !r.OK() {
				t.Errorf("verify found %+v, %v", r.Problems, err)
			}
			_ = s.Close()
		})
		return s, nil
	}
	return statetest.Kind{
		Open: func(t statetest.T, o statetest.Options) state.Store {
			t.Helper()
			s, err := sqlite.Create(t.Context(), options(o, fmt.Sprint(n.Add(1))))
			store, err := keep(t, s, err)
			if err != nil {
				t.Fatal(err)
			}
			return store
		},
		Draft: func(t statetest.T, o statetest.Options, place string) (state.Draft, func() (state.Store, error)) {
			t.Helper()
			d, err := sqlite.NewDraft(t.Context(), options(o, place), "")
			if err != nil {
				t.Fatal(err)
			}
			return d, func() (state.Store, error) {
				s, err := sqlite.Open(t.Context(), options(o, place))
				return keep(t, s, err)
			}
		},
	}
}

// schema is a kind of store: states in schemas of a database.
func schema(url string) statetest.Kind {
	n := atomic.Int64{}
	options := func(o statetest.Options, name string) Options {
		return Options{URL: url, Schema: name, Clock: o.Clock, Wish: o.Wish, Rand: rand.NewChaCha8([32]byte{1})}
	}
	keep := func(t statetest.T, s *Store, err error) (state.Store, error) {
		if err != nil {
			return nil, err
		}
		t.Cleanup(func() {
			if r, err := s.Verify(context.WithoutCancel(t.Context())); err != nil || len(r.Problems) > 0 {
				t.Errorf("verify found %+v, %v", r.Problems, err)
			}
			_ = s.Close()
		})
		return s, nil
	}
	return statetest.Kind{
		Open: func(t statetest.T, o statetest.Options) state.Store {
			t.Helper()
			s, err := Create(t.Context(), options(o, pgtest.Schema()))
			store, err := keep(t, s, err)
			if err != nil {
				t.Fatal(err)
			}
			return store
		},
		Draft: func(t statetest.T, o statetest.Options, place string) (state.Draft, func() (state.Store, error)) {
			t.Helper()
			d, err := NewDraft(t.Context(), options(o, place), fmt.Sprint("draft", n.Add(1)))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = d.Close() })
			return d, func() (state.Store, error) {
				s, err := Open(t.Context(), options(o, place))
				return keep(t, s, err)
			}
		},
	}
}

// TestMoves moves states from a file to a database and back.
func TestMoves(t *testing.T) {
	files, schemas := file(t.TempDir()), schema(pgtest.Shared(t).URL())
	checks := flag.Lookup("rapid.checks").Value
	set := func(n string) {
		if err := checks.Set(n); err != nil {
			t.Fatal(err)
		}
	}
	if checks.String() == usualChecks { // each makes tables
		set("8")
		t.Cleanup(func() { set(usualChecks) })
	}
	t.Run("There", func(t *testing.T) { statetest.Moves(t, files, schemas, files) })
	t.Run("Back", func(t *testing.T) { statetest.MoveFailures(t, schemas, files) })
}

// TestDraftIsNoState: everything refuses a schema into which a state was being moved,
// and says what to do.
func TestDraftIsNoState(t *testing.T) {
	o := options(pgtest.Shared(t).URL(), pgtest.Schema())
	d, err := NewDraft(t.Context(), o, "one")
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for name, use := range map[string]func() error{
		"exists":  func() error { _, err := Exists(t.Context(), o); return err },
		"open":    func() error { _, err := Open(t.Context(), o); return err },
		"create":  func() error { _, err := Create(t.Context(), o); return err },
		"migrate": func() error { return Migrate(t.Context(), o) },
		"lock":    func() error { _, err := Lock(t.Context(), o, "send", state.LockInfo{ID: "a"}, 0); return err },
	} {
		if err := use(); err == nil || !strings.Contains(err.Error(), "Run it again, or drop the schema") {
			t.Errorf("%s: %v", name, err)
		}
	}
	other, err := NewDraft(t.Context(), o, "two")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := d.Add(t.Context(), []state.Item{state.Identity{Lineage: strings.Repeat("ab", 16)}}); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("a draft that another process began anew: %v", err)
	}
}

// TestMoveOldFormats moves states that older versions wrote to a database and back:
// their exports stay the same.
func TestMoveOldFormats(t *testing.T) {
	url := pgtest.Shared(t).URL()
	for _, format := range []int{1, 2, 3, 4, 5, 6, 7} {
		t.Run(fmt.Sprint(format), func(t *testing.T) {
			dir := t.TempDir()
			o := sqlite.Options{Path: filepath.Join(dir, "old.state"), Clock: func() time.Time { return noon }, Version: "test"}
			unzip(t, fmt.Sprintf("../sqlite/testdata/format%d.state.gz", format), o.Path)
			old, err := sqlite.Open(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			defer old.Close()
			if _, err := state.RecoverAll(t.Context(), old); err != nil {
				t.Fatal(err)
			}
			before := exported(t, old)
			there := options(url, pgtest.Schema())
			d, err := NewDraft(t.Context(), there, "one")
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			_, err = state.Move(t.Context(), old, d, "there", "ada")
			if format == 3 { // it has a message that went to both spellings of one number
				if !errors.Is(err, errTwice) {
					t.Errorf("the error is %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			s, err := Open(t.Context(), there)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			o.Path = filepath.Join(dir, "back.state")
			back, err := sqlite.NewDraft(t.Context(), o, "")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := state.Move(t.Context(), s, back, "back", "ada"); err != nil {
				t.Fatal(err)
			}
			again, err := sqlite.Open(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			defer again.Close()
			if diff := cmp.Diff(lines(before), lines(exported(t, again))); diff != "" {
				t.Errorf("the export differs (-before +after):\n%s", diff)
			}
		})
	}
}

func unzip(t *testing.T, from, to string) {
	t.Helper()
	f, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func exported(t *testing.T, s *sqlite.Store) string {
	t.Helper()
	var b bytes.Buffer
	if err := s.Export(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// lines are those of an export, in no order of the store.
func lines(export string) []string { return slices.Sorted(strings.SplitSeq(export, "\n")) }

// TestAnOpenRunIsNotMoved: its plan stays where it is, so a run that somebody drives
// is refused, and one that nobody drives is over after the move.
func TestAnOpenRunIsNotMoved(t *testing.T) {
	s := create(t, pgtest.Shared(t))
	carried(t, s, nil)
	take := func(iter.Seq2[state.Item, error]) error { return nil }
	var driven *state.OpenRunError
	if err := s.MoveAway(t.Context(), "there", "ada", take); !errors.As(err, &driven) {
		t.Errorf("a run that is driven: %v", err)
	}
	wantOpen(t, s, 1)
	expire(t, s)
	full := errors.New("no room there")
	if err := s.MoveAway(t.Context(), "there", "ada", func(iter.Seq2[state.Item, error]) error { return full }); !errors.Is(err, full) {
		t.Errorf("a move that fails: %v", err)
	}
	wantOpen(t, s, 1)
	if err := s.MoveAway(t.Context(), "there", "ada", take); err != nil {
		t.Fatal(err)
	}
	wantOpen(t, s, 0)
}

func wantOpen(t *testing.T, s *Store, runs int) {
	t.Helper()
	if got := len(open(t, s)); got != runs {
		t.Errorf("%d runs are open, want %d", got, runs)
	}
}
