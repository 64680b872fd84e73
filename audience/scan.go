package audience

import (
	"bytes"
	"io"
	"strings"
	"unicode/utf8"
)

// scanner splits CSV text into records. encoding/csv is not used because it does
// not limit a record's size, silently keeps a bare carriage return or a wrong
// encoding in a cell, and refuses a quotation mark inside an unquoted cell, as in
// `5" screen`.
type scanner struct {
	r          io.Reader
	buf        []byte
	start, end int
	eof        bool

	comma byte
	nl    byte // what ends a line: '\n', or '\r' in files of old Macs
	line  int  // 1-based number of the line at start

	in   *input // for errors
	text *text

	cells  []string
	joined []byte // the cells of a record with quotation marks
	ends   []int  // where each ends in joined
	whole  string // all of buf as a string, if nothing more is read into it; else ""
	tally
}

const scanBuffer = 4 * maxRowBytes

func newScanner(t *text, in *input) *scanner {
	return &scanner{r: t, text: t, in: in, buf: make([]byte, scanBuffer), nl: '\n', line: 1}
}

// sample is a scanner over the text that is in the buffer, to try a delimiter.
func (s *scanner) sample(comma byte) *scanner {
	return &scanner{text: s.text, in: s.in, buf: s.buf[:s.end], start: s.start, end: s.end, eof: true, comma: comma, nl: s.nl, line: s.line}
}

