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

// connection is one connection to a provider, used by one exchange at a time. The
// sending goroutine writes the request and reads the answer itself.
// http.Transport uses two more goroutines for each connection, which cost more
// than the rest of an exchange (docs/benchmarks.md).
type connection struct {
	tcp   net.Conn // closing it ends the connection at any moment
	conn  net.Conn // for reading and writing: tcp, or TLS over it
	in    *bufio.Reader
	from  source      // under in
	timer *time.Timer // calls cut when an answer, or the next request, takes too long
	cut   func()      // closes tcp
	era   int         // the pool's era when it was dialled
	out   []byte      // the request, kept for the next one
}

// source bounds how much of conn is read. It remembers an error that came together
// with bytes, before in gets to see it.
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

// pool holds the idle connections of a Client, by scheme and host. The zero value
// is ready to use.
type pool struct {
	mu   sync.Mutex
	idle map[string][]*connection
	era  int // connections of an earlier era are not used again
}

// now returns the current era, for a new connection.
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

// take returns the idle connection that was used last; nil if there is none. It
// drops connections that were cut or that the other side has closed: a request on
// one would be in doubt for no reason.
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
	w.cut = func() { _ = tcp.Close() } // nobody needs its error
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

// connectionOf returns a new connection; on err it closes what was opened.
func connectionOf(tcp, conn net.Conn, err error) (*connection, error) {
	if err == nil {
		return newConnection(tcp, conn), nil
	}
	if tcp != nil {
		_ = tcp.Close() // the first error counts
	}
	return nil, err
}

// errSwitched is returned for an answer that switches the connection to another
// protocol, or that is not HTTP/1.
var errSwitched = errors.New("the other side speaks another protocol")

// exchange writes one request and reads the head of its answer, both within
// head. The caller reads the body; after that, reusable reports whether the
// connection may be used again.
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
			w.from.left = math.MaxInt64 // the reader of the body bounds it
			return r, nil
		}
	}
	return nil, errSwitched
}

// body reads the whole body of r within d. If the body is already buffered, it
// does not reset the timer.
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

// reusable reports whether the connection can carry another request: the answer
// was read to its end, nothing is left over, and neither side wants it closed.
func (w *connection) reusable(r *http.Response) bool {
	return !r.Close && w.timer.Stop() && w.from.err == nil && w.in.Buffered() == 0 && w.drained()
}

// drained reports whether the TLS layer has no unread data buffered. Several
// records may arrive together, and the next one may be an answer to no request;
// checking the socket would not find it. A Read past its deadline returns buffered
// data and does not touch the socket.
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

// stale reports whether the other side has closed an idle connection, or has sent
// something on it.
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
