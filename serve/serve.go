// Package serve receives the providers' webhooks, stores them, answers people by the
// reply rules of the last apply, and redirects those who follow links of messages.
//
// A webhook is answered with 200 only after its body and events are durable.
// Folding them into the state, answering people, and forwarding to the user's own
// services happen later. See docs/delivery.md.
package serve

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/internal/guarded"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/pace"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/reply"
	"github.com/handbill/handbill/state"
)

// Store is the state as serve needs it; see state.Store. It is safe for
// concurrent use.
type Store interface {
	Meta(ctx context.Context) (state.Meta, error)
	// Append is durable when it returns nil.
	Append(ctx context.Context, in []state.Inbox) ([]bool, error)
	Fold(ctx context.Context, limit int) (int, error)
	Waiting(ctx context.Context) (inbox, inbound int, err error)

	Unanswered(ctx context.Context) ([]string, error)
	RecoverReplies(ctx context.Context, number string) (state.Lane, int, error)
	Claim(ctx context.Context, lane state.Lane, after int64, n int) ([]state.InboundRef, int64, error)
	ClaimNext(ctx context.Context, lane state.Lane, recipient string) (state.InboundRef, bool, error)
	Inbound(ctx context.Context, seq int64) (state.InboundEvent, bool, error)
	Answered(ctx context.Context, lane state.Lane, seqs ...int64) error
	RepliedBy(ctx context.Context, recipient string, seq int64) ([]string, error)
	Exchanges(ctx context.Context, recipient string, seq int64, since time.Time, n int) ([]state.Exchange, error)
	LastReply(ctx context.Context, rule, recipient string) (time.Time, error)

	Person(ctx context.Context, number, recipient string) (state.Person, error)
	SetAttributes(ctx context.Context, recipient string, set map[string]string) error
	Handover(ctx context.Context, recipient string, on bool) error

	// Slots gives new slots of a number; see apply.Recorder.
	Slots(ctx context.Context, number string, a pace.Ask, many int) (time.Time, error)
	Intend(ctx context.Context, lane state.Lane, intents []state.Intent) ([]state.Verdict, error)
	Settle(ctx context.Context, lane state.Lane, outcomes []state.Outcome) error

	AddForward(ctx context.Context, event int64, rule string) error
	ClaimForwards(ctx context.Context, owner string, n int) (due []state.Forward, next time.Time, err error)
	DoneForward(ctx context.Context, owner string, f state.Forward, became state.ForwardState) error
	DeadForwards(ctx context.Context) (int, error)
	ReviveForwards(ctx context.Context) error

	// Link and Click are about links of messages. Click is durable when it returns nil.
	Link(ctx context.Context, token string) (state.SentLink, bool, error)
	Click(ctx context.Context, clicks []state.Click) error

	Get(ctx context.Context, name string) ([]byte, error)
	PutAll(ctx context.Context, blobs map[string][]byte) error
	Blobs(ctx context.Context, prefix string) (map[string][]byte, error)
}

// Number is one sending number whose webhooks are received.
type Number struct {
	Address    string // "provider.cloud.main"
	Type, Name string // of the path /webhooks/TYPE/NAME
	// ID and Phone are how events name the number: the provider's id for it and its
	// digits; "" when unknown. An event that names another number of the same type
	// goes to that number; one that names a number that is not declared is put aside.
	ID, Phone string
	// Account is the account that the number belongs to; "" if it is not known.
	// Notices about an account to which no number belongs are put aside.
	Account string
	Webhook providers.Webhook
	// Tokens are the accepted secrets in the last part of the path; empty if the
	// path has no secret.
	Tokens []string
	// TrustUnsigned accepts webhooks that neither a signature nor a token
	// authenticates. Without it such a webhook is answered with 403, and nothing of
	// it is kept.
	TrustUnsigned bool
	// Sender is where answers go; nil answers nothing.
	Sender providers.Sender
	// Reader marks messages as read; nil if the provider cannot.
	Reader providers.Reader
	// Rate is how many messages a second the number may send, including those of an
	// apply; 0 for no bound.
	Rate float64
}

