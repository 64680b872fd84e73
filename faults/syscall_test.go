package faults

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/handbill/handbill/sandbox"
)

// strace runs a handbill command under strace and returns strace's lines; it skips
// the test if strace cannot run.
func (h *house) strace(args []string, options ...string) (lines []string, out string, code int) {
	h.t.Helper()
	r, trace := h.traced(args, options...)
	out, code = r.wait(h.t)
	return readLines(h.t, trace), out, code
}

// traced starts such a command, and returns the file of strace's lines.
func (h *house) traced(args []string, options ...string) (*running, string) {
	h.t.Helper()
	if !traceable() {
		h.t.Skip("strace cannot run here")
	}
	trace := filepath.Join(h.t.TempDir(), "trace")
	all := append([]string{"-f", "-y", "-s", "24", "-o", trace}, options...)
	return h.launch("strace", append(append(all, handbill(h.t)), args...)), trace
}

var traceable = sync.OnceValue(func() bool { return exec.Command("strace", "-o", "/dev/null", "true").Run() == nil })

// child is the process that strace runs.
func (r *running) child(t testing.TB) *os.Process {
	t.Helper()
	pid := r.cmd.Process.Pid
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		t.Fatal(err)
	}
	child, err := strconv.Atoi(strings.Fields(string(data))[0])
	if err != nil {
		t.Fatal(err)
	}
	p, err := os.FindProcess(child)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func readLines(t testing.TB, path string) (lines []string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sc := bufio.NewScanner(f)
	for sc.Scan() {
		lines = append(lines, sc.Text())
	}
	if err := sc.Err(); err != nil {
		t.Fatal(err)
	}
	return lines
}

// walWatch follows the writes and syncs of the state's journal. A sync counts
// when it has returned.
type walWatch struct {
	unsynced bool
	syncs    int
	open     map[string]bool // threads that sync it
}

func (w *walWatch) see(line string) {
	thread, rest, _ := strings.Cut(line, " ")
	ours := strings.Contains(rest, "handbill.state-wal>")
	switch {
	case ours && strings.Contains(rest, "pwrite64("):
		w.unsynced = true
	case ours && strings.Contains(rest, "sync(") && strings.Contains(rest, "unfinished"):
		w.open[thread] = true
	case ours && strings.Contains(rest, "sync("), w.open[thread] && strings.Contains(rest, "sync resumed"):
		delete(w.open, thread)
		if strings.HasSuffix(rest, "= 0") {
			w.unsynced = false
			w.syncs++
		}
	}
}

// TestNoRequestBeforeItsIntentIsSynced watches the system calls of an apply that
// sends one message at a time. Whenever it writes a request, the journal has no
// unsynced writes, and it was synced since the last request, with that one's
// outcome and the next intent.
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
	posts, wal := 0, walWatch{syncs: 1, open: map[string]bool{}}
	for _, line := range lines {
		wal.see(line)
		if strings.Contains(line, `"POST `) {
			if wal.unsynced || wal.syncs == 0 {
				t.Fatalf("request %d left before its intent was synced", posts+1)
			}
			posts++
			wal.syncs = 0
		}
	}
	if posts != people {
		t.Errorf("%d requests were seen, want %d", posts, people)
	}
	t.Logf("%d requests, each after the sync of its intent", posts)
}

// TestNoWebhookIsAnsweredBeforeItIsSynced watches the system calls of a serve that
// gets one webhook at a time, and each only when it is idle. Between reading a
// webhook and answering it with 200 it writes and syncs the journal.
func TestNoWebhookIsAnsweredBeforeItIsSynced(t *testing.T) {
	webhooks := 6
	if ci, _ := effort(); ci {
		webhooks = 200
	}
	s := newStreet(t, 1, sandbox.Options{Seed: 4}, sandbox.Cloud)
	serving, trace := s.traced([]string{"serve", "-listen=127.0.0.1:0"}, "-e", "trace=pwrite64,fsync,fdatasync,write,read")
	s.listening(serving)
	for i := range webhooks {
		s.post.put(fmt.Appendf(nil, `{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":{"messaging_product":"whatsapp",
			"metadata":{"display_phone_number":"15550100000","phone_number_id":"1"},
			"statuses":[{"id":"wamid.%d","status":"delivered","timestamp":"1","recipient_id":"4915110000000"}]}}]}]}`, i))
		s.rest()
	}
	if err := serving.child(t).Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if out, code := serving.wait(t); code != 0 {
		t.Errorf("serve ends with %d:\n%s", code, out)
	}
	answered, read, wal := 0, false, walWatch{open: map[string]bool{}}
	for _, line := range readLines(t, trace) {
		wal.see(line)
		switch {
		case strings.Contains(line, `"POST /webhooks`):
			read, wal.syncs = true, 0
		case strings.Contains(line, `"HTTP/1.1 200`) && read:
			if wal.syncs == 0 { // the first sync is the webhook's own: joining it comes later
				t.Fatalf("webhook %d was answered with 200 before it was synced", answered+1)
			}
			answered++
			read = false
		}
	}
	if answered != webhooks {
		t.Errorf("%d answers were seen, want %d", answered, webhooks)
	}
	t.Logf("%d webhooks, each answered after its sync", answered)
}

// TestANewStateIsInItsDirectory checks that the directory entry of a new state
// is synced before the state is used.
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
