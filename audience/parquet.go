package audience

import (
	"encoding/binary"
	"errors"
	"io"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"github.com/handbill/handbill/message"
)

// parquetRows are the rows of a Parquet file. Each column is read by itself, a page
// at a time.
type parquetRows struct {
	in      *input
	file    *parquet.File
	names   []string
	all     []*parquetColumn // parallel to names
	need    []*parquetColumn // those that are read
	nested  []string         // columns that are no single values
	group   int              // the next row group
	left    int64            // rows of this group that were not read yet
	line    int
	dropped error // why nothing more is read
}

// parquetColumn is a column while it is read.
type parquetColumn struct {
	name    string
	at      int // position in a row
	index   int // among the file's columns
	convert func(parquet.Value) (message.Value, error)
	pages   parquet.Pages
	page    parquet.Page
	reader  parquet.ValueReader
	values  []parquet.Value
	next    int // the next of values
	ended   bool
}

// Limits of a Parquet file, so that a small one cannot fill the memory. The figures
// are handbill's own.
const (
	maxFooter      = 64 << 20 // bytes
	maxPageBytes   = 1 << 30  // of a column in one group of rows, unpacked
	parquetAtATime = 256      // values of a column
)

// openParquet reads the names and types of the columns.
func openParquet(in *input) (_ *parquetRows, err error) {
	if _, err := io.Copy(io.Discard, in); err != nil { // for its digest
		return nil, err
	}
	r := &parquetRows{in: in}
	defer r.caught(&err)
	if err := r.checkFooter(); err != nil {
		return nil, err
	}
	r.file, err = parquet.OpenFile(in.file, in.size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, r.damaged()
	}
	if err := r.describe(); err != nil {
		return nil, err
	}
	r.need = r.all
	return r, r.checkGroups()
}

// caught turns a panic of the library, which has many for damaged files, into an
// error. It is to be deferred.
func (r *parquetRows) caught(err *error) {
	if p := recover(); p != nil {
		*err = r.damaged()
	}
}

func (r *parquetRows) damaged() error {
	return r.in.fail("is damaged", "It cannot be read to its end, so people may be missing. Copy it again, or export it anew.")
}

// checkFooter checks what the library would believe.
func (r *parquetRows) checkFooter() error {
	const magic, tail = "PAR1", 8
	b := make([]byte, tail)
	if r.in.size < int64(len(magic)+tail) {
		return r.notParquet()
	}
	if _, err := r.in.file.ReadAt(b[:len(magic)], 0); err != nil {
		return fileError(r.in.name, err)
	}
	if string(b[:len(magic)]) == "PARE" {
		return r.in.fail("is encrypted", "Export it without encryption.")
	}
	if string(b[:len(magic)]) != magic {
		return r.notParquet()
	}
	if _, err := r.in.file.ReadAt(b, r.in.size-tail); err != nil {
		return fileError(r.in.name, err)
	}
	if string(b[tail-len(magic):]) != magic {
		return r.in.fail("is cut off", "A Parquet file has its table of contents at the end. Copy it again, whole.")
	}
	if footer := int64(binary.LittleEndian.Uint32(b)); footer > min(maxFooter, r.in.size-tail-int64(len(magic))) {
		return r.damaged()
	}
	return nil
}

func (r *parquetRows) notParquet() error {
	head := make([]byte, 64)
	n, _ := r.in.file.ReadAt(head, 0) // what is there says enough
	if what := foreign(head[:n]); what != "" {
		return r.in.fail("is no Parquet file but "+what, "")
	}
	return r.in.fail("is no Parquet file", "")
}

// describe finds the columns that are single values.
func (r *parquetRows) describe() error {
	unknown := map[string]bool{} // the library shows a type that it does not know as one that is always null
	for i, e := range r.file.Metadata().Schema {
		if _, null := e.LogicalType.Value.(*format.NullType); i > 0 && !null && e.Type.Valid {
			unknown[e.Name] = true
		}
	}
	seen := map[string]bool{}
	for _, c := range r.file.Root().Columns() {
		switch name := c.Name(); {
		case name == "":
			return r.in.fail("a column has no name", "Give it one in the export.")
		case seen[name]:
			return r.in.fail(sprintf("two columns are named %q", name), "Give one of them another name in the export.")
		}
		seen[c.Name()] = true
		convert := parquetConverter(c, unknown[c.Name()])
		if convert == nil {
			r.nested = append(r.nested, c.Name())
			continue
		}
		r.all = append(r.all, &parquetColumn{name: c.Name(), at: len(r.names), index: c.Index(), convert: convert,
			values: make([]parquet.Value, 0, parquetAtATime)})
		r.names = append(r.names, c.Name())
	}
	if len(r.names) == 0 {
		return r.in.fail("has no column that is a single value", "Lists and groups are not read.")
	}
	return nil
}

