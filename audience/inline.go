package audience

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"io"

	"github.com/handbill/handbill/message"
)

// rowHash is a digest over rows. Every value is framed by its kind and length,
// so that different rows never hash the same bytes.
type rowHash struct {
	hash hash.Hash
	buf  []byte
}

func newRowHash(columns []string) *rowHash {
	h := &rowHash{hash: sha256.New()}
	for _, name := range columns {
		h.frame(message.String, name)
	}
	h.flush()
	return h
}

func (h *rowHash) frame(kind message.ValueKind, text string) {
	h.buf = append(h.buf, byte(kind))
	h.buf = binary.AppendUvarint(h.buf, uint64(len(text)))
	h.buf = append(h.buf, text...)
}

func (h *rowHash) flush() {
	h.hash.Write(h.buf)
	h.buf = h.buf[:0]
}

func (h *rowHash) add(row []message.Value) {
	for _, v := range row {
		h.frame(v.Kind, v.Text)
	}
	h.flush()
}

func (h *rowHash) sum() (sum [32]byte) {
	h.hash.Sum(sum[:0])
	return sum
}

// inlineRows are contacts written in the configuration.
type inlineRows struct {
	src  Source
	at   int
	hash *rowHash
}

func openInline(src Source) (rows, error) {
	for i, c := range src.Contacts {
		if len(c.Values) != len(src.Columns) {
			return nil, &Error{Place: message.Place{File: baseName(src.Path), Line: c.Line},
				Summary: sprintf("contact %d has %s for %s", i+1, count(len(c.Values), "value"), count(len(src.Columns), "column"))}
		}
	}
	return &inlineRows{src: src, hash: newRowHash(src.Columns)}, nil
}

func (r *inlineRows) columns() []string { return r.src.Columns }

func (r *inlineRows) next(dst []message.Value) (int, error) {
	if r.at == len(r.src.Contacts) {
		return 0, io.EOF
	}
	c := r.src.Contacts[r.at]
	r.at++
	copy(dst, c.Values)
	r.hash.add(dst)
	return c.Line, nil
}

func (r *inlineRows) notes() []string  { return nil }
func (r *inlineRows) digest() [32]byte { return r.hash.sum() }
func (r *inlineRows) close() error     { return nil }
