package audience

import (
	"encoding/xml"
	"io"
	"strconv"
	"strings"

	"github.com/handbill/handbill/message"
)

// sheetRows are the rows of a sheet of an Excel workbook below its header.
type sheetRows struct {
	book      *workbook
	xml       *xmlStream
	headerRow int // 0 for the first row that is not empty
	names     []string
	places    []int // by column of the sheet: 1 more than the place in names, 0 for none
	row       int   // the number of the row that was read last
	cells     []sheetCell
	ended     bool

	hidden, hidden1 int // rows that the program does not show, and the first
	beside, beside1 int // rows with something in a column without a name
	blank, blank1   int // rows without anything
	faulty, faulty1 int // rows with a formula that has no result
}

// sheetCell is a cell that is not empty.
type sheetCell struct {
	column int // from 0
	value  message.Value
	failed bool  // its formula gives an error, or has no result
	err    error // why it cannot be read
}

// maxSheetColumns and maxSheetRows are Excel's own limits.
const maxSheetColumns, maxSheetRows = 16_384, 1_048_576

// header reads the names of the columns.
func (s *sheetRows) header() error {
	if err := s.seek(); err != nil {
		return err
	}
	in := s.book.in
	seen := map[string]int{}
	for i := range s.cells {
		c := &s.cells[i]
		name := strings.TrimSpace(c.value.Text)
		if c.err != nil || name == "" {
			continue
		}
		if looksLikePhone(name) {
			return in.failAt(s.row, "the first row is a contact, not a header",
				sprintf("Its cell %s holds a phone number. Put a row with the names of the columns before it, or say where it is: header_row = NUMBER.", cellName(c.column, s.row)))
		}
		if first, twice := seen[name]; twice {
			return in.failAt(s.row, sprintf("columns %s and %s are both named %q", columnName(first), columnName(c.column), name), "Rename one of them.")
		}
		seen[name] = c.column
		for len(s.places) <= c.column {
			s.places = append(s.places, 0)
		}
		s.names = append(s.names, name)
		s.places[c.column] = len(s.names)
	}
	if len(s.names) == 0 {
		return in.failAt(s.row, "no column has a name", "The row must name the columns. Say where it is: header_row = NUMBER.")
	}
	return nil
}

// seek reads up to the header.
func (s *sheetRows) seek() error {
	for {
		err := s.read()
		switch {
		case err == io.EOF && s.headerRow > 0:
			return s.book.in.failAt(s.headerRow, "no header", "The sheet has nothing in that row.")
		case err == io.EOF:
			return s.book.in.fail("no header", "The sheet is empty. Its first row must name the columns.")
		case err != nil:
			return err
		case s.headerRow == 0 && len(s.cells) > 0, s.headerRow > 0 && s.row == s.headerRow:
			s.hidden, s.hidden1 = 0, 0 // of the rows above the table
			return nil
		case s.headerRow > 0 && s.row > s.headerRow:
			return s.book.in.failAt(s.headerRow, "no header", "The sheet has nothing in that row.")
		}
	}
}

// read reads the next row into cells; io.EOF ends the sheet.
func (s *sheetRows) read() error {
	if s.ended {
		return io.EOF
	}
	for {
		t, err := s.xml.token()
		if err != nil {
			return err
		}
		switch e := t.(type) {
		case xml.StartElement:
			if e.Name.Local == "row" {
				return s.readRow(&e)
			}
		case xml.EndElement:
			if e.Name.Local == "worksheet" {
				s.ended = true
				if err := s.xml.drain(); err != nil {
					return err
				}
				return io.EOF
			}
		}
	}
}

func (s *sheetRows) readRow(e *xml.StartElement) error {
	row := s.row + 1
	if r := attr(e, "r"); r != "" {
		n, err := strconv.Atoi(r)
		if err != nil || n < row || n > maxSheetRows {
			return s.book.damaged()
		}
		row = n
	}
	s.row, s.cells = row, s.cells[:0]
	if h := attr(e, "hidden"); h == "1" || h == "true" {
		if s.hidden++; s.hidden == 1 {
			s.hidden1 = row
		}
	}
	for column := 0; ; {
		t, err := s.xml.token()
		if err != nil {
			return err
		}
		switch e := t.(type) {
		case xml.StartElement:
			if e.Name.Local != "c" {
				continue
			}
			if r := attr(&e, "r"); r != "" {
				n, ok := columnOf(r)
				if !ok || n < column {
					return s.book.damaged()
				}
				column = n
			}
			c, err := s.readCell(&e)
			if err != nil {
				return err
			}
			if c.value.Kind != message.Null || c.failed || c.err != nil {
				c.column = column
				s.cells = append(s.cells, c)
			}
			column++
		case xml.EndElement:
			if e.Name.Local == "row" {
				return nil
			}
		}
	}
}

