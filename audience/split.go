package audience

import (
	"bytes"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/handbill/handbill/message"
)

// cut moves whole records without quotation marks to the block, to be split
// later. It takes none unless the next record is certainly one of these; io.EOF
// means that no record is left.
func (c *csvRows) cut(b *Block) error {
	if err := c.fill(); err != nil {
		return err
	}
	data := c.buf[c.start:c.end]
	if len(data) == 0 {
		return io.EOF
	}
	run := data[:min(len(data), blockBytes)]
	if i := bytes.IndexByte(run, '"'); i >= 0 {
		run = run[:i]
	}
	run = run[:bytes.LastIndexByte(run, c.nl)+1]
	b.raw, b.line = append(b.raw, run...), c.line
	c.start += len(run)
	c.line += bytes.Count(run, []byte{c.nl})
	b.csv.cutFrom(c)
	return nil
}

// cutFrom makes c read rows of the same file.
func (c *csvRows) cutFrom(from *csvRows) {
	if c.scanner == nil {
		c.scanner = &scanner{}
	}
	s := c.scanner
	s.text, s.in, s.comma, s.nl, s.eof = from.text, from.in, from.comma, from.nl, true
	c.names, c.spare = from.names, from.spare
}

// Split splits the block's rows into cells.
func (b *Block) Split() {
	if len(b.raw) == 0 {
		return
	}
	c := &b.csv
	c.tally = tally{}
	c.buf, c.start, c.end, c.line, c.whole = b.raw, 0, len(b.raw), b.line, string(b.raw)
	err := b.split(c)
	b.tally = c.tally
	if err != io.EOF {
		b.End = err
	}
}

// split takes the common rows itself: whole, with a cell for each column, at
// least one of which has a text. It leaves the others to next, which knows what
// to report about each.
func (b *Block) split(c *csvRows) error {
	ends, common := c.lineEnds()
	file, last := c.in.name, len(c.names)-1
	var odd []message.Value
	for c.start < c.end {
		row := c.whole[c.start:]
		size := strings.IndexByte(row, c.nl) + 1
		row = row[:size-min(size, ends)]
		if common && len(row) > last && b.cells(row, c.comma, last) {
			b.Rows = append(b.Rows, BlockRow{Place: message.Place{File: file, Line: c.line}})
			c.line++
			c.start += size
			continue
		}
		if odd == nil {
			odd = make([]message.Value, len(c.names))
		}
		if err := b.row(c, file, odd); err != nil {
			return err
		}
	}
	return io.EOF
}

// cells appends the cells of a row that has exactly last+1 of them; for any other
// row it changes nothing.
func (b *Block) cells(row string, comma byte, last int) bool {
	before := len(b.Cells)
	for range last {
		i := strings.IndexByte(row, comma)
		if i < 0 {
			b.Cells = b.Cells[:before]
			return false
		}
		b.Cells = append(b.Cells, message.Value{Kind: message.String, Text: row[:i]})
		row = row[i+1:]
	}
	if strings.IndexByte(row, comma) >= 0 {
		b.Cells = b.Cells[:before]
		return false
	}
	b.Cells = append(b.Cells, message.Value{Kind: message.String, Text: row})
	return true
}

// lineEnds returns the size of the line ends, and whether the text is common:
// with line ends of one kind and nothing that has to be checked or refused.
func (c *csvRows) lineEnds() (size int, common bool) {
	raw := c.buf
	common = utf8.Valid(raw) && bytes.IndexByte(raw, 0) < 0 && !bytes.Contains(raw, []byte("\uFFFD"))
	stray := bytes.Count(raw, []byte{c.stray()})
	if stray == 0 || c.nl != '\n' {
		return 1, common && stray == 0
	}
	lines := bytes.Count(raw, []byte{'\n'})
	return len("\r\n"), common && stray == lines && bytes.Count(raw, []byte("\r\n")) == lines
}
