package serve

import (
	"context"
	"time"

	"github.com/handbill/handbill/internal/fp"
	"github.com/handbill/handbill/pace"
	"github.com/handbill/handbill/state"
)

const (
	// workers is how many events of one number are answered at a time. Most of them
	// wait for a lookup or for the provider.
	workers = 64
	// readAhead is how many open events are read at once.
	readAhead = 512
	// heldMost bounds how many people with an event at one number are in memory.
	heldMost = 1 << 16
	// sharedMost is the same where others answer too: what one server has claimed no
	// other one can answer.
	sharedMost = 4 * workers
)

// line is a person with an open event at a number. The store gives out the person's
// next event only after this one is answered, so messages keep their order.
type line struct {
	provider, recipient string

	seq int64 // of the event; 0 when it is answered and the next is not known
}

// key is the line's number and person, without an event.
func (l *line) key() state.InboundRef {
	return state.InboundRef{Provider: l.provider, Recipient: l.recipient}
}

// lane holds the lines of one number. They take turns, so that every person gets
// an answer before anyone gets a second one.
type lane struct {
	state.Lane
	cursor  int64 // everything up to it was looked at
	lines   int   // of people with an event
	full    bool  // read left some, since too many are held
	ready   []*line
	running int
}

// most bounds the lines.
func (n *lane) most() int {
	if n.Limit > 0 {
		return sharedMost
	}
	return heldMost
}

// backlog holds the inbound events that wait for an answer, one a person. It is
// used by one goroutine.
type backlog struct {
	store Store
	lines map[state.InboundRef]*line // by number and person, Seq 0
	held  map[int64]bool             // the events of the lines
	lanes map[string]*lane           // by number
	aside []*line                    // the state failed for these
}

func newBacklog(store Store, lanes []state.Lane) *backlog {
	b := &backlog{store: store, lines: map[state.InboundRef]*line{}, held: map[int64]bool{}, lanes: map[string]*lane{}}
	for _, l := range lanes {
		b.lanes[l.Number] = &lane{Lane: l}
	}
	return b
}

// read adds the events that are open after the cursors. It reports whether there
// may be more.
func (b *backlog) read(ctx context.Context) (more bool, err error) {
	for _, n := range b.lanes {
		if n.full = n.lines >= n.most(); n.full {
			continue
		}
		refs, upto, err := b.store.Claim(ctx, n.Lane, n.cursor, readAhead)
		if err != nil {
			return false, err
		}
		for _, ref := range refs {
			b.add(n, ref)
		}
		if len(refs) > 0 {
			fp.Hit("claim-after")
		}
		more, n.cursor = more || upto > n.cursor, upto
	}
	return more, nil
}

// room reports whether read may go on at a number after it stopped.
func (b *backlog) room() bool {
	for _, n := range b.lanes {
		if n.full && n.lines <= n.most()/2 {
			return true
		}
	}
	return false
}

// add adds a person's oldest event. If the person already has a line, it does
// nothing: done will ask for the next event.
func (b *backlog) add(n *lane, ref state.InboundRef) {
	l := &line{provider: ref.Provider, recipient: ref.Recipient, seq: ref.Seq}
	if b.lines[l.key()] != nil || b.held[ref.Seq] {
		return
	}
	b.lines[l.key()], b.held[ref.Seq] = l, true
	n.lines++
	n.ready = append(n.ready, l)
}

// next returns an event to answer, from a number with a free worker; done ends its
// turn. ok is false when there is none.
func (b *backlog) next() (l *line, seq int64, ok bool) {
	for _, n := range b.lanes {
		if len(n.ready) == 0 || n.running >= workers {
			continue
		}
		l, n.ready = n.ready[0], n.ready[1:]
		n.running++
		return l, l.seq, true
	}
	return nil, 0, false
}

// done ends the turn of a line. After an error the event stays first, and the line
// is set aside until again is called.
func (b *backlog) done(ctx context.Context, l *line, err error) error {
	b.lanes[l.provider].running--
	if err == nil {
		delete(b.held, l.seq)
		l.seq = 0
		err = b.refill(ctx, l)
	}
	if err != nil {
		b.aside = append(b.aside, l)
	}
	return err
}

