package audience

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"modernc.org/sqlite"               // and the driver "sqlite"

	"github.com/handbill/handbill/message"
)

// sqlRows are the rows of a query, read in one read-only transaction.
type sqlRows struct {
	db     *sql.DB
	conn   *sql.Conn
	tx     *sql.Tx
	rows   *sql.Rows
	names  []string
	types  []string // the database's names of the columns' types
	cells  []any
	scan   []any // pointers into cells
	hash   *rowHash
	secret func(string) string
	value  func(cell any, typ string) (message.Value, error)
	said   []string
	line   int
	wait   *patience
	deaf   bool // the library does not notice a cancelled context between rows
	lost   bool // a goroutine still waits for a row
}

// openSQL connects, runs the query and reads the names of its columns.
func openSQL(ctx context.Context, src Source, root *os.Root) (rows, error) {
	if strings.TrimSpace(src.Query) == "" {
		return nil, &Error{Summary: "no query", Detail: "The source needs the query that selects the contacts."}
	}
	r := &sqlRows{secret: redactor(src.DSN), value: cellValue}
	r.wait, ctx = newPatience(ctx, cmp.Or(src.Timeout, defaultTimeout))
	err := r.open(ctx, src, root)
	r.wait.pause()
	if err != nil {
		_ = r.close() // the first error is the one to report
		return nil, err
	}
	if !ordered(src.Query) {
		r.said = append(r.said, "the query has no ORDER BY: the database may give the rows in another order each time, and two plans of the same data then differ")
	}
	return r, nil
}

func (r *sqlRows) open(ctx context.Context, src Source, root *os.Root) (err error) {
	switch src.Driver {
	case "postgres":
		r.db, err = sql.Open("pgx", src.DSN)
	case "mysql":
		if err = mysqlReads(src.Query); err != nil {
			return err
		}
		var password string
		r.db, password, err = openMySQL(src.DSN)
		r.secret, r.value = redactor(src.DSN, password), mysqlValue
	case "sqlite":
		r.deaf = true
		if r.db, err = openSQLite(src.DSN, root); err != nil && src.HideDSN {
			err = nameless(err)
		}
	default:
		return &Error{Summary: sprintf("unknown driver %q", src.Driver), Detail: `Known are "postgres", "mysql" and "sqlite".`}
	}
	if err != nil {
		return r.fail(0, "the database cannot be opened", err)
	}
	if r.conn, err = r.db.Conn(ctx); err != nil {
		return r.fail(0, "no connection to the database", err)
	}
	opts := &sql.TxOptions{}
	if src.Driver != "sqlite" {
		opts = &sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead}
	} else if err = noAttach(r.conn); err != nil {
		return r.fail(0, "the database cannot be opened", err)
	}
	if r.tx, err = r.conn.BeginTx(ctx, opts); err != nil {
		return r.fail(0, "no transaction on the database", err)
	}
	if r.rows, err = r.tx.QueryContext(ctx, src.Query); err != nil {
		return r.fail(0, "the query failed", err)
	}
	return r.describe()
}

// openSQLite opens the file for reading only.
func openSQLite(dsn string, root *os.Root) (*sql.DB, error) {
	path := strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(dsn, "sqlite:"), "file:"), "//")
	path, _, _ = strings.Cut(path, "?")
	root, done, err := rootOf(root)
	if err != nil {
		return nil, err
	}
	defer done()
	rel, _, err := statInside(root, path)
	if err != nil {
		return nil, err
	}
	name, err := filepath.Abs(filepath.Join(root.Name(), rel))
	if err != nil {
		return nil, err
	}
	uri := url.URL{Scheme: "file", Path: filepath.ToSlash(name), RawQuery: "mode=ro&_pragma=query_only(1)&_pragma=busy_timeout(5000)"}
	return sql.Open("sqlite", uri.String())
}

// nameless removes the file's name from an error about it.
func nameless(err error) error {
	var own *Error
	if !errors.As(err, &own) {
		return &Error{Summary: "the database cannot be opened", Detail: "The dsn is sensitive, so the reason is not shown."}
	}
	return &Error{Summary: "the file that the dsn names: " + own.Summary, Detail: "The dsn is sensitive, so its name is not shown."}
}

// noAttach keeps a query from opening other files.
func noAttach(conn *sql.Conn) error {
	const limitAttached = 7 // SQLITE_LIMIT_ATTACHED, https://www.sqlite.org/c3ref/c_limit_attached.html
	_, err := sqlite.Limit(conn, limitAttached, 0)
	return err
}

// describe reads the columns' names and types.
func (r *sqlRows) describe() error {
	types, err := r.rows.ColumnTypes()
	if err != nil {
		return r.fail(0, "the query failed", err)
	}
	seen := map[string]int{}
	for i, t := range types {
		name := t.Name()
		if name == "" || name == "?column?" {
			return &Error{Summary: sprintf("column %d of the query has no name", i+1), Detail: "Give it one in the query: AS name."}
		}
		if first, twice := seen[name]; twice {
			return &Error{Summary: sprintf("columns %d and %d of the query are both named %q", first, i+1, name), Detail: "Give one of them another name in the query: AS name."}
		}
		seen[name] = i + 1
		r.names = append(r.names, name)
		r.types = append(r.types, strings.ToUpper(t.DatabaseTypeName()))
	}
	r.cells, r.scan = make([]any, len(types)), make([]any, len(types))
	for i := range r.cells {
		r.scan[i] = &r.cells[i]
	}
	r.hash = newRowHash(r.names)
	return nil
}

