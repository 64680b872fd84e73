package eval

import (
	"sync/atomic"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Most names are normal already, and the library takes five times as long to confirm
// that. This is Unicode's quick check (UAX #15, 9): a text is in normal form C if
// each of its characters is allowed there, and no combining mark follows one of a
// higher class.

// normal reports whether s is certainly in normal form C and valid UTF-8.
func normal[T string | []byte](s T) bool {
	last, marks := uint8(0), 0 // the class of the character before; marks in a row
	for i := asciiPrefix(s); i < len(s); {
		if s[i] < utf8.RuneSelf {
			last, marks = 0, 0
			i++
			continue
		}
		r, size := decode(s, i)
		class := normalClass(r)
		switch {
		case r == utf8.RuneError, class == notNormal, class != 0 && class < last:
			return false
		case class == 0:
			marks = 0
		default:
			if marks++; marks > mostMarks {
				return false
			}
		}
		last = class
		i += size
	}
	return true
}

// mostMarks is small enough that the library puts no joiner between marks (UAX #15,
// 13: more than 30).
const mostMarks = 16

// decode is utf8.DecodeRune at s[i], inline for two bytes and most of three.
func decode[T string | []byte](s T, i int) (rune, int) {
	const two, three, mask, continued = 2, 3, 0x3F, 0x80
	first := s[i]
	switch {
	case i+1 < len(s) && first >= 0xC2 && first < 0xE0 && s[i+1]&^mask == continued:
		return rune(first&0x1F)<<6 | rune(s[i+1]&mask), two
	case i+2 < len(s) && (first > 0xE0 || first == 0xE0 && s[i+1] >= 0xA0) && first < 0xED && s[i+1]&^mask == continued && s[i+2]&^mask == continued:
		return rune(first&0x0F)<<12 | rune(s[i+1]&mask)<<6 | rune(s[i+2]&mask), three
	}
	var room [utf8.UTFMax]byte
	return utf8.DecodeRune(room[:copy(room[:], s[i:])])
}

// notNormal is the class of a character that normal form C may change, or that may
// combine with what precedes it. No character has this combining class.
const notNormal = 255

// pages are the classes of 64 characters each. A page is made when one of its
// characters is first met: a text of one script needs one or two.
var pages [(utf8.MaxRune + 1) / pageSize]atomic.Pointer[[pageSize]uint8]

const pageSize = 64

func normalClass(r rune) uint8 {
	page := pages[r/pageSize].Load()
	if page == nil {
		page = newPage(r / pageSize * pageSize)
		pages[r/pageSize].Store(page)
	}
	return page[r%pageSize]
}

func newPage(first rune) *[pageSize]uint8 {
	page := new([pageSize]uint8)
	for i := range page {
		s := string(first + rune(i))
		if norm.NFC.QuickSpanString(s) == len(s) && norm.NFC.PropertiesString(s).BoundaryBefore() == (norm.NFC.PropertiesString(s).CCC() == 0) {
			page[i] = norm.NFC.PropertiesString(s).CCC()
		} else {
			page[i] = notNormal
		}
	}
	return page
}
