package audience

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/internal/pgtest"
)

// sqliteFile makes a root that contains the database "crm.db".
func sqliteFile(t *testing.T, script string) *os.Root {
	t.Helper()
	root := files(t, nil)
	db, err := sql.Open("sqlite", filepath.Join(root.Name(), "crm.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(script); err != nil {
		t.Fatal(err)
	}
	return root
}

const crm = `
create table people (phone text, name text, visits integer, score real, vip boolean, seen timestamp, born date, photo blob);
insert into people values
  ('+4915112345678', 'Ann', 3, 0.5, true, '2026-02-01 10:00:00+00:00', '1990-05-01', null),
  ('+4915112345679', null, 1234567890123, 1e3, false, null, null, null);
create table blobs (phone text, b blob);
insert into blobs values ('1', x'ff00'), ('2', null);
`

func TestSQLite(t *testing.T) {
	root := sqliteFile(t, crm)
	for _, c := range []struct{ name, dsn, query, want string }{
		{"typed columns", "crm.db", "select * from people order by phone",
			"columns phone|name|visits|score|vip|seen|born|photo\n" +
				"1 [+4915112345678] [Ann] 3 0.5 true [2026-02-01T10:00:00Z] [1990-05-01] null\n" +
				"2 [+4915112345679] null 1234567890123 1000 false null null null\n"},
		{"an address in place of a path", "file:crm.db?mode=rwc", "select count(*) as n from people order by 1", "columns n\n1 2\n"},
		{"no order", "crm.db", "select phone from people where name = 'order by' -- order by\n",
			"columns phone\nnote the query has no ORDER BY: the database may give the rows in another order each time, and two plans of the same data then differ\n"},
		{"bytes", "crm.db", "select * from blobs order by phone", "columns phone|b\nerror row 1: column \"b\": bytes, not text; convert it in the query\n2 [2] null\n"},
		{"the same name twice", "crm.db", "select phone, phone from people order by 1", "open: columns 1 and 2 of the query are both named \"phone\": Give one of them another name in the query: AS name.\n"},
		{"a wrong query", "crm.db", "select nome from people order by 1", "open: the query failed: SQL logic error: no such column: nome (1)\n"},
		{"no query", "crm.db", " ", "open: no query: The source needs the query that selects the contacts.\n"},
		{"no file", "cmr.db", "select 1 as a order by 1", "open: cmr.db: no such file: Did you mean \"crm.db\"?\n"},
		{"a file outside", "../crm.db", "select 1 as a order by 1", "open: crm.db: outside the configuration's directory: Audience files are read from the configuration's directory and those below it only. Copy the file there.\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := table(t, Source{Kind: SQL, Driver: "sqlite", DSN: c.dsn, Query: c.query}, Options{Root: root})
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	if got := table(t, Source{Kind: SQL, Driver: "oracle", Query: "select 1"}, Options{}); !strings.Contains(got, `unknown driver "oracle"`) {
		t.Error(got)
	}
}

// A query can only read.
func TestSQLiteIsReadOnly(t *testing.T) {
	root := sqliteFile(t, crm)
	other := filepath.Join(t.TempDir(), "other.db")
	for _, query := range []string{
		"delete from people returning phone", "attach database '" + other + "' as other",
		"select 1 as a; delete from people",
	} {
		_ = table(t, Source{Kind: SQL, Driver: "sqlite", DSN: "crm.db", Query: query}, Options{Root: root})
		got := table(t, Source{Kind: SQL, Driver: "sqlite", DSN: "crm.db", Query: "select count(*) as n from people order by 1"}, Options{Root: root})
		if got != "columns n\n1 2\n" {
			t.Errorf("after %s: %s", query, got)
		}
	}
	if _, err := os.Stat(other); err == nil {
		t.Error("a query opened another file")
	}
}

// The digest of a query covers its rows.
func TestSQLDigest(t *testing.T) {
	root := sqliteFile(t, crm)
	sum := func(query string) [32]byte {
		r, err := Open(t.Context(), Source{Kind: SQL, Driver: "sqlite", DSN: "crm.db", Query: query}, Options{Root: root})
		if err != nil {
			t.Fatal(err)
		}
		if err := readAll(r); err != nil {
			t.Fatal(err)
		}
		return r.Digest()
	}
	a, b := sum("select phone from people order by phone"), sum("select phone from people order by phone desc")
	if a == b || a != sum("select phone from people order by 1") {
		t.Error("the digest does not follow the rows")
	}
}

// secretWord is in every connection string of the tests and must be in no
// error.
const secretWord = "canary-4711"

func TestErrorsHideTheDSN(t *testing.T) {
	refusing, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := refusing.Addr().(*net.TCPAddr).Port
	refusing.Close()
	for _, dsn := range []string{
		fmt.Sprintf("postgres://anneliese:%s@127.0.0.1:%d/crm?sslmode=disable", secretWord, port),
		fmt.Sprintf("host=127.0.0.1 port=%d user=anneliese password=%s dbname=crm", port, secretWord),
		fmt.Sprintf("host=127.0.0.1 port=%d user=anneliese password='%s' dbname=crm", port, secretWord),
		"postgres://anneliese:" + secretWord + "@127.0.0.1:notaport/crm",
		"postgres://anneliese:" + secretWord + "@%zz/crm",
		"password=" + secretWord + " nonsense",
	} {
		_, err := Open(t.Context(), Source{Kind: SQL, Driver: "postgres", DSN: dsn, Query: "select 1"}, Options{})
		if err == nil {
			t.Fatalf("%s: no error", dsn)
		}
		var e *Error
		if !errors.As(err, &e) || strings.Contains(fmt.Sprintf("%v %+v", err, err), secretWord) || strings.Contains(err.Error(), "anneliese") {
			t.Errorf("error of type %T: %v", err, err)
		}
	}
}

// TestASecretFileName checks that if the name of an SQLite file is a secret, no
// error contains it, whatever is wrong with the file.
func TestASecretFileName(t *testing.T) {
	root := sqliteFile(t, crm)
	if err := errors.Join(root.Mkdir(secretWord+".dir", 0o700), root.WriteFile(secretWord+".txt", []byte("no database, but long enough for a header"), 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, dsn := range []string{secretWord + ".db", "file:" + secretWord + ".db?mode=ro", secretWord + ".dir", secretWord + ".txt", "../" + secretWord, secretWord + "/x", strings.Repeat(secretWord, 99)} {
		err := readSource(t.Context(), root, Source{Kind: SQL, Driver: "sqlite", DSN: dsn, HideDSN: true, Query: "select 1 as phone order by 1"})
		if err == nil || strings.Contains(fmt.Sprintf("%v %+v", err, err), secretWord) {
			t.Errorf("%s: %v", dsn, err)
		}
	}
}

func TestPostgres(t *testing.T) {
	dsn := pgtest.Start(t, "ann", "-c fsync=off").As("ann", secretWord)
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, stmt := range []string{
		`create table people (phone text, name varchar(80), visits int, big bigint, price numeric(8,2), score float8, vip bool,
		 seen timestamptz, born date, extra jsonb, tags json, id uuid)`,
		`insert into people values ('+4915112345678', 'Ann', 3, 1234567890123, 19.90, 0.5, true, '2026-02-01 10:00:00Z', '1990-05-01',
		 '{"a": [1]}', '"x"', '6f2c3f0e-6a10-4b5e-9a57-111111111111')`,
		`insert into people (phone) values ('+4915112345679')`,
	} {
		if _, err := db.Exec(stmt); err != nil {
			t.Fatal(err)
		}
	}
	read := func(query string) string {
		return table(t, Source{Kind: SQL, Driver: "postgres", DSN: dsn, Query: query}, Options{})
	}
	got := read("select phone, name, visits, big, price, score, vip, seen at time zone 'utc' as seen, born, extra, tags, id from people order by phone")
	want := "columns phone|name|visits|big|price|score|vip|seen|born|extra|tags|id\n" +
		"1 [+4915112345678] [Ann] 3 1234567890123 19.9 0.5 true [2026-02-01T10:00:00Z] [1990-05-01] {\"a\":[1]} [x] [6f2c3f0e-6a10-4b5e-9a57-111111111111]\n" +
		"2 [+4915112345679] null null null null null null null null null null null\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for query, want := range map[string]string{
		"delete from people returning phone":                    "cannot execute DELETE in a read-only transaction",
		"select phone from poeple order by 1":                   `relation "poeple" does not exist`,
		"select phone, 1 from people order by 1":                "column 2 of the query has no name",
		"select name::int as n from people order by phone":      "data exception 22P02",
		"select 'NaN'::numeric as n order by 1":                 "not a finite number",
		"select n from generate_series(1, 200000) n order by n": "200000 200000",
		"select phone from people":                              "the query has no ORDER BY",
	} {
		if got := read(query); !strings.Contains(got, want) || strings.Contains(got, "Ann") {
			t.Errorf("%s: %.300s; want %s", query, got[max(0, len(got)-300):], want)
		}
	}
	_, err = Open(t.Context(), Source{Kind: SQL, Driver: "postgres", DSN: dsn, Query: "select pg_sleep(60), 1 as phone", Timeout: 100 * time.Millisecond}, Options{})
	if err == nil || !strings.Contains(err.Error(), "did not answer within 100ms") {
		t.Errorf("a query without an end: %v", err)
	}
}

// TestQueryWithoutEnd checks that a query that gives no row, or no next row, is
// stopped, and that the error says how to give it more time. The recursion ends
// after a second or two, since the wait for an SQLite row can't be interrupted.
func TestQueryWithoutEnd(t *testing.T) {
	const endless = "with recursive c(x) as (select 1 union all select x + 1 from c where x < 1000000) "
	root := sqliteFile(t, crm)
	for name, query := range map[string]string{
		"no first row": endless + "select x as phone from c where x < 0 order by x",
		"no next row":  endless + "select x as phone from c where x = 1 or x < 0 -- order by",
	} {
		t.Run(name, func(t *testing.T) {
			err := readSource(t.Context(), root, Source{Kind: SQL, Driver: "sqlite", DSN: "crm.db", Query: query, Timeout: 50 * time.Millisecond})
			var e *Error
			if !errors.As(err, &e) || e.Row || !strings.Contains(err.Error(), "did not answer within 50ms") || !strings.Contains(err.Error(), `timeout = "30m"`) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// An interrupt also ends the wait for a row, and is reported as an interrupt.
func TestQueryInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	root := sqliteFile(t, crm)
	r, err := Open(ctx, Source{Kind: SQL, Driver: "sqlite", DSN: "crm.db", Query: "select phone from people order by phone"}, Options{Root: root})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cancel()
	for _, err = range r.Rows() {
		if err != nil {
			break
		}
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// readSource reads a source to its end or first error.
func readSource(ctx context.Context, root *os.Root, src Source) error {
	r, err := Open(ctx, src, Options{Root: root})
	if err != nil {
		return err
	}
	return readAll(r)
}
