package plan

import (
	"context"
	"errors"
	"runtime"
	"sync"

	"github.com/handbill/handbill/audience"
	"github.com/handbill/handbill/message"
)

// batchRows is how many rows a worker takes at once: enough that handing over
// costs nothing, few enough that a small audience is shared out.
const batchRows = 256

// batch is a run of rows on its way through reading, judging and booking. The
// slices are reused; verdicts point into them.
type batch struct {
	cells    []message.Value // the rows' values, one after the other
	columns  int
	rows     []rowHead
	verdicts []verdict
	values   []string        // of the messages' slots
	zones    []message.Value // recipients' time zones
	core     []byte          // encoded cores
	end      error           // why the source ended before its end
	ready    chan struct{}
}

type rowHead struct {
	place message.Place
	err   error // of this row only
}

func (b *batch) reset(columns int) {
	b.columns = columns
	b.cells, b.rows, b.values, b.zones, b.core = b.cells[:0], b.rows[:0], b.values[:0], b.zones[:0], b.core[:0]
	b.end = nil
}

// stream reads src, has work judge the rows on several goroutines, and hands
// the batches to book in the order of the source.
type stream struct {
	src     *audience.Reader
	workers int
	work    func() func(*batch) // makes one worker
	book    func(*batch) error
}

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
			err = errors.Join(s.book(b), b.end)
		}
		if err != nil {
			stop()
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
	columns := len(s.src.Columns)
	take := func() *batch {
		select {
		case b := <-free:
			b.reset(columns)
			return b
		case <-ctx.Done():
			return nil
		}
	}
	b := take()
	for row, err := range s.src.Rows() {
		if b == nil {
			return
		}
		var unreadable *audience.Error
		if err != nil && !(errors.As(err, &unreadable) && unreadable.Row) {
			b.end = err
			break
		}
		b.rows = append(b.rows, rowHead{row.Place, err})
		if err == nil {
			b.cells = append(b.cells, row.Values...)
		}
		if len(b.rows) == batchRows {
			emit(b)
			b = take()
		}
	}
	if b != nil {
		emit(b)
	}
}

// judged decides about every row of b.
func (j *judge) judged(w *worker, b *batch) {
	if cap(b.verdicts) < len(b.rows) {
		b.verdicts = make([]verdict, batchRows)
	}
	b.verdicts = b.verdicts[:len(b.rows)]
	cells := b.cells
	for i := range b.rows {
		var values []message.Value
		if b.rows[i].err == nil {
			values, cells = cells[:b.columns], cells[b.columns:]
		}
		v := &b.verdicts[i]
		*v = verdict{}
		v.entry.Recipient.Place = b.rows[i].place
		j.row(w, b, values, v, b.rows[i].err)
		if v.dropped {
			continue
		}
		v.core[0] = len(b.core)
		b.core = appendCore(b.core, &v.entry)
		v.core[1] = len(b.core)
	}
}
