package sqlite

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/handbill/handbill/state"
)

func base64Std(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// fill makes n accepted deliveries.
func fill(b testing.TB, s *Store, n, batch int) {
	run := begin(b, s)
	in := make([]state.Intent, 0, batch)
	out := make([]state.Outcome, 0, batch)
	for i := 0; i < n; i += batch {
		in, out = in[:0], out[:0]
		for j := i; j < min(i+batch, n); j++ {
			x := intent(s, phone((j*7919)%100000000))
			x.Marketing = true
			in = append(in, x)
		}
		for k, v := range intend(b, s, run, in...) {
			out = append(out, accepted(v, wamidOf(i+k)))
		}
		settle(b, s, run, out...)
	}
}

// BenchmarkDeliveries measures what apply needs from the state for one message:
// an intent and an outcome, durable in groups of 50.
func BenchmarkDeliveries(b *testing.B) {
	s, _ := create(b)
	b.ResetTimer()
	fill(b, s, b.N, 50)
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "deliveries/s")
}

// BenchmarkJournal is the baseline: a bare journal with a record for the intent
// and one for the outcome, synced in groups of 50.
func BenchmarkJournal(b *testing.B) {
	f, err := os.Create(filepath.Join(b.TempDir(), "journal"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	b.ResetTimer()
	for i := 0; i < b.N; i += 50 {
		for _, what := range []string{"intent", "outcome"} {
			var buf []byte
			for j := i; j < min(i+50, b.N); j++ {
				buf = fmt.Appendf(buf, "%s campaign.spring %s 1 1 hb1.ABCDEFGH.ABCDEFGHABCDEFGHABCDEFGH.ABCDEFGH\n", what, phone(j))
			}
			if _, err := f.Write(buf); err != nil {
				b.Fatal(err)
			}
			if err := f.Sync(); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "deliveries/s")
}

// scanSize is the number of deliveries in the read benchmarks.
const scanSize = 100_000

// BenchmarkCompact measures the table with which a plan compares.
func BenchmarkCompact(b *testing.B) {
	s, _ := create(b)
	fill(b, s, scanSize, 500)
	for b.Loop() {
		snap, err := s.Snapshot(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		table, err := snap.Compact(b.Context(), "campaign.spring", 1)
		if err != nil || table.Len() != scanSize {
			b.Fatal(table.Len(), err)
		}
		snap.Close()
	}
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)*1e6/scanSize, "s/million")
	info, err := os.Stat(s.opt.Path)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(info.Size())/scanSize, "B/delivery")
}

// BenchmarkFunnel measures what status counts.
func BenchmarkFunnel(b *testing.B) {
	s, _ := create(b)
	fill(b, s, scanSize, 500)
	for b.Loop() {
		rows, err := s.Funnel(b.Context(), "")
		if err != nil || len(rows) != 1 || rows[0].Count != scanSize {
			b.Fatal(rows, err)
		}
	}
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)*1e6/scanSize, "s/million")
}

// BenchmarkAppend accepts webhooks, 50 at a time.
func BenchmarkAppend(b *testing.B) {
	s, _ := create(b)
	for i := 0; i < b.N; i += 50 {
		in := make([]state.Inbox, min(50, b.N-i))
		for j := range in {
			in[j] = state.Inbox{Provider: "provider.cloud.main", Received: noon, Raw: fmt.Appendf(nil, `{"entry":%d%500d}`, i+j, 0)}
		}
		if _, err := s.Append(b.Context(), in); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "webhooks/s")
}
