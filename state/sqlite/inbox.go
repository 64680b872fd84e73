package sqlite

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
	"zombiezen.com/go/sqlite"
)

// appender gathers the webhooks that come while a commit is under way, and
// writes them in one commit after it. A sync of the disk takes milliseconds, so
// that hundreds of webhooks a second would wait for each other otherwise.
type appender struct {
	mu      sync.Mutex    // guards the two below
	busy    bool          // somebody leads
	waiting []*appendCall // for the next commit
}

// appendCall is one call of Append that waits. The caller whose done gets false
// makes the next commit.
type appendCall struct {
	in   []state.Inbox // what it brings
	new  []bool        // the answer, as of Append
	err  error         // of the commit
	done chan bool     // false hands the lead over
}

// Append accepts webhook bodies durably: when it returns nil, they are on the
// disk. For each it says whether it is new; a repetition of a body within 45
// days is not stored again. Calls that come together share a commit.
func (s *Store) Append(ctx context.Context, in []state.Inbox) ([]bool, error) {
	call := &appendCall{in: in, done: make(chan bool, 1)}
	a := &s.inbox
	a.mu.Lock()
	a.waiting = append(a.waiting, call)
	lead := !a.busy
	a.busy = true
	a.mu.Unlock()
	if lead || !<-call.done {
		s.lead(ctx)
		<-call.done
	}
	if call.err != nil {
		return nil, fmt.Errorf("accepting %d webhooks: %w", len(in), call.err)
	}
	return call.new, nil
}

// lead commits the webhooks of all calls that wait, and then makes one of the
// calls that came meanwhile lead. The end of this caller's context does not end
// the commit, which is for others too.
func (s *Store) lead(ctx context.Context) {
	a := &s.inbox
	a.mu.Lock()
	calls := a.waiting
	a.waiting = nil
	a.mu.Unlock()
	err := s.write(context.WithoutCancel(ctx), func(t *tx) error {
		for _, c := range calls {
			var err error
			if c.new, err = t.appendAll(c.in); err != nil {
				return err
			}
		}
		return nil
	})
	for _, c := range calls {
		c.err = err
		c.done <- true
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.waiting) == 0 {
		a.busy = false
		return
	}
	a.waiting[0].done <- false
}

// appendAll accepts the bodies of one call.
func (t *tx) appendAll(in []state.Inbox) ([]bool, error) {
	out := make([]bool, len(in))
	for i := range in {
		var err error
		if out[i], err = t.append(&in[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// append accepts one body and reports whether it is new. Its hash stays in seen
// after it was joined, until Prune.
func (t *tx) append(in *state.Inbox) (bool, error) {
	provider, err := t.address(in.Provider)
	if err != nil {
		return false, err
	}
	sum := sha256.Sum256(in.Raw)
	if _, ok, err := t.c.queryInt("SELECT 1 FROM seen WHERE hash = ? AND provider = ?", sum[:16], provider); err != nil || ok {
		return false, err
	}
	events, err := json.Marshal(in.Events)
	if err != nil {
		return false, err
	}
	received := state.Millis(in.Received)
	w := t.insert(tSeen, 0)
	w.int(provider)
	w.blob(sum[:16])
	w.int(received)
	if _, err := w.done(); err != nil {
		return false, err
	}
	w = t.insert(tInbox, 0)
	w.int(provider)
	w.int(received)
	w.blob(in.Raw)
	w.blob(events)
	_, err = w.done()
	return true, err
}

// inboxRow is a body that waits to be folded.
type inboxRow struct {
	id, provider, received int64           // provider is the integer of its address
	raw                    []byte          // the body, as it came
	events                 []message.Event // what it was decoded to
}

// Fold joins the oldest accepted bodies, up to limit, in one transaction, and
// returns how many there were. A body whose events are joined is removed; one
// without events is kept as a notice. After a crash the same bodies fold again,
// with the same result.
func (s *Store) Fold(ctx context.Context, limit int) (int, error) {
	waiting := false
	err := s.read(ctx, func(c *conn) error {
		any, _, err := c.queryInt("SELECT EXISTS (SELECT 1 FROM inbox)")
		waiting = any == 1
		return err
	})
	if err != nil || !waiting {
		return 0, err
	}
	n := 0
	err = s.write(ctx, func(t *tx) (err error) {
		n, err = t.fold(limit)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("joining accepted webhooks: %w", err)
	}
	return n, nil
}

// fold joins the oldest accepted bodies inside a transaction.
func (t *tx) fold(limit int) (int, error) {
	rows, err := t.inboxRows(limit)
	if err != nil {
		return 0, err
	}
	for i := range rows {
		r := &rows[i]
		if len(r.events) == 0 {
			r.events = []message.Event{{Kind: message.EventOther, Reason: "nothing in it was understood", Raw: r.raw}}
		}
		for j := range r.events {
			if err := t.event(r.provider, r.received, &r.events[j], state.ProofEcho); err != nil {
				return 0, err
			}
		}
		if err := t.remove(tInbox, r.id); err != nil {
			return 0, err
		}
	}
	return len(rows), nil
}

// inboxRows reads the oldest accepted bodies.
func (t *tx) inboxRows(limit int) ([]inboxRow, error) {
	var rows []inboxRow
	err := t.c.each("SELECT id, provider, received, raw, events FROM inbox ORDER BY id LIMIT ?", func(st *sqlite.Stmt) error {
		r := inboxRow{id: st.ColumnInt64(0), provider: st.ColumnInt64(1), received: st.ColumnInt64(2), raw: columnBlob(st, 3)}
		if err := json.Unmarshal(columnBlob(st, 4), &r.events); err != nil {
			return fmt.Errorf("%w: the events of a webhook: %w", state.ErrDamaged, err)
		}
		rows = append(rows, r)
		return nil
	}, limit)
	return rows, err
}

// Waiting is how many accepted bodies are not folded, and how many inbound
// events no rule has answered.
func (s *Store) Waiting(ctx context.Context) (inbox, inbound int, err error) {
	err = s.read(ctx, func(c *conn) error {
		a, _, err := c.queryInt("SELECT count(*) FROM inbox")
		if err != nil {
			return err
		}
		b, _, err := c.queryInt("SELECT count(*) FROM inbound WHERE state < 2")
		inbox, inbound = int(a), int(b)
		return err
	})
	return inbox, inbound, err
}
