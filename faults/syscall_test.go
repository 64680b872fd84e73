package faults

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/handbill/handbill/sandbox"
	"github.com/handbill/handbill/state"
)

// strace runs a command of handbill under strace and returns its lines; the
// test is skipped where that cannot be.
func (h *house) strace(args []string, options ...string) (lines []string, out string, code int) {
	h.t.Helper()
	if err := exec.Command("strace", "-o", "/dev/null", "true").Run(); err != nil {
		h.t.Skipf("strace cannot run here: %v", err)
	}
	trace := filepath.Join(h.t.TempDir(), "trace")
	all := append([]string{"-f", "-y", "-s", "24", "-o", trace}, options...)
	all = append(append(all, handbill(h.t)), args...)
	cmd := exec.Command("strace", all...)
	cmd.Dir = h.dir
	text, err := cmd.CombinedOutput()
	f, openErr := os.Open(trace)
	if openErr != nil {
		h.t.Fatal(openErr)
	}
	defer f.Close()
	for sc := bufio.NewScanner(f); sc.Scan(); {
		lines = append(lines, sc.Text())
	}
	return lines, string(text), exitCode(h.t, err)
}

// TestNoRequestBeforeItsIntentIsSynced watches the system calls of an apply
// that sends one message at a time: whenever a request is written, nothing in
// the journal waits to be synced, and there was a sync since the last one, of
// its outcome and the next intent.
func TestNoRequestBeforeItsIntentIsSynced(t *testing.T) {
	people := 40
	if ci, _ := effort(); ci {
		people = 200
	}
	h := newHouse(t, people, sandbox.Options{Seed: 4})
	lines, out, code := h.strace([]string{"apply", "-auto-approve", "-parallelism=1"}, "-e", "trace=pwrite64,fsync,fdatasync,write")
	if code != 0 {
		t.Fatalf("apply ends with %d:\n%s", code, out)
	}
	posts, syncs, unsynced := 0, 1, false
	for _, line := range lines {
		switch {
		case strings.Contains(line, "pwrite64(") && strings.Contains(line, "handbill.state-wal>"):
			unsynced = true
		case strings.Contains(line, "sync(") && strings.Contains(line, "handbill.state-wal>"):
			unsynced = false
			syncs++
		case strings.Contains(line, `"POST `):
			if unsynced || syncs < 1 {
				t.Fatalf("request %d left before its intent was synced", posts+1)
			}
			posts++
			syncs = 0
		}
	}
	if posts != people {
		t.Errorf("%d requests were seen, want %d", posts, people)
	}
	t.Logf("%d requests, each after the sync of its intent", posts)
}

// TestANewStateIsInItsDirectory: the name of a new state is synced before it
// is used.
func TestANewStateIsInItsDirectory(t *testing.T) {
	h := newHouse(t, 1, sandbox.Options{})
	for _, name := range []string{"", ".mark"} {
		if err := os.Remove(h.statePath() + name); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	lines, out, code := h.strace([]string{"init"}, "-e", "trace=openat,rename,renameat,renameat2,link,linkat,fsync")
	if code != 0 {
		t.Fatalf("init ends with %d:\n%s", code, out)
	}
	made, synced := false, false
	for _, line := range lines {
		switch {
		case strings.Contains(line, `handbill.state"`) && (strings.Contains(line, "O_CREAT|O_EXCL") || strings.Contains(line, "link") || strings.Contains(line, "rename")):
			made, synced = true, false
		case strings.Contains(line, "fsync(") && strings.Contains(line, "<"+h.dir+">"):
			synced = made
		}
	}
	if !made || !synced {
		t.Errorf("the state was made: %v, its directory synced: %v", made, synced)
	}
}

// TestDiskErrors makes the n-th sync or write of an apply fail, for several n:
// it never panics, what was intended is never sent twice, nothing is sent that
// the state does not know, and it says what happened. The next apply goes on.
func TestDiskErrors(t *testing.T) {
	whens := []string{"9", "14"}
	if ci, _ := effort(); ci {
		whens = []string{"1", "2", "4", "7", "9", "12", "14", "20", "30", "60"}
	}
	for _, what := range []string{"fsync,fdatasync:error=EIO", "pwrite64:error=ENOSPC", "pwrite64:error=EIO"} {
		for _, when := range whens {
			t.Run(what+" "+when, func(t *testing.T) {
				h := newHouse(t, 30, sandbox.Options{Seed: 5})
				_, out, code := h.strace(applyArgs, "-e", "inject="+what+":when="+when+"+")
				if strings.Contains(out, "goroutine ") || strings.Contains(out, "bug in handbill") {
					t.Errorf("it panics, or blames itself:\n%s", out)
				}
				if code == 0 && h.network.Totals().Posts < 30 {
					t.Errorf("it ends well and sent %d:\n%s", h.network.Totals().Posts, out)
				}
				if code != 0 && !strings.Contains(out, "Error") {
					t.Errorf("it ends with %d and says nothing:\n%s", code, out)
				}
				open := count(h.deliveries(), state.Sending)
				if open > parallel {
					t.Errorf("%d are open, and no more than %d were in flight", open, parallel)
				}
				if out, code := h.run(applyArgs...); code != 0 {
					t.Errorf("the next apply ends with %d:\n%s", code, out)
				}
				h.judge()
				if out, code := h.run("state", "verify"); code != 0 {
					t.Errorf("verify ends with %d:\n%s", code, out)
				}
			})
		}
	}
}
