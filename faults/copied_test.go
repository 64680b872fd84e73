package faults

import (
	"bytes"
	endian "encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/handbill/handbill/sandbox"
)

// beside marks a test that runs processes in parallel with others.
func beside(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("runs processes")
	}
	t.Parallel()
	handbill(t)
}

// newSquare is a street whose campaign sends a location, so that the ledger
// distinguishes its messages from confirmations of a stop.
func newSquare(t *testing.T, seed int64) *street {
	t.Helper()
	return buildStreet(t, 40, sandbox.Options{Seed: seed}, plot{place: true})
}

// sentTo counts, by person, how often the network accepted the campaign of a
// square.
func (h *house) sentTo() map[string]int {
	sent := map[string]int{}
	for e := range h.network.Ledger {
		if e.Accepted && e.Kind == "location" {
			sent["+"+strings.TrimPrefix(e.To, "+")]++
		}
	}
	return sent
}

// reached waits until an apply has sent the campaign to n people.
func (s *street) reached(r *running, n int) {
	s.t.Helper()
	for len(s.sentTo()) < n {
		if !s.posted(r, s.network.Totals().Posts+1) {
			s.t.Fatalf("apply ends and has sent to %d, want %d:\n%s", len(s.sentTo()), n, r.out)
		}
	}
}

// asksToStop makes people write STOP to the running serve, each in a separate
// webhook. It returns those that were answered with 200: their stop must hold.
func (s *street) asksToStop(from, to int) (told []int) {
	s.t.Helper()
	for i := from; i < to; i++ {
		body := fmt.Sprintf(`{"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{"field": "messages", "value": {
			"messaging_product": "whatsapp", "metadata": {"display_phone_number": "1", "phone_number_id": "1"},
			"messages": [{"from": %q, "id": "wamid.stop.%d", "timestamp": "%d", "type": "text", "text": {"body": "STOP"}}]}}]}]}`,
			person(i)[1:], i, time.Now().Unix())
		if bring(s.t.Context(), s.post.at(), []byte(body)) {
			told = append(told, i)
		}
	}
	return told
}

// at is the URL to which webhooks are delivered.
func (p *post) at() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.target
}

// refuses runs commands that must end with exit code 1, print all of the words, and
// send nothing.
func (h *house) refuses(commands [][]string, words ...string) {
	h.t.Helper()
	before := h.network.Totals().Posts
	for _, args := range commands {
		out, code := h.begin(args).wait(h.t) // a serve that is not refused would run on
		h.says(args[0], out, code, words...)
	}
	if n := h.network.Totals().Posts - before; n > 0 {
		h.t.Errorf("%d requests left", n)
	}
}

// says checks the exit code and output of a command that must fail.
func (h *house) says(name, out string, code int, words ...string) {
	h.t.Helper()
	for _, w := range words {
		if code != 1 || !strings.Contains(flatten(out), w) {
			h.t.Errorf("%s ends with %d and is to end with 1 and to say %q:\n%s", name, code, w, out)
			return
		}
	}
}

// all are commands that somebody may type next. A test of the command line checks
// that every command is refused.
var all = [][]string{{"plan"}, {"status"}, applyArgs, {"serve", "-listen=127.0.0.1:0"}}

// nobodyTwice checks the ledger against the people whose stop must hold.
func (s *street) nobodyTwice(told []int) {
	s.t.Helper()
	sent := s.sentTo()
	for to, n := range sent {
		if n > 1 {
			s.t.Errorf("%s got the message %d times", to, n)
		}
	}
	for _, i := range told {
		if sent[person(i)] > 0 {
			s.t.Errorf("%s was told that the stop holds, and got the message", person(i))
		}
	}
}

// copies are ways to get a copy of a state.
var copies = map[string]func(*testing.T, *street) []byte{
	"a copy of the file": func(t *testing.T, s *street) []byte { return s.bytes(t) },
	"a backup": func(t *testing.T, s *street) []byte {
		name := filepath.Join(t.TempDir(), "copy")
		if out, code := s.run("state", "backup", name); code != 0 {
			t.Fatalf("backup ends with %d:\n%s", code, out)
		}
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return data
	},
}

// copyOver writes data into a file, as cp does.
func copyOver(path string, data []byte) error { return os.WriteFile(path, data, 0o600) }

