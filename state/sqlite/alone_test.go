package sqlite

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/handbill/handbill/state"
)

// writeOver writes data into the existing file at path, as cp does.
func writeOver(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// olderCopies returns copies of a state that was used after they were made.
func olderCopies(t *testing.T, o Options) map[string][]byte {
	t.Helper()
	file, err := os.ReadFile(o.Path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), o)
	name := filepath.Join(t.TempDir(), "copy")
	if err == nil {
		err = errors.Join(s.Backup(t.Context(), name), s.Close())
	}
	backup, read := os.ReadFile(name)
	if err := errors.Join(err, read); err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{"a copy of the file": file, "a backup": backup, "a part of it": file[:len(file)/2], "nothing": nil}
}

func TestACopyWrittenOverAnOpenStateIsNoticed(t *testing.T) {
	for _, name := range []string{"a copy of the file", "a backup", "a part of it", "nothing"} {
		t.Run(name, func(t *testing.T) {
			o := closed(t)
			old := olderCopies(t, o)[name]
			s, err := Open(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			for i := range 3 { // the second rewrites the journal from its start, so the first is only in the file
				if err := s.OptOut(t.Context(), phone(10+i), "operator", ""); err != nil {
					t.Fatal(err)
				}
			}
			writeOver(t, o.Path, old)
			if _, err := s.Append(t.Context(), []state.Inbox{{Provider: "provider.cloud.main", Raw: []byte("{}")}}); err == nil {
				t.Error("a webhook was accepted")
			}
			if _, _, err := s.Waiting(t.Context()); err == nil {
				t.Error("it looks ready")
			}
			err = s.OptOut(t.Context(), phone(20), "operator", "")
			if whole := len(old) > 4096; err == nil || whole && name != "a part of it" && !errors.Is(err, ErrMoved) {
				t.Errorf("an opt-out was written: %v", err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if now, err := os.ReadFile(o.Path); err != nil || string(now) != string(old) {
				t.Errorf("something was written to it, %v", err)
			}
			if len(old) == 0 || name == "a part of it" {
				return // everybody who opens it sees that it is no state
			}
			o = image(t, o.Path, "", "-wal", ".mark") // as a next process finds it
			refused(t, o, ErrJournal)
			if err := Restore(t.Context(), o.Path, o); !errors.Is(err, ErrJournal) {
				t.Errorf("it was restored with the journal of another file: %v", err)
			}
			// The way out is to use the file without the journal.
			if err := os.Rename(o.Path+"-wal", o.Path+".journal"); err != nil {
				t.Fatal(err)
			}
			if err := Restore(t.Context(), o.Path, o); err != nil {
				t.Fatal(err)
			}
			if why := halted(t, o); !strings.Contains(why, "restored") {
				t.Errorf("it is not halted: %q", why)
			}
			acknowledge(t, o)
			s, err = Open(t.Context(), o)
			if err == nil {
				err = s.OptOut(t.Context(), phone(21), "operator", "")
			}
			if err != nil {
				t.Fatal("once acknowledged: ", err)
			}
			dead := image(t, o.Path, "", "-wal", ".mark")
			if next, err := Open(t.Context(), dead); err != nil {
				t.Error("after a kill: ", err)
			} else if err := next.Close(); err != nil {
				t.Error(err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// If a state was put back and is written to before it is acknowledged, its
// journal is not taken for another state's.
func TestAStatePutBackIsWrittenToBeforeItIsAcknowledged(t *testing.T) {
	o := closed(t)
	old := olderCopies(t, o)
	for _, name := range []string{"a copy of the file", "a backup"} {
		s, err := Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 5 {
			if err := s.OptOut(t.Context(), phone(10+i), "operator", ""); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		writeOver(t, o.Path, old[name])
		if s, err = Open(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		for i := range 9 { // more than the mark counts
			if err := s.OptOut(t.Context(), phone(20+i), "operator", ""); err != nil {
				t.Fatal(err)
			}
			dead := image(t, o.Path, "", "-wal", ".mark")
			next, err := Open(t.Context(), dead)
			if err != nil {
				t.Fatalf("%s, after a kill: %v", name, err)
			}
			if halt, err := next.Halted(t.Context()); halt == nil || err != nil {
				t.Errorf("%s is not halted, %v", name, err)
			}
			if err := next.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		acknowledge(t, o)
	}
}

// A process that is killed in the first transaction of a journal that it begins
// anew leaves one that holds nothing: the file had everything before. Beside an
// older copy there is nothing to mix, so the copy is what it says it is.
func TestACopyBesideAJournalThatHoldsNothing(t *testing.T) {
	o := closed(t)
	old := olderCopies(t, o)["a copy of the file"]
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for i := range 3 {
		if err := s.OptOut(t.Context(), phone(10+i), "operator", ""); err != nil {
			t.Fatal(err)
		}
	}
	killed := image(t, o.Path, "", "-wal", ".mark")
	journal, err := os.ReadFile(killed.Path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	copy(journal[32:], make([]byte, 24)) // the head of its first frame was not written yet
	writeOver(t, killed.Path+"-wal", journal)
	writeOver(t, killed.Path, old)
	if why := halted(t, killed); !strings.Contains(why, "older than what was written to it last") {
		t.Errorf("it is not halted: %q", why)
	}
	if err := Restore(t.Context(), killed.Path, killed); err != nil {
		t.Fatal(err)
	}
	if why := halted(t, killed); !strings.Contains(why, "restored") {
		t.Errorf("it is not halted: %q", why)
	}
}
