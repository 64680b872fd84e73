package serve_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers/onemsg"
	"github.com/handbill/handbill/reply"
	"github.com/handbill/handbill/sandbox"
	"github.com/handbill/handbill/serve"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/state/sqlite"
)

func noRules(context.Context) (*reply.Rules, error) { return nil, nil }

func serveHandler(t testing.TB, h http.Handler) (hook string) {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL + "/webhooks/cloud/main"
}

// accepted records a delivery that the provider accepted under an id.
func accepted(t testing.TB, s state.Store, ids ...string) (refs []string) {
	t.Helper()
	ctx := context.Background()
	meta, err := s.Meta(ctx)
	if err != nil {
		t.Fatal(err)
	}
	run, err := s.Begin(ctx, state.Run{Lanes: []state.Lane{{Number: address}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, id := range ids {
		k := state.Key{Campaign: "campaign.spring", Recipient: fmt.Sprintf("+49151%08d", i), Revision: 1}
		ref := message.NewRef(meta.Lineage, k.Campaign, k.Recipient, 1, 1)
		refs = append(refs, ref)
		v, err := s.Intend(ctx, run.Lanes[0], []state.Intent{{Key: k, To: message.Address{Phone: k.Recipient}, Attempt: 1, Ref: ref, Message: "list_message.browse"}})
		if err != nil || v[0].Attempt == 0 {
			t.Fatal(v, err)
		}
		if err := s.Settle(ctx, run.Lanes[0], []state.Outcome{{Attempt: v[0].Attempt, Send: state.Accepted, ID: id, Proof: state.ProofResponse, At: time.Now()}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Finish(ctx, state.Run{ID: run.ID}); err != nil {
		t.Fatal(err)
	}
	return refs
}

func deliveries(t testing.TB, s state.Store) iter.Seq2[state.Delivery, error] {
	t.Helper()
	snap, err := s.Snapshot(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { snap.Close() })
	return snap.Deliveries(context.Background(), "")
}

// zeros is a source of randomness that gives every state the same lineage.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

var atNoon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// fed posts webhooks over HTTP and returns a dump of the resulting state.
func fed(t *testing.T, numbers func(*sqlite.Store) []serve.Number, paths, bodies []string) string {
	t.Helper()
	clock := func() time.Time { return atNoon }
	store, err := sqlite.Create(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "handbill.state"), Clock: clock, Rand: zeros{}})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	s, err := serve.New(t.Context(), serve.Options{Spacing: -1, Store: store, Now: clock, Rules: noRules, Numbers: numbers(store)})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s.Handler())
	defer srv.Close()
	for i, body := range bodies {
		if code := post(t, srv.URL+paths[i], body, sandbox.Signature(secret, []byte(body))); code != 200 {
			t.Errorf("webhook %d is answered with %d: %.200s", i, code, body)
		}
		if i%7 == 0 {
			if _, err := store.Fold(t.Context(), 3); err != nil {
				t.Fatal(err)
			}
		}
	}
	for n := 1; n > 0; {
		if n, err = store.Fold(t.Context(), 100); err != nil {
			t.Fatal(err)
		}
	}
	if report, err := store.Verify(t.Context()); err != nil || !report.OK() {
		t.Errorf("the state does not verify: %+v, %v", report, err)
	}
	return dump(t, store)
}

func cloudOnly(t *testing.T) func(*sqlite.Store) []serve.Number {
	return func(*sqlite.Store) []serve.Number {
		return []serve.Number{{Address: address, Type: "cloud", Name: "main", Webhook: metaNumber(t, "http://127.0.0.1:1")}}
	}
}

// The same webhooks end in the same state, however they arrive: shuffled,
// twice, in other batches, or weeks late.
func TestAnyOrderEndsInTheSameState(t *testing.T) {
	var refs []string
	ids := []string{"wamid.a", "wamid.b", "wamid.c", "wamid.d"}
	numbers := func(s *sqlite.Store) []serve.Number {
		refs = accepted(t, s, ids...)
		return cloudOnly(t)(s)
	}
	meta := fed(t, numbers, nil, nil) // for the references, which are the same in every state here
	if meta == "" {
		t.Fatal("nothing is known")
	}
	at := atNoon.Add(-40 * 24 * time.Hour).Unix()
	var statuses []string
	for i, id := range ids {
		for j, word := range []string{"sent", "delivered", "read", "failed"} {
			if i == 3 && j < 3 { // this one only failed
				continue
			}
			s := status(id, word, refs[i], at+int64(j*i))
			if word == "failed" {
				s = s[:len(s)-1] + `,"errors":[{"code":131026,"title":"Message undeliverable"}]}`
			}
			statuses = append(statuses, s)
		}
	}
	statuses = append(statuses, status("wamid.unknown", "read", "", at))
	var want string
	for round := range 6 {
		rnd := rand.New(rand.NewPCG(1, uint64(round)))
		list := slices.Clone(statuses)
		if round > 0 {
			list = append(list, list...)
			rnd.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		}
		var bodies, paths []string
		for len(list) > 0 {
			n := min(1+rnd.IntN(4), len(list))
			bodies, paths = append(bodies, envelope("statuses", list[:n]...)), append(paths, "/webhooks/cloud/main")
			list = list[n:]
		}
		got := fed(t, numbers, paths, bodies)
		if round == 0 {
			want = got
		}
		if diff := cmp.Diff(withoutTimes(t, want), withoutTimes(t, got)); diff != "" {
			t.Fatalf("round %d ends elsewhere: %s", round, diff)
		}
	}
}

// withoutTimes removes from a dump the times at which the deliveries were
// accepted: the helper above uses the time of the test.
func withoutTimes(t *testing.T, dump string) (out []map[string]any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(dump))
	for d.More() {
		m := map[string]any{}
		if err := d.Decode(&m); err != nil {
			t.Fatal(err)
		}
		delete(m, "settled")
		out = append(out, m)
	}
	return out
}

// Real webhooks of independent projects are posted in order, twice, and
// reversed. Every one is accepted, and the end is the same, also for who is
// who, although the collection's documents use one number for persons with
// different user ids.
func TestRealWebhooks(t *testing.T) {
	dir := os.Getenv("HANDBILL_CORPORA")
	if dir == "" {
		t.Skip("HANDBILL_CORPORA is not set: the collection of real webhooks is elsewhere")
	}
	var bodies, paths []string
	read := func(name, key, path string) {
		f, err := os.Open(filepath.Join(dir, "fixtures", name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 4<<20)
		for lines.Scan() {
			m := map[string]json.RawMessage{}
			if err := json.Unmarshal(lines.Bytes(), &m); err != nil {
				t.Fatal(err)
			}
			bodies, paths = append(bodies, ownIDs(t, m[key], len(bodies))), append(paths, path)
		}
	}
	read("webhooks.jsonl", "payload", "/webhooks/cloud/main")
	read("onemsg.jsonl", "body", "/webhooks/onemsg/main/token")
	numbers := func(s *sqlite.Store) []serve.Number {
		p, err := onemsg.New(onemsg.Config{ChannelID: "VID1", Token: "t", WebhookToken: "token"})
		if err != nil {
			t.Fatal(err)
		}
		return append(cloudOnly(t)(s), serve.Number{Address: "provider.onemsg.main", Type: "onemsg", Name: "main", Webhook: p, Tokens: p.WebhookTokens()})
	}
	once := fed(t, numbers, paths, bodies)
	if twice := fed(t, numbers, slices.Concat(paths, paths), slices.Concat(bodies, bodies)); twice != once {
		t.Errorf("a second time changes the state: %s", cmp.Diff(once, twice))
	}
	slices.Reverse(bodies)
	slices.Reverse(paths)
	reversed := fed(t, numbers, paths, bodies)
	if diff := cmp.Diff(sortedLines(once), sortedLines(reversed)); diff != "" {
		t.Errorf("the other way round ends elsewhere: %s", diff)
	}
}

// ownIDs gives the messages of a body ids of their own: in the collection,
// messages of different projects share made-up ids.
func ownIDs(t *testing.T, body json.RawMessage, n int) string {
	t.Helper()
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatal(err)
	}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				walk(e)
			}
		case map[string]any:
			list, _ := v["messages"].([]any)
			for _, e := range list {
				if m, ok := e.(map[string]any); ok && m["id"] != nil {
					m["id"] = fmt.Sprint(m["id"], "-", n)
				}
			}
			for _, e := range v {
				walk(e)
			}
		}
	}
	walk(v)
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// sortedLines returns a dump's lines without the numbers that depend on the
// order in which messages came.
func sortedLines(dump string) []string {
	var out []string
	for line := range strings.Lines(dump) {
		m := map[string]any{}
		if json.Unmarshal([]byte(line), &m) != nil {
			continue
		}
		for _, k := range []string{"seq", "id", "first"} {
			delete(m, k)
		}
		b, _ := json.Marshal(m) // it was JSON
		out = append(out, string(b))
	}
	slices.Sort(out)
	return out
}
