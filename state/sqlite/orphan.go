package sqlite

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
	"zombiezen.com/go/sqlite"
)

// orphan keeps an event about a message that is not known, or not yet: a status
// may overtake the answer that tells the message's id. Equal events are kept
// once.
func (t *tx) orphan(provider, received int64, about string, ev *message.Event) error {
	if erased, err := t.s.isErased(t.c, ev.From.Key()); err != nil || erased {
		return err
	}
	text, err := json.Marshal(ev)
	if err != nil {
		return err
	}
	return t.putOrphan(provider, received, about, text)
}

// putOrphan writes an event that waits, unless the same one does.
func (t *tx) putOrphan(provider, received int64, about string, text []byte) error {
	digest := sha256.Sum256(text)
	if _, ok, err := t.c.queryInt("SELECT 1 FROM orphans WHERE digest = ?", digest[:16]); err != nil || ok {
		return err
	}
	w := t.insert(tOrphans, 0)
	w.int(provider)
	w.int(received)
	w.int(hash48(about))
	w.blob(digest[:16])
	w.blob(text)
	_, err := w.done()
	return err
}

// orphanRow is an event that waits.
type orphanRow struct {
	id, provider, received int64         // of the row
	event                  message.Event // what came
}

// adopt joins the events that waited for a provider's id.
func (t *tx) adopt(id string) error {
	var rows []orphanRow
	err := t.c.each("SELECT id, provider, received, event FROM orphans WHERE hash = ?", func(st *sqlite.Stmt) error {
		o := orphanRow{id: st.ColumnInt64(0), provider: st.ColumnInt64(1), received: st.ColumnInt64(2)}
		if err := json.Unmarshal(columnBlob(st, 3), &o.event); err != nil {
			return fmt.Errorf("%w: an event that waits: %w", state.ErrDamaged, err)
		}
		rows = append(rows, o)
		return nil
	}, hash48(id))
	if err != nil {
		return err
	}
	for i := range rows {
		if err := t.adoptOne(&rows[i], id); err != nil {
			return err
		}
	}
	return nil
}

// adoptOne joins one event, where it is really about the id and not only about
// its hash.
func (t *tx) adoptOne(o *orphanRow, id string) error {
	if aboutOf(&o.event) != id {
		return nil // another id with the same hash
	}
	// Its own reference says whose it is, also where an id is another's too.
	attempt, err := t.attemptOf(o.event.Ref, id)
	if err != nil || attempt == 0 {
		return err
	}
	if err := t.remove(tOrphans, o.id); err != nil {
		return err
	}
	if o.event.Kind == message.EventInbound {
		return t.replied(attempt, &o.event, o.received, inboundHash(o.provider, &o.event))
	}
	return t.joinStatus(attempt, o.provider, o.received, &o.event, state.ProofEcho)
}

// aboutOf is the provider's id of the message that an event is about.
func aboutOf(ev *message.Event) string {
	if ev.Kind == message.EventInbound {
		return ev.ContextID
	}
	return ev.ID
}
