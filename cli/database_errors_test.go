package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/handbill/handbill/internal/pgtest"
)

// ask runs a query as the superuser in the desk's schema, and returns its one value.
func (d *desk) ask(schema, query string) (value string) {
	d.t.Helper()
	ctx := d.t.Context()
	c, err := pgx.Connect(ctx, pgtest.Shared(d.t).URL())
	if err != nil {
		d.t.Fatal(err)
	}
	defer c.Close(ctx)
	if _, err := c.Exec(ctx, "SET search_path TO "+schema, pgx.QueryExecModeSimpleProtocol); err != nil {
		d.t.Fatal(err)
	}
	rows, err := c.Query(ctx, query, pgx.QueryExecModeExec)
	if err == nil {
		_, err = pgx.ForEachRow(rows, []any{&value}, func() error { return nil })
	}
	if err != nil {
		d.t.Fatal(err)
	}
	return value
}

// schema is the schema of a sharedDesk.
func (d *desk) schema() string {
	for _, v := range d.env {
		if name, ok := strings.CutPrefix(v, "HANDBILL_STATE_SCHEMA="); ok {
			return name
		}
	}
	return ""
}

// TestDatabaseErrors checks that each command ends with exit code 1 and says what to
// do where the database cannot be used as it is, that nothing is sent, and that the
// same apply sends to everybody when it can.
func TestDatabaseErrors(t *testing.T) {
	d, n := sharedDesk(t)
	c, schema := pgtest.Shared(t), d.schema()
	d.ask(schema, "CREATE ROLE "+schema+"_read LOGIN")
	d.ask(schema, fmt.Sprintf("GRANT USAGE ON SCHEMA %[1]s TO %[1]s_read", schema))
	d.ask(schema, fmt.Sprintf("GRANT SELECT ON ALL TABLES IN SCHEMA %[1]s TO %[1]s_read", schema))
	d.ask(schema, "CREATE ROLE "+schema+"_none LOGIN")
	right := d.env
	with := func(url string) { d.env = append(right[:len(right):len(right)], "HANDBILL_STATE_URL="+url) }
	refused := func(want string, commands ...string) {
		t.Helper()
		for _, command := range commands {
			d.must(1, strings.Fields(command)...)
			said := strings.Join(strings.Fields(strings.ReplaceAll(d.stderr.String(), "│", " ")), " ")
			if !strings.Contains(strings.ToLower(said), strings.ToLower(want)) || strings.Contains(said, "tiger") {
				t.Errorf("%s does not say %q:\n%s", command, want, d.stderr.String())
			}
		}
	}
	all := []string{"plan", "apply -auto-approve", "status", "run list", "state list"}
	with("nonsense://ada:tiger@db")
	refused("cannot be understood", all...)
	with("postgres://ada:tiger@db.example.com/state")
	refused("sslmode=verify-full", all...)
	with("postgres:///postgres?host=/nowhere")
	refused("no connection to the database", all...)
	with(strings.Replace(c.URL(), "/postgres?", "/nothing?", 1))
	refused("there is no such database", all...)
	with(c.As(schema+"_none", "tiger"))
	refused("the role has no right to do this", all...)
	with(c.As(schema+"_read", ""))
	d.must(0, "plan")
	d.must(0, "status")
	d.must(0, "run", "list")
	refused("the role has no right to do this", "apply -auto-approve", "state optouts add +4915112345671 -why=phoned", "init")
	d.env = right

	d.ask(schema, "UPDATE meta SET format = format + 1")
	refused("written by a newer handbill", append(all, "init")...)
	d.ask(schema, "UPDATE meta SET format = format - 2")
	refused("written by an older handbill", all...)
	d.ask(schema, "UPDATE meta SET format = format + 1")

	if n.count() > 0 {
		t.Errorf("%d requests", n.count())
	}
	d.must(0, "apply", "-auto-approve")
	if n.count() != 3 {
		t.Errorf("%d requests when all is right", n.count())
	}
}

// TestTheDatabaseIsFull checks an apply whose database has no room left for its
// intents: nothing is sent, and the next apply sends to everybody. The table's file
// is one that the kernel lets nobody write to, for lack of space.
func TestTheDatabaseIsFull(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs /dev/full")
	}
	d, n := sharedDesk(t)
	schema := d.schema()
	file := filepath.Join(pgtest.Shared(t).Dir, "data", d.ask(schema, "SELECT pg_relation_filepath('attempts')"))
	if info, err := os.Stat(file); err != nil || info.Size() > 0 {
		t.Fatalf("%v, %v", info, err)
	}
	if err := os.Rename(file, file+".kept"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/dev/full", file); err != nil {
		t.Fatal(err)
	}
	back := func() { // over the link
		if err := os.Rename(file+".kept", file); err != nil {
			t.Fatal(err)
		}
	}
	d.run("apply", "-auto-approve")
	code, said := d.run("apply", "-auto-approve"), d.stderr.String()
	back()
	if code != 1 || !strings.Contains(said, "no room left") || !strings.Contains(said, "Make room") {
		t.Errorf("exit %d:\n%s", code, said)
	}
	if n.count() > 0 {
		t.Errorf("%d requests without an intent", n.count())
	}
	if d.must(0, "apply", "-auto-approve"); n.count() != 3 {
		t.Errorf("%d requests when there is room", n.count())
	}
	d.must(0, "state", "verify")
}
