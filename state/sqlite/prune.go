package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/handbill/handbill/state"
	"zombiezen.com/go/sqlite"
)

// keepEvents is how long repeated and late events are expected: WhatsApp keeps a
// message for 30 days and repeats a webhook for 7.
// Source: Meta, webhooks overview, read 2026-09-11.
const keepEvents = 45 * 24 * time.Hour

// pruneSpan is how many ids one transaction of Prune goes through. Other writers,
// such as webhooks, wait that long.
const pruneSpan = 4096

// Prune implements state.Store. Orphans and hashes of known bodies older than 45
// days go too. It works in steps, so that others can write meanwhile, and gives
// the space back to the disk when half of the file is free.
func (s *Store) Prune(ctx context.Context, before time.Time) (n int, err error) {
	events := before
	if latest := s.opt.Clock().Add(-keepEvents); latest.Before(events) {
		events = latest
	}
	// Revisions keep to the 45 days as well: late events name their attempts.
	old, err := s.oldRevisions(ctx, state.Millis(events))
	old = append([]pruned{
		{tInbound, "state = 2 AND received < ?", []any{state.Millis(events)}},
		{tNotices, "at < ?", []any{state.Millis(before)}},
		{tOrphans, "received < ?", []any{state.Millis(events)}},
		{tSeen, "received < ?", []any{state.Millis(events)}},
	}, old...)
	for i := range old {
		if err != nil {
			break
		}
		var gone int
		gone, err = s.prune(ctx, &old[i])
		n += gone
	}
	if err == nil {
		err = s.shrink(ctx)
	}
	if err != nil {
		return n, fmt.Errorf("pruning the state: %w", err)
	}
	return n, nil
}

// pruned names rows to remove: those of a table that a condition selects. With an
// attempt goes what is kept under its id.
type pruned struct {
	table table  // whose rows go
	where string // an SQL condition
	args  []any  // of the condition
}

// oldRevisions are the attempts before a moment of campaigns that have a newer
// revision.
func (s *Store) oldRevisions(ctx context.Context, before int64) (out []pruned, err error) {
	err = s.read(ctx, func(c *conn) error {
		return c.each("SELECT campaign, max(revision) FROM attempts GROUP BY campaign HAVING max(revision) > min(revision)", func(st *sqlite.Stmt) error {
			out = append(out, pruned{tAttempts, "campaign = ? AND revision < ? AND intended < ? AND " + ofCampaigns, []any{st.ColumnInt64(0), st.ColumnInt64(1), before}})
			return nil
		})
	})
	return out, err
}

// prune removes rows, pruneSpan ids in a transaction.
func (s *Store) prune(ctx context.Context, p *pruned) (n int, err error) {
	var last int64
	err = s.read(ctx, func(c *conn) (err error) {
		last, _, err = c.queryInt("SELECT coalesce(max(id), 0) FROM " + p.table.String())
		return err
	})
	for from := int64(1); err == nil && from <= last; {
		// Skip the ids that stay, without a write transaction.
		err = s.read(ctx, func(c *conn) error {
			first, found, err := c.queryInt("SELECT id FROM "+p.table.String()+" WHERE id >= ? AND "+p.where+" ORDER BY id LIMIT 1", append([]any{from}, p.args...)...)
			if from = first; !found {
				from = last + 1
			}
			return err
		})
		if err != nil || from > last {
			break
		}
		where, args := "id BETWEEN ? AND ? AND "+p.where, append([]any{from, from + pruneSpan - 1}, p.args...)
		gone := 0
		err = s.write(ctx, func(t *tx) (err error) {
			if p.table == tAttempts {
				gone, err = t.removeAttempts(where, args...)
				return err
			}
			gone, err = t.removeWhere(p.table, where, args...)
			return err
		})
		n += gone
		from += pruneSpan
	}
	return n, err
}

// shrink makes the file smaller when half of it is free.
func (s *Store) shrink(ctx context.Context) error {
	if err := s.acquire(ctx); err != nil {
		return err
	}
	defer s.release()
	free, _, err := s.writer.queryInt("PRAGMA freelist_count")
	if err != nil {
		return err
	}
	all, _, err := s.writer.queryInt("PRAGMA page_count")
	if err != nil || free*2 < all {
		return err
	}
	// A process that writes now goes first; SQLite uses free space again anyway.
	if err := s.writer.script("VACUUM"); err != nil && sqlite.ErrCode(err).ToPrimary() != sqlite.ResultBusy {
		return describe(err)
	}
	return nil
}

// removeAttempts deletes the attempts that a condition selects, with outcomes,
// statuses, prices, choices and links. It fails when one of them is open.
func (t *tx) removeAttempts(where string, args ...any) (int, error) {
	open, _, err := t.c.queryInt("SELECT EXISTS (SELECT 1 FROM attempts WHERE "+where+" AND NOT EXISTS (SELECT 1 FROM outcomes o WHERE o.id = attempts.id))", args...)
	if err != nil {
		return 0, err
	}
	if open == 1 {
		return 0, errors.New("something of it is being sent; wait for the apply, or run one after a crash")
	}
	those := " (SELECT id FROM attempts WHERE " + where + ")"
	if err := t.unfind("attempt IN"+those, args...); err != nil {
		return 0, err
	}
	for _, tab := range [...]table{tStatuses, tBillings, tChoices, tSuperseded, tOutcomes} {
		if _, err := t.removeWhere(tab, "id IN"+those, args...); err != nil {
			return 0, err
		}
	}
	if _, err := t.removeWhere(tLinks, "attempt IN"+those, args...); err != nil {
		return 0, err
	}
	if _, err := t.removeWhere(tBlocks, "EXISTS (SELECT 1 FROM attempts a WHERE a.id BETWEEN sheets.id AND sheets.last AND a.id IN"+those+")", args...); err != nil {
		return 0, err
	}
	return t.removeWhere(tAttempts, where, args...)
}

// unfind keeps the findings about attempts that are removed, but not their ids:
// another attempt may get the same.
func (t *tx) unfind(where string, args ...any) error {
	type finding struct {
		id, at       int64
		kind, detail string
	}
	var list []finding
	err := t.c.each("SELECT id, at, kind, detail FROM findings WHERE "+where, func(st *sqlite.Stmt) error {
		list = append(list, finding{st.ColumnInt64(0), st.ColumnInt64(1), st.ColumnText(2), st.ColumnText(3)})
		return nil
	}, args...)
	for i := 0; err == nil && i < len(list); i++ {
		w := t.replace(tFindings, list[i].id)
		w.int(list[i].at)
		w.text(list[i].kind)
		w.int(-list[i].id) // no attempt has it, and no other finding
		w.text(list[i].detail)
		_, err = w.done()
	}
	return err
}

// removeWhere deletes the rows that a condition selects with one statement, and
// takes them out of the ledger.
func (t *tx) removeWhere(tab table, where string, args ...any) (int, error) {
	var rows, sum int64
	// The sum of many checksums has more than 64 bits.
	err := t.c.each("SELECT count(*), sum(sum >> 24), sum(sum & 16777215) FROM "+tab.String()+" WHERE "+where, func(st *sqlite.Stmt) error {
		rows = st.ColumnInt64(0)
		sum = st.ColumnInt64(1)<<24 + st.ColumnInt64(2) // its low 48 bits count
		return nil
	}, args...)
	if err != nil || rows == 0 {
		return 0, err
	}
	t.count(tab, -rows, -sum)
	return int(rows), t.c.exec("DELETE FROM "+tab.String()+" WHERE "+where, args...)
}
