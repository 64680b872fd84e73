package postgres

import (
	"context"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/handbill/handbill/internal/pgtest"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

const number = "provider.cloud.main"

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func options(url, schema string) Options {
	return Options{URL: url, Schema: schema, Clock: func() time.Time { return noon }, Rand: rand.NewChaCha8([32]byte{1})}
}

// create makes a state in a schema of its own.
func create(t *testing.T, c *pgtest.Cluster) *Store {
	t.Helper()
	s, err := Create(t.Context(), options(c.URL(), pgtest.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// sql executes statements behind handbill's back.
func sql(t *testing.T, s *Store, text string) {
	t.Helper()
	err := s.once(t.Context(), func(c *pgx.Conn) error {
		_, err := c.Exec(t.Context(), "set search_path to "+s.schema()+"; "+text, pgx.QueryExecModeSimpleProtocol)
		return errors.Join(err, c.Close(t.Context())) // the setting ends with the connection
	})
	if err != nil {
		t.Fatal(err)
	}
}

func begin(t *testing.T, s *Store) state.Lane {
	t.Helper()
	r, err := s.Begin(t.Context(), state.Run{Lanes: []state.Lane{{Number: number}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r.Lanes[0]
}

func intent(who string) state.Intent {
	return state.Intent{Key: state.Key{Campaign: "campaign.spring", Recipient: who, Revision: 1}, To: message.Address{Phone: who}, Attempt: 1, Ref: "ref of " + who}
}

// TestURLs checks that connections to other machines need TLS with a verified
// host name, and that errors contain nothing of the connection string.
func TestURLs(t *testing.T) {
	for url, ok := range map[string]bool{
		"postgres:///handbill?host=/var/run/postgresql":           true,
		"postgres://localhost/handbill":                           true,
		"postgres://127.0.0.1/handbill?sslmode=disable":           true,
		"postgres://[::1]/handbill":                               true,
		"postgres://db.example.com/x?sslmode=verify-full":         true,
		"host=db.example.com dbname=x sslmode=verify-full":        true,
		"postgres://db.example.com/x":                             false,
		"postgres://db.example.com/x?sslmode=require":             false,
		"postgres://db.example.com/x?sslmode=verify-ca":           false,
		"postgres://db.example.com/x?sslmode=prefer":              false,
		"postgres://127.0.0.1,db.example.com/x?sslmode=disable":   false,
		"postgres://ada:tiger@db.example.com:nonsense/x":          false,
		"postgres://ada:tiger@db.example.com/x?sslmode=mandatory": false,
		"": false,
	} {
		t.Setenv("PGHOST", "db.example.com") // what libpq would add
		_, err := config(url)
		if (err == nil) != ok {
			t.Errorf("%q: %v", url, err)
		}
		if err != nil && (strings.Contains(err.Error(), "tiger") || strings.Contains(err.Error(), "example.com")) {
			t.Errorf("%q: the error contains parts of the URL: %v", url, err)
		}
	}
}

func TestOpening(t *testing.T) {
	c := pgtest.Shared(t)
	s := create(t, c)
	if _, err := Create(t.Context(), s.opt); !errors.Is(err, errThere) {
		t.Errorf("a second state in one schema: %v", err)
	}
	if err := Migrate(t.Context(), s.opt); err != nil {
		t.Errorf("a state that is up to date: %v", err)
	}
	if there, err := Exists(t.Context(), options(c.URL(), "elsewhere")); there || err != nil {
		t.Errorf("an empty database has a state: %v, %v", there, err)
	}
	for name, want := range map[string]struct {
		url, schema, text string
	}{
		"no state":    {c.URL(), "elsewhere", "handbill init"},
		"no server":   {"postgres:///postgres?host=/nowhere", "x", "no connection to the database"},
		"no role":     {c.As("nobody", "secret-word"), "x", "does not let this role in"},
		"no database": {strings.Replace(c.URL(), "/postgres?", "/nothing?", 1), "x", "there is no such database"},
	} {
		_, err := Open(t.Context(), options(want.url, want.schema))
		if err == nil || !strings.Contains(err.Error(), want.text) || strings.Contains(err.Error(), "secret-word") {
			t.Errorf("%s: %v; want %q", name, err, want.text)
		}
	}
	sql(t, s, "UPDATE meta SET format = format + 1")
	if _, err := Open(t.Context(), s.opt); !errors.Is(err, errNewer) {
		t.Errorf("a newer format: %v", err)
	}
	if err := s.usable(newestFormat, newestFormat+1); !errors.Is(err, errOlder) {
		t.Errorf("an older format: %v", err)
	}
}

// TestRoles checks the roles: one that may only read can plan and inspect, one
// without rights gets a clear error, and one that runs applies does not need
// the right to create tables.
func TestRoles(t *testing.T) {
	c := pgtest.Shared(t)
	s := create(t, c)
	sql(t, s, `CREATE ROLE stranger LOGIN; CREATE ROLE runner LOGIN; CREATE ROLE reader LOGIN;
		GRANT USAGE ON SCHEMA `+s.schema()+` TO runner, reader; GRANT SELECT ON ALL TABLES IN SCHEMA `+s.schema()+` TO reader;
		GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA `+s.schema()+` TO runner; GRANT USAGE ON ALL SEQUENCES IN SCHEMA `+s.schema()+` TO runner`)
	as := func(role string) (*Store, error) { return Open(t.Context(), options(c.As(role, ""), s.schema())) }
	if _, err := as("stranger"); err == nil || !strings.Contains(err.Error(), "no right") {
		t.Errorf("a stranger: %v", err)
	}
	reader, err := as("reader")
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	snap, err := reader.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	snap.Close()
	if _, err := reader.Begin(t.Context(), state.Run{}, nil); err == nil || !strings.Contains(err.Error(), "no right") {
		t.Errorf("a reader begins a run: %v", err)
	}
	runner, err := as("runner")
	if err != nil {
		t.Fatal(err)
	}
	defer runner.Close()
	if v, err := runner.Intend(t.Context(), begin(t, runner), []state.Intent{intent("+4915112345601")}); err != nil || v[0].Attempt == 0 {
		t.Errorf("the one who runs: %+v, %v", v, err)
	}
}

// TestARestoredDump checks that a restored dump halts the state until somebody
// has looked, since it lacks what was sent after it was made.
func TestARestoredDump(t *testing.T) {
	c := pgtest.Shared(t)
	s := create(t, c)
	lane := begin(t, s)
	file := filepath.Join(c.Dir, "dump")
	c.Run(t, "pg_dump", "-n", s.schema(), "-f", file)
	sql(t, s, "DROP SCHEMA "+s.schema()+" CASCADE")
	if _, err := s.Meta(t.Context()); err == nil || !strings.Contains(err.Error(), "no state any more") {
		t.Errorf("while it is gone: %v", err)
	}
	c.Run(t, "psql", "-q", "-f", file)
	halt, err := s.Halted(t.Context())
	if err != nil || halt == nil || !halt.Database || !strings.Contains(halt.Why, "a dump was restored") {
		t.Fatalf("halted: %v, %v", halt, err)
	}
	if _, err := s.Begin(t.Context(), state.Run{Lanes: []state.Lane{{Number: number}}}, nil); !errors.As(err, &halt) {
		t.Errorf("a run begins: %v", err)
	}
	if _, err := s.Intend(t.Context(), lane, []state.Intent{intent("+4915112345601")}); !errors.As(err, &halt) {
		t.Errorf("the run continues: %v", err)
	}
	if err := s.Acknowledge(t.Context(), "ada", "nothing was sent since"); err != nil {
		t.Fatal(err)
	}
	if v, err := s.Intend(t.Context(), begin(t, s), []state.Intent{intent("+4915112345601")}); err != nil || v[0].Attempt == 0 {
		t.Errorf("after somebody looked: %+v, %v", v, err)
	}
}

func TestPlaces(t *testing.T) {
	for now, want := range map[string]string{
		"1/00000001/9": "",
		"1/00000002/9": "A standby was promoted",
		"2/00000001/9": "another cluster",
		"1/00000001/8": "a dump was restored",
		"1//9":         "", // a standby, which takes no writes
	} {
		halt := (&tx{meta: metaRow{place: "1/00000001/9", here: now}}).halted()
		if (halt == nil) != (want == "") || halt != nil && !strings.Contains(halt.Why, want) {
			t.Errorf("%s: %v, want %q", now, halt, want)
		}
	}
}

// TestACommitWithoutAnswer checks that the result of an unanswered commit is
// queried in the same database, never in another one.
func TestACommitWithoutAnswer(t *testing.T) {
	s := create(t, pgtest.Shared(t))
	lost, undone := errors.New("the connection was reset"), errors.New("undone")
	var done *tx
	if err := s.write(t.Context(), func(t *tx) error { done = t; return nil }); err != nil {
		t.Fatal(err)
	}
	if err := s.resolve(t.Context(), done, lost); err != nil {
		t.Errorf("what was committed: %v", err)
	}
	other := *done
	other.meta.here = "1/00000001/1"
	var unknown *unknownError
	if err := s.resolve(t.Context(), &other, lost); !errors.As(err, &unknown) {
		t.Errorf("another database is trusted: %v", err)
	}
	var failed *tx
	if err := s.write(t.Context(), func(t *tx) error { failed = t; return undone }); !errors.Is(err, undone) {
		t.Fatal(err)
	}
	if err := s.resolve(t.Context(), failed, lost); !errors.Is(err, errLost) {
		t.Errorf("what was rolled back: %v", err)
	}
}

// TestTheDatabaseGoesAway checks that a caller that does not wait gets an error,
// that one that waits continues when the database is back, and that nothing
// that was committed is lost.
func TestTheDatabaseGoesAway(t *testing.T) {
	c := pgtest.Start(t, "handbill", "")
	s := create(t, c)
	lane := begin(t, s)
	first, err := s.Intend(t.Context(), lane, []state.Intent{intent("+4915112345601")})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Down(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Intend(t.Context(), lane, []state.Intent{intent("+4915112345602")}); !errors.Is(err, errGoneAway) {
		t.Errorf("while it is gone: %v", err)
	}
	s.opt.Patience = time.Minute
	settled := make(chan error)
	go func() {
		settled <- s.Settle(context.Background(), lane, []state.Outcome{{Attempt: first[0].Attempt, Send: state.Accepted, ID: "x", Proof: state.ProofResponse, At: noon}})
	}()
	if err := c.Up(); err != nil {
		t.Fatal(err)
	}
	if err := <-settled; err != nil {
		t.Errorf("when it is back: %v", err)
	}
	tally, err := s.Tally(t.Context(), "campaign.spring", 1)
	if err != nil || tally != (state.Tally{Accepted: 1}) {
		t.Errorf("%+v, %v", tally, err)
	}
}

func TestLocks(t *testing.T) {
	s := create(t, pgtest.Shared(t))
	lock := func(id string) (*Locked, error) {
		return Lock(t.Context(), s.opt, "send", state.LockInfo{ID: id, Who: id, Operation: "apply"}, 0)
	}
	ada, err := lock("ada")
	if err != nil {
		t.Fatal(err)
	}
	var held *state.LockedError
	if _, err := lock("grace"); !errors.As(err, &held) || held.Info.Who != "ada" {
		t.Errorf("a second one: %v", err)
	}
	if err := s.ForceUnlock(t.Context(), "grace"); err == nil || !strings.Contains(err.Error(), "ada") {
		t.Errorf("the wrong id: %v", err)
	}
	if err := ada.Unlock(); err != nil {
		t.Fatal(err)
	}
	dead, err := lock("dead")
	if err != nil {
		t.Fatal(err)
	}
	dead.stop() // as if the process had died
	dead.done.Wait()
	sql(t, s, "UPDATE locks SET until = now() - interval '1 second'")
	grace, err := lock("grace")
	if err != nil {
		t.Fatalf("a lock that nobody renews: %v", err)
	}
	if err := dead.Unlock(); err != nil {
		t.Fatal(err)
	}
	if _, err := lock("ada"); !errors.As(err, &held) || held.Info.Who != "grace" {
		t.Errorf("the lock of another was taken away: %v", err)
	}
	if err := s.ForceUnlock(t.Context(), "grace"); err != nil {
		t.Fatal(err)
	}
	if err := grace.Unlock(); err != nil {
		t.Fatal(err)
	}
	if err := s.ForceUnlock(t.Context(), "grace"); err == nil {
		t.Error("a state that is not locked was unlocked")
	}
	many := func(id string) (*Locked, error) {
		return LockShared(t.Context(), s.opt, "send", state.LockInfo{ID: id, Who: id, Operation: "serve"})
	}
	one, err := many("one")
	if err != nil {
		t.Fatal(err)
	}
	two, err := many("two")
	if err != nil {
		t.Fatalf("a second one of many: %v", err)
	}
	if _, err := lock("ada"); !errors.As(err, &held) || held.Info.Who != "one" {
		t.Errorf("alone beside many: %v", err)
	}
	if err := errors.Join(one.Unlock(), two.Unlock()); err != nil {
		t.Fatal(err)
	}
	if ada, err = lock("ada"); err != nil {
		t.Fatal(err)
	}
	if _, err := many("one"); !errors.As(err, &held) || held.Info.Who != "ada" {
		t.Errorf("many beside one: %v", err)
	}
	if err := ada.Unlock(); err != nil {
		t.Fatal(err)
	}
}

// TestForeignTexts checks that text that PostgreSQL can't store is stored as
// faithfully as possible, and blocks nothing.
func TestForeignTexts(t *testing.T) {
	s := create(t, pgtest.Shared(t))
	evs := []message.Event{
		{Kind: message.EventInbound, ID: "a\x00b", From: message.Address{UserID: "DE.\x00\xff"}, Text: "hello\x00", ProfileName: "\xff", At: noon},
		{Kind: message.EventStatus, ID: "c\x00", Ref: "\x00", Rank: message.RankSent, At: noon},
		{Kind: message.EventOther, Field: "f\x00", Reason: "r\xff", At: noon},
	}
	if _, err := s.Append(t.Context(), []state.Inbox{{Provider: number, Received: noon, Raw: []byte("\x00"), Events: evs}}); err != nil {
		t.Fatal(err)
	}
	if err := s.FoldAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.OptOut(t.Context(), "DE.\x00\xff", "operator", "e\x00"); err != nil {
		t.Fatal(err)
	}
	if p, err := s.Person(t.Context(), number, "DE.\x00\xff"); err != nil || !p.OptedOut || p.LastInbound.IsZero() {
		t.Errorf("%+v, %v", p, err)
	}
}

// TestRefusals checks that errors of the database say what to do, and do not
// repeat the data.
func TestRefusals(t *testing.T) {
	s := &Store{}
	for code, want := range map[string]string{"53100": "Make room", "53300": "max_connections", "25006": "Set the url to the primary", "42501": "docs/shared-state.md",
		"28P01": "the url of the state", "3D000": "createdb", "23505": "an error 23505", "22021": "an error 22021"} {
		err := s.describe(&pgconn.PgError{Code: code, Message: "about +4915112345601"})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", code, err, want)
		}
		if data := code[:2] == "22" || code[:2] == "23"; data && strings.Contains(err.Error(), "+49") {
			t.Errorf("%s: it contains a phone number: %v", code, err)
		}
	}
}
