package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// newestFormat is the format that this version writes: the number of its last
// migration.
const newestFormat = 7

//go:embed migrations/*.sql
var migrations embed.FS

// errThere is returned if a state would be created, but one exists.
var errThere = errors.New("there is a state already")

// Create creates a new state, and the schema if needed. It fails if the schema
// already holds a state.
func Create(ctx context.Context, o Options) (*Store, error) {
	lineage, err := newLineage(o.Rand)
	if err != nil {
		return nil, err
	}
	err = inSchema(ctx, o, false, func(s *Store, c *pgx.Conn, format int) error {
		if format > 0 {
			return errThere
		}
		if err := step(ctx, c, 1, newestFormat); err != nil {
			return err
		}
		_, err := c.Exec(ctx, "INSERT INTO meta (format, lineage, serial, epoch, latest, place) SELECT $1, $2, 0, 0, $3, "+here, newestFormat, lineage, o.Clock().UnixMilli())
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("making the state: %w", err)
	}
	return Open(ctx, o)
}

// Migrate brings a state that an older handbill wrote up to date, in one
// transaction. It does not change other states.
func Migrate(ctx context.Context, o Options) error {
	err := inSchema(ctx, o, false, func(_ *Store, c *pgx.Conn, format int) error {
		if format == 0 || format >= newestFormat {
			return nil
		}
		if err := step(ctx, c, format+1, newestFormat); err != nil {
			return err
		}
		_, err := c.Exec(ctx, "UPDATE meta SET format = $1", newestFormat)
		return err
	})
	return named(err, "migrating the state")
}

// inSchema runs work in a transaction that changes tables: one at a time. Unless
// drafts are wanted, a schema with one is refused.
func inSchema(ctx context.Context, o Options, drafts bool, work func(s *Store, c *pgx.Conn, format int) error) error {
	s, err := connect(ctx, o)
	if err != nil {
		return err
	}
	defer s.Close()
	return s.describe(s.once(ctx, func(c *pgx.Conn) error {
		if err := s.begin(ctx, c, beginWrite, idleRead); err != nil {
			return err
		}
		if _, err := c.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtext($1))", "handbill "+s.schema()); err != nil {
			return err
		}
		if err := s.makeSchema(ctx, c); err != nil {
			return err
		}
		var format int
		var there bool
		if err := c.QueryRow(ctx, "SELECT to_regclass('meta') IS NOT NULL").Scan(&there); err != nil {
			return err
		}
		if there {
			err := c.QueryRow(ctx, "SELECT format FROM meta FOR UPDATE").Scan(&format)
			if err != nil && !(drafts && errors.Is(err, pgx.ErrNoRows)) {
				return unfinished(err)
			}
		}
		if err := work(s, c, format); err != nil {
			return err
		}
		_, err := c.Exec(ctx, "commit", pgx.QueryExecModeSimpleProtocol)
		return err
	}))
}

// makeSchema creates the schema if there is none. A role without that right can use
// a schema that somebody created for it.
func (s *Store) makeSchema(ctx context.Context, c *pgx.Conn) error {
	var there bool
	if err := c.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1)", s.schema()).Scan(&there); err != nil || there {
		return err
	}
	_, err := c.Exec(ctx, "CREATE SCHEMA "+pgx.Identifier{s.schema()}.Sanitize())
	return err
}

// migration is the file of the migration to a format.
func migration(format int) string { return fmt.Sprintf("migrations/%03d.sql", format) }

// step runs the migrations of some formats.
func step(ctx context.Context, c *pgx.Conn, from, to int) error {
	for format := from; format <= to; format++ {
		sql, err := migrations.ReadFile(migration(format))
		if err != nil {
			return err
		}
		if _, err := c.Exec(ctx, string(sql), pgx.QueryExecModeSimpleProtocol); err != nil {
			return err
		}
	}
	return nil
}

// unfinished is errDraft where a query of meta found no row.
func unfinished(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return errDraft
	}
	return err
}
