package faults

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/handbill/handbill/internal/pgtest"
	"github.com/handbill/handbill/sandbox"
	"github.com/handbill/handbill/serve"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/state/postgres"
)

const (
	// leavers is how many of those who write are erased in the middle.
	leavers = 4
	// thrice is how often each of their messages is delivered.
	thrice = 3
)

// TestServesShareAState has two serves on one state in PostgreSQL answer people, and
// hand on what they write, while serves are killed and started anew, an apply sends
// to the same people, and some of these are erased. Each message is delivered three
// times, to whichever serve. Afterwards, each was answered once, or is in doubt of a
// killed serve; a person's messages were answered in order; each was handed on; and
// nothing is left of those who were erased. HANDBILL_FAULTS=ci has 480 messages,
// a duration 10,000.
func TestServesShareAState(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for the limits of lanes")
	}
	t.Parallel()
	messages, kills, writers := 320, 2, 40
	switch ci, long := effort(); {
	case long > 0:
		// A person gets few messages at once: the pace of a pair is no part of this.
		messages, kills, writers = 10_000, 30, 1000
	case ci:
		messages, kills = 480, 3
	}
	d := newDesk(t, writers)
	each := messages / writers
	started := time.Now()
	d.must("apply", "-auto-approve", "-exclude=campaign.all") // rules are those of the last apply
	d.serve(0)
	d.serve(1)
	sending := d.begin(applyArgs, d.env...)
	wait := d.people(each)
	for kill := range kills {
		d.until("people write", func() bool { return int(d.posted.Load()) >= (messages-leavers*each/2)*(kill+1)/(kills+2) })
		if kill == kills/2 {
			d.erase()
		}
		d.kill(kill % len(d.serves))
	}
	wait()
	if out, code := sending.wait(t); code != 0 {
		t.Errorf("apply ends with %d:\n%s", code, out)
	}
	d.rest(each)
	doubts := d.judge(each)
	if most := kills * answering; doubts > most {
		t.Errorf("%d answers are in doubt, and at most %d were under way", doubts, most)
	}
	d.traces()
	for _, r := range d.serves {
		r.signal(syscall.SIGTERM)
		if out, code := r.wait(t); code != 0 {
			t.Errorf("serve ends with %d:\n%s", code, out)
		}
	}
	hands := 0
	for _, n := range d.handed {
		hands += n
	}
	t.Logf("%d messages, each delivered %d times, and %d kills in %.0f s: %d answers in doubt, %d messages handed on %d times",
		messages, thrice, kills, time.Since(started).Seconds(), doubts, len(d.handed), hands)
}

// desk is a state in PostgreSQL with two serves, a number, and a service to which
// messages are handed on.
type desk struct {
	*house
	env      []string
	writers  int // how many people write
	database *pgtest.Cluster
	wire     *httptest.Server // of the network
	service  *httptest.Server
	serves   [2]*running
	posted   atomic.Int64  // messages that were accepted once
	gone     chan struct{} // closed when the leavers are erased

	mu      sync.Mutex
	rnd     *rand.Rand
	targets [2]string           // where the serves listen; "" for one that is dead
	again   [][]byte            // bodies that are delivered another time
	repeats int                 // how many of them there were
	replies map[string][]string // what answers quote, by person, in the order of their arrival
	handed  map[string]int      // how often a message was handed on
	missed  map[string]bool     // what the service refused, by webhook-id
}