// moveOver replaces a file by another one, as mv and rsync do.
func moveOver(path string, data []byte) error {
	if err := os.WriteFile(path+".new", data, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// TestOneStateUnderACopy replaces a state that serve, or serve and apply, have
// open by an older copy. From then on nobody gets a confirmation of a stop,
// nobody who got one before is sent to, nobody is sent to twice, and every
// command says what to do.
func TestOneStateUnderACopy(t *testing.T) {
	beside(t)
	for _, c := range []struct {
		copied string
		put    func(path string, data []byte) error
		sends  bool
		end    syscall.Signal
		says   string // by apply, if it is not killed
	}{
		{copied: "a copy of the file", put: copyOver, sends: true, end: syscall.SIGTERM, says: "State was put away while it was open"},
		{copied: "a backup", put: copyOver, sends: true, end: syscall.SIGKILL},
		{copied: "a copy of the file", put: copyOver, end: syscall.SIGKILL},
		{copied: "a backup", put: copyOver, end: syscall.SIGTERM},
		{copied: "a backup", put: moveOver, sends: true, end: syscall.SIGTERM, says: "State moved away"},
		{copied: "a copy of the file", put: moveOver, sends: true, end: syscall.SIGKILL},
	} {
		t.Run(fmt.Sprintf("%s, beside apply %v, %v", c.copied, c.sends, c.end), func(t *testing.T) {
			t.Parallel()
			s := newSquare(t, 21)
			old := copies[c.copied](t, s)
			s.serve()
			told := s.asksToStop(0, 6)
			if len(told) != 6 {
				t.Fatalf("of 6 stops %d were answered with 200:\n%s", len(told), s.serving.out)
			}
			var sending *running
			if c.sends {
				s.pace(10)
				sending = s.start()
				s.reached(sending, 4)
				s.stop(sending)
			}
			if err := c.put(s.statePath(), old); err != nil {
				t.Fatal(err)
			}
			before := s.network.Totals().Posts
			if late := s.asksToStop(34, 40); len(late) > 0 {
				t.Errorf("%d were told that their stop holds", len(late))
			}
			if c.sends {
				sending.signal(syscall.SIGCONT)
				if c.end == syscall.SIGKILL {
					sending.signal(c.end)
				}
				if out, code := sending.wait(t); c.says != "" && (code == 0 || !strings.Contains(out, c.says)) {
					t.Errorf("apply ends with %d:\n%s", code, out)
				}
			}
			s.serving.signal(c.end)
			s.serving.wait(t)
			if n := s.network.Totals().Posts - before; n > parallel {
				t.Errorf("%d requests left after the copy, with %d in flight", n, parallel)
			}
			s.takenUp(t)
			s.nobodyTwice(told)
		})
	}
}

// takenUp follows the instructions that handbill gives for a copy beside the
// journal of another file: nothing is sent before somebody has looked.
func (s *street) takenUp(t *testing.T) {
	t.Helper()
	if journal, err := os.ReadFile(s.statePath() + "-wal"); err != nil {
		t.Fatal(err)
	} else if journals(journal) {
		s.refuses(all, "State and journal do not belong together", "take the journal away")
		s.refuses([][]string{{"state", "restore", "handbill.state"}}, "State and journal do not belong together")
		if err := os.Rename(s.statePath()+"-wal", filepath.Join(t.TempDir(), "journal")); err != nil {
			t.Fatal(err)
		}
	} else {
		t.Log("the journal holds nothing")
		s.refuses(all, "State is older than what was sent")
	}
	if out, code := s.run("state", "restore", "handbill.state"); code != 0 {
		t.Errorf("restore ends with %d:\n%s", code, out)
	}
	s.refuses(all, "State is older than what was sent", "handbill state acknowledge")
}

// journals reports whether a journal of SQLite holds a transaction. It holds none
// when its process ended in the first one after the file had got everything and
// the journal was begun anew; then the frames are those of the journal before.
// Source: https://www.sqlite.org/fileformat2.html#walformat, read 2026-11.
func journals(journal []byte) bool {
	const head, frameHead = 32, 24
	if len(journal) < head {
		return false
	}
	page, salts := int(endian.BigEndian.Uint32(journal[8:])), journal[16:24]
	for rest := journal[head:]; len(rest) >= frameHead+page; rest = rest[frameHead+page:] {
		if !bytes.Equal(rest[8:16], salts) {
			return false
		}
		if endian.BigEndian.Uint32(rest[4:]) > 0 { // the last frame of a transaction
			return true
		}
	}
	return false
}
