package wire

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/net/idna"
)

// wire is one connection to a provider. One exchange at a time has it: the
// goroutine that sends writes the request and reads the answer itself, where
// http.Transport has two goroutines more for each connection, which cost more
// than the rest of an exchange (docs/benchmarks.md).
type connection struct {
	tcp   net.Conn // what is closed to end it at any moment
	conn  net.Conn // what is spoken on: tcp, or TLS over it
	in    *bufio.Reader
	from  source      // under in
	timer *time.Timer // cuts the wire when an answer, or the next request, takes too long
	cut   func()      // closes tcp
	era   int         // of the pool when it was dialled
	out   []byte      // the request, kept for the next one
}

// source bounds how much of conn is read, and remembers an error that came
// together with bytes, which in has not met yet.
type source struct {
	conn net.Conn
	left int64
	err  error
}

func (s *source) Read(p []byte) (n int, err error) {
	if s.left <= 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n, s.err = s.conn.Read(p[:min(int64(len(p)), s.left)])
	s.left -= int64(n)
	return n, s.err
}

// maxHead is how much of an answer's head is read, in bytes. Providers send a
// few hundred.
const maxHead = 256 << 10

// wires are the idle connections of a Client, by scheme and host. The zero
// value is ready.
type pool struct {
	mu   sync.Mutex
	idle map[string][]*connection
	era  int // connections of an earlier one are not used again
}

// now is the era in which a connection is dialled.
func (p *pool) now() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.era
}

// drop closes every idle connection, and those in use when their exchange ends.
func (p *pool) drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.era++
	for _, list := range p.idle {
		for _, w := range list {
			w.close()
		}
	}
	clear(p.idle)
}

// take gives the idle wire that was used last; nil where there is none. One that
// was cut or that the other side has closed meanwhile is dropped: a request on
// it would be a needless doubt.
func (p *pool) take(to string) *connection {
	for {
		p.mu.Lock()
		list := p.idle[to]
		if len(list) == 0 {
			p.mu.Unlock()
			return nil
		}
		w := list[len(list)-1]
		list[len(list)-1] = nil
		p.idle[to] = list[:len(list)-1]
		p.mu.Unlock()
		if w.timer.Stop() && !stale(w.tcp) {
			return w
		}
		w.close()
	}
}

// put keeps w for the next request, for as long as no provider closes it.
func (p *pool) put(to string, w *connection) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.idle[to]) >= maxFlights || w.era != p.era {
		w.close()
		return
	}
	if p.idle == nil {
		p.idle = map[string][]*connection{}
	}
	w.timer.Reset(idleTimeout)
	p.idle[to] = append(p.idle[to], w)
}

func newConnection(tcp, conn net.Conn) *connection {
	w := &connection{tcp: tcp, conn: conn}
	w.cut = func() { _ = tcp.Close() } // nobody waits for what it says
	w.timer = time.AfterFunc(math.MaxInt64, w.cut)
	w.from.conn = conn
	w.in = bufio.NewReader(&w.from)
	return w
}

func (w *connection) close() {
	w.timer.Stop()
	w.cut()
}

// dial connects to u's host. Every error of it proves that nothing was sent.
func (c *Client) dial(ctx context.Context, u *url.URL) (*connection, error) {
	host, port := u.Hostname(), u.Port()
	if ascii, err := idna.Lookup.ToASCII(host); err == nil && net.ParseIP(host) == nil {
		host = ascii
	}
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	tcp, through, err := c.connect(ctx, u, net.JoinHostPort(host, port))
	if err != nil || u.Scheme == "http" {
		return connectionOf(tcp, tcp, err)
	}
	config := c.tls.Clone()
	if config.ServerName == "" {
		config.ServerName = host
	}
	conn := tls.Client(through, config)
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	return connectionOf(tcp, conn, conn.HandshakeContext(ctx))
}

// connectionOf is a new wire, or closes what there is of it.
func connectionOf(tcp, conn net.Conn, err error) (*connection, error) {
	if err == nil {
		return newConnection(tcp, conn), nil
	}
	if tcp != nil {
		_ = tcp.Close() // the first error counts
	}
	return nil, err
}

// errSwitched is an answer that ends HTTP on the connection, or that is not
// HTTP/1 in the first place.
var errSwitched = errors.New("the other side speaks another protocol")

// exchange writes one request and reads the head of its answer, both within
// head. The caller reads the body. reusable, asked after that, says whether the
// wire may be used again.
func (w *connection) exchange(request []byte, head time.Duration) (*http.Response, error) {
	w.timer.Reset(head)
	w.from.left = maxHead
	if _, err := w.conn.Write(request); err != nil {
		return nil, err
	}
	for range 6 { // at most five times "wait" before the answer
		r, err := http.ReadResponse(w.in, nil)
		switch {
		case err != nil:
			return nil, err
		case r.StatusCode == http.StatusSwitchingProtocols, r.StatusCode < 100, r.ProtoMajor != 1:
			return nil, errSwitched
		case r.StatusCode >= 200:
			w.from.left = math.MaxInt64 // the body is bounded by who reads it
			return r, nil
		}
	}
	return nil, errSwitched
}

// body reads the whole body of r within d; a wire that has it already spares
// the timer.
func (w *connection) body(r *http.Response, d time.Duration) ([]byte, error) {
	defer r.Body.Close()
	n := r.ContentLength
	if n < 0 || n > int64(w.in.Buffered()) {
		if d > 0 { // else the head's time is all there is
			w.timer.Reset(d)
		}
		return io.ReadAll(io.LimitReader(r.Body, MaxReply+1))
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r.Body, b); err != nil {
		return b, err
	}
	return b, nil
}

// reusable reports whether nothing of the exchange is left on the wire: the
// answer was read to its end, and nobody wants it closed.
func (w *connection) reusable(r *http.Response) bool {
	return !r.Close && w.timer.Stop() && w.from.err == nil && w.in.Buffered() == 0 && w.drained()
}

// drained reports whether TLS holds nothing that it has read from the connection
// and not handed over: records come together, and the next one may be an answer
// that nobody asked for. A look at the socket cannot see it. A Read whose time is
// over gives what is there and does not touch the socket.
func (w *connection) drained() bool {
	if w.conn == w.tcp {
		return true
	}
	if w.conn.SetReadDeadline(time.Unix(1, 0)) != nil {
		return false
	}
	var one [1]byte
	n, err := w.conn.Read(one[:])
	return n == 0 && errors.Is(err, os.ErrDeadlineExceeded) && w.conn.SetReadDeadline(time.Time{}) == nil
}

// stale reports whether an idle connection was closed by the other side, or
// holds something that nobody asked for.
func stale(tcp net.Conn) bool {
	c, ok := tcp.(syscall.Conn)
	if !ok {
		return true
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return true
	}
	quiet := false
	err = raw.Control(func(fd uintptr) { quiet = silent(fd) })
	return err != nil || !quiet
}
