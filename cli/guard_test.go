package cli_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/state/sqlite"
)

// TestRestoredStateIsAcknowledged follows a person who restored a backup that is
// older than the last sends.
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
	// An import brings in what was sent after the backup.
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

// olderCopy returns a desk whose state is a copy from before an apply, and how many
// messages that apply sent.
func olderCopy(t *testing.T) (d *desk, n *network, sent int) {
	t.Helper()
	d, n = springDesk(t)
	path := filepath.Join(d.dir, "handbill.state")
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	d.must(0, "apply", "-auto-approve")
	sent = n.count()
	if err := os.WriteFile(path, old, 0o600); err != nil {
		t.Fatal(err)
	}
	return d, n, sent
}

// TestRolledBackState replaces the state by a copy of an old file, as a restored
// disk does.
func TestRolledBackState(t *testing.T) {
	d, n, sent := olderCopy(t)
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

// TestOutputsComeWithTheRun checks that an apply that does not begin stores no
// outputs.
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

// TestAnOlderCopyIsSaidByEveryCommand copies an old state back with cp after a
// webhook and a run: every command says that it is older.
func TestAnOlderCopyIsSaidByEveryCommand(t *testing.T) {
	d, n, sent := olderCopy(t)
	const said, code = "State is older than what was sent", "handbill explain state_halted"
	for _, command := range [][]string{{"plan"}, {"status"}, {"state", "verify"}, {"apply", "-auto-approve"}, {"serve", "-listen=127.0.0.1:0"}} {
		d.must(1, command...)
		wantAll(t, d.stderr.String(), "Error: "+said, code)
	}
	for _, command := range [][]string{{"state", "list"}, {"state", "optouts", "list"}} {
		d.must(0, command...)
		wantAll(t, d.stderr.String(), "Warning: "+said)
	}
	wantAll(t, d.must(1, "plan", "-format=json"), `"code":"state_halted"`)
	wantAll(t, d.must(1, "status", "-json"), `"code":"state_halted"`)
	wantAll(t, d.must(1, "status", "-format=html"), said)
	d.must(1, "plan", "-out=saved.plan")
	if _, err := os.Stat(filepath.Join(d.dir, "saved.plan")); err == nil {
		t.Error("a plan was saved that would send again")
	}
	if n.count() != sent {
		t.Error("messages left from an older copy")
	}
	d.must(0, "state", "acknowledge", "-why=known")
	d.must(0, "plan")
	d.must(0, "status")
	d.must(0, "state", "verify")
}

// TestAStateThatLostItsJournal copies a state file without its journal while it
// is in use, for example into a container.
func TestAStateThatLostItsJournal(t *testing.T) {
	d, n := springDesk(t)
	path := filepath.Join(d.dir, "handbill.state")
	var inUse []byte
	n.onPost = func(k int) {
		if k == 3 {
			inUse, _ = os.ReadFile(path)
		}
	}
	d.must(0, "apply", "-auto-approve")
	sent := n.count()
	if err := os.WriteFile(path, inUse, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path + ".mark"); err != nil {
		t.Fatal(err)
	}
	for _, command := range [][]string{{"plan"}, {"status"}, {"state", "verify"}, {"apply", "-auto-approve"}, {"serve", "-listen=127.0.0.1:0"}, {"state", "acknowledge", "-why=x"}} {
		d.must(1, command...)
		wantAll(t, d.stderr.String(), "State and journal do not belong together", "handbill.state-wal is gone", `"handbill state restore handbill.state"`, "handbill explain state_journal")
	}
	if now, err := os.ReadFile(path); err != nil || string(now) != string(inUse) {
		t.Errorf("the file was changed, %v", err)
	}
	d.must(0, "state", "restore", "handbill.state")
	d.must(1, "apply", "-auto-approve")
	wantAll(t, d.stderr.String(), "it was restored from a backup")
	if n.count() != sent {
		t.Error("messages were sent again")
	}
}

func TestAClockThatWasAheadIsConfirmed(t *testing.T) {
	d, n := springDesk(t)
	const years = 10 * 365 * 24 * 3600
	d.wall.Add(years)
	d.must(0, "state", "optouts", "add", "+4915112345699")
	d.must(0, "apply", "-auto-approve", "-target=audience.all")
	d.wall.Add(-years)
	d.must(1, "apply", "-auto-approve")
	wantAll(t, d.stderr.String(), "Clock behind the state", "handbill state acknowledge -clock=2026-03-02", "handbill explain clock_behind")
	d.must(0, "plan")
	wantAll(t, d.stderr.String(), "Warning: Clock behind the state")
	d.must(1, "state", "acknowledge", "-why=the battery was empty")
	wantAll(t, d.stderr.String(), "-clock=2026-03-02")
	d.must(1, "state", "acknowledge", "-why=the battery was empty", "-clock=2036-02-28")
	wantAll(t, d.stderr.String(), "Clock not confirmed", "The clock shows 2026-03-02")
	wantAll(t, d.must(0, "state", "acknowledge", "-why=the battery was empty", "-clock=2026-03-02"), "a clock that was ahead")
	sent := n.count()
	d.must(0, "apply", "-auto-approve")
	if n.count() == sent {
		t.Error("nothing was sent once the clock was confirmed")
	}
	wantAll(t, d.must(0, "state", "pull"), "acknowledged that the clock was ahead", "the battery was empty")
}

func TestABackupOfAnotherProjectIsRefused(t *testing.T) {
	d, _ := springDesk(t)
	other, _ := springDesk(t)
	other.rand = rand.NewChaCha8([32]byte{2})
	for _, name := range []string{"", ".mark"} {
		if err := os.Remove(filepath.Join(other.dir, "handbill.state"+name)); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	other.must(0, "init")
	other.must(0, "state", "backup", filepath.Join(d.dir, "other.backup"))
	d.must(1, "state", "restore", "other.backup")
	said := d.stderr.String()
	wantAll(t, said, "Backup of another state", "handbill explain state_other", "The state was not changed")
	_, rest, _ := strings.Cut(said, "-lineage=")
	if len(rest) < 8 {
		t.Fatal(said)
	}
	d.must(0, "state", "restore", "-lineage="+rest[:8], "other.backup")
	d.must(1, "apply", "-auto-approve")
	wantAll(t, d.stderr.String(), "it was restored from a backup")
}

// put replaces the files of a desk's state by these.
func (d *desk) put(file, mark []byte) {
	d.t.Helper()
	path := filepath.Join(d.dir, "handbill.state")
	old, err := filepath.Glob(path + "*")
	if err != nil {
		d.t.Fatal(err)
	}
	for _, name := range old {
		if err := os.Remove(name); err != nil {
			d.t.Fatal(err)
		}
	}
	for name, data := range map[string][]byte{path: file, path + ".mark": mark} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			d.t.Fatal(err)
		}
	}
}

