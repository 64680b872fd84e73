package serve

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/handbill/handbill/internal/fp"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/state"
)

// Handler serves /webhooks/TYPE/NAME[/TOKEN], /healthz, /readyz and the links of
// messages. Every other path gets the same 404.
func (s *Server) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-store")
		switch {
		case r.URL.Path == "/healthz" && r.Method == http.MethodGet:
			plain(w, http.StatusOK, "ok\n")
		case r.URL.Path == "/readyz" && r.Method == http.MethodGet:
			s.ready(w, r)
		default:
			if strings.HasPrefix(r.URL.Path, "/webhooks/") || !s.redirect(w, r) {
				s.webhook(w, r)
			}
		}
	})
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	// An error means that the client has gone away.
	_, _ = w.Write([]byte(text))
}

func notFound(w http.ResponseWriter) { plain(w, http.StatusNotFound, "not found\n") }

// ready reports whether webhooks are accepted.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	if _, _, err := s.opt.Store.Waiting(r.Context()); err != nil || s.broken.Load() != nil {
		plain(w, http.StatusServiceUnavailable, "the state is not usable\n")
		return
	}
	plain(w, http.StatusOK, "ready\n")
}

// webhook finds the number of a path, and answers a GET or POST for it.
func (s *Server) webhook(w http.ResponseWriter, r *http.Request) {
	n, vouched, token := s.find(r.URL.Path)
	switch {
	case n == nil:
		notFound(w)
	case r.Method == http.MethodGet:
		s.handshake(w, r, n)
	case r.Method == http.MethodPost:
		s.receive(w, r, n, vouched, token)
	default:
		notFound(w)
	}
}

// find looks up the number of a path. vouched says that the path holds the number's
// secret; token is the SHA-256 of the secret's part of the path. An unknown path
// takes the same work, so that the response time reveals nothing.
func (s *Server) find(path string) (n *number, vouched bool, token [32]byte) {
	rest, ok := strings.CutPrefix(path, "/webhooks/")
	typ, rest, _ := strings.Cut(rest, "/")
	name, last, _ := strings.Cut(rest, "/")
	n = s.paths[typ+"/"+name]
	var tokens [][32]byte
	if n != nil {
		tokens = n.tokens
	}
	got, match := hash(last), 0
	for i := range max(len(tokens), 1) {
		var want [32]byte
		if i < len(tokens) {
			want = tokens[i]
		}
		match |= subtle.ConstantTimeCompare(got[:], want[:])
	}
	switch {
	case !ok || n == nil:
		return nil, false, got
	case len(tokens) > 0:
		if match == 0 {
			return nil, false, got
		}
		return n, true, got
	case last != "":
		return nil, false, got
	}
	return n, n.TrustUnsigned, got
}

func hash(s string) [32]byte { return sha256.Sum256([]byte(s)) }

// handshake answers the provider's check of the URL.
func (s *Server) handshake(w http.ResponseWriter, r *http.Request, n *number) {
	body, ok := n.Webhook.Handshake(r.URL.Query())
	if !ok {
		notFound(w)
		return
	}
	plain(w, http.StatusOK, body)
}

// receive accepts one webhook: it is checked, decoded, made durable, and only
// then answered with 200.
func (s *Server) receive(w http.ResponseWriter, r *http.Request, n *number, vouched bool, token [32]byte) {
	began := s.opt.Now()
	defer busy(r.Context(), false)
	status := s.accept(w, r, n, vouched, token)
	s.metrics.received(n.Address, status, s.opt.Now().Sub(began))
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "5")
	}
	plain(w, status, strings.ToLower(http.StatusText(status))+"\n")
}