// Options of New. Store, Numbers, Now and Rules are required.
type Options struct {
	// Store may also be a state.Shared; then other servers use the state too.
	Store   Store
	Numbers []Number
	Now     func() time.Time
	// Monotonic is the time since any fixed moment on a clock that nobody sets; nil
	// for the wall clock alone.
	Monotonic func() time.Duration
	// Owner is this process, for other servers on the state.
	Owner state.Owner
	// Rules returns the rules of the last apply. It is called for every message, so
	// it must be cheap while nothing changed. Nil rules answer nothing.
	Rules func(ctx context.Context) (*reply.Rules, error)
	// Observe is called with every Event, from many goroutines; may be nil.
	Observe func(Event)
	// AllowHosts are "host:port" of services that lookups and forwards may reach
	// although they are on this machine or in a private network, and by http.
	AllowHosts []string
	// Build names the program in the metrics, and in requests of lookups and
	// forwards.
	Build Build
	// Proxy returns the proxy for a lookup or forward to a URL, nil for none, as
	// httpproxy.Config.ProxyFunc does. A nil Proxy uses no proxy.
	Proxy func(*url.URL) (*url.URL, error)
	// RetryDead tries forwards again that were given up.
	RetryDead bool

	// Queue is how many webhooks may wait for their commit; more are answered
	// with 503. So many clicks may wait too; more are redirected and not counted.
	// 0 for 1024.
	Queue int
	// CommitTime is how long a webhook waits for its commit before it is answered
	// with 503; it may still be stored after that. 0 for 4 s.
	CommitTime time.Duration
	// ClickTime is how long a person who follows a link may wait for the commit of
	// that; then they are redirected before it. 0 for 2 s.
	ClickTime time.Duration
	// MaxBody bounds a webhook's body in bytes; 0 for 4 MiB. Meta's are 3 MB at
	// most (Meta, webhooks/overview, read 2026-09-11).
	MaxBody int64
	// ReadTimeout bounds how long a request may take to arrive; 0 for 5 s.
	ReadTimeout time.Duration
	// Backoff are the waits before a reply that was certainly not taken is tried
	// again; nil for 1 s, 6 s, 15 s and 60 s.
	Backoff []time.Duration
	// Spacing is the least time between two messages to one person, including those
	// of a campaign; 0 for delivery.Spacing, negative for none.
	Spacing time.Duration
	// ForwardBackoff are the waits before a forward is tried again; nil for the
	// schedule of standardwebhooks.com, 27 hours in all.
	ForwardBackoff []time.Duration
}

// Build identifies the build of handbill that serves.
type Build struct {
	Version, Revision, Go string
}

// EventKind tells what an Event is about.
type EventKind string

// The kinds of Event.
const (
	EventRefused   EventKind = "refused"   // a webhook was refused
	EventReplied   EventKind = "replied"   // a rule's message was sent; Detail is the answer's class
	EventGated     EventKind = "gated"     // a rule's message was not sent; Detail is the gate
	EventMark      EventKind = "mark"      // a message could not be marked as read; the reply goes on
	EventRule      EventKind = "rule"      // a rule could not be carried out
	EventHandover  EventKind = "handover"  // the rules stopped for a person, and a person must look; Detail says why
	EventHalted    EventKind = "halted"    // a number answers nothing more until serve is started again; Detail says why
	EventStop      EventKind = "stop"      // a person wants no more messages
	EventForwarded EventKind = "forwarded" // a service took a message
	EventForward   EventKind = "forward"   // a service did not take a message; it is tried again
	EventDead      EventKind = "dead"      // a forward was given up
	EventState     EventKind = "state"     // the state could not be read or written
	EventRecovered EventKind = "recovered" // what a server left that is gone goes on here or elsewhere; Detail says whose
	EventLost      EventKind = "lost"      // the server was not heard of for too long, and others have what it had taken up; it goes on
	EventWell      EventKind = "well"      // the state can be written again
	EventRules     EventKind = "rules"     // the rules could not be loaded; the previous ones stay in use
)

// Event is something that happened. It holds no text of a message, no secret
// and no whole phone number.
type Event struct {
	Kind      EventKind
	Provider  string
	Rule      string
	Recipient string // masked
	Detail    string
	Err       error
}

// Server receives webhooks and answers.
type Server struct {
	opt     Options
	shared  sharedStore        // the store, if others use it too; nil if not
	numbers map[string]*number // by address
	paths   map[string]*number // by "type/name"
	lineage string
	metrics *metrics

	queue    chan struct{} // a place for each webhook that waits for its commit
	folding  chan struct{} // wakes the fold
	inbound  chan struct{} // wakes the answering
	resting  chan rest     // from answers that begin or end a wait
	forwards *forwards
	places   *places
	clicks   *clicks
	client   *http.Client
	confirm  map[string]*message.Draft // by language
	question map[string]*message.Draft // by language

	keeping sync.WaitGroup // commits in progress, even if their webhook has stopped waiting

	broken atomic.Pointer[error]     // why the state is not usable
	rules  atomic.Pointer[lastRules] // the last that could be loaded
}

type lastRules struct{ rules *reply.Rules }

// number is a Number in use.
type number struct {
	Number
	pace   *pace.Number
	lane   state.Lane   // of the answers; written while there are none
	lease  *state.Lease // of the lane; the same
	tokens [][32]byte   // SHA-256 of Tokens

	answers delivery.Answers
	halted  atomic.Bool // the provider's answers belong to other messages
}

