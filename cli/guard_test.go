package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/handbill/handbill/state/sqlite"
)

// TestRestoredStateIsAcknowledged is the way of somebody who restored a backup
// that is older than what was sent.
func TestRestoredStateIsAcknowledged(t *testing.T) {
	d, n := springDesk(t)
	d.must(0, "state", "backup", "old.backup")
	d.must(0, "apply", "-auto-approve")
	sent := n.count()
	d.must(0, "state", "restore", "old.backup")
	d.must(1, "apply", "-auto-approve")
	wantAll(t, d.stderr.String(), "State is older than what was sent", "it was restored from a backup", "would get it a second time",
		"handbill import", "handbill state acknowledge -why")
	if n.count() != sent {
		t.Fatal("a restored state was sent from")
	}
	d.must(1, "state", "acknowledge")
	wantAll(t, d.stderr.String(), "Say with -why=REASON")
	// What was sent after the backup comes in by an import.
	d.write("sent.csv", fiveContacts)
	d.must(0, "import", "-campaign=campaign.spring", "sent.csv")
	wantAll(t, d.must(0, "state", "acknowledge", "-why=all of it is imported"), "Acknowledged")
	wantAll(t, d.must(0, "state", "pull"), "all of it is imported", `"who":"ada`)
	wantAll(t, d.must(0, "state", "acknowledge", "-why=again"), "nothing to acknowledge")
	d.must(0, "apply", "-auto-approve")
	if n.count() != sent {
		t.Errorf("%d messages left after the import", n.count()-sent)
	}
}

// TestRolledBackState is a copy of an old file put at the state's place, as a
// restored disk does it.
func TestRolledBackState(t *testing.T) {
	d, n := springDesk(t)
	path := filepath.Join(d.dir, "handbill.state")
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	d.must(0, "apply", "-auto-approve")
	sent := n.count()
	if err := os.WriteFile(path, old, 0o600); err != nil {
		t.Fatal(err)
	}
	d.must(1, "apply", "-auto-approve")
	wantAll(t, d.stderr.String(), "it is older than what was sent from it", "handbill state acknowledge -why")
	if n.count() != sent {
		t.Error("a state that was rolled back was sent from")
	}
}

func TestClockBehindTheState(t *testing.T) {
	d, n := springDesk(t)
	d.wall.Add(-int64((10 * time.Minute).Seconds()))
	d.must(1, "apply", "-auto-approve")
	wantAll(t, d.stderr.String(), "Clock behind the state", "The clock shows 2026-03-02T11:50:", "Set the clock right")
	if n.count() != 0 {
		t.Error("messages left by a wrong clock")
	}
	d.wall.Add(int64((6 * time.Minute).Seconds()))
	d.must(0, "apply", "-auto-approve")
}

func TestTooLittleSpace(t *testing.T) {
	d, n := springDesk(t)
	d.space = func(string) (int64, error) { return 63 << 20, nil }
	d.must(1, "apply", "-auto-approve")
	wantAll(t, d.stderr.String(), "Too little space on the disk", "63 MiB free", "5 messages need 64 MiB", "Nothing was sent")
	if n.count() != 0 {
		t.Error("messages left although their outcomes may not fit")
	}
	if backups, _ := filepath.Glob(filepath.Join(d.dir, "*.backup-*")); len(backups) > 0 {
		t.Errorf("a backup was made on a full disk: %v", backups)
	}
	d.space = func(string) (int64, error) { return 1 << 30, nil }
	d.must(0, "apply", "-auto-approve")
}

// TestLockTakenAway removes the lock during an apply, as a forced unlock does.
func TestLockTakenAway(t *testing.T) {
	d, n := springDesk(t)
	d.write("main.hcl", strings.Replace(spring, "message  =", "throughput = 1\n  message  =", 1))
	n.onPost = func(k int) {
		if k == 1 {
			if err := os.Remove(filepath.Join(d.dir, "handbill.state.lock")); err != nil {
				t.Error(err)
			}
		}
	}
	d.must(1, "apply", "-auto-approve")
	wantAll(t, d.stdout.String(), "Apply halted", "lock lost: the state's lock is not ours any more", "make sure that no other apply runs")
	if n.count() >= 5 {
		t.Error("all was sent although the lock was gone")
	}
}

// TestStateReplacedDuringApply puts another file at the state's path.
func TestStateReplacedDuringApply(t *testing.T) {
	d, n := springDesk(t)
	path := filepath.Join(d.dir, "handbill.state")
	n.onPost = func(k int) {
		if k != 1 {
			return
		}
		data, err := os.ReadFile(path)
		if err == nil {
			err = os.WriteFile(path+".new", data, 0o600)
		}
		if err == nil {
			err = os.Rename(path+".new", path)
		}
		if err != nil {
			t.Error(err)
		}
	}
	d.must(1, "apply", "-auto-approve")
	wantAll(t, d.stderr.String(), "State moved away", "another file lies there", "messages will be sent again")
}

// TestOutputsComeWithTheRun: an apply that does not begin leaves none.
func TestOutputsComeWithTheRun(t *testing.T) {
	d, _ := springDesk(t)
	d.write("out.hcl", "output \"who\" { value = \"everybody\" }\n")
	d.must(0, "apply", "-auto-approve")
	wantAll(t, d.must(0, "output"), `who = "everybody"`)
	s, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(d.dir, "handbill.state"), Clock: d.now, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if src, err := s.Get(t.Context(), "reply_source"); err != nil || len(src) == 0 {
		t.Errorf("what serve answers by is not in the state: %v", err)
	}
}
