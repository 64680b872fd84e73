package audience

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"github.com/handbill/handbill/message"
)

// table shows what is read from a source: a line per row, cells in brackets,
// and errors in their places. The result must be the same row by row and in
// blocks.
func table(t testing.TB, src Source, opt Options) string {
	t.Helper()
	rows, blocks := tableOf(t, src, opt, eachRow), tableOf(t, src, opt, eachOfBlocks)
	if diff := cmp.Diff(rows, blocks); diff != "" {
		t.Errorf("blocks give something else (-rows +blocks):\n%s", diff)
	}
	return rows
}

func tableOf(t testing.TB, src Source, opt Options, each func(*Reader, func(Row, error))) string {
	t.Helper()
	r, err := Open(t.Context(), src, opt)
	if err != nil {
		return "open: " + err.Error() + "\n"
	}
	defer r.Close()
	var b strings.Builder
	fmt.Fprintf(&b, "columns %s\n", strings.Join(r.Columns, "|"))
	each(r, func(row Row, err error) {
		if err != nil {
			fmt.Fprintf(&b, "error %v\n", err)
			return
		}
		fmt.Fprintf(&b, "%d", row.Place.Line)
		for _, v := range row.Values {
			fmt.Fprintf(&b, " %s", show(v))
		}
		b.WriteByte('\n')
	})
	for _, note := range r.Notes() {
		fmt.Fprintf(&b, "note %s\n", note)
	}
	return b.String()
}

func eachRow(r *Reader, visit func(Row, error)) {
	for row, err := range r.Rows() {
		visit(row, err)
	}
}

// eachOfBlocks reads all blocks before it splits any, and splits the last one
// first: no block may depend on the order.
func eachOfBlocks(r *Reader, visit func(Row, error)) {
	var blocks []*Block
	for b := new(Block); r.Next(b); b = new(Block) {
		blocks = append(blocks, b)
	}
	for _, b := range slices.Backward(blocks) {
		b.Split()
	}
	for _, b := range blocks {
		r.Settle(b)
		cells := b.Cells
		for _, row := range b.Rows {
			var values []message.Value
			if row.Err == nil {
				values, cells = cells[:len(r.Columns)], cells[len(r.Columns):]
			}
			visit(Row{Values: values, Place: row.Place}, row.Err)
		}
		if b.End != nil {
			visit(Row{}, b.End)
			return
		}
	}
}

// show writes a value according to its kind: [text], 3, true, null, or JSON.
func show(v message.Value) string {
	switch v.Kind {
	case message.Null:
		return "null"
	case message.String:
		return "[" + strings.NewReplacer("\n", `\n`, "\r", `\r`).Replace(v.Text) + "]"
	}
	return v.Text
}

