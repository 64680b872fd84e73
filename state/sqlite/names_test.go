package sqlite

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/handbill/handbill/state"
)

// another gives the state of o a second name in another folder.
func another(t *testing.T, o Options, name func(from, to string) error) Options {
	t.Helper()
	other := o
	other.Path = filepath.Join(t.TempDir(), "handbill.state")
	if err := name(o.Path, other.Path); err != nil {
		t.Skip("this name cannot be made here: ", err)
	}
	return other
}

func TestAFileWithTwoNamesIsRefusedUnderBoth(t *testing.T) {
	o := closed(t)
	other := another(t, o, os.Link)
	for _, path := range []string{o.Path, other.Path} {
		for _, readOnly := range []bool{false, true} {
			o := o
			o.Path, o.ReadOnly = path, readOnly
			if s, err := Open(t.Context(), o); !errors.Is(err, ErrNames) || !strings.Contains(err.Error(), "2 names") {
				t.Errorf("read only %v: %v, %v", readOnly, s, err)
			}
		}
	}
	if err := Restore(t.Context(), o.Path, other); !errors.Is(err, ErrNames) {
		t.Errorf("a restore over one of two names: %v", err)
	}
	if err := os.Remove(other.Path); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal("with one name left: ", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestABackupMayHaveSeveralNames(t *testing.T) {
	o := closed(t)
	backup := another(t, o, os.Link)
	o.Path = filepath.Join(t.TempDir(), "handbill.state")
	if err := Restore(t.Context(), backup.Path, o); err != nil {
		t.Error(err)
	}
}

func TestADraftThatWasLeftIsNoSecondName(t *testing.T) {
	o := closed(t)
	draft := filepath.Join(filepath.Dir(o.Path), ".handbill.state.new-17")
	if err := os.Link(o.Path, draft); err != nil {
		t.Skip(err)
	}
	stranger := filepath.Join(filepath.Dir(o.Path), ".handbill.state.new-18")
	if err := os.WriteFile(stranger, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	read := o
	read.ReadOnly = true
	for _, o := range []Options{read, o} {
		s, err := Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if Exists(draft) != o.ReadOnly {
			t.Errorf("read only %v: the draft is there: %v", o.ReadOnly, Exists(draft))
		}
	}
	if !Exists(stranger) {
		t.Error("the draft of another state was removed")
	}
}

func TestLocksAndFilesGoByTheFileThatALinkLeadsTo(t *testing.T) {
	o := closed(t)
	link := another(t, o, os.Symlink)
	further := another(t, link, func(from, to string) error {
		beside := filepath.Join(filepath.Dir(from), "beside.state")
		if err := os.Symlink("handbill.state", beside); err != nil { // relative
			return err
		}
		return os.Symlink(beside, to)
	})
	held, err := Lock(t.Context(), o.Path, state.LockInfo{ID: "x"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	var locked *state.LockedError
	if _, err := Lock(t.Context(), further.Path, state.LockInfo{}, 0); !errors.As(err, &locked) {
		t.Errorf("the lock through a link: %v", err)
	}
	if err := held.Unlock(); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), further)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.OptOut(t.Context(), phone(9), "operator", ""); err != nil {
		t.Fatal(err)
	}
	if got, err := filepath.Glob(filepath.Join(filepath.Dir(further.Path), "*")); err != nil || len(got) != 1 {
		t.Errorf("beside the link lie %v, %v", got, err)
	}
}

func TestALinkToNothingNamesTheFileToBeMade(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(dir, "link")
	if err := os.Symlink("made.state", link); err != nil {
		t.Skip(err)
	}
	s, err := Create(t.Context(), options(link))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(filepath.Join(dir, "made.state")); err != nil || !info.Mode().IsRegular() {
		t.Errorf("%v, %v", info, err)
	}
	loop := filepath.Join(dir, "loop")
	if err := os.Symlink("loop", loop); err != nil {
		t.Fatal(err)
	}
	if s, err := Open(t.Context(), options(loop)); err == nil {
		t.Errorf("a link to itself was opened: %v", s)
	}
}

func TestNothingIsWrittenToAFileThatWasPutAway(t *testing.T) {
	for name, replace := range map[string]func(path string) error{
		"another file in its place": func(path string) error {
			data, err := os.ReadFile(path)
			if err == nil {
				err = os.Rename(path, path+".away")
			}
			if err != nil {
				return err
			}
			return os.WriteFile(path, data, 0o600)
		},
		"renamed":  func(path string) error { return os.Rename(path, path+".away") },
		"restored": nil,
	} {
		t.Run(name, func(t *testing.T) {
			o := closed(t)
			s, err := Open(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			if replace == nil {
				backup := o.Path + ".copy"
				if err := s.Backup(t.Context(), backup); err != nil {
					t.Fatal(err)
				}
				replace = func(string) error { return Restore(t.Context(), backup, o) }
			}
			if err := replace(o.Path); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Append(t.Context(), []state.Inbox{{Provider: "provider.cloud.main", Raw: []byte("{}")}}); !errors.Is(err, ErrMoved) {
				t.Errorf("a webhook was accepted: %v", err)
			}
			if err := s.OptOut(t.Context(), phone(9), "operator", ""); !errors.Is(err, ErrMoved) {
				t.Errorf("an opt-out was written: %v", err)
			}
			if _, _, err := s.Waiting(t.Context()); !errors.Is(err, ErrMoved) {
				t.Errorf("it looks ready: %v", err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestACloseLeavesTheJournalOfTheFileThatTookItsPlace(t *testing.T) {
	o := closed(t)
	old, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	copied := o.Path + ".copy"
	if err := old.Backup(t.Context(), copied); err != nil {
		t.Fatal(err)
	}
	if err := swap(copied, o.Path); err != nil {
		t.Fatal(err)
	}
	next, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := next.OptOut(t.Context(), phone(9), "operator", ""); err != nil {
		t.Fatal(err)
	}
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	if !Exists(o.Path + "-wal") {
		t.Error("the journal of the new file is gone")
	}
	if err := next.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestMountPointsAreReadAsLinuxWritesThem(t *testing.T) {
	const table = `36 35 98:0 /mnt1 /data/my\040shop/handbill.state rw,noatime master:1 - ext3 /dev/root rw
37 35 98:0 / /data/a\134b rw - ext4 /dev/sda rw
broken
`
	for path, want := range map[string]bool{
		"/data/my shop/handbill.state": true,
		`/data/a\b`:                    true,
		"/data/my":                     false,
		"/mnt1":                        false,
		"broken":                       false,
	} {
		if isMount(table, path) != want {
			t.Errorf("%s: got %v", path, !want)
		}
	}
}
