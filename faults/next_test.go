package faults

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/handbill/handbill/internal/golden"
	"github.com/handbill/handbill/sandbox"
)

// next lists what happened to a project, and what a person types then.
var next = []struct {
	name  string
	fault func(t *testing.T, h *house)
	then  []string // plan, status and apply by default
}{
	{"killed while a request was under way", func(t *testing.T, h *house) { h.dies(t, "request-before:3") }, nil},
	{"killed between a commit and its requests", func(t *testing.T, h *house) { h.dies(t, "intent-after:3") }, nil},
	{"killed at the very beginning", func(t *testing.T, h *house) { h.dies(t, "begin-after:1") }, nil},
	{"killed at the very end", func(t *testing.T, h *house) { h.dies(t, "finish-before:1") }, nil},
	{"a commit failed", func(t *testing.T, h *house) {
		out, _ := h.begin(single, "HANDBILL_FP=commit-refused:6").wait(t)
		h.said = out
	}, nil},
	{"interrupted twice (slow network)", func(t *testing.T, h *house) {
		r := h.begin(single)
		h.posted(r, slowest)
		r.interrupt(t, syscall.SIGINT)
		r.signal(syscall.SIGINT)
		r.wait(t)
	}, nil},
	{"another apply runs (slow network)", func(t *testing.T, h *house) {
		r := h.begin(single)
		h.posted(r, slowest)
		t.Cleanup(func() { r.signal(syscall.SIGKILL) })
		r.signal(syscall.SIGSTOP)
	}, []string{"plan", "apply"}},
	{"an old copy was put back", func(t *testing.T, h *house) {
		old := h.bytes(t)
		h.run(single...)
		h.replace(t, old)
	}, nil},
	{"the state is gone", func(t *testing.T, h *house) {
		h.run(single...)
		if err := os.Remove(h.statePath()); err != nil {
			t.Fatal(err)
		}
	}, []string{"plan", "status", "apply", "init"}},
	{"the state is gone and comes back", func(t *testing.T, h *house) {
		h.run(single...)
		if out, code := h.run("state", "backup", "copy"); code != 0 {
			t.Fatal(out)
		}
		if err := os.Remove(h.statePath()); err != nil {
			t.Fatal(err)
		}
	}, []string{"state restore copy", "apply", "state acknowledge -why=nothing", "apply"}},
	{"the state is empty", func(t *testing.T, h *house) { h.run(single...); h.replace(t, nil) }, nil},
	{"the state is cut off", func(t *testing.T, h *house) {
		h.run(single...)
		h.replace(t, h.bytes(t)[:40_000])
	}, []string{"plan", "status", "state verify", "apply"}},
	{"a byte of the state is another", func(t *testing.T, h *house) {
		h.run(single...)
		data := h.bytes(t)
		i := bytes.LastIndex(data, []byte("text_message.hi"))
		data[i+2] ^= 1
		h.replace(t, data)
	}, []string{"state verify", "plan", "apply"}},
	{"the state is of a newer handbill", func(t *testing.T, h *house) {
		data := h.bytes(t)
		data[60], data[61], data[62], data[63] = 0, 0, 0, 99
		h.replace(t, data)
	}, nil},
}

// single sends one message at a time, so that the doubts are always the same.
var single = []string{"apply", "-auto-approve", "-parallelism=1"}

// slowest is the number of the message that a slow network has not answered when
// something happens.
const slowest = 3

// slow never answers the nth message, so that apply is certain to wait for it.
func slow(nth int) *sandbox.Script {
	return &sandbox.Script{Rules: []sandbox.Rule{{Match: sandbox.Match{Nth: nth}, Behaviour: sandbox.Silence}}}
}

// TestNextCommand checks what a person reads after a fault: each fault has a golden
// transcript of the next commands, which says what happened and what to do.
func TestNextCommand(t *testing.T) {
	for _, c := range next {
		t.Run(c.name, func(t *testing.T) {
			opt := sandbox.Options{Seed: 14, Latency: time.Millisecond, Statuses: sandbox.StatusMix{Delivered: 1}}
			if strings.Contains(c.name, "slow") {
				opt.Script = slow(slowest)
			}
			h := newHouse(t, 8, opt)
			c.fault(t, h)
			then := c.then
			if then == nil {
				then = []string{"plan", "status", "apply"}
			}
			var all strings.Builder
			all.WriteString(h.said)
			for _, command := range then {
				args := strings.Fields(command)
				if command == "apply" {
					args = single
				}
				out, code := h.run(args...)
				fmt.Fprintf(&all, "$ handbill %s\n%s\nexit %d\n\n", command, out, code)
			}
			golden.Assert(t, []byte(h.steady(all.String())), "testdata/next/"+strings.NewReplacer(" ", "-", "(", "", ")", "").Replace(c.name)+".golden")
		})
	}
}

func (h *house) dies(t *testing.T, at string) {
	t.Helper()
	if out, code := h.begin(single, "HANDBILL_FP="+at).wait(t); code != -1 {
		t.Fatalf("it was not killed: %d\n%s", code, out)
	}
}

func (h *house) file(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(h.dir + "/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func (h *house) bytes(t *testing.T) []byte { return h.file(t, "handbill.state") }

func (h *house) replace(t *testing.T, data []byte) {
	t.Helper()
	if err := os.WriteFile(h.statePath(), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

var unsteady = []struct {
	what *regexp.Regexp
	as   string
}{
	{regexp.MustCompile(`sha256:[0-9a-f]{64}`), "sha256:DIGEST"},
	{regexp.MustCompile(`http://127\.0\.0\.1:\d+`), "http://NETWORK"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?( ?UTC|Z)?`), "TIME"},
	{regexp.MustCompile(`\d{8}T\d{6}\.\d{3}`), "TIME"},
	{regexp.MustCompile(`reads\s+(│\s+)?up to \d+`), "reads up to N"},
	{regexp.MustCompile(`blobs row [1-9]`), "blobs row N"},
	{regexp.MustCompile(`pid \d+`), "pid N"},
	{regexp.MustCompile(`ID: +[A-Z0-9]{26}`), "ID:        LOCK"},
	{regexp.MustCompile(`Who: .*\(`), "Who:       SOMEBODY ("},
	{regexp.MustCompile(`sent in [0-9.]+ m?s`), "sent in MOMENT"},
}

// steady removes from a transcript what differs between runs.
func (h *house) steady(out string) string {
	out = strings.ReplaceAll(out, h.dir, "DIR")
	for _, u := range unsteady {
		out = u.what.ReplaceAllString(out, u.as)
	}
	return out
}
