package faults

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/handbill/handbill/internal/pgtest"
	"github.com/handbill/handbill/sandbox"
)

// fleet is a state in PostgreSQL, workers, and sending numbers, each with a
// separate network in this process.
type fleet struct {
	*house
	env      []string
	database *pgtest.Cluster
	networks []*valve // by number
	workers  []*running
}

// valve is a network that takes only as many messages as the test allows. Further
// requests wait, so that they are in flight while the test does the next step.
type valve struct {
	*sandbox.Sandbox

	mu      sync.Mutex
	allowed int
	passed  int
	turned  chan struct{} // closed when more are allowed
}

func (v *valve) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost && !v.pass(r.Context()) {
		panic(http.ErrAbortHandler) // whoever asked is gone
	}
	v.Handler().ServeHTTP(w, r)
}

// pass waits until another message is allowed; false if the client is gone.
func (v *valve) pass(ctx context.Context) bool {
	for {
		v.mu.Lock()
		if v.passed < v.allowed {
			v.passed++
			v.mu.Unlock()
			return true
		}
		turned := v.turned
		v.mu.Unlock()
		select {
		case <-turned:
		case <-ctx.Done():
			return false
		}
	}
}

func (v *valve) allow(more int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.allowed += more
	close(v.turned)
	v.turned = make(chan struct{})
}

// newFleet declares a campaign for each number, all to the same people.
func newFleet(t *testing.T, numbers, people, rate int) *fleet {
	t.Helper()
	f := &fleet{house: &house{t: t, dir: t.TempDir(), people: people}}
	f.database = pgtest.Start(t, "handbill", "")
	f.env = []string{"HANDBILL_STATE_URL=" + f.database.URL(), "HANDBILL_FP_SPACING=none"}
	config := `handbill {
  state "postgres" { url = env("HANDBILL_STATE_URL") }
}

audience "customers" {
  source "csv" { path = "contacts.csv" }
}

text_message "hi" { body = "Hello" }
`
	for i := range numbers {
		v := &valve{Sandbox: sandbox.New(sandbox.Options{Seed: int64(i), Clock: time.Now, AssumeOpen: true, Throughput: -1}), turned: make(chan struct{})}
		server := httptest.NewServer(v)
		t.Cleanup(server.Close)
		f.networks = append(f.networks, v)
		config += fmt.Sprintf(`
provider "sandbox" "n%[1]d" {
  url        = %[2]q
  throughput = %[3]d
}

campaign "c%[1]d" {
  provider = provider.sandbox.n%[1]d
  audience = audience.customers
  message  = text_message.hi
  window   = "assume_open"
}
`, i, server.URL, rate)
	}
	f.write("main.hcl", config)
	var contacts strings.Builder
	contacts.WriteString("phone\n")
	for i := range people {
		fmt.Fprintln(&contacts, person(i))
	}
	f.write("contacts.csv", contacts.String())
	f.must(0, "init")
	t.Cleanup(func() {
		for _, w := range f.workers {
			w.signal(syscall.SIGKILL)
			<-w.done
		}
	})
	return f
}

// must runs a command, which must end with this code.
func (f *fleet) must(want int, args ...string) (out string) {
	f.t.Helper()
	out, code := f.begin(args, f.env...).wait(f.t)
	if code != want {
		f.t.Fatalf("%s ends with %d:\n%s\n%s", strings.Join(args, " "), code, out, f.said())
	}
	return out
}

// said returns what the workers printed.
func (f *fleet) said() string {
	var b strings.Builder
	for i, w := range f.workers {
		fmt.Fprintf(&b, "worker %d:\n%s", i, w.out)
	}
	return b.String()
}

// worker starts a worker in a separate directory without a configuration.
func (f *fleet) worker() *running {
	f.t.Helper()
	there := filepath.Join(f.dir, fmt.Sprintf("worker-%d", len(f.workers)))
	if err := os.Mkdir(there, 0o755); err != nil {
		f.t.Fatal(err)
	}
	w := f.begin([]string{"-chdir=" + there, "worker", fmt.Sprint("-parallelism=", parallel)}, f.env...)
	f.workers = append(f.workers, w)
	return w
}

