package sqlite

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/handbill/handbill/state"
)

// halted returns why nothing may be sent from the state of o; each way of
// opening it must give the same reason.
func halted(t *testing.T, o Options) string {
	t.Helper()
	var whys []string
	for _, o.ReadOnly = range []bool{true, false, true} {
		s, err := Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		halt, err := s.Halted(t.Context())
		if err := errors.Join(err, s.Close()); err != nil {
			t.Fatal(err)
		}
		if halt == nil {
			halt = &state.HaltError{}
		}
		whys = append(whys, halt.Why)
	}
	if whys[0] != whys[1] || whys[1] != whys[2] {
		t.Errorf("openings differ: %q", whys)
	}
	return whys[0]
}

func TestAnOlderCopyIsNoticedWhateverCameSince(t *testing.T) {
	for name, since := range map[string]func(*testing.T, *Store){
		"a webhook": func(t *testing.T, s *Store) {
			if _, err := s.Append(t.Context(), []state.Inbox{{Provider: "provider.cloud.main", Raw: []byte("{}")}}); err != nil {
				t.Fatal(err)
			}
		},
		"an opt-out": func(t *testing.T, s *Store) {
			if err := s.OptOut(t.Context(), phone(5), "operator", ""); err != nil {
				t.Fatal(err)
			}
		},
		"a run": func(t *testing.T, s *Store) { begin(t, s) },
	} {
		t.Run(name, func(t *testing.T) {
			o := closed(t)
			old, err := os.ReadFile(o.Path)
			if err != nil {
				t.Fatal(err)
			}
			s, err := Open(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			since(t, s)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if why := halted(t, o); why != "" {
				t.Fatalf("the newest file is halted: %s", why)
			}
			if err := os.WriteFile(o.Path, old, 0o600); err != nil {
				t.Fatal(err)
			}
			if why := halted(t, o); !strings.Contains(why, "older") {
				t.Errorf("the old copy: %q", why)
			}
			acknowledge(t, o)
			if why := halted(t, o); why != "" {
				t.Errorf("once acknowledged: %q", why)
			}
		})
	}
}

func acknowledge(t *testing.T, o Options) {
	t.Helper()
	s, err := Open(t.Context(), o)
	if err == nil {
		err = errors.Join(s.Acknowledge(t.Context(), "ada", "known"), s.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// If a person acknowledges an older copy, and later finds the newer file and
// puts it back, the newer file counts as older: it lacks what happened in
// between.
func TestTheNewerFileIsOlderOnceACopyWasAcknowledged(t *testing.T) {
	o := closed(t)
	old, err := os.ReadFile(o.Path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	begin(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	newer, err := os.ReadFile(o.Path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(o.Path, old, 0o600); err != nil {
		t.Fatal(err)
	}
	acknowledge(t, o)
	if err := os.WriteFile(o.Path, newer, 0o600); err != nil {
		t.Fatal(err)
	}
	if why := halted(t, o); why == "" {
		t.Error("it is not halted")
	}
}

func TestAnotherStateInItsPlaceIsNoticed(t *testing.T) {
	o := closed(t)
	other := options(filepath.Join(t.TempDir(), "other.state"))
	other.Rand = rand.NewChaCha8([32]byte{2})
	if s, err := Create(t.Context(), other); err != nil || s.Close() != nil {
		t.Fatal(err)
	}
	mine, err := os.ReadFile(o.Path)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := os.ReadFile(other.Path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(o.Path, theirs, 0o600); err != nil {
		t.Fatal(err)
	}
	if why := halted(t, o); !strings.Contains(why, "another state") {
		t.Errorf("another state: %q", why)
	}
	if err := os.WriteFile(o.Path, mine, 0o600); err != nil {
		t.Fatal(err)
	}
	if why := halted(t, o); why != "" {
		t.Errorf("its own file, put back: %q", why)
	}
	if err := os.WriteFile(o.Path, theirs, 0o600); err != nil {
		t.Fatal(err)
	}
	acknowledge(t, o)
	if why := halted(t, o); why != "" {
		t.Errorf("once acknowledged: %q", why)
	}
}

func TestARemovedMarkIsWrittenAgain(t *testing.T) {
	o := closed(t)
	a, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	b, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for i, s := range []*Store{a, b, b, a} {
		if i == 2 {
			if err := os.Remove(o.Path + ".mark"); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.OptOut(t.Context(), phone(30+i), "operator", ""); err != nil {
			t.Fatal(err)
		}
		if m := readMark(o.Path); m.Commits != s.commits || m.Epoch != 1 || m.Lineage != s.lineage {
			t.Errorf("after write %d the mark is %+v, want %d commits", i, m, s.commits)
		}
	}
	// A late update by a slower process does not lower the mark.
	if err := a.marked(1); err != nil {
		t.Fatal(err)
	}
	if m := readMark(o.Path); m.Commits != a.commits {
		t.Errorf("the mark fell to %+v", m)
	}
}

func TestTheMarkOfAnEarlierHandbillIsRead(t *testing.T) {
	o := closed(t)
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(o.Path+".mark", []byte(`{"lineage":"`+s.lineage+`","epoch":2}`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if why := halted(t, o); !strings.Contains(why, "1 of 2 applies") {
		t.Errorf("got %q", why)
	}
}

func TestAMissingStateWithoutRunsIsNotRecreated(t *testing.T) {
	s, _ := create(t)
	o := s.opt
	if err := s.OptOut(t.Context(), phone(1), "operator", ""); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Close(), os.Remove(o.Path)); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(t.Context(), o); err == nil || !strings.Contains(err.Error(), "asked for no more") {
		t.Errorf("got %v", err)
	}
}
