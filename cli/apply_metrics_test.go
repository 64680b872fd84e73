package cli_test

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/handbill/handbill/sandbox"
)

// TestApplyLeavesMetrics has applies end in every way, and reads what they leave for
// Prometheus.
func TestApplyLeavesMetrics(t *testing.T) {
	d := newDesk(t)
	n := newNetwork(d, sandbox.Options{})
	n.onPost = func(i int) {
		if i == 2 {
			panic(http.ErrAbortHandler)
		}
	}
	d.write("main.hcl", spring)
	d.write("contacts.csv", fiveContacts)
	metrics := func(code int, says []string, args ...string) {
		t.Helper()
		d.must(code, append([]string{"apply", "-auto-approve", "-metrics-file=apply.prom"}, args...)...)
		got := readFile(t, filepath.Join(d.dir, "apply.prom"))
		for _, want := range says {
			if !strings.Contains(got, want+"\n") {
				t.Errorf("no %q in\n%s", want, got)
			}
		}
		if strings.Contains(got, "4915112345") {
			t.Error("a phone number is in the metrics")
		}
	}
	metrics(1, []string{"handbill_apply_exit_code 1", `handbill_apply_sent{campaign="campaign.spring"} 4`, `handbill_campaign_messages{campaign="campaign.spring",result="in_doubt"} 1`,
		`handbill_campaign_messages{campaign="campaign.spring",result="accepted"} 4`, `handbill_campaign_messages{campaign="campaign.spring",result="planned"} 5`,
		`handbill_build_info{goversion="go1.26.0",revision="5d3f0c1a9be24478a6f1c20a7e8f64d1b90c2e37",version="0.1.0"} 1`})
	metrics(5, []string{"handbill_apply_exit_code 5"}, "-detailed-exitcode", "-replace=campaign.none")

	// A configuration that is broken is told, too.
	d.write("main.hcl", "nonsense {")
	metrics(1, []string{"handbill_apply_exit_code 1"})
	if got := readFile(t, filepath.Join(d.dir, "apply.prom")); strings.Contains(got, "handbill_campaign") {
		t.Errorf("it tells of campaigns that this apply did not see:\n%s", got)
	}

	// Where the file can't be, nothing is sent; where it can't be written in the end,
	// what was sent is sent.
	d, n = springDesk(t)
	d.must(1, "apply", "-auto-approve", "-metrics-file=nowhere/apply.prom")
	wantAll(t, d.stderr.String(), "nowhere/apply.prom: its directory is not there")
	if n.count() > 0 {
		t.Error("something was sent")
	}
	if err := os.Mkdir(filepath.Join(d.dir, "apply.prom"), 0o755); err != nil {
		t.Fatal(err)
	}
	d.must(0, "apply", "-auto-approve", "-metrics-file=apply.prom")
	wantAll(t, d.stderr.String(), "The metrics were not written: apply.prom")
	if n.count() != 5 {
		t.Errorf("%d messages were sent", n.count())
	}
}

// TestWatchLeavesMetrics reads what each round leaves.
func TestWatchLeavesMetrics(t *testing.T) {
	d, _ := springDesk(t)
	rounds := 0
	d.waited = func(time.Duration) {
		rounds++
		got := readFile(t, filepath.Join(d.dir, "apply.prom"))
		if !strings.Contains(got, "handbill_apply_exit_code 0\n") || strings.Contains(got, "handbill_apply_sent") != (rounds == 1) {
			t.Errorf("round %d leaves:\n%s", rounds, got)
		}
		if err := os.Remove(filepath.Join(d.dir, "apply.prom")); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Error(err)
		}
		if rounds == 2 {
			d.interrupts <- os.Interrupt
		}
	}
	d.run("apply", "-auto-approve", "-watch=15m", "-metrics-file=apply.prom")
	if rounds != 2 {
		t.Errorf("%d rounds:\n%s%s", rounds, d.stdout.String(), d.stderr.String())
	}
}
