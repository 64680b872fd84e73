package audience

import (
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/internal/mariatest"
)

func TestMySQL(t *testing.T) {
	socket := mariatest.Start(t)
	db, err := sql.Open("mysql", "root@unix("+socket+")/")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, stmt := range []string{
		"create database crm character set utf8mb4",
		"create user ann@localhost identified by '" + secretWord + "'",
		"grant select, delete, drop, insert on crm.* to ann@localhost",
		`create table crm.people (phone varchar(20), name text, visits int, big bigint unsigned, price decimal(8,2), ratio float, score double,
		 vip boolean, flags bit(9), seen timestamp null, born date, wrote datetime, tier enum('gold', 'silver'))`,
		"set time_zone = '+02:00'",
		`insert into crm.people values ('+4915112345678', 'Ann 🌷', 3, 18446744073709551615, 19.90, 0.1, 0.5, true, b'100000001',
		 '2026-02-01 12:00:00', '1990-05-01', '2026-02-03 09:30:00', 'gold')`,
		"insert into crm.people (phone) values ('+4915112345679')",
		"set sql_mode = ''",
		"insert into crm.people (phone, born, wrote) values ('+4915112345680', '0000-00-00', '0000-00-00 00:00:00')",
		"create table crm.blobs (phone varchar(20), b blob)",
		"insert into crm.blobs values ('1', 'text in bytes'), ('2', null)",
	} {
		if _, err := db.Exec(stmt); err != nil {
			t.Fatal(err)
		}
	}
	read := func(dsn, query string) string {
		return table(t, Source{Kind: SQL, Driver: "mysql", DSN: dsn, Query: query}, Options{})
	}
	own := fmt.Sprintf("ann:%s@unix(%s)/crm?multiStatements=true&parseTime=true&time_zone=%s", secretWord, socket, url.QueryEscape("'+05:00'"))
	byURL := fmt.Sprintf("mysql://ann:%s@localhost/crm?socket=%s", secretWord, url.QueryEscape(socket))
	want := "columns phone|name|visits|big|price|ratio|score|vip|flags|seen|born|wrote|tier\n" +
		"1 [+4915112345678] [Ann 🌷] 3 18446744073709551615 19.9 0.1 0.5 1 257 [2026-02-01T10:00:00Z] [1990-05-01] [2026-02-03T09:30:00] [gold]\n" +
		"2 [+4915112345679] null null null null null null null null null null null null\n" +
		"3 [+4915112345680] null null null null null null null null null null null null\n"
	for _, dsn := range []string{own, byURL} {
		if diff := cmp.Diff(want, read(dsn, "select * from people order by phone")); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	}
	for query, want := range map[string]string{
		"select * from blobs order by phone":                    "error row 1: column \"b\": bytes, not text; convert it in the query\n2 [2] null\n",
		"with x as (select 1 as a) delete from people":          "(1064)",
		"select phone from people order by 1; drop table blobs": "(1064)",
		"select phone from people order by 1 for update":        "READ ONLY transaction (1792)",
		"select phone from poeple order by 1":                   "Table 'crm.poeple' doesn't exist (1146)",
		"select big + 1 as n from people order by phone":        "data exception 1690",
		"select phone, phone from people order by 1":            `columns 1 and 2 of the query are both named "phone"`,
		"select seq as n from seq_1_to_200000 order by n":       "200000 200000",
		"select phone from people":                              "the query has no ORDER BY",
	} {
		if got := read(own, query); !strings.Contains(got, want) || strings.Contains(got, "Ann") {
			t.Errorf("%s: %.300s; want %s", query, got[max(0, len(got)-300):], want)
		}
	}
	if got := read(own, "select count(*) as n from people, blobs order by n"); got != "columns n\n1 6\n" {
		t.Errorf("a query changed something: %s", got)
	}
	for _, query := range []string{
		"drop table people", "delete from people", "-- x\n drop table people", "# select\ndrop table people", "/* select */ drop table people", "/*! drop table people */",
		"/*M! drop table people */", "selection", "call p()", "/* select", "#", "load data local infile '/etc/passwd' into table blobs", "explain select 1",
	} {
		if got := read(own, query); !strings.Contains(got, "does not begin with SELECT") {
			t.Errorf("%s: %s", query, got)
		}
	}
	for _, query := range []string{"(select 1 as n)", "/* x */ -- y\n# z\n SELECT 1 as n", "with x as (select 1 as n) select n from x", "values (1)"} {
		if got := read(own, query); !strings.Contains(got, "\n1 1\n") {
			t.Errorf("%s: %s", query, got)
		}
	}
	_, err = Open(t.Context(), Source{Kind: SQL, Driver: "mysql", DSN: own, Query: "select sleep(60) as phone", Timeout: 100 * time.Millisecond}, Options{})
	if err == nil || !strings.Contains(err.Error(), "did not answer within 100ms") {
		t.Errorf("a query without an end: %v", err)
	}
	for _, dsn := range []string{
		strings.Replace(own, secretWord, "wrong-"+secretWord, 1), strings.Replace(byURL, secretWord, "wrong-"+secretWord, 1),
	} {
		if got := read(dsn, "select 1 as n"); !strings.Contains(got, "Access denied") || strings.Contains(got, secretWord) {
			t.Error(got)
		}
	}
}

