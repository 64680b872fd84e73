package faults

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/handbill/handbill/internal/pgtest"
)

// wire carries connections to a cluster. It can cut them, refuse new ones, delay
// what passes, and hold it.
type wire struct {
	dir  string // of its socket
	to   string // the cluster's socket
	lis  net.Listener
	work sync.WaitGroup

	mu    sync.Mutex
	open  map[net.Conn]bool
	away  bool
	delay time.Duration
	held  chan struct{} // closed when it passes again; nil while it passes
}

const pgSocket = ".s.PGSQL.5432"

func newWire(t testing.TB, c *pgtest.Cluster) *wire {
	t.Helper()
	dir, err := os.MkdirTemp("", "handbill-wire-") // t.TempDir's path is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{dir: dir, to: filepath.Join(c.Dir, pgSocket), open: map[net.Conn]bool{}}
	if w.lis, err = net.Listen("unix", filepath.Join(dir, pgSocket)); err != nil {
		t.Fatal(err)
	}
	w.work.Go(w.accept)
	t.Cleanup(func() {
		w.lis.Close()
		w.pass()
		w.cut()
		w.work.Wait()
		os.RemoveAll(dir)
	})
	return w
}

func (w *wire) accept() {
	for {
		in, err := w.lis.Accept()
		if err != nil {
			return
		}
		w.mu.Lock()
		away := w.away
		w.mu.Unlock()
		out, err := net.Dial("unix", w.to)
		switch {
		case err != nil:
			in.Close()
		case away:
			in.Close()
			out.Close()
		default:
			w.mu.Lock()
			w.open[in], w.open[out] = true, true
			w.mu.Unlock()
			w.work.Go(func() { w.carry(in, out) })
			w.work.Go(func() { w.carry(out, in) })
		}
	}
}

// carry carries one direction of a connection, and closes both when it ends.
func (w *wire) carry(from, to net.Conn) {
	defer w.close(from, to)
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		w.wait()
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// wait waits as long as what was read has to.
func (w *wire) wait() {
	w.mu.Lock()
	held, delay := w.held, w.delay
	w.mu.Unlock()
	if held != nil {
		<-held
	}
	time.Sleep(delay)
}

func (w *wire) close(conns ...net.Conn) {
	for _, c := range conns {
		c.Close()
		w.mu.Lock()
		delete(w.open, c)
		w.mu.Unlock()
	}
}

// cut closes all connections.
func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.open {
		c.Close()
	}
}

// leave cuts all connections and refuses new ones.
func (w *wire) leave() {
	w.mu.Lock()
	w.away = true
	w.mu.Unlock()
	w.cut()
}

// slow delays everything that passes.
func (w *wire) slow(by time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.delay = by
}

// hold lets nothing pass, and keeps the connections.
func (w *wire) hold() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.held == nil {
		w.held = make(chan struct{})
	}
}

// pass ends everything but what was cut.
func (w *wire) pass() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.held != nil {
		close(w.held)
	}
	w.held, w.delay, w.away = nil, 0, false
}

// TestWire checks that the wire does to connections what the tests rely on.
func TestWire(t *testing.T) {
	dir := t.TempDir()
	echo, err := net.Listen("unix", filepath.Join(dir, pgSocket))
	if err != nil {
		t.Skip(err) // the path is too long
	}
	defer echo.Close()
	go func() {
		for {
			c, err := echo.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				buf := make([]byte, 1)
				for {
					if _, err := c.Read(buf); err != nil {
						return
					}
					if _, err := c.Write(buf); err != nil {
						return
					}
				}
			}()
		}
	}()
	w := newWire(t, &pgtest.Cluster{Dir: dir})
	dial := func() net.Conn {
		c, err := net.Dial("unix", filepath.Join(w.dir, pgSocket))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	say := func(c net.Conn, wait time.Duration) error {
		if wait > 0 {
			if err := c.SetReadDeadline(time.Now().Add(wait)); err != nil {
				t.Fatal(err)
			}
			defer c.SetReadDeadline(time.Time{}) //nolint:errcheck // it was set above
		}
		buf := make([]byte, 1)
		_, err := c.Write([]byte("x"))
		if err == nil {
			_, err = c.Read(buf)
		}
		return err
	}
	c := dial()
	if err := say(c, 0); err != nil {
		t.Errorf("it does not carry: %v", err)
	}
	w.hold()
	if err := say(c, 50*time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("it passes although it is held: %v", err)
	}
	w.pass()
	if _, err := c.Read(make([]byte, 1)); err != nil {
		t.Errorf("what was held is lost: %v", err)
	}
	w.leave()
	if err := say(c, 0); err == nil {
		t.Error("a connection lives that was cut")
	}
	if err := say(dial(), 0); err == nil {
		t.Error("it takes a new connection")
	}
	w.pass()
	if err := say(dial(), 0); err != nil {
		t.Errorf("it does not come back: %v", err)
	}
}
