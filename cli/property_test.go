package cli_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/handbill/handbill/sandbox"
)

// table is a random audience: columns in some order, rows of all sorts.
type table struct {
	columns []string
	rows    []map[string]string
}

func randomTable(r *rand.Rand) table {
	names := []string{"Ada", "Jürgen", "प्रिया", "O'Neil, Shaq", `"Q"`, "さくら", ""}
	t := table{columns: []string{"phone", "name", "city", "seen", "ok"}}
	for i := range 1 + r.IntN(12) {
		row := map[string]string{
			"phone": fmt.Sprintf("+49151%08d", 10_000_000+r.IntN(40)), "name": names[r.IntN(len(names))],
			"city": fmt.Sprint("C", i), "seen": []string{"", "2026-03-02T08:00:00Z", "2026-02-01T08:00:00Z"}[r.IntN(3)], "ok": []string{"yes", "no"}[r.IntN(2)],
		}
		t.rows = append(t.rows, row)
	}
	return t
}

// csv writes the table with its columns in a random order.
func (t *table) csv(r *rand.Rand) string {
	order := r.Perm(len(t.columns))
	var b strings.Builder
	line := func(cell func(column string) string) {
		for i, k := range order {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(`"` + strings.ReplaceAll(cell(t.columns[k]), `"`, `""`) + `"`)
		}
		b.WriteByte('\n')
	}
	line(func(c string) string { return c })
	for _, row := range t.rows {
		line(func(c string) string { return row[c] })
	}
	return b.String()
}

const propertyConfig = `
provider "sandbox" "main" {
  url        = env("SANDBOX")
  throughput = 1000
}

audience "customers" {
  source "csv" {
    path = "contacts.csv"
  }
  consent      = row.ok == "yes"
  last_inbound = row.seen
  attributes   = { name = row.name, city = row.city }
}

text_message "hello" {
  body = "Hello ${recipient.name} of ${upper(recipient.city)}."
}

template_message "reopen" {
  template = "reopen"
  language = "en"
  body     = [recipient.name]
}

campaign "spring" {
  provider   = provider.sandbox.main
  audience   = audience.customers
  message    = text_message.hello
  fallback   = template_message.reopen
  on_invalid = "skip"
}
`

var fileDigest = regexp.MustCompile(`\{"name":"audience\.customers","digest":"sha256:[0-9a-f]+"\}`)

// TestPlansOfOneInput checks that the same input gives the same bytes, whatever
// the order of the columns.
func TestPlansOfOneInput(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 1))
			people := randomTable(r)
			d := newDesk(t)
			newNetwork(d, sandbox.Options{})
			d.write("main.hcl", propertyConfig)
			var first [3]string
			for round := range 4 {
				if round%2 == 0 {
					d.write("contacts.csv", people.csv(r))
				}
				for i, format := range []string{"text", "markdown", "json"} {
					out := d.must(0, "plan", "-at=2026-03-02T12:00:00Z", "-deliveries", "-format="+format)
					out = fileDigest.ReplaceAllString(out, "") // a file's digest depends on the order of its columns
					if round == 0 {
						first[i] = out
					} else if out != first[i] {
						t.Errorf("round %d, %s differs:\n%s\n--- from\n%s", round, format, out, first[i])
					}
				}
			}
		})
	}
}

// TestApplySendsTheSavedPlan checks that an interrupted apply of a saved plan
// and the one after it together send exactly what the plan says, even if the
// files change in between.
func TestApplySendsTheSavedPlan(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 2))
			people := randomTable(r)
			whole := sent(t, people.csv(r), nil)
			parts := sent(t, people.csv(r), func(g *game) {
				for name, content := range map[string]string{"contacts.csv": "phone,name,city,seen,ok\n", "main.hcl": "locals {}\n"} {
					g.write(name, content)
				}
				if len(whole) > 1 {
					if err := g.interruptAt([]string{fmt.Sprint(1 + r.IntN(len(whole)-1))}); err != nil {
						t.Fatal(err)
					}
				}
			})
			if len(parts) != len(whole) {
				t.Errorf("%d messages, planned were %d", len(parts), len(whole))
			}
			for to, digest := range parts {
				if whole[to] != digest {
					t.Errorf("%s got %s, planned was %q", to, digest, whole[to])
				}
			}
		})
	}
}

// sent makes a plan, calls meanwhile, applies the plan until it is done, and
// returns the digest of what each person received.
func sent(t *testing.T, contacts string, meanwhile func(*game)) map[string]string {
	t.Helper()
	g := &game{desk: newDesk(t), t: t}
	g.net = newNetwork(g.desk, sandbox.Options{AssumeOpen: true, Throughput: 1000})
	g.write("main.hcl", propertyConfig)
	g.write("contacts.csv", contacts)
	g.must(0, "plan", "-out=saved.plan")
	if meanwhile != nil {
		meanwhile(g)
	}
	code := g.run("apply", "-parallelism=1", "saved.plan")
	if code == 130 {
		g.net.onPost = nil
		g.must(0, "apply", "saved.plan")
	} else if code != 0 {
		t.Fatalf("exit %d: %s", code, g.desk.stderr.String())
	}
	g.must(0, "apply", "saved.plan")
	out := map[string]string{}
	for _, e := range g.net.entries() {
		if out[e.To] != "" {
			t.Errorf("%s was sent to twice", e.To)
		}
		out[e.To] = e.Digest
	}
	return out
}
