package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/handbill/handbill/cli"
	"github.com/handbill/handbill/sandbox"
	"github.com/handbill/handbill/state"
)

// noon is the time of tests, unless they set another one.
var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// standing returns a time whose wall clock stands still while the monotonic clock
// runs, as if a whole command took less than a tick. The output is then the same in
// every run, but pacing and waiting still work.
func standing(wall time.Time) time.Time {
	const hasMonotonic, since1885 = 1 << 63, 2682288000 // package time counts seconds from 1885, this long before the Unix epoch
	t := time.Now()
	bits := (*uint64)(unsafe.Pointer(&t)) // the first word: flag, 33 bits of seconds, 30 bits of nanoseconds
	*bits = hasMonotonic | uint64(wall.Unix()+since1885)<<30 | uint64(wall.Nanosecond())
	return t
}

// desk is a person at a command line: a directory, an environment, a clock.
type desk struct {
	t     testing.TB
	dir   string
	env   []string
	build cli.Build
	wall  atomic.Int64 // the wall clock, in Unix seconds
	rand  io.Reader
	// clock is used instead of the wall clock where it is not nil.
	clock func() time.Time
	ahead atomic.Int64 // nanoseconds by which a desk's clock is ahead that has the database's time
	asks  bool         // its clock is compared with the database's

	space func(path string) (int64, error) // nil asks the file system

	// waited is called at each wait for a review; nil for nothing.
	waited func(time.Duration)

	interrupts chan os.Signal
	stdin      string
	stdout     bytes.Buffer
	stderr     lockedBuffer
}

func newDesk(t testing.TB) *desk {
	d := &desk{t: t, dir: t.TempDir(), env: []string{"USER=ada"}, build: release, rand: rand.NewChaCha8([32]byte{1}), interrupts: make(chan os.Signal)}
	d.wall.Store(noon.Unix())
	return d
}

func (d *desk) now() time.Time {
	if d.clock != nil {
		return d.clock()
	}
	return standing(time.Unix(d.wall.Load(), 0))
}

// stateTime is how a desk tells the time by the clock of a database: it shows the same
// as its own, unless the desk asks.
func (d *desk) stateTime() func(context.Context, state.Shared) (time.Time, error) {
	if d.asks {
		return nil
	}
	return func(context.Context, state.Shared) (time.Time, error) { return d.now(), nil }
}

// release is the build that desks run; golden files name it.
var release = cli.Build{Version: "0.1.0", Revision: "5d3f0c1a9be24478a6f1c20a7e8f64d1b90c2e37", Date: "2026-03-01T08:00:00Z", Go: "go1.26.0"}

// run runs a command and returns its exit code; its output is in d.stdout and
// d.stderr. Every run is one second later than the one before.
func (d *desk) run(args ...string) int {
	d.t.Helper()
	return d.runIn(context.Background(), args...)
}

// runIn is run with a context.
func (d *desk) runIn(ctx context.Context, args ...string) int {
	d.t.Helper()
	d.wall.Add(1)
	d.stdout.Reset()
	d.stderr.Reset()
	return cli.Main(ctx, args, cli.System{
		Stdin: strings.NewReader(d.stdin), Stdout: &d.stdout, Stderr: &d.stderr,
		Environ: d.env, Build: d.build, Now: d.now, Rand: d.rand, Dir: d.dir, Interrupts: d.interrupts, Width: 100, FreeSpace: d.space, StateTime: d.stateTime(),
		Spacing: -1, // its wall clock stands still while a command runs
		Sleep:   d.sleep,
	})
}

// sleep advances the wall clock when a command waits.
func (d *desk) sleep(ctx context.Context, long time.Duration) error {
	d.wall.Add(int64(long / time.Second))
	if d.waited != nil {
		d.waited(long)
	}
	return ctx.Err()
}

// must runs a command that has to end with the given code.
func (d *desk) must(code int, args ...string) string {
	d.t.Helper()
	if got := d.run(args...); got != code {
		d.t.Fatalf("handbill %s: exit %d, want %d\n%s%s", strings.Join(args, " "), got, code, d.stdout.String(), d.stderr.String())
	}
	return d.stdout.String()
}

// write writes a file in the desk's directory.
func (d *desk) write(name, content string) {
	d.t.Helper()
	path := filepath.Join(d.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		d.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		d.t.Fatal(err)
	}
}

// lockedBuffer is a buffer for output from several goroutines.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *lockedBuffer) Reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.b.Reset()
}

// network is a simulated WhatsApp network that a desk reaches as env("SANDBOX"),
// with the requests that it received.
type network struct {
	*sandbox.Sandbox
	url string

	mu       sync.Mutex
	requests []request
	arrived  int         // POSTs, including those that are not answered
	silent   bool        // keep no requests
	onPost   func(n int) // called before the nth POST is answered
}

// request is one POST as it arrived, with the status of its answer.
type request struct {
	path   string
	header http.Header
	body   []byte
	status int
}

// newNetwork starts a network and tells the desk where it is.
func newNetwork(d *desk, opt sandbox.Options) *network {
	opt.Clock = d.now
	n := &network{Sandbox: sandbox.New(opt)}
	handler := n.Handler()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || n.silent {
			handler.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the sender is gone
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		n.mu.Lock()
		n.arrived++
		nth := n.arrived
		n.mu.Unlock()
		if n.onPost != nil {
			n.onPost(nth)
		}
		rec := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		handler.ServeHTTP(rec, r)
		n.mu.Lock()
		defer n.mu.Unlock()
		n.requests = append(n.requests, request{r.URL.Path, r.Header, body, rec.status})
	}))
	d.t.Cleanup(server.Close)
	n.url = server.URL
	d.env = append(d.env, "SANDBOX="+server.URL)
	return n
}

func (n *network) count() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.requests)
}

// transcript shows every request in readable form.
func (n *network) transcript() []byte {
	n.mu.Lock()
	defer n.mu.Unlock()
	var b bytes.Buffer
	for _, r := range n.requests {
		fmt.Fprintf(&b, "POST %s -> %d\n", r.path, r.status)
		if err := json.Indent(&b, r.body, "", "  "); err != nil {
			b.Write(r.body)
		}
		b.WriteString("\n\n")
	}
	return b.Bytes()
}

// entries are the network's ledger.
func (n *network) entries() []sandbox.Entry {
	var out []sandbox.Entry
	n.Ledger(func(e sandbox.Entry) bool { out = append(out, e); return true })
	return out
}

// statusWriter records the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func TestStandingClock(t *testing.T) {
	a := standing(noon)
	if got := a.UTC().Format(time.RFC3339Nano); got != "2026-03-02T12:00:00Z" {
		t.Errorf("the wall clock shows %s", got)
	}
	for standing(noon).Sub(a) == 0 {
	}
	if !standing(noon).UTC().Round(0).Equal(noon) {
		t.Error("the wall clock moved")
	}
}
