package message

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
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
	// chunks are the canonical bytes of the message between its bound texts,
	// which stand after each chunk but the last.
	chunks [][]byte
	bound  [][]Part
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
	return g
}

// shape is everything of m but its texts, as bytes.
func shape(m Message) []byte {
	c := m.clone()
	c.fields(&visitor{visit: func(_ []byte, f Field) { *f.Text = "" }})
	data, err := json.Marshal(c)
	if err != nil {
		panic("message: a message is always JSON: " + err.Error())
	}
	return append([]byte(m.Kind()+"\n"), data...)
}

// Sum returns the digest for one recipient's values.
func (g *Digester) Sum(values []string) [16]byte {
	var scratch [2048]byte
	data := scratch[:0]
	for i, parts := range g.bound {
		data = append(data, g.chunks[i]...)
		n := 0
		for _, p := range parts {
			n += len(p.text(values))
		}
		data = binary.AppendUvarint(data, uint64(n))
		for _, p := range parts {
			data = append(data, p.text(values)...)
		}
	}
	data = append(data, g.chunks[len(g.chunks)-1]...)
	sum := sha256.Sum256(data)
	return [16]byte(sum[:16])
}