// readCell reads a cell up to its end.
func (s *sheetRows) readCell(e *xml.StartElement) (c sheetCell, err error) {
	kind, style := attr(e, "t"), attr(e, "s")
	raw, told, formula := "", false, false
	for {
		t, err := s.xml.token()
		if err != nil {
			return c, err
		}
		switch e := t.(type) {
		case xml.StartElement:
			switch e.Name.Local {
			case "v":
				raw, err = s.xml.value()
				told = true
			case "f":
				formula = true
			case "is":
				raw, err = s.xml.text("is")
				told = true
			}
			if err != nil {
				return c, err
			}
		case xml.EndElement:
			if e.Name.Local == "c" {
				if told {
					c = s.book.cell(kind, style, raw)
				}
				// A program that does not calculate leaves the result out.
				c.failed = c.failed || formula && raw == "" && kind != "str"
				return c, nil
			}
		}
	}
}

func (s *sheetRows) columns() []string { return s.names }

func (s *sheetRows) next(dst []message.Value) (int, error) {
	for {
		if err := s.read(); err != nil {
			return s.row, err
		}
		if s.fill(dst) {
			return s.row, s.failed()
		}
		if s.blank++; s.blank == 1 {
			s.blank1 = s.row
		}
	}
}

// fill puts the cells of the row in their places, and reports whether there are any.
func (s *sheetRows) fill(dst []message.Value) (some bool) {
	clear(dst)
	aside, faulty := false, false
	for i := range s.cells {
		c := &s.cells[i]
		if c.column >= len(s.places) || s.places[c.column] == 0 {
			aside = true
			continue
		}
		faulty = faulty || c.failed
		dst[s.places[c.column]-1] = c.value
		some = true
	}
	if aside {
		if s.beside++; s.beside == 1 {
			s.beside1 = s.row
		}
	}
	if faulty {
		if s.faulty++; s.faulty == 1 {
			s.faulty1 = s.row
		}
	}
	return some
}

// failed is the error of a row with a cell that cannot be read.
func (s *sheetRows) failed() error {
	for i := range s.cells {
		if c := &s.cells[i]; c.err != nil && c.column < len(s.places) && s.places[c.column] != 0 {
			return &Error{Place: s.xml.place(s.row), Summary: sprintf("cell %s: %v", cellName(c.column, s.row), c.err), Row: true}
		}
	}
	return nil
}

func (s *sheetRows) notes() []string {
	var notes []string
	add := func(n, first int, what string) {
		if n > 0 {
			notes = append(notes, sprintf("%s %s, the first in row %d", count(n, "row"), what, first))
		}
	}
	add(s.hidden, s.hidden1, "that the spreadsheet program hides, as by a filter, read like the others")
	add(s.beside, s.beside1, "with something in a column without a name, which was left out")
	add(s.faulty, s.faulty1, "with a formula that gives an error or has no result, which counts as an empty cell")
	add(s.blank, s.blank1, "without any text left out")
	return notes
}

func (s *sheetRows) digest() [32]byte { return s.book.in.digest() }

func (s *sheetRows) close() error { return s.xml.close() }

// columnOf reads the column of a reference such as AB12, from 0.
func columnOf(ref string) (int, bool) {
	n, i := 0, 0
	for ; i < len(ref) && ref[i] >= 'A' && ref[i] <= 'Z'; i++ {
		if n = n*26 + int(ref[i]-'A') + 1; n > maxSheetColumns {
			return 0, false
		}
	}
	return n - 1, i > 0 && i < len(ref)
}

// columnName is the letters of a column.
func columnName(column int) string {
	name := ""
	for n := column + 1; n > 0; n = (n - 1) / 26 {
		name = string(rune('A'+(n-1)%26)) + name
	}
	return name
}

func cellName(column, row int) string { return columnName(column) + strconv.Itoa(row) }
