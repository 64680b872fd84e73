package sqlite

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/handbill/handbill/state"
)

// importBatch is how many deliveries one transaction takes over.
const importBatch = 500

// Import takes over deliveries that were made elsewhere, as accepted, so that
// they are not made again. Those that the state knows already are left as they
// are. It returns how many were added; after an error, those before it are in.
func (s *Store) Import(ctx context.Context, ds iter.Seq2[state.Delivery, error]) (added int, err error) {
	batch := make([]state.Delivery, 0, importBatch)
	flush := func() error {
		n, err := s.importSome(ctx, batch)
		added += n
		batch = batch[:0]
		return err
	}
	for d, err := range ds {
		if err != nil {
			return added, errors.Join(err, flush())
		}
		if batch = append(batch, d); len(batch) == importBatch {
			if err := flush(); err != nil {
				return added, err
			}
		}
	}
	if err := flush(); err != nil {
		return added, err
	}
	var last int64
	err = s.write(ctx, func(t *tx) (err error) {
		last, _, err = t.c.queryInt("SELECT coalesce(max(id), 0) FROM attempts")
		if err != nil {
			return err
		}
		return t.decided("", fmt.Sprintf("imported %d deliveries", added), "")
	})
	if err == nil && added > 0 {
		s.packSince(ctx, last-int64(added))
	}
	return added, err
}

// importSome adds a batch in one transaction, and returns how many were new.
func (s *Store) importSome(ctx context.Context, batch []state.Delivery) (n int, err error) {
	err = s.write(ctx, func(t *tx) error {
		n = 0
		for i := range batch {
			ok, err := t.importOne(&batch[i])
			if err != nil {
				return err
			}
			if ok {
				n++
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("importing deliveries: %w", err)
	}
	return n, nil
}

// importOne adds a delivery as an accepted attempt in the lane of imports, and
// reports false where the state knows the delivery.
func (t *tx) importOne(d *state.Delivery) (bool, error) {
	_, err := t.attemptAt(d.Key)
	if !errors.Is(err, state.ErrUnknown) {
		return false, err
	}
	campaign, err := t.address(d.Campaign)
	if err != nil {
		return false, err
	}
	text, err := t.address(d.Message)
	if err != nil {
		return false, err
	}
	who, err := t.recipient(d.Recipient)
	if err != nil {
		return false, err
	}
	at := state.Millis(d.Settled)
	// A file need not say when its messages were sent.
	if at == 0 {
		at = t.now
	}
	w := t.insert(tAttempts, 0)
	w.int(who)
	w.int(campaign)
	w.int(int64(d.Revision))
	w.int(1)
	w.int(laneImport)
	w.int(text)
	w.int(at)
	w.blob(d.Digest[:])
	w.blob(make([]byte, 16))
	w.packed(packRef(t.s.refHead, d.Ref))
	id, err := w.done()
	if err != nil {
		return false, err
	}
	o := outcomeRow{id: id, send: state.Accepted, proof: state.ProofOperator, settled: at, cause: "import", hash: hash48(d.ID), sentID: packID(d.ID)}
	return true, t.accept(&o, false, d.ID)
}
