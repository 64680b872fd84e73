package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"regexp"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// errDraft is returned for a schema into which a state was being moved: its table
// meta has no row, so that nothing can use it.
var errDraft = errors.New("\"handbill state migrate\" was moving a state into the schema, and did not finish. Run it again, or drop the schema (DROP SCHEMA … CASCADE)")

// Draft is a state that is filled with what another one holds. It gets the row of
// meta last, and no command opens a state without it.
type Draft struct {
	s     *Store
	id    string // of its row in locks, so that only one process fills it
	about state.Identity
	// rows counts circles, and erased is the highest name of somebody erased that
	// this kind of store gave.
	rows, erased int64
}

var _ state.Draft = (*Draft)(nil)

// draftLock is the name of the row in locks that a draft has.
const draftLock = "draft"

// NewDraft begins a state in a schema, where there must be none. What a draft that
// was not finished left there is removed. id is a random text.
func NewDraft(ctx context.Context, o Options, id string) (*Draft, error) {
	err := inSchema(ctx, o, true, func(s *Store, c *pgx.Conn, format int) error {
		if format > 0 {
			return fmt.Errorf("%w in the schema %q. Name another schema, or drop it if nothing was sent from it", errThere, s.schema())
		}
		var there bool
		if err := c.QueryRow(ctx, "SELECT to_regclass('meta') IS NOT NULL").Scan(&there); err != nil {
			return err
		}
		if there {
			if err := clearDraft(ctx, c); err != nil {
				return err
			}
		}
		if err := step(ctx, c, 1, newestFormat); err != nil {
			return err
		}
		_, err := c.Exec(ctx, "INSERT INTO locks (name, id, info, until) VALUES ($1, $2, '{}', 'infinity')", draftLock, id)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("making the state: %w", err)
	}
	s, err := connect(ctx, o)
	if err != nil {
		return nil, err
	}
	return &Draft{s: s, id: id}, nil
}

// made finds what the migrations make.
var made = regexp.MustCompile(`(?m)^CREATE (TABLE|SEQUENCE|FUNCTION) (\w+)`)

// clearDraft drops what the migrations make, and nothing else that may lie in the
// schema.
func clearDraft(ctx context.Context, c *pgx.Conn) error {
	for format := 1; format <= newestFormat; format++ {
		sql, err := migrations.ReadFile(migration(format))
		if err != nil {
			return err
		}
		for _, m := range made.FindAllSubmatch(sql, -1) {
			if _, err := c.Exec(ctx, fmt.Sprintf("DROP %s IF EXISTS %s CASCADE", m[1], m[2]), pgx.QueryExecModeSimpleProtocol); err != nil {
				return err
			}
		}
	}
	return nil
}

// do runs work in a transaction, as long as no other process has begun a draft in the
// schema.
func (d *Draft) do(ctx context.Context, how string, work func(*tx) error) error {
	return d.s.describe(d.s.once(ctx, func(c *pgx.Conn) error {
		if err := d.s.begin(ctx, c, how, idleMove); err != nil {
			return err
		}
		t := d.s.newTx(ctx, c)
		t.meta.Meta = state.Meta{Lineage: d.about.Lineage, Serial: d.about.Serial, Epoch: d.about.Epoch}
		t.meta.latest, t.meta.waived = d.about.Latest, d.about.Bodies
		var mine bool
		t.one("SELECT EXISTS (SELECT FROM locks WHERE name = $1 AND id = $2)", args(draftLock, d.id), &mine)
		if t.err == nil && !mine {
			return errors.New("another process moves a state into the schema")
		}
		err := work(t)
		t.flush()
		if err = errors.Join(err, t.err); err != nil {
			return err
		}
		_, err = c.Exec(ctx, "commit", pgx.QueryExecModeSimpleProtocol)
		return err
	}))
}

// Add implements state.Draft.
func (d *Draft) Add(ctx context.Context, items []state.Item) error {
	if len(items) == 0 {
		return nil
	}
	if i, ok := items[0].(state.Identity); ok {
		d.about, items = i, items[1:]
	}
	return d.do(ctx, beginWrite, func(t *tx) error {
		for _, i := range items {
			if err := d.add(t, i); err != nil {
				return err
			}
		}
		t.flush()
		var pg *pgconn.PgError
		if errors.As(t.err, &pg) && pg.Code == "23505" && (pg.TableName == "attempts" || strings.Contains(pg.Where, "attempts_once")) {
			t.err = nil
			return errTwice
		}
		return nil
	})
}

// errTwice is returned for a state that is older than handbill's knowledge that two
// spellings of a number are one. A file keeps what was sent to each; in a database a
// delivery has one person.
var errTwice = errors.New("a message went to a person under two spellings of their number, before handbill took these for one, and a database keeps one delivery for a person. Drop that campaign's old revisions (handbill state prune), or the campaign (handbill state rm), and move the state then")

func (d *Draft) add(t *tx, i state.Item) error {
	switch i := i.(type) {
	case state.Resource:
		t.later("INSERT INTO resources SELECT coalesce(max(place), -1) + 1, $1, $2, $3, $4::bytea, $5::text[] FROM resources", i.Address, i.Type, i.Name, some(i.Tree), i.Refs)
	case state.Managed:
		return t.addJSON("INSERT INTO managed VALUES ($1, $2)", i.Address, &i)
	case state.KeptProduct:
		t.putProduct(i.Catalog, &i)
	case state.Blob:
		return t.addBlob(i)
	case state.Pace:
		t.later("INSERT INTO slots VALUES ($1, $2)", i.Number, some(i.Data))
	case state.Halt:
		return t.addJSON("INSERT INTO halts VALUES ($1, $2)", i.Campaign, &i)
	case state.Run:
		i.Blobs, i.Lanes, i.Resume, i.Who = nil, nil, nil, ""
		return t.addJSON("INSERT INTO runs VALUES ($1, $3, $2)", i.ID, &i, !i.Ended.IsZero())
	case state.TakenLane:
		t.later("INSERT INTO lanes (id, number, replies, epoch, run, over) SELECT coalesce(max(id), 0) + 1, $1::text, $2::boolean, $3::bigint, $4::bigint, $5::boolean FROM lanes",
			i.Number, i.Replies, i.Epoch, i.Run, i.Over)
	case state.Attempt:
		d.attempt(t, &i)
	case state.KeptLink:
		t.addLink(&i)
	case state.Told:
		d.told(t, &i)
	default:
		return t.addEvent(i)
	}
	return nil
}

// addJSON inserts a row of a key and a value as JSON.
func (t *tx) addJSON(sql string, key, value any, more ...any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return err
	}
	t.later(sql, append([]any{key, data}, more...)...)
	return nil
}