// files makes a root that contains these files.
func files(t testing.TB, contents map[string]string) *os.Root {
	t.Helper()
	dir := t.TempDir()
	for name, text := range contents {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return root
}

func readCSV(t testing.TB, text string, src Source) string {
	t.Helper()
	src.Kind, src.Path = CSV, "contacts.csv"
	return table(t, src, Options{Root: files(t, map[string]string{"contacts.csv": text})})
}

func encode(t *testing.T, enc interface{ String(string) (string, error) }, s string) string {
	t.Helper()
	out, err := enc.String(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestCSV(t *testing.T) {
	const plain = "columns name|phone\n2 [Ann] [1]\n3 [Bo] [2]\n"
	utf8 := "note read as UTF-8, delimiter ','\n"
	umlauts := "columns Name|Ort\n2 [Jürgen] [Köln]\n"
	cases := []struct {
		name, text string
		src        Source
		want       string
	}{
		{"plain", "name,phone\nAnn,1\nBo,2\n", Source{}, plain + utf8},
		{"no last line end", "name,phone\nAnn,1\nBo,2", Source{}, plain + utf8},
		{"windows line ends", "name,phone\r\nAnn,1\r\nBo,2\r\n", Source{}, plain + utf8},
		{"old Mac line ends", "name,phone\rAnn,1\rBo,2\r", Source{}, plain + utf8},
		{"everything in quotation marks", "\"name\",\"phone\"\r\n\"Ann\",\"1\"\r\n\"Bo\",\"2\"\r\n", Source{}, plain + utf8},
		{"old Mac, quotation marks", "\"name\",\"phone\"\r\"Ann\",\"1\"\r\"Bo\",\"2\"", Source{}, plain + utf8},
		{"semicolons", "name;phone\nAnn;1\nBo;2\n", Source{}, plain + "note read as UTF-8, delimiter ';'\n"},
		{"tabs", "name\tphone\nAnn\t1\nBo\t2\n", Source{}, plain + "note read as UTF-8, delimiter '\\t'\n"},
		{"bars", "name|phone\nAnn|1\nBo|2\n", Source{}, plain + "note read as UTF-8, delimiter '|'\n"},
		{"Excel's own line", "sep=;\r\nname;phone\r\nAnn;1\r\n", Source{}, "columns name|phone\n3 [Ann] [1]\nnote read as UTF-8, delimiter ';'\n"},
		{"Excel's own line with another character", "sep=^\nname^phone\nAnn^1\n", Source{}, "columns name|phone\n3 [Ann] [1]\nnote read as UTF-8, delimiter '^'\n"},
		{"decimals do not make the delimiter", "name;sum\nAnn;1,5\nBo;2,5\n", Source{}, "columns name|sum\n2 [Ann] [1,5]\n3 [Bo] [2,5]\nnote read as UTF-8, delimiter ';'\n"},
		{"delimiter in quotation marks", "name;note\n\"a,b\";\"c;d\"\n", Source{}, "columns name|note\n2 [a,b] [c;d]\nnote read as UTF-8, delimiter ';'\n"},
		{"two delimiters", "a,b;c\n1,2;3\n", Source{}, "open: contacts.csv:1: the delimiter cannot be told: Several of , ; | and tab split the first rows equally well. Say which it is: delimiter = \";\" in the source.\n"},
		{"two delimiters, one named", "a,b;c\n1,2;3\n", Source{Delimiter: ";"}, "columns a,b|c\n2 [1,2] [3]\nnote read as UTF-8, delimiter ';'\n"},
		{"a named delimiter of two characters", "a,b\n", Source{Delimiter: "::"}, "open: contacts.csv: \"::\" cannot be a delimiter: The delimiter is one ASCII character, such as \";\", or \"tab\".\n"},
		{"one column", "phone\n1\n2\n", Source{}, "columns phone\n2 [1]\n3 [2]\n" + utf8},
		{"spaces around names", " name , phone\nAnn,1\n", Source{}, "columns name|phone\n2 [Ann] [1]\n" + utf8},
		{"line breaks in a cell", "name,phone\n\"A\nB\r\nC\",1\nBo,2\n", Source{}, "columns name|phone\n2 [A\\nB\\nC] [1]\n5 [Bo] [2]\n" + utf8},
		{"quotation marks in a cell", "name,phone\n\"a \"\"b\"\"\",1\n5\" screen,2\n", Source{}, "columns name|phone\n2 [a \"b\"] [1]\n3 [5\" screen] [2]\n" + utf8},
		{"cells are data", "name,phone\n${var.x},%{ if }\n", Source{}, "columns name|phone\n2 [${var.x}] [%{ if }]\n" + utf8},
		{"blank lines", "\nname,phone\n\nAnn,1\n\n\nBo,2\n\n", Source{}, "columns name|phone\n4 [Ann] [1]\n7 [Bo] [2]\n" + utf8},
		{"rows below a table", "name,phone\nAnn,1\n,\n,\n", Source{}, "columns name|phone\n2 [Ann] [1]\n" + utf8 + "note 2 rows without any text left out, the first in line 3\n"},
		{"a delimiter at each line's end", "name;phone;\nAnn;1;\nBo;2;\n", Source{}, plain + "note read as UTF-8, delimiter ';'\n"},
		{"text in a column without name", "name;phone;\nAnn;1;x\nBo;2;\n", Source{}, "columns name|phone\nerror contacts.csv:2: cell 3 stands in a column without a name: Name the column in the file's first line, or fix the row.\n3 [Bo] [2]\nnote read as UTF-8, delimiter ';'\n"},
		{"ragged rows", "name,phone\nAnn\nBo,2\nCy,4,91E+12\n", Source{}, "columns name|phone\nerror contacts.csv:2: 1 cell, the header has 2: Cells may be missing, or the row is no contact. Fix it or take it out.\n3 [Bo] [2]\nerror contacts.csv:4: 3 cells, the header has 2: A cell that holds the delimiter ',' must be in quotation marks.\n" + utf8},
		{"the same name twice", "phone,name,phone\n1,2,3\n", Source{}, "open: contacts.csv:1: columns 1 and 3 are both named \"phone\": Rename one of them in the file's first line.\n"},
		{"no name", "phone,,name\n1,2,3\n", Source{}, "open: contacts.csv:1: column 2 has no name: Give it one in the file's first line, or remove the column.\n"},
		{"no header", "Ann,+4915112345678\nBo,+4915112345679\n", Source{}, "open: contacts.csv:1: the first line is a contact, not a header: Its cell 2 holds a phone number. Put a line with the names of the columns before it.\n"},
		{"a missing column", "name,phone\nAnn,1\n", Source{Columns: []string{"phon"}}, "open: contacts.csv: no column \"phon\": Did you mean \"phone\"? The source has these: \"name\", \"phone\".\n"},
		{"empty", "", Source{}, "open: contacts.csv: no header: The file is empty. Its first line must name the columns.\n"},
		{"header only", "name,phone\n", Source{}, "columns name|phone\n" + utf8},
		{"an open quotation mark", "name,phone\nAnn,1\n\"Bo,2\nCy,3\n", Source{}, "columns name|phone\n2 [Ann] [1]\nerror contacts.csv:3: a quotation mark that is never closed: A quotation mark at the beginning of a cell opens text that must end with another. One that belongs to the text is written twice, inside quotation marks.\n" + utf8},
		{"text after a quotation mark", "name,phone\n\"Ann\"x,1\n", Source{}, "columns name|phone\nerror contacts.csv:2: text after a closing quotation mark: The cell must end there. A quotation mark that belongs to the text is written twice: \"5\"\" screen\".\n" + utf8},
		{"a bare carriage return", "name,phone\nAnn,1\nB\ro,2\n", Source{}, "columns name|phone\n2 [Ann] [1]\nerror contacts.csv:3: a line end of another kind than the first line's: A carriage return or line feed stands alone in the middle of a row. A cell with line breaks must be in quotation marks.\n" + utf8},
		{"NUL", "name,phone\nAnn,1\nB\x00,2\n", Source{}, "columns name|phone\n2 [Ann] [1]\nerror contacts.csv:3: a NUL character: The file is damaged, or in UTF-16 without a byte order mark: then say encoding = \"utf-16le\" in the source.\n" + utf8},

		{"UTF-8 with mark", "\uFEFFName,Ort\nJürgen,Köln\n", Source{}, umlauts + "note read as UTF-8 with a byte order mark, delimiter ','\n"},
		{"UTF-8 with mark and quotation marks", "\uFEFF\"Name\",\"Ort\"\nJürgen,Köln\n", Source{}, umlauts + "note read as UTF-8 with a byte order mark, delimiter ','\n"},
		{"UTF-16LE with mark", encode(t, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder(), "Name\tOrt\r\nJürgen\tKöln\r\n"), Source{}, umlauts + "note read as UTF-16LE with a byte order mark, delimiter '\\t'\n"},
		{"UTF-16BE with mark", encode(t, unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder(), "Name;Ort\r\nJürgen;Köln\r\n"), Source{}, umlauts + "note read as UTF-16BE with a byte order mark, delimiter ';'\n"},
		{"UTF-16BE with mark, byte order not named", encode(t, unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder(), "Name;Ort\nJürgen;Köln\n"), Source{Encoding: "utf-16"}, umlauts + "note read as UTF-16BE with a byte order mark, delimiter ';'\n"},
		{"UTF-8 with mark, named", "\uFEFFName;Ort\nJürgen;Köln\n", Source{Encoding: "utf-8-sig"}, umlauts + "note read as UTF-8 with a byte order mark, delimiter ';'\n"},
		{"UTF-16LE without mark, named", encode(t, unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewEncoder(), "Name;Ort\nJürgen;Köln\n"), Source{Encoding: "utf-16le"}, umlauts + "note read as UTF-16LE, delimiter ';'\n"},
		{"Windows-1252, named", encode(t, charmap.Windows1252.NewEncoder(), "Name;Ort\nJürgen;Köln\n"), Source{Encoding: "windows-1252"}, umlauts + "note read as windows-1252, delimiter ';'\n"},
		{"Windows-1252, not named", encode(t, charmap.Windows1252.NewEncoder(), "Name;Ort\nAnn;Ulm\nJürgen;Köln\n"), Source{}, "columns Name|Ort\n2 [Ann] [Ulm]\nerror contacts.csv:3: bytes that are not UTF-8: Files that Excel saves as plain \"CSV\" are in Windows-1252: say encoding = \"windows-1252\" in the source, or save the file as \"CSV UTF-8\".\nnote read as UTF-8, delimiter ';'\n"},
		{"the wrong encoding, named", "Name;Ort\nJ\xfc\xffrgen;K\xf6ln\n", Source{Encoding: "shift_jis"}, "columns Name|Ort\nerror contacts.csv:2: bytes that are not shift_jis: Say the encoding that the file was really saved in.\nnote read as shift_jis, delimiter ';'\n"},
		{"a mark against the named encoding", "\uFEFFName,Ort\n", Source{Encoding: "windows-1252"}, "open: contacts.csv: begins with the byte order mark of UTF-8: The configuration says encoding = \"windows-1252\". Leave the encoding out: the mark decides.\n"},
		{"an unknown encoding", "Name,Ort\n", Source{Encoding: "klingon"}, "open: contacts.csv: unknown encoding \"klingon\": Known are the names of the WHATWG encoding standard, such as \"windows-1252\", \"iso-8859-2\" or \"utf-16le\".\n"},
		{"a character lost before", "Name,Ort\nJ\uFFFDrgen,Köln\n", Source{}, "columns Name|Ort\n2 [J\uFFFDrgen] [Köln]\n" + utf8 + "note line 2 holds U+FFFD: an earlier conversion lost a character there\n"},
		{"a workbook", "PK\x03\x04abc", Source{}, "open: contacts.csv: is an Excel workbook or a zip archive: Export the contacts as text, for example as CSV in UTF-8.\n"},
		{"a web page", "\n<!DOCTYPE html><html>", Source{}, "open: contacts.csv: is a web page, perhaps a login page in place of the export: Export the contacts as text, for example as CSV in UTF-8.\n"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, readCSV(t, c.text, c.src)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestCSVBounds(t *testing.T) {
	long := strings.Repeat("x", maxRowBytes)
	for name, text := range map[string]string{
		"a long row":                   "name,phone\nAnn,1\n" + long + ",2\n",
		"a long row in old Mac's way":  "name,phone\rAnn,1\r" + long + ",2\r",
		"a long quoted row":            "name,phone\nAnn,1\n\"" + long + "\",2\n",
		"an open quotation mark early": "name,phone\nAnn,1\n\"Bo,2\n" + strings.Repeat("Cy,3\n", 100_000),
		"a long row without an end":    "name,phone\nAnn,1\n" + strings.Repeat("x", 10*maxRowBytes),
	} {
		got := readCSV(t, text, Source{})
		if !strings.Contains(got, "2 [Ann] [1]\nerror contacts.csv:3: record of more than 65536 bytes") {
			t.Errorf("%s: %.300s", name, got)
		}
	}
	root := files(t, map[string]string{"c.csv": "n,p\n1,2\n3,4\n5,6\n"})
	if got := table(t, Source{Kind: CSV, Path: "c.csv"}, Options{Root: root, MaxRows: 2}); !strings.Contains(got, "3 [3] [4]\nerror c.csv:4: more than 2 rows") {
		t.Error(got)
	}
	if got := table(t, Source{Kind: CSV, Path: "c.csv"}, Options{Root: root, MaxFileBytes: 5}); !strings.Contains(got, "larger than 5 bytes") {
		t.Error(got)
	}
}

// In a long file, lines and rows are correct across the ends of the buffer.
func TestCSVLong(t *testing.T) {
	for _, nl := range []string{"\n", "\r\n", "\r"} {
		var b strings.Builder
		b.WriteString("n,text" + nl)
		const rows = 40_000
		for i := range rows {
			fmt.Fprintf(&b, "%d,\"a%sb\"%s", i, nl, nl)
		}
		root := files(t, map[string]string{"c.csv": b.String()})
		r, err := Open(t.Context(), Source{Kind: CSV, Path: "c.csv"}, Options{Root: root})
		if err != nil {
			t.Fatal(err)
		}
		i := 0
		for row, err := range r.Rows() {
			if err != nil || row.Values[0].Text != fmt.Sprint(i) || row.Values[1].Text != "a\nb" || row.Place.Line != 2+2*i {
				t.Fatalf("row %d: %v %v %v", i, row.Place, row.Values, err)
			}
			i++
		}
		if i != rows || r.Position() != r.Size() || r.Size() != int64(b.Len()) || r.Digest() != sha256.Sum256([]byte(b.String())) {
			t.Errorf("%d rows, position %d of %d", i, r.Position(), r.Size())
		}
		if err := errors.Join(r.Close(), r.Close()); err != nil {
			t.Error(err)
		}
	}
}

func TestFiles(t *testing.T) {
	root := files(t, map[string]string{"contacts.csv": "phone\n1\n", "secret.csv": "phone\n1\n"})
	outside := filepath.Join(t.TempDir(), "other.csv")
	steps := []error{
		root.Mkdir("lists", 0o700), root.Symlink(outside, "link.csv"), root.Symlink("contacts.csv", "alias.csv"),
		os.WriteFile(outside, []byte("phone\n1\n"), 0o600), root.Chmod("secret.csv", 0),
	}
	if err := errors.Join(steps...); err != nil {
		t.Fatal(err)
	}
	socket, err := net.Listen("unix", filepath.Join(root.Name(), "socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	for path, want := range map[string]string{
		"socket":         "not a regular file",
		"contact.csv":    `no such file: Did you mean "contacts.csv"?`,
		"nowhere/x.csv":  `no such file: The directory "nowhere" does not exist either.`,
		"lists":          "is a directory",
		"../other.csv":   "outside the configuration's directory",
		outside:          "outside the configuration's directory",
		"link.csv":       "outside the configuration's directory",
		"/dev/zero":      "outside the configuration's directory",
		"":               "no path",
		"contacts.csv":   "columns phone\n2 [1]",
		"./contacts.csv": "columns phone\n2 [1]",
		"alias.csv":      "columns phone\n2 [1]",
		filepath.Join(root.Name(), "contacts.csv"): "columns phone\n2 [1]",
	} {
		if got := table(t, Source{Kind: CSV, Path: path}, Options{Root: root}); !strings.Contains(got, want) {
			t.Errorf("%s: %s; want %s", path, got, want)
		}
	}
	if _, err := Open(t.Context(), Source{Kind: CSV, Path: "x"}, Options{Root: root}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v is not fs.ErrNotExist", err)
	}
	if os.Geteuid() != 0 { // root reads everything
		if got := table(t, Source{Kind: CSV, Path: "secret.csv"}, Options{Root: root}); !strings.Contains(got, "This user may not read it") {
			t.Error(got)
		}
	}
}

func TestCanceled(t *testing.T) {
	root := files(t, map[string]string{"c.csv": "phone\n" + strings.Repeat("1234567890\n", 100_000)})
	ctx, cancel := context.WithCancel(t.Context())
	r, err := Open(ctx, Source{Kind: CSV, Path: "c.csv"}, Options{Root: root})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := readAll(r); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that it was canceled", err)
	}
}

func TestInline(t *testing.T) {
	src := Source{Kind: Inline, Path: "main.hcl", Columns: []string{"phone", "name"}, Contacts: []Contact{
		{Values: []message.Value{message.Str("+4915112345678"), message.Str("Ann")}, Line: 7},
		{Values: []message.Value{message.Str("+4915112345679"), {}}, Line: 9},
	}}
	if diff := cmp.Diff("columns phone|name\n7 [+4915112345678] [Ann]\n9 [+4915112345679] null\n", table(t, src, Options{})); diff != "" {
		t.Error(diff)
	}
	digest := func(src Source) [32]byte {
		r, err := Open(t.Context(), src, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := readAll(r); err != nil {
			t.Fatal(err)
		}
		return r.Digest()
	}
	before := digest(src)
	src.Contacts = slices.Clone(src.Contacts)
	src.Contacts[1].Values = []message.Value{message.Str("+4915112345679"), message.Str("")}
	if before == digest(src) {
		t.Error("null and the empty string have the same digest")
	}
}

// FuzzCSV compares the reader with encoding/csv for input that both accept.
func FuzzCSV(f *testing.F) {
	for _, s := range []string{"a,b\n1,2\n", "a;b\r\n\"1\n\";2\r\n", "sep=;\na;b\n", "\"a\"\"\",b\n,\n", "a\r1\r", "\uFEFFa,b\n1\n", "a,b\n1,\"2"} {
		f.Add([]byte(s))
	}
	root := files(f, map[string]string{"c.csv": ""})
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := root.WriteFile("c.csv", data, 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := Open(t.Context(), Source{Kind: CSV, Path: "c.csv", Delimiter: ","}, Options{Root: root})
		if err != nil {
			return
		}
		defer r.Close()
		table(t, Source{Kind: CSV, Path: "c.csv"}, Options{Root: root}) // both ways to read
		got := [][]string{r.Columns}
		for row, err := range r.Rows() {
			if err != nil {
				return
			}
			cells := make([]string, len(row.Values))
			for i, v := range row.Values {
				cells[i] = v.Text
			}
			got = append(got, cells)
		}
		want, ok := oracle(data, len(r.Columns))
		if ok && !cmp.Equal(want, got) {
			t.Errorf("encoding/csv reads it otherwise (-want +got):\n%s", cmp.Diff(want, got))
		}
	})
}

// oracle reads data with encoding/csv. ok says whether the two readers must
// agree: they differ on purpose in byte order marks, bare carriage returns and
// blank rows.
func oracle(data []byte, columns int) (rows [][]string, ok bool) {
	if bytes.HasPrefix(data, []byte("sep=")) || bytes.HasPrefix(data, []byte(`"sep=`)) || bytes.IndexByte(data, '\r') >= 0 ||
		bytes.HasPrefix(data, []byte("\uFEFF")) {
		return nil, false
	}
	r := csv.NewReader(bytes.NewReader(data))
	all, err := r.ReadAll()
	if err != nil || len(all) == 0 || len(all[0]) != columns {
		return nil, false
	}
	for i, cells := range all {
		if i == 0 {
			for j := range cells {
				cells[j] = strings.TrimSpace(cells[j])
			}
		}
		if i == 0 || slices.ContainsFunc(cells, func(c string) bool { return c != "" }) {
			rows = append(rows, cells)
		}
	}
	return rows, true
}

// bigCSV writes n contacts of six columns.
func bigCSV(b *testing.B, n int) *os.Root {
	b.Helper()
	var text bytes.Buffer
	text.WriteString("phone,first_name,country,opted_in,last_seen,tz\n")
	for i := range n {
		fmt.Fprintf(&text, "+49151%08d,Name%d,DE,yes,2026-02-%02dT10:00:00Z,Europe/Berlin\n", i, i, 1+i%28)
	}
	return files(b, map[string]string{"c.csv": text.String()})
}

const benchRows = 200_000

func BenchmarkCSV(b *testing.B) {
	root := bigCSV(b, benchRows)
	b.ReportAllocs()
	for b.Loop() {
		r, err := Open(b.Context(), Source{Kind: CSV, Path: "c.csv"}, Options{Root: root})
		if err != nil {
			b.Fatal(err)
		}
		if err := readAll(r); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*benchRows/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkEncodingCSV is the baseline: a bare loop over encoding/csv.
func BenchmarkEncodingCSV(b *testing.B) {
	root := bigCSV(b, benchRows)
	b.ReportAllocs()
	for b.Loop() {
		f, err := root.Open("c.csv")
		if err != nil {
			b.Fatal(err)
		}
		r := csv.NewReader(f)
		r.ReuseRecord = true
		for {
			if _, err := r.Read(); err == io.EOF {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
		f.Close()
	}
	b.ReportMetric(float64(b.N)*benchRows/b.Elapsed().Seconds(), "rows/s")
}
