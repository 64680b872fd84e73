package plan

import (
	"context"
	"errors"
	"runtime"
	"sync"

	"github.com/handbill/handbill/audience"
	"github.com/handbill/handbill/message"
)

// batch is a run of rows that is read, judged and added to the plan together.
// Its slices are reused; verdicts point into them.
type batch struct {
	audience.Block
	verdicts []verdict
	ids      []uint64        // numbers as keys, by row; 0 for none
	values   []string        // of the messages' slots
	zones    []message.Value // recipients' time zones
	entries  []byte          // the entries as they are judged, encoded
	decided  []byte          // what the plan's digest covers of them
	ready    chan struct{}
}

// reset empties the batch for n rows.
func (b *batch) reset(n int) {
	if cap(b.verdicts) < n {
		b.verdicts, b.ids = make([]verdict, n), make([]uint64, n)
	}
	b.verdicts, b.ids = b.verdicts[:n], b.ids[:n]
	b.values, b.zones, b.entries, b.decided = b.values[:0], b.zones[:0], b.entries[:0], b.decided[:0]
}

// stream reads src, judges the rows on several goroutines with work, and passes
// the batches to add in the order of the source.
//
// One goroutine reads, the workers judge, and the goroutine that called run adds:
//
//	free → read → todo → judge → ready → add → free
//	            ↘ inOrder ─────────────↗
//
// A batch belongs to the goroutine that took it from a channel last. There are as
// many batches as fit into the channels, so no send on them ever waits, and memory
// does not grow with the source. What a worker decides must depend on its row
// alone: only add knows which rows came before it.
type stream struct {
	src     *audience.Reader
	workers int
	work    func() func(*batch) // makes one worker
	add     func(*batch) error
}

// run returns the first error of reading or of add, or the context's. After it,
// no goroutine of the stream is left.
func (s *stream) run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	workers := s.workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	free := make(chan *batch, 2*workers+2)
	for range cap(free) {
		free <- &batch{ready: make(chan struct{}, 1)}
	}
	todo := make(chan *batch, cap(free))
	inOrder := make(chan *batch, cap(free))
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(todo)
		defer close(inOrder)
		s.read(ctx, free, func(b *batch) {
			todo <- b
			inOrder <- b
		})
	})
	for range workers {
		wg.Go(func() {
			judge := s.work()
			for b := range todo {
				judge(b)
				b.ready <- struct{}{}
			}
		})
	}
	var err error
	for b := range inOrder {
		<-b.ready
		if err == nil {
			err = ctx.Err()
		}
		if err == nil {
			s.src.Settle(&b.Block)
			err = errors.Join(s.add(b), b.End)
		}
		if err != nil {
			stop() // batches that are under way are still taken back, so nobody waits for ever
		}
		free <- b
	}
	wg.Wait()
	if err == nil {
		err = ctx.Err()
	}
	return err
}

// read fills batches until the source or the context ends.
func (s *stream) read(ctx context.Context, free <-chan *batch, emit func(*batch)) {
	for {
		select {
		case b := <-free:
			if ctx.Err() != nil || !s.src.Next(&b.Block) {
				return
			}
			emit(b)
		case <-ctx.Done():
			return
		}
	}
}

// judged decides about every row of b.
func (j *judge) judged(w *worker, b *batch, columns int) {
	b.Split()
	b.reset(len(b.Rows))
	cells := b.Cells
	for i := range b.Rows {
		row := &b.Rows[i]
		var values []message.Value
		if row.Err == nil {
			values, cells = cells[:columns], cells[columns:]
		}
		v := &b.verdicts[i]
		*v = verdict{}
		v.entry.Recipient.Place = row.Place
		j.row(w, b, values, v, row.Err)
		b.ids[i] = v.id
		if !v.dropped {
			w.core = appendCoreOf(w.core[:0], &v.entry, v.phone())
			b.entries = appendEntry(b.entries, &v.entry, j.campaign.Source, w.core)
			b.decided = appendDecided(b.decided, &v.entry, j.campaign, w.core)
		}
		v.ends = ends{len(b.entries), len(b.decided)}
	}
}
