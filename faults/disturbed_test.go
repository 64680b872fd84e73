package faults

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/state/postgres"
)

// TestWorkersDisturbed has four workers send through eight numbers, while they are
// killed, stopped beyond the limit of their lanes and cut off from the database,
// and the database is killed. Afterwards, the state is compared with what the
// networks saw: nobody got a message twice, nobody is forgotten, nothing counts as
// accepted that the network never took, the counts add up, and in doubt is at most
// what killed processes had in flight. HANDBILL_FAULTS=ci disturbs them some hundred
// times, and a duration for that long. With "kills" they are only killed, one after
// another, and what a number then waits for its next owner is judged as well.
func TestWorkersDisturbed(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for the limits of lanes")
	}
	t.Parallel()
	alone := os.Getenv("HANDBILL_FAULTS") == "kills"
	events, people, deadline := 40, 150, time.Time{}
	switch ci, long := effort(); {
	case long > 0:
		events, deadline = 1<<30, time.Now().Add(long)
	case ci:
		events = 200
	case alone:
		events, people = 24, 400
	}
	const numbers, rate, workers = 8, 20, 4
	d := newDisturbance(t, numbers, people, rate, workers)
	d.alone = alone
	started := time.Now()
	for run := 1; d.total() < events && !t.Failed() && (deadline.IsZero() || time.Now().Before(deadline)); run++ {
		d.invite(people)
		d.must(0, "apply", "-auto-approve", "-detach", "-wait-for-workers")
		for d.open() && d.total() < events {
			d.disturb()
		}
		d.rest()
		d.finished()
	}
	d.again()
	doubts, most := d.judge(rate)
	t.Logf("%v in %.0f s: %d of %d deliveries in doubt, at most %d requests of a number in a second with a limit of %d; %s",
		d.counts, time.Since(started).Seconds(), doubts, d.people*numbers, most, rate, d.takeovers())
	if t.Failed() {
		t.Log(d.said())
	}
}

// disturbance is a fleet whose workers are disturbed.
type disturbance struct {
	*fleet
	store  *postgres.Store
	wires  []*wire // by worker
	rnd    *rand.Rand
	later  sync.WaitGroup // ends of what takes a while
	killed map[int]time.Time
	counts map[string]int
	alone  bool // workers are killed, and nothing else is done to the others
}

// shortLimit is the limit of lanes in this test.
const shortLimit = 2 * time.Second

func newDisturbance(t *testing.T, numbers, people, rate, workers int) *disturbance {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	d := &disturbance{fleet: newFleet(t, numbers, 0, rate), rnd: rand.New(rand.NewPCG(seed, 1)), killed: map[int]time.Time{}, counts: map[string]int{}}
	d.env = append(d.env, "HANDBILL_FP_LIMIT="+shortLimit.String())
	store, err := postgres.Open(t.Context(), postgres.Options{URL: d.database.URL(), Clock: time.Now, Patience: patience})
	if err != nil {
		t.Fatal(err)
	}
	d.store = store
	t.Cleanup(func() { store.Close() })
	d.fleet.allow(1 << 30)
	for range workers {
		w := newWire(t, d.database)
		d.wires = append(d.wires, w)
		d.workers = append(d.workers, d.hire(w))
	}
	return d
}

// hire starts a worker whose database is at the end of a wire.
func (d *disturbance) hire(w *wire) *running {
	d.t.Helper()
	at := strings.Replace(d.database.URL(), url.QueryEscape(d.database.Dir), url.QueryEscape(w.dir), 1)
	env := append(slices.Clone(d.env), "HANDBILL_STATE_URL="+at)
	return d.begin([]string{"-chdir=" + w.dir, "worker", fmt.Sprint("-parallelism=", parallel)}, env...)
}

// invite adds people to the audience.
func (d *disturbance) invite(more int) {
	d.t.Helper()
	d.people += more
	var contacts strings.Builder
	contacts.WriteString("phone\n")
	for i := range d.people {
		fmt.Fprintln(&contacts, person(i))
	}
	d.write("contacts.csv", contacts.String())
}

func (d *disturbance) total() (n int) {
	for _, c := range d.counts {
		n += c
	}
	return n
}

