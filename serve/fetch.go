package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/handbill/handbill/internal/guarded"
	"github.com/handbill/handbill/reply"
)

const (
	// maxAnswer bounds what a lookup may answer, in bytes.
	maxAnswer = 1 << 20
	// maxFetch bounds a request to a service of the user's own.
	maxFetch = 10 * time.Second
)

// fetch makes a lookup's request. Its errors hold neither the URL, which may
// hold what a person wrote, nor a header.
func (s *Server) fetch(ctx context.Context, q reply.Request, timeout time.Duration) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var body io.Reader
	if q.Body != "" {
		body = strings.NewReader(q.Body)
	}
	r, err := http.NewRequestWithContext(ctx, q.Method, q.URL, body)
	if err != nil {
		return nil, errors.New("its address is no URL")
	}
	r.Header.Set("Accept", "application/json")
	if q.Body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for k, v := range q.Headers {
		r.Header.Set(k, v)
	}
	return s.do(r, maxAnswer)
}

// do makes a request and reads up to limit bytes of a 2xx answer.
func (s *Server) do(r *http.Request, limit int64) ([]byte, error) {
	r.Header.Set("User-Agent", strings.TrimSuffix("handbill/"+s.opt.Build.Version, "/"))
	r.GetBody = nil // so that net/http never repeats the request
	resp, err := s.client.Do(r)
	if err != nil {
		return nil, guarded.Cause(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return nil, &statusError{code: resp.StatusCode}
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	switch {
	case err != nil:
		return nil, errors.New("its answer broke off")
	case int64(len(data)) > limit:
		return nil, fmt.Errorf("its answer has more than %d bytes", limit)
	}
	return data, nil
}

// statusError is an answer that is not 2xx. Its body is dropped: it may hold
// anything.
type statusError struct{ code int }

func (e *statusError) Error() string { return fmt.Sprintf("it answered with status %d", e.code) }
