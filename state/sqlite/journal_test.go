package sqlite

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"
	"zombiezen.com/go/sqlite"

	"github.com/handbill/handbill/state"
)

// image copies files of the state at path to another folder, as a kill or a
// copy at this moment would leave them. The suffixes say which files.
func image(t testing.TB, path string, suffixes ...string) Options {
	t.Helper()
	to := filepath.Join(t.TempDir(), filepath.Base(path))
	for _, suffix := range suffixes {
		data, err := os.ReadFile(path + suffix)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err == nil {
			err = os.WriteFile(to+suffix, data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return options(to)
}

// inUse is an open state that has written, so that its last transactions are
// only in the journal.
func inUse(t *testing.T) *Store {
	t.Helper()
	o := closed(t)
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	for i := range 3 {
		if err := s.OptOut(t.Context(), phone(10+i), "operator", ""); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func optedOut(t *testing.T, s *Store, who string) bool { return person(t, s, who).OptedOut }

// refused checks that a state cannot be opened, and that its files stay as they
// are.
func refused(t *testing.T, o Options, want error) {
	t.Helper()
	before, err := os.ReadFile(o.Path)
	if err != nil {
		t.Fatal(err)
	}
	journal, _ := os.ReadFile(o.Path + "-wal")
	for _, o.ReadOnly = range []bool{true, false} {
		s, err := Open(t.Context(), o)
		if !errors.Is(err, want) {
			t.Errorf("read only %v: %v, want %v", o.ReadOnly, err, want)
		}
		if err == nil {
			_ = s.Close()
		}
		after, err := os.ReadFile(o.Path)
		if err != nil || !bytes.Equal(before, after) {
			t.Errorf("read only %v: the file was changed, %v", o.ReadOnly, err)
		}
		if after, _ := os.ReadFile(o.Path + "-wal"); !bytes.Equal(journal, after) {
			t.Errorf("read only %v: the journal was changed", o.ReadOnly)
		}
	}
}

func TestAKilledStateIsTakenUpWithItsJournal(t *testing.T) {
	for name, suffixes := range map[string][]string{"all": {"", "-wal", ".mark"}, "no mark": {"", "-wal"}} {
		t.Run(name, func(t *testing.T) {
			o := image(t, inUse(t).opt.Path, suffixes...)
			for _, o.ReadOnly = range []bool{true, false} {
				s, err := Open(t.Context(), o)
				if err != nil {
					t.Fatal(err)
				}
				if !optedOut(t, s, phone(12)) {
					t.Error("what the journal held is lost")
				}
				if halt, err := s.Halted(t.Context()); halt != nil || err != nil {
					t.Errorf("halted: %v, %v", halt, err)
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func TestAFileWithoutItsJournalIsRefused(t *testing.T) {
	for name, suffixes := range map[string][]string{"alone": {""}, "with its mark": {"", ".mark"}} {
		t.Run(name, func(t *testing.T) {
			o := image(t, inUse(t).opt.Path, suffixes...)
			refused(t, o, ErrJournal)
			// The way out is to restore the file itself as a backup.
			if err := Restore(t.Context(), o.Path, o); err != nil {
				t.Fatal(err)
			}
			s, err := Open(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if halt, err := s.Halted(t.Context()); halt == nil || err != nil {
				t.Errorf("it is not halted, %v", err)
			}
		})
	}
}

func TestAFileIsWholeWhenAnotherProgramWroteItsJournalIntoIt(t *testing.T) {
	o := image(t, inUse(t).opt.Path, "", "-wal", ".mark")
	c, err := openConn(o.Path, sqlite.OpenReadWrite, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.queryInt("SELECT count(*) FROM meta"); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil || hasJournal(o.Path) {
		t.Fatal("the journal is left: ", err)
	}
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if !optedOut(t, s, phone(12)) {
		t.Error("an opt-out is lost")
	}
}

// TestAJournalStaysUntilTheFileSaysThatItHoldsEverything closes states that can
// no longer be written, as on a failed disk, before their mark was ever
// written. SQLite would remove the journal when the last connection closes.
func TestAJournalStaysUntilTheFileSaysThatItHoldsEverything(t *testing.T) {
	for name, fail := range map[string]func(*Store) error{
		"a commit failed":          func(s *Store) error { s.broken = errors.New("disk I/O error"); return nil },
		"it fails while it closes": func(s *Store) error { return s.writer.exec("PRAGMA query_only = 1") },
	} {
		t.Run(name, func(t *testing.T) {
			s := inUse(t)
			if _, err := s.writer.checkpoint(); err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(os.Remove(markPath(s.opt.Path)), fail(s)); err != nil {
				t.Fatal(err)
			}
			_ = s.Close()
			next, err := Open(t.Context(), options(s.opt.Path))
			if err != nil {
				t.Fatal(err)
			}
			defer next.Close()
			if !optedOut(t, next, phone(12)) {
				t.Error("a person who was opted out before is not now")
			}
		})
	}
}

func TestACopyUnderTheJournalOfANewerFileIsRefused(t *testing.T) {
	for name, copied := range map[string]func(*testing.T, Options) []byte{
		"the file": func(t *testing.T, o Options) []byte {
			data, err := os.ReadFile(o.Path)
			if err != nil {
				t.Fatal(err)
			}
			return data
		},
		"a backup": func(t *testing.T, o Options) []byte {
			s, err := Open(t.Context(), o)
			if err == nil {
				err = errors.Join(s.Backup(t.Context(), o.Path+".copy"), s.Close())
			}
			data, read := os.ReadFile(o.Path + ".copy")
			if err := errors.Join(err, read); err != nil {
				t.Fatal(err)
			}
			return data
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := closed(t)
			old := copied(t, o)
			for i := range 2 { // the second time it is killed
				s, err := Open(t.Context(), o)
				if err != nil {
					t.Fatal(err)
				}
				if err := s.OptOut(t.Context(), phone(20+i), "operator", ""); err != nil {
					t.Fatal(err)
				}
				if i == 1 {
					defer s.Close()
				} else if err := s.Close(); err != nil {
					t.Fatal(err)
				}
			}
			for _, suffixes := range [][]string{{"-wal"}, {"-wal", ".mark"}} {
				dead := image(t, o.Path, suffixes...)
				if err := os.WriteFile(dead.Path, old, 0o600); err != nil {
					t.Fatal(err)
				}
				refused(t, dead, ErrJournal)
			}
		})
	}
}

// One process closes the file, which then holds everything, while another one
// continues to write.
func TestAFileIsInUseAsLongAsAnybodyWrites(t *testing.T) {
	s := inUse(t)
	other, err := Open(t.Context(), s.opt)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(other.OptOut(t.Context(), phone(20), "operator", ""), other.Close()); err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		if err := s.OptOut(t.Context(), phone(21+i), "operator", ""); err != nil {
			t.Fatal(err)
		}
		refused(t, image(t, s.opt.Path, ""), ErrJournal)
	}
	// A reader prevents the journal from being written into the file, so
	// closing it does not record that the file holds everything.
	other, err = Open(t.Context(), s.opt)
	if err != nil {
		t.Fatal(err)
	}
	snap, err := other.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.OptOut(t.Context(), phone(23), "operator", ""), s.Close()); err != nil {
		t.Fatal(err)
	}
	killed, err := Open(t.Context(), image(t, s.opt.Path, "", "-wal"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(killed.Close(), snap.Close(), other.Close()); err != nil {
		t.Fatal(err)
	}
	whole, err := Open(t.Context(), image(t, s.opt.Path, ""))
	if err != nil {
		t.Fatal(err)
	}
	defer whole.Close()
	if !optedOut(t, whole, phone(23)) {
		t.Error("an opt-out is lost")
	}
}

func TestNothingIsWrittenWithoutTheJournal(t *testing.T) {
	s := inUse(t)
	if err := os.Remove(s.opt.Path + "-wal"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Append(t.Context(), []state.Inbox{{Provider: "provider.cloud.main", Raw: []byte("{}")}}); !errors.Is(err, ErrJournal) {
		t.Errorf("a webhook was accepted: %v", err)
	}
	if _, _, err := s.Waiting(t.Context()); !errors.Is(err, ErrJournal) {
		t.Errorf("it looks ready: %v", err)
	}
	// The content of the journal is not lost by the refusal.
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	next, err := Open(t.Context(), s.opt)
	if err != nil {
		t.Fatal(err)
	}
	defer next.Close()
	if !optedOut(t, next, phone(12)) {
		t.Error("what stood in the journal is lost")
	}
}

// TestEveryKillIsTakenUp lets two stores, as in two processes, open, write,
// read and close in any order. After each step a copy of the files can be
// opened and contains everything: no state is taken for one that lost its
// journal.
func TestEveryKillIsTakenUp(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		o := closed(t)
		var open [2]*Store
		var reads [2]state.Snapshot
		defer func() {
			for i := range open {
				if reads[i] != nil {
					_ = reads[i].Close()
				}
				if open[i] != nil {
					_ = open[i].Close()
				}
			}
		}()
		written := 0
		for range rapid.IntRange(1, 10).Draw(rt, "steps") {
			i := rapid.IntRange(0, 1).Draw(rt, "who")
			switch what := rapid.SampledFrom([]string{"open or close", "write", "read", "vacuum"}).Draw(rt, "what"); {
			case what == "open or close" && open[i] == nil:
				s, err := Open(t.Context(), o)
				if err != nil {
					rt.Fatal(err)
				}
				open[i] = s
			case what == "open or close" && reads[i] == nil:
				if err := open[i].Close(); err != nil {
					rt.Fatal(err)
				}
				open[i] = nil
			case what == "write" && open[i] != nil:
				written++
				if err := open[i].OptOut(t.Context(), phone(100+written), "operator", ""); err != nil {
					rt.Fatal(err)
				}
			case what == "vacuum" && open[i] != nil: // moves every table, like pruning
				if err := open[i].writer.script("VACUUM"); err != nil && sqlite.ErrCode(err).ToPrimary() != sqlite.ResultBusy {
					rt.Fatal(err)
				}
			case what == "read" && open[i] != nil && reads[i] == nil:
				snap, err := open[i].Snapshot(t.Context())
				if err != nil {
					rt.Fatal(err)
				}
				reads[i] = snap
			case what == "read" && reads[i] != nil:
				if err := reads[i].Close(); err != nil {
					rt.Fatal(err)
				}
				reads[i] = nil
			}
			for _, suffixes := range [][]string{{"", "-wal"}, {"", "-wal", ".mark"}} {
				dead := image(t, o.Path, suffixes...)
				dead.ReadOnly = true
				s, err := Open(t.Context(), dead)
				if err != nil {
					rt.Fatal(err)
				}
				if written > 0 && !optedOut(t, s, phone(100+written)) {
					rt.Error("the last opt-out is lost")
				}
				if err := s.Close(); err != nil {
					rt.Fatal(err)
				}
			}
		}
	})
}
