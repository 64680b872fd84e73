package plan

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"go.uber.org/goleak"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/internal/golden"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/state"
)

// memState is a state in memory.
type memState struct {
	resources  []state.Resource
	deliveries []state.Delivery
	people     []state.Person
	windows    []state.PersonWindow
	ties       []state.Tie
	recent     []state.RecentSend
	orders     []state.PlacedOrder
	erased     []string
}

func (s *memState) Meta(context.Context) (state.Meta, error) {
	return state.Meta{Format: 1, Lineage: "0123456789abcdef0123456789abcdef", Serial: 7}, nil
}

func (s *memState) Resources(context.Context) ([]state.Resource, error) { return s.resources, nil }

func (s *memState) Compact(_ context.Context, campaign string, revision int) (state.SentIndex, error) {
	t := memTable{}
	for _, d := range s.deliveries {
		if d.Campaign == campaign && d.Revision == revision {
			t[d.Recipient] = state.Sent{Send: d.Send, Arm: d.Arm, Attempt: d.Attempt, Digest: d.Digest, Code: d.Code}
		}
	}
	return t, nil
}

func (s *memState) Deliveries(_ context.Context, campaign string) iter.Seq2[state.Delivery, error] {
	return func(yield func(state.Delivery, error) bool) {
		for _, d := range s.deliveries {
			if d.Campaign == campaign && !yield(d, nil) {
				return
			}
		}
	}
}

func (s *memState) People(context.Context) iter.Seq2[state.Person, error] { return each(s.people) }

func (s *memState) Ties(context.Context) iter.Seq2[state.Tie, error] { return each(s.ties) }

func (s *memState) Windows(_ context.Context, number string) iter.Seq2[state.PersonWindow, error] {
	var list []state.PersonWindow
	for _, w := range s.windows {
		if w.Number == number {
			list = append(list, w)
		}
	}
	return each(list)
}

// wrote is the window of a person who wrote to a number some time ago.
func wrote(number, who string, ago time.Duration) state.PersonWindow {
	return state.PersonWindow{Recipient: who, Number: number, Window: delivery.Window{Inbound: testAt.Add(-ago).UnixMilli()}}
}

// shut is the window of a person that was found closed at a number some time
// ago.
func shut(number, who string, ago time.Duration) state.PersonWindow {
	return state.PersonWindow{Recipient: who, Number: number, Window: delivery.Window{Shut: testAt.Add(-ago).UnixMilli()}}
}

func (s *memState) RecentSends(_ context.Context, since time.Time) iter.Seq2[state.RecentSend, error] {
	var list []state.RecentSend
	for _, r := range s.recent {
		if !r.At.Before(since) {
			list = append(list, r)
		}
	}
	return each(list)
}

func (s *memState) Orders(context.Context) iter.Seq2[state.PlacedOrder, error] {
	return each(s.orders)
}

func (s *memState) Erased(context.Context) (func(string) bool, error) {
	return func(key string) bool {
		for _, e := range s.erased {
			if e == key {
				return true
			}
		}
		return false
	}, nil
}

func each[T any](list []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, v := range list {
			if !yield(v, nil) {
				return
			}
		}
	}
}

type memTable map[string]state.Sent

func (t memTable) Len() int { return len(t) }

func (t memTable) Lookup(recipient string) (state.Sent, bool) {
	s, ok := t[recipient]
	return s, ok
}

func (t memTable) All() iter.Seq2[string, state.Sent] {
	return func(yield func(string, state.Sent) bool) {
		for k, v := range t {
			if !yield(k, v) {
				return
			}
		}
	}
}

var testAt = time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)

// workspace is a directory with a configuration and its files.
type workspace struct {
	dir string
	cfg *lang.Config
	in  Inputs
}

// open writes files into a directory and loads it.
func open(t testing.TB, files map[string]string) *workspace {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	cfg, diags := lang.Load(t.Context(), dir, lang.Options{Schemas: map[string]lang.ProviderSchema{"sandbox": {}}})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return &workspace{dir: dir, cfg: cfg, in: Inputs{At: testAt, Version: "0.1.0", Build: "commit:5d3f0c1a", Root: root}}
}

// plan builds a plan with w.in and checks that the counts add up.
func (w *workspace) plan(t testing.TB) (*Plan, hcl.Diagnostics) {
	t.Helper()
	p, diags := Build(t.Context(), w.cfg, w.in)
	t.Cleanup(func() { p.Close() })
	for i := range p.Campaigns {
		c := &p.Campaigns[i]
		sum := c.Counts.Sends() + c.Counts.Sent + c.Counts.InDoubt + c.Counts.Refused + c.Counts.HeldOut
		for _, n := range c.Counts.Skip {
			sum += n
		}
		if sum != c.Recipients {
			t.Errorf("%s: the counts add up to %d, recipients are %d", c.Address, sum, c.Recipients)
		}
	}
	return p, diags
}

