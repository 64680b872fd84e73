package audience

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// document walks one JSON document to an array and over its elements, without
// ever holding more than one of them.
type document struct {
	dec    *json.Decoder
	text   *text
	in     *input
	window window
	within []string // the keys that lead to the array
	done   bool
	count  int // elements read
}

// window limits what the decoder reads, which by itself would read a value of any
// size into memory. It also knows which line a byte is in.
type window struct {
	r     io.Reader
	read  int64 // bytes given to the decoder
	from  int64 // where the value that is being decoded begins
	line  int   // line of from
	ends  []int64
	limit bool // a value was too large
}

var errTooLarge = errors.New("value too large")

func (w *window) Read(p []byte) (int, error) {
	const readAhead = 64 << 10 // the decoder reads past the value's end
	if w.read-w.from > maxRecordBytes+readAhead {
		w.limit = true
		return 0, errTooLarge
	}
	if len(p) > readAhead {
		p = p[:readAhead]
	}
	n, err := w.r.Read(p)
	for i, c := range p[:n] {
		if c == '\n' {
			w.ends = append(w.ends, w.read+int64(i))
		}
	}
	w.read += int64(n)
	return n, err
}

// move marks everything before offset as done, and returns the line of offset.
func (w *window) move(offset int64) int {
	i := 0
	for i < len(w.ends) && w.ends[i] < offset {
		i++
	}
	w.ends = append(w.ends[:0], w.ends[i:]...)
	w.line += i
	w.from = offset
	return w.line
}

// openJSON walks to the array and reads ahead in it.
func openJSON(t *text, src Source, in *input) (*objects, error) {
	d := &document{text: t, in: in, window: window{r: t, line: 1}}
	d.dec = json.NewDecoder(&d.window)
	d.dec.UseNumber()
	if src.Records != "" {
		d.within = strings.Split(src.Records, ".")
	}
	if err := d.enter(); err != nil {
		return nil, err
	}
	o := &objects{in: in, said: "read as " + t.String()}
	o.pull = func() record { return d.element(o) }
	return o, o.settle(src.Columns)
}

// token returns the next token, and enforces the limits of the document.
func (d *document) token() (json.Token, error) {
	tok, err := d.dec.Token()
	if err != nil {
		return nil, d.fail(err)
	}
	d.window.move(d.dec.InputOffset())
	return tok, nil
}

func (d *document) fail(err error) error {
	line := d.window.move(d.dec.InputOffset())
	var syntax *json.SyntaxError
	switch {
	case d.window.limit:
		return d.in.failAt(line, sprintf("value of more than %d bytes", maxRecordBytes), "Say with records where the array of contacts is.")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return d.in.failAt(line, "not JSON", "The document ends in the middle of a value. Is it complete?")
	case errors.As(err, &syntax):
		if d.text.encoding == "UTF-8" && strings.Contains(syntax.Error(), `'\x00'`) {
			return d.text.zero(d.in, line)
		}
		return d.in.failAt(line, "not JSON", "The document breaks at or after this line.")
	}
	return err
}

// enter walks to the array.
func (d *document) enter() error {
	tok, err := d.token()
	if err != nil {
		return err
	}
	for i, key := range d.within {
		if tok != json.Delim('{') {
			return d.in.failAt(d.window.line, sprintf("records: there is no object that could hold %q", key), "")
		}
		if tok, err = d.find(key, strings.Join(d.within[:i+1], ".")); err != nil {
			return err
		}
	}
	if tok == json.Delim('[') {
		return nil
	}
	if tok == json.Delim('{') {
		return d.suggest()
	}
	return d.in.failAt(d.window.line, "records: no array there", "The path must lead to an array of objects.")
}

// find walks to a key of the object that was entered and returns the first
// token of its value.
func (d *document) find(key, path string) (json.Token, error) {
	var keys []string
	for d.dec.More() {
		tok, err := d.token()
		if err != nil {
			return nil, err
		}
		if tok == key {
			return d.token()
		}
		name, _ := tok.(string)
		if keys = append(keys, name); len(keys) > maxColumns {
			break
		}
		if err := d.skip(); err != nil {
			return nil, err
		}
	}
	detail := "The object has these keys: " + quoteList(keys) + "."
	if near := nearest(key, keys); near != "" {
		detail = sprintf("Did you mean %q? %s", near, detail)
	}
	return nil, d.in.fail(sprintf("records: no key at %q", path), detail)
}

// suggest is the error for a document that is an object where an array is
// needed. It names the arrays in it.
func (d *document) suggest() error {
	var arrays []string
	for d.dec.More() && len(arrays) < 3 {
		key, err := d.token()
		if err != nil {
			break
		}
		name, _ := key.(string)
		tok, err := d.token()
		if err != nil {
			break
		}
		if tok == json.Delim('[') {
			arrays = append(arrays, strings.Join(append(d.within[:len(d.within):len(d.within)], name), "."))
		}
		if d.leave(tok) != nil {
			break
		}
	}
	detail := `Say where the array of contacts is, such as records = "data.contacts".`
	if len(arrays) > 0 {
		detail = sprintf("Say where the array of contacts is: records = %q.", arrays[0])
	}
	return d.in.fail("an object where an array is needed", detail)
}

// skip walks over the next value.
func (d *document) skip() error {
	tok, err := d.token()
	if err != nil {
		return err
	}
	return d.leave(tok)
}

// leave walks to the end of the value whose first token was tok.
func (d *document) leave(tok json.Token) error {
	for depth := 0; ; {
		switch tok {
		case json.Delim('{'), json.Delim('['):
			if depth++; depth > maxDepth {
				return d.in.failAt(d.window.line, sprintf("nested deeper than %d", maxDepth), "")
			}
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
		var err error
		if tok, err = d.token(); err != nil {
			return err
		}
	}
}

// element is the array's next element.
func (d *document) element(o *objects) record {
	if d.done {
		return record{err: io.EOF}
	}
	if !d.dec.More() {
		d.done = true
		if err := d.finish(); err != nil {
			return record{line: d.window.line, err: err}
		}
		return record{err: io.EOF}
	}
	d.window.move(d.dec.InputOffset())
	var raw json.RawMessage
	if err := d.dec.Decode(&raw); err != nil {
		d.done = true
		err = atElement(d.fail(err), d.count+1)
		return record{line: d.window.line, err: err}
	}
	d.count++
	line := d.window.move(d.dec.InputOffset() - int64(len(raw)))
	rec := record{line: line}
	if len(raw) > maxRecordBytes {
		rec.err = o.bad(line, sprintf("record of more than %d bytes", maxRecordBytes), "")
	} else {
		rec = o.vet(d.text, line, raw)
	}
	rec.element, rec.err = d.count, atElement(rec.err, d.count)
	return rec
}

// finish reads what follows the array, to notice a document that was cut off and
// to include all of it in the digest.
func (d *document) finish() error {
	depth := 1 + len(d.within)
	for depth > 0 {
		tok, err := d.token()
		if err != nil {
			return err
		}
		switch tok {
		case json.Delim('{'), json.Delim('['):
			if depth++; depth > maxDepth {
				return d.in.failAt(d.window.line, sprintf("nested deeper than %d", maxDepth), "")
			}
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
	}
	if _, err := d.dec.Token(); !errors.Is(err, io.EOF) {
		return d.in.failAt(d.window.line, "text after the document's end", "If it is one record per line, say source \"ndjson\".")
	}
	return nil
}