// open reports whether a run is open.
func (d *disturbance) open() bool {
	d.t.Helper()
	runs, err := d.store.OpenRuns(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	return len(runs) > 0
}

// disturb does one thing to the fleet, and waits a moment.
func (d *disturbance) disturb() {
	d.t.Helper()
	d.keep()
	i := d.rnd.IntN(len(d.workers))
	w, worker := d.wires[i], d.workers[i]
	after := func(wait time.Duration, end func()) {
		d.later.Go(func() { time.Sleep(wait); end() })
	}
	upTo := func(most time.Duration) time.Duration { return time.Duration(d.rnd.Int64N(int64(most))) }
	n, pause := d.rnd.IntN(100), upTo(200*time.Millisecond)
	if d.alone {
		n, pause = 0, 2*shortLimit // until others have its lanes
	}
	switch {
	case n < 25:
		d.counts["kills"]++
		worker.signal(syscall.SIGKILL)
		<-worker.done
		d.killed[worker.cmd.Process.Pid] = time.Now()
		d.workers[i] = d.hire(w)
	case n < 35:
		d.counts["stops"]++
		worker.signal(syscall.SIGSTOP)
		after(shortLimit+upTo(shortLimit), func() { worker.signal(syscall.SIGCONT) })
	case n < 38:
		d.counts["restarts of the database"]++
		if err := errors.Join(d.database.Down(), d.database.Up()); err != nil {
			d.t.Fatal(err)
		}
	case n < 60:
		d.counts["cuts"]++
		w.cut()
	case n < 70:
		d.counts["outages"]++
		w.leave()
		after(upTo(2*shortLimit), w.pass)
	case n < 85:
		d.counts["delays"]++
		w.slow(upTo(100 * time.Millisecond))
		after(upTo(shortLimit), w.pass)
	default:
		d.counts["stalls"]++
		w.hold()
		after(upTo(2*shortLimit), w.pass)
	}
	time.Sleep(pause)
}

// keep starts workers again that ended since the database was away, as systemd does.
func (d *disturbance) keep() {
	d.t.Helper()
	for i, w := range d.workers {
		if w.ended(0) {
			if _, code := w.wait(d.t); code != 1 {
				d.t.Errorf("a worker ends with %d:\n%s", code, w.out)
			}
			d.workers[i] = d.hire(d.wires[i])
		}
	}
}

// rest waits until nothing is disturbed any more.
func (d *disturbance) rest() {
	d.t.Helper()
	d.later.Wait()
	for _, w := range d.wires {
		w.pass()
	}
}

// again lets the workers end, which then have told everything, and applies once more.
// What a worker had not sent when it was stalled, and told only after another had done
// its number, is pending in the state.
func (d *disturbance) again() {
	d.t.Helper()
	for i, w := range d.workers {
		w.signal(syscall.SIGTERM)
		w.wait(d.t)
		d.workers[i] = d.hire(d.wires[i])
	}
	d.must(0, "apply", "-auto-approve", "-detach", "-wait-for-workers")
	d.finished()
}

// finished waits until the run is over.
func (d *disturbance) finished() {
	d.t.Helper()
	for end := time.Now().Add(patience); d.open(); time.Sleep(100 * time.Millisecond) {
		d.keep()
		if time.Now().After(end) {
			d.t.Fatalf("the run does not end\n%s", d.said())
		}
	}
}

// owned is one time that a process owned a lane, as the state tells.
type owned struct {
	number       string
	pid          int // 0 if it was given back, or nobody had it
	since, until time.Time
	done         bool
}

func (d *disturbance) lanes() (list []owned) {
	d.t.Helper()
	ctx := d.t.Context()
	c, err := pgx.Connect(ctx, d.database.URL())
	if err != nil {
		d.t.Fatal(err)
	}
	defer c.Close(ctx)
	rows, err := c.Query(ctx, "SELECT number, owner, coalesce(since, until), until, done FROM handbill.lanes ORDER BY number, epoch")
	if err != nil {
		d.t.Fatal(err)
	}
	var l owned
	var data []byte
	if _, err := pgx.ForEachRow(rows, []any{&l.number, &data, &l.since, &l.until, &l.done}, func() error {
		var by state.Owner
		if data != nil {
			if err := json.Unmarshal(data, &by); err != nil {
				return err
			}
		}
		l.pid = by.PID
		list = append(list, l)
		return nil
	}); err != nil {
		d.t.Fatal(err)
	}
	return list
}

// judge compares the state with what the networks saw. It returns how many
// deliveries are in doubt, and the most requests of one number in a second.
func (d *disturbance) judge(rate int) (doubts, most int) {
	d.t.Helper()
	lost := map[string]int{} // lanes whose owner was killed
	for _, l := range d.lanes() {
		if _, ok := d.killed[l.pid]; ok && !l.done {
			lost[l.number]++
		}
	}
	for i := range d.networks {
		n := d.number(i)
		if limit := lost[fmt.Sprintf("provider.sandbox.n%d", i)] * parallel; n > limit {
			d.t.Errorf("number %d: %d in doubt, and killed processes had at most %d in flight", i, n, limit)
		}
		doubts += n
		most = max(most, d.densest(i))
	}
	// Each owner that is stopped can leave what it had in flight to arrive later.
	if bound := rate + 2*parallel; most > bound {
		d.t.Errorf("%d messages in a second, with a limit of %d", most, rate)
	}
	runs, err := d.store.Runs(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	for _, r := range runs {
		for _, c := range r.Campaigns {
			if sum := c.Accepted + c.Rejected + c.InDoubt + c.Held + c.Cancelled + c.Pending; r.Ended.IsZero() || sum != c.Planned {
				d.t.Errorf("run %d: %+v", r.ID, c)
			}
		}
	}
	return doubts, most
}

// number compares the deliveries of one campaign with the ledger of its network,
// and returns how many are in doubt.
func (d *disturbance) number(i int) (doubts int) {
	d.t.Helper()
	refs, taken := map[string]int{}, map[string]int{}
	all := d.deliveriesOf(fmt.Sprintf("campaign.c%d", i))
	for e := range d.networks[i].Ledger {
		to := "+" + strings.TrimPrefix(e.To, "+")
		if refs[e.Ref]++; refs[e.Ref] > 1 {
			d.t.Errorf("number %d: one intent was sent %d times", i, refs[e.Ref])
		}
		if e.Accepted {
			taken[to]++
		}
		if _, ok := all[to]; !ok {
			d.t.Errorf("number %d: a request left, and the state does not know it", i)
		}
	}
	for to, n := range taken {
		if n > 1 {
			d.t.Errorf("number %d: %s got it %d times", i, to, n)
		}
	}
	for p := range d.people {
		switch of := all[person(p)]; {
		case of.Send == state.InDoubt:
			doubts++
		case of.Send != state.Accepted:
			d.t.Errorf("number %d: %s is %s", i, person(p), of.Send)
		case taken[person(p)] == 0:
			d.t.Errorf("number %d: %s counts as accepted, and the network never took it", i, person(p))
		}
	}
	return doubts
}

func (d *disturbance) deliveriesOf(campaign string) map[string]state.Delivery {
	d.t.Helper()
	ctx := context.Background()
	snap, err := d.store.Snapshot(ctx)
	if err != nil {
		d.t.Fatal(err)
	}
	defer snap.Close()
	all := map[string]state.Delivery{}
	for of, err := range snap.Deliveries(ctx, campaign) {
		if err != nil {
			d.t.Fatal(err)
		}
		all[of.Recipient] = of
	}
	return all
}

// densest returns the most requests that a network saw in any second.
func (d *disturbance) densest(i int) (most int) {
	var times []time.Time
	for e := range d.networks[i].Ledger {
		times = append(times, e.At)
	}
	for from, to := 0, 0; to < len(times); to++ {
		for times[to].Sub(times[from]) >= time.Second {
			from++
		}
		most = max(most, to-from+1)
	}
	return most
}

// takeovers says how long it took until another process had the lane of one that was
// killed. It is not judged where other workers may be disturbed at that moment.
func (d *disturbance) takeovers() string {
	var took []time.Duration
	list := d.lanes()
	for i, l := range list {
		at, ok := d.killed[l.pid]
		if ok && !l.done && i+1 < len(list) && list[i+1].number == l.number && list[i+1].pid != 0 {
			took = append(took, list[i+1].since.Sub(at))
		}
	}
	if len(took) == 0 {
		return "no lane of a killed process was taken over"
	}
	slices.Sort(took)
	if most := took[len(took)*95/100]; d.alone && most > shortLimit+3*time.Second/2 {
		d.t.Errorf("a lane in twenty waited for %s or longer", most)
	}
	return fmt.Sprintf("%d lanes of killed processes taken over, half of them within %.1f s, 95 %% within %.1f s, with a limit of %s",
		len(took), took[len(took)/2].Seconds(), took[len(took)*95/100].Seconds(), shortLimit)
}
