package sqlite

import (
	"errors"
	"fmt"
	"strings"

	"zombiezen.com/go/sqlite"
)

// sql is the statement that writes a row of tab.
func (c *conn) sql(verb string, tab table) string {
	k := verbOf{verb, tab}
	text, ok := c.texts[k]
	if !ok {
		text = verb + tab.String() + tab.values()
		c.texts[k] = text
	}
	return text
}

// script runs SQL statements one after another and drops their results. The
// text must not end in a comment.
func (c *conn) script(text string) error {
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		st, rest, err := c.PrepareTransient(text)
		if err != nil {
			return err
		}
		text = text[len(text)-rest:]
		for more := true; more && err == nil; {
			more, err = st.Step()
		}
		if err = errors.Join(err, st.Finalize()); err != nil {
			return err
		}
	}
	return nil
}

// each runs a query and calls row for every row of the result. The statement is
// kept and used again, so a query must not run inside itself; see eachNested.
// An error of row ends the query and is returned.
func (c *conn) each(query string, row func(*sqlite.Stmt) error, args ...any) error {
	st, err := c.Prepare(query)
	if err != nil {
		return err
	}
	bind(st, args)
	return steps(st, row)
}

// eachNested is each with a statement of its own: the same query may run
// inside.
func (c *conn) eachNested(query string, row func(*sqlite.Stmt) error, args ...any) error {
	st, _, err := c.PrepareTransient(query)
	if err != nil {
		return err
	}
	bind(st, args)
	err = steps(st, row)
	return errors.Join(err, st.Finalize())
}

// steps calls row for every row of a statement that was bound, and resets it.
func steps(st *sqlite.Stmt, row func(*sqlite.Stmt) error) error {
	for {
		more, err := st.Step()
		if err != nil {
			return err
		}
		if !more {
			return st.Reset()
		}
		if row == nil {
			continue
		}
		if err := row(st); err != nil {
			return errors.Join(err, st.Reset())
		}
	}
}

// bind binds the arguments of a query by their Go types. Another type is a
// mistake in this package.
func bind(st *sqlite.Stmt, args []any) {
	for i, a := range args {
		switch a := a.(type) {
		case int64:
			st.BindInt64(i+1, a)
		case int:
			st.BindInt64(i+1, int64(a))
		case string:
			st.BindText(i+1, a)
		case []byte:
			st.BindBytes(i+1, a)
		case nil:
			st.BindNull(i + 1)
		default:
			panic(fmt.Sprintf("state: cannot bind a %T", a))
		}
	}
}

// exec runs a statement without results.
func (c *conn) exec(query string, args ...any) error { return c.each(query, nil, args...) }

// queryInt returns the first column of the first row; ok is false when there is
// no row. NULL is 0.
func (c *conn) queryInt(query string, args ...any) (v int64, ok bool, err error) {
	st, err := c.Prepare(query)
	if err != nil {
		return 0, false, err
	}
	bind(st, args)
	ok, err = st.Step()
	if err != nil {
		return 0, false, err
	}
	if ok {
		v = st.ColumnInt64(0)
	}
	return v, ok, st.Reset()
}

// queryInts returns the first column of every row.
func (c *conn) queryInts(query string, args ...any) ([]int64, error) {
	var out []int64
	err := c.each(query, func(st *sqlite.Stmt) error {
		out = append(out, st.ColumnInt64(0))
		return nil
	}, args...)
	return out, err
}