func some(b []byte) []byte { return append([]byte{}, b...) }

// addEvent writes what has to do with events, and what is kept for people to read.
func (t *tx) addEvent(i state.Item) error {
	switch i := i.(type) {
	case state.ErasedHash:
		t.later("INSERT INTO erased (hash, at) VALUES ($1, $2)", i.Hash, i.At)
	case state.SeenBody:
		t.later("INSERT INTO seen (hash, provider, received) VALUES ($1, $2, $3)", i.Hash, i.Provider, i.Received)
	case state.WaitingBody:
		t.later("INSERT INTO inbox (id, provider, received, raw, events) VALUES ($1, $2, $3, $4, $5)", i.ID, i.Provider, i.Received, some(i.Raw), []byte(i.Events))
	case state.WaitingEvent:
		var ev message.Event
		if err := json.Unmarshal(i.Event, &ev); err != nil {
			return fmt.Errorf("%w: an event that waits: %w", state.ErrDamaged, err)
		}
		about := ev.ID
		if ev.Kind == message.EventInbound {
			about = ev.ContextID
		}
		t.wait(i.Provider, about, i.Received, &ev)
	case state.KeptInbound:
		var ev message.Event
		if err := json.Unmarshal(i.Event, &ev); err != nil {
			return fmt.Errorf("%w: an inbound event: %w", state.ErrDamaged, err)
		}
		// What it answers may have been removed since.
		t.later("INSERT INTO inbound (id, provider, recipient, person, received, answered, first, stopped, attempt, hash, cart, event) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, (SELECT id FROM attempts WHERE id = $9), $10, $11, $12)",
			i.Seq, i.Provider, i.Recipient, person(i.Recipient), i.Received, i.Answered, i.First, i.Stopped, i.Attempt, inboundHash(i.Provider, &ev), ev.Order != nil, []byte(i.Event))
	case state.KeptFinding:
		t.later("INSERT INTO findings (id, at, kind, attempt, detail) VALUES ($1, $2, $3, $4, $5)", i.ID, i.At, i.Kind, i.Attempt, i.Detail)
	case state.KeptNotice:
		t.later("INSERT INTO notices (provider, at, kind, field, reason, raw) VALUES ($1, $2, $3, $4, $5, $6)", i.Provider, i.At, i.Kind, i.Field, i.Reason, some(i.Raw))
	case state.Decision:
		t.later("INSERT INTO decisions (at, who, what, why) VALUES ($1, $2, $3, $4)", i.At, i.Who, i.What, i.Why)
	default:
		return fmt.Errorf("an item of an unknown type, %T", i)
	}
	return nil
}

