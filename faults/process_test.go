package faults

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/handbill/handbill/sandbox"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/state/sqlite"
)

// binary is handbill with failpoints, built once per test run.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "handbill-faults-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "handbill")
	out, err := exec.Command("go", "build", "-buildvcs=false", "-tags", "fp", "-o", path, "..").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("building handbill: %w\n%s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	if os.Getenv("HANDBILL_FAULTS") == "later" {
		fmt.Println("skipped: make faults runs all of these at full size")
		os.Exit(0)
	}
	code := m.Run()
	if built {
		path, _ := binary()
		os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// built says that there is a binary to remove.
var built bool

func handbill(t testing.TB) string {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	built = true
	return path
}

// house is a project whose provider is a network in this process. The network
// survives every kill, so it knows what was really sent.
type house struct {
	t       testing.TB
	dir     string
	people  int
	wire    sandbox.Provider
	said    string // what an earlier command printed
	spaced  bool   // keep six seconds between two messages to one person
	rules   bool   // answer people, so that they get more than the campaign
	network *sandbox.Sandbox
}

// parallel is how many sends the tests' applies have in flight.
const parallel = 8

func newHouse(t testing.TB, people int, opt sandbox.Options) *house {
	t.Helper()
	return build(t, people, opt, plot{})
}

// plot describes what a house has besides a campaign on the Cloud API's wire
// format.
type plot struct {
	wire  sandbox.Provider
	dir   string // a new directory by default
	place bool   // the campaign sends a location, so that its messages differ from answers in their kind
	more  string // HCL
}

func build(t testing.TB, people int, opt sandbox.Options, on plot) *house {
	t.Helper()
	if on.wire == "" {
		on.wire = sandbox.Cloud
	}
	if on.dir == "" {
		on.dir = t.TempDir()
	}
	sent := `text_message "hi" { body = "Hello ${recipient.name}" }`
	if on.place {
		sent = "location_message \"hi\" {\n  latitude  = 52.5\n  longitude = 13.4\n}"
	}
	kind, _, _ := strings.Cut(sent, " ")
	opt.Clock, opt.AssumeOpen, opt.Throughput = time.Now, true, -1
	h := &house{t: t, dir: on.dir, people: people, wire: on.wire, rules: on.more != "", network: sandbox.New(opt)}
	server, err := h.network.Start(context.Background(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	h.write("main.hcl", fmt.Sprintf(`provider "sandbox" "main" {
  url        = %q
  wire       = %q
  throughput = 1000
}

audience "customers" {
  source "csv" { path = "contacts.csv" }
  attributes = { name = row.name }
}

%s

campaign "spring" {
  provider = provider.sandbox.main
  audience = audience.customers
  message  = %s.hi
  window   = "assume_open"
}
`, server.URL(), on.wire, sent, kind)+on.more)
	var contacts strings.Builder
	contacts.WriteString("phone,name\n")
	for i := range people {
		fmt.Fprintf(&contacts, "%s,N%d\n", person(i), i)
	}
	h.write("contacts.csv", contacts.String())
	if out, code := h.run("init"); code != 0 {
		t.Fatalf("init: %d\n%s", code, out)
	}
	return h
}

// person is the number of the i-th person.
func person(i int) string { return fmt.Sprintf("+49151%08d", i+10_000_000) }

func (h *house) write(name, text string) {
	h.t.Helper()
	if err := os.WriteFile(filepath.Join(h.dir, name), []byte(text), 0o644); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) statePath() string { return filepath.Join(h.dir, "handbill.state") }

func (h *house) command(args ...string) (*exec.Cmd, *bytes.Buffer) {
	cmd := exec.Command(handbill(h.t), args...)
	cmd.Dir = h.dir
	out := new(bytes.Buffer)
	cmd.Stdout, cmd.Stderr = out, out
	return cmd, out
}

// run runs a command to its end.
func (h *house) run(args ...string) (out string, code int) {
	cmd, buf := h.command(args...)
	err := cmd.Run()
	return buf.String(), exitCode(h.t, err)
}

func exitCode(t testing.TB, err error) int {
	t.Helper()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode() // -1 for a signal
	}
	t.Fatal(err)
	return 0
}

var applyArgs = []string{"apply", "-auto-approve", fmt.Sprint("-parallelism=", parallel)}

// running is a command that is running.
type running struct {
	cmd  *exec.Cmd
	out  *transcript
	done chan struct{} // closed at its end
	err  error         // how it ended
}

// start starts an apply.
func (h *house) start(env ...string) *running { return h.begin(applyArgs, env...) }

func (h *house) begin(args []string, env ...string) *running {
	h.t.Helper()
	return h.launch(handbill(h.t), args, env...)
}

func (h *house) launch(name string, args []string, env ...string) *running {
	h.t.Helper()
	return h.launchAs(nil, name, args, env...)
}

func (h *house) launchAs(own *syscall.SysProcAttr, name string, args []string, env ...string) *running {
	h.t.Helper()
	r := &running{cmd: exec.Command(name, args...), out: new(transcript), done: make(chan struct{})}
	r.cmd.Dir, r.cmd.Env, r.cmd.SysProcAttr = h.dir, append(os.Environ(), env...), own
	if !h.spaced {
		r.cmd.Env = append(r.cmd.Env, "HANDBILL_FP_SPACING=none")
	}
	r.cmd.Stdout, r.cmd.Stderr = r.out, r.out
	if err := r.cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	go func() {
		r.err = r.cmd.Wait()
		close(r.done)
	}()
	return r
}

// transcript is what a running process has written so far.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *transcript) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *transcript) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

func (r *running) signal(s syscall.Signal) { _ = r.cmd.Process.Signal(s) }

// halt stops the process and waits until each of its threads has stopped: the signal
// returns before, and a thread that still runs, or waits for the disk, may begin a
// commit after that.
func (r *running) halt(t testing.TB) {
	t.Helper()
	r.signal(syscall.SIGSTOP)
	for end := time.Now().Add(patience); !r.halted(); {
		if r.ended(time.Millisecond) || time.Now().After(end) {
			t.Fatalf("it does not stop:\n%s", r.out)
		}
	}
}

// halted reports whether all threads have stopped, as Linux tells.
func (r *running) halted() bool {
	stats, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", r.cmd.Process.Pid))
	if err != nil || len(stats) == 0 {
		return runtime.GOOS != "linux"
	}
	for _, name := range stats {
		data, err := os.ReadFile(name)
		_, after, _ := strings.Cut(string(data), ") ") // behind the name of the program
		if err != nil || !strings.HasPrefix(strings.ToUpper(after), "T") {
			return false
		}
	}
	return true
}

// interrupt sends a first signal and waits until it was handled: two signals at
// once would count as one.
func (r *running) interrupt(t testing.TB, s syscall.Signal) {
	t.Helper()
	r.signal(s)
	for end := time.Now().Add(patience); !strings.Contains(r.out.String(), "Interrupted: nothing new is sent"); {
		if r.ended(time.Millisecond) || time.Now().After(end) {
			t.Fatalf("it does not heed %v:\n%s", s, r.out)
		}
	}
}

// patience is how long a test waits for something to happen, on a busy machine.
const patience = 3 * time.Minute

// wait waits for the end of the command.
func (r *running) wait(t testing.TB) (out string, code int) {
	t.Helper()
	select {
	case <-r.done:
		return r.out.String(), exitCode(t, r.err)
	case <-time.After(patience):
		r.signal(syscall.SIGABRT)
		<-r.done
		t.Fatalf("it does not end:\n%s", r.out)
		return "", 0
	}
}

// posted waits until the network has seen n more sends, or apply has ended.
func (h *house) posted(r *running, n uint64) bool {
	for end := time.Now().Add(patience); time.Now().Before(end); {
		if h.network.Totals().Posts >= n {
			return true
		}
		select {
		case <-r.done:
			return false
		case <-time.After(time.Millisecond):
		}
	}
	h.t.Fatalf("apply sends nothing:\n%s", r.out)
	return false
}

// ended reports whether the command ends within a time without being stopped.
func (r *running) ended(within time.Duration) bool {
	select {
	case <-r.done:
		return true
	default:
	}
	select {
	case <-r.done:
		return true
	case <-time.After(within):
		return false
	}
}

const campaign = "campaign.spring"

// deliveries returns the campaign's deliveries in the state, by recipient.
func (h *house) deliveries() map[string]state.Delivery {
	h.t.Helper()
	out := map[string]state.Delivery{}
	for _, d := range h.of(campaign) {
		out[d.Recipient] = d
	}
	return out
}

// everything returns the deliveries of campaigns and of reply rules.
func (h *house) everything() []state.Delivery { return h.of("") }

func (h *house) of(campaign string) (out []state.Delivery) {
	h.t.Helper()
	h.read(func(ctx context.Context, s *sqlite.Store) error {
		snap, err := s.Snapshot(ctx)
		if err != nil {
			return err
		}
		defer snap.Close()
		for d, err := range snap.Deliveries(ctx, campaign) {
			if err != nil {
				return err
			}
			out = append(out, d)
		}
		return nil
	})
	return out
}

// read opens the state for reading.
func (h *house) read(fn func(context.Context, *sqlite.Store) error) {
	h.t.Helper()
	ctx := context.Background()
	s, err := sqlite.Open(ctx, sqlite.Options{Path: h.statePath(), Clock: time.Now, ReadOnly: true})
	if err != nil {
		h.t.Fatal(err)
	}
	defer s.Close()
	if err := fn(ctx, s); err != nil {
		h.t.Fatal(err)
	}
}

func count(all map[string]state.Delivery, send state.Send) (n int) {
	for _, d := range all {
		if d.Send == send {
			n++
		}
	}
	return n
}

// judge checks the state against the network's ledger: nobody was sent to twice,
// nobody is missing, and nothing is recorded that did not happen. It returns how
// many deliveries are in doubt.
func (h *house) judge() (doubts int) {
	h.t.Helper()
	posts, taken := map[string]int{}, map[string]int{}
	refs := map[string]int{}
	texts := map[string]string{} // of the campaign, which comes before any answer
	for e := range h.network.Ledger {
		to := "+" + strings.TrimPrefix(e.To, "+")
		posts[to]++
		if texts[to] == "" {
			texts[to] = e.Digest
		}
		if refs[e.Ref]++; refs[e.Ref] > 1 && e.Ref != "" {
			h.t.Errorf("one intent was sent %d times", refs[e.Ref])
		}
		if e.Accepted && !(h.rules && e.Digest != texts[to]) {
			taken[to]++
		}
	}
	all := h.deliveries()
	for to, n := range taken {
		if n > 1 {
			h.t.Errorf("%s got the message %d times", to, n)
		}
	}
	for to := range posts {
		if _, ok := all[to]; !ok {
			h.t.Errorf("a request to %s left, and the state does not know it", to)
		}
	}
	for i := range h.people {
		to := person(i)
		switch d := all[to]; {
		case d.Send == state.InDoubt:
			doubts++
		case d.Send == state.Accepted && taken[to] == 0:
			h.t.Errorf("%s counts as accepted, and the network never took it", to)
		case d.Send != state.Accepted:
			h.t.Errorf("%s was forgotten: it is %s", to, d.Send)
		}
	}
	return doubts
}
