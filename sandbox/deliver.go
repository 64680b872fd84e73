package sandbox

import (
	"bytes"
	"container/heap"
	"context"
	"io"
	"net/http"
	"sync"
	"time"
)

// maxPending bounds the webhooks that wait; more are dropped and counted.
const maxPending = 500_000

// retryAfter is how long a webhook waits after each refusal before it is tried
// again; after the last it is given up. Meta retries for days; a test can't.
var retryAfter = []time.Duration{500 * time.Millisecond, 2 * time.Second, 5 * time.Second, 15 * time.Second}

// outgoing is one webhook on its way.
type outgoing struct {
	due     time.Time
	seq     uint64
	attempt int
	target  WebhookTarget
	body    func() []byte // nil when there is nothing to report any more
}

type deliveries []*outgoing

func (d deliveries) Len() int { return len(d) }
func (d deliveries) Less(i, j int) bool {
	if d[i].due.Equal(d[j].due) {
		return d[i].seq < d[j].seq
	}
	return d[i].due.Before(d[j].due)
}
func (d deliveries) Swap(i, j int) { d[i], d[j] = d[j], d[i] }
func (d *deliveries) Push(x any)   { *d = append(*d, x.(*outgoing)) }
func (d *deliveries) Pop() any {
	old := *d
	last := old[len(old)-1]
	old[len(old)-1] = nil
	*d = old[:len(old)-1]
	return last
}

// dispatcher posts webhooks when they are due.
type dispatcher struct {
	clock  func() time.Time
	key    uint64
	mode   Disturbance
	client *http.Client
	wake   chan struct{}

	mu      sync.Mutex
	heap    deliveries
	seq     uint64
	flying  int
	ok, bad uint64
}

func newDispatcher(clock func() time.Time, key uint64, mode Disturbance) *dispatcher {
	return &dispatcher{
		clock: clock, key: key, mode: mode, wake: make(chan struct{}, 1),
		client: &http.Client{
			Timeout:       20 * time.Second,
			Transport:     &http.Transport{MaxIdleConnsPerHost: workers, IdleConnTimeout: 30 * time.Second},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

func (d *dispatcher) counts() (ok, bad uint64, pending int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.ok, d.bad, len(d.heap) + d.flying
}

// add schedules a webhook, with the disturbances that the options ask for.
func (d *dispatcher) add(t WebhookTarget, due time.Time, body func() []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	copies := 1
	d.seq++
	if d.mode.Duplicate > 0 && roll(d.key, 11, d.seq) < d.mode.Duplicate {
		copies = 2
	}
	for i := range copies {
		late := d.mode.Delay + time.Duration(roll(d.key, 12+uint64(i), d.seq)*float64(d.mode.Shuffle))
		d.push(&outgoing{due: due.Add(late), seq: d.seq, target: t, body: body})
	}
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

func (d *dispatcher) push(x *outgoing) {
	if len(d.heap) >= maxPending {
		d.bad++
		return
	}
	heap.Push(&d.heap, x)
}

// next returns the first delivery that is due, or how long to wait for it.
func (d *dispatcher) next() (*outgoing, time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.heap) == 0 {
		return nil, time.Second
	}
	if wait := d.heap[0].due.Sub(d.clock()); wait > 0 {
		return nil, min(wait, time.Second)
	}
	d.flying++
	return heap.Pop(&d.heap).(*outgoing), 0
}

// post delivers once and plans the retry.
func (d *dispatcher) post(ctx context.Context, x *outgoing) {
	ok := d.try(ctx, x)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.flying--
	switch {
	case ok:
		d.ok++
	case x.attempt < len(retryAfter) && ctx.Err() == nil:
		x.due = d.clock().Add(retryAfter[x.attempt])
		x.attempt++
		d.push(x)
	default:
		d.bad++
	}
}

func (d *dispatcher) try(ctx context.Context, x *outgoing) bool {
	body := x.body()
	if body == nil {
		return true // there is nothing to report any more
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, x.target.URL, bytes.NewReader(body))
	if err != nil {
		return false
	}
	x.target.dress(req.Header, body)
	if x.target.User != "" {
		req.SetBasicAuth(x.target.User, x.target.Password)
	}
	resp, err := d.client.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	// The rest of the body is read only so that the connection can be reused.
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	return resp.StatusCode/100 == 2
}

const workers = 8

// Run delivers webhooks as they fall due, until ctx ends. Start calls it; a
// caller that serves Handler itself must run it too.
func (s *Sandbox) Run(ctx context.Context) {
	jobs := make(chan *outgoing)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for x := range jobs {
				s.out.post(ctx, x)
			}
		})
	}
	s.out.feed(ctx, jobs)
	close(jobs)
	wg.Wait()
}

func (d *dispatcher) feed(ctx context.Context, jobs chan<- *outgoing) {
	for {
		x, wait := d.next()
		if x != nil {
			select {
			case jobs <- x:
				continue
			case <-ctx.Done():
				return
			}
		}
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-d.wake:
		case <-ctx.Done():
			t.Stop()
			return
		}
		t.Stop()
	}
}

// Tick delivers everything that is due by the clock now, one after the other,
// and returns how many posts it made. Tests with a fake clock use it instead
// of Run.
func (s *Sandbox) Tick(ctx context.Context) int {
	n := 0
	for ctx.Err() == nil {
		x, _ := s.out.next()
		if x == nil {
			break
		}
		s.out.post(ctx, x)
		n++
	}
	return n
}
