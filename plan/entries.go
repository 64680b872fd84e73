package plan

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
)

// eachEntry calls visit for every entry until visit returns false. Its arguments
// are valid only during the call.
func eachEntry(open func() (io.Reader, error), campaigns []Campaign, visit func(*Entry, []byte) bool) error {
	return decodeEach(&decoder{}, open, campaigns, visit)
}

// decodeEach is eachEntry with the caller's decoder.
func decodeEach(d *decoder, open func() (io.Reader, error), campaigns []Campaign, visit func(*Entry, []byte) bool) error {
	src, err := open()
	if err != nil {
		return err
	}
	r, ok := src.(*bufio.Reader)
	if !ok {
		r = bufio.NewReaderSize(src, 64<<10)
	}
	var buf []byte
	var e Entry
	// Each entry is decoded into the same one: visit keeps a copy of what it needs.
	for n := 1; ; n++ {
		buf, err = nextEntry(r, buf)
		if err == io.EOF {
			return nil
		}
		var core []byte
		if err == nil {
			d.b, d.bad = buf, false
			core, err = d.entry(campaigns, &e)
		}
		if err != nil {
			return fmt.Errorf("reading entry %d of the plan: %w", n, err)
		}
		if !visit(&e, core) {
			return nil
		}
	}
}

// nextEntry reads the bytes of one entry into buf. It returns io.EOF at the end.
func nextEntry(r *bufio.Reader, buf []byte) ([]byte, error) {
	n, err := binary.ReadUvarint(r)
	if err == io.EOF {
		return buf, io.EOF
	}
	if err != nil {
		return buf, errEntry
	}
	if n > maxEntry {
		return buf, fmt.Errorf("it claims %d bytes, more than any message needs", n)
	}
	if uint64(cap(buf)) < n {
		buf = make([]byte, n)
	}
	buf = buf[:n]
	if _, err := io.ReadFull(r, buf); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return buf, errEntry
		}
		return buf, err
	}
	return buf, nil
}

// entries is Plan.Entries on the reader that open returns.
func entries(open func() (io.Reader, error), campaigns []Campaign) func() iter.Seq2[Entry, error] {
	return func() iter.Seq2[Entry, error] {
		return func(yield func(Entry, error) bool) {
			err := eachEntry(open, campaigns, func(e *Entry, _ []byte) bool { return yield(*e, nil) })
			if err != nil {
				yield(Entry{Draft: -1}, err)
			}
		}
	}
}
