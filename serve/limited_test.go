package serve

import (
	"net"
	"testing"
)

// peer is a connection from an address.
type peer struct {
	net.Conn
	addr   string
	closed bool
}

func (p *peer) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.ParseIP(p.addr), Port: 1} }
func (p *peer) Close() error         { p.closed = true; return nil }

// peers is a listener that accepts connections from these addresses.
type peers struct {
	net.Listener
	next []*peer
}

func (p *peers) Accept() (net.Conn, error) {
	c := p.next[0]
	p.next = p.next[1:]
	return c, nil
}

func TestAFullListenerDropsTheOldestOfTheBusiestAddress(t *testing.T) {
	const meta, flood = "192.0.2.1", "198.51.100.9"
	accept := func(busyOnes int, addrs ...string) (closed []bool) {
		source := &peers{}
		for _, a := range addrs {
			source.next = append(source.next, &peer{addr: a})
		}
		all := source.next
		l := newLimited(source, 4)
		for i := range addrs {
			c, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			if i < busyOnes {
				c.(*limitedConn).busy = true
			}
		}
		if l.count > 4 {
			t.Errorf("%d connections are open", l.count)
		}
		for _, p := range all {
			closed = append(closed, p.closed)
		}
		return closed
	}
	for _, c := range []struct {
		name  string
		busy  int
		addrs []string
		want  []bool
	}{
		{"a flood of one address leaves another's alone", 0, []string{meta, flood, flood, flood, flood, flood}, []bool{false, true, true, false, false, false}},
		{"one that comes during a flood has a place", 0, []string{flood, flood, flood, flood, meta}, []bool{true, false, false, false, false}},
		{"one whose webhook is being stored stays", 1, []string{flood, flood, flood, flood, meta}, []bool{false, true, false, false, false}},
		{"where all are being stored the new one goes", 4, []string{meta, meta, meta, meta, flood}, []bool{false, false, false, false, true}},
	} {
		got := accept(c.busy, c.addrs...)
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%s: closed %v, want %v", c.name, got, c.want)
				break
			}
		}
	}
}
