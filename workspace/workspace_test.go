package workspace

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/state"
)

const shop = `
provider "sandbox" "main" {}

text_message "hello" {
  body = "Hello ${recipient.name}!"
}

audience "people" {
  source "csv" { path = "contacts.csv" }
  attributes = { name = row.name }
}

campaign "spring" {
  provider = provider.sandbox.main
  audience = audience.people
  message  = text_message.hello
  window   = "assume_open"
}

output "greeting" { value = "hi" }
`

// open makes a directory with the shop and opens it.
func open(t *testing.T, host *Host, more string) *Workspace {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"main.hcl": shop + more, "contacts.csv": "phone,name\n+4915112345601,Anna\n+4915112345602,Ben\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ws, diags, err := Load(t.Context(), host, dir, nil)
	if err != nil || diags.HasErrors() {
		t.Fatal(err, diags)
	}
	t.Cleanup(func() { ws.Close() })
	return ws
}

func testHost() *Host {
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	return &Host{Env: func(string) (string, bool) { return "", false }, Now: func() time.Time { return now }, Rand: rand.Reader,
		Version: "0.1.0", Who: "ada", Build: func() string { return "commit:abc" }}
}

// TestNoState checks that commands that only read work without a state, and
// create none.
func TestNoState(t *testing.T) {
	ws := open(t, testHost(), "")
	s, err := ws.ReadState(t.Context())
	if err != nil || s != nil {
		t.Fatalf("reading gives %v, %v", s, err)
	}
	planned, err := ws.PlanState(t.Context(), false)
	if err != nil || planned != nil {
		t.Fatalf("planning opens %v, %v; a store that is not there must be nil as an interface too", planned, err)
	}
	p, diags, err := ws.Plan(t.Context(), planned, PlanOptions{})
	if err != nil || diags.HasErrors() || p.Sends() != 2 {
		t.Fatalf("the plan sends %d: %v %v", p.Sends(), err, diags)
	}
	defer p.Close()
	if there, err := ws.HasState(t.Context()); there || err != nil {
		t.Errorf("looking made a state: %v, %v", there, err)
	}
	bound, err := ws.PlanState(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	defer bound.Close()
	if there, err := ws.HasState(t.Context()); !there || err != nil {
		t.Errorf("a plan that is saved is bound to a state, and none was made: %v", err)
	}
}

// TestOtherStore checks that if a state in a database can't be reached, no
// other state is opened instead.
func TestOtherStore(t *testing.T) {
	ws := open(t, testHost(), "handbill {\n  state \"postgres\" {\n    url = \"postgres:///x?host=/nowhere\"\n  }\n}\n")
	if _, _, err := ws.OpenState(t.Context()); err == nil || !strings.Contains(err.Error(), "no connection to the database") {
		t.Errorf("opening says %v", err)
	}
	if _, err := ws.ReadState(t.Context()); err == nil {
		t.Error("it was read")
	}
	if there, err := ws.HasState(t.Context()); there || err == nil {
		t.Error("a state is there")
	}
	if entries, err := filepath.Glob(filepath.Join(ws.Dir, "*.state*")); len(entries) > 0 || err != nil {
		t.Errorf("files were made: %q, %v", entries, err)
	}
}

// TestLocks checks that two sending commands exclude each other and say who
// holds the lock, and that one serve can run beside them.
func TestLocks(t *testing.T) {
	ws := open(t, testHost(), "")
	apply, err := ws.Lock(t.Context(), "apply", 0)
	if err != nil {
		t.Fatal(err)
	}
	var held *state.LockedError
	if _, err := ws.Lock(t.Context(), "try", 0); !errors.As(err, &held) || held.Info.Operation != "apply" || held.Info.Who != "ada" {
		t.Errorf("the second lock says %v", err)
	}
	serve, err := ws.LockServe(t.Context(), "serve", 0)
	if err != nil {
		t.Fatal("serve cannot run beside an apply:", err)
	}
	if _, err := ws.LockServe(t.Context(), "serve", 0); !errors.As(err, &held) || held.Info.Operation != "serve" {
		t.Errorf("the second serve says %v", err)
	}
	apply.Unlock()
	serve.Unlock()
	again, err := ws.Lock(t.Context(), "apply", 0)
	if err != nil {
		t.Fatal(err)
	}
	again.Unlock()
}

func TestRoomFor(t *testing.T) {
	host := testHost()
	free := int64(0)
	host.FreeSpace = func(string) (int64, error) { return free, nil }
	ws := open(t, host, "")
	var space *SpaceError
	for _, c := range []struct {
		sends int
		free  int64
		fits  bool
	}{{0, 0, true}, {1, minFree - 1, false}, {1, minFree, true}, {1_000_000, minFree, false}, {1_000_000, 1_000_000 * sendBytes, true}} {
		free = c.free
		err := ws.RoomFor(c.sends)
		if (err == nil) != c.fits || err != nil && !errors.As(err, &space) {
			t.Errorf("%d sends with %d bytes free: %v", c.sends, c.free, err)
		}
	}
}

// TestSameState checks that a state that was replaced during a run is reported.
func TestSameState(t *testing.T) {
	ws := open(t, testHost(), "")
	path := ws.StatePath()
	if err := os.WriteFile(path, []byte("a"), 0o600); err != nil {
		t.Fatal(err)
	}
	opened, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := ws.SameState(opened); err != nil {
		t.Error(err)
	}
	if err := os.Rename(path, path+".moved"); err != nil {
		t.Fatal(err)
	}
	if err := ws.SameState(opened); err == nil {
		t.Error("the state is gone, and nobody says so")
	}
	if err := os.WriteFile(path, []byte("a"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := ws.SameState(opened); err == nil || strings.Contains(err.Error(), path) {
		t.Errorf("another file lies there: %v", err)
	}
}

// TestSavedPlan checks that a plan is saved completely, is read back with its
// configuration, and leaves no other file.
func TestSavedPlan(t *testing.T) {
	ws := open(t, testHost(), "")
	p, diags, err := ws.Plan(t.Context(), nil, PlanOptions{})
	if err != nil || diags.HasErrors() {
		t.Fatal(err, diags)
	}
	defer p.Close()
	file := filepath.Join(t.TempDir(), "x.plan")
	if err := ws.SavePlan(p, file, nil); err != nil {
		t.Fatal(err)
	}
	if found, _ := filepath.Glob(filepath.Join(filepath.Dir(file), ".*")); len(found) > 0 {
		t.Errorf("left beside the plan: %v", found)
	}
	saved, err := OpenPlan(file, "", "")
	if err != nil {
		t.Fatal(err)
	}
	defer saved.Close()
	again, diags, err := LoadSaved(t.Context(), testHost(), ws.Dir, saved, []lang.VarInput{})
	if err != nil || diags.HasErrors() || saved.Plan.Digest != p.Digest {
		t.Fatal(err, diags)
	}
	defer again.Close()
	kept, err := again.Kept(saved.Plan)
	if err != nil || !strings.Contains(string(kept[keptOutputs]), "greeting") {
		t.Errorf("kept is %q, %v", kept, err)
	}
	if err := ws.SavePlan(p, filepath.Join(ws.Dir, "nowhere", "x.plan"), nil); err == nil || strings.Contains(err.Error(), ws.Dir) {
		t.Errorf("the error is %v; it names no path, for the caller does", err)
	}
}

// TestEveryProviderIsWhole checks that every row of the table of providers has
// arguments, limits, and a profile with a source.
func TestEveryProviderIsWhole(t *testing.T) {
	for _, row := range providerTypes() {
		if len(Schemas()[row.name].Arguments) == 0 || len(Limits(row.name)) == 0 {
			t.Errorf("%s has no arguments or no limits", row.name)
		}
		if profile, ok := Profile(&lang.Provider{Type: row.name}); !ok || profile.Title == "" || len(profile.Kinds) == 0 {
			t.Errorf("the profile of %s is %+v", row.name, profile)
		}
	}
}
