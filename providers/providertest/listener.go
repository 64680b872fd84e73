package providertest

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// script is the server of one trial. It accepts every message as the provider
// would, except for one, which meets the behaviour. It counts below HTTP:
// connections, and requests by their first line.
type script struct {
	net.Listener
	c       Case
	b       behaviour
	at      int      // the request, counted from 0, that meets the behaviour
	another *witness // where redirects to another host lead

	mu       sync.Mutex
	conns    []net.Conn
	begun    []int // for each request of which a byte came, its connection
	posts    int   // first lines of requests, in all that came
	conn     int   // the connection that met the behaviour; -1 before
	exchange int   // the number of that request on its connection
	strange  []string
	serving  sync.WaitGroup
	peer     *peer         // on that connection
	played   chan struct{} // closed when the behaviour is over
}

func newScript(c Case, b behaviour, at int) (*script, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	another, err := newWitness()
	if err != nil {
		return nil, err
	}
	if b.tls != nil {
		l = tls.NewListener(corks{l}, b.tls.server())
	}
	s := &script{Listener: l, c: c, b: b, at: at, another: another, conn: -1, played: make(chan struct{})}
	s.serving.Go(s.accept)
	return s, nil
}

func (s *script) url() string {
	if s.b.tls != nil {
		return "https://" + s.Addr().String()
	}
	return "http://" + s.Addr().String()
}

func (s *script) accept() {
	for {
		conn, err := s.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		n := len(s.conns)
		s.conns = append(s.conns, conn)
		s.mu.Unlock()
		s.serving.Go(func() { s.serve(conn, n) })
	}
}

// finish ends what is still open and waits for it.
func (s *script) finish() {
	_ = s.Close()
	s.mu.Lock()
	for _, conn := range s.conns {
		_ = conn.Close()
	}
	s.mu.Unlock()
	s.serving.Wait()
	s.another.finish()
}

// serve handles one connection from its beginning to its end.
func (s *script) serve(conn net.Conn, n int) {
	var all bytes.Buffer
	p := &peer{conn: conn, in: bufio.NewReader(io.TeeReader(conn, &all)), stray: success(s.c, 9)}
	defer func() {
		_ = conn.Close()
		s.mu.Lock()
		defer s.mu.Unlock()
		s.posts += bytes.Count(all.Bytes(), []byte("POST /"))
	}()
	for i := 0; ; i++ {
		if _, err := p.in.Peek(1); err != nil {
			return
		}
		s.negotiated(p)
		if s.meets(p, n, i) {
			again := s.play(p)
			close(s.played)
			if !again {
				return
			}
			continue
		}
		number, ok := s.read(p)
		if !ok {
			return
		}
		p.say(success(s.c, number))
	}
}

// negotiated checks that TLS, if used, carries HTTP/1.1.
func (s *script) negotiated(p *peer) {
	c, ok := p.conn.(*tls.Conn)
	if !ok || len(s.b.tls.protocols) == 0 {
		return
	}
	if spoken := c.ConnectionState().NegotiatedProtocol; spoken != "http/1.1" {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.strange = append(s.strange, "the protocol "+strconv.Quote(spoken))
	}
}

// meets reports whether the request that begins meets the behaviour.
func (s *script) meets(p *peer, conn, exchange int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begun = append(s.begun, conn)
	if len(s.begun)-1 != s.at {
		return false
	}
	s.peer, s.conn, s.exchange = p, conn, exchange
	return true
}

// play carries out the behaviour; it reports whether the connection stays open.
func (s *script) play(p *peer) bool {
	switch s.b.read {
	case head:
		p.readHead()
	case whole:
		s.read(p)
	}
	if s.b.say != nil {
		p.say(s.b.say(s.c, place{self: s.url(), another: s.another.url(), number: s.at}))
	}
	switch s.b.end {
	case reset:
		p.reset()
	case fin:
		p.fin()
	case hold:
		_, _ = io.Copy(io.Discard, p.in) // until the client gives up
	case keep:
		if s.b.read == whole {
			return true
		}
		_, ok := s.read(p)
		return ok
	}
	return false
}

