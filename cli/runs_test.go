package cli_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/handbill/handbill/cli"
	"github.com/handbill/handbill/internal/pgtest"
	"github.com/handbill/handbill/sandbox"
)

// sharedDesk is a desk with a state in PostgreSQL and a network of its own.
func sharedDesk(t *testing.T) (*desk, *network) {
	return slowDesk(t, 0)
}

// slowDesk is a sharedDesk whose network takes this long to answer.
func slowDesk(t *testing.T, latency time.Duration) (*desk, *network) {
	d := newDesk(t)
	d.clock, d.asks = func() time.Time { return time.Now().Add(time.Duration(d.ahead.Load())) }, true
	schema := pgtest.Schema()
	d.env = append(d.env, "HANDBILL_STATE_URL="+pgtest.Shared(t).URL(), "HANDBILL_STATE_SCHEMA="+schema)
	n := newNetwork(d, sandbox.Options{AssumeOpen: true, Latency: latency})
	d.write("main.hcl", `handbill {
  state "postgres" {
    url    = env("HANDBILL_STATE_URL")
    schema = "`+schema+`"
  }
}

provider "sandbox" "main" { url = env("SANDBOX") }

audience "customers" {
  source "csv" { path = "contacts.csv" }
}

text_message "hi" { body = "Hello" }

campaign "spring" {
  provider = provider.sandbox.main
  audience = audience.customers
  message  = text_message.hi
  window   = "assume_open"
}
`)
	d.write("contacts.csv", "phone\n+4915112345671\n+4915112345672\n+4915112345673\n")
	d.must(0, "init")
	return d, n
}

// worker starts a worker in a directory without a configuration, and waits until
// it has printed said. so waits until it has printed something else, and returns
// everything that it printed. end interrupts it and returns the same.
func (d *desk) worker(said string) (so func(want string) string, end func() string) {
	var stderr lockedBuffer
	interrupts, done, code := make(chan os.Signal, 1), make(chan struct{}), 0
	elsewhere := d.t.TempDir()
	go func() {
		defer close(done)
		code = cli.Main(context.Background(), []string{"worker", "-metrics=127.0.0.1:0"}, cli.System{Stdin: strings.NewReader(""), Stdout: &lockedBuffer{}, Stderr: &stderr,
			Environ: d.env, Build: d.build, Now: d.now, Rand: d.rand, Dir: elsewhere, Interrupts: interrupts, Spacing: -1})
	}()
	ended := false
	end = func() string {
		if !ended {
			ended = true
			interrupts <- os.Interrupt
			<-done
			if code != 0 {
				d.t.Errorf("the worker ends with %d", code)
			}
		}
		return stderr.String()
	}
	d.t.Cleanup(func() { end() })
	so = func(want string) string {
		d.t.Helper()
		for range 500 {
			if text := stderr.String(); strings.Contains(text, want) {
				return text
			}
			d.must(0, "run", "list") // takes a moment
		}
		d.t.Fatalf("the worker does not say %q:\n%s", want, stderr.String())
		return ""
	}
	so(said)
	return so, end
}

