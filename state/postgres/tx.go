package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/pace"
	"github.com/handbill/handbill/state"
)

// tx is one transaction. It keeps its first error, as a bufio.Writer does: after
// that, reads find nothing, nothing more is written, and the transaction is rolled
// back.
type tx struct {
	s   *Store
	ctx context.Context // of the call that the transaction is in
	c   *pgx.Conn
	to  *session
	err error
	now int64

	queue pipeline // writes that wait for the next read or the end, and reads
	asked bool     // a read is in the queue
	bulk  bulk     // the last of them
	xid   string   // of a transaction that writes

	meta, was metaRow

	// What was read, with the changes of this transaction.
	attempts map[int64]*attempt
	persons  map[string][]*attempt // people whose attempts were all read, by canonical id
	sent     map[string][]*attempt // attempts by provider's id, for the ids that were read
	refs     map[string]*attempt   // nil for none
	circles  map[delivery.ID]*circle
	spelled  map[delivery.ID]string
	changed  map[int64]*circle // by row; nil was removed
	erased   map[delivery.ID]bool
	waits    map[string]bool // whether events wait for a provider's id
	slots    map[string]pace.Slots
	taken    map[string]bool    // numbers whose slots changed
	newIDs   []int64            // of attempts, not used yet
	lanes    map[int64]*laneRow // that were read, by id; nil for none
	limits   []int64            // lanes whose limit begins anew
	inbox    bool               // webhooks waited to be joined when the turns began
}

// metaRow is the row of meta.
type metaRow struct {
	state.Meta
	latest, waived int64
	halt           string
	place          string
	here           string // the place of the database that answers
	erased         bool   // whether anybody was erased
}

func (s *Store) newTx(ctx context.Context, c *pgx.Conn) *tx {
	return &tx{s: s, ctx: ctx, c: c, to: s.plainly(c), now: s.opt.Clock().UnixMilli(), attempts: map[int64]*attempt{}, persons: map[string][]*attempt{},
		sent: map[string][]*attempt{}, refs: map[string]*attempt{}, circles: map[delivery.ID]*circle{}, spelled: map[delivery.ID]string{},
		changed: map[int64]*circle{}, erased: map[delivery.ID]bool{}, waits: map[string]bool{}, slots: map[string]pace.Slots{}, taken: map[string]bool{}, lanes: map[int64]*laneRow{}}
}

func (t *tx) fail(err error) {
	if t.err == nil {
		t.err = err
	}
}

