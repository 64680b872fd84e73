// Package audience reads who a campaign is for: rows of CSV, NDJSON and JSON
// files, of a database query, or written in the configuration; and it turns
// what people write as a phone number into E.164. Rows stream: memory does not
// grow with their number.
package audience

import (
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/handbill/handbill/message"
)

// Kind says what an audience is read from.
type Kind uint8

// The kinds of a Source.
const (
	CSV     Kind = iota + 1 // a table in text; the first line is the header
	NDJSON                  // one JSON object per line
	JSON                    // one JSON document with an array of objects
	SQL                     // the rows of a database query
	XLSX                    // a sheet of an Excel workbook
	Parquet                 // a Parquet file
	HTTP                    // what a web service answers: CSV, NDJSON or JSON
	Inline                  // contacts written in the configuration
	Given                   // rows that the caller has
)

// Source says where rows come from. Kind decides which of its parts are used.
type Source struct {
	Kind Kind
	// Path is the file of a CSV, NDJSON, JSON, XLSX or Parquet source, relative to
	// Options.Root. For Inline it may name the configuration's file, for places.
	Path string
	// Encoding names the encoding of a text file as the WHATWG encoding
	// standard does, such as "windows-1252". "" means UTF-8, unless a byte order
	// mark says otherwise.
	Encoding string
	// Delimiter separates the cells of a CSV: one character, or "tab". ""
	// detects it among , ; | and tab.
	Delimiter string
	// Records is the dotted path to a JSON document's array; "" when the
	// document is the array.
	Records string
	// Sheet is the name of a workbook's sheet; "" for the only one that is not
	// hidden. HeaderRow is the row with the names of the columns, counted from 1; 0
	// for the first one that is not empty.
	Sheet     string
	HeaderRow int
	// Driver is "postgres", "mysql" (also for MariaDB) or "sqlite". DSN is the
	// server's connection string, or the path of an SQLite file relative to
	// Options.Root. It may hold a password, so no error contains it.
	Driver, DSN, Query string
	// HideDSN says that the DSN is a secret even if it is the path of a file.
	HideDSN bool
	// URL is the address of an HTTP source; a GET with these headers asks for it. No
	// error contains a header, and none the address. Format is "csv", "ndjson" or
	// "json"; "" for what the answer's content type says. Next returns the address of
	// the page after the one with this JSON, "" after the last; nil for one page.
	URL, Format string
	HideURL     bool // not even a part of the URL names the source
	Headers     map[string]string
	Next        func(page []byte) (string, error)
	// Timeout is how long each wait for a database or web service may take: to
	// connect, for the first row or byte, and for each next one; 0 for five minutes.
	Timeout time.Duration
	// Contacts are the rows of an Inline source, in order.
	Contacts []Contact
	// Given are the rows of a Given source, each parallel to Columns; a row may be
	// overwritten by the next one. They are ranged over once, from the first row on. Path
	// names them, for places, and Notes says after the last row what a reader should know.
	Given iter.Seq2[[]message.Value, error]
	Notes func() []string
	// Columns are the names of an Inline or Given source's values. For the other kinds
	// they are optional: a CSV or query that lacks one is an error, and a JSON
	// source has them in addition to those that its first records show.
	Columns []string
}

// Contact is one row of an Inline source.
type Contact struct {
	Values []message.Value // parallel to Source.Columns
	Line   int             // where it stands in the configuration
}

// Options bound what is read. The zero value is ready.
type Options struct {
	// Root is the directory that files must lie in; nil for the current one.
	Root *os.Root
	// MaxRows bounds the rows of a source; 0 for 10 million.
	MaxRows int
	// Web makes the requests of an HTTP source.
	Web Web
	// MaxFileBytes bounds a file's size in bytes; 0 for 16 GiB.
	MaxFileBytes int64
}

// Web is how web services are asked.
type Web struct {
	// Client decides which addresses a request may reach; with nil there are none.
	Client    *http.Client
	UserAgent string
}

// Limits of what is read, so that a hostile or broken file ends in an error
// and not in exhausted memory. The figures are handbill's own.
const (
	defaultMaxRows      = 10_000_000
	defaultMaxFileBytes = 16 << 30
	maxRowBytes         = 64 << 10 // of a CSV record
	maxRecordBytes      = 1 << 20  // of a JSON record
	maxDepth            = 64       // nesting of a JSON record
	maxColumns          = 2000
	lookAhead           = 1000 // JSON records whose keys are the columns
	defaultTimeout      = 5 * time.Minute
)

// Row is one row of a source.
type Row struct {
	// Values are parallel to Reader.Columns. The slice is reused for the next
	// row; the values in it may be kept.
	Values []message.Value
	Place  message.Place
}

// rows is what each kind of source implements. next fills dst, which is
// parallel to the columns, and returns the row's line; io.EOF ends it.
type rows interface {
	columns() []string
	next(dst []message.Value) (line int, err error)
	notes() []string
	digest() [32]byte
	close() error
}

// placeOf returns the place of the row that src read last.
func placeOf(src rows, file string, line int) message.Place {
	switch o := src.(type) {
	case *objects:
		return o.place(file, line)
	case *pages:
		return o.place(line)
	}
	return message.Place{File: file, Line: line}
}

// Reader reads the rows of one source, once.
type Reader struct {
	// Columns are the names of the values in each row.
	Columns []string

	src    rows
	input  *input // nil if the source is not a file
	file   string
	values []message.Value
	max    int
	count  int
	ended  bool // Next has reached the end

	settled tally // tally of the settled blocks
}

