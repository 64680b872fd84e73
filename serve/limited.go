package serve

import (
	"container/list"
	"context"
	"crypto/tls"
	"net"
	"sync"
)

// limited is a listener with a bound on its connections. When it is full, a new
// connection replaces the oldest one of the address with the most connections, so
// that an address that opens thousands and sends nothing does not block others.
type limited struct {
	net.Listener
	most int

	mu    sync.Mutex
	count int
	from  map[string]*list.List // by host: its *limitedConn, the oldest first
}

func newLimited(l net.Listener, most int) *limited {
	return &limited{Listener: l, most: most, from: map[string]*list.List{}}
}

// Accept returns the next connection. A connection for which there is no place is
// already closed.
func (l *limited) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	out := &limitedConn{Conn: c, of: l, host: hostOf(c)}
	old, ok := l.add(out)
	if old != nil {
		_ = old.Conn.Close()
	}
	if !ok {
		_ = c.Close()
	}
	return out, nil
}

func hostOf(c net.Conn) string {
	host, _, err := net.SplitHostPort(c.RemoteAddr().String())
	if err != nil {
		return ""
	}
	return host
}

// add adds a connection; old is the connection that it replaces, nil for none.
func (l *limited) add(c *limitedConn) (old *limitedConn, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.count >= l.most {
		if old = l.oldest(); old == nil {
			return nil, false
		}
		l.drop(old)
	}
	if l.from[c.host] == nil {
		l.from[c.host] = list.New()
	}
	c.at = l.from[c.host].PushBack(c)
	l.count++
	return old, true
}

// oldest returns the oldest connection of the host with the most connections. It
// ignores those whose webhook is being stored; nil when there is no other.
func (l *limited) oldest() (out *limitedConn) {
	most := 0
	for _, conns := range l.from {
		if conns.Len() <= most {
			continue
		}
		for e := conns.Front(); e != nil; e = e.Next() {
			if c := e.Value.(*limitedConn); !c.busy {
				out, most = c, conns.Len()
				break
			}
		}
	}
	return out
}

// drop forgets a connection.
func (l *limited) drop(c *limitedConn) {
	if c.at == nil {
		return
	}
	conns := l.from[c.host]
	conns.Remove(c.at)
	c.at = nil
	l.count--
	if conns.Len() == 0 {
		delete(l.from, c.host)
	}
}

// limitedConn is a connection that holds a place in limited.
type limitedConn struct {
	net.Conn
	of   *limited
	host string
	at   *list.Element // nil when it has no place; with of.mu
	busy bool          // its webhook is being stored; with of.mu
}

// Close closes the connection and frees its place.
func (c *limitedConn) Close() error {
	c.of.mu.Lock()
	c.of.drop(c)
	c.of.mu.Unlock()
	return c.Conn.Close()
}

type connKey struct{}

// withConn puts the limited connection into a request's context.
func withConn(ctx context.Context, c net.Conn) context.Context {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	return context.WithValue(ctx, connKey{}, c)
}

// busy sets whether the request's connection is protected from being replaced.
func busy(ctx context.Context, on bool) {
	if c, ok := ctx.Value(connKey{}).(*limitedConn); ok {
		c.of.mu.Lock()
		defer c.of.mu.Unlock()
		c.busy = on
	}
}
