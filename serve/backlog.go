package serve

import (
	"context"
	"slices"
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
	// perPerson is how many events of one person are in memory; the others stay in
	// the state until these are done.
	perPerson = 16
	// heldMost bounds how many events of all people are in memory.
	heldMost = 1 << 16
)

// line holds the events of one person at one number that wait, oldest first. One
// event of a line is answered at a time, so a person's messages keep their order.
type line struct {
	provider, recipient string

	seqs []int64
	last int64 // the newest that was ever held
	more bool  // the state has others between last and the backlog's cursor
}

// lane holds the lines of one number. They take turns, so that every person gets
// an answer before anyone gets a second one.
type lane struct {
	ready   []*line
	running int
}

// backlog holds the inbound events that wait for an answer. It is used by one
// goroutine.
type backlog struct {
	store  Store
	cursor int64 // everything up to it was looked at
	held   int
	full   bool                       // read stopped since too much was held
	lines  map[state.InboundRef]*line // by number and person, Seq 0
	lanes  map[string]*lane           // by number
	aside  []*line                    // the state failed for these
}

func newBacklog(store Store) *backlog {
	return &backlog{store: store, lines: map[state.InboundRef]*line{}, lanes: map[string]*lane{}}
}

// read reads the open events after the cursor. It reports whether there may be
// more.
func (b *backlog) read(ctx context.Context) (more bool, err error) {
	if b.full = b.held >= heldMost; b.full {
		return false, nil
	}
	refs, err := b.store.OpenInbound(ctx, state.InboundRef{Seq: b.cursor}, readAhead)
	if err != nil {
		return false, err
	}
	for _, ref := range refs {
		b.cursor = ref.Seq
		b.add(ref)
	}
	if len(refs) > 0 {
		fp.Hit("claim-after")
	}
	return len(refs) == readAhead, nil
}

// room reports whether read may go on after it stopped.
func (b *backlog) room() bool { return b.full && b.held <= heldMost/2 }

func (b *backlog) add(ref state.InboundRef) {
	key := state.InboundRef{Provider: ref.Provider, Recipient: ref.Recipient}
	l := b.lines[key]
	switch {
	case l == nil:
		l = &line{provider: ref.Provider, recipient: ref.Recipient}
		b.lines[key] = l
		b.hold(l, ref.Seq)
		b.ready(l)
	case l.more || len(l.seqs) >= perPerson:
		l.more = true
	default:
		b.hold(l, ref.Seq)
	}
}

func (b *backlog) hold(l *line, seq int64) {
	l.seqs, l.last = append(l.seqs, seq), seq
	b.held++
}

// ready puts a line at the end of its lane.
func (b *backlog) ready(l *line) {
	n := b.lanes[l.provider]
	if n == nil {
		n = new(lane)
		b.lanes[l.provider] = n
	}
	n.ready = append(n.ready, l)
}

// next returns an event to answer, of a number with a free worker; done ends its
// turn. ok is false when there is none.
func (b *backlog) next() (l *line, seq int64, ok bool) {
	for _, n := range b.lanes {
		if len(n.ready) == 0 || n.running >= workers {
			continue
		}
		l, n.ready = n.ready[0], n.ready[1:]
		n.running++
		return l, l.seqs[0], true
	}
	return nil, 0, false
}

// done ends the turn of a line. After an error the event stays first, and the line
// is set aside until again is called.
func (b *backlog) done(ctx context.Context, l *line, err error) error {
	b.lanes[l.provider].running--
	if err == nil {
		l.seqs = slices.Delete(l.seqs, 0, 1)
		b.held--
		err = b.refill(ctx, l)
	}
	switch {
	case err != nil:
		b.aside = append(b.aside, l)
	case len(l.seqs) > 0:
		b.ready(l)
	default:
		delete(b.lines, state.InboundRef{Provider: l.provider, Recipient: l.recipient})
	}
	return err
}

// refill reads the next events of a line that is empty.
func (b *backlog) refill(ctx context.Context, l *line) error {
	if len(l.seqs) > 0 || !l.more {
		return nil
	}
	refs, err := b.store.OpenInbound(ctx, state.InboundRef{Seq: l.last, Provider: l.provider, Recipient: l.recipient}, perPerson)
	if err != nil {
		return err
	}
	l.more = len(refs) == perPerson
	for _, ref := range refs {
		if ref.Seq > b.cursor { // read will come to it
			l.more = false
			break
		}
		b.hold(l, ref.Seq)
	}
	return nil
}

// again lets the lines that were set aside take part again.
func (b *backlog) again(ctx context.Context) error {
	lines := b.aside
	b.aside = nil
	for i, l := range lines {
		if err := b.refill(ctx, l); err != nil {
			b.aside = append(b.aside, lines[i:]...)
			return err
		}
		if len(l.seqs) == 0 {
			delete(b.lines, state.InboundRef{Provider: l.provider, Recipient: l.recipient})
			continue
		}
		b.ready(l)
	}
	return nil
}

// finished is the end of a turn.
type finished struct {
	line *line
	err  error
}

// answerLoop answers inbound events until ctx ends, and waits for those under
// way. What it leaves stays open for the next server.
func (s *Server) answerLoop(ctx context.Context) {
	again := time.NewTicker(lookAgain)
	defer again.Stop()
	b, over, running := newBacklog(s.opt.Store), make(chan finished), 0
	for more := true; ctx.Err() == nil; {
		awake := s.inbound
		if more {
			var err error
			more, err = b.read(ctx)
			s.answerFault(ctx, err)
		}
		if more {
			awake = open
		}
		running += s.start(ctx, b, over)
		select {
		case f := <-over:
			running--
			s.answerFault(ctx, b.done(ctx, f.line, f.err))
			more = more || b.room()
		case r := <-s.resting:
			b.rest(r)
		case <-awake:
			more = true
		case <-again.C:
			more = true
			s.answerFault(ctx, b.again(ctx))
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

func (s *Server) rested(ctx context.Context, r rest) bool {
	select {
	case s.resting <- r:
		return true
	case <-ctx.Done(): // the answering has ended, or is about to
		return false
	}
}

// rest frees the worker of an answer that waits, or takes one for it again.
func (b *backlog) rest(r rest) {
	if r.ends {
		b.lanes[r.number].running++
	} else {
		b.lanes[r.number].running--
	}
}

// open is a closed channel, for those who need not wait.
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
		go func() { over <- finished{l, s.answer(ctx, seq)} }()
	}
}

func (s *Server) answerFault(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		s.stateFault(err)
	}
}
