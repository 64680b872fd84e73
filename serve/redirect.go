package serve

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// redirect answers a request for a recipient's link: with 302 to where the last apply
// says that the link leads, and never to anything that the request names. It reports
// false for a path that cannot be a link's. A token that is not known, whose recipient
// was erased, or whose link is not declared any more, is answered like any unknown path.
func (s *Server) redirect(w http.ResponseWriter, r *http.Request) bool {
	prefix, token, ok := tokenOf(r)
	if !ok {
		return false
	}
	to, known, err := s.leads(r.Context(), prefix, token)
	switch {
	case err != nil:
		if r.Context().Err() == nil {
			s.stateFault(err)
		}
		s.metrics.redirects.WithLabelValues("error").Inc()
		w.Header().Set("Retry-After", "5")
		plain(w, http.StatusServiceUnavailable, "service unavailable\n")
		return true
	case !known:
		s.metrics.redirects.WithLabelValues("unknown").Inc()
		notFound(w)
		return true
	}
	switch {
	case !byPerson(r):
		s.metrics.redirects.WithLabelValues("program").Inc()
		s.clicks.add(state.Click{Token: token, Programs: 1}, nil)
	case !to.clicked.IsZero():
		s.metrics.redirects.WithLabelValues("again").Inc()
	default:
		s.metrics.redirects.WithLabelValues("person").Inc()
		busy(r.Context(), true)
		s.clicks.keep(state.Click{Token: token, At: s.opt.Now()}, s.opt.ClickTime)
		busy(r.Context(), false)
	}
	h := w.Header()
	h.Set("Location", to.url)
	h.Set("Referrer-Policy", "no-referrer") // the page need not learn the token
	h.Set("X-Robots-Tag", "noindex")
	w.WriteHeader(http.StatusFound)
	return true
}

// tokenOf returns the token at the end of a request's path, and what stands before it:
// "" or "/…". A path with an escape, an empty part or a dot is no link's.
func tokenOf(r *http.Request) (prefix, token string, ok bool) {
	path := r.URL.Path
	at := strings.LastIndexByte(path, '/')
	if r.Method != http.MethodGet && r.Method != http.MethodHead || at < 0 || path[0] != '/' || r.URL.EscapedPath() != path {
		return "", "", false
	}
	return path[:at], path[at+1:], message.IsToken(path[at+1:])
}

// led is where a token leads.
type led struct {
	url     string
	clicked time.Time // when the person first followed it; zero for never
}

// leads looks a token up. Links are found below their base's path, where a proxy keeps
// it, and at the top, where it takes it away.
func (s *Server) leads(ctx context.Context, prefix, token string) (to led, ok bool, err error) {
	link, ok, err := s.opt.Store.Link(ctx, token)
	if err != nil || !ok {
		return to, false, err
	}
	d, ok, err := s.places.of(ctx, link.Campaign, link.Link)
	if err != nil || !ok || prefix != "" && prefix != d.path {
		return to, false, err
	}
	return led{d.url, link.Clicked}, true, nil
}

// programs are what the agents of programs have in their names that fetch links by
// themselves, in lower case. WhatsApp's own fetcher names itself WhatsApp/2.…, and
// Meta's facebookexternalhit and meta-externalagent (Meta, sharing/webmasters/crawler,
// read 2026-11-20).
var programs = []string{"facebookexternalhit", "facebot", "facebookcatalog", "meta-external", "bot", "crawl", "spider", "slurp", "preview", "prefetch", "scanner", "headless", "lighthouse", "pingdom", "uptime", "monitor"}

// byPerson reports whether a person seems to follow the link: no HEAD, no fetching
// ahead, and no agent that says it is a program.
func byPerson(r *http.Request) bool {
	agent := strings.ToLower(r.UserAgent())
	if r.Method != http.MethodGet || agent == "" || strings.HasPrefix(agent, "whatsapp/") {
		return false
	}
	for _, name := range [...]string{"Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"} {
		if v := strings.ToLower(r.Header.Get(name)); strings.Contains(v, "prefetch") || strings.Contains(v, "prerender") || strings.Contains(v, "preview") {
			return false
		}
	}
	for _, name := range programs {
		if strings.Contains(agent, name) {
			return false
		}
	}
	return true
}

// placesFor is how long the destinations of the last apply are used before the state
// is asked for them again.
const placesFor = time.Second

// places are the destinations of the last apply.
type places struct {
	store Store
	now   func() time.Time

	mu   sync.Mutex
	read time.Time
	byID map[linkID]place
}

type linkID struct{ campaign, link string }

type place struct {
	url  string
	path string // of the base; "" for none
}

func (p *places) of(ctx context.Context, campaign, link string) (place, bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := p.now(); p.byID == nil || now.Sub(p.read) >= placesFor || now.Before(p.read) {
		list, err := state.Destinations(ctx, p.store)
		if err != nil {
			return place{}, false, err
		}
		p.byID, p.read = make(map[linkID]place, len(list)), now
		for _, d := range list {
			base, err := url.Parse(d.Base)
			if err != nil {
				continue // what lang has checked is an address
			}
			p.byID[linkID{d.Campaign, d.Link}] = place{d.URL, strings.TrimRight(base.Path, "/")}
		}
	}
	to, ok := p.byID[linkID{campaign, link}]
	return to, ok, nil
}

// clicks records clicks, all that came while the commit before was made in one commit.
type clicks struct {
	s *Server

	mu      sync.Mutex
	waiting []waitingClick
	active  bool // a flush is under way
}

type waitingClick struct {
	state.Click
	done chan<- struct{} // closed when it is durable or cannot be; nil where nobody waits
}

// keep returns when a click is durable, or after a time that a person can be kept
// waiting; it is recorded all the same.
func (c *clicks) keep(click state.Click, wait time.Duration) {
	done := make(chan struct{})
	if !c.add(click, done) {
		return
	}
	late := time.NewTimer(wait)
	defer late.Stop()
	select {
	case <-done:
	case <-late.C:
		c.s.stateFault(errClickLate)
	}
}

// add hands a click to the next commit. It reports false, and the click is lost, if too
// many wait: the state takes nothing.
func (c *clicks) add(click state.Click, done chan<- struct{}) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting) >= c.s.opt.Queue {
		c.s.metrics.clicksLost.Inc()
		return false
	}
	c.waiting = append(c.waiting, waitingClick{click, done})
	if !c.active {
		c.active = true
		c.s.keeping.Go(c.flush)
	}
	return true
}

// Settle returns when everything is durable that was accepted while the caller waits
// for no further requests.
func (s *Server) Settle() { s.keeping.Wait() }

// flush makes commits until nothing waits. When one fails, its clicks are lost: whoever
// waits for them is redirected, and a state that fails is reported.
func (c *clicks) flush() {
	for {
		c.mu.Lock()
		batch := c.waiting
		c.waiting = nil
		c.active = len(batch) > 0
		c.mu.Unlock()
		if len(batch) == 0 {
			return
		}
		list := make([]state.Click, len(batch))
		for i := range batch {
			list[i] = batch[i].Click
		}
		// No request's context: the batch is of many.
		err := c.s.opt.Store.Click(context.Background(), list)
		c.s.stateFault(err)
		if err != nil {
			c.s.metrics.clicksLost.Add(float64(len(batch)))
		}
		for i := range batch {
			if batch[i].done != nil {
				close(batch[i].done)
			}
		}
	}
}
