package sandbox

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
)

// routeControl serves the sandbox's own paths: the ledger and the phone.
func (s *Sandbox) routeControl(mux *http.ServeMux) {
	mux.HandleFunc("GET /_sandbox/ledger", s.serveLedger)
	mux.HandleFunc("GET /_sandbox/rates", func(w http.ResponseWriter, _ *http.Request) {
		jsonAnswer(http.StatusOK, s.Rates()).write(w)
	})
	mux.HandleFunc("GET /_sandbox/totals", func(w http.ResponseWriter, _ *http.Request) {
		jsonAnswer(http.StatusOK, s.Totals()).write(w)
	})
	mux.HandleFunc("POST /_sandbox/inbound", s.serveInbound)
	mux.HandleFunc("GET /_sandbox/templates", func(w http.ResponseWriter, _ *http.Request) {
		jsonAnswer(http.StatusOK, s.Templates()).write(w)
	})
	mux.HandleFunc("POST /_sandbox/templates", s.serveTemplate)
	mux.HandleFunc("GET /_sandbox/products", func(w http.ResponseWriter, r *http.Request) {
		jsonAnswer(http.StatusOK, s.Products(r.URL.Query().Get("catalog"))).write(w)
	})
	mux.HandleFunc("POST /_sandbox/products", s.serveProduct)
	mux.HandleFunc("GET /_sandbox/singletons", func(w http.ResponseWriter, _ *http.Request) {
		jsonAnswer(http.StatusOK, s.Singletons()).write(w)
	})
	mux.HandleFunc("POST /_sandbox/singletons", s.serveSingleton)
}

func (s *Sandbox) serveLedger(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/x-ndjson")
	out := bufio.NewWriterSize(w, 64<<10)
	enc := json.NewEncoder(out)
	s.Ledger(func(e Entry) bool { return enc.Encode(e) == nil })
	// An error means that the client has gone away.
	_ = out.Flush()
}

// serveInbound acts as a phone.
func (s *Sandbox) serveInbound(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Content-Type") != "application/json" {
		forbid(w, "post application/json")
		return
	}
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		jsonAnswer(http.StatusRequestEntityTooLarge, map[string]string{"error": "the body is too large"}).write(w)
		return
	}
	var in Inbound
	if r := strict(b, &in, "inbound"); r != nil {
		jsonAnswer(http.StatusBadRequest, map[string]string{"error": r.text()}).write(w)
		return
	}
	id, err := s.Inbound(in)
	if err != nil {
		jsonAnswer(http.StatusBadRequest, map[string]string{"error": err.Error()}).write(w)
		return
	}
	jsonAnswer(http.StatusOK, map[string]string{"id": id}).write(w)
}