// fill makes sure that the buffer has a record of the largest size, or all that
// is left.
func (s *scanner) fill() error {
	if s.eof || s.end-s.start > maxRowBytes+1 {
		return nil
	}
	s.end = copy(s.buf, s.buf[s.start:s.end])
	s.start = 0
	for s.end < len(s.buf) {
		n, err := s.r.Read(s.buf[s.end:])
		s.end += n
		if err == io.EOF {
			s.eof = true
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// record reads the next record into cells and returns the line where it begins.
// An empty line is a record without cells.
func (s *scanner) record() (line int, err error) {
	if err := s.fill(); err != nil {
		return s.line, err
	}
	line = s.line
	data := s.buf[s.start:s.end]
	if len(data) == 0 {
		return line, io.EOF
	}
	row, size := data, len(data)
	i := bytes.IndexByte(data, s.nl)
	if i >= 0 {
		row, size = data[:i], i+1
	}
	if bytes.IndexByte(row, '"') >= 0 {
		size, err = s.quoted(data)
	} else if i >= 0 || s.eof {
		err = s.plain(row)
	}
	if err != nil {
		return line, err
	}
	if size > maxRowBytes+1 {
		return line, s.in.failAt(line, sprintf("record of more than %d bytes", maxRowBytes),
			"If the cells are not that long, a quotation mark opens here that nothing closes.")
	}
	err = s.check(data[:size])
	s.start += size
	return line, err
}

// check checks the bytes of a record and advances the line.
func (s *scanner) check(raw []byte) error {
	if i := bytes.IndexByte(raw, 0); i >= 0 {
		return s.text.zero(s.in, s.lineAt(raw, i))
	}
	if !utf8.Valid(raw) {
		return s.text.badBytes(s.in, s.lineAt(raw, firstInvalid(raw)))
	}
	if bytes.IndexByte(raw, 0xEF) >= 0 && s.damaged == 0 {
		if i := bytes.Index(raw, []byte("\uFFFD")); i >= 0 {
			if s.text.decoded {
				return s.text.badBytes(s.in, s.lineAt(raw, i))
			}
			s.damaged = s.lineAt(raw, i)
		}
	}
	s.line += bytes.Count(raw, []byte{s.nl})
	return nil
}

func (s *scanner) lineAt(raw []byte, i int) int { return s.line + bytes.Count(raw[:i], []byte{s.nl}) }

func firstInvalid(b []byte) int {
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(b)
}

// plain splits a line without quotation marks.
func (s *scanner) plain(row []byte) error {
	s.cells = s.cells[:0]
	if n := len(row); s.nl == '\n' && n > 0 && row[n-1] == '\r' {
		row = row[:n-1]
	}
	if len(row) == 0 {
		return nil
	}
	if bytes.IndexByte(row, s.stray()) >= 0 {
		return s.strayError(s.line)
	}
	var rest string
	if s.whole != "" {
		rest = s.whole[s.start : s.start+len(row)]
	} else {
		rest = string(row) // the only allocation of a record
	}
	for {
		i := strings.IndexByte(rest, s.comma)
		if i < 0 {
			s.cells = append(s.cells, rest)
			return nil
		}
		s.cells = append(s.cells, rest[:i])
		rest = rest[i+1:]
	}
}

// stray is the line end that is an error outside quotation marks.
func (s *scanner) stray() byte {
	if s.nl == '\n' {
		return '\r'
	}
	return '\n'
}

func (s *scanner) strayError(line int) error {
	return s.in.failAt(line, "a line end of another kind than the first line's",
		"A carriage return or line feed stands alone in the middle of a row. A cell with line breaks must be in quotation marks.")
}

// quoted splits the record at the start of data, which has cells in quotation
// marks, and returns its size with the line end.
func (s *scanner) quoted(data []byte) (size int, err error) {
	s.joined, s.ends = s.joined[:0], s.ends[:0]
	for pos, more := 0, true; more; {
		if pos < len(data) && data[pos] == '"' {
			pos, err = s.quotedCell(data, pos+1)
		} else {
			pos, err = s.bareCell(data, pos)
		}
		if err != nil {
			return 0, err
		}
		s.ends = append(s.ends, len(s.joined))
		more = pos < len(data) && data[pos] == s.comma
		if more {
			pos++
		} else {
			size = pos + lineEnd(data[pos:], s.nl)
		}
	}
	all, from := string(s.joined), 0
	s.cells = s.cells[:0]
	for _, end := range s.ends {
		s.cells = append(s.cells, all[from:end])
		from = end
	}
	return size, nil
}

// lineEnd is the size of the line end that b begins with.
func lineEnd(b []byte, nl byte) int {
	switch {
	case len(b) == 0:
		return 0
	case nl == '\n' && b[0] == '\r' && len(b) > 1 && b[1] == '\n':
		return 2
	}
	return 1
}

// bareCell appends the cell without quotation marks at pos and returns where
// it ends.
func (s *scanner) bareCell(data []byte, pos int) (int, error) {
	end := pos
	for end < len(data) && data[end] != s.comma && data[end] != s.nl {
		end++
	}
	if end == len(data) && !s.eof {
		return 0, s.endless(data, pos)
	}
	cell := data[pos:end]
	if n := len(cell); s.nl == '\n' && n > 0 && cell[n-1] == '\r' && (end == len(data) || data[end] == '\n') {
		cell = cell[:n-1]
		if end < len(data) {
			end--
		}
	}
	if bytes.IndexByte(cell, s.stray()) >= 0 {
		return 0, s.strayError(s.lineAt(data, pos))
	}
	s.joined = append(s.joined, cell...)
	return end, nil
}

// quotedCell appends the cell whose quotation mark is before pos and returns
// where it ends.
func (s *scanner) quotedCell(data []byte, pos int) (int, error) {
	open := pos - 1
	for {
		i := bytes.IndexByte(data[pos:], '"')
		if i < 0 {
			return 0, s.endless(data, open)
		}
		s.appendLines(data[pos : pos+i])
		pos += i + 1
		if pos == len(data) || data[pos] != '"' {
			break
		}
		s.joined = append(s.joined, '"')
		pos++
	}
	rest := data[pos:]
	if len(rest) == 0 || rest[0] == s.comma || rest[0] == s.nl || bytes.HasPrefix(rest, []byte("\r\n")) || (len(rest) == 1 && rest[0] == '\r') {
		return pos, nil
	}
	return 0, s.in.failAt(s.lineAt(data, pos), "text after a closing quotation mark",
		`The cell must end there. A quotation mark that belongs to the text is written twice: "5"" screen".`)
}

// appendLines appends text from inside quotation marks, with its line breaks
// made uniform.
func (s *scanner) appendLines(b []byte) {
	if bytes.IndexByte(b, '\r') < 0 {
		s.joined = append(s.joined, b...)
		return
	}
	for i, c := range b {
		if c == '\r' && i+1 < len(b) && b[i+1] == '\n' {
			continue
		}
		if c == '\r' && s.nl == '\r' {
			c = '\n'
		}
		s.joined = append(s.joined, c)
	}
}

func (s *scanner) endless(data []byte, open int) error {
	line := s.lineAt(data, open)
	if s.eof {
		return s.in.failAt(line, "a quotation mark that is never closed",
			`A quotation mark at the beginning of a cell opens text that must end with another. One that belongs to the text is written twice, inside quotation marks.`)
	}
	return s.in.failAt(line, sprintf("record of more than %d bytes", maxRowBytes),
		"Most often a quotation mark opens here that nothing closes.")
}
