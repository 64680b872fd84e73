package faults

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/sandbox"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/state/sqlite"
)

// echo is a reply rule whose answers differ, so that a repetition shows in the
// network's ledger.
const echo = `
text_message "echo" { body = "You wrote: ${value.text}" }

reply_rule "echo" {
  when { any = true }
  values = { text = inbound.text }
  reply  = text_message.echo
}
`

// post delivers webhooks from the network to serve. It repeats each until it is
// answered with 200, delivers some twice, and knows which were accepted.
type post struct {
	url string // to which the network delivers

	mu     sync.Mutex
	target string // of the running serve; "" for none
	queue  [][]byte
	flying int
	taken  [][]byte // answered with 200
	rnd    *rand.Rand
}

func openPost(t testing.TB, seed uint64) *post {
	p := &post{rnd: rand.New(rand.NewPCG(seed, 11))}
	in := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the network repeats it
		}
		p.put(body)
		if p.rolls(20) {
			p.put(body)
		}
	}))
	p.url = in.URL
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() { p.carry(ctx) })
	}
	t.Cleanup(func() {
		cancel()
		wg.Wait()
		in.Close()
	})
	return p
}

func (p *post) put(body []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queue = append(p.queue, body)
}

func (p *post) rolls(oneIn int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.rnd.IntN(oneIn) == 0
}

// to sets the serve to which webhooks are delivered from now on.
func (p *post) to(target string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = target
}

func (p *post) waiting() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.queue) + p.flying
}

func (p *post) carry(ctx context.Context) {
	for ctx.Err() == nil {
		body, target := p.next()
		if body == nil {
			select {
			case <-ctx.Done():
			case <-time.After(2 * time.Millisecond):
			}
			continue
		}
		ok := bring(ctx, target, body)
		p.mu.Lock()
		p.flying--
		if ok {
			p.taken = append(p.taken, body)
		} else {
			p.queue = append(p.queue, body)
		}
		p.mu.Unlock()
		if !ok {
			time.Sleep(2 * time.Millisecond)
		}
	}
}

func (p *post) next() (body []byte, target string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.target == "" || len(p.queue) == 0 {
		return nil, ""
	}
	body, p.queue = p.queue[0], p.queue[1:]
	p.flying++
	return body, p.target
}

func bring(ctx context.Context, target string, body []byte) bool {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// street is a house with a serve beside its applies, and the post that delivers to
// it.
type street struct {
	*house
	post    *post
	serving *running
	rnd     *rand.Rand
	wrote   int // by people
}

// quick makes statuses arrive while a campaign runs.
func quick() sandbox.StatusMix {
	return sandbox.StatusMix{Delivered: 0.9, Read: 0.5, Failed: 0.05, SentAfter: 2 * time.Millisecond, DeliveredAfter: 30 * time.Millisecond, ReadAfter: 90 * time.Millisecond}
}

func newStreet(t testing.TB, people int, opt sandbox.Options, wire sandbox.Provider) *street {
	t.Helper()
	opt.Statuses = quick()
	return buildStreet(t, people, opt, plot{wire: wire, more: echo})
}

func buildStreet(t testing.TB, people int, opt sandbox.Options, on plot) *street {
	t.Helper()
	p := openPost(t, uint64(opt.Seed))
	if on.wire == "" {
		on.wire = sandbox.Cloud
	}
	opt.Webhooks = []sandbox.WebhookTarget{{Provider: on.wire, URL: p.url}}
	s := &street{house: build(t, people, opt, on), post: p, rnd: rand.New(rand.NewPCG(uint64(opt.Seed), 12))}
	t.Cleanup(func() {
		if s.serving != nil {
			s.serving.signal(syscall.SIGKILL)
			<-s.serving.done
		}
	})
	return s
}

// serve starts a serve.
func (s *street) serve(env ...string) *running {
	s.t.Helper()
	r := s.begin([]string{"serve", "-listen=127.0.0.1:0"}, env...)
	s.listening(r)
	return r
}

// listening waits until a serve listens or has ended.
func (s *street) listening(r *running) {
	s.t.Helper()
	s.serving = r
	for end := time.Now().Add(patience); time.Now().Before(end); {
		_, rest, ok := strings.Cut(r.out.String(), "Listening on ")
		if base, _, whole := strings.Cut(rest, "\n"); ok && whole {
			s.post.to(base + "/webhooks/sandbox/main")
			return
		}
		if r.ended(2 * time.Millisecond) {
			return
		}
	}
	s.t.Fatalf("serve does not listen:\n%s", r.out)
}

// write makes people write to the campaign's number, some of them in answer to the
// campaign. Rules are those of the last apply, so somebody must have been sent to
// before.
func (s *street) write(n int) {
	s.t.Helper()
	var sent []sandbox.Entry
	for e := range s.network.Ledger {
		if e.Accepted {
			sent = append(sent, e)
		}
	}
	if len(sent) == 0 {
		return
	}
	for range n {
		s.wrote++
		to := sent[s.rnd.IntN(len(sent))]
		in := sandbox.Inbound{Provider: to.Provider, Number: to.Number, From: to.To, Text: fmt.Sprint("message ", s.wrote)}
		if s.rnd.IntN(2) == 0 {
			in.Context = to.ID
		}
		if _, err := s.network.Inbound(in); err != nil {
			s.t.Fatal(err)
		}
	}
}

// rest waits until serve has received everything that the network reports, and has
// processed it.
func (s *street) rest() {
	s.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if s.post.waiting() > 0 || s.network.Totals().Pending > 0 {
			continue
		}
		done := false
		s.read(func(ctx context.Context, st *sqlite.Store) error {
			inbox, inbound, err := st.Waiting(ctx)
			done = inbox+inbound == 0
			return err
		})
		if done && s.post.waiting() == 0 && s.network.Totals().Pending == 0 {
			return
		}
	}
	s.t.Fatalf("serve does not come to rest: %d webhooks wait, %+v\n%s", s.post.waiting(), s.network.Totals(), s.serving.out)
}