func (r *sqlRows) columns() []string { return r.names }

func (r *sqlRows) next(dst []message.Value) (int, error) {
	r.line++
	more := r.advance()
	if r.lost || r.wait.ended() {
		return r.line, r.fail(r.line, "", context.Canceled)
	}
	if !more {
		if err := r.rows.Err(); err != nil {
			return r.line, r.fail(r.line, "the query failed", err)
		}
		return r.line, io.EOF
	}
	if err := r.rows.Scan(r.scan...); err != nil {
		return r.line, r.fail(r.line, "the row cannot be read", err)
	}
	for i, cell := range r.cells {
		v, err := r.value(cell, r.types[i])
		if err != nil {
			return r.line, &Error{Place: message.Place{Line: r.line}, Summary: sprintf("column %q: %v", r.names[i], err), Row: true}
		}
		dst[i] = v
	}
	r.hash.add(dst)
	return r.line, nil
}

// advance goes to the next row. The library for SQLite does not notice a
// cancelled context between rows. So a row that does not come is abandoned, with
// everything that belongs to it, until it comes or the process ends.
func (r *sqlRows) advance() bool {
	r.wait.resume()
	defer r.wait.pause()
	if !r.deaf {
		return r.rows.Next()
	}
	next := make(chan bool, 1)
	go func() { next <- r.rows.Next() }()
	select {
	case more := <-next:
		return more
	case <-r.wait.done:
		r.lost = true
		return false
	}
}

func (r *sqlRows) notes() []string { return r.said }

func (r *sqlRows) digest() [32]byte { return r.hash.sum() }

func (r *sqlRows) close() error {
	defer r.wait.end() // last: a transaction whose context ends is rolled back by another goroutine
	if r.lost {
		return nil // what the goroutine works with must stay open
	}
	if r.rows != nil {
		_ = r.rows.Close() // its error was the last row's
	}
	if r.tx != nil {
		_ = r.tx.Rollback() // nothing was written
	}
	if r.conn != nil {
		_ = r.conn.Close()
	}
	if r.db == nil {
		return nil
	}
	return r.db.Close()
}

// fail describes an error of the database without the connection string and
// without data.
func (r *sqlRows) fail(line int, summary string, err error) error {
	var own *Error
	if errors.As(err, &own) {
		return own
	}
	if r.wait.over.Load() {
		return &Error{Place: message.Place{Line: line}, Summary: "the database did not answer within " + r.wait.limit.String(),
			Detail: "Is the query right, and does it end? If it needs more time, say so in the source: timeout = \"30m\".", Err: err}
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return &Error{Place: message.Place{Line: line}, Summary: summary, Detail: r.secret(reason(err))}
}

// reason is the database's message, as far as it may be shown.
func reason(err error) string {
	var (
		my    *mysql.MySQLError
		pg    *pgconn.PgError
		parse *pgconn.ParseConfigError
		dns   *net.DNSError
		op    *net.OpError
	)
	switch {
	case errors.As(err, &my) && strings.HasPrefix(string(my.SQLState[:]), "22"):
		return sprintf("data exception %d (see the list of errors of MySQL or MariaDB)", my.Number) // its message quotes the data
	case errors.As(err, &my):
		return sprintf("%s (%d)", my.Message, my.Number)
	case errors.Is(err, mysql.ErrNoTLS):
		return "the server has no TLS, which the dsn asks for"
	case errors.As(err, &pg) && strings.HasPrefix(pg.Code, "22"):
		return "data exception " + pg.Code + " (see PostgreSQL's list of error codes)" // its message quotes the data
	case errors.As(err, &pg):
		return pg.Message + " (" + pg.Code + ")"
	case errors.As(err, &parse):
		return "the dsn cannot be understood; it looks like postgres://USER:PASSWORD@HOST/DATABASE"
	case errors.As(err, &dns):
		return "the server's name cannot be resolved"
	case errors.As(err, &op):
		return op.Err.Error()
	}
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) {
		return "the server cannot be reached, or refuses the connection"
	}
	return err.Error()
}

// redactor hides the connection string, the password in it, and further words, in
// a text that a library made.
func redactor(dsn string, words ...string) func(string) string {
	const shortest = 3
	hide := append(words, dsn)
	if u, err := url.Parse(dsn); err == nil && u.User != nil {
		if password, ok := u.User.Password(); ok {
			hide = append(hide, password, url.QueryEscape(password))
		}
	}
	if m := passwordWord().FindStringSubmatch(dsn); m != nil {
		hide = append(hide, strings.Trim(m[1], "'"))
	}
	return func(text string) string {
		for _, word := range hide {
			if len(word) >= shortest {
				text = strings.ReplaceAll(text, word, "…")
			}
		}
		return text
	}
}

func passwordWord() *regexp.Regexp {
	return regexp.MustCompile(`(?i)\bpassword\s*=\s*('[^']*'|[^\s&]+)`)
}

// ordered reports whether the query has an ORDER BY outside of comments and
// strings.
func ordered(query string) bool {
	quiet := regexp.MustCompile(`(?s)--[^\n]*|/\*.*?\*/|'[^']*'`).ReplaceAllString(query, " ")
	return regexp.MustCompile(`(?i)\border\s+by\b`).MatchString(quiet)
}
