package faults

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"

	"github.com/handbill/handbill/sandbox"
)

// TestOneStateWithoutItsJournal removes the journal after a kill: nothing is sent,
// every command says what to do, and once the journal is back the next apply
// continues.
func TestOneStateWithoutItsJournal(t *testing.T) {
	beside(t)
	for name, c := range map[string]struct {
		closes bool // another command writes the journal into the file meanwhile
		gone   []string
	}{
		"the journal is gone":                            {gone: []string{"-wal", "-shm"}},
		"the journal is gone that was in the file once":  {gone: []string{"-wal", "-shm"}, closes: true},
		"the file alone is left":                         {gone: []string{"-wal", "-shm", ".mark", ".lock", ".lock.info"}},
		"the file alone is left that the journal was in": {gone: []string{"-wal", "-shm", ".mark", ".lock", ".lock.info"}, closes: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, 40, sandbox.Options{Seed: 33})
			h.pace(10)
			r := h.start()
			h.posted(r, 4)
			if c.closes {
				h.stop(r)
				if out, code := h.run("state", "giveback", person(1)); code != 0 {
					t.Errorf("giveback ends with %d:\n%s", code, out)
				}
				r.signal(syscall.SIGCONT)
				h.posted(r, h.network.Totals().Posts+3)
			}
			r.kill(t)
			aside := t.TempDir()
			for _, suffix := range c.gone {
				if err := os.Rename(h.statePath()+suffix, filepath.Join(aside, suffix)); err != nil && !errors.Is(err, os.ErrNotExist) {
					t.Fatal(err)
				}
			}
			h.refuses(all, "State and journal do not belong together", "handbill.state-wal is gone", "Put the journal back")
			if err := os.Rename(filepath.Join(aside, "-wal"), h.statePath()+"-wal"); err != nil {
				t.Fatal(err)
			}
			h.pace(1000)
			h.run(applyArgs...) // what was in flight is in doubt
			if doubts := h.judge(); doubts > parallel {
				t.Errorf("%d in doubt", doubts)
			}
		})
	}
}

// TestOneStateWithoutItsMark removes the files beside a state while an apply runs,
// and after it was killed: no second apply sends meanwhile, and the next one
// continues.
func TestOneStateWithoutItsMark(t *testing.T) {
	beside(t)
	h := newHouse(t, 40, sandbox.Options{Seed: 34})
	h.pace(10)
	gone := func() {
		for _, suffix := range []string{".mark", ".lock.info"} {
			if err := os.Remove(h.statePath() + suffix); err != nil {
				t.Error(err)
			}
		}
	}
	r := h.start()
	h.posted(r, 3)
	h.stop(r)
	gone()
	out, code := h.run(applyArgs...)
	h.says("a second apply", out, code, "State locked")
	r.signal(syscall.SIGCONT)
	h.posted(r, h.network.Totals().Posts+3)
	if _, err := os.Stat(h.statePath() + ".mark"); err != nil {
		t.Error("the mark is not made again: ", err)
	}
	old := h.bytes(t)
	r.kill(t)
	if err := os.Remove(h.statePath() + ".mark"); err != nil {
		t.Error(err)
	}
	h.pace(1000)
	h.run(applyArgs...) // what was in flight is in doubt
	if doubts := h.judge(); doubts > parallel {
		t.Errorf("%d in doubt", doubts)
	}
	h.replace(t, old)
	h.refuses(all, "State")
}

// pace sets how many messages a second the provider accepts, so that an apply is
// still running when something happens to it.
func (h *house) pace(n int) {
	h.t.Helper()
	config, err := os.ReadFile(filepath.Join(h.dir, "main.hcl"))
	if err != nil {
		h.t.Fatal(err)
	}
	h.write("main.hcl", regexp.MustCompile(`throughput = \d+`).ReplaceAllString(string(config), fmt.Sprint("throughput = ", n)))
}

// kill kills a process that is still running.
func (r *running) kill(t *testing.T) {
	t.Helper()
	if r.ended(0) {
		t.Fatalf("it has ended before it is killed:\n%s", r.out)
	}
	r.signal(syscall.SIGKILL)
	<-r.done
}

// TestOneStateIsNotRestoredInUse tries to restore a backup beside serve and beside
// apply: it is refused, and people who write STOP then are not sent to.
func TestOneStateIsNotRestoredInUse(t *testing.T) {
	beside(t)
	s := newSquare(t, 35)
	s.pace(10)
	name := filepath.Join(t.TempDir(), "copy")
	if out, code := s.run("state", "backup", name); code != 0 {
		t.Fatalf("backup ends with %d:\n%s", code, out)
	}
	s.serve()
	told := s.asksToStop(0, 4)
	for _, args := range [][]string{{"state", "restore", name}, {"state", "restore", "-lock=false", "-acknowledge=sure", name}} {
		out, code := s.run(args...)
		s.says("restore", out, code, "handbill serve runs on this state (pid", "Stop it, restore, and start it again", "The state was not changed")
	}
	told = append(told, s.asksToStop(4, 8)...)
	r := s.start()
	s.reached(r, 3)
	s.stop(r)
	out, code := s.run("state", "restore", name)
	s.says("restore", out, code, "State locked")
	told = append(told, s.asksToStop(38, 40)...)
	if len(told) != 10 {
		t.Errorf("of 10 stops %d were answered with 200:\n%s", len(told), s.serving.out)
	}
	r.signal(syscall.SIGCONT)
	if out, code := r.wait(t); code != 0 {
		t.Errorf("apply ends with %d:\n%s", code, out)
	}
	s.close()
	s.nobodyTwice(told)
	if sent := s.sentTo(); len(sent) != s.people-len(told) {
		t.Errorf("%d were sent to, want %d", len(sent), s.people-len(told))
	}
}

// TestOneStateIsRestoredByForce restores a backup beside an apply and ignores its
// lock: the apply stops, and nothing is sent from the backup before somebody has
// looked.
func TestOneStateIsRestoredByForce(t *testing.T) {
	beside(t)
	h := newHouse(t, 40, sandbox.Options{Seed: 36})
	h.pace(10)
	if out, code := h.run("state", "backup", "copy"); code != 0 {
		t.Fatalf("backup ends with %d:\n%s", code, out)
	}
	r := h.start()
	h.posted(r, 3)
	h.stop(r)
	if out, code := h.run("state", "restore", "-lock=false", "copy"); code != 0 {
		t.Errorf("restore ends with %d:\n%s", code, out)
	}
	before := h.network.Totals().Posts
	r.signal(syscall.SIGCONT)
	out, code := r.wait(t)
	h.says("apply", out, code, "State moved away", "Put it back before the next run")
	if n := h.network.Totals().Posts - before; n > parallel {
		t.Errorf("%d requests left after the state was put away", n)
	}
	h.refuses(all, "State is older than what was sent", "handbill state acknowledge")
}
