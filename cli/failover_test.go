package cli_test

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/handbill/handbill/internal/pgtest"
	"github.com/handbill/handbill/sandbox"
)

// TestNothingIsSentFromARestoredDump: a dump that was made before an apply does not
// know what was sent since, so the next apply makes no request.
func TestNothingIsSentFromARestoredDump(t *testing.T) {
	c, schema := pgtest.Shared(t), pgtest.Schema()
	d := newDesk(t)
	net := newNetwork(d, sandbox.Options{AssumeOpen: true, Throughput: 1000})
	d.env = append(d.env, "STATE_URL="+c.URL())
	d.write("main.hcl", movedCampaign+"handbill {\n state \"postgres\" {\n url = env(\"STATE_URL\")\n schema = \""+schema+"\"\n }\n}\n")
	d.write("contacts.csv", "phone\n+4915112345601\n+4915112345602\n")
	d.must(0, "init")
	dump := filepath.Join(c.Dir, schema+".dump")
	c.Run(t, "pg_dump", "-n", schema, "-f", dump)
	d.must(0, "apply", "-auto-approve")
	sent := net.transcript()
	if len(sent) == 0 {
		t.Fatal("nothing was sent")
	}
	c.Run(t, "psql", "-q", "-c", "DROP SCHEMA "+schema+" CASCADE")
	c.Run(t, "psql", "-q", "-f", dump)
	for range 3 {
		d.must(1, "apply", "-auto-approve")
		d.expect("a dump was restored")
	}
	d.must(1, "try", "campaign.spring")
	d.must(1, "serve", "-listen=127.0.0.1:0")
	if now := net.transcript(); !bytes.Equal(sent, now) {
		t.Errorf("something was sent:\n%s", now[len(sent):])
	}
	d.must(0, "state", "acknowledge", "-why=looked")
	d.must(0, "apply", "-auto-approve")
	if now := net.transcript(); bytes.Equal(sent, now) {
		t.Error("nothing was sent after somebody looked")
	}
}