func (d *Draft) attempt(t *tx, i *state.Attempt) {
	if n, err := strconv.ParseInt(strings.TrimPrefix(i.Recipient, state.ErasedPrefix), 10, 64); err == nil && state.IsErased(i.Recipient) {
		d.erased = max(d.erased, n)
	}
	a := &attempt{id: i.ID, key: i.Key, choice: i.Choice, number: i.Number, run: i.Run, from: i.From, intended: i.Intended, message: i.Message, digest: i.Digest, ref: clean(i.Ref)}
	t.add(a, i.Body[:])
	if s := i.Settled; s != nil {
		t.put(a, &outcome{send: s.Send, proof: s.Proof, settled: s.At, code: s.Code, title: s.Title, cause: s.Cause, id: s.ID})
	}
	if i.Again != nil {
		t.later("UPDATE attempts SET ordered = true WHERE id = $1", i.ID)
	}
	t.putFate(a, fate{i.Status, i.Billed, i.RepliedAt})
}

func (d *Draft) told(t *tx, i *state.Told) {
	for id, spelled := range i.Spelled {
		t.spelled[id] = clean(spelled)
	}
	d.rows++
	if c := newCircle(d.rows, i.Circle); c != nil {
		c.made = true
		t.changed[d.rows] = c
	}
}

// Items implements state.Draft.
func (d *Draft) Items(ctx context.Context) iter.Seq2[state.Item, error] {
	return func(yield func(state.Item, error) bool) {
		err := d.do(ctx, beginWrite, func(t *tx) error { d.count(t); return nil })
		if err == nil {
			err = d.do(ctx, beginRead, func(t *tx) error { t.items(yield); return nil })
		}
		if err != nil && !errors.Is(err, errEnough) {
			yield(nil, err)
		}
	}
}

// count sets the sequences, so that no handle is given out a second time.
func (d *Draft) count(t *tx) {
	last := map[string]int64{"attempts": d.about.Attempts, "inbox": d.about.Bodies, "inbound": d.about.Inbound, "circles": d.rows}
	for _, table := range []string{"attempts", "inbox", "inbound", "circles"} {
		t.later("SELECT setval(pg_get_serial_sequence($1, 'id'), greatest($2::bigint, 1), $2::bigint > 0)", table, last[table])
	}
	t.later("SELECT setval(pg_get_serial_sequence('findings', 'id'), coalesce(max(id), 1), max(id) IS NOT NULL) FROM findings")
	t.later("SELECT setval('erased_names', greatest($1::bigint, 1), $1::bigint > 0)", d.erased)
}

// Publish implements state.Draft.
func (d *Draft) Publish(ctx context.Context) error {
	err := d.do(ctx, beginWrite, func(t *tx) error {
		t.later("INSERT INTO meta (format, lineage, serial, epoch, latest, waived, place) SELECT $1, $2, $3, $4, $5, $6, "+here,
			newestFormat, t.meta.Lineage, t.meta.Serial, t.meta.Epoch, t.meta.latest, t.meta.waived)
		t.later("DELETE FROM locks WHERE name = $1", draftLock)
		return nil
	})
	if err != nil {
		return named(err, "making a state of the copy")
	}
	// Plans of queries are poor until the database has counted; that it does so by
	// itself within a minute is no reason to fail.
	_ = d.s.once(ctx, func(c *pgx.Conn) error {
		for _, table := range []string{"attempts", "outcomes", "statuses", "circles", "ids", "inbound"} {
			if _, err := c.Exec(ctx, "ANALYZE "+pgx.Identifier{d.s.schema(), table}.Sanitize(), pgx.QueryExecModeSimpleProtocol); err != nil {
				return err
			}
		}
		return nil
	})
	d.s.packAll(ctx)
	return nil
}

// Close implements state.Draft.
func (d *Draft) Close() error { return d.s.Close() }
