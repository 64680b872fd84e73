package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

var errClosed = errors.New("the state is closed")

// errLost is wrapped if a connection was lost and nothing was committed.
var errLost = errors.New("the connection to the database was lost")

// SQLSTATEs; source: PostgreSQL 15, appendix A, read 2026-11-29.
const (
	readOnlyServer = "25006"
	noTable        = "42P01"
	noSchema       = "3F000"
	noRight        = "42501"
	noDatabase     = "3D000"
	noRole         = "28000"
	noPassword     = "28P01"
	diskFull       = "53100"
	tooMany        = "53300"
)

func codeOf(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}

// lost reports whether the database is away or just coming back, so that a retry may
// work soon.
func lost(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, errClosed) {
		return false
	}
	if errors.Is(err, errLost) {
		return true
	}
	if code := codeOf(err); code != "" {
		// Shut down, starting up, or become a standby.
		return strings.HasPrefix(code, "08") || strings.HasPrefix(code, "57P") || code == readOnlyServer
	}
	var (
		op      net.Error
		connect *pgconn.ConnectError
	)
	return errors.As(err, &connect) || errors.As(err, &op) || pgconn.SafeToRetry(err) || strings.Contains(err.Error(), "unexpected EOF") || strings.Contains(err.Error(), "conn closed")
}

// conflicted reports whether a transaction conflicted with another one and can be
// run again.
func conflicted(err error) bool {
	code := codeOf(err)
	return code == "40001" || code == "40P01" || errors.Is(err, errRolledBack) || unprepared(err)
}

// unprepared reports whether the database does not know a statement that was prepared,
// or knows another one, because a pooler is between that looks like the database.
func unprepared(err error) bool {
	code := codeOf(err)
	return code == "26000" || code == "42P05"
}

// named adds to an error what was being done.
func named(err error, what string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

// describe turns a database error into one for people: what is wrong and what to do.
// It holds nothing of the connection string.
func (s *Store) describe(err error) error {
	var pg *pgconn.PgError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &pg):
		return s.refused(pg)
	case lost(err):
		return fmt.Errorf("%w: %w", errGoneAway, reason(err))
	}
	return err
}

// errGoneAway is returned when the database does not answer.
var errGoneAway = errors.New("the database of the state does not answer; what was not committed is not in the state, and nothing more is sent. Run the command again when it is back")

// refused describes the database's answer.
func (s *Store) refused(pg *pgconn.PgError) error {
	told := fmt.Errorf("%s (%s)", pg.Message, pg.Code)
	if strings.HasPrefix(pg.Code, "22") || strings.HasPrefix(pg.Code, "23") {
		told = fmt.Errorf("an error %s of the database", pg.Code) // its words quote what was written
	}
	switch pg.Code {
	case noTable, noSchema:
		return fmt.Errorf("the schema %q holds no state any more, or a part of one: %w. Restore the database from its backup", s.schema(), told)
	case noRight:
		return fmt.Errorf("the role has no right to do this: %w. docs/shared-state.md has the grants", told)
	case noDatabase:
		return fmt.Errorf("there is no such database: %w. Make it first (createdb), or set the url right", told)
	case noRole, noPassword:
		return fmt.Errorf("the database does not let this role in: %w. Is the url of the state right?", told)
	case diskFull:
		return fmt.Errorf("the database has no room left, and nothing was written: %w. Make room, and run the command again", told)
	case tooMany:
		return fmt.Errorf("the database has no connection left: %w. Raise max_connections, or use a pooler", told)
	case readOnlyServer:
		return fmt.Errorf("the database takes no writes, as a standby: %w. Set the url to the primary", told)
	}
	return told
}

// reason returns why there is no connection, without quoting the connection string.
func reason(err error) error {
	var (
		dns *net.DNSError
		op  *net.OpError
		pg  *pgconn.PgError
	)
	switch {
	case errors.As(err, &pg):
		return fmt.Errorf("%s (%s)", pg.Message, pg.Code)
	case errors.As(err, &dns):
		return errors.New("the server's name cannot be resolved")
	case errors.As(err, &op):
		return op.Err
	case strings.Contains(err.Error(), "tls"), strings.Contains(err.Error(), "x509"), strings.Contains(err.Error(), "certificate"):
		return errors.New("the server's certificate is not accepted; sslrootcert in the url names the authority")
	case strings.Contains(err.Error(), "EOF"), strings.Contains(err.Error(), "closed"):
		return errors.New("it closed the connection")
	}
	return errors.New("it can't be reached")
}
