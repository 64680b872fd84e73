package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/handbill/handbill/internal/pgtest"
	"github.com/handbill/handbill/sandbox"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/state/postgres"
	"github.com/handbill/handbill/state/sqlite"
)

const movedCampaign = `
provider "sandbox" "main" { url = env("SANDBOX") }
audience "people" {
  source "csv" { path = "contacts.csv" }
}
text_message "hello" { body = "Hello, spring is here." }
campaign "spring" {
  provider = provider.sandbox.main
  audience = audience.people
  message  = text_message.hello
  window   = "assume_open"
}
`

// TestMigrateToADatabase moves a state from a file to a database and back. A plan
// that was saved before is applied after.
func TestMigrateToADatabase(t *testing.T) {
	d := newDesk(t)
	newNetwork(d, sandbox.Options{AssumeOpen: true, Throughput: 1000})
	url, schema := pgtest.Shared(t).URL(), pgtest.Schema()
	d.env = append(d.env, "STATE_URL="+url)
	place := func(block string) { d.write("state.hcl", "handbill {\n"+block+"\n}\n") }
	database := func(schema string) string {
		return fmt.Sprintf("state \"postgres\" {\n url = env(\"STATE_URL\")\n schema = %q\n}", schema)
	}
	d.write("main.hcl", movedCampaign)
	d.write("contacts.csv", "phone\n+4915112345601\n+4915112345602\n")
	d.must(0, "init")
	d.must(0, "state", "optouts", "add", "-why=phoned", "+4915112345602")
	d.must(0, "plan", "-out=spring.plan")
	d.must(0, "state", "migrate", "-to=env:STATE_URL", "-schema="+schema)
	d.must(1, "apply", "spring.plan")
	d.expect("moved to PostgreSQL, schema " + schema)

	place(database(schema))
	if out := d.must(0, "apply", "spring.plan"); !strings.Contains(out, "1 message sent") {
		t.Errorf("the plan that was saved before the move:\n%s", out)
	}
	d.must(0, "state", "verify")
	d.must(0, "state", "backup", "copy.state")
	d.must(0, "state", "migrate", "-to=back.state")
	d.must(1, "apply", "-auto-approve")
	d.expect("moved to back.state")

	place(`state "sqlite" { path = "copy.state" }`)
	d.must(1, "apply", "-auto-approve")
	d.expect("a backup of a state in a database")
	place(`state "sqlite" { path = "back.state" }`)
	if out := d.must(0, "plan"); !strings.Contains(out, "No changes") {
		t.Errorf("a plan after the way there and back:\n%s", out)
	}
	d.must(0, "state", "verify")

	// What a process that was killed leaves in a schema is nobody's state.
	other := pgtest.Schema()
	half, err := postgres.NewDraft(t.Context(), postgres.Options{URL: url, Schema: other, Clock: d.now}, "killed")
	if err != nil {
		t.Fatal(err)
	}
	half.Close()
	place(database(other))
	for _, cmd := range []string{"init", "plan", "status", "apply -auto-approve", "state list", "state verify"} {
		d.must(1, strings.Fields(cmd)...)
		d.expect("Run it again, or drop the schema")
	}
	place(`state "sqlite" { path = "back.state" }`)
	d.must(0, "state", "migrate", "-to=env:STATE_URL", "-schema="+other)
	place(database(other))
	if out := d.must(0, "plan"); !strings.Contains(out, "No changes") {
		t.Errorf("a plan after a move that was cut short and made again:\n%s", out)
	}

	// From one database to another one.
	second := pgtest.Schema()
	pgtest.Shared(t).Run(t, "psql", "-q", "-c", "CREATE DATABASE "+second)
	d.env = append(d.env, "SECOND_URL="+strings.Replace(url, "/postgres?", "/"+second+"?", 1))
	d.must(0, "state", "migrate", "-to=env:SECOND_URL")
	d.must(1, "apply", "-auto-approve")
	d.expect("moved to PostgreSQL, schema handbill of the database " + second)
	place("state \"postgres\" { url = env(\"SECOND_URL\") }")
	if out := d.must(0, "plan"); !strings.Contains(out, "No changes") {
		t.Errorf("a plan after a move between databases:\n%s", out)
	}
	if out := d.must(0, "state", "optouts", "list"); strings.Count(out, "operator") != 1 {
		t.Errorf("opt-outs after a move between databases:\n%s", out)
	}
	d.must(0, "state", "verify")
	if left, _ := filepath.Glob(filepath.Join(d.dir, ".*moving*")); len(left) > 0 {
		t.Errorf("files are left over: %v", left)
	}
}

// TestMigrateRefusesWhileServed: what serve records meanwhile would not be moved.
func TestMigrateRefusesWhileServed(t *testing.T) {
	d := newDesk(t)
	newNetwork(d, sandbox.Options{AssumeOpen: true})
	d.write("main.hcl", movedCampaign)
	d.write("contacts.csv", "phone\n+4915112345601\n")
	d.must(0, "init")
	lock, err := sqlite.Lock(t.Context(), filepath.Join(d.dir, "handbill.state.serve"), state.LockInfo{PID: 17, Host: "shop"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	d.must(1, "state", "migrate", "-to=new.state")
	d.expect("handbill serve runs on this state")
	if err := lock.Unlock(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(d.dir, "new.state")); err == nil {
		t.Error("a state was made")
	}
	d.must(0, "state", "migrate", "-to=new.state")
}

// expect fails unless the last command wrote a text to the standard error, whatever
// its lines.
func (d *desk) expect(text string) {
	d.t.Helper()
	got := strings.Join(strings.Fields(strings.ReplaceAll(d.stderr.String(), "│", " ")), " ")
	if !strings.Contains(got, text) {
		d.t.Errorf("the error is not about %q:\n%s", text, d.stderr.String())
	}
}