// ready waits until a worker has announced itself for every number.
func (f *fleet) ready(w *running) {
	f.t.Helper()
	for end := time.Now().Add(patience); strings.Count(w.out.String(), "can drive ") < len(f.networks); {
		if w.ended(time.Millisecond) || time.Now().After(end) {
			f.t.Fatalf("the worker does not announce itself:\n%s", w.out)
		}
	}
}

// openRun is a run in the output of "run list -json".
type openRun struct {
	Run     int64
	Numbers []struct {
		Number, Owner string
		PID           int
		Done          bool
	}
	Campaigns []struct {
		Planned, Accepted, Rejected, Cancelled, Held, Pending int
		InDoubt                                               int `json:"in_doubt"`
	}
}

func (f *fleet) open() (runs []openRun) {
	f.t.Helper()
	var doc struct{ Runs []openRun }
	if err := json.Unmarshal([]byte(f.must(0, "run", "list", "-json")), &doc); err != nil {
		f.t.Fatal(err)
	}
	return doc.Runs
}

// owner waits until a process other than these owns the first number, and
// returns its id.
func (f *fleet) owner(but ...int) int {
	f.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(500 * time.Millisecond) {
		runs := f.open()
		if len(runs) != 1 || runs[0].Numbers[0].Done {
			f.t.Fatalf("it was over before anybody took over: %+v\n%s", runs, f.said())
		}
		if pid := runs[0].Numbers[0].PID; pid != 0 && !slices.Contains(but, pid) {
			return pid
		}
	}
	f.t.Fatalf("nobody takes over\n%s", f.said())
	return 0
}

// posts allows this many more messages on each network, and waits until they have
// arrived.
func (f *fleet) posts(more int) {
	f.t.Helper()
	f.allow(more)
	for _, v := range f.networks {
		for end := time.Now().Add(patience); v.Totals().Posts < uint64(v.allowed); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				f.t.Fatalf("nothing is sent\n%s", f.said())
			}
		}
	}
}

// drain allows one message after another until a command ends that waits for the
// requests in flight.
func (f *fleet) drain(r *running) (out string, code int) {
	f.t.Helper()
	for !r.ended(100 * time.Millisecond) {
		f.allow(1)
	}
	return r.wait(f.t)
}

func (f *fleet) allow(more int) {
	for _, v := range f.networks {
		v.allow(more)
	}
}

// of returns the worker with this process id.
func (f *fleet) of(pid int) *running {
	f.t.Helper()
	for _, w := range f.workers {
		if w.cmd.Process.Pid == pid {
			return w
		}
	}
	f.t.Fatalf("%d is no worker", pid)
	return nil
}

// follow follows the run to its end, and returns it.
func (f *fleet) follow(run int64) openRun {
	f.t.Helper()
	r := f.begin([]string{"run", "follow", "-json", fmt.Sprint(run)}, f.env...)
	<-r.done
	out := r.out.String()
	var end openRun
	if err := json.Unmarshal([]byte(out[max(strings.Index(out, "{"), 0):]), &end); err != nil {
		f.t.Fatalf("%v\n%s", err, out)
	}
	return end
}

// judge compares the end of the run with what the networks saw: nobody got a
// message twice, everybody was sent to or is in doubt, and the counts add up.
// It returns how many are in doubt. In any second a network may see as many
// messages as the rate allows, and those that earlier processes had in flight.
func (f *fleet) judge(end openRun, rate, owners int) (doubts int) {
	f.t.Helper()
	for i, c := range end.Campaigns {
		taken := map[string]int{}
		var times []time.Time
		for e := range f.networks[i].Ledger {
			times = append(times, e.At)
			if e.ID != "" {
				taken[e.To]++
			}
		}
		for to, n := range taken {
			if n > 1 {
				f.t.Errorf("number %d: %s got it %d times", i, to, n)
			}
		}
		if c.Planned != f.people || c.Accepted+c.InDoubt != f.people || c.Rejected+c.Cancelled+c.Held+c.Pending != 0 {
			f.t.Errorf("number %d: %+v", i, c)
		}
		if len(taken) < c.Accepted || len(taken) > c.Accepted+c.InDoubt {
			f.t.Errorf("number %d: the network took %d, the state has %d and %d in doubt", i, len(taken), c.Accepted, c.InDoubt)
		}
		for from := range times {
			if last := from + rate + owners*parallel; last < len(times) && times[last].Sub(times[from]) < time.Second {
				f.t.Errorf("number %d: more than %d messages in a second", i, last-from)
				break
			}
		}
		doubts += c.InDoubt
	}
	return doubts
}

