package sqlite

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"zombiezen.com/go/sqlite"
)

// maxProblems bounds a report: a broken file may have millions of problems.
const maxProblems = 100

// Verify reads everything and reports whatever is not what was written: rows
// by their checksums, lost and added rows by the ledger, pages and indexes by
// SQLite's own check.
func (s *Store) Verify(ctx context.Context) (Report, error) {
	var r Report
	err := s.read(ctx, func(c *conn) error {
		if err := r.pages(c); err != nil {
			return err
		}
		if err := r.schema(c); err != nil {
			return err
		}
		for tab := tMeta; int(tab) < len(tables); tab++ {
			if err := r.table(c, s.key, tab); err != nil {
				r.add(Problem{Table: tab.String(), What: describe(err).Error()})
				if ctx.Err() != nil {
					return ctx.Err()
				}
			}
		}
		return r.blocks(c)
	})
	if err != nil && ctx.Err() == nil {
		r.add(Problem{What: describe(err).Error()})
		err = nil
	}
	return r, err
}

// add adds a problem, up to maxProblems.
func (r *Report) add(p Problem) {
	if len(r.Problems) < maxProblems {
		r.Problems = append(r.Problems, p)
	}
}

// pages runs SQLite's check of the file's structure.
func (r *Report) pages(c *conn) error {
	return c.eachNested(fmt.Sprintf("PRAGMA integrity_check(%d)", maxProblems), func(st *sqlite.Stmt) error {
		if text := st.ColumnText(0); text != "ok" {
			r.add(Problem{What: text})
		}
		return nil
	})
}

// schema compares the definitions of tables, indexes and triggers with those
// of a new state.
func (r *Report) schema(c *conn) (err error) {
	fresh, err := openMemory()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, fresh.Close()) }()
	for version := 1; version <= format; version++ {
		if err := fresh.migrate(version); err != nil {
			return err
		}
	}
	want, err := fresh.schema()
	if err != nil {
		return err
	}
	got, err := c.schema()
	if err == nil && !maps.Equal(want, got) {
		r.add(Problem{What: "the definitions of its tables are not those of a state"})
	}
	return err
}

// schema reads the definitions of tables, indexes and triggers by name. It leaves
// out the statistics that ANALYZE makes, which any SQLite tool may run.
func (c *conn) schema() (map[string]string, error) {
	out := map[string]string{}
	err := c.eachNested("SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT GLOB 'sqlite_stat[1-4]'", func(st *sqlite.Stmt) error {
		out[st.ColumnText(0)+" "+st.ColumnText(1)] = st.ColumnText(2) + " " + st.ColumnText(3)
		return nil
	})
	return out, err
}

// table checks every row of a table by its checksum, and the table as a whole
// by the ledger.
func (r *Report) table(c *conn, key []byte, tab table) error {
	var rows, acc int64
	var h hasher
	err := c.eachNested("SELECT * FROM "+tab.String(), func(st *sqlite.Stmt) error {
		sum, ok := sumRow(&h, key, tab, st)
		if !ok {
			r.add(Problem{Table: tab.String(), Row: st.ColumnInt64(0), What: "the row is not what was written"})
		}
		rows++
		acc = (acc + sum) & sumMask
		return nil
	})
	r.Rows += rows
	if err != nil {
		return err
	}
	var wantRows, wantAcc int64
	err = c.eachNested("SELECT rows, acc FROM ledger WHERE id = ?", func(st *sqlite.Stmt) error {
		wantRows, wantAcc = st.ColumnInt64(0), st.ColumnInt64(1)
		return nil
	}, int64(tab))
	if err != nil {
		return err
	}
	// A row that was added or removed behind our back has a right checksum; the
	// ledger tells.
	if rows != wantRows || acc != wantAcc {
		r.add(Problem{Table: tab.String(), What: fmt.Sprintf("it has %d rows, and the ledger knows %d, or other ones", rows, wantRows)})
	}
	return nil
}

// Report is what Verify found.
type Report struct {
	Rows     int64 // rows whose checksum was computed
	Problems []Problem
}

// OK reports whether nothing is wrong.
func (r Report) OK() bool { return len(r.Problems) == 0 }

// Problem is one thing that Verify found wrong.
type Problem struct {
	Table string // "" for the file as a whole
	Row   int64
	What  string
}
