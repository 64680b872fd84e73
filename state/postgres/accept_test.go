package postgres

import (
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/handbill/handbill/internal/pgtest"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// TestWebhooksShareACommit checks that webhooks that come while others are committed
// are accepted together, each once.
func TestWebhooksShareACommit(t *testing.T) {
	s := create(t, pgtest.Shared(t))
	accept := func(raw string) (bool, error) {
		out, err := s.Append(t.Context(), []state.Inbox{{Provider: number, Received: noon, Raw: []byte(raw), Events: []message.Event{{Kind: message.EventOther}}}})
		return err == nil && out[0], err
	}
	bodies := []string{"x", "y"}
	for i := range 10 {
		bodies = append(bodies, fmt.Sprint("body ", i))
	}
	var all sync.WaitGroup
	// Somebody else is accepting the first two bodies, so both transactions wait.
	err := s.once(t.Context(), func(c *pgx.Conn) error {
		if err := s.begin(t.Context(), c, beginWrite, idleRead); err != nil {
			return err
		}
		if _, err := c.Exec(t.Context(), "INSERT INTO seen SELECT substr(sha256(b::bytea), 1, 16), $1, 1 FROM unnest(ARRAY['x', 'y']) b", number); err != nil {
			return err
		}
		for i, raw := range bodies {
			all.Go(func() {
				if ok, err := accept(raw); !ok || err != nil {
					t.Errorf("%s: new %v, %v", raw, ok, err)
				}
			})
			for waits := false; !waits; runtime.Gosched() {
				s.accepting.mu.Lock()
				waits = s.accepting.running == min(i+1, acceptors) && len(s.accepting.waiting) == max(i+1-acceptors, 0)
				s.accepting.mu.Unlock()
			}
		}
		_, err := c.Exec(t.Context(), "rollback", pgx.QueryExecModeSimpleProtocol)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	all.Wait()
	kept, commits := 0, 0
	if err := s.read(t.Context(), func(t *tx) error {
		t.one("SELECT count(*), count(DISTINCT xmin::text) FROM inbox", nil, &kept, &commits)
		return nil
	}); err != nil || kept != len(bodies) || commits != 3 {
		t.Errorf("%d webhooks are kept, of %d commits, %v", kept, commits, err)
	}
	if ok, err := accept("body 3"); ok || err != nil {
		t.Errorf("a second time: new %v, %v", ok, err)
	}
}
