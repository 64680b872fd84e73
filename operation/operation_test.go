package operation

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/workspace"
)

const shop = `
provider "sandbox" "main" {}

text_message "hello" {
  body = "Hello ${recipient.name}!"
}

audience "people" {
  source "csv" { path = "contacts.csv" }
  region     = "DE"
  attributes = { name = row.name }
}

campaign "spring" {
  provider = provider.sandbox.main
  audience = audience.people
  message  = text_message.hello
  window   = "assume_open"
}
`

const contacts = "phone,name\n+4915112345601,Anna\n+4915112345602,Bernadette\n+4915112345603,Cy\n+4915112345604,Dora\n"

const spring = "campaign.spring"

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// newWorkspace opens a directory with the shop, at noon.
func newWorkspace(t *testing.T) *workspace.Workspace {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "main.hcl", shop)
	write(t, dir, "contacts.csv", contacts)
	host := &workspace.Host{Env: func(string) (string, bool) { return "", false }, Now: func() time.Time { return noon }, Rand: rand.Reader,
		Version: "0.1.0", Who: "ada", Build: func() string { return "commit:abc" }}
	ws, diags, err := workspace.Load(t.Context(), host, dir, nil)
	if err != nil || diags.HasErrors() {
		t.Fatal(err, diags)
	}
	t.Cleanup(func() { ws.Close() })
	return ws
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func openState(t *testing.T, ws *workspace.Workspace) state.Store {
	t.Helper()
	s, _, err := ws.OpenState(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// doubt records a send of the campaign to each number, without an outcome.
func doubt(t *testing.T, s state.Store, numbers ...string) {
	t.Helper()
	run, err := s.Begin(t.Context(), state.Run{Lanes: []state.Lane{{Number: "provider.sandbox.main"}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var intents []state.Intent
	for _, n := range numbers {
		in := state.Intent{Key: state.Key{Campaign: spring, Recipient: n, Revision: 1}, Attempt: 1, Message: "text_message.hello"}
		in.To.Phone = n
		intents = append(intents, in)
	}
	if _, err := s.Intend(t.Context(), run.Lanes[0], intents); err != nil {
		t.Fatal(err)
	}
	if _, err := state.RecoverAll(t.Context(), s); err != nil {
		t.Fatal(err)
	}
}

// refused returns the heading of an *Error; "" for other errors and for none.
func refused(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Summary
	}
	return ""
}

// A change by hand backs the state up before it works. If Look or the lock refuses,
// it does neither.
func TestChange(t *testing.T) {
	ws := newWorkspace(t)
	openState(t, ws).Close()
	worked := 0
	c := &Change{Name: "state rm", Look: func(state.Store) error { return errors.New("halted") }}
	do := func() error {
		return c.Do(t.Context(), ws, func(state.Store) error {
			if len(ws.StateCopies()) != 1 {
				t.Errorf("copies when the work begins: %v; want one", ws.StateCopies())
			}
			worked++
			return nil
		})
	}
	if err := do(); err == nil || worked != 0 || len(ws.StateCopies()) != 0 {
		t.Errorf("a state that must not change: %v, worked %d times, copies %v", err, worked, ws.StateCopies())
	}
	c.Look = func(state.Store) error { return nil }
	held, err := ws.Lock(t.Context(), "apply", 0)
	if err != nil {
		t.Fatal(err)
	}
	var locked *state.LockedError
	if err := do(); !errors.As(err, &locked) || locked.Info.Operation != "apply" || worked != 0 {
		t.Errorf("beside an apply: %v, worked %d times", err, worked)
	}
	if err := held.Unlock(); err != nil {
		t.Fatal(err)
	}
	if err := do(); err != nil || worked != 1 {
		t.Errorf("%v, worked %d times; want once", err, worked)
	}
}

func TestRemoveReportsWhatItRemovedBeforeAnError(t *testing.T) {
	s := openState(t, newWorkspace(t))
	doubt(t, s, "+4915112345601", "+4915112345602")
	done, err := Remove(t.Context(), s, []string{spring, "campaign.never"})
	if !errors.Is(err, state.ErrUnknown) {
		t.Errorf("removing what is not there: %v", err)
	}
	if diff := cmp.Diff([]Removed{{spring, 2}}, done); diff != "" {
		t.Errorf("removed (-want +got):\n%s", diff)
	}
}

func TestGiveBack(t *testing.T) {
	s := openState(t, newWorkspace(t))
	people := []string{"+4915112345601", "+4915112345602"}
	for _, who := range people {
		if err := s.Handover(t.Context(), who, true); err != nil {
			t.Fatal(err)
		}
	}
	if err := GiveBack(t.Context(), s, people); err != nil {
		t.Fatal(err)
	}
	for _, who := range people {
		if p, err := s.Person(t.Context(), "", who); err != nil || p.Handover {
			t.Errorf("the rules stay silent for %s: %v", who, err)
		}
	}
}

// The starter is written completely or not at all, and never overwrites anything.
func TestStarter(t *testing.T) {
	dir := t.TempDir()
	mine := write(t, dir, "main.csv", "")
	names, err := WriteStarter(dir)
	if diff := cmp.Diff([]string{"contacts.csv", "main.hcl"}, names); diff != "" || err != nil {
		t.Fatalf("%v (-want +got):\n%s", err, diff)
	}
	if names, err := WriteStarter(dir); len(names) > 0 || err != nil {
		t.Errorf("beside a configuration it wrote %v, %v", names, err)
	}
	if err := os.Remove(filepath.Join(dir, "main.hcl")); err != nil {
		t.Fatal(err)
	}
	if names, err := WriteStarter(dir); len(names) > 0 || refused(err) != "Starter not written" {
		t.Errorf("over contacts of somebody's: %v, %v", names, err)
	}
	for path, want := range map[string]bool{mine: true, filepath.Join(dir, "contacts.csv"): true, filepath.Join(dir, "main.hcl"): false} {
		if _, err := os.Stat(path); (err == nil) != want {
			t.Errorf("%s is there: %v; want %v", filepath.Base(path), err == nil, want)
		}
	}
}

func TestFormat(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "a.hcl", "locals {\nx   = 1\n}\n")
	write(t, dir, ".hidden.hcl", "")
	write(t, dir, "b.txt", "")
	if err := os.Mkdir(filepath.Join(dir, "below"), 0o700); err != nil {
		t.Fatal(err)
	}
	below := write(t, dir, "below/c.hcl", "")
	for recursive, want := range map[bool][]string{false: {path}, true: {path, below}} {
		if got, err := FormatFiles(dir, recursive); !cmp.Equal(want, got) || err != nil {
			t.Errorf("recursive %v: %v, %v; want %v", recursive, got, err, want)
		}
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	f, diags, err := FormatFile(path, "a.hcl")
	if err != nil || diags.HasErrors() || !f.Changed() {
		t.Fatal(err, diags)
	}
	if err := f.Write(); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	info, err2 := os.Stat(path)
	if err != nil || err2 != nil || string(got) != "locals {\n  x = 1\n}\n" || info.Mode().Perm() != 0o640 {
		t.Errorf("written with mode %v: %q, %v, %v", info.Mode(), got, err, err2)
	}
	if f, _, err := FormatFile(path, "a.hcl"); err != nil || f.Changed() {
		t.Errorf("once formatted it changes again: %v", err)
	}
}

func TestExportOverwritesNothing(t *testing.T) {
	ws := newWorkspace(t)
	s := openState(t, ws)
	path := write(t, ws.Dir, "mine.jsonl", "mine")
	if err := Export(t.Context(), s.(Exporter), path, "mine.jsonl"); err == nil || !strings.Contains(err.Error(), "never overwrites") {
		t.Errorf("over a file: %v", err)
	}
	if got, err := os.ReadFile(path); string(got) != "mine" || err != nil {
		t.Errorf("the file holds %q, %v", got, err)
	}
	if err := Export(t.Context(), s.(Exporter), filepath.Join(ws.Dir, "new.jsonl"), "new.jsonl"); err != nil {
		t.Error(err)
	}
}

// Only the date that the clock shows confirms the clock.
func TestAcknowledgeClock(t *testing.T) {
	ws := newWorkspace(t)
	s := openState(t, ws)
	if _, err := Acknowledge(t.Context(), ws, s, Acknowledgement{Why: "it was ahead", Clock: "2026-03-03"}); refused(err) != "Clock not confirmed" {
		t.Errorf("another date: %v", err)
	}
	if halted, err := Acknowledge(t.Context(), ws, s, Acknowledgement{Why: "it was ahead", Clock: "2026-03-02"}); halted || err != nil {
		t.Errorf("the date that the clock shows: %v, %v", halted, err)
	}
}
