package cli

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/operation"
	"github.com/handbill/handbill/reply"
	"github.com/handbill/handbill/serve"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/state/memstate"
)

// mute is a number whose provider tells nothing.
type mute struct{}

func (mute) Handshake(url.Values) (string, bool)            { return "", false }
func (mute) Authenticate(http.Header, []byte) (bool, error) { return false, nil }
func (mute) Decode([]byte) ([]message.Event, error)         { return nil, nil }

// exposed returns what serve, a worker and an apply expose, as name → labels, once each
// has a number or a campaign.
func exposed(t *testing.T) map[string][]string {
	t.Helper()
	const number = "provider.cloud.main"
	store := memstate.New(memstate.Options{Clock: time.Now})
	s, err := serve.New(t.Context(), serve.Options{Store: store, Now: time.Now, Rules: func(context.Context) (*reply.Rules, error) { return nil, nil },
		Numbers: []serve.Number{{Address: number, Type: "cloud", Name: "main", Webhook: mute{}}}})
	if err != nil {
		t.Fatal(err)
	}
	worker := newWorkerMetrics(&Build{})
	worker.event(operation.WorkerEvent{Kind: operation.WorkerTook, Number: number})
	worker.turn(number, []state.Outcome{{}}, 0, nil)
	applied := newApplyMetrics(&Build{})
	applied.report(&view.ApplyReport{Campaigns: []view.AppliedCampaign{{CampaignRun: state.CampaignRun{Campaign: "campaign.spring"}, Halt: &view.Halt{Reason: "canary"}}}})
	pages := []*httptest.ResponseRecorder{httptest.NewRecorder(), httptest.NewRecorder(), httptest.NewRecorder()}
	s.Metrics().ServeHTTP(pages[0], httptest.NewRequest("GET", "/metrics", nil))
	for i, r := range []*prometheus.Registry{worker.registry, applied.registry} {
		promhttp.HandlerFor(r, promhttp.HandlerOpts{}).ServeHTTP(pages[i+1], httptest.NewRequest("GET", "/metrics", nil))
	}
	out := map[string][]string{}
	for _, page := range pages {
		for line := range strings.Lines(page.Body.String()) {
			found := sample.FindStringSubmatch(line)
			if found == nil {
				continue
			}
			name := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(found[1], "_bucket"), "_sum"), "_count")
			if _, known := out[name]; !known {
				out[name] = []string{}
			}
			for _, l := range label.FindAllStringSubmatch(found[2], -1) {
				if l[1] != "le" && !slices.Contains(out[name], l[1]) {
					out[name] = append(out[name], l[1])
				}
			}
		}
	}
	return out
}

var (
	sample = regexp.MustCompile(`^(handbill_[a-z_]+)(\{[^}]*\})? `)
	label  = regexp.MustCompile(`([a-z_]+)="`)
	// metric is a name in a query, with what is asked of its labels.
	metric = regexp.MustCompile(`(handbill_[a-z_]+?)(?:_bucket)?\b(?:\{([^}]*)\})?`)
	asked  = regexp.MustCompile(`([a-z_]+)\s*(?:=~|!~|!=|=)`)
	sumBy  = regexp.MustCompile(`by \(([a-z_, ]+)\)`)
	// given are labels that Prometheus and histograms add.
	given = []string{"job", "instance", "le"}
)

// TestMetricsAreDocumented holds the table of docs/monitoring.md against what is exposed.
func TestMetricsAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../docs/monitoring.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string][]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(handbill_[a-z_]+)` \\|[^|]*\\|[^|]*\\|([^|]*)\\|").FindAllStringSubmatch(string(page), -1) {
		documented[row[1]] = []string{}
		for _, l := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(row[2], -1) {
			documented[row[1]] = append(documented[row[1]], l[1])
		}
	}
	all := exposed(t)
	for name, labels := range all {
		slices.Sort(labels)
		slices.Sort(documented[name])
		if d, ok := documented[name]; !ok || !slices.Equal(d, labels) {
			t.Errorf("%s has the labels %q, and docs/monitoring.md says %q", name, labels, d)
		}
	}
	for name := range documented {
		if _, ok := all[name]; !ok {
			t.Errorf("docs/monitoring.md has %s, which nothing exposes", name)
		}
	}
}

// TestQueriesFindWhatIsExposed checks the queries of the alerts and of the dashboard
// against what is exposed: a name or label that is not there would be silent for ever.
func TestQueriesFindWhatIsExposed(t *testing.T) {
	all := exposed(t)
	check := func(where, query string) {
		if !strings.Contains(query, "handbill_") && !strings.Contains(query, "up{") {
			t.Errorf("%s asks for nothing of handbill: %s", where, query)
		}
		known := slices.Clone(given)
		for _, found := range metric.FindAllStringSubmatch(query, -1) {
			labels, ok := all[found[1]]
			if !ok {
				t.Errorf("%s asks for %s, which nothing exposes", where, found[1])
			}
			known = append(known, labels...)
			for _, l := range asked.FindAllStringSubmatch(found[2], -1) {
				if !slices.Contains(labels, l[1]) {
					t.Errorf("%s asks for %s{%s}, which it does not have", where, found[1], l[1])
				}
			}
		}
		for _, found := range sumBy.FindAllStringSubmatch(query, -1) {
			for l := range strings.SplitSeq(found[1], ",") {
				if l = strings.TrimSpace(l); !slices.Contains(known, l) {
					t.Errorf("%s sums by %s, which nothing in it has: %s", where, l, query)
				}
			}
		}
	}
	alerts, err := os.ReadFile("../examples/monitoring/alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	rules := regexp.MustCompile(`(?m)^\s+expr: (.*)$`).FindAllStringSubmatch(string(alerts), -1)
	if len(rules) < 10 {
		t.Fatalf("alerts.yml has %d rules", len(rules))
	}
	for _, r := range rules {
		check("alerts.yml", r[1])
	}
	src, err := os.ReadFile("../examples/monitoring/dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(src, &dashboard); err != nil || len(dashboard.Panels) == 0 {
		t.Fatal("dashboard.json: ", err)
	}
	for _, p := range dashboard.Panels {
		for _, target := range p.Targets {
			check("the panel "+p.Title, target.Expr)
		}
	}
	for name := range all { // whatever is measured is seen
		if !strings.Contains(string(src), name) {
			t.Errorf("no panel shows %s", name)
		}
	}
}

// TestAlerts runs the alerts' own tests with Prometheus's tool.
func TestAlerts(t *testing.T) {
	tool, err := exec.LookPath("promtool")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("promtool is not installed (apt: prometheus)")
		}
		t.Skip("promtool is not installed (apt: prometheus)")
	}
	for _, args := range [][]string{{"check", "config", "prometheus.yml"}, {"check", "rules", "alerts.yml"}, {"test", "rules", "alerts.test.yml"}} {
		cmd := exec.Command(tool, args...)
		cmd.Dir = filepath.Join("..", "examples", "monitoring")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}
