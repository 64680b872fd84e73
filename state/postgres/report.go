package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"time"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// Put implements state.Store.
func (s *Store) Put(ctx context.Context, name string, data []byte) error {
	return s.PutAll(ctx, map[string][]byte{name: data})
}

// PutAll implements state.Store.
func (s *Store) PutAll(ctx context.Context, blobs map[string][]byte) error {
	return s.write(ctx, func(t *tx) error { t.putBlobs(blobs); return nil })
}

// Get implements state.Store.
func (s *Store) Get(ctx context.Context, name string) (data []byte, err error) {
	err = s.read(ctx, func(t *tx) error { data = t.blob(name); return nil })
	return data, err
}

func (t *tx) blob(name string) (data []byte) {
	t.one("SELECT data FROM blobs WHERE name = $1", args(name), &data)
	return data
}

// Blobs implements state.Store.
func (s *Store) Blobs(ctx context.Context, prefix string) (out map[string][]byte, err error) {
	err = s.read(ctx, func(t *tx) error {
		out = map[string][]byte{}
		var name string
		var data []byte
		t.each("SELECT name, data FROM blobs WHERE starts_with(name, $1)", args(prefix), []any{&name, &data}, func() error {
			out[name] = data
			data = nil
			return nil
		})
		return nil
	})
	return out, err
}

// Runs implements state.Store.
func (s *Store) Runs(ctx context.Context) (out []state.Run, err error) {
	err = s.read(ctx, func(t *tx) error { out = t.runs(); return nil })
	return out, err
}

func (t *tx) runs() (out []state.Run) {
	var data []byte
	t.each("SELECT data FROM runs ORDER BY id", nil, []any{&data}, func() error {
		var r state.Run
		if err := json.Unmarshal(data, &r); err != nil {
			return fmt.Errorf("%w: a run: %w", state.ErrDamaged, err)
		}
		out = append(out, r)
		return nil
	})
	return out
}

// newestOnly chooses the newest attempt of each delivery, which stands for it. OFFSET
// keeps the planner from making a join of it: where it has no statistics of a campaign
// yet, because its rows are new, it takes them for a handful, and compares each of
// them with each.
const newestOnly = "NOT EXISTS (SELECT FROM attempts n WHERE n.campaign = a.campaign AND n.revision = a.revision AND n.person = a.person AND n.attempt > a.attempt OFFSET 0)"

// Funnel implements state.Store.
func (s *Store) Funnel(ctx context.Context, campaign string) (out []state.FunnelRow, err error) {
	err = s.read(ctx, func(t *tx) error { out = t.funnel("($1 = '' OR a.campaign = $1)", campaign); return nil })
	return out, err
}

func (t *tx) funnel(where string, a ...any) (out []state.FunnelRow) {
	const sql = `SELECT campaign, revision, send, rank, failed, CASE WHEN failed THEN fail_code WHEN send <> $%d THEN code ELSE '' END,
			CASE WHEN failed THEN fail_title WHEN send <> $%[1]d THEN title ELSE '' END, replied, billable, category, model, type, clicked, count(*)
		FROM (SELECT a.campaign, a.revision, coalesce(o.send, $%d) AS send, coalesce(s.rank, 0) AS rank, coalesce(s.failed_at <> 0 AND s.rank < $%d, false) AS failed,
			coalesce(s.fail_code, '') AS fail_code, coalesce(s.fail_title, '') AS fail_title, coalesce(o.code, '') AS code, coalesce(o.title, '') AS title,
			coalesce(s.replied, 0) <> 0 AS replied, coalesce(s.billable, false) AS billable, coalesce(s.category, '') AS category, coalesce(s.model, '') AS model, coalesce(s.type, '') AS type,
			EXISTS (SELECT FROM links l WHERE l.attempt = a.id AND l.clicked <> 0) AS clicked
			` + attemptTables + `WHERE %s AND ` + newestOnly + `) d GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13`
	n := len(a)
	var r state.FunnelRow
	var send, rank int16
	var revision int64
	t.each(fmt.Sprintf(sql, n+1, n+2, n+3, where), append(a, int16(state.Accepted), int16(state.Sending), int16(message.RankDelivered)),
		[]any{&r.Campaign, &revision, &send, &rank, &r.Failed, &r.Code, &r.Title, &r.Replied, &r.Billing.Billable, &r.Billing.Category, &r.Billing.Model, &r.Billing.Type, &r.Clicked, &r.Count}, func() error {
			r.Revision, r.Send, r.Rank = int(revision), state.Send(send), message.Rank(rank)
			out = append(out, r)
			return nil
		})
	state.SortFunnel(out)
	return out
}

// Tally implements state.Store.
func (s *Store) Tally(ctx context.Context, campaign string, revision int) (tally state.Tally, err error) {
	err = s.read(ctx, func(t *tx) error {
		tally = state.Tally{}
		rows := t.funnel("a.campaign = $1 AND a.revision = $2", campaign, int64(revision))
		for i := range rows {
			tally.Add(&rows[i])
		}
		return nil
	})
	return tally, err
}

