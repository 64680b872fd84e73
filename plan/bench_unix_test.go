//go:build unix

package plan

import (
	"bufio"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/handbill/handbill/internal/openmap"
	"github.com/handbill/handbill/state"
)

// benchConfig is the benchmark's campaign: a list with three references, a
// conditional and upper().
const benchConfig = header + `
list_message "browse" {
  body   = "Hello ${recipient.name}, our spring catalog for ${upper(recipient.city)} is here. ${recipient.plan == "pro" ? "As a pro you get 10 percent off." : "Take a look!"}"
  button = "View catalog"
  section "Featured products" {
    row "prod_alpha" {
      title       = "Alpha Widget"
      description = "Compact model"
    }
    row "prod_beta" {
      title       = "Beta Widget"
      description = "Standard model"
    }
  }
}

audience "people" {
  source "csv" { path = "contacts.csv" }
  last_inbound = row.seen
  attributes   = { name = row.name, city = row.city, plan = row.plan }
}

campaign "spring" {
  provider   = provider.sandbox.main
  audience   = audience.people
  message    = list_message.browse
  on_invalid = "skip"
}
`

// writeContacts writes an audience of n rows: names in several scripts, and 1 %
// invalid numbers.
func writeContacts(t testing.TB, path string, n int) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(f)
	r := rand.New(rand.NewPCG(1, 2))
	names := []string{"Anna", "José", "Βασίλης", "Ольга", "李雷", "Mehmet", "أحمد", "Zoë", "Søren", "Kim"}
	cities := []string{"Köln", "Bonn", "Ulm", "São Paulo", "Athens"}
	plans := []string{"pro", "free"}
	fmt.Fprintln(w, "phone,name,city,plan,seen")
	for i := range n {
		phone := fmt.Sprintf("+4915%09d", 100_000_000+i)
		if r.IntN(100) == 0 {
			phone = "n/a"
		}
		fmt.Fprintf(w, "%s,%s %d,%s,%s,2026-03-01T09:00:00Z\n", phone, names[r.IntN(len(names))], i, cities[r.IntN(len(cities))], plans[r.IntN(2)])
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// baseline is the indispensable work: read the CSV, scan the number, build the
// text by concatenation, check its length.
func baseline(path string) (sends, bytes int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	in := csv.NewReader(bufio.NewReaderSize(f, 64<<10))
	in.ReuseRecord = true
	if _, err := in.Read(); err != nil {
		return 0, 0, err
	}
	for {
		rec, err := in.Read()
		if err == io.EOF {
			return sends, bytes, nil
		}
		if err != nil {
			return 0, 0, err
		}
		if !plausible(rec[0]) {
			continue
		}
		offer := "Take a look!"
		if rec[3] == "pro" {
			offer = "As a pro you get 10 percent off."
		}
		text := "Hello " + rec[1] + ", our spring catalog for " + strings.ToUpper(rec[2]) + " is here. " + offer
		if utf8.RuneCountInString(text) <= 4096 {
			sends++
			bytes += len(text)
		}
	}
}

func plausible(s string) bool {
	if len(s) < 8 || s[0] != '+' {
		return false
	}
	for i := 1; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func benchSpace(b *testing.B, n int) *workspace {
	b.Helper()
	w := open(b, map[string]string{"main.hcl": benchConfig})
	writeContacts(b, filepath.Join(w.dir, "contacts.csv"), n)
	return w
}

func BenchmarkPlan(b *testing.B) {
	for _, n := range []int{100_000, 1_000_000} {
		b.Run(fmt.Sprintf("baseline/%d", n), func(b *testing.B) {
			w := benchSpace(b, n)
			start := processors(b)
			for b.Loop() {
				if _, _, err := baseline(filepath.Join(w.dir, "contacts.csv")); err != nil {
					b.Fatal(err)
				}
			}
			perRow(b, n, start)
		})
		b.Run(fmt.Sprintf("first/%d", n), func(b *testing.B) {
			w := benchSpace(b, n)
			benchBuild(b, w, n)
		})
		b.Run(fmt.Sprintf("sent/%d", n), func(b *testing.B) {
			w := benchSpace(b, n)
			p, _ := Build(b.Context(), w.cfg, w.in)
			all := &benchTable{}
			for e, err := range p.Entries() {
				if err != nil {
					b.Fatal(err)
				}
				if e.Action.Sends() {
					all.put(e.Recipient.Key(), e.Digest)
				}
			}
			p.Close()
			w.in.State = tableState{&memState{}, all}
			benchBuild(b, w, n)
		})
	}
}

// tableState is a state in which everybody in the table was sent to.
type tableState struct {
	*memState
	table *benchTable
}

// benchTable is about as large as the state's own table.
type benchTable struct {
	ids  recipientIDs
	sent openmap.Map[[16]byte]
}

func (t *benchTable) put(recipient string, digest [16]byte) {
	to, _ := t.sent.Put(t.ids.add(recipient))
	*to = digest
}

func (t *benchTable) Len() int { return t.sent.Len() }

func (t *benchTable) Lookup(recipient string) (state.Sent, bool) {
	if id, ok := t.ids.find(recipient); ok {
		if d := t.sent.At(id); d != nil {
			return state.Sent{Send: state.Accepted, Attempt: 1, Digest: *d}, true
		}
	}
	return state.Sent{}, false
}

func (t *benchTable) All() iter.Seq2[string, state.Sent] {
	return func(func(string, state.Sent) bool) {}
}

func benchBuild(b *testing.B, w *workspace, n int) {
	b.Helper()
	peak := uint64(0)
	w.in.Progress = func(p Progress) {
		if p.Rows%(256*200) == 0 {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapInuse+m.StackInuse)
		}
	}
	start := processors(b)
	for b.Loop() {
		p, diags := Build(b.Context(), w.cfg, w.in)
		if diags.HasErrors() {
			b.Fatal(diags)
		}
		if p.Campaigns[0].Recipients != n {
			b.Fatalf("%d recipients", p.Campaigns[0].Recipients)
		}
		p.Close()
	}
	b.ReportMetric(float64(peak)/1e6, "peak-MB")
	perRow(b, n, start)
}

// perRow reports wall time, and CPU time since start, which does not depend on
// other load on the machine.
func perRow(b *testing.B, n int, start time.Duration) {
	b.Helper()
	rows := float64(b.N) * float64(n)
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/rows, "ns/row")
	b.ReportMetric(float64(processors(b)-start)/rows, "cpu-ns/row")
}

// processors is the process's CPU time.
func processors(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// Compact returns the table, whatever the campaign.
func (s tableState) Compact(context.Context, string, int) (state.SentIndex, error) {
	return s.table, nil
}