// Open begins reading src. The returned Reader's Columns are known before the
// first row. Errors about the source are of type *Error.
func Open(ctx context.Context, src Source, opt Options) (*Reader, error) {
	if opt.MaxRows <= 0 {
		opt.MaxRows = defaultMaxRows
	}
	if opt.MaxFileBytes <= 0 {
		opt.MaxFileBytes = defaultMaxFileBytes
	}
	r := &Reader{max: opt.MaxRows}
	if err := r.open(ctx, src, opt); err != nil {
		_ = r.Close() // the first error is the one to report
		return nil, err
	}
	r.Columns = r.src.columns()
	r.values = make([]message.Value, len(r.Columns))
	if err := r.checkColumns(src); err != nil {
		_ = r.Close() // the first error is the one to report
		return nil, err
	}
	return r, nil
}

func (r *Reader) open(ctx context.Context, src Source, opt Options) (err error) {
	switch src.Kind {
	case Given:
		r.file, r.src = src.Path, openGiven(src)
		return nil
	case Inline:
		r.file = baseName(src.Path)
		r.src, err = openInline(src)
		return err
	case SQL:
		r.src, err = openSQL(ctx, src, opt.Root)
		return err
	case HTTP:
		r.src, r.input, err = openHTTP(ctx, src, opt)
		if r.input != nil {
			r.file = r.input.name
		}
		return err
	case CSV, NDJSON, JSON, XLSX, Parquet:
	default:
		return &Error{Summary: "unknown kind of source"}
	}
	r.file = baseName(src.Path)
	r.input, err = openInput(ctx, src.Path, opt)
	if err != nil {
		return err
	}
	if src.Kind == Parquet {
		table, err := openParquet(r.input)
		if err != nil {
			return err
		}
		r.src = table
		return nil
	}
	if src.Kind == XLSX {
		book, err := openXLSX(src, r.input)
		if r.file = r.input.name; err != nil {
			return err
		}
		r.src = book
		return nil
	}
	unpacked, err := r.input.unpack()
	if err != nil {
		return err
	}
	text, err := decodeText(unpacked, src.Encoding, r.file)
	if err != nil {
		return err
	}
	switch src.Kind {
	case CSV:
		r.src, err = openCSV(text, src.Delimiter, r.input)
	case NDJSON:
		r.src, err = openNDJSON(text, src.Columns, r.input)
	case JSON:
		r.src, err = openJSON(text, src, r.input)
	}
	return err
}

// checkColumns checks that the source has the columns declared for it.
func (r *Reader) checkColumns(src Source) error {
	if len(r.Columns) > maxColumns {
		return &Error{Place: message.Place{File: r.file}, Summary: sprintf("more than %d columns", maxColumns),
			Detail: "That many different keys are no table of contacts."}
	}
	if _, open := r.src.(*objects); open || src.Kind == Inline || src.Kind == Given || src.Kind == HTTP && src.Next != nil {
		return nil
	}
	for _, name := range src.Columns {
		if slices.Contains(r.Columns, name) {
			continue
		}
		detail := "The source has these: " + quoteList(r.Columns) + "."
		if near := nearest(name, r.Columns); near != "" {
			detail = sprintf("Did you mean %q? %s", near, detail)
		}
		return &Error{Place: message.Place{File: r.file}, Summary: sprintf("no column %q", name), Detail: detail}
	}
	return nil
}

// Only says which columns the caller uses, by their positions in Columns, before
// the first row. The values of the others may then be null: a Parquet file is not
// read where nobody looks.
func (r *Reader) Only(columns []int) {
	if p, ok := r.src.(*parquetRows); ok {
		p.only(columns)
	}
}

// Rows yields the rows in the order of the source. A row whose error has Row
// set is unusable by itself and the rows after it follow; after any other
// error the sequence ends. A source can be read once, by Rows or by Next.
func (r *Reader) Rows() iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for {
			line, err := r.src.next(r.values)
			if err == io.EOF {
				return
			}
			row := Row{Values: r.values, Place: placeOf(r.src, r.file, line)}
			r.count++
			if err == nil && r.count > r.max {
				err = r.tooMany(row.Place)
			}
			if err != nil {
				row.Values = nil
				if !yield(row, err) || !isRowError(err) {
					return
				}
				continue
			}
			if !yield(row, nil) {
				return
			}
		}
	}
}

func (r *Reader) tooMany(place message.Place) *Error {
	return &Error{Place: place, Summary: sprintf("more than %d rows", r.max), Detail: "Split the audience, or raise the limit."}
}

// Notes says how the source was read where there was a choice, such as "read as
// windows-1252, delimiter ';'". Some notes arise while rows are read, so call it
// after the last row.
func (r *Reader) Notes() []string {
	if c, ok := r.src.(*csvRows); ok {
		c.tally.add(r.settled)
		r.settled = tally{}
	}
	return r.src.notes()
}

// Digest is a SHA-256 of the file's bytes, or of the rows if the source is not a
// file. It is complete after the last row.
func (r *Reader) Digest() [32]byte {
	if r.input != nil {
		return r.input.digest()
	}
	return r.src.digest()
}

// Size is the number of bytes to read; 0 if unknown.
func (r *Reader) Size() int64 {
	if r.input == nil {
		return 0
	}
	return r.input.size
}

// Position is the number of bytes read so far; 0 if unknown. It may be called
// while another goroutine reads the rows.
func (r *Reader) Position() int64 {
	if r.input == nil {
		return 0
	}
	return r.input.pos.Load()
}

// Close ends reading. It may be called more than once.
func (r *Reader) Close() error {
	var err error
	if r.src != nil {
		err = r.src.close()
	}
	if r.input != nil {
		err = errors.Join(err, r.input.close())
	}
	return err
}
