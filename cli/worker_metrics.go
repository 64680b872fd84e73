package cli

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/handbill/handbill/operation"
	"github.com/handbill/handbill/serve"
	"github.com/handbill/handbill/state"
)

// workerMetrics counts what a worker does. Labels name numbers and results, never
// people.
type workerMetrics struct {
	registry  *prometheus.Registry
	owned     *prometheus.GaugeVec
	takeovers *prometheus.CounterVec
	lost      *prometheus.CounterVec
	doubts    *prometheus.CounterVec
	turns     *prometheus.CounterVec
	seconds   prometheus.Histogram
	outcomes  *prometheus.CounterVec
}

func newWorkerMetrics(b *Build) *workerMetrics {
	count := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	m := &workerMetrics{
		registry:  prometheus.NewRegistry(),
		owned:     prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "handbill_lanes_owned", Help: "Sending numbers that this worker drives now."}, []string{"provider"}),
		takeovers: count("handbill_takeovers_total", "Sending numbers of a run that this worker took.", "provider"),
		lost:      count("handbill_lanes_lost_total", "Sending numbers that another process took from this worker.", "provider"),
		doubts:    count("handbill_takeover_doubts_total", "Sends of the owner before that were put in doubt by taking its number.", "provider"),
		turns:     count("handbill_turns_total", "Commits of outcomes and intents, by number and result: done, fenced, error.", "provider", "result"),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "handbill_turn_seconds", Help: "What a commit of outcomes and intents takes.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5, 10}}),
		outcomes: count("handbill_sends_total", "Sends by number and what came of them: accepted, rejected, pending, in_doubt.", "provider", "result"),
	}
	m.registry.MustRegister(buildInfo(b), m.owned, m.takeovers, m.lost, m.doubts, m.turns, m.seconds, m.outcomes,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// event counts what a worker did.
func (m *workerMetrics) event(ev operation.WorkerEvent) {
	switch ev.Kind {
	case operation.WorkerTook:
		// A rate does not see the first failure of a counter that only begins with it.
		for _, result := range serve.TurnResults {
			m.turns.WithLabelValues(ev.Number, result)
		}
		m.lost.WithLabelValues(ev.Number)
		m.owned.WithLabelValues(ev.Number).Inc()
		m.takeovers.WithLabelValues(ev.Number).Inc()
		m.doubts.WithLabelValues(ev.Number).Add(float64(ev.Doubts))
	case operation.WorkerLost:
		m.lost.WithLabelValues(ev.Number).Inc()
		m.owned.WithLabelValues(ev.Number).Dec()
	case operation.WorkerDone, operation.WorkerLeft:
		m.owned.WithLabelValues(ev.Number).Dec()
	}
}

// turn counts one commit.
func (m *workerMetrics) turn(number string, outcomes []state.Outcome, took time.Duration, err error) {
	result := serve.TurnResult(err)
	m.turns.WithLabelValues(number, result).Inc()
	m.seconds.Observe(took.Seconds())
	if result == "error" {
		return // nobody knows whether they are recorded
	}
	for i := range outcomes {
		m.outcomes.WithLabelValues(number, outcomes[i].Send.String()).Inc()
	}
}

// serve answers at /metrics of an address until ctx ends, and returns its URL.
func (m *workerMetrics) serve(ctx context.Context, addr string) (url string, err error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return "", err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = server.Serve(l) }()
	context.AfterFunc(ctx, func() { server.Close() })
	return "http://" + l.Addr().String() + "/metrics", nil
}