// InDoubt implements state.Store.
func (s *Store) InDoubt(ctx context.Context, campaign string) iter.Seq2[state.Delivery, error] {
	var out []state.Delivery
	err := s.read(ctx, func(t *tx) error {
		out = nil
		for _, a := range t.find("o.send = $1 AND ($2 = '' OR a.campaign = $2) AND "+newestOnly, int16(state.InDoubt), campaign) {
			out = append(out, a.export())
		}
		return nil
	})
	return state.Listed(out, err)
}

// Orders implements state.Store.
func (s *Store) Orders(ctx context.Context) ([]state.OrderCount, error) {
	var sums state.OrderSums
	err := s.read(ctx, func(t *tx) error {
		sums = state.OrderSums{}
		var campaign string
		var text []byte
		t.each("SELECT coalesce(a.campaign, ''), i.event FROM inbound i LEFT JOIN attempts a ON a.id = i.attempt WHERE i.cart", nil, []any{&campaign, &text}, func() error {
			var ev message.Event
			if err := json.Unmarshal(text, &ev); err != nil {
				return fmt.Errorf("%w: an inbound event: %w", state.ErrDamaged, err)
			}
			sums.Add(campaign, ev.Order)
			return nil
		})
		return nil
	})
	return sums.Counts(), err
}

// Findings implements state.Store.
func (s *Store) Findings(ctx context.Context) (out []state.Finding, err error) {
	err = s.read(ctx, func(t *tx) error {
		out = nil
		var f state.Finding
		var at int64
		t.each("SELECT f.id, f.at, f.kind, f.detail, coalesce(a.campaign, ''), coalesce(a.recipient, '') FROM findings f LEFT JOIN attempts a ON a.id = f.attempt ORDER BY f.id", nil,
			[]any{&f.ID, &at, &f.Kind, &f.Detail, &f.Campaign, &f.Recipient}, func() error {
				f.At = state.Moment(at)
				out = append(out, f)
				return nil
			})
		return nil
	})
	return out, err
}

// Notices implements state.Store.
func (s *Store) Notices(ctx context.Context, since time.Time) iter.Seq2[state.Notice, error] {
	var out []state.Notice
	from := int64(0)
	if !since.IsZero() {
		from = since.UnixMilli()
	}
	err := s.read(ctx, func(t *tx) error {
		out = nil
		var n state.Notice
		var at int64
		var kind string
		t.each("SELECT at, provider, kind, field, reason, raw FROM notices WHERE at >= $1 ORDER BY at, id", args(from), []any{&at, &n.Provider, &kind, &n.Field, &n.Reason, &n.Raw}, func() error {
			n.At, n.Kind = state.Moment(at), message.EventKind(kind)
			out = append(out, n)
			n.Raw = nil
			return nil
		})
		return nil
	})
	return state.Listed(out, err)
}

// NoticeCounts implements state.Store.
func (s *Store) NoticeCounts(ctx context.Context) (out []state.NoticeCount, err error) {
	err = s.read(ctx, func(t *tx) error {
		out = nil
		var kind string
		var count int
		var newest int64
		t.each(`SELECT kind, count(*), max(at) FROM notices GROUP BY kind ORDER BY kind COLLATE "C"`, nil, []any{&kind, &count, &newest}, func() error {
			out = append(out, state.NoticeCount{Kind: message.EventKind(kind), Count: count, Newest: state.Moment(newest)})
			return nil
		})
		return nil
	})
	return out, err
}

// Halt implements state.Store.
func (s *Store) Halt(ctx context.Context, h state.Halt) error {
	err := s.write(ctx, func(t *tx) error { t.putHalt(h); return nil })
	return named(err, "halting "+h.Campaign)
}

// putHalt keeps a halt; the first reason stands.
func (t *tx) putHalt(h state.Halt) {
	data, err := json.Marshal(h)
	if err != nil {
		t.fail(err)
	}
	t.later("INSERT INTO halts VALUES ($1, $2) ON CONFLICT DO NOTHING", h.Campaign, data)
}

// Halts implements state.Store.
func (s *Store) Halts(ctx context.Context) (list []state.Halt, err error) {
	err = s.read(ctx, func(t *tx) error { list = t.halts(); return nil })
	return list, err
}

func (t *tx) halts() (list []state.Halt) {
	var data []byte
	t.each(`SELECT data FROM halts ORDER BY campaign COLLATE "C"`, nil, []any{&data}, func() error {
		var h state.Halt
		if err := json.Unmarshal(data, &h); err != nil {
			return fmt.Errorf("%w: a halt: %w", state.ErrDamaged, err)
		}
		list = append(list, h)
		return nil
	})
	return list
}