// checkGroups checks that the groups of rows have the rows that the file says, and
// that none asks for more memory than there is for it.
func (r *parquetRows) checkGroups() error {
	var rows int64
	for _, g := range r.file.Metadata().RowGroups {
		rows += g.NumRows
		for _, c := range g.Columns {
			if c.MetaData.TotalUncompressedSize > maxPageBytes {
				return r.in.fail("has a group of rows that is too large", "Export it with smaller ones, such as 100,000 rows.")
			}
		}
		if g.NumRows < 0 || rows < 0 {
			return r.damaged()
		}
	}
	if rows != r.file.NumRows() {
		return r.damaged()
	}
	return nil
}

func (r *parquetRows) columns() []string { return r.names }

// only says which columns are needed; the others are null.
func (r *parquetRows) only(columns []int) {
	r.need = nil
	for _, at := range columns {
		r.need = append(r.need, r.all[at])
	}
}

func (r *parquetRows) next(dst []message.Value) (_ int, err error) {
	defer r.caught(&err)
	if r.dropped != nil {
		return r.line, r.dropped
	}
	for r.left == 0 {
		if err := r.nextGroup(); err != nil {
			r.dropped = err
			return r.line, err
		}
	}
	r.left--
	r.line++
	clear(dst)
	var bad error
	for _, c := range r.need {
		v, err := c.value(r)
		if err != nil {
			r.dropped = err
			return r.line, err
		}
		if dst[c.at], err = c.convert(v); err != nil && bad == nil {
			bad = &Error{Place: message.Place{File: r.in.name, Line: r.line}, Summary: sprintf("column %q: %v", c.name, err), Row: true}
		}
	}
	return r.line, bad
}

// nextGroup begins the next group of rows; io.EOF after the last one.
func (r *parquetRows) nextGroup() error {
	if err := r.in.canceled(); err != nil {
		return err
	}
	groups := r.file.RowGroups()
	for _, c := range r.need {
		if r.group > 0 && !c.exhausted() {
			return r.damaged()
		}
		c.close()
	}
	if r.group == len(groups) {
		return io.EOF
	}
	g := groups[r.group]
	r.group++
	r.left = g.NumRows()
	for _, c := range r.need {
		c.pages, c.ended = g.ColumnChunks()[c.index].Pages(), false
	}
	return nil
}

// value is the column's next value. It is valid until the next call.
func (c *parquetColumn) value(r *parquetRows) (parquet.Value, error) {
	for c.next == len(c.values) {
		if c.fill() != nil { // io.EOF too: there are fewer values than rows
			return parquet.Value{}, r.damaged()
		}
	}
	v := c.values[c.next]
	c.next++
	return v, nil
}

// fill reads the next values; io.EOF after the last one of the group.
func (c *parquetColumn) fill() error {
	c.values, c.next = c.values[:0], 0
	for {
		if c.reader == nil {
			if c.ended {
				return io.EOF
			}
			page, err := c.pages.ReadPage()
			if err == io.EOF {
				c.ended = true
				return io.EOF
			}
			if err != nil {
				return err
			}
			c.page, c.reader = page, page.Values()
		}
		n, err := c.reader.ReadValues(c.values[:cap(c.values)])
		c.values = c.values[:n]
		if errors.Is(err, io.EOF) && n == 0 {
			parquet.Release(c.page)
			c.page, c.reader = nil, nil
			continue
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if n > 0 {
			return nil
		}
	}
}

// exhausted reports whether the group's last value was read.
func (c *parquetColumn) exhausted() bool {
	return c.next == len(c.values) && c.fill() == io.EOF
}

func (c *parquetColumn) close() {
	if c.page != nil {
		parquet.Release(c.page)
	}
	if c.pages != nil {
		_ = c.pages.Close() // nothing was written
	}
	c.pages, c.page, c.reader, c.values, c.next = nil, nil, nil, c.values[:0], 0
}

func (r *parquetRows) notes() []string {
	if len(r.nested) == 0 {
		return nil
	}
	return []string{sprintf("left out are the columns that are lists, groups or of an unknown type: %s", quoteList(r.nested))}
}

func (r *parquetRows) digest() [32]byte { return r.in.digest() }

func (r *parquetRows) close() (err error) {
	defer r.caught(&err)
	for _, c := range r.all {
		c.close()
	}
	return nil
}
