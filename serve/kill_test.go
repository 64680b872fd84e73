package serve_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/handbill/handbill/internal/pgtest"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/reply"
	"github.com/handbill/handbill/sandbox"
	"github.com/handbill/handbill/serve"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/state/sqlite"
)

// TestMain lets the test binary act as a server that can be killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv("HANDBILL_TEST_SERVE"); dir != "" {
		if err := serveChild(dir, os.Getenv("HANDBILL_TEST_NETWORK")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(pgtest.Main(m))
}

type childT struct{ testing.TB }

func (childT) Helper()           {}
func (childT) Fatal(args ...any) { panic(fmt.Sprint(args...)) }

// serveChild serves until it is killed; it writes its address to stdout.
func serveChild(path, network string) error {
	ctx := context.Background()
	store, err := sqlite.Open(ctx, sqlite.Options{Path: path, Clock: time.Now, Rand: rand.Reader, Wish: reply.BuiltIn().Wish})
	if err != nil {
		return err
	}
	rules := compile(childT{}, hello)
	p := metaNumber(childT{}, network)
	s, err := serve.New(ctx, serve.Options{Spacing: -1, Store: store, Now: time.Now, Rules: func(context.Context) (*reply.Rules, error) { return rules, nil },
		Numbers: []serve.Number{{Address: address, Type: "cloud", Name: "main", Webhook: p, Sender: providers.NewSender(p)}}})
	if err != nil {
		return err
	}
	l, err := serve.Listen(ctx, serve.ListenOptions{Addr: "127.0.0.1:0"})
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	return s.Serve(ctx, l, nil)
}

// child starts a server in a process of its own. It returns the URL for
// webhooks and a function that kills the process.
func child(t *testing.T, path, network string) (hook string, kill func()) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), "HANDBILL_TEST_SERVE="+path, "HANDBILL_TEST_NETWORK="+network)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = sync.OnceFunc(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
	})
	t.Cleanup(kill)
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatal("the server did not start")
	}
	return "http://" + lines.Text() + "/webhooks/cloud/main", kill
}

// A server that is killed in the middle of everything loses nothing that it
// answered with 200. The next one answers what was not answered, and nothing
// twice.
func TestKillLosesNothingAndRepeatsNothing(t *testing.T) {
	opt := network()
	var journal lockedLines
	opt.Journal = &journal
	net, err := sandbox.New(opt).Start(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer net.Close()
	path := filepath.Join(t.TempDir(), "handbill.state")
	store, err := sqlite.Create(t.Context(), sqlite.Options{Path: path, Clock: time.Now, Rand: rand.Reader, Wish: reply.BuiltIn().Wish})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	var taken sync.Map // what was answered with 200
	var n atomic.Int64
	for round := range 4 {
		hook, kill := child(t, path, net.URL())
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for {
					i := n.Add(1)
					if send(hook, i) != http.StatusOK {
						return // the server was killed meanwhile
					}
					taken.Store(i, true)
					if i >= int64(120*(round+1)) {
						kill()
					}
				}
			})
		}
		wg.Wait()
	}
	store, err = sqlite.Open(t.Context(), sqlite.Options{Path: path, Clock: time.Now, Rand: rand.Reader, Wish: reply.BuiltIn().Wish})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	finish(t, store, net.URL())
	if report, err := store.Verify(t.Context()); err != nil || !report.OK() {
		t.Errorf("the state does not verify: %+v, %v", report, err)
	}
	known := dump(t, store)
	lost, all := 0, 0
	taken.Range(func(i, _ any) bool {
		all++
		if !strings.Contains(known, fmt.Sprintf(`"wamid.%d"`, i)) {
			lost++
		}
		return true
	})
	if lost > 0 || all < 400 {
		t.Errorf("of %d webhooks that were answered with 200, %d are lost", all, lost)
	}
	replies := map[string]int{}
	for _, e := range journal.entries(t) {
		replies[e.To+e.Digest]++
	}
	twice := 0
	for _, n := range replies {
		if n > 1 {
			twice++
		}
	}
	doubts := 0
	for _, err := range store.InDoubt(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		doubts++
	}
	if twice > 0 {
		t.Errorf("%d messages were answered twice", twice)
	}
	if missing := all - len(replies); missing > doubts {
		t.Errorf("%d messages, %d answered, %d in doubt", all, len(replies), doubts)
	}
}

// finish runs a server until nothing waits.
func finish(t *testing.T, store *sqlite.Store, network string) {
	t.Helper()
	rules := compile(t, hello)
	p := metaNumber(t, network)
	settled := make(chan struct{}, 1)
	s, err := serve.New(t.Context(), serve.Options{Spacing: -1, Store: idle{store, settled}, Now: time.Now, Rules: func(context.Context) (*reply.Rules, error) { return rules, nil },
		Numbers: []serve.Number{{Address: address, Type: "cloud", Name: "main", Webhook: p, Sender: providers.NewSender(p)}}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	for {
		<-settled
		if a, b, err := store.Waiting(ctx); err != nil {
			t.Fatal(err)
		} else if a+b == 0 {
			break
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// idle is a store that signals when something was answered or nothing was open.
type idle struct {
	serve.Store
	settled chan struct{}
}

func (s idle) tell() {
	select {
	case s.settled <- struct{}{}:
	default:
	}
}

func (s idle) Answered(ctx context.Context, lane state.Lane, seqs ...int64) error {
	defer s.tell()
	return s.Store.Answered(ctx, lane, seqs...)
}

func (s idle) Claim(ctx context.Context, lane state.Lane, after int64, n int) ([]state.InboundRef, int64, error) {
	defer s.tell()
	return s.Store.Claim(ctx, lane, after, n)
}

// send posts the i-th message, of the i-th person, and returns the status; 0 if
// there is no answer.
func send(hook string, i int64) int {
	body := strings.ReplaceAll(envelope("messages", wrote(fmt.Sprintf("wamid.%d", i), fmt.Sprint("message ", i))), ana[1:], fmt.Sprintf("49151%08d", i))
	r, err := http.NewRequest(http.MethodPost, hook, strings.NewReader(body))
	if err != nil {
		return 0
	}
	r.Header.Set("X-Hub-Signature-256", sandbox.Signature(secret, []byte(body)))
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0
	}
	resp.Body.Close()
	return resp.StatusCode
}
