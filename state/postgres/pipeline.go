package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
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

// plain adds a statement that returns nothing and has texts as parameters.
func (p *pipeline) plain(sql string, args ...any) *statement {
	st := p.add(sql, args...)
	st.known = &pgconn.StatementDescription{SQL: sql, ParamOIDs: make([]uint32, len(args))}
	for i := range args {
		st.known.ParamOIDs[i] = pgtype.TextOID
	}
	return st
}

// described returns how the database described a statement; nil where it has not. The
// types are the database's own, so a description holds for all connections.
func (s *Store) described(st *statement) *pgconn.StatementDescription {
	if st.known != nil {
		return st.known
	}
	d, _ := s.descriptions.Load(st.sql)
	sd, _ := d.(*pgconn.StatementDescription)
	return sd
}

// undescribed returns the texts of the statements that need a description, each once.
func (s *Store) undescribed(p pipeline) (list []string) {
	seen := map[string]bool{}
	for _, st := range p {
		if !seen[st.sql] && s.described(st) == nil {
			seen[st.sql], list = true, append(list, st.sql)
		}
	}
	return list
}

// send executes statements in one round trip, and one more for those that were never
// executed before. Like pgx it prepares no named ones: a pooler may give each
// transaction another connection.
func (s *Store) send(ctx context.Context, c *pgx.Conn, p pipeline) error {
	if err := s.ask(ctx, c, s.undescribed(p)); err != nil {
		return err
	}
	wire := c.PgConn().StartPipeline(ctx)
	err := s.exchange(wire, c.TypeMap(), p)
	if end := wire.Close(); err == nil {
		err = end
	}
	if err != nil {
		s.descriptions.Clear() // it may be that the tables were changed
	}
	return err
}

// ask has the database describe statements.
func (s *Store) ask(ctx context.Context, c *pgx.Conn, list []string) error {
	if len(list) == 0 {
		return nil
	}
	wire := c.PgConn().StartPipeline(ctx)
	for _, sql := range list {
		wire.SendPrepare("", sql, nil)
	}
	err := wire.Sync()
	for i := 0; i < len(list) && err == nil; i++ {
		var sd *pgconn.StatementDescription
		if sd, err = result[*pgconn.StatementDescription](wire); err == nil {
			s.descriptions.Store(list[i], sd)
		}
	}
	if end := wire.Close(); err == nil {
		err = end
	}
	return err
}

func (s *Store) exchange(wire *pgconn.Pipeline, types *pgtype.Map, p pipeline) error {
	var build pgx.ExtendedQueryBuilder
	for _, st := range p {
		sd := s.described(st)
		if sd == nil {
			return fmt.Errorf("a statement was never described")
		}
		if err := build.Build(types, sd, st.args); err != nil {
			return err
		}
		wire.SendQueryParams(st.sql, build.ParamValues, sd.ParamOIDs, build.ParamFormats, build.ResultFormats)
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