// file reads a file of a desk.
func (d *desk) file(name string) []byte {
	d.t.Helper()
	data, err := os.ReadFile(filepath.Join(d.dir, name))
	if err != nil {
		d.t.Fatal(err)
	}
	return data
}

// waysOut are the commands whose purpose is to deal with an older copy.
var waysOut = map[string]bool{"state restore": true, "state acknowledge": true}

// TestEveryCommandSaysThatAStateIsOlder runs every command of the table of outputs.
// Another file in the place of the state shows whether a command opens the state at
// all.
func TestEveryCommandSaysThatAStateIsOlder(t *testing.T) {
	d := printingDesk(t)
	old, mark := d.file("earlier.state"), d.file("handbill.state.mark")
	opened := 0
	for _, row := range printing {
		args := strings.Fields(row.args)
		if len(args) > 1 && waysOut[strings.Join(args[:2], " ")] {
			continue
		}
		said := func(file []byte) string {
			d.put(file, mark)
			d.stdin = row.stdin
			w := &cutWriter{left: 1 << 30}
			d.runCut(w, args...)
			return w.wrote.String() + d.stderr.String()
		}
		if !strings.Contains(said([]byte("no state")), "the state handbill.state") {
			continue
		}
		opened++
		if out := said(old); !strings.Contains(out, "State is older than what was sent") && !strings.Contains(out, `"code":"state_halted"`) {
			t.Errorf("handbill %s opens the state and does not say that it is older than what was sent:\n%s", row.args, out)
		}
	}
	if opened < 40 {
		t.Errorf("%d commands open the state", opened)
	}
}

// TestNoBackupIsRestoredBesideServe checks that a restore is refused while
// serve runs: serve would keep writing into the replaced file, and stops from
// then on would be lost.
func TestNoBackupIsRestoredBesideServe(t *testing.T) {
	d, _ := springDesk(t)
	d.must(0, "state", "backup", "copy")
	path := filepath.Join(d.dir, "handbill.state")
	served, err := sqlite.Lock(t.Context(), path+".serve", state.LockInfo{PID: 17, Host: "shop"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	before := d.file("handbill.state")
	for _, args := range [][]string{{"copy"}, {"-lock=false", "copy"}, {"-acknowledge=sure", "copy"}} {
		d.must(1, append([]string{"state", "restore"}, args...)...)
		wantAll(t, d.stderr.String(), "Not restored", "handbill serve runs on this state (pid 17 on shop)", "The state was not changed")
	}
	if !bytes.Equal(before, d.file("handbill.state")) {
		t.Error("the state was replaced")
	}
	if err := served.Unlock(); err != nil {
		t.Fatal(err)
	}
	d.must(0, "state", "restore", "copy")
}
