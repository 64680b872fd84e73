package lsp

import (
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
)

// position is a place in a text as the protocol counts: lines from 0, and UTF-16 code
// units from the beginning of the line.
type position struct {
	Line      uint32 `json:"line"`
	Character uint32 `json:"character"`
}

// span is a part of a text; its end does not belong to it.
type span struct {
	Start position `json:"start"`
	End   position `json:"end"`
}

// text is the source of a file with the places where its lines begin.
type text struct {
	src   []byte
	lines []int // the offset of each line's first byte
}

func newText(src []byte) *text {
	t := &text{src: src, lines: []int{0}}
	for i, c := range src {
		if c == '\n' || c == '\r' && (i+1 == len(src) || src[i+1] != '\n') {
			t.lines = append(t.lines, i+1)
		}
	}
	return t
}

// lineEnd is the offset at which a line ends, before its line break.
func (t *text) lineEnd(line int) int {
	if line+1 == len(t.lines) {
		return len(t.src)
	}
	end := t.lines[line+1] - 1
	if end > t.lines[line] && t.src[end] == '\n' && t.src[end-1] == '\r' {
		end--
	}
	return end
}

// offset returns the byte at a position. A position behind a line's end is the line's
// end, one behind the text is the text's end, and one within a character is the
// character's beginning.
func (t *text) offset(p position) int {
	if uint64(p.Line) >= uint64(len(t.lines)) {
		return len(t.src)
	}
	at, end := t.lines[p.Line], t.lineEnd(int(p.Line))
	for units := uint32(0); at < end; {
		r, size := utf8.DecodeRune(t.src[at:end])
		units += width(r)
		if units > p.Character {
			break
		}
		at += size
	}
	return at
}

// position returns the position of a byte; one that is no offset of the text is the
// nearest that is.
func (t *text) position(offset int) position {
	offset = max(0, min(offset, len(t.src)))
	line, until := 0, len(t.lines)
	for line+1 < until {
		if mid := (line + until) / 2; t.lines[mid] <= offset {
			line = mid
		} else {
			until = mid
		}
	}
	p := position{Line: uint32(line)}
	for at := t.lines[line]; at < min(offset, t.lineEnd(line)); {
		r, size := utf8.DecodeRune(t.src[at:])
		if at+size > offset {
			break
		}
		p.Character += width(r)
		at += size
	}
	return p
}

// width is the number of UTF-16 code units of a character. A byte that is no UTF-8
// counts as one, the replacement character by which editors show it.
func width(r rune) uint32 {
	if r >= 0x10000 {
		return 2
	}
	return 1
}

func (t *text) span(rng hcl.Range) span {
	s := span{t.position(rng.Start.Byte), t.position(rng.End.Byte)}
	if before(s.End, s.Start) {
		s.End = s.Start
	}
	return s
}

func before(a, b position) bool {
	return a.Line < b.Line || a.Line == b.Line && a.Character < b.Character
}

// replace returns the text with a part replaced; ok is false where the part ends
// before it begins.
func (t *text) replace(s span, with string) (out *text, ok bool) {
	if before(s.End, s.Start) {
		return t, false
	}
	from, to := t.offset(s.Start), t.offset(s.End)
	src := make([]byte, 0, len(t.src)-(to-from)+len(with))
	src = append(append(append(src, t.src[:from]...), with...), t.src[to:]...)
	return newText(src), true
}

// pos is a place in the text as hcl has it, by its byte; line and column are those
// that hcl's parser would give.
func (t *text) pos(p position) hcl.Pos {
	at := t.offset(p)
	pos := hcl.InitialPos
	pos.Byte = at
	for _, c := range t.src[:at] {
		if pos.Column++; c == '\n' {
			pos.Line, pos.Column = pos.Line+1, 1
		}
	}
	return pos
}