func collect(t testing.TB, p *Plan) []Entry {
	t.Helper()
	var list []Entry
	for e, err := range p.Entries() {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, e)
	}
	return list
}

// lines lists the plan's entries, one per line.
func lines(t testing.TB, p *Plan) string {
	t.Helper()
	var b strings.Builder
	for e, err := range p.Entries() {
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s %s %s", e.Recipient.Place, e.Recipient.Key(), e.Action)
		if e.Reason != "" {
			fmt.Fprintf(&b, " (%s)", e.Reason)
		}
		if e.Draft >= 0 {
			fmt.Fprintf(&b, " #%d attempt %d %q", e.Draft, e.Attempt, e.Values)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func summaries(diags hcl.Diagnostics) string {
	var b strings.Builder
	for _, d := range diags {
		word := "error"
		if d.Severity == hcl.DiagWarning {
			word = "warning"
		}
		place := ""
		if d.Subject != nil {
			place = fmt.Sprintf(" %s:%d", d.Subject.Filename, d.Subject.Start.Line)
		}
		fmt.Fprintf(&b, "%s %s%s: %s\n", word, DiagCode(d), place, d.Detail)
	}
	return b.String()
}

const header = `
provider "sandbox" "main" {}
`

// shop has a campaign with every block that decides about a recipient.
const shop = header + `
text_message "hello" {
  body = "Hello ${recipient.name}, news for ${upper(recipient.city)}!"
}

template_message "reopen" {
  template = "reopen"
  language = "en"
  body     = [recipient.name]
}

audience "blocked" {
  source "csv" { path = "blocked.csv" }
}

audience "people" {
  source "csv" { path = "contacts.csv" }
  region       = "DE"
  filter       = row.country != "XX"
  consent      = row.opted_in == "yes"
  last_inbound = row.seen
  attributes   = { name = row.name, city = row.city }
  exclude      = [audience.blocked]
}

campaign "spring" {
  provider   = provider.sandbox.main
  audience   = audience.people
  message    = text_message.hello
  fallback   = template_message.reopen
  on_invalid = "skip"
}
`

const shopContacts = `phone,name,city,country,opted_in,seen
+4915112345601,Anna,Köln,DE,yes,2026-03-01T09:00:00Z
0151 12345602,Ben,Bonn,DE,yes,
+4915112345603,Cem,Ulm,DE,no,
+4915112345604,Dana,Ulm,XX,yes,2026-03-01T09:00:00Z
+4915112345601,Anna again,Köln,DE,yes,2026-03-01T09:00:00Z
hello,Eve,Ulm,DE,yes,
+4915112345606,,Ulm,DE,yes,2026-03-01T09:00:00Z
+4915112345607,Gina,Ulm,DE,yes,2026-02-28T10:01:00Z
+4915112345608,Hans,Ulm,DE,yes,2026-03-01T09:00:00Z
+4915112345609,Ida,Ulm,DE,yes,2026-03-01T09:00:00Z
+4915112345610,Jan,Ulm,DE,yes,2026-03-01T09:00:00Z
+4915112345611,Kim,Ulm,DE,yes,2026-03-01T09:00:00Z
+4915112345612,Leo,Ulm,DE,yes,2026-03-01T09:00:00Z
+4915112345613,Mia,Ulm,DE,yes,
+4915112345614,Noa,Ulm,DE,yes,
+4915112345615,Ole,Ulm,DE,yes,2026-03-01T09:00:00Z
`

func shopFiles() map[string]string {
	return map[string]string{"main.hcl": shop, "contacts.csv": shopContacts, "blocked.csv": "phone\n+49 151 12345608\n"}
}

// past is a delivery of campaign.spring in the state.
func past(recipient string, send state.Send, code string) state.Delivery {
	return state.Delivery{Key: state.Key{Campaign: "campaign.spring", Recipient: recipient, Revision: 1}, Send: send, Attempt: 1,
		Message: "text_message.hello", Digest: [16]byte{1}, Code: code}
}

func shopState() *memState {
	return &memState{
		deliveries: []state.Delivery{
			past("+4915112345610", state.Accepted, ""),
			past("+4915112345611", state.InDoubt, ""),
			past("+4915112345612", state.Rejected, "131026"),
			past("+4915112345615", state.Pending, ""),
		},
		people: []state.Person{
			{Recipient: "+4915112345609", OptedOut: true},
			{Recipient: "+4915112345614", Cooldown: testAt.Add(time.Hour)},
		},
		windows: []state.PersonWindow{wrote("provider.sandbox.main", "+4915112345613", time.Hour)},
	}
}

func TestBuild(t *testing.T) {
	w := open(t, shopFiles())
	w.in.State = shopState()
	p, diags := w.plan(t)
	if diags.HasErrors() {
		t.Error(diags)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	if err := enc.Encode(p); err != nil {
		t.Fatal(err)
	}
	golden.Assert(t, b.Bytes(), "testdata/shop.plan.golden")
	golden.Assert(t, []byte(lines(t, p)), "testdata/shop.entries.golden")
	golden.Assert(t, []byte(summaries(diags)), "testdata/shop.diagnostics.golden")
}

// TestBuildIsDeterministic checks that neither the number of processors and
// workers nor the order of the columns changes a byte.
func TestBuildIsDeterministic(t *testing.T) {
	shuffled := shopFiles()
	var b strings.Builder
	for line := range strings.Lines(shopContacts) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), ",")
		fmt.Fprintln(&b, strings.Join([]string{f[5], f[2], f[0], f[4], f[1], f[3]}, ","))
	}
	shuffled["contacts.csv"] = b.String()
	var want []byte
	var digests [2]string
	for i, files := range []map[string]string{shopFiles(), shuffled} {
		for _, procs := range []int{1, 2, 8} {
			w := open(t, files)
			w.in.State, w.in.Parallelism = shopState(), procs
			before := runtime.GOMAXPROCS(procs)
			p, _ := w.plan(t)
			runtime.GOMAXPROCS(before)
			digests[i] = p.Digest
			p.Inputs = nil // the file's own digest differs
			got := encoded(t, p)
			if want == nil {
				want = got
			}
			if !bytes.Equal(want, got) {
				t.Errorf("columns %d, %d processors: the plan has other bytes", i, procs)
			}
		}
	}
	if digests[0] != digests[1] {
		t.Error("the order of the columns changes the digest")
	}
}

// TestDigestIgnoresTime checks that the digest covers deferred entries like the
// others, and that the clock does not change it.
func TestDigestIgnoresTime(t *testing.T) {
	files := shopFiles()
	files["main.hcl"] = strings.Replace(shop, `on_invalid = "skip"`, `on_invalid = "skip"
  schedule {
    quiet_hours = "20:00-11:00"
    timezone    = "UTC"
  }`, 1)
	digests := map[string]bool{}
	deferred := map[int]bool{}
	for _, at := range []time.Time{testAt, testAt.Add(time.Hour)} {
		w := open(t, files)
		w.in.At = at
		p, _ := w.plan(t)
		digests[p.Digest] = true
		deferred[p.Campaigns[0].Counts.Defer["quiet_hours"]] = true
	}
	if len(digests) != 1 || len(deferred) != 2 {
		t.Errorf("digests %v, deferred %v", digests, deferred)
	}
}

func TestProgress(t *testing.T) {
	w := open(t, shopFiles())
	var got []Progress
	w.in.Progress = func(p Progress) { got = append(got, p) }
	w.plan(t)
	var stages []string
	for _, p := range got {
		stages = append(stages, fmt.Sprint(p.Stage, " ", p.Rows, " ", p.Done))
	}
	want := []string{"reading 0 false", "reading 0 true", "planning 16 false", "planning 16 true"}
	if diff := cmp.Diff(want, stages); diff != "" {
		t.Error(diff)
	}
}

// TestCancelled checks that an interrupted plan says so and leaks no goroutine.
func TestCancelled(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	var b strings.Builder
	b.WriteString("phone,name\n")
	const rows = 20_000
	for i := range rows {
		fmt.Fprintf(&b, "+49151%08d,Anna\n", i)
	}
	w := open(t, map[string]string{"main.hcl": small, "contacts.csv": b.String()})
	ctx, cancel := context.WithCancel(t.Context())
	w.in.Progress = func(p Progress) {
		if p.Rows > 0 {
			cancel()
		}
	}
	p, diags := Build(ctx, w.cfg, w.in)
	defer p.Close()
	if !diags.HasErrors() || p.Campaigns[0].Recipients >= rows {
		t.Errorf("%d recipients, diagnostics: %s", p.Campaigns[0].Recipients, summaries(diags))
	}
}
