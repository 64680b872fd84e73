package lsp

import (
	"bytes"

	"github.com/handbill/handbill/lang"
)

// formatting is the document in canonical form, as `handbill fmt` writes it: one edit
// from the first line that differs to the last, none where nothing does.
func (s *server) formatting(p *documentParams) (any, error) {
	d, err := s.open(p.Document.URI)
	if err != nil {
		return nil, err
	}
	if d.form.HasErrors() {
		return nil, &failure{codeFailed, "the file is not formatted while its form is wrong: " + d.form[0].Summary}
	}
	out, _ := lang.Format(d.text.src, d.name())
	return edits(d.text, out), nil
}

// edits turns a text into another by replacing the lines that differ.
func edits(t *text, want []byte) []textEdit {
	if bytes.Equal(t.src, want) {
		return []textEdit{}
	}
	head := 0
	for head < len(t.src) && head < len(want) && t.src[head] == want[head] {
		head++
	}
	head = bytes.LastIndexByte(want[:head], '\n') + 1
	tail := 0
	for tail < len(t.src)-head && tail < len(want)-head && t.src[len(t.src)-1-tail] == want[len(want)-1-tail] {
		tail++
	}
	if i := bytes.IndexByte(want[len(want)-tail:], '\n'); i >= 0 {
		tail -= i + 1
	} else {
		tail = 0
	}
	rng := span{t.position(head), t.position(len(t.src) - tail)}
	return []textEdit{{rng, string(want[head : len(want)-tail])}}
}
