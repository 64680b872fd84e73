package serve_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/serve"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/state/memstate"
)

const (
	phoneAgent = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1"
	shopToken  = "Shop00000001"
	helpToken  = "Help00000001"
	shopURL    = "https://shop.example/spring?utm_source=whatsapp"
	helpURL    = "https://shop.example/help"
)

// clickStore is a state that counts and can hold up or fail commits of clicks.
type clickStore struct {
	*memstate.Store
	commits atomic.Int64
	before  func() error // called before each commit; nil for nothing
}

func (s *clickStore) Click(ctx context.Context, clicks []state.Click) error {
	s.commits.Add(1)
	if s.before != nil {
		if err := s.before(); err != nil {
			return err
		}
	}
	return s.Store.Click(ctx, clicks)
}

// linkServer is a server and its state, in which one message has two links. clock is
// the wall clock in seconds after noon.
func linkServer(t testing.TB) (s *serve.Server, store *clickStore, clock *atomic.Int64) {
	t.Helper()
	clock = &atomic.Int64{}
	noon := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	now := func() time.Time { return noon.Add(time.Duration(clock.Load()) * time.Second) }
	store = &clickStore{Store: memstate.New(memstate.Options{Clock: now, Lineage: strings.Repeat("ab", 16)})}
	ctx := context.Background()
	run, err := store.Begin(ctx, state.Run{Lanes: []state.Lane{{Number: "provider.cloud.main"}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	v, err := store.Turn(ctx, run.Lanes[0], nil, []state.Intent{{Key: state.Key{Campaign: "campaign.spring", Recipient: "+4915112345678", Revision: 1}, To: message.Address{Phone: "+4915112345678"}, Attempt: 1, Ref: "r",
		Message: "text_message.hi", Links: []state.TokenLink{{Token: shopToken, Link: "link.shop"}, {Token: helpToken, Link: "link.help"}}}})
	if err == nil {
		err = store.Settle(ctx, run.Lanes[0], []state.Outcome{{Attempt: v[0].Attempt, Send: state.Accepted, Proof: state.ProofResponse, ID: "wamid.1", At: noon}})
	}
	if err != nil {
		t.Fatal(err)
	}
	lead(t, store, shopURL)
	if s, err = serve.New(ctx, serve.Options{Store: store, Now: now, Rules: noRules, ClickTime: time.Minute}); err != nil {
		t.Fatal(err)
	}
	return s, store, clock
}

// lead is what an apply does that lets link.shop lead to a page.
func lead(t testing.TB, store state.Store, shop string) {
	t.Helper()
	name, data, err := state.DestinationsBlob([]state.Destination{
		{Campaign: "campaign.spring", Link: "link.shop", Base: "https://go.example.com", URL: shop},
		{Campaign: "campaign.spring", Link: "link.help", Base: "https://go.example.com/h", URL: helpURL},
		{Campaign: "campaign.other", Link: "link.shop", Base: "https://go.example.com", URL: "https://other.example/"}})
	if err == nil {
		err = store.Put(context.Background(), name, data)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func get(s *serve.Server, method, target, agent string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://go.example.com/", nil)
	u, err := url.ParseRequestURI(target)
	if err != nil {
		u = &url.URL{Path: target}
	}
	r.URL, r.RequestURI = u, target
	r.Header.Set("User-Agent", agent)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	return w
}

func counts(t testing.TB, s *serve.Server, store state.Store) (clicked, programs int) {
	t.Helper()
	s.Settle()
	list, err := store.LinkCounts(context.Background(), "campaign.spring")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range list {
		clicked, programs = clicked+n.Clicked, programs+n.Programs
	}
	return clicked, programs
}

// attacks try to be redirected to a place that they choose. A server answers each like
// an unknown path, or leads where the link leads.
var attacks = []struct {
	method, target string
	to             string // "" for 404
}{
	{"GET", "/" + shopToken, shopURL},
	{"GET", "/h/" + helpToken, helpURL},
	{"GET", "/" + helpToken, helpURL}, // a proxy took the base's path away
	{"GET", "/" + shopToken + "?url=https://evil.example", shopURL},
	{"GET", "/" + shopToken + "?next=//evil.example&fbclid=1", shopURL},
	{"GET", "http://evil.example/" + shopToken, shopURL},
	{"GET", "//evil.example/" + shopToken, ""},
	{"GET", "///" + shopToken, ""},
	{"GET", "/\\evil.example/" + shopToken, ""},
	{"GET", "/h/" + shopToken, ""}, // another link's base
	{"GET", "/evil.example/" + shopToken, ""},
	{"GET", "/https://evil.example/" + shopToken, ""},
	{"GET", "/" + shopToken + "/", ""},
	{"GET", "/" + shopToken + "/../evil", ""},
	{"GET", "/" + shopToken + "%2f%2fevil.example", ""},
	{"GET", "/%2f/" + shopToken, ""},
	{"GET", "/%53hop00000001", ""},
	{"GET", "/" + shopToken + "%00", ""},
	{"GET", "/" + shopToken + "%0d%0aLocation:%20https://evil.example", ""},
	{"GET", "/" + shopToken + ".html", ""},
	{"GET", "/" + shopToken + "@evil.example", ""},
	{"GET", "/" + shopToken + ";url=https://evil.example", ""},
	{"GET", "/../" + shopToken, ""},
	{"GET", "/./" + shopToken, ""},
	{"GET", "/" + strings.ToLower(shopToken), ""},
	{"GET", "/" + shopToken[:11], ""},
	{"GET", "/" + shopToken + "0", ""},
	{"GET", "/'%20OR%201=1--", ""},
	{"GET", "/Shop0000000_", ""},
	{"GET", "/Shop0000000%25", ""},
	{"GET", "/Nobody000000", ""},
	{"GET", "/webhooks/" + shopToken, ""},
	{"GET", "/webhooks/cloud/main/" + shopToken, ""},
	{"GET", "", ""},
	{"GET", "*", ""},
	{"GET", "/", ""},
	{"POST", "/" + shopToken, ""},
	{"PUT", "/" + shopToken, ""},
	{"OPTIONS", "/" + shopToken, ""},
	{"CONNECT", "/" + shopToken, ""},
	{"TRACE", "/" + shopToken, ""},
}

func TestRedirectsLeadNowhereElse(t *testing.T) {
	s, _, _ := linkServer(t)
	nothing := get(s, "GET", "/nothing", phoneAgent)
	for _, a := range attacks {
		w := get(s, a.method, a.target, phoneAgent, "Host", "evil.example", "X-Forwarded-Host", "evil.example", "X-Original-URL", "https://evil.example", "Referer", "https://evil.example")
		if got := w.Header().Values("Location"); a.to == "" {
			if w.Code != http.StatusNotFound || len(got) > 0 || w.Body.String() != nothing.Body.String() || len(w.Header()) != len(nothing.Header()) {
				t.Errorf("%s %s: %d %q %v", a.method, a.target, w.Code, got, w.Header())
			}
		} else if w.Code != http.StatusFound || len(got) != 1 || got[0] != a.to || w.Body.Len() > 0 || w.Header().Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s %s: %d %q, want %s", a.method, a.target, w.Code, got, a.to)
		}
	}
}

// FuzzRedirect sends any request: it is redirected to one of the two pages or not at
// all, and only a GET of a link counts.
func FuzzRedirect(f *testing.F) {
	for _, a := range attacks {
		f.Add(a.method, a.target, phoneAgent)
	}
	s, _, _ := linkServer(f)
	f.Fuzz(func(t *testing.T, method, target, agent string) {
		if !validMethod(method) {
			t.Skip()
		}
		w := get(s, method, target, agent)
		got := w.Header().Values("Location")
		if len(got) == 0 && w.Code == http.StatusFound || len(got) > 1 || len(got) == 1 && (got[0] != shopURL && got[0] != helpURL || w.Code != http.StatusFound) {
			t.Fatalf("%s %q: %d %q", method, target, w.Code, got)
		}
		if len(got) == 1 && !strings.Contains(target, shopToken) && !strings.Contains(target, helpToken) {
			t.Fatalf("%s %q is redirected, and has no token", method, target)
		}
	})
}

func validMethod(m string) bool {
	return m != "" && strings.Trim(m, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

// A person is counted once; what says that it is a program, or fetches ahead, is
// redirected as well and counted apart.
func TestClicksOfPeopleAndPrograms(t *testing.T) {
	programs := [][]string{
		{"GET", "WhatsApp/2.23.20.0 A"}, {"GET", "WhatsApp/2.2412.54 W"}, {"GET", "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)"},
		{"GET", "meta-externalagent/1.1"}, {"GET", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"}, {"GET", "TelegramBot (like TwitterBot)"}, {"GET", ""},
		{"GET", "Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/126.0"}, {"HEAD", phoneAgent}, {"GET", phoneAgent, "Sec-Purpose", "prefetch;prerender"}, {"GET", phoneAgent, "Purpose", "prefetch"}, {"GET", phoneAgent, "X-Moz", "prefetch"},
	}
	s, store, _ := linkServer(t)
	for i, p := range programs {
		if w := get(s, p[0], "/"+shopToken, p[1], p[2:]...); w.Code != http.StatusFound || w.Header().Get("Location") != shopURL {
			t.Errorf("%q: %d %q", p, w.Code, w.Header().Get("Location"))
		}
		if clicked, n := counts(t, s, store); clicked != 0 || n != i+1 {
			t.Fatalf("after %q: %d people, %d programs", p, clicked, n)
		}
	}
	commits := store.commits.Load()
	for range 5 {
		get(s, "GET", "/"+shopToken, phoneAgent)
	}
	get(s, "GET", "/"+helpToken, phoneAgent)
	get(s, "GET", "/Nobody000000", phoneAgent)
	if clicked, n := counts(t, s, store); clicked != 2 || n != len(programs) {
		t.Errorf("%d links were followed, and %d fetched by programs; want 2 and %d", clicked, n, len(programs))
	}
	if n := store.commits.Load() - commits; n != 2 {
		t.Errorf("%d commits, want one for each link", n)
	}
	rows, err := store.Funnel(t.Context(), "campaign.spring")
	if err != nil || len(rows) != 1 || !rows[0].Clicked || rows[0].Count != 1 {
		t.Errorf("the funnel is %+v, %v", rows, err)
	}
}

// A click is answered once it is durable, with all that came while the commit before
// was made in one commit.
func TestClicksAreDurableFirst(t *testing.T) {
	s, store, _ := linkServer(t)
	began, end := make(chan struct{}), make(chan struct{})
	store.before = func() error {
		began <- struct{}{}
		<-end
		return nil
	}
	var answered atomic.Int64
	var wg sync.WaitGroup
	follow := func(token string) {
		wg.Go(func() {
			get(s, "GET", "/"+token, phoneAgent)
			answered.Add(1)
		})
	}
	follow(shopToken)
	<-began
	follow(helpToken)
	if n := answered.Load(); n != 0 {
		t.Errorf("%d requests were answered before the commit", n)
	}
	end <- struct{}{}
	<-began
	if l, ok, err := store.Link(t.Context(), shopToken); err != nil || !ok || l.Clicked.IsZero() {
		t.Errorf("after the first commit: %+v, %v", l, err)
	}
	end <- struct{}{}
	wg.Wait()
	if clicked, _ := counts(t, s, store); clicked != 2 || store.commits.Load() != 2 {
		t.Errorf("%d links were followed, with %d commits", clicked, store.commits.Load())
	}
}

// Where the click cannot be recorded, the person still gets to the page. Where the
// state cannot be read, nobody knows where that is.
func TestRedirectsWithAStateThatFails(t *testing.T) {
	s, store, _ := linkServer(t)
	store.before = func() error { return errors.New("no space is left") }
	if w := get(s, "GET", "/"+shopToken, phoneAgent); w.Code != http.StatusFound || w.Header().Get("Location") != shopURL {
		t.Errorf("%d %q", w.Code, w.Header().Get("Location"))
	}
	s.Settle()
	if w := get(s, "GET", "/readyz", ""); w.Code != http.StatusServiceUnavailable {
		t.Errorf("a state that takes no clicks: /readyz says %d", w.Code)
	}
	page := httptest.NewRecorder()
	s.Metrics().ServeHTTP(page, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, want := range []string{"handbill_clicks_lost_total 1", `handbill_redirects_total{result="person"} 1`} {
		if !strings.Contains(page.Body.String(), want) {
			t.Errorf("the metrics do not have %s", want)
		}
	}
	if strings.Contains(page.Body.String(), shopToken) {
		t.Error("the metrics have a token")
	}
	store.before = nil
	if get(s, "GET", "/"+shopToken, phoneAgent); store.Close() != nil {
		t.Fatal("closing")
	}
	if w := get(s, "GET", "/"+helpToken, phoneAgent); w.Code != http.StatusServiceUnavailable || w.Header().Get("Location") != "" || w.Header().Get("Retry-After") == "" {
		t.Errorf("%d %q", w.Code, w.Header().Get("Location"))
	}
}

// The last apply decides, also about messages that were sent before; what it has no
// more leads nowhere.
func TestTheLastApplyDecides(t *testing.T) {
	s, store, clock := linkServer(t)
	if w := get(s, "GET", "/"+shopToken, phoneAgent); w.Header().Get("Location") != shopURL {
		t.Fatalf("%d %q", w.Code, w.Header().Get("Location"))
	}
	lead(t, store, "https://shop.example/summer")
	clock.Add(1)
	if w := get(s, "GET", "/"+shopToken, phoneAgent); w.Header().Get("Location") != "https://shop.example/summer" {
		t.Errorf("after an apply: %d %q", w.Code, w.Header().Get("Location"))
	}
	name, data, err := state.DestinationsBlob(nil)
	if err == nil {
		err = store.PutAll(t.Context(), map[string][]byte{name: data})
	}
	if err != nil {
		t.Fatal(err)
	}
	clock.Add(1)
	if w := get(s, "GET", "/"+shopToken, phoneAgent); w.Code != http.StatusNotFound || w.Header().Get("Location") != "" {
		t.Errorf("without the link: %d %q", w.Code, w.Header().Get("Location"))
	}
}
