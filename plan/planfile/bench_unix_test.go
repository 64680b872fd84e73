//go:build unix

package planfile

import (
	"bytes"
	"syscall"
	"testing"
	"time"
)

func BenchmarkSavedPlan(b *testing.B) {
	const n = 100_000
	p := savedPlan(b, sendsOf(n))
	var buf bytes.Buffer
	b.Run("write", func(b *testing.B) {
		start := processors(b)
		for b.Loop() {
			buf.Reset()
			if err := Write(&buf, p, ConfigSnapshot{}); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(buf.Len())/n, "bytes/row")
		perRow(b, n, start)
	})
	b.Run("read", func(b *testing.B) {
		start := processors(b)
		for b.Loop() {
			if _, _, err := Read(bytes.NewReader(buf.Bytes()), int64(buf.Len())); err != nil {
				b.Fatal(err)
			}
		}
		perRow(b, n, start)
	})
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