// New makes a Server. Nothing happens before Run.
func New(ctx context.Context, opt Options) (*Server, error) {
	if opt.Store == nil || opt.Now == nil || opt.Rules == nil {
		return nil, errors.New("serve: Store, Now and Rules are required")
	}
	meta, err := opt.Store.Meta(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the state's identity: %w", err)
	}
	opt.defaults()
	s := &Server{
		opt: opt, lineage: meta.Lineage, numbers: map[string]*number{}, paths: map[string]*number{},
		queue: make(chan struct{}, opt.Queue), folding: make(chan struct{}, 1), inbound: make(chan struct{}, 1), resting: make(chan rest),
		client: guarded.Client(opt.AllowHosts, opt.Proxy, maxFetch, maxFetch), confirm: stopDrafts(reply.Confirmation), question: stopDrafts(reply.Question), metrics: newMetrics(opt.Build),
	}
	s.shared, _ = opt.Store.(sharedStore)
	s.forwards = newForwards(s)
	s.places, s.clicks = &places{store: opt.Store, now: opt.Now}, &clicks{s: s}
	s.rules.Store(&lastRules{})
	for _, n := range opt.Numbers {
		if err := s.add(n); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (o *Options) defaults() {
	if o.Observe == nil {
		o.Observe = func(Event) {}
	}
	if o.Queue == 0 {
		o.Queue = 1024
	}
	if o.CommitTime == 0 {
		o.CommitTime = 4 * time.Second
	}
	if o.ClickTime == 0 {
		o.ClickTime = 2 * time.Second
	}
	if o.MaxBody == 0 {
		o.MaxBody = 4 << 20
	}
	if o.ReadTimeout == 0 {
		o.ReadTimeout = 5 * time.Second
	}
	if o.Spacing == 0 {
		o.Spacing = delivery.Spacing
	}
	if o.Backoff == nil {
		o.Backoff = []time.Duration{time.Second, 6 * time.Second, 15 * time.Second, time.Minute}
	}
	if o.ForwardBackoff == nil {
		// Source: standardwebhooks.com, spec, "Deliverability and reliability", 2026-11-20.
		o.ForwardBackoff = []time.Duration{5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 10 * time.Hour}
	}
}

func (s *Server) add(n Number) error {
	path := n.Type + "/" + n.Name
	if n.Webhook == nil || s.paths[path] != nil {
		return fmt.Errorf("serve: %s has no webhook, or is there twice", n.Address)
	}
	one := &number{Number: n, pace: pace.New(n.Rate)}
	for _, t := range n.Tokens {
		one.tokens = append(one.tokens, hash(t))
	}
	s.numbers[n.Address], s.paths[path] = one, one
	s.metrics.begin(n.Address)
	return nil
}

// Run folds, answers and forwards until ctx ends, and then finishes work in
// progress. It runs next to the listeners of Serve.
func (s *Server) Run(ctx context.Context) error {
	start := context.WithoutCancel(ctx)
	lanes, err := s.take(start)
	if err != nil {
		return fmt.Errorf("taking up where the last server stopped: %w", err)
	}
	if s.opt.RetryDead {
		if err := s.opt.Store.ReviveForwards(start); err != nil {
			return fmt.Errorf("reading the forwards that were given up: %w", err)
		}
	}
	wake(s.folding)
	wake(s.inbound)
	var wg sync.WaitGroup
	wg.Go(func() { s.foldLoop(ctx) })
	wg.Go(func() { s.answering(ctx, lanes) })
	wg.Go(func() { s.forwards.loop(ctx) })
	wg.Wait()
	return nil
}

// wake wakes the loop that waits on c.
func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// stateFault records that the state failed, and reports it once; nil records that
// it works again.
func (s *Server) stateFault(err error) {
	if err == nil {
		if s.broken.Swap(nil) != nil {
			s.opt.Observe(Event{Kind: EventWell})
		}
		return
	}
	if s.broken.Swap(&err) == nil {
		s.opt.Observe(Event{Kind: EventState, Err: err})
	}
}

// probed names a blob that is written and removed to see whether the state can be
// written.
const probed = "serve_probe"

// probe writes to a state that failed, so that /readyz turns ready again before the
// next webhook arrives.
func (s *Server) probe(ctx context.Context) {
	if s.broken.Load() == nil {
		return
	}
	err := s.opt.Store.PutAll(ctx, map[string][]byte{probed: []byte(s.opt.Now().UTC().Format(time.RFC3339Nano))})
	if err == nil {
		err = s.opt.Store.PutAll(ctx, map[string][]byte{probed: nil})
	}
	s.stateFault(err)
}
