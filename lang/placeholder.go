package lang

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/handbill/handbill/lang/eval"
	"github.com/handbill/handbill/message"
)

// placeholders distinguishes values from what an export writes for a missing one,
// such as "NULL" or "N/A". A nil one knows none. It is safe for concurrent use.
type placeholders struct {
	words   map[string]bool
	first   [256]bool // the bytes that words begin with
	longest int       // bytes of the longest word
}

// newPlaceholders prepares the words that an audience lists.
func newPlaceholders(words []string) *placeholders {
	if len(words) == 0 {
		return nil
	}
	p := &placeholders{words: map[string]bool{}}
	for _, w := range words {
		p.words[w], p.first[w[0]], p.longest = true, true, max(p.longest, len(w))
	}
	return p
}

// holds reports whether a text is one of the words, apart from spaces around it.
func (p *placeholders) holds(text string) bool {
	if text == "" || !p.first[text[0]] && !mayBeginSpace(text[0]) {
		return false
	}
	text = strings.TrimSpace(text)
	return text != "" && len(text) <= p.longest && p.first[text[0]] && p.words[text]
}

// blank reports whether the text that prog made of a row is a placeholder. That is
// one of the words, even if the expression changed its case, or the name of the
// text's own column, as in a header that occurs twice.
func (p *placeholders) blank(prog *eval.Program, text string, row []message.Value) bool {
	if p == nil {
		return false
	}
	if p.holds(text) {
		return true
	}
	for _, ref := range prog.Refs() {
		if isHeader(text, ref.Name) {
			return true
		}
		if ref.Index < 0 || row[ref.Index].Text == text {
			continue
		}
		if raw := &row[ref.Index]; raw.Kind == message.String && p.holds(raw.Text) && strings.EqualFold(strings.TrimSpace(raw.Text), strings.TrimSpace(text)) {
			return true
		}
	}
	return false
}

// blankPiece is blank for the parts of a template, "${row.first} ${row.last}".
func (p *placeholders) blankPiece(prog *eval.Program, row []message.Value) bool {
	if p == nil || len(prog.Parts()) < 2 {
		return false
	}
	return slices.ContainsFunc(prog.Parts(), func(piece eval.Piece) bool {
		if piece.Program == nil {
			return false
		}
		v, err := piece.Program.Eval(row)
		return err == nil && v.Kind == message.String && p.blank(piece.Program, v.Text, row)
	})
}

// isHeader reports whether a text is the name of its column: exactly, or the same
// words if the name has several ("First name" below first_name).
func isHeader(text, column string) bool {
	const spaces = 8 // spaces around it that are ignored; a text with more is no header
	if column == "" || len(text) < len(column) || len(text) > len(column)+spaces {
		return false
	}
	if c := text[0]; c < utf8.RuneSelf && c|0x20 != column[0]|0x20 && !mayBeginSpace(c) {
		return false
	}
	text = strings.TrimSpace(text)
	return text == column || len(text) == len(column) && strings.ContainsAny(column, " _-") && strings.EqualFold(plainName(text), plainName(column))
}

// mayBeginSpace reports whether the UTF-8 of a space may begin with c.
func mayBeginSpace(c byte) bool {
	switch c {
	case ' ', '\t', '\n', '\v', '\f', '\r', 0xC2, 0xE1, 0xE2, 0xE3:
		return true
	}
	return false
}

// plainName separates the words of a column's name by spaces.
func plainName(name string) string { return strings.NewReplacer("_", " ", "-", " ").Replace(name) }

// nothing reports whether an expression uses one column and finds a placeholder
// there, whatever the expression would make of it.
func (p *placeholders) nothing(prog *eval.Program, row []message.Value) bool {
	refs := prog.Refs()
	if p == nil || len(refs) != 1 || refs[0].Index < 0 {
		return false
	}
	cell := &row[refs[0].Index]
	return cell.Kind == message.String && (p.holds(cell.Text) || isHeader(cell.Text, refs[0].Name))
}