func newDesk(t *testing.T, writers int) *desk {
	t.Helper()
	d := &desk{house: &house{t: t, dir: t.TempDir()}, writers: writers, gone: make(chan struct{}), rnd: rand.New(rand.NewPCG(1, 31)), replies: map[string][]string{}, handed: map[string]int{}, missed: map[string]bool{}}
	d.database = pgtest.Start(t, "handbill", "")
	d.env = []string{"HANDBILL_STATE_URL=" + d.database.URL()}
	server := func(f http.HandlerFunc) *httptest.Server {
		s := httptest.NewServer(f)
		t.Cleanup(s.Close)
		return s
	}
	d.network = sandbox.New(sandbox.Options{Seed: 1, Clock: time.Now, AssumeOpen: true, Throughput: -1, Latency: 5 * time.Millisecond, Statuses: quick(),
		Webhooks: []sandbox.WebhookTarget{{Provider: sandbox.Cloud, URL: server(d.status).URL}}})
	ctx, stop := context.WithCancel(context.Background())
	var network sync.WaitGroup
	network.Go(func() { d.network.Run(ctx) })
	t.Cleanup(func() { stop(); network.Wait() })
	d.wire, d.service = server(d.send), server(d.take)
	d.write("main.hcl", fmt.Sprintf(deskConfig, d.wire.URL, d.service.URL))
	d.write("first.csv", "phone\n"+person(1000)+"\n")
	all := "phone\n"
	for i := range 800 {
		all += person(i) + "\n"
	}
	d.write("all.csv", all)
	d.must("init")
	t.Cleanup(func() {
		for _, r := range d.serves {
			if r != nil {
				r.signal(syscall.SIGKILL)
				<-r.done
			}
		}
	})
	return d
}

const deskConfig = `handbill {
  state "postgres" { url = env("HANDBILL_STATE_URL") }
}

provider "sandbox" "main" {
  url        = %q
  throughput = 400
}

audience "first" {
  source "csv" { path = "first.csv" }
}

audience "all" {
  source "csv" { path = "all.csv" }
}

text_message "hello" { body = "Hello" }

campaign "first" {
  provider = provider.sandbox.main
  audience = audience.first
  message  = text_message.hello
  window   = "assume_open"
}

campaign "all" {
  provider = provider.sandbox.main
  audience = audience.all
  message  = text_message.hello
  window   = "assume_open"
}

text_message "echo" { body = "You wrote: ${value.text}" }

reply_rule "echo" {
  when { any = true }
  values = { text = inbound.text }
  reply  = text_message.echo
  forward { url = %q }
}
`

// must runs a command, which must succeed.
func (d *desk) must(args ...string) {
	d.t.Helper()
	if out, code := d.begin(args, d.env...).wait(d.t); code != 0 {
		d.t.Fatalf("%s ends with %d:\n%s", strings.Join(args, " "), code, out)
	}
}

// until waits for something to happen.
func (d *desk) until(what string, happened func() bool) {
	d.t.Helper()
	for end := time.Now().Add(patience); !happened(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			d.t.Fatalf("%s: it does not happen\n%s\n%s", what, d.serves[0].out, d.serves[1].out)
		}
	}
}

// serve starts a serve and waits until it listens.
func (d *desk) serve(i int) {
	d.t.Helper()
	r := d.begin([]string{"serve", "-listen=127.0.0.1:0", "-allow-host=" + d.service.Listener.Addr().String()}, d.env...)
	d.serves[i] = r
	d.until("serve listens", func() bool {
		_, rest, ok := strings.Cut(r.out.String(), "Listening on ")
		base, _, whole := strings.Cut(rest, "\n")
		if r.ended(0) {
			d.t.Fatalf("serve ends:\n%s", r.out)
		}
		if ok && whole {
			d.aim(i, base+"/webhooks/sandbox/main")
		}
		return ok && whole
	})
}

func (d *desk) aim(i int, target string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.targets[i] = target
}

// kill kills a serve and starts another one.
func (d *desk) kill(i int) {
	d.t.Helper()
	d.aim(i, "")
	d.serves[i].signal(syscall.SIGKILL)
	<-d.serves[i].done
	d.serve(i)
}

