package faults

import (
	"bytes"
	bits "encoding/binary"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/handbill/handbill/sandbox"
	"github.com/handbill/handbill/state"
)

// TestErasedWhileApplySends erases people, a few at a time, at random times during
// an apply that runs beside serve. After an erasure is committed nothing is sent to
// the person, not even an answer. The apply succeeds and its counts are right. At
// the end, only the backups that the command named contain traces of the erased
// people.
func TestErasedWhileApplySends(t *testing.T) {
	rounds, each := 2, 10
	if ci, _ := effort(); ci {
		rounds = 20
	}
	before, late, never := 0, 0, 0
	for round := range rounds {
		rnd := rand.New(rand.NewPCG(uint64(round), 21))
		s := newStreet(t, 60, sandbox.Options{Seed: int64(round), Latency: 10 * time.Millisecond}, sandbox.Cloud)
		s.serve()
		sending := s.start()
		s.posted(sending, 1)
		s.write(3)
		time.Sleep(time.Duration(rnd.IntN(70)) * time.Millisecond)
		gone := rnd.Perm(s.people)[:each]
		args := []string{"state", "erase", "-lock=false"}
		for _, i := range gone {
			args = append(args, person(i))
		}
		began := time.Now()
		erased, code := s.run(args...)
		if code != 0 {
			t.Fatalf("erase ends with %d:\n%s", code, erased)
		}
		for _, i := range gone { // they write once more
			in := sandbox.Inbound{Provider: sandbox.Cloud, Number: "1", From: person(i), Text: "canary of " + person(i)}
			if _, err := s.network.Inbound(in); err != nil {
				t.Fatal(err)
			}
		}
		if out, code := sending.wait(t); code != 0 {
			t.Errorf("apply ends with %d:\n%s", code, out)
		}
		if out, code := s.run(applyArgs...); code != 0 {
			t.Errorf("the next apply ends with %d:\n%s", code, out)
		}
		s.rest()
		s.close()
		a, b, c := s.judgeErased(gone, began)
		before, late, never = before+a, late+b, never+c
		s.traces(gone, erased)
		if out, code := s.run("state", "verify"); code != 0 {
			t.Errorf("verify ends with %d:\n%s", code, out)
		}
		if t.Failed() {
			t.Fatalf("that was round %d", round)
		}
	}
	t.Logf("%d people were erased in %d applies: %d had been sent to, %d while they were erased, %d never were", rounds*each, rounds, before, late, never)
}

// judgeErased counts the people who were sent to before the erasure, while it ran,
// and never. The state shows the order: an intent is older than the commit that
// erased its recipient. The arrival of the request proves nothing, since it may
// leave after that commit, and on a busy machine long after.
func (s *street) judgeErased(gone []int, began time.Time) (before, late, never int) {
	s.t.Helper()
	intended, accepted := map[string]time.Time{}, 0
	for _, d := range s.everything() {
		intended[d.Ref] = d.Intended
		if d.Send == state.Accepted {
			accepted++
		}
		for _, i := range gone {
			if d.Recipient == person(i) {
				s.t.Errorf("a delivery of %s still has the number", d.Campaign)
			}
		}
	}
	sent, taken := map[string]sandbox.Entry{}, 0
	for e := range s.network.Ledger {
		if e.Accepted {
			taken++
		}
		if e.Duplicate {
			s.t.Errorf("%s got one message twice", e.To)
		}
		if intended[e.Ref].IsZero() {
			s.t.Errorf("a request to %s left, and the state does not know it", e.To)
		}
		sent["+"+strings.TrimPrefix(e.To, "+")] = e
	}
	if accepted != taken {
		s.t.Errorf("the network took %d messages, and the state counts %d", taken, accepted)
	}
	erased := s.erasures()
	if len(erased) != len(gone) {
		s.t.Fatalf("%d people were erased, and the state has %d decisions about it", len(gone), len(erased))
	}
	for n, i := range gone {
		e, ok := sent[person(i)]
		switch at := intended[e.Ref]; {
		case !ok:
			never++
		case at.After(erased[n]):
			s.t.Errorf("a message to %s was decided %v after the erasure", person(i), at.Sub(erased[n]))
		case e.At.Before(began):
			before++
		default:
			late++
		}
	}
	return before, late, never
}

// erasures returns when the state decided each erasure, oldest first.
func (s *street) erasures() (out []time.Time) {
	s.t.Helper()
	name := filepath.Join(s.t.TempDir(), "export.jsonl")
	if text, code := s.run("state", "export", "-out="+name); code != 0 {
		s.t.Fatalf("export ends with %d:\n%s", code, text)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		s.t.Fatal(err)
	}
	for line := range bytes.Lines(data) {
		var row struct {
			Kind, What string
			At         time.Time
		}
		if json.Unmarshal(line, &row) == nil && row.Kind == "decision" && row.What == "erased a recipient" {
			out = append(out, row.At)
		}
	}
	return out
}

// traces searches every file beside the configuration for traces of the erased, and
// allows them only in files that the command named.
func (s *street) traces(gone []int, erased string) {
	s.t.Helper()
	var marks [][]byte
	for _, i := range gone {
		number := strings.TrimPrefix(person(i), "+")
		v, err := strconv.ParseUint(number, 10, 64)
		if err != nil {
			s.t.Fatal(err)
		}
		marks = append(marks, []byte(number), bits.BigEndian.AppendUint64(nil, v)[2:])
	}
	for e := range s.network.Ledger {
		if e.Accepted && slices.ContainsFunc(gone, func(i int) bool { return strings.HasSuffix(person(i), e.To) }) {
			marks = append(marks, []byte(strings.TrimPrefix(e.ID, "wamid.")))
		}
	}
	files, err := filepath.Glob(filepath.Join(s.dir, "*"))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, ".csv") || strings.HasSuffix(name, ".hcl") || strings.Contains(erased, filepath.Base(name)) {
			continue
		}
		data, err := os.ReadFile(name)
		if err != nil {
			s.t.Fatal(err)
		}
		for _, m := range marks {
			if bytes.Contains(data, m) {
				s.t.Errorf("%s still holds %q of an erased person", filepath.Base(name), m)
			}
		}
	}
}

// TestEraseWaitsForItsTurn checks that without -lock=false an erasure is
// refused while an apply sends, or waits for its end, and that the next apply
// sends nothing to the person.
func TestEraseWaitsForItsTurn(t *testing.T) {
	h := newHouse(t, 60, sandbox.Options{Seed: 9})
	h.pace(10)
	first := h.start()
	h.posted(first, 10)
	h.stop(first)
	if out, code := h.run("state", "erase", person(59)); code == 0 || !strings.Contains(out, "State locked") {
		t.Errorf("erase ends with %d while an apply sends:\n%s", code, out)
	}
	first.signal(syscall.SIGCONT)
	waiting := h.begin([]string{"state", "erase", "-lock-timeout=3m", person(59)})
	first.signal(syscall.SIGINT)
	if out, code := first.wait(t); code != 130 {
		t.Errorf("apply ends with %d:\n%s", code, out)
	}
	if out, code := waiting.wait(t); code != 0 {
		t.Errorf("erase ends with %d:\n%s", code, out)
	}
	before := h.network.Totals().Posts
	if out, code := h.run(applyArgs...); code != 0 {
		t.Errorf("the next apply ends with %d:\n%s", code, out)
	}
	for e := range h.network.Ledger {
		if strings.HasSuffix(person(59), e.To) && uint64(e.N) > before {
			t.Error("an erased person was sent to")
		}
	}
}
