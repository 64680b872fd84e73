package postgres

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// pipeline are statements that go to the database in one round trip. If one fails,
// those behind it are not executed.
type pipeline []*statement

// statement is a statement of a pipeline. Its texts have been cleaned.
type statement struct {
	sql  string
	args []any
	rows func(pgx.Rows) error // reads what it returns; nil for nothing
	tag  pgconn.CommandTag    // what it did, after it was executed

	// known describes a statement that needs no description by the database.
	known *pgconn.StatementDescription
}

func (p *pipeline) add(sql string, args ...any) *statement {
	st := &statement{sql: sql, args: args}
	*p = append(*p, st)
	return st
}

// plain adds a statement that returns nothing and has no parameters.
func (p *pipeline) plain(sql string) *statement {
	st := p.add(sql)
	st.known = &pgconn.StatementDescription{SQL: sql}
	return st
}

// session is how a pipeline is sent on one connection.
type session struct {
	s *Store
	c *pgx.Conn

	// named are the statements that were prepared on the connection, by their text; nil
	// where statements have no names.
	named map[string]*pgconn.StatementDescription
}

// preparedKey is where a connection that is no pooler's keeps session.named.
const preparedKey = "handbill: prepared"

// markDirect makes named statements possible on a connection that goes to the database
// itself. A pooler may give each transaction another connection; it has to tell its
// clients process numbers of its own, since they cancel by them.
func markDirect(ctx context.Context, c *pgx.Conn) error {
	var pid uint32
	if err := c.QueryRow(ctx, "SELECT pg_backend_pid()", pgx.QueryExecModeSimpleProtocol).Scan(&pid); err != nil {
		return err
	}
	if pid == c.PgConn().PID() {
		c.PgConn().CustomData()[preparedKey] = map[string]*pgconn.StatementDescription{}
	}
	return nil
}

// plainly returns the session of a connection on which each execution of a statement
// is planned anew.
func (s *Store) plainly(c *pgx.Conn) *session { return &session{s: s, c: c} }

// byPlan returns the session of a connection on which plans are made once, if it is no
// pooler's. A plan that is kept may have been made while tables were empty, so this is
// for transactions with byKey alone, whose plans do not depend on that.
func (s *Store) byPlan(c *pgx.Conn) *session {
	out := s.plainly(c)
	if !s.pooled.Load() {
		out.named, _ = c.PgConn().CustomData()[preparedKey].(map[string]*pgconn.StatementDescription)
	}
	return out
}

// described returns how the database described a statement; nil where it has not. The
// types are the database's own, so a description holds for all connections.
func (e *session) described(st *statement) *pgconn.StatementDescription {
	switch {
	case st.known != nil:
		return st.known
	case e.named != nil:
		return e.named[st.sql]
	}
	d, _ := e.s.descriptions.Load(st.sql)
	sd, _ := d.(*pgconn.StatementDescription)
	return sd
}

// undescribed returns the texts of the statements that need a description, each once.
func (e *session) undescribed(p pipeline) (list []string) {
	seen := map[string]bool{}
	for _, st := range p {
		if !seen[st.sql] && e.described(st) == nil {
			seen[st.sql], list = true, append(list, st.sql)
		}
	}
	return list
}

// send executes statements in one round trip, and one more for those that were never
// executed before.
func (e *session) send(ctx context.Context, p pipeline) error {
	if err := e.prepare(ctx, e.undescribed(p)); err != nil {
		return err
	}
	wire := e.c.PgConn().StartPipeline(ctx)
	err := e.exchange(wire, p)
	if end := wire.Close(); err == nil {
		err = end
	}
	if err != nil {
		e.s.descriptions.Clear() // it may be that the tables were changed
	}
	if unprepared(err) {
		e.s.pooled.Store(true)
	}
	return err
}

// prepare has the database describe statements.
func (e *session) prepare(ctx context.Context, list []string) error {
	if len(list) == 0 {
		return nil
	}
	wire := e.c.PgConn().StartPipeline(ctx)
	all := make([]*pgconn.StatementDescription, len(list))
	for i, sql := range list {
		all[i] = &pgconn.StatementDescription{SQL: sql}
		if e.named != nil {
			all[i].Name = fmt.Sprint("handbill_", len(e.named)+i)
		}
		wire.SendPrepare(all[i].Name, sql, nil)
	}
	err := wire.Sync()
	for i := 0; i < len(list) && err == nil; i++ {
		var got *pgconn.StatementDescription
		if got, err = result[*pgconn.StatementDescription](wire); err != nil {
			break
		}
		all[i].ParamOIDs, all[i].Fields = got.ParamOIDs, got.Fields
		if e.named != nil {
			e.named[list[i]] = all[i]
		} else {
			e.s.descriptions.Store(list[i], all[i])
		}
	}
	if end := wire.Close(); err == nil {
		err = end
	}
	if unprepared(err) {
		e.s.pooled.Store(true)
	}
	return err
}

func (e *session) exchange(wire *pgconn.Pipeline, p pipeline) error {
	types := e.c.TypeMap()
	var build pgx.ExtendedQueryBuilder
	for _, st := range p {
		sd := e.described(st)
		if sd == nil {
			return fmt.Errorf("a statement was never described")
		}
		if err := build.Build(types, sd, st.args); err != nil {
			return err
		}
		if sd.Name == "" {
			wire.SendQueryParams(st.sql, build.ParamValues, sd.ParamOIDs, build.ParamFormats, build.ResultFormats)
		} else {
			wire.SendQueryStatement(sd, build.ParamValues, build.ParamFormats, slices.Clone(build.ResultFormats)) // it keeps them
		}
	}
	if err := wire.Sync(); err != nil {
		return err
	}
	for _, st := range p {
		r, err := result[*pgconn.ResultReader](wire)
		if err != nil {
			return err
		}
		if st.rows != nil {
			if err := st.rows(pgx.RowsFromResultReader(types, r)); err != nil {
				return err
			}
		}
		tag, err := r.Close()
		if err != nil {
			return err
		}
		st.tag = tag
	}
	return nil
}

// result reads the next result of a pipeline.
func result[T any](wire *pgconn.Pipeline) (t T, err error) {
	got, err := wire.GetResults()
	if err != nil {
		return t, err
	}
	t, ok := got.(T)
	if !ok {
		return t, fmt.Errorf("the database answered with %T", got)
	}
	return t, nil
}
