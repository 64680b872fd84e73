package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/workspace"
)

// applyMetrics is what one apply did, as node_exporter's textfile collector reads it.
// Labels name campaigns and results, never people.
type applyMetrics struct {
	registry *prometheus.Registry
	messages *prometheus.GaugeVec
	sent     *prometheus.GaugeVec
	halted   *prometheus.GaugeVec
	ended    prometheus.Gauge
	seconds  prometheus.Gauge
	code     prometheus.Gauge
}

func newApplyMetrics(b *Build) *applyMetrics {
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	}
	vec := func(name, help string, labels ...string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
	}
	m := &applyMetrics{
		registry: prometheus.NewRegistry(),
		messages: vec("handbill_campaign_messages", "Messages of a campaign's newest revision when apply ended, by what is known of them: planned, accepted, rejected, cancelled, held, pending, in_doubt, held_out.", "campaign", "result"),
		sent:     vec("handbill_apply_sent", "Messages of a campaign that the last apply sent.", "campaign"),
		halted:   vec("handbill_campaign_halted", "1 for a campaign that was halted when apply ended, with the reason.", "campaign", "reason"),
		ended:    gauge("handbill_apply_end_timestamp_seconds", "When the last apply ended."),
		seconds:  gauge("handbill_apply_duration_seconds", "How long the last apply took, from its plan to its report."),
		code:     gauge("handbill_apply_exit_code", "The exit code of the last apply; 0 if all is well."),
	}
	m.registry.MustRegister(buildInfo(b), m.messages, m.sent, m.halted, m.ended, m.seconds, m.code)
	return m
}

// buildInfo says which handbill made the metrics.
func buildInfo(b *Build) prometheus.Gauge {
	build := prometheus.NewGauge(prometheus.GaugeOpts{Name: "handbill_build_info", Help: "Which handbill runs; always 1.",
		ConstLabels: prometheus.Labels{"version": b.Version, "revision": b.Revision, "goversion": b.Go}})
	build.Set(1)
	return build
}

// report takes over what became of campaigns, if somebody wants to know.
func (m *applyMetrics) report(r *view.ApplyReport) {
	if m == nil {
		return
	}
	for i := range r.Campaigns {
		c := &r.Campaigns[i]
		for result, n := range map[string]int{"planned": c.Planned, "accepted": c.Accepted, "rejected": c.Rejected, "cancelled": c.Cancelled,
			"held": c.Held, "pending": c.Pending, "in_doubt": c.InDoubt, "held_out": c.HeldOut} {
			m.messages.WithLabelValues(c.Campaign, result).Set(float64(n))
		}
		m.sent.WithLabelValues(c.Campaign).Set(float64(c.Sent))
		if c.Halt != nil {
			m.halted.WithLabelValues(c.Campaign, string(c.Halt.Reason)).Set(1)
		}
	}
}

// measured runs an apply, which tells the metrics what it did, and writes them to a file
// whatever came of it. Without a file the metrics are nil. A file that can't be written changes nothing of the result: what was sent
// is sent. That its directory is there is checked before.
func (a *app) measured(file string, run func(*applyMetrics) error) error {
	if file == "" {
		return run(nil)
	}
	path := a.path(file)
	if info, err := os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
		return a.fail("Invalid option", fmt.Errorf("-metrics-file=%s: its directory is not there", message.SafeText(file)))
	}
	m := newApplyMetrics(&a.sys.Build)
	began := a.sys.Now()
	result := run(m)
	ended := a.sys.Now()
	m.ended.Set(float64(ended.UnixNano()) / float64(time.Second))
	m.seconds.Set(ended.Sub(began).Seconds())
	m.code.Set(float64(codeOf(result)))
	if err := prometheus.WriteToTextfile(path, m.registry); err != nil {
		a.notice("The metrics were not written: %s: %v", message.SafeText(file), workspace.PathCause(err))
	}
	return result
}

// codeOf is the exit code for the error of a command.
func codeOf(err error) int {
	var code exit
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &code):
		return int(code)
	}
	return exitError
}