func TestErrorsHideTheDSNOfMySQL(t *testing.T) {
	refusing, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := refusing.Addr().String()
	refusing.Close()
	for _, dsn := range []string{
		fmt.Sprintf("mysql://anneliese:%s@%s/crm", secretWord, address),
		fmt.Sprintf("mariadb://anneliese:%s@%s/crm?ssl-mode=REQUIRED", secretWord, address),
		fmt.Sprintf("mysql://anneliese:%s@%s/crm?ssl-mode=MAYBE", secretWord, address),
		fmt.Sprintf("anneliese:%s@tcp(%s)/crm", secretWord, address),
		fmt.Sprintf("anneliese:%s@tcp(%s)/crm?tls=%s", secretWord, address, secretWord),
		"anneliese:" + secretWord + "@nothing",
		"mysql://anneliese:" + secretWord + "@127.0.0.1:notaport/crm",
		"mysql://anneliese:" + secretWord + "@%zz/crm",
		"mysql://anneliese:x@127.0.0.1/crm?" + secretWord + "=%zz",
	} {
		_, err := Open(t.Context(), Source{Kind: SQL, Driver: "mysql", DSN: dsn, Query: "select 1"}, Options{})
		var e *Error
		if !errors.As(err, &e) || strings.Contains(fmt.Sprintf("%v %+v", err, err), secretWord) || strings.Contains(err.Error(), "anneliese") {
			t.Errorf("%s: error of type %T: %v", dsn, err, err)
		}
	}
}

// TestMySQLIsEncrypted checks that a server on another machine is asked for TLS
// unless the dsn says otherwise.
func TestMySQLIsEncrypted(t *testing.T) {
	for dsn, want := range map[string]string{
		"mysql://u:p@db.example.com/crm":                     "db.example.com:3306 preferred",
		"mysql://u:p@db.example.com:3307/crm":                "db.example.com:3307 preferred",
		"mysql://u:p@[2001:db8::1]/crm":                      "[2001:db8::1]:3306 preferred",
		"u:p@tcp(db.example.com:3306)/crm":                   "db.example.com:3306 preferred",
		"u:p@tcp(db.example.com:3306)/crm?tls=true":          "db.example.com:3306 true",
		"mysql://u:p@db.example.com/crm?ssl-mode=DISABLED":   "db.example.com:3306 false",
		"mysql://u:p@db.example.com/crm?ssl-mode=verify_ca":  "db.example.com:3306 true",
		"mysql://u:p@127.0.0.1/crm":                          "127.0.0.1:3306 ",
		"mysql://u:p@localhost/crm":                          "localhost:3306 ",
		"mysql://u:p@[::1]:3306/crm":                         "[::1]:3306 ",
		"mysql://u:p@db.example.com/crm?socket=/run/s&a=b":   "/run/s ",
		"mysql://u:p@db.example.com/crm?tls=skip-verify&a=b": "db.example.com:3306 skip-verify",
	} {
		cfg, err := mysqlConfig(dsn)
		if err != nil {
			t.Fatal(err)
		}
		if got := cfg.Addr + " " + cfg.TLSConfig; got != want {
			t.Errorf("%s: %s; want %s", dsn, got, want)
		}
	}
}