// refill asks for the next event of a line whose event is answered, and gives it
// another turn; without one the line ends.
func (b *backlog) refill(ctx context.Context, l *line) error {
	n := b.lanes[l.provider]
	if l.seq == 0 {
		ref, ok, err := b.store.ClaimNext(ctx, n.Lane, l.recipient)
		if err != nil {
			return err
		}
		// Two lines may turn out to be one person's: then the other one has the event.
		if !ok || b.held[ref.Seq] {
			delete(b.lines, l.key())
			n.lines--
			return nil
		}
		l.seq, b.held[ref.Seq] = ref.Seq, true
	}
	n.ready = append(n.ready, l)
	return nil
}

// again lets the lines that were set aside take turns again. It resets cursors, so
// that events are found that were skipped: when no line is left those whose person
// turned out to be another one, and beside other servers those that became free.
func (b *backlog) again(ctx context.Context) error {
	for _, n := range b.lanes {
		if len(b.lines) == 0 || n.Limit > 0 {
			n.cursor = 0
		}
	}
	lines := b.aside
	b.aside = nil
	for i, l := range lines {
		if err := b.refill(ctx, l); err != nil {
			b.aside = append(b.aside, lines[i:]...)
			return err
		}
	}
	return nil
}

// finished is the end of a turn.
type finished struct {
	line *line
	err  error
}

// answerLoop answers inbound events until ctx ends, and waits for those in
// progress. The rest stay open for the next server. It calls fault with errors of
// the state.
func (s *Server) answerLoop(ctx context.Context, lanes []state.Lane, fault func(error)) {
	again := time.NewTicker(lookAgain)
	defer again.Stop()
	b, over, running := newBacklog(s.opt.Store, lanes), make(chan finished), 0
	for more := true; ctx.Err() == nil; {
		awake := s.inbound
		if more {
			var err error
			more, err = b.read(ctx)
			s.answerFault(ctx, err, fault)
		}
		if more {
			awake = open
		}
		running += s.start(ctx, b, over)
		select {
		case f := <-over:
			running--
			s.answerFault(ctx, b.done(ctx, f.line, f.err), fault)
			more = more || b.room()
		case r := <-s.resting:
			b.rest(r)
		case <-awake:
			more = true
		case <-again.C:
			more = true
			s.answerFault(ctx, b.again(ctx), fault)
		case <-ctx.Done():
		}
	}
	for range running {
		<-over
	}
}

// rest tells the loop that an answer begins or ends a wait.
type rest struct {
	number string
	ends   bool
}

// rest waits without occupying a worker, so that one person's wait delays nobody
// else. Afterwards the answer continues at once, so that for a moment more than
// workers answers may run.
func (s *Server) rest(ctx context.Context, number string, d time.Duration) error {
	if d <= time.Second {
		return pace.Sleep(ctx, d)
	}
	if !s.rested(ctx, rest{number: number}) {
		return ctx.Err()
	}
	err := pace.Sleep(ctx, d)
	s.rested(ctx, rest{number: number, ends: true})
	return err
}

// rested sends r to the answer loop; false when the loop has ended.
func (s *Server) rested(ctx context.Context, r rest) bool {
	select {
	case s.resting <- r:
		return true
	case <-ctx.Done(): // the answering has ended, or is about to
		return false
	}
}

// rest frees the worker of an answer that begins to wait, and takes one again when
// the wait ends.
func (b *backlog) rest(r rest) {
	if r.ends {
		b.lanes[r.number].running++
	} else {
		b.lanes[r.number].running--
	}
}

// open is a closed channel: a receive from it never waits.
var open = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

// start begins to answer as many events as there are free workers, and returns how
// many.
func (s *Server) start(ctx context.Context, b *backlog, over chan<- finished) (n int) {
	for {
		l, seq, ok := b.next()
		if !ok {
			return n
		}
		n++
		go func() { over <- finished{l, s.answer(ctx, b.lanes[l.provider].Lane, seq)} }()
	}
}

// answerFault reports that the state failed an answer. An error after the end
// of ctx says nothing about the state.
func (s *Server) answerFault(ctx context.Context, err error, fault func(error)) {
	if err != nil && ctx.Err() == nil {
		fault(err)
	}
}