// deliver delivers a webhook to either serve until it is answered with 200.
func (d *desk) deliver(body []byte) {
	for end := time.Now().Add(patience); time.Now().Before(end); {
		d.mu.Lock()
		target := d.targets[d.rnd.IntN(len(d.targets))]
		d.mu.Unlock()
		if target != "" && bring(context.Background(), target, body) {
			return
		}
		time.Sleep(2 * time.Millisecond)
	}
	d.t.Error("a webhook is not accepted")
}

// people lets everybody write, one message after another; those who are erased
// write half of theirs afterwards.
func (d *desk) people(each int) (wait func()) {
	var wg sync.WaitGroup
	for who := range d.writers {
		wg.Go(func() {
			for n := range each {
				if who < leavers && n == each/2 {
					<-d.gone
				}
				body := written(who, n)
				d.deliver(body)
				d.posted.Add(1)
				d.mu.Lock()
				for range thrice - 1 {
					d.again = append(d.again, body)
				}
				d.mu.Unlock()
			}
		})
	}
	for range 4 {
		wg.Go(func() { d.repeat(d.writers * each * (thrice - 1)) })
	}
	return wg.Wait
}

// repeat delivers bodies another time, in any order, until all were.
func (d *desk) repeat(all int) {
	for {
		d.mu.Lock()
		if d.repeats == all {
			d.mu.Unlock()
			return
		}
		var body []byte
		if n := len(d.again); n > 0 {
			i := d.rnd.IntN(n)
			body, d.again[i] = d.again[i], d.again[n-1]
			d.again = d.again[:n-1]
			d.repeats++
		}
		d.mu.Unlock()
		if body == nil {
			time.Sleep(2 * time.Millisecond)
			continue
		}
		d.deliver(body)
	}
}

// written is the webhook of somebody's n-th message.
func written(who, n int) []byte {
	from := strings.TrimPrefix(person(who), "+")
	return fmt.Appendf(nil, `{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":{"messaging_product":"whatsapp",
		"contacts":[{"profile":{"name":"Ana"},"wa_id":%q}],"messages":[{"from":%q,"id":"wamid.%s.%d","timestamp":"%d","type":"text","text":{"body":"message %d"}}]}}]}]}`,
		from, from, from, n, time.Now().Unix(), n)
}

// status passes a status of the network on.
func (d *desk) status(_ http.ResponseWriter, r *http.Request) {
	if body, err := io.ReadAll(r.Body); err == nil {
		d.deliver(body)
	}
}

// send is the network, which notes what it takes.
func (d *desk) send(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // whoever asked is gone
	}
	var m struct {
		To   string
		Text struct{ Body string }
	}
	if json.Unmarshal(body, &m) == nil {
		if text, ok := strings.CutPrefix(m.Text.Body, "You wrote: "); ok {
			d.mu.Lock()
			to := "+" + strings.TrimPrefix(m.To, "+")
			d.replies[to] = append(d.replies[to], text)
			d.mu.Unlock()
		}
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	d.network.Handler().ServeHTTP(w, r.WithContext(context.WithoutCancel(r.Context())))
}