// metricsOf reads the metrics from the URL that a worker printed.
func metricsOf(t *testing.T, said string) string {
	t.Helper()
	_, url, _ := strings.Cut(said, "metrics on ")
	url, _, _ = strings.Cut(url, "\n")
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// TestRunsCarriedOn checks that a run that is left to workers waits for them,
// keeps other applies out, can be stopped and resumed, and is driven by a
// worker that has only the state.
func TestRunsCarriedOn(t *testing.T) {
	d, n := sharedDesk(t)
	run, list := schema(t, "run.json"), func() string { return d.must(0, "run", "list", "-json") }
	if out := list(); out != `{"format_version":"1.0","runs":[]}`+"\n" {
		t.Errorf("without a run: %s", out)
	}
	if d.must(1, "apply", "-auto-approve", "-detach"); !strings.Contains(d.stderr.String(), "No worker is there that has the credentials of provider.sandbox.main") {
		t.Errorf("without a worker:\n%s", d.stderr.String())
	}
	fits(t, schema(t, "apply-stream.json"), d.must(0, "apply", "-auto-approve", "-detach", "-wait-for-workers", "-json"), true)
	if n.count() > 0 {
		t.Errorf("%d requests of an apply that leaves them to workers", n.count())
	}
	if out := d.must(0, "run", "list"); !strings.Contains(out, "provider.sandbox.main: waits for a worker") || !strings.Contains(out, "3 planned = ") {
		t.Errorf("run list:\n%s", out)
	}
	if out := d.must(0, "status"); !strings.Contains(out, "in run 1, which is open") || !strings.Contains(out, "waits for a worker") {
		t.Errorf("status:\n%s", out)
	}
	fits(t, schema(t, "status.json"), d.must(0, "status", "-json"), false)
	if d.must(7, "apply", "-auto-approve", "-detailed-exitcode"); !strings.Contains(d.stderr.String(), "handbill run stop 1") {
		t.Errorf("a second apply:\n%s", d.stderr.String())
	}
	if d.must(1, "state", "mv", "campaign.spring", "campaign.summer"); !strings.Contains(d.stderr.String(), "Run 1 is not over") {
		t.Errorf("a move:\n%s", d.stderr.String())
	}
	fits(t, run, d.must(0, "run", "stop", "-json", "1"), false)
	fits(t, run, d.must(130, "run", "follow", "-json", "1"), false)
	said, end := d.worker("can drive provider.sandbox.main")
	d.must(1, "run", "follow", "2")
	if n.count() > 0 {
		t.Error("a stopped run was driven")
	}
	d.must(0, "run", "resume", "1")
	fits(t, run, d.must(0, "run", "follow", "-json", "1"), false)
	for _, want := range []string{`handbill_sends_total{provider="provider.sandbox.main",result="accepted"} 3`, `handbill_takeovers_total{provider="provider.sandbox.main"} 1`,
		`handbill_lanes_owned{provider="provider.sandbox.main"} 0`, `handbill_turns_total{provider="provider.sandbox.main",result="done"}`} {
		if got := metricsOf(t, said("done provider.sandbox.main of run 1 (3 sent)")); !strings.Contains(got, want) {
			t.Errorf("/metrics does not say %s:\n%s", want, got)
		}
	}
	if said := end(); !strings.Contains(said, "can drive provider.sandbox.main") || !strings.Contains(said, "done provider.sandbox.main of run 1 (3 sent)") {
		t.Errorf("the worker said:\n%s", said)
	}
	if out := d.must(0, "status"); n.count() != 3 || !strings.Contains(out, "3 accepted") || strings.Contains(out, "open") {
		t.Errorf("%d requests; status:\n%s", n.count(), out)
	}
	d.must(1, "run", "stop", "1")
}

// TestAnApplyIsStoppedFromElsewhere checks that "run stop" ends the apply that
// drives the run, and that a worker sends the rest of it.
func TestAnApplyIsStoppedFromElsewhere(t *testing.T) {
	const people = 150 // more than can be sent before the stop is noticed
	d, n := slowDesk(t, 100*time.Millisecond)
	var contacts strings.Builder
	contacts.WriteString("phone\n")
	for i := range people {
		fmt.Fprintf(&contacts, "+49151%08d\n", i+10_000_000)
	}
	d.write("contacts.csv", contacts.String())
	var stopped lockedBuffer
	n.onPost = func(i int) {
		if i == 1 {
			cli.Main(context.Background(), []string{"run", "stop", "1"}, cli.System{Stdin: strings.NewReader(""), Stdout: &stopped, Stderr: &stopped,
				Environ: d.env, Build: d.build, Now: d.now, Rand: d.rand, Dir: d.dir})
		}
	}
	d.must(130, "apply", "-auto-approve", "-parallelism=1")
	if said := d.stderr.String(); !strings.Contains(said, "run resume 1") || !strings.Contains(stopped.String(), "Run 1, stopped") || !strings.Contains(stopped.String(), "1 in flight") || strings.Contains(stopped.String(), "in doubt") {
		t.Errorf("the apply printed:\n%s\nand run stop:\n%s", said, stopped.String())
	}
	if sent := n.count(); sent == 0 || sent == people {
		t.Fatalf("%d requests of an apply that was stopped", sent)
	}
	d.worker("can drive")
	d.must(0, "run", "resume", "1")
	d.must(0, "run", "follow", "1")
	if sent := n.count(); sent != people {
		t.Errorf("%d requests in all", sent)
	}
}

// TestAStoppedRunIsReplaced by the next apply, which sends the same people once.
func TestAStoppedRunIsReplaced(t *testing.T) {
	d, n := sharedDesk(t)
	d.must(0, "apply", "-auto-approve", "-detach", "-wait-for-workers")
	d.must(0, "run", "stop", "1")
	d.must(0, "apply", "-auto-approve")
	if n.count() != 3 {
		t.Errorf("%d requests", n.count())
	}
	if d.must(1, "run", "follow", "1"); !strings.Contains(d.stderr.String(), "Run was replaced") {
		t.Errorf("following the first:\n%s", d.stderr.String())
	}
	d.must(0, "run", "follow", "2")
}

// TestRunsSideBySide checks that an apply sends while another run is open that has
// no number and no campaign in common with it, that it is refused by name where they
// have, and that a run is followed without its id while it is the only one.
func TestRunsSideBySide(t *testing.T) {
	d, n := sharedDesk(t)
	if d.must(1, "run", "follow"); !strings.Contains(d.stderr.String(), "No run is open") {
		t.Errorf("following none:\n%s", d.stderr.String())
	}
	d.write("main.hcl", readFile(t, d.dir+"/main.hcl")+`
provider "sandbox" "second" { url = env("SANDBOX") }

campaign "autumn" {
  provider = provider.sandbox.second
  audience = audience.customers
  message  = text_message.hi
  window   = "assume_open"
}
`)
	d.must(0, "apply", "-auto-approve", "-detach", "-wait-for-workers", "-target=campaign.spring")
	if d.must(1, "apply", "-auto-approve"); !strings.Contains(d.stderr.String(), "Run 1 is not over, and has provider.sandbox.main, campaign.spring: it waits for workers") {
		t.Errorf("both campaigns:\n%s", d.stderr.String())
	}
	d.must(0, "apply", "-auto-approve", "-target=campaign.autumn")
	if n.count() != 3 {
		t.Errorf("%d requests of the second run", n.count())
	}
	d.must(0, "apply", "-auto-approve", "-target=campaign.autumn", "-replace=campaign.autumn", "-detach", "-wait-for-workers")
	if d.must(1, "run", "follow"); !strings.Contains(d.stderr.String(), "Say which one: 1, 3") {
		t.Errorf("following one of two:\n%s", d.stderr.String())
	}
	d.worker("can drive provider.sandbox.second")
	d.must(0, "run", "follow", "3")
	d.must(0, "run", "follow", "1")
	d.must(0, "apply", "-auto-approve", "-replace=campaign.spring", "-detach", "-wait-for-workers")
	d.must(0, "apply", "-auto-approve", "-lock-timeout=5m") // waits for the run, and finds nothing to do
	if n.count() != 12 {
		t.Errorf("%d requests in all", n.count())
	}
}

// TestAWorkerWithoutCredentials says what it lacks, and leaves the number to others.
func TestAWorkerWithoutCredentials(t *testing.T) {
	d, n := sharedDesk(t)
	d.write("main.hcl", strings.NewReplacer(`provider "sandbox" "main" { url = env("SANDBOX") }`, `provider "cloud" "main" {
  phone_number_id = "1"
  access_token    = env("TOKEN_OF_OTHERS")
}`, "provider.sandbox.main", "provider.cloud.main").Replace(readFile(t, d.dir+"/main.hcl")))
	d.must(0, "apply", "-auto-approve", "-detach", "-wait-for-workers")
	_, end := d.worker("cannot drive provider.cloud.main: its access_token reads the environment variable TOKEN_OF_OTHERS, which is not set")
	if said := end(); strings.Contains(said, "took") || n.count() > 0 {
		t.Errorf("it took a number that it cannot drive:\n%s", said)
	}
}

// TestAnApplyWithAWrongClock checks that an apply is refused before the first request
// while its clock differs from the database's, and says by how much.
func TestAnApplyWithAWrongClock(t *testing.T) {
	d, n := sharedDesk(t)
	for off, said := range map[time.Duration]string{-time.Minute: "behind the database's by 1m0s", 40 * time.Second: "ahead of the database's by 40s"} {
		d.ahead.Store(int64(off))
		for _, args := range [][]string{{"apply", "-auto-approve"}, {"apply", "-auto-approve", "-detach", "-wait-for-workers"}} {
			d.must(1, args...)
			wantAll(t, d.stderr.String(), "Clock differs from the database's", "his machine's clock is "+said, "so nothing was sent. Set the clock right (NTP), and run the command again")
		}
	}
	if n.count() > 0 {
		t.Error("messages left by a wrong clock")
	}
	d.ahead.Store(0)
	if d.must(0, "apply", "-auto-approve"); n.count() != 3 {
		t.Errorf("%d requests", n.count())
	}
}

// TestAWorkerWithAWrongClock checks that a worker sends nothing while its clock
// differs from the database's, that it gives its numbers back when that happens while
// it drives them, and that it goes on afterwards.
func TestAWorkerWithAWrongClock(t *testing.T) {
	d, n := slowDesk(t, 20*time.Millisecond)
	const people = 40
	var contacts strings.Builder
	contacts.WriteString("phone\n")
	for i := range people {
		fmt.Fprintf(&contacts, "+49151%08d\n", i+10_000_000)
	}
	d.write("contacts.csv", contacts.String())
	d.write("main.hcl", strings.Replace(readFile(t, d.dir+"/main.hcl"), `"main" { url = env("SANDBOX") }`, "\"main\" {\n  url = env(\"SANDBOX\")\n  throughput = 10\n}", 1))
	d.must(0, "apply", "-auto-approve", "-detach", "-wait-for-workers")
	d.ahead.Store(-int64(time.Minute))
	said, end := d.worker("clock is behind the database's by 1m0s")
	if text := said("clock"); strings.Contains(text, "took") || n.count() > 0 {
		t.Errorf("it sends with a clock that is behind:\n%s", text)
	}
	d.ahead.Store(0)
	said("took provider.sandbox.main of run 1")
	d.ahead.Store(int64(40 * time.Second))
	said("clock is ahead of the database's by 40s")
	said("gave back provider.sandbox.main of run 1")
	if sent := n.count(); sent == people {
		t.Errorf("all were sent before it gave its number back")
	}
	d.ahead.Store(0)
	d.must(0, "run", "follow", "1")
	if end(); n.count() != people {
		t.Errorf("%d requests", n.count())
	}
}
