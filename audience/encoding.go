package audience

import (
	"bufio"
	"bytes"
	"io"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"github.com/handbill/handbill/message"
)

// text is a file as UTF-8. Bytes that no decoder made may still be invalid.
type text struct {
	io.Reader
	// encoding is the name of the file's encoding.
	encoding string
	// bom says that the file begins with a byte order mark.
	bom bool
	// decoded is true where the bytes went through a decoder, which writes
	// U+FFFD for those that it does not know.
	decoded bool
}

// String is "UTF-8 with a byte order mark".
func (t *text) String() string {
	if t.bom {
		return t.encoding + " with a byte order mark"
	}
	return t.encoding
}

// mark is a byte order mark and what it means.
type mark struct {
	bytes, name string
	enc         encoding.Encoding // nil for UTF-8
}

func marks() []mark {
	return []mark{
		{"\xEF\xBB\xBF", "UTF-8", nil},
		{"\xFF\xFE", "UTF-16LE", unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)},
		{"\xFE\xFF", "UTF-16BE", unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)},
	}
}

// decodeText converts r to UTF-8. A byte order mark decides; without one the
// file is UTF-8 unless declared otherwise. Nothing is guessed: a wrong guess
// would end up in a greeting.
func decodeText(r io.Reader, declared, file string) (*text, error) {
	const sniffed = 512
	buf := bufio.NewReaderSize(r, sniffed)
	head, err := buf.Peek(sniffed)
	if err != nil && err != io.EOF {
		return nil, err
	}
	place := message.Place{File: file}
	if what := foreign(head); what != "" {
		return nil, &Error{Place: place, Summary: "is " + what, Detail: foreignAdvice(what)}
	}
	name, enc, err := declaredEncoding(declared, place)
	if err != nil {
		return nil, err
	}
	for _, m := range marks() {
		if !bytes.HasPrefix(head, []byte(m.bytes)) {
			continue
		}
		// "utf-16" names both byte orders, so the mark may be of either.
		if family := strings.ToUpper(name[:min(len(name), len("UTF-16"))]); declared != "" && !strings.HasPrefix(m.name, family) {
			return nil, &Error{Place: place, Summary: sprintf("begins with the byte order mark of %s", m.name),
				Detail: sprintf("The configuration says encoding = %q. Leave the encoding out: the mark decides.", declared)}
		}
		_, _ = buf.Discard(len(m.bytes)) // skip the mark, which was only peeked
		return newText(buf, m.name, m.enc, true), nil
	}
	return newText(buf, name, enc, false), nil
}

func newText(r io.Reader, name string, enc encoding.Encoding, bom bool) *text {
	t := &text{Reader: r, encoding: name, bom: bom}
	if enc != nil {
		t.decoded = true
		t.Reader = transform.NewReader(r, enc.NewDecoder())
	}
	return t
}

// declaredEncoding returns the encoding with the declared name; nil for UTF-8.
func declaredEncoding(declared string, place message.Place) (string, encoding.Encoding, error) {
	if declared == "" {
		return "UTF-8", nil, nil
	}
	alias := strings.ToLower(strings.TrimSpace(declared))
	switch alias { // Excel's and Python's names
	case "cp1252", "ansi":
		alias = "windows-1252"
	case "utf-8-sig":
		alias = "utf-8"
	}
	enc, err := htmlindex.Get(alias)
	if err != nil {
		return "", nil, &Error{Place: place, Summary: sprintf("unknown encoding %q", declared),
			Detail: `Known are the names of the WHATWG encoding standard, such as "windows-1252", "iso-8859-2" or "utf-16le".`}
	}
	name, err := htmlindex.Name(enc)
	if err != nil || name == "replacement" {
		return "", nil, &Error{Place: place, Summary: sprintf("encoding %q cannot be read", declared)}
	}
	switch name {
	case "utf-8":
		return "UTF-8", nil, nil
	case "utf-16le", "utf-16be":
		return strings.ToUpper(name), enc, nil
	}
	return name, enc, nil
}

// badBytes returns the error for bytes that the file's encoding does not allow.
func (t *text) badBytes(in *input, line int) error {
	if t.decoded {
		return in.failAt(line, "bytes that are not "+t.encoding, "Say the encoding that the file was really saved in.")
	}
	return in.failAt(line, "bytes that are not UTF-8",
		`Files that Excel saves as plain "CSV" are in Windows-1252: say encoding = "windows-1252" in the source, or save the file as "CSV UTF-8".`)
}

// zero returns the error for a NUL, which no contact list holds.
func (t *text) zero(in *input, line int) error {
	return in.failAt(line, "a NUL character",
		`The file is damaged, or in UTF-16 without a byte order mark: then say encoding = "utf-16le" in the source.`)
}