// take is the service to which messages are handed on. It is not always there, but
// never misses one twice: the second wait is five minutes.
func (d *desk) take(w http.ResponseWriter, r *http.Request) {
	var m serve.Forwarded
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	id := r.Header.Get("Webhook-Id")
	if d.rnd.IntN(50) == 0 && !d.missed[id] {
		d.missed[id] = true
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	d.handed[m.Data.From.Phone+" "+m.Data.Text]++
}

// erase erases the leavers.
func (d *desk) erase() {
	d.t.Helper()
	args := []string{"state", "erase", "-lock=false"}
	for i := range leavers {
		args = append(args, person(i))
	}
	d.must(args...)
	close(d.gone)
}

// store opens the state.
func (d *desk) store(use func(ctx context.Context, s *postgres.Store) error) {
	d.t.Helper()
	s, err := postgres.Open(d.t.Context(), postgres.Options{URL: d.database.URL(), Clock: time.Now})
	if err != nil {
		d.t.Fatal(err)
	}
	defer s.Close()
	if err := use(d.t.Context(), s); err != nil {
		d.t.Fatal(err)
	}
}

// rest waits until everything was answered and handed on.
func (d *desk) rest(each int) {
	d.t.Helper()
	d.store(func(ctx context.Context, s *postgres.Store) error {
		var left int
		answered := func() bool {
			inbox, inbound, err := s.Waiting(ctx)
			left = inbox + inbound
			return err == nil && left == 0 && d.network.Totals().Pending == 0
		}
		for was := -1; !answered() && (was < 0 || left < was); { // each time a hundred more
			was = left
			d.until(fmt.Sprintf("of %d open messages the next are answered", left), func() bool { return answered() || left <= was-100 })
		}
		d.until("everything is handed on", func() bool {
			d.mu.Lock()
			defer d.mu.Unlock()
			for who := leavers; who < d.writers; who++ {
				for n := range each {
					if d.handed[fmt.Sprintf("%s message %d", person(who), n)] == 0 {
						return false
					}
				}
			}
			return true
		})
		return nil
	})
}

// judge compares what the network saw with what was written and with the state. It
// returns how many answers are in doubt.
func (d *desk) judge(each int) (doubts int) {
	d.t.Helper()
	sends := map[string]map[state.Send]int{} // of answers, by person
	d.store(func(ctx context.Context, s *postgres.Store) error {
		snap, err := s.Snapshot(ctx)
		if err != nil {
			return err
		}
		defer snap.Close()
		for one, err := range snap.Deliveries(ctx, "reply_rule.echo") {
			if err != nil {
				return err
			}
			if sends[one.Recipient] == nil {
				sends[one.Recipient] = map[state.Send]int{}
			}
			sends[one.Recipient][one.Send]++
		}
		return nil
	})
	d.mu.Lock()
	defer d.mu.Unlock()
	for who := range d.writers {
		to, last := person(who), -1
		for _, text := range d.replies[to] {
			var n int
			if _, err := fmt.Sscanf(text, "message %d", &n); err != nil || n <= last {
				d.t.Errorf("%s got the answer to %q after that to message %d", to, text, last)
			}
			if last = n; who < leavers && n >= each/2 {
				d.t.Errorf("%s was erased, and got an answer to %q", to, text)
			}
		}
		if who < leavers {
			continue
		}
		got := sends[to]
		if got[state.Accepted]+got[state.InDoubt] != each {
			d.t.Errorf("%s wrote %d messages, and the answers are %v", to, each, got)
		}
		if seen := len(d.replies[to]); seen < got[state.Accepted] || seen > each {
			d.t.Errorf("%s got %d answers, and the state has %v", to, seen, got)
		}
		doubts += got[state.InDoubt]
	}
	return doubts
}

// traces looks for the erased in everything that the database holds.
func (d *desk) traces() {
	d.t.Helper()
	name := filepath.Join(d.database.Dir, "dump")
	d.database.Run(d.t, "pg_dump", "-n", "handbill", "--data-only", "-f", name)
	data, err := os.ReadFile(name)
	if err != nil {
		d.t.Fatal(err)
	}
	// there returns the rows, each after the head of its table.
	there := func(who int) (rows []string) {
		number, head := strings.TrimPrefix(person(who), "+"), ""
		for line := range strings.Lines(string(data)) {
			if strings.HasPrefix(line, "COPY ") {
				head = line
			}
			if strings.Contains(line, number) || strings.Contains(line, hex.EncodeToString([]byte(number))) {
				rows = append(rows, head+line)
			}
		}
		return rows
	}
	for who := range leavers {
		if rows := there(who); len(rows) > 0 {
			d.t.Errorf("the database still holds %s, who was erased:\n%s", person(who), strings.Join(rows, ""))
		}
	}
	if len(there(leavers)) == 0 {
		d.t.Error("the database holds nobody")
	}
}
