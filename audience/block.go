package audience

import (
	"io"

	"github.com/handbill/handbill/message"
)

// Block is a run of rows of a source, for readers that share the work among
// goroutines. Reader.Next fills it and Reader.Settle counts it, both in the
// order of the source. Split runs between the two, on any goroutine. A Block is
// reused; texts from its cells may be kept, but each keeps its block's text alive.
// alive.
type Block struct {
	// Cells are the values of the usable rows, one row after the other, each
	// parallel to Reader.Columns.
	Cells []message.Value
	Rows  []BlockRow
	// End is why the source ended early after these rows; nil if it did not.
	End error

	raw   []byte // whole records of a CSV that are not split yet
	line  int    // of the first of them
	csv   csvRows
	tally tally
}

// BlockRow is one row of a Block.
type BlockRow struct {
	Place message.Place
	Err   error // why this row is unusable; it then has no cells
}

// blockRows is the number of rows in a Block that Split does not split;
// blockBytes is the size of the others. Both are small enough to share out a
// small audience, and large enough that handing over blocks costs nothing.
const (
	blockRows  = 256
	blockBytes = 32 << 10
)

// tally is what a CSV's notes report about its rows.
type tally struct {
	blank   int // rows without any text
	blank1  int // line of the first of them
	damaged int // line of the first U+FFFD, 0 for none
}

// add adds the tally of the rows that follow those of t.
func (t *tally) add(o tally) {
	t.blank += o.blank
	if t.blank1 == 0 {
		t.blank1 = o.blank1
	}
	if t.damaged == 0 {
		t.damaged = o.damaged
	}
}

// Next fills b with the next rows. It reports false at the end of the source,
// and after a Block that has an End.
func (r *Reader) Next(b *Block) bool {
	b.Cells, b.Rows, b.raw, b.End, b.tally = b.Cells[:0], b.Rows[:0], b.raw[:0], nil, tally{}
	if r.ended {
		return false
	}
	c, ok := r.src.(*csvRows)
	if ok {
		b.End = c.cut(b)
	}
	if len(b.raw) == 0 && b.End == nil {
		b.End = r.gather(b, c)
	}
	if b.End != nil {
		r.ended = true
	}
	if b.End == io.EOF {
		b.End = nil
	}
	return len(b.raw) > 0 || len(b.Rows) > 0 || b.End != nil || b.tally != tally{}
}

// gather reads rows that can't be split on another goroutine; c is the source if
// it is a CSV.
func (r *Reader) gather(b *Block, c *csvRows) error {
	if c != nil {
		before := c.tally
		c.tally = tally{}
		defer func() { b.tally, c.tally = c.tally, before }()
	}
	for len(b.Rows) < blockRows {
		if err := b.row(r.src, r.file, r.values); err != nil {
			return err
		}
	}
	return nil
}

// row reads one row of src.
func (b *Block) row(src rows, file string, values []message.Value) error {
	line, err := src.next(values)
	if err != nil && !isRowError(err) {
		return err
	}
	b.Rows = append(b.Rows, BlockRow{placeOf(src, file, line), err})
	if err == nil {
		b.Cells = append(b.Cells, values...)
	}
	return nil
}

// Settle counts the rows of a Block that was split, and cuts off those above
// the maximum for a source.
func (r *Reader) Settle(b *Block) {
	if r.count+len(b.Rows) > r.max && r.cutOff(b) {
		return // its notes may be about rows that are cut off
	}
	r.settled.add(b.tally)
	r.count += len(b.Rows)
}

// cutOff ends the block where the source has too many rows. Rows with errors
// don't count.
func (r *Reader) cutOff(b *Block) bool {
	for i := range b.Rows {
		if b.Rows[i].Err == nil && r.count+i+1 > r.max {
			b.End, b.Rows = r.tooMany(b.Rows[i].Place), b.Rows[:i]
			return true
		}
	}
	return false
}