// accept returns the status of one webhook. Without a valid signature or path secret
// the webhook is refused, and nothing of it is stored.
func (s *Server) accept(w http.ResponseWriter, r *http.Request, n *number, vouched bool, token [32]byte) int {
	if enc := r.Header.Get("Content-Encoding"); enc != "" && enc != "identity" {
		return s.refuse(n, http.StatusUnsupportedMediaType, errors.New("its body is compressed"))
	}
	body, status := s.readBody(w, r)
	if status != 0 {
		return s.refuse(n, status, errors.New("its body is too large, too slow or incomplete"))
	}
	busy(r.Context(), true)
	signed, err := n.Webhook.Authenticate(r.Header, body)
	if err != nil {
		return s.refuse(n, http.StatusForbidden, err)
	}
	vouched = vouched || signed || n.TrustUnsigned
	if !vouched { // anybody could have sent it
		return s.refuse(n, http.StatusForbidden, errUnvouched)
	}
	events, err := decode(n.Webhook, body)
	if err != nil {
		events = []message.Event{{Kind: message.EventOther, Reason: err.Error()}}
	}
	return s.keep(r.Context(), s.route(n, events, proof{r.Header, body, token}))
}

var errUnvouched = errors.New("neither a signature nor the path's secret vouches for it; set webhook_token, or serve with -trust-unsigned")

// refuse reports why a webhook is refused, and returns the status.
func (s *Server) refuse(n *number, status int, err error) int {
	s.opt.Observe(Event{Kind: EventRefused, Provider: n.Address, Detail: http.StatusText(status), Err: err})
	return status
}

// maxDepth is how deep a body's JSON may be nested.
const maxDepth = 64

// decode reads the events of a body, which may hold anything.
func decode(hook providers.Webhook, body []byte) ([]message.Event, error) {
	switch {
	case !utf8.Valid(body):
		return nil, errors.New("the body is not UTF-8")
	case depth(body) > maxDepth:
		return nil, errors.New("the body is nested too deeply")
	}
	return hook.Decode(body)
}

// depth returns how deep a JSON text is nested. The text need not be valid.
func depth(body []byte) int {
	deep, most, quoted := 0, 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			deep++
			most = max(most, deep)
		case c == '}' || c == ']':
			deep--
		}
	}
	return most
}

// readBody reads a body up to the limit; status is 0 when all of it is there.
func (s *Server) readBody(w http.ResponseWriter, r *http.Request) (body []byte, status int) {
	if r.ContentLength > s.opt.MaxBody {
		return nil, http.StatusRequestEntityTooLarge
	}
	body, err := readAll(http.MaxBytesReader(w, r.Body, s.opt.MaxBody), r.ContentLength)
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, http.StatusRequestEntityTooLarge
	case err != nil:
		return nil, http.StatusBadRequest
	}
	return body, 0
}

// keep makes a webhook durable. When another program holds the state it answers
// 503, so that the provider tries again, before the connection times out.
func (s *Server) keep(ctx context.Context, in []state.Inbox) int {
	select {
	case s.queue <- struct{}{}:
	default:
		return http.StatusServiceUnavailable
	}
	// From here on the webhook is kept even if the client goes away.
	ctx = context.WithoutCancel(ctx)
	fp.Hit("webhook-before")
	done := make(chan error, 1)
	s.keeping.Go(func() {
		defer func() { <-s.queue }()
		_, err := s.opt.Store.Append(ctx, in)
		s.stateFault(err)
		if err == nil {
			wake(s.folding)
			err = s.keepLimits(ctx, in)
			s.stateFault(err)
		}
		done <- err
	})
	late := time.NewTimer(s.opt.CommitTime)
	defer late.Stop()
	select {
	case err := <-done:
		fp.Hit("webhook-after")
		if err == nil {
			return http.StatusOK
		}
	case <-late.C:
		s.stateFault(errLate)
	}
	return http.StatusServiceUnavailable
}

// keepLimits records the messaging limits that notices report, for the next plan.
func (s *Server) keepLimits(ctx context.Context, in []state.Inbox) error {
	for i := range in {
		for j := range in[i].Events {
			ev := &in[i].Events[j]
			if ev.Limit == 0 {
				continue
			}
			told := ev.At
			if told.IsZero() || told.After(in[i].Received) {
				told = in[i].Received
			}
			if err := state.PutMessagingLimit(ctx, s.opt.Store, in[i].Provider, state.MessagingLimit{People: ev.Limit, Told: told.UTC(), By: ev.Field}); err != nil {
				return err
			}
		}
	}
	return nil
}

var errClickLate = errors.New("clicks wait too long for their commit; does another program hold the state?")

var errLate = errors.New("a webhook waits too long for its commit; does another program hold the state?")