// TestACampaignGoesOn kills the worker that drives a run, stops the next one for
// longer than its limit, and then restarts the database. Others take over, nobody
// gets a message twice, and nobody is forgotten. The stopped worker finds that it
// is fenced.
func TestACampaignGoesOn(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for the limits of lanes")
	}
	t.Parallel()
	const numbers, people, rate = 2, 150, 20
	f := newFleet(t, numbers, people, rate)
	if out := f.must(1, "apply", "-auto-approve", "-detach"); !strings.Contains(out, "No worker") {
		t.Errorf("without a worker:\n%s", out)
	}
	f.ready(f.worker())
	f.must(0, "apply", "-auto-approve", "-detach")
	killed := f.owner()
	f.worker()
	f.posts(20)
	if out := f.must(1, "apply", "-auto-approve"); !strings.Contains(out, "Run is open") || !strings.Contains(out, fmt.Sprint(killed)) {
		t.Errorf("a second apply:\n%s", out)
	}
	f.of(killed).signal(syscall.SIGKILL)
	stopped := f.owner(killed)
	f.worker()
	f.posts(20)
	f.of(stopped).signal(syscall.SIGSTOP)
	f.owner(killed, stopped)
	f.of(stopped).signal(syscall.SIGCONT)
	f.posts(20)
	if err := errors.Join(f.database.Down(), f.database.Up()); err != nil {
		t.Fatal(err)
	}
	f.allow(people)
	end := f.follow(1)
	doubts := f.judge(end, rate, 2)
	if most := 3 * numbers * parallel; doubts > most {
		t.Errorf("%d in doubt, and at most %d were under way", doubts, most)
	}
	if out := f.of(stopped).out.String(); !strings.Contains(out, "lost provider.sandbox.n0") {
		t.Errorf("the one that was stopped says:\n%s", out)
	}
	t.Logf("%d in doubt after a kill, a stop and the end of the database", doubts)
	if t.Failed() {
		t.Log(f.said())
	}
}

// TestAnApplyThatDiesIsCarriedOn checks that a worker takes over from an apply
// that died, that an interrupted worker gives its numbers back at once, and
// that a stopped run continues after it is resumed.
func TestAnApplyThatDiesIsCarriedOn(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for the limits of lanes")
	}
	t.Parallel()
	const people, rate = 250, 20
	f := newFleet(t, 1, people, rate)
	first := f.worker()
	apply := f.begin(applyArgs, f.env...)
	f.posts(20)
	if pid := f.owner(); pid != apply.cmd.Process.Pid {
		t.Fatalf("%d drives it", pid)
	}
	apply.signal(syscall.SIGKILL)
	<-apply.done
	if pid := f.owner(apply.cmd.Process.Pid); pid != first.cmd.Process.Pid {
		t.Fatalf("%d took over", pid)
	}
	f.posts(20)
	f.must(0, "run", "stop", "1")
	if out, code := f.drain(f.begin([]string{"run", "follow", "1"}, f.env...)); code != 130 || !strings.Contains(out, "Run 1, stopped") {
		t.Errorf("a stopped run: %d\n%s", code, out)
	}
	f.worker()
	f.must(0, "run", "resume", "1")
	f.posts(20)
	now := f.of(f.owner())
	now.interrupt(t, syscall.SIGTERM)
	if out, code := f.drain(now); code != 0 || !strings.Contains(out, "gave back") {
		t.Errorf("exit %d:\n%s", code, out)
	}
	f.allow(people)
	if doubts := f.judge(f.follow(1), rate, 2); doubts > parallel {
		t.Errorf("%d in doubt, and at most %d were under way", doubts, parallel)
	}
	if t.Failed() {
		t.Log(f.said())
	}
}
