package faults

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/handbill/handbill/sandbox"
	"github.com/handbill/handbill/state"
)

// servepoints are the failpoints of serve, with the minimum number of times that a
// round passes them.
var servepoints = map[string]int{
	"webhook-before": 20, "webhook-after": 20, "fold-after": 2, "claim-after": 1, "reply-intent-before": 3, "reply-intent-after": 3,
	"reply-answer-after": 3, "reply-outcome-after": 3, "answered-before": 3, "answered-after": 3, "commit-before": 10, "commit-after": 10,
}

// answering is the maximum number of answers that serve has in flight: the
// constant workers of package serve.
const answering = 64

// TestKillsBesideServe kills serve, apply, and both, while the network reports
// statuses and people write. It checks the state against what was answered with 200
// and against the network's ledger.
func TestKillsBesideServe(t *testing.T) {
	if testing.Short() {
		t.Skip("kills processes for a while")
	}
	t.Parallel()
	kills, workers := 8, 1
	deadline := time.Time{}
	switch ci, long := effort(); {
	case long > 0:
		kills, workers, deadline = 1<<40, 2, time.Now().Add(long)
	case ci:
		kills, workers = 130, 2
	}
	handbill(t)
	k := newKiller(t, servepoints)
	started := time.Now()
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for round := w; int(k.kills.Load()) < kills && !t.Failed() && (deadline.IsZero() || time.Now().Before(deadline)); round += workers {
				k.street(uint64(round), kills)
			}
		})
	}
	wg.Wait()
	t.Logf("%d kills of serve, apply or both in %d campaigns and %.1f s; the network saw %d requests and took %d messages, none twice; "+
		"%d webhooks were answered with 200, none lost; %d people were answered once; %d answers were open, at most %d by one kill, and %d are in doubt at the end",
		k.kills.Load(), k.campaigns.Load(), time.Since(started).Seconds(), k.posts.Load(), k.taken.Load(), k.webhooks.Load(), k.answered.Load(), k.doubts.Load(), k.most.Load(), k.left.Load())
	k.missed(kills >= 130)
}

// street kills processes on one street until its campaign has seen enough kills.
func (k *killer) street(seed uint64, kills int) {
	rnd := rand.New(rand.NewPCG(seed, 13))
	accepts := true
	opt := sandbox.Options{Seed: int64(seed) + 1, Latency: 8 * time.Millisecond, Script: &sandbox.Script{Rules: []sandbox.Rule{
		{Match: sandbox.Match{Share: 0.005}, Behaviour: sandbox.ResetAfterRead, Accepts: &accepts},
		{Match: sandbox.Match{Share: 0.01}, Answer: &sandbox.ScriptAnswer{Code: "130429"}},
	}}}
	s := newStreet(k.t, 150, opt, sandbox.Cloud)
	k.campaigns.Add(1)
	s.serve()
	for range 12 {
		if int(k.kills.Load()) >= kills || k.t.Failed() {
			break
		}
		k.beside(s, rnd)
	}
	if s.serving.ended(0) {
		s.serve()
	}
	s.finish()
	s.rest()
	s.close()
	s.judge()
	answered, doubts := s.judgeServe()
	if out, code := s.run("state", "verify"); code != 0 {
		k.t.Errorf("seed %d: verify ends with %d:\n%s", seed, code, out)
	}
	if k.t.Failed() {
		k.t.Logf("that was seed %d; serve's last words:\n%s", seed, s.serving.out)
	}
	totals := s.network.Totals()
	k.posts.Add(totals.Posts)
	k.taken.Add(totals.Accepted)
	k.answered.Add(int64(answered))
	k.left.Add(int64(doubts))
	k.webhooks.Add(int64(len(s.post.taken)))
}

// finish runs applies until everybody was sent to.
func (s *street) finish() {
	s.t.Helper()
	for range 20 { // throttled messages take a few
		out, code := s.run(applyArgs...)
		if code != 0 && code != 1 || strings.Contains(out, "bug in handbill") {
			s.t.Errorf("apply ends with %d:\n%s", code, out)
		}
		all := s.deliveries()
		if count(all, state.Accepted)+count(all, state.InDoubt) == s.people {
			return
		}
	}
}

// beside runs an apply beside serve, makes people write, and kills one or both.
func (k *killer) beside(s *street, rnd *rand.Rand) {
	whom, name, env := rnd.IntN(3), "", ""
	if rnd.IntN(2) == 0 {
		name = k.pick()
		env = fmt.Sprintf("HANDBILL_FP=%s:%d", name, 1+rnd.IntN(servepoints[name]))
		whom = 0
	}
	if s.serving.ended(0) || env != "" {
		s.serving.signal(syscall.SIGKILL)
		s.serving.wait(k.t)
		s.serve(env)
	}
	sending := s.start()
	s.posted(sending, 1)
	s.write(4 + rnd.IntN(8))
	time.Sleep(time.Duration(rnd.IntN(150)) * time.Millisecond)
	s.write(rnd.IntN(8))
	serving := s.serving
	switch {
	case env != "" && serving.ended(600*time.Millisecond):
		k.hit[name].Add(1)
		k.kills.Add(1)
	case whom != 1:
		serving.signal(syscall.SIGKILL)
		k.kills.Add(1)
	}
	if whom != 0 && !sending.ended(0) {
		sending.signal(syscall.SIGKILL)
		k.kills.Add(1)
	}
	if out, code := sending.wait(k.t); code != -1 && code != 0 && code != 1 {
		k.t.Errorf("apply ends with %d:\n%s", code, out)
	}
	if serving.ended(0) || whom != 1 {
		serving.wait(k.t)
		k.open(s)
	}
}

// open checks what the killed processes left open against what they may have in
// flight.
func (k *killer) open(s *street) {
	sends, answers := 0, 0
	for _, d := range s.everything() {
		switch {
		case d.Send != state.Sending:
		case d.Campaign == campaign:
			sends++
		default:
			answers++
		}
	}
	if sends > parallel || answers > answering {
		k.t.Errorf("%d sends and %d answers are open, with at most %d and %d in flight", sends, answers, parallel, answering)
	}
	k.most.Store(max(k.most.Load(), int64(answers)))
	k.doubts.Add(int64(answers))
}