// numbered matches the number of a trial's message in its request.
var numbered = regexp.MustCompile(bodyText + ` \(([0-9])\)`)

// read reads a whole request and returns the number of its message.
func (s *script) read(p *peer) (number int, ok bool) {
	r, err := http.ReadRequest(p.in)
	if err != nil {
		return 0, false
	}
	body, err := io.ReadAll(r.Body)
	found := numbered.FindSubmatch(body)
	if err != nil || found == nil {
		return 0, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for name := range r.Header {
		if strings.Contains(name, "Idempotency") || name == "Accept-Encoding" || name == "Expect" {
			s.strange = append(s.strange, name)
		}
	}
	if r.Proto != "HTTP/1.1" || r.Method != http.MethodPost {
		s.strange = append(s.strange, r.Method+" in "+r.Proto)
	}
	number, err = strconv.Atoi(string(found[1]))
	return number, err == nil
}

// peer is the server's end of a connection.
type peer struct {
	conn  net.Conn
	in    *bufio.Reader
	stray string // an answer to no message
}

// say writes text at once, so that what follows an answer arrives with it; over TLS
// it may be in several records. It is no error if the client closes before the end.
func (p *peer) say(text string) {
	c, ok := p.conn.(*tls.Conn)
	if !ok {
		_, _ = io.WriteString(p.conn, strings.ReplaceAll(text, newRecord, ""))
		return
	}
	under := c.NetConn().(*cork)
	under.put(true)
	for part := range strings.SplitSeq(text, newRecord) {
		_, _ = io.WriteString(c, part)
	}
	under.put(false)
	_, _ = under.Write(nil)
}

// cork is a connection that buffers what is written while in is set.
type cork struct {
	*net.TCPConn
	mu  sync.Mutex
	in  bool
	out []byte
}

func (c *cork) put(in bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.in = in
}

// Write implements net.Conn.
func (c *cork) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out = append(c.out, b...)
	if c.in {
		return len(b), nil
	}
	_, err := c.TCPConn.Write(c.out)
	c.out = nil
	return len(b), err
}

// corks are connections with a cork each.
type corks struct{ net.Listener }

func (l corks) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &cork{TCPConn: conn.(*net.TCPConn)}, nil
}

func (p *peer) readHead() {
	for {
		line, err := p.in.ReadString('\n')
		if err != nil || line == "\r\n" {
			return
		}
	}
}

func (p *peer) tcp() *net.TCPConn {
	if c, ok := p.conn.(*tls.Conn); ok {
		return c.NetConn().(*cork).TCPConn
	}
	return p.conn.(*net.TCPConn)
}

func (p *peer) reset() {
	_ = p.tcp().SetLinger(0)
	_ = p.tcp().Close()
}

// end closes the server's direction of the connection and does not wait.
func (p *peer) end() { _ = p.tcp().CloseWrite() }

func (p *peer) fin() {
	p.end()
	_, _ = io.Copy(io.Discard, p.in) // closing with bytes unread would be a reset
}

// witness is a server that should get no request. Only requests for its own path
// count: another test on this machine may dial a port that was free a moment ago.
type witness struct {
	net.Listener
	mu      sync.Mutex
	visits  int
	serving sync.WaitGroup
}

func newWitness() (*witness, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	w := &witness{Listener: l}
	w.serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			w.serving.Go(func() { w.receive(conn) })
		}
	})
	return w, nil
}

func (w *witness) receive(conn net.Conn) {
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	line, _ := bufio.NewReader(conn).ReadString('\n')
	if strings.Contains(line, witnessPath) {
		w.mu.Lock()
		w.visits++
		w.mu.Unlock()
	}
}

const witnessPath = "/nobody-should-come-here"

func (w *witness) url() string { return "http://" + w.Addr().String() + witnessPath }

func (w *witness) finish() {
	_ = w.Close()
	w.serving.Wait()
}
