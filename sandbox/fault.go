package sandbox

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"
)

// misanswer returns the verdict with the HTTP status that the client will see,
// for the ledger.
func (s *Sandbox) misanswer(v verdict) verdict {
	if v.rule == nil {
		return v
	}
	switch v.rule.Behaviour {
	case ResetBeforeRead, ResetAfterRead, Silence:
		v.answer.status = 0
	case HTTP500:
		v.answer.status = http.StatusInternalServerError
	case HTML502:
		v.answer.status = http.StatusBadGateway
	case Redirect307:
		v.answer.status = http.StatusTemporaryRedirect
	}
	return v
}

// misbehave answers according to the rule's behaviour.
func (s *Sandbox) misbehave(w http.ResponseWriter, r *http.Request, v verdict) {
	switch v.rule.Behaviour {
	case ResetBeforeRead, ResetAfterRead:
		reset(w)
	case Silence:
		select {
		case <-r.Context().Done():
		case <-s.closed:
		}
		reset(w)
	case HTTP500:
		answer{status: http.StatusInternalServerError, typ: "text/plain; charset=utf-8"}.write(w)
	case HTML502:
		answer{status: http.StatusBadGateway, typ: "text/html", body: []byte("<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center><hr><center>nginx</center></body></html>")}.write(w)
	case Redirect307:
		w.Header().Set("Location", r.URL.Path+"?moved=1")
		answer{status: http.StatusTemporaryRedirect, typ: "text/plain; charset=utf-8"}.write(w)
	case HalfBody:
		halfBody(w, v.answer)
	case Garbage200:
		answer{status: http.StatusOK, body: []byte("\x00\x01{\"messages\":[{\"id\":")}.write(w)
	case Slow:
		s.trickle(w, r, v)
	case Gzip:
		zipped(w, v.answer)
	case Oversize:
		oversize(w, v.answer)
	default: // no_id_200, held, queued: the answer already has that form
		v.answer.write(w)
	}
}

// hijack takes the connection away from the server.
func hijack(w http.ResponseWriter) net.Conn {
	h, ok := w.(http.Hijacker)
	if !ok {
		panic(http.ErrAbortHandler)
	}
	conn, _, err := h.Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	return conn
}

// reset ends the connection with a TCP reset. An error only means that the
// client closed it first.
func reset(w http.ResponseWriter) {
	conn := hijack(w)
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

func halfBody(w http.ResponseWriter, a answer) {
	conn := hijack(w)
	_, _ = fmt.Fprintf(conn, "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		a.status, http.StatusText(a.status), len(a.body), a.body[:len(a.body)/2])
	_ = conn.Close()
}

func (s *Sandbox) trickle(w http.ResponseWriter, r *http.Request, v verdict) {
	whole := time.Duration(v.rule.DelayMS) * time.Millisecond
	if whole == 0 {
		whole = time.Second
	}
	const parts = 10
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(v.answer.body)))
	w.WriteHeader(v.answer.status)
	rest := v.answer.body
	for i := range parts {
		k := len(rest) / (parts - i)
		if _, err := w.Write(rest[:k]); err != nil {
			return
		}
		rest = rest[k:]
		if f, ok := w.(http.Flusher); ok {
			f.Flush()
		}
		select {
		case <-time.After(whole / parts):
		case <-r.Context().Done():
			return
		case <-s.closed:
			return
		}
	}
}

func zipped(w http.ResponseWriter, a answer) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	// Writing to a buffer can't fail.
	_, _ = z.Write(a.body)
	_ = z.Close()
	a.body = b.Bytes()
	w.Header().Set("Content-Encoding", "gzip")
	a.write(w)
}

// oversize pads a JSON object to 2 MiB.
func oversize(w http.ResponseWriter, a answer) {
	pad := bytes.Repeat([]byte("x"), 2<<20)
	a.body = append(append([]byte(`{"padding":"`), pad...), append([]byte(`",`), a.body[1:]...)...)
	a.write(w)
}
