package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Sandbox is one simulated network. It is safe for concurrent use.
type Sandbox struct {
	opt        Options
	key        uint64
	bad        map[string]bool
	ledger     *ledger
	script     *player
	templates  *registry
	catalogs   *catalogs
	singletons *singletons
	out        *dispatcher
	chats      *chats
	page       page

	closed    chan struct{}
	closeOnce sync.Once

	mu      sync.Mutex
	numbers map[string]*number
	faults  []error
	inbound uint32 // counts inbound messages
	media   uint32
}

// New makes a network. It panics if opt.Clock is nil or opt.Script does not pass
// Check.
func New(opt Options) *Sandbox {
	if opt.Clock == nil {
		panic("sandbox: Options.Clock is not set")
	}
	if opt.Script != nil {
		if err := opt.Script.Check(); err != nil {
			panic(err)
		}
	}
	opt.Statuses = opt.Statuses.orDefault()
	if opt.Throughput == 0 {
		opt.Throughput = 80
	}
	if opt.Chats == 0 {
		opt.Chats = 64
	}
	if opt.BadTokens == nil {
		opt.BadTokens = defaultBadTokens()
	}
	s := &Sandbox{
		opt: opt, key: mix(uint64(opt.Seed), 0x68616e6462696c6c), bad: map[string]bool{},
		ledger: newLedger(opt.Journal), chats: newChats(opt.Chats), page: newPage(),
		closed: make(chan struct{}), numbers: map[string]*number{},
	}
	s.script = newPlayer(opt.Script, s.key)
	s.templates = newRegistry(opt.Script, s.key, opt.Clock)
	s.catalogs = newCatalogs(opt.Script, s.key, opt.Clock)
	s.singletons = newSingletons(opt.Script)
	s.out = newDispatcher(opt.Clock, s.key, opt.Delivery)
	s.sendNotices()
	for _, t := range opt.BadTokens {
		s.bad[strings.ToLower(t)] = true
	}
	return s
}

// Handler serves the four wire formats under BasePath, the control paths under
// /_sandbox/ and the phone page at /. It answers only requests whose Host is a
// loopback name or one of Options.Hosts, and refuses what web pages of other
// sites send.
func (s *Sandbox) Handler() http.Handler { return s.handler(nil) }

func (s *Sandbox) handler(own []string) http.Handler {
	mux := http.NewServeMux()
	s.routeCloud(mux)
	s.routeDialog360(mux)
	s.routeKaleyra(mux)
	s.routeOneMsg(mux)
	s.routeControl(mux)
	s.routePage(mux)
	return guard(append(own, s.opt.Hosts...), mux)
}

// note keeps an internal fault for Close to return.
func (s *Sandbox) note(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.faults) < 10 {
		s.faults = append(s.faults, err)
	}
}

// shut releases every request that is being held in silence.
func (s *Sandbox) shut() { s.closeOnce.Do(func() { close(s.closed) }) }

// Server is a listening Sandbox.
type Server struct {
	sandbox *Sandbox
	http    *http.Server
	url     string
	stop    context.CancelFunc
	wg      sync.WaitGroup
	err     error
}

// Start listens on addr ("127.0.0.1:0" picks a port) and delivers webhooks
// until ctx ends or Close is called. An addr without a host listens on
// loopback only; say "0.0.0.0:PORT" to be reachable from elsewhere.
func (s *Sandbox) Start(ctx context.Context, addr string) (*Server, error) {
	if strings.HasPrefix(addr, ":") || addr == "" {
		addr = "127.0.0.1:" + strings.TrimPrefix(addr, ":")
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	ctx, stop := context.WithCancel(ctx)
	srv := &Server{
		sandbox: s, url: "http://" + l.Addr().String(), stop: stop,
		http: &http.Server{Handler: s.handler(ownHost(addr)), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute},
	}
	srv.wg.Go(func() { s.Run(ctx) })
	srv.wg.Go(func() {
		if err := srv.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			srv.err = err
		}
	})
	context.AfterFunc(ctx, func() { _ = srv.http.Close() })
	return srv, nil
}

// URL returns the server's base URL, without a path.
func (srv *Server) URL() string { return srv.url }

// BaseURL returns the base URL for a provider of that wire format.
func (srv *Server) BaseURL(p Provider) string { return srv.url + BasePath(p) }

// Close waits up to two seconds for the requests in progress and stops the
// server. Webhooks that are not yet due are dropped.
func (srv *Server) Close() error {
	srv.sandbox.shut()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if err := srv.http.Shutdown(ctx); err != nil {
		_ = srv.http.Close()
	}
	srv.stop()
	srv.wg.Wait()
	srv.sandbox.mu.Lock()
	defer srv.sandbox.mu.Unlock()
	return errors.Join(append(srv.sandbox.faults, srv.err)...)
}
