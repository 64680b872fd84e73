package serve

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// metrics counts what the server does. Labels name numbers and results, never
// people.
type metrics struct {
	registry *prometheus.Registry
	webhooks *prometheus.CounterVec
	seconds  prometheus.Histogram
	folded   prometheus.Counter
	replies  *prometheus.CounterVec
	turns    *prometheus.CounterVec
	commits  prometheus.Histogram
	forwards *prometheus.CounterVec
	// of links
	redirects  *prometheus.CounterVec
	clicksLost prometheus.Counter
	// of servers beside each other
	recovered, lost prometheus.Counter
}

func newMetrics(b Build) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		webhooks: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "handbill_webhooks_total", Help: "Webhooks by number and HTTP status."}, []string{"provider", "status"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "handbill_webhook_seconds", Help: "Time from a webhook's headers to its durable acceptance or refusal.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5}}),
		folded:  prometheus.NewCounter(prometheus.CounterOpts{Name: "handbill_webhooks_folded_total", Help: "Webhooks joined into the state."}),
		replies: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "handbill_replies_total", Help: "Answers by number and result."}, []string{"provider", "result"}),
		turns:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "handbill_turns_total", Help: "Commits of intents and outcomes of replies, by number and result: done, fenced, error."}, []string{"provider", "result"}),
		commits: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "handbill_turn_seconds", Help: "What a commit of an intent or an outcome of a reply takes.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5, 10}}),
		forwards:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "handbill_forwards_total", Help: "Attempts at handing messages on, by result."}, []string{"result"}),
		redirects:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "handbill_redirects_total", Help: "Requests for links of messages, by what came of them: person (a click), again, program, unknown, error."}, []string{"result"}),
		clicksLost: prometheus.NewCounter(prometheus.CounterOpts{Name: "handbill_clicks_lost_total", Help: "Visits of links that could not be recorded; the visitors were redirected."}),
		recovered:  prometheus.NewCounter(prometheus.CounterOpts{Name: "handbill_servers_recovered_total", Help: "Servers on the same state that were gone, and whose work this one freed."}),
		lost:       prometheus.NewCounter(prometheus.CounterOpts{Name: "handbill_server_lanes_lost_total", Help: "How often this server was not heard of for so long that others took over what it had taken up."}),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{Name: "handbill_build_info", Help: "Which handbill serves; always 1.",
		ConstLabels: prometheus.Labels{"version": b.Version, "revision": b.Revision, "goversion": b.Go}})
	build.Set(1)
	for _, result := range []string{"person", "again", "program", "unknown", "error"} {
		m.redirects.WithLabelValues(result) // so that each is there from the start
	}
	m.registry.MustRegister(build, m.webhooks, m.seconds, m.folded, m.replies, m.turns, m.commits, m.forwards, m.redirects, m.clicksLost, m.recovered, m.lost,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// begin makes the counters of a number, at 0: a rate does not see the first failure of a
// counter that only begins with it.
func (m *metrics) begin(provider string) {
	for _, status := range []int{http.StatusOK, http.StatusForbidden, http.StatusServiceUnavailable} {
		m.webhooks.WithLabelValues(provider, strconv.Itoa(status))
	}
	for _, result := range []string{message.Accepted.String(), message.Refused.String(), message.Unknown.String(), "gated", "error"} {
		m.replies.WithLabelValues(provider, result)
	}
	for _, result := range TurnResults {
		m.turns.WithLabelValues(provider, result)
	}
	for _, kind := range []EventKind{EventForwarded, EventForward, EventDead} {
		m.forwards.WithLabelValues(string(kind))
	}
}

func (m *metrics) received(provider string, status int, took time.Duration) {
	m.webhooks.WithLabelValues(provider, strconv.Itoa(status)).Inc()
	m.seconds.Observe(took.Seconds())
}

// turn counts one commit of an intent or an outcome.
func (m *metrics) turn(provider string, took time.Duration, err error) {
	m.turns.WithLabelValues(provider, TurnResult(err)).Inc()
	m.commits.Observe(took.Seconds())
}

// TurnResults are the results that TurnResult returns.
var TurnResults = []string{"done", "fenced", "error"}

// TurnResult is how metrics call what became of a commit of intents and outcomes:
// "done", "fenced" or "error". After "error" nobody knows whether they are recorded.
func TurnResult(err error) string {
	switch {
	case err == nil:
		return "done"
	case errors.Is(err, state.ErrFenced):
		return "fenced"
	}
	return "error"
}

// Metrics returns the handler of /metrics; serve it on a separate listener.
func (s *Server) Metrics() http.Handler {
	gauge := func(name, help string, count func(context.Context) (int, error)) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 {
			n, err := count(context.Background())
			if err != nil {
				return -1
			}
			return float64(n)
		})
	}
	own := prometheus.NewRegistry()
	own.MustRegister(
		gauge("handbill_webhooks_waiting", "Accepted webhooks that are not joined yet.", func(ctx context.Context) (int, error) {
			n, _, err := s.opt.Store.Waiting(ctx)
			return n, err
		}),
		gauge("handbill_inbound_waiting", "What people wrote and no rule has answered yet.", func(ctx context.Context) (int, error) {
			_, n, err := s.opt.Store.Waiting(ctx)
			return n, err
		}),
		gauge("handbill_forwards_dead", "Messages that no service took and that were given up.", s.opt.Store.DeadForwards))
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(prometheus.Gatherers{s.metrics.registry, own}, promhttp.HandlerOpts{}))
	return mux
}