// clean returns a text that PostgreSQL can store: UTF-8 without NUL.
func clean(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

func cleanAll(args []any) []any {
	for i, a := range args {
		switch v := a.(type) {
		case string:
			args[i] = clean(v)
		case []string:
			list := make([]string, len(v))
			for j := range v {
				list[j] = clean(v[j])
			}
			args[i] = list
		}
	}
	return args
}

// later queues a statement until the next read or the end.
func (t *tx) later(sql string, args ...any) {
	t.bulk.put(&t.queue)
	t.queue.add(sql, cleanAll(args)...)
}

// settleQueue queues the writes that are not statements yet.
func (t *tx) settleQueue() {
	t.putCircles()
	t.putTaken()
	t.putLimits()
	t.bulk.put(&t.queue)
}

// flush executes the queued statements.
func (t *tx) flush() {
	t.settleQueue()
	if t.err != nil || len(t.queue) == 0 {
		return
	}
	if err := t.to.send(t.ctx, t.queued()); err != nil {
		t.fail(err)
	}
}

// queued takes what is in the queue.
func (t *tx) queued() pipeline {
	queue := t.queue
	t.queue, t.asked = nil, false
	return queue
}

// ask queues a read behind the statements that are queued. The next flush calls row for
// each of its rows, and then done, which may be nil. So several reads take one round
// trip.
func (t *tx) ask(sql string, args []any, into []any, row func() error, done func()) {
	t.settleQueue()
	t.asked = true
	t.queue.add(sql, cleanAll(args)...).rows = func(rows pgx.Rows) error {
		_, err := pgx.ForEachRow(rows, into, row)
		if err == nil && done != nil {
			done()
		}
		return err
	}
}

// load flushes if something was asked.
func (t *tx) load() {
	if t.asked {
		t.flush()
	}
}

// each reads rows.
func (t *tx) each(sql string, args []any, into []any, row func() error) {
	t.ask(sql, args, into, row, nil)
	t.flush()
}

// one reads one row; ok is false where there is none.
func (t *tx) one(sql string, args []any, into ...any) (ok bool) {
	t.each(sql, args, into, func() error { ok = true; return nil })
	return ok && t.err == nil
}

// exec executes a statement at once, and returns the number of rows.
func (t *tx) exec(sql string, args ...any) int {
	t.settleQueue()
	st := t.queue.add(sql, cleanAll(args)...)
	t.flush()
	return int(st.tag.RowsAffected())
}

// args is a list of arguments.
func args(a ...any) []any { return a }

const (
	beginWrite = "begin isolation level read committed"
	beginRead  = "begin isolation level repeatable read read only"

	// alone waits until no other writer is under way, and keeps others out.
	alone = "SELECT FROM meta FOR UPDATE"

	// idleWrite bounds how long a process that was suspended in the middle of a
	// transaction keeps the other writers waiting.
	idleWrite = 5 * time.Second
	// idleRead is the same for readers, which keep nobody waiting.
	idleRead = 10 * time.Minute
)

// begin opens a transaction, in one round trip with further statements.
func (s *Store) begin(ctx context.Context, c *pgx.Conn, how string, idle time.Duration, then ...string) error {
	_, err := c.Exec(ctx, strings.Join(append(s.opening(how, idle), then...), "; "), pgx.QueryExecModeSimpleProtocol)
	return err
}

// opening are the statements that open a transaction. Its settings end with it, since a
// pooler may give the connection to another client afterwards.
func (s *Store) opening(how string, idle time.Duration) []string {
	return []string{how, fmt.Sprintf("set local search_path to %s, pg_catalog", pgx.Identifier{s.schema()}.Sanitize()),
		fmt.Sprintf("set local idle_in_transaction_session_timeout to %d", idle.Milliseconds()),
		"select set_config('synchronous_commit', 'on', true) where current_setting('synchronous_commit') in ('off', 'local')"}
}

const selectMeta = `SELECT format, lineage, serial, epoch, latest, waived, coalesce(halt, ''), place, ` + here + `, EXISTS (SELECT FROM erased) FROM meta`

// writeMeta also gives the transaction its number.
var writeMeta = strings.Replace(selectMeta, " FROM meta", ", pg_current_xact_id()::text FROM meta", 1)

// readMeta reads the row of meta.
func (t *tx) readMeta(sql string, more ...any) bool {
	ok := t.askMeta(sql, more...)
	t.flush()
	return *ok && t.err == nil
}

// askMeta is readMeta with the next flush.
func (t *tx) askMeta(sql string, more ...any) *bool {
	m, found := &t.meta, new(bool)
	into := append([]any{&m.Format, &m.Lineage, &m.Serial, &m.Epoch, &m.latest, &m.waived, &m.halt, &m.place, &m.here, &m.erased}, more...)
	t.ask(sql, nil, into, func() error { *found = true; return nil }, func() {
		if t.was = t.meta; !*found {
			t.fail(fmt.Errorf("%w: the table meta has no row", state.ErrDamaged))
		}
	})
	return found
}

// byKey makes the planner look rows up by their keys. It has no statistics of tables
// that a campaign has just begun to fill, takes them for small, and would read all of
// them in each turn until they are analyzed. So a plan that is kept is no worse than one
// that is made anew.
const byKey = "select set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true), set_config('jit', 'off', true), set_config('plan_cache_mode', 'force_generic_plan', true)"

// write runs fn in a transaction, alone among the writers, and commits. If the
// transaction certainly was not committed, because the database went away or
// preferred another one, write runs it again.
func (s *Store) write(ctx context.Context, fn func(*tx) error) error {
	return s.writeWith(ctx, nil, s.plainly, nil, fn)
}

// writeFew is write for work on few rows, each of which it finds by a key. It may ask
// for some of them while the transaction begins.
func (s *Store) writeFew(ctx context.Context, ask func(*tx), fn func(*tx) error) error {
	return s.writeWith(ctx, []string{byKey}, s.byPlan, ask, fn)
}

func (s *Store) writeWith(ctx context.Context, settings []string, to func(*pgx.Conn) *session, ask func(*tx), fn func(*tx) error) error {
	return s.persist(ctx, func(c *pgx.Conn) error {
		t := s.newTx(ctx, c)
		t.to = to(c)
		if last := s.last.Load(); last != nil { // a guess, for what is asked
			t.meta = *last
		}
		lineage := t.meta.Lineage
		t.askMeta(writeMeta, &t.xid)
		if ask != nil {
			ask(t)
		}
		if err := t.open(settings); err != nil {
			return err
		}
		if t.meta.Lineage != lineage {
			clear(t.erased) // the hashes were another state's
		}
		if t.err == nil {
			t.now = s.opt.Clock().UnixMilli() // after whoever had the row before
			if err := fn(t); err != nil {
				t.fail(err)
			}
		}
		return t.commit()
	})
}

// open begins a transaction that writes, and does what was asked.
func (t *tx) open(settings []string) error {
	// The lock is a statement of its own. One that waited for the row would see the
	// row as it is, but other tables as they were when it began to wait: it would
	// not know who was erased meanwhile.
	then := append(slices.Clone(settings), alone)
	queue := t.queued()
	if len(t.to.undescribed(queue)) > 0 { // which needs the transaction's search path
		if err := t.s.begin(t.ctx, t.c, beginWrite, idleWrite, then...); err != nil {
			return err
		}
		return t.to.send(t.ctx, queue)
	}
	var all pipeline
	for _, sql := range append(t.s.opening(beginWrite, idleWrite), then...) {
		all.plain(sql)
	}
	return t.to.send(t.ctx, append(all, queue...))
}

// putMeta writes the row of meta if it changed.
func (t *tx) putMeta() {
	if m := &t.meta; *m != t.was {
		t.later("UPDATE meta SET serial = $1, epoch = $2, latest = $3, waived = $4, halt = nullif($5, ''), place = $6",
			m.Serial, m.Epoch, m.latest, m.waived, m.halt, m.place)
	}
}

// commit writes what is queued and ends the transaction, in one round trip. If the
// database goes away meanwhile, it finds out whether the transaction was committed. Only
// a transaction that certainly was not is run again; if nobody can tell, the error says
// so.
func (t *tx) commit() error {
	t.load() // nothing is committed before it is known what was read
	t.putMeta()
	if t.settleQueue(); t.err != nil {
		return t.err
	}
	end := t.queue.plain("commit")
	err := t.to.send(t.ctx, t.queued())
	switch {
	case lost(err):
		return t.s.resolve(t.ctx, t, err)
	case err == nil && end.tag.String() != "COMMIT":
		return errRolledBack
	case err == nil:
		m := t.meta // without the rest of the transaction
		t.s.last.Store(&m)
	}
	return err
}

// read runs fn on the state at one moment.
func (s *Store) read(ctx context.Context, fn func(*tx) error) error {
	return s.persist(ctx, func(c *pgx.Conn) error {
		if err := s.begin(ctx, c, beginRead, idleRead); err != nil {
			return err
		}
		t := s.newTx(ctx, c)
		if t.readMeta(selectMeta) {
			if err := fn(t); err != nil {
				t.fail(err)
			}
		}
		if t.err != nil {
			return t.err
		}
		_, err := c.Exec(ctx, "commit", pgx.QueryExecModeSimpleProtocol)
		return err
	})
}

// persist runs one transaction on a connection, and again if the connection was
// lost.
func (s *Store) persist(ctx context.Context, once func(*pgx.Conn) error) error {
	var wait backoff
	for {
		err := s.once(ctx, once)
		var told *unknownError
		switch {
		case err == nil || errors.As(err, &told) || ctx.Err() != nil:
		case (conflicted(err) || lost(err)) && wait.again(ctx, s.opt.Patience):
			continue
		}
		return s.describe(err)
	}
}

func (s *Store) once(ctx context.Context, work func(*pgx.Conn) error) error {
	if s.closed.Load() {
		return errClosed
	}
	c, err := s.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer giveBack(c)
	err = work(c.Conn())
	if codeOf(err) == readOnlyServer {
		_ = c.Conn().Close(ctx) // it has become a standby
	}
	return err
}

// giveBack ends a transaction that is still open.
func giveBack(c *pgxpool.Conn) {
	if pg := c.Conn().PgConn(); pg.TxStatus() != 'I' && !pg.IsClosed() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second) // the call's may be over
		defer cancel()
		_, _ = c.Conn().Exec(ctx, "rollback", pgx.QueryExecModeSimpleProtocol) // the pool drops a connection that is not idle
	}
	c.Release()
}

// backoff waits longer each time.
type backoff struct{ next, waited time.Duration }

// again waits, and reports whether to try once more.
func (b *backoff) again(ctx context.Context, patience time.Duration) bool {
	if b.waited >= patience {
		return false
	}
	b.next = min(max(20*time.Millisecond, 2*b.next), time.Second)
	b.waited += b.next
	return pace.Sleep(ctx, b.next) == nil
}
