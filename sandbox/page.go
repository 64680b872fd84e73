package sandbox

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"strings"
)

//go:embed web
var web embed.FS

// shown is how many phones the page shows unless its URL names some.
const shown = 4

// page holds the parsed phone page.
type page struct{ tmpl *template.Template }

func newPage() page {
	return page{template.Must(template.ParseFS(web, "web/page.html"))}
}

// policy lets the page load only its own resources.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func (s *Sandbox) routePage(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", s.servePage)
	mux.HandleFunc("GET /_sandbox/chats", s.serveChats)
	mux.HandleFunc("GET /_sandbox/account", s.serveAccount)
	for name, typ := range map[string]string{"page.css": "text/css; charset=utf-8", "page.js": "text/javascript; charset=utf-8"} {
		body, err := web.ReadFile("web/" + name)
		if err != nil {
			panic(err) // it is compiled in
		}
		mux.HandleFunc("GET /_sandbox/web/"+name, func(w http.ResponseWriter, _ *http.Request) {
			answer{status: http.StatusOK, typ: typ, body: body}.write(w)
		})
	}
}

type pageView struct {
	Phones    []phoneView
	Providers []Provider
	Pinned    bool
	Account   accountView
}

func (s *Sandbox) servePage(w http.ResponseWriter, r *http.Request) {
	phones, pinned := s.phones(r)
	html, err := s.render("page", pageView{phones, Providers(), pinned, s.account()})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	answer{status: http.StatusOK, typ: "text/html; charset=utf-8", body: html}.write(w)
}

// serveChats gives the page's script the current bubbles, drawn by the same
// templates as the page, and their ticks.
func (s *Sandbox) serveChats(w http.ResponseWriter, r *http.Request) {
	phones, _ := s.phones(r)
	type bubbleJSON struct {
		ID   string `json:"id"`
		HTML string `json:"html"`
		Tick string `json:"tick"`
		Word string `json:"word"`
	}
	type chatJSON struct {
		Key     string       `json:"key"`
		Bubbles []bubbleJSON `json:"bubbles"`
	}
	out := []chatJSON{}
	for _, p := range phones {
		c := chatJSON{Key: p.Key, Bubbles: []bubbleJSON{}}
		for _, b := range p.Bubbles {
			html, err := s.render("bubble", b)
			if err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			c.Bubbles = append(c.Bubbles, bubbleJSON{b.ID, string(html), b.Tick, b.Word})
		}
		out = append(out, c)
	}
	a := jsonAnswer(http.StatusOK, out)
	w.Header().Set("Cache-Control", "no-store")
	a.write(w)
}

func (s *Sandbox) render(name string, data any) ([]byte, error) {
	var b bytes.Buffer
	if err := s.page.tmpl.ExecuteTemplate(&b, name, data); err != nil {
		return nil, fmt.Errorf("sandbox page: %w", err)
	}
	return b.Bytes(), nil
}

// phones returns the phones that the URL names with chat=PROVIDER/NUMBER/USER, or
// the most recently used ones.
func (s *Sandbox) phones(r *http.Request) (phones []phoneView, pinned bool) {
	now := s.opt.Clock()
	for _, key := range r.URL.Query()["chat"] {
		parts := strings.SplitN(key, "/", 3)
		if len(parts) != 3 || (Inbound{Provider: Provider(parts[0]), Number: parts[1], From: parts[2], Type: "stop"}).check(userKey(parts[2])) != nil {
			continue
		}
		num := s.number(Provider(parts[0]), parts[1])
		phones = append(phones, s.phone(s.chats.one(num, userKey(parts[2])), now))
	}
	if len(phones) > 0 {
		return phones, true
	}
	for _, c := range s.chats.latest(shown) {
		phones = append(phones, s.phone(c, now))
	}
	return phones, false
}