// close ends serve as a person would.
func (s *street) close() {
	s.t.Helper()
	s.serving.signal(syscall.SIGTERM)
	if out, code := s.serving.wait(s.t); code != 0 {
		s.t.Errorf("serve ends with %d:\n%s", code, out)
	}
}

// told is the content of webhooks that were answered with 200.
type told struct {
	ranks   map[string]message.Rank // by the message's id
	failed  map[string]bool
	written map[string]bool // ids of what people wrote
}

var rankOf = map[string]message.Rank{"sent": message.RankSent, "delivered": message.RankDelivered, "read": message.RankRead}

// told parses the bodies of the Cloud API's wire format.
func (p *post) told(t testing.TB) told {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := told{ranks: map[string]message.Rank{}, failed: map[string]bool{}, written: map[string]bool{}}
	for _, body := range p.taken {
		var w struct {
			Entry []struct {
				Changes []struct {
					Value struct {
						Statuses []struct{ ID, Status string }
						Messages []struct{ ID string }
					}
				}
			}
		}
		if err := json.Unmarshal(body, &w); err != nil {
			t.Fatal(err)
		}
		v := w.Entry[0].Changes[0].Value
		for _, s := range v.Statuses {
			out.ranks[s.ID] = max(out.ranks[s.ID], rankOf[s.Status])
			out.failed[s.ID] = out.failed[s.ID] || s.Status == "failed"
		}
		for _, m := range v.Messages {
			out.written[m.ID] = true
		}
	}
	return out
}

// judgeServe checks the state against what was answered with 200, and against the
// network's ledger: nothing that was answered with 200 is missing, nobody got two
// answers, and nobody was forgotten.
func (s *street) judgeServe() (answered, doubts int) {
	s.t.Helper()
	byID := map[string]state.Delivery{}
	for _, d := range s.everything() {
		if d.ID != "" {
			byID[d.ID] = d
		}
	}
	s.judgeTold(byID)
	for e := range s.network.Ledger {
		if e.Duplicate {
			s.t.Errorf("%s got one message twice", e.To)
		}
		if e.Accepted && byID[e.ID].Send != state.Accepted {
			s.t.Errorf("the network took %s, and no delivery has its id, though its webhook was kept", e.ID)
		}
	}
	return s.answers()
}

// answers counts people's messages by the outcome of their answers.
func (s *street) answers() (answered, doubts int) {
	s.t.Helper()
	replies := map[int]state.Delivery{} // by the event that they answer
	for _, d := range s.everything() {
		if d.Campaign != campaign {
			replies[d.Revision] = d
		}
	}
	s.read(func(ctx context.Context, st *sqlite.Store) error {
		for seq := int64(1); ; seq++ {
			_, ok, err := st.Inbound(ctx, seq)
			if err != nil || !ok {
				return err
			}
			switch d := replies[int(seq)]; d.Send {
			case state.Accepted:
				answered++
			case state.InDoubt:
				doubts++
			default:
				s.t.Errorf("what a person wrote (%d) was not answered: %v %s", seq, d.Send, d.Code)
			}
		}
	})
	return answered, doubts
}

// judgeTold checks that everything that was answered with 200 is in the state.
func (s *street) judgeTold(byID map[string]state.Delivery) {
	s.t.Helper()
	known := s.post.told(s.t)
	for id, rank := range known.ranks {
		switch d, ok := byID[id]; {
		case !ok:
			s.t.Errorf("a status of %s was answered with 200, and no delivery has that id", id)
		case d.Rank < rank || known.failed[id] && !d.Failed:
			s.t.Errorf("%s is %v in the state, and %v was answered with 200", id, d.Rank, rank)
		}
	}
	if len(known.written) != s.wrote {
		s.t.Errorf("%d people wrote, and %d webhooks of them were answered with 200", s.wrote, len(known.written))
	}
	stored := map[string]int{}
	s.read(func(ctx context.Context, st *sqlite.Store) error {
		for seq := int64(1); ; seq++ {
			ev, ok, err := st.Inbound(ctx, seq)
			if err != nil || !ok {
				return err
			}
			stored[ev.Event.ID]++
		}
	})
	for id := range known.written {
		if stored[id] != 1 {
			s.t.Errorf("what a person wrote was answered with 200, and is there %d times", stored[id])
		}
	}
}
