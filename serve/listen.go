package serve

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

// readAll reads r to its end. size is the expected length in bytes, negative when
// it is not known.
func readAll(r io.Reader, size int64) ([]byte, error) {
	var b bytes.Buffer
	if size > 0 {
		b.Grow(int(size) + bytes.MinRead)
	}
	_, err := b.ReadFrom(r)
	return b.Bytes(), err
}

// ListenOptions say where webhooks are received.
type ListenOptions struct {
	Addr string // "127.0.0.1:8080"
	// CertFile and KeyFile are PEM files; both or neither. They are read again
	// when they change.
	CertFile, KeyFile string
	// BehindProxy allows plain HTTP on an address that others can reach, since a
	// proxy in front of it speaks TLS.
	BehindProxy bool
	// MaxConns bounds the connections; 0 for 512.
	MaxConns int
	// Now is the clock by which certificate files are looked at again, at most
	// once a second; nil looks at them for every connection.
	Now func() time.Time
	// Reloaded is called when new certificate files were accepted, or refused with
	// an error; may be nil.
	Reloaded func(error)
}

// Listen opens the listener for Serve. Plain HTTP is refused on an address that
// others can reach.
func Listen(ctx context.Context, o ListenOptions) (net.Listener, error) {
	if (o.CertFile == "") != (o.KeyFile == "") {
		return nil, errors.New("a certificate needs its key and a key its certificate")
	}
	if o.CertFile == "" && !o.BehindProxy && !Loopback(o.Addr) {
		return nil, fmt.Errorf("%s can be reached by others, and webhooks carry personal data: give certificate files, listen on 127.0.0.1 behind a proxy, or say -insecure-behind-proxy", o.Addr)
	}
	var config *tls.Config
	if o.CertFile != "" {
		c := &certReloader{certFile: o.CertFile, keyFile: o.KeyFile, now: o.Now, told: o.Reloaded}
		if err := c.load(); err != nil {
			return nil, err
		}
		config = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.certificate, NextProtos: []string{"http/1.1"}}
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", o.Addr)
	if err != nil {
		return nil, err
	}
	if o.MaxConns == 0 {
		o.MaxConns = 512
	}
	l = newLimited(l, o.MaxConns)
	if config != nil {
		l = tls.NewListener(l, config)
	}
	return l, nil
}

// Loopback reports whether an address can be reached from this machine only.
func Loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// certReloader reads the certificate files again when they changed. It looks at
// them at most once a second.
type certReloader struct {
	certFile, keyFile string
	now               func() time.Time // nil: always look
	told              func(error)

	mu      sync.Mutex
	looked  time.Time
	cert    *tls.Certificate
	changed time.Time // newest modification of the two files
}

func (c *certReloader) modified() (time.Time, error) {
	var newest time.Time
	for _, name := range [...]string{c.certFile, c.keyFile} {
		info, err := os.Stat(name)
		if err != nil {
			return newest, err
		}
		if info.ModTime().After(newest) {
			newest = info.ModTime()
		}
	}
	return newest, nil
}

func (c *certReloader) load() error {
	at, err := c.modified()
	if err != nil {
		return fmt.Errorf("certificate: %w", err)
	}
	cert, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return fmt.Errorf("certificate: %w", err)
	}
	c.cert, c.changed = &cert, at
	return nil
}

// certificate is called for every handshake. It reads files that changed, and keeps
// the previous certificate while the new files cannot be used.
func (c *certReloader) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now != nil {
		now := c.now()
		if ago := now.Sub(c.looked); ago >= 0 && ago < time.Second {
			return c.cert, nil
		}
		c.looked = now
	}
	if at, err := c.modified(); err == nil && !at.Equal(c.changed) {
		err := c.load()
		if c.told != nil {
			c.told(err)
		}
	}
	return c.cert, nil
}

// Serve runs the server on l, and its metrics on m unless that is nil, until ctx
// ends. Then it answers the requests that have arrived, finishes work in progress,
// and returns.
func (s *Server) Serve(ctx context.Context, l, m net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	servers := []*http.Server{s.httpServer(s.Handler())}
	listeners := []net.Listener{l}
	if m != nil {
		servers, listeners = append(servers, s.httpServer(s.Metrics())), append(listeners, m)
	}
	errs := make(chan error, len(servers)+1)
	var wg sync.WaitGroup
	for i, srv := range servers {
		wg.Go(func() {
			if err := srv.Serve(listeners[i]); !errors.Is(err, http.ErrServerClosed) {
				errs <- err
				cancel()
			}
		})
	}
	// Fold what was accepted, once the last webhook is in.
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var work sync.WaitGroup
	work.Go(func() {
		if err := s.Run(running); err != nil {
			errs <- err
			cancel()
		}
	})
	<-ctx.Done()
	shutdown(servers)
	wg.Wait()
	s.keeping.Wait()
	stop()
	work.Wait()
	close(errs)
	return <-errs
}

// stopTime is how long requests in progress may still take after ctx ends.
const stopTime = 10 * time.Second

func shutdown(servers []*http.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	for _, srv := range servers {
		if srv.Shutdown(ctx) != nil {
			_ = srv.Close() // out of time: close the connections
		}
	}
}

func (s *Server) httpServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, ConnContext: withConn, ReadHeaderTimeout: min(2*time.Second, s.opt.ReadTimeout), ReadTimeout: s.opt.ReadTimeout,
		WriteTimeout: s.opt.ReadTimeout + 5*time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
		// Protocol errors of strangers are not worth logging.
		ErrorLog: log.New(io.Discard, "", 0),
	}
}
