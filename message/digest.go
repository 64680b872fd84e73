package message

import (
	"crypto/sha256"
	"encoding"
	"encoding/binary"
	"encoding/json"
	"hash"
)

// Digest identifies the draft: message, bindings and names of slots. It is the
// same on every machine and in every run, and changes with any of them.
func (d *Draft) Digest() [32]byte {
	data, err := marshalDraft(d)
	if err != nil {
		panic("message: a draft is always JSON: " + err.Error())
	}
	return sha256.Sum256(append([]byte("handbill draft 1\n"), data...))
}

// Digest identifies the message that one recipient gets. It depends on the
// rendered message alone, not on which of its texts were constant.
// For many recipients, compile a Digester once.
func Digest(d *Draft, values []string) [16]byte { return NewDigester(d).Sum(values) }

// Digester computes Digest for many recipients of one draft. It is safe for
// concurrent use.
type Digester struct {
	// chunks are the canonical bytes of the message between its bound texts. One
	// bound text follows each chunk except the last.
	chunks [][]byte
	bound  [][]Part
	// state is the hash's state after the complete blocks with which every
	// recipient's message begins; the first chunk holds only the bytes after them.
	state []byte
}

// NewDigester compiles the digest of d, which must be valid.
func NewDigester(d *Draft) *Digester {
	g := &Digester{}
	chunk := append([]byte("handbill message 1\n"), shape(d.Message)...)
	next := 0
	Fields(d.Message, func(f Field) {
		if next < len(d.Bindings) && d.Bindings[next].Path == f.Path {
			g.chunks = append(g.chunks, chunk)
			g.bound = append(g.bound, d.Bindings[next].Parts)
			chunk = nil
			next++
			return
		}
		chunk = binary.AppendUvarint(chunk, uint64(len(*f.Text)))
		chunk = append(chunk, *f.Text...)
	})
	g.chunks = append(g.chunks, chunk)
	g.skipAhead()
	return g
}

// skipAhead hashes once what is the same for every recipient.
func (g *Digester) skipAhead() {
	h := sha256.New()
	whole := len(g.chunks[0]) / sha256.BlockSize * sha256.BlockSize
	h.Write(g.chunks[0][:whole])
	g.chunks[0] = g.chunks[0][whole:]
	var err error
	if g.state, err = h.(encoding.BinaryMarshaler).MarshalBinary(); err != nil {
		panic("message: the state of a hash is always bytes: " + err.Error())
	}
}

// shape encodes everything of m except its texts.
func shape(m Message) []byte {
	c := Clone(m)
	if t, ok := c.(*Template); ok {
		t.Marketing = ""
	}
	visitAll(c, &visitor{visit: func(_ []byte, f Field) { *f.Text = "" }})
	data, err := json.Marshal(c)
	if err != nil {
		panic("message: a message is always JSON: " + err.Error())
	}
	return append([]byte(m.Kind()+"\n"), data...)
}

// Sum returns the digest for one recipient's values. For many recipients, use Sums.
func (g *Digester) Sum(values []string) [16]byte { return g.Sums().Sum(values) }

// Sums computes digests with a Digester and reuses its memory. It is not safe for
// concurrent use.
type Sums struct {
	g    *Digester
	h    hash.Hash
	from encoding.BinaryUnmarshaler // h
	data []byte
}

// Sums returns a Sums for one goroutine.
func (g *Digester) Sums() *Sums {
	h := sha256.New()
	return &Sums{g: g, h: h, from: h.(encoding.BinaryUnmarshaler)}
}

// Sum returns the digest for one recipient's values.
func (s *Sums) Sum(values []string) [16]byte {
	if err := s.from.UnmarshalBinary(s.g.state); err != nil {
		panic("message: a state of a hash that it made is taken back: " + err.Error())
	}
	data := s.data[:0]
	for i, parts := range s.g.bound {
		data = append(data, s.g.chunks[i]...)
		n := 0
		for _, p := range parts {
			n += len(p.text(values))
		}
		data = binary.AppendUvarint(data, uint64(n))
		for _, p := range parts {
			data = append(data, p.text(values)...)
		}
	}
	data = append(data, s.g.chunks[len(s.g.chunks)-1]...)
	s.h.Write(data)
	s.data = s.h.Sum(data[:0])
	return [16]byte(s.data[:16])
}
