package audience

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"

	"github.com/handbill/handbill/message"
)

// xmlStream reads a large part of a workbook, element by element. A part that ends
// before its root element does is an error.
type xmlStream struct {
	part  io.ReadCloser
	dec   *xml.Decoder
	book  *workbook
	count counter
	depth int
}

// counter counts the bytes that come out of an archive.
type counter struct {
	r  io.Reader
	in *input
}

// Read implements io.Reader.
func (c *counter) Read(p []byte) (int, error) {
	if err := c.in.canceled(); err != nil {
		return 0, err
	}
	n, err := c.r.Read(p)
	if big := c.in.grew(n); big != nil {
		return n, big
	}
	return n, err
}

func newXMLStream(r io.ReadCloser, w *workbook) *xmlStream {
	x := &xmlStream{part: r, book: w, count: counter{r, w.in}}
	x.dec = xml.NewDecoder(&x.count)
	return x
}

func (x *xmlStream) close() error { return x.part.Close() }

// fail tells the library's errors, which quote the file, apart from our own.
func (x *xmlStream) fail(err error) error {
	var own *Error
	if errors.As(err, &own) || x.book.in.canceled() != nil {
		return err
	}
	return x.book.damaged()
}

// token returns the next one that is the start or the end of an element, or text.
// The end of the part is an error, since callers stop at the end of its root.
func (x *xmlStream) token() (xml.Token, error) {
	t, err := x.dec.RawToken()
	if err != nil {
		return nil, x.fail(err)
	}
	switch t.(type) {
	case xml.StartElement:
		if x.depth++; x.depth > maxDepth {
			return nil, x.book.damaged()
		}
	case xml.EndElement:
		x.depth--
	case xml.Directive: // a document type, with which the file could define texts
		return nil, x.book.damaged()
	}
	return t, nil
}

// each calls visit for each element of that name, or for each element with "", until
// the end of root.
func (x *xmlStream) each(root, name string, visit func(*xml.StartElement) error) error {
	for {
		t, err := x.token()
		if err != nil {
			return err
		}
		switch e := t.(type) {
		case xml.StartElement:
			if name == "" || e.Name.Local == name {
				if err := visit(&e); err != nil {
					return err
				}
			}
		case xml.EndElement:
			if e.Name.Local == root {
				return x.drain()
			}
		}
	}
}

// text reads the text of a rich or plain string up to the end of the element: all
// of its runs, and no phonetic hints.
func (x *xmlStream) text(end string) (string, error) {
	var b strings.Builder
	inside, hints := false, false
	for {
		t, err := x.token()
		if err != nil {
			return "", err
		}
		switch e := t.(type) {
		case xml.StartElement:
			inside = e.Name.Local == "t"
			hints = hints || e.Name.Local == "rPh"
		case xml.CharData:
			if inside && !hints {
				b.Write(e)
			}
		case xml.EndElement:
			inside = false
			switch e.Name.Local {
			case "rPh":
				hints = false
			case end:
				return unescape(b.String()), nil
			}
		}
		if b.Len() > maxRecordBytes {
			return "", x.book.in.fail(sprintf("has a text of more than %d bytes", maxRecordBytes), "No cell of a spreadsheet program is that long.")
		}
	}
}

// value reads the text of an element without others in it.
func (x *xmlStream) value() (string, error) {
	var b strings.Builder
	for {
		t, err := x.token()
		if err != nil {
			return "", err
		}
		switch e := t.(type) {
		case xml.CharData:
			b.Write(e)
		case xml.StartElement:
			return "", x.book.damaged()
		case xml.EndElement:
			return b.String(), nil
		}
		if b.Len() > maxRecordBytes {
			return "", x.book.damaged()
		}
	}
}

// drain reads what follows the root element, so that the archive's checksum is
// compared.
func (x *xmlStream) drain() error {
	if _, err := io.Copy(io.Discard, &x.count); err != nil {
		return x.fail(err)
	}
	return nil
}

func attr(e *xml.StartElement, name string) string {
	for i := range e.Attr {
		if e.Attr[i].Name.Local == name && e.Attr[i].Name.Space == "" {
			return e.Attr[i].Value
		}
	}
	return ""
}

// unescape turns _x000D_ into the character that XML cannot hold.
func unescape(s string) string {
	if !strings.Contains(s, "_x") {
		return s
	}
	var b strings.Builder
	for {
		i := strings.Index(s, "_x")
		if i < 0 || len(s) < i+7 {
			break
		}
		r, ok := hex4(s[i+2:i+6], s[i+6])
		if !ok {
			b.WriteString(s[:i+2])
			s = s[i+2:]
			continue
		}
		b.WriteString(s[:i])
		b.WriteRune(r)
		s = s[i+7:]
	}
	b.WriteString(s)
	return b.String()
}

func hex4(digits string, end byte) (r rune, ok bool) {
	for _, c := range []byte(digits) {
		d := strings.IndexByte("0123456789abcdef", c|0x20)
		if c < '0' || d < 0 {
			return 0, false
		}
		r = r<<4 | rune(d)
	}
	return r, end == '_'
}

// place is that of a row in the sheet.
func (x *xmlStream) place(row int) message.Place {
	return message.Place{File: x.book.in.name, Line: row}
}
