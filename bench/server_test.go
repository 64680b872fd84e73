package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"
)

// served is what the server has received since the last report.
type served struct {
	N       int
	Seconds float64 // from the first to the last arrival
	Most    int     // in any one second
}

func (s served) rate() float64 { return float64(s.N-1) / max(s.Seconds, 1e-9) }

// serveRole is the server that accepts every message after a delay. Arguments: the
// delay. It first writes its address, and ends when its input ends.
func serveRole(args []string) (any, error) {
	delay, err := time.ParseDuration(args[0])
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	fmt.Printf("%q\n", "http://"+listener.Addr().String())
	s := &server{delay: delay}
	go http.Serve(listener, s) //nolint:errcheck // it ends with the process
	_, err = io.Copy(io.Discard, os.Stdin)
	return nil, err
}

type server struct {
	delay time.Duration
	mu    sync.Mutex
	times []int64 // arrivals in nanoseconds
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		s.report(w)
		return
	}
	arrived := time.Now().UnixNano()
	s.mu.Lock()
	s.times = append(s.times, arrived)
	n := len(s.times)
	s.mu.Unlock()
	_, err := io.Copy(io.Discard, r.Body)
	if err != nil {
		http.Error(w, "cannot read", http.StatusBadRequest)
		return
	}
	if s.delay > 0 {
		time.Sleep(s.delay)
	}
	w.Header().Set("Content-Type", "application/json")
	answer := append(make([]byte, 0, 160), `{"messaging_product":"whatsapp","messages":[{"id":"wamid.`...)
	answer = strconv.AppendInt(answer, arrived, 36)
	answer = strconv.AppendInt(append(answer, '.'), int64(n), 36)
	w.Write(append(answer, `"}]}`...))
}

// report answers with what was served, and resets it.
func (s *server) report(w http.ResponseWriter) {
	s.mu.Lock()
	times := s.times
	s.times = nil
	s.mu.Unlock()
	slices.Sort(times)
	out := served{N: len(times)}
	if len(times) > 0 {
		out.Seconds = float64(times[len(times)-1]-times[0]) / 1e9
	}
	first := 0
	for i, t := range times {
		for t-times[first] >= int64(time.Second) {
			first++
		}
		out.Most = max(out.Most, i-first+1)
	}
	json.NewEncoder(w).Encode(out)
}

// ask fetches the report of the server at url.
func ask(url string) (served, error) {
	answer, err := http.Get(url + "/report")
	if err != nil {
		return served{}, err
	}
	defer answer.Body.Close()
	var out served
	return out, json.NewDecoder(answer.Body).Decode(&out)
}
