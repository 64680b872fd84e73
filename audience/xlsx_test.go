package audience

import (
	"archive/zip"
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// book is a workbook by its parts. What is not given is as spreadsheet programs
// write it.
type book map[string]string

const (
	relsHead  = `<?xml version="1.0" encoding="UTF-8"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">`
	relKinds  = `http://schemas.openxmlformats.org/officeDocument/2006/relationships/`
	bookSpace = `xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"`
)

// sheetOf is a worksheet with these rows.
func sheetOf(rows string) string {
	return `<?xml version="1.0"?><worksheet ` + bookSpace + `><sheetData>` + rows + `</sheetData><pageMargins left="1"/></worksheet>`
}

// with is a workbook with one sheet and changed or further parts.
func with(rows string, parts ...string) book {
	b := book{
		"_rels/.rels":                relsHead + `<Relationship Id="rId1" Type="` + relKinds + `officeDocument" Target="xl/workbook.xml"/></Relationships>`,
		"xl/workbook.xml":            `<workbook ` + bookSpace + `><sheets><sheet name="Leads" sheetId="1" r:id="rId1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": relsHead + `<Relationship Id="rId1" Type="` + relKinds + `worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="` + relKinds + `sharedStrings" Target="/xl/sharedStrings.xml"/><Relationship Id="rId3" Type="` + relKinds + `styles" Target="styles.xml"/></Relationships>`,
		"xl/worksheets/sheet1.xml":   sheetOf(rows),
		"xl/sharedStrings.xml":       `<sst ` + bookSpace + `><si><t>phone</t></si><si><t>name</t></si><si><r><t>Ana </t></r><r><rPr><b/></rPr><t>Belén</t></r><rPh sb="0" eb="1"><t>アナ</t></rPh></si><si><t xml:space="preserve">line_x000A_two &amp; more</t></si></sst>`,
		"xl/styles.xml":              `<styleSheet ` + bookSpace + `><numFmts><numFmt numFmtId="164" formatCode="[$-409]d\-mmm\-yyyy"/><numFmt numFmtId="165" formatCode="0&quot; days&quot;"/><numFmt numFmtId="166" formatCode="[h]:mm"/></numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="22"/><xf numFmtId="164"/><xf numFmtId="165"/><xf numFmtId="166"/><xf numFmtId="20"/></cellXfs></styleSheet>`,
	}
	for i := 0; i < len(parts); i += 2 {
		b[parts[i]] = parts[i+1]
	}
	return b
}

func (b book) bytes(t testing.TB) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	for _, name := range slices.Sorted(maps.Keys(b)) {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(b[name])); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// read is what the workbook comes out as.
func (b book) read(t testing.TB, src Source) string {
	t.Helper()
	src.Kind, src.Path = XLSX, "leads.xlsx"
	return table(t, src, Options{Root: fileOf(t, "leads.xlsx", b.bytes(t))})
}

const (
	headRow  = `<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row>`
	headRow3 = `<row r="3"><c r="A3" t="s"><v>0</v></c><c r="B3" t="s"><v>1</v></c></row>`
)

// TestXLSX shows what comes out of what spreadsheet programs write.
func TestXLSX(t *testing.T) {
	for name, c := range map[string]struct {
		book book
		src  Source
		want string
	}{
		"texts, plain, rich and escaped": {book: with(headRow +
			`<row r="2"><c r="A2" t="inlineStr"><is><t>+49151</t><r><t>10000001</t></r></is></c><c r="B2" t="s"><v>2</v></c></row>` +
			`<row r="3"><c r="A3" t="str"><f>A2</f><v>+4915110000001</v></c><c r="B3" t="s"><v>3</v></c></row>`),
			want: "columns phone|name\n2 [+4915110000001] [Ana Belén]\n3 [+4915110000001] [line\\ntwo & more]\n"},
		"numbers keep their digits": {book: with(headRow +
			`<row><c><v>4.915110000001E12</v></c><c><v>4915112000006.0</v></c></row><row><c><v>0.1</v></c><c><v>-2.50</v></c></row>`),
			want: "columns phone|name\n2 4915110000001 4915112000006\n3 0.1 -2.5\n"},
		"dates": {book: with(headRow +
			`<row><c s="1"><v>45000</v></c><c s="2"><v>45000.75</v></c></row><row><c s="3"><v>1</v></c><c s="1"><v>45000.5</v></c></row>` +
			`<row><c s="4"><v>45000</v></c><c s="5"><v>1.5</v></c></row><row><c s="6"><v>0.4375</v></c><c t="d"><v>2026-03-01</v></c></row>` +
			`<row><c s="1"><v>59</v></c><c s="1"><v>60</v></c></row><row><c s="1"><v>61</v></c><c s="99"><v>61</v></c></row>`),
			want: "columns phone|name\n2 [2023-03-15] [2023-03-15T18:00:00]\n3 [1900-01-01] [2023-03-15T12:00:00]\n4 45000 1.5\n5 [10:30:00] [2026-03-01]\n6 [1900-02-28] 60\n7 [1900-03-01] 61\n"},
		"dates from 1904": {book: with(headRow+`<row><c s="1"><v>43538</v></c><c s="1"><v>0</v></c></row>`,
			"xl/workbook.xml", `<workbook `+bookSpace+`><workbookPr date1904="1"/><sheets><sheet name="Leads" sheetId="1" r:id="rId1"/></sheets></workbook>`),
			want: "columns phone|name\n2 [2023-03-15] [1904-01-01]\n"},
		"booleans, errors and gaps": {book: with(headRow + `<row r="4"><c r="A4" t="b"><v>1</v></c><c r="B4" t="e"><v>#REF!</v></c></row><row r="7"><c r="B7"><v>7</v></c></row><row r="8"/>`),
			want: "columns phone|name\n4 true null\n7 null 7\nnote 1 row with a formula that gives an error or has no result, which counts as an empty cell, the first in row 4\nnote 1 row without any text left out, the first in row 8\n"},
		"a table that begins lower, beside notes, with a filter": {book: with(`<row r="1" hidden="1"><c r="A1" t="inlineStr"><is><t>Our leads</t></is></c></row>` + headRow3 +
			`<row r="4" hidden="true"><c r="A4"><v>1</v></c><c r="D4" t="inlineStr"><is><t>call back</t></is></c></row>`), src: Source{HeaderRow: 3},
			want: "columns phone|name\n4 1 null\nnote 1 row that the spreadsheet program hides, as by a filter, read like the others, the first in row 4\nnote 1 row with something in a column without a name, which was left out, the first in row 4\n"},
		"other prefixes": {book: with("", "xl/worksheets/sheet1.xml", `<x:worksheet xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><x:sheetData><x:row><x:c t="s"><x:v>0</x:v></x:c></x:row><x:row><x:c><x:v>5</x:v></x:c></x:row></x:sheetData></x:worksheet>`),
			want: "columns phone\n2 5\n"},
		"a bad cell spoils its row alone": {book: with(headRow + `<row><c t="s"><v>99</v></c><c><v>1</v></c></row><row><c><v>abc</v></c></row><row><c><v>3</v></c></row>`),
			want: "columns phone|name\nerror leads.xlsx:2: cell A2: names a text that the workbook does not have\nerror leads.xlsx:3: cell A3: is not a number\n4 3 null\n"},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, c.book.read(t, c.src)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestXLSXThatCannotBeRead names what is wrong, and the way out.
func TestXLSXThatCannotBeRead(t *testing.T) {
	two := `<workbook ` + bookSpace + `><sheets><sheet name="Leads" sheetId="1" r:id="rId1"/><sheet name="Old leads" sheetId="2" r:id="rId9"/><sheet name="x" sheetId="3" state="hidden" r:id="rId8"/></sheets></workbook>`
	row := headRow + `<row><c><v>1</v></c></row>`
	for name, c := range map[string]struct {
		book book
		src  Source
		want string
	}{
		"several sheets":             {with(row, "xl/workbook.xml", two), Source{}, `leads.xlsx: has several sheets: Say which one is meant, as in sheet = "Leads". It has these: "Leads", "Old leads".`},
		"a sheet that is not there":  {with(row, "xl/workbook.xml", two), Source{Sheet: "Laeds"}, `no sheet "Laeds": Did you mean "Leads"?`},
		"a chart":                    {with(row, "xl/workbook.xml", two), Source{Sheet: "Old leads"}, `"Old leads" is not a sheet of cells`},
		"an empty sheet":             {with(""), Source{}, "no header: The sheet is empty"},
		"no header in that row":      {with(row), Source{HeaderRow: 9}, "leads.xlsx:9: no header"},
		"no header":                  {with(`<row><c><v>4915110000001</v></c></row>`), Source{}, "leads.xlsx:1: the first row is a contact, not a header: Its cell A1"},
		"two columns of one name":    {with(`<row><c t="s"><v>0</v></c><c/><c t="s"><v>0</v></c></row>`), Source{}, `columns A and C are both named "phone"`},
		"a column that is missing":   {with(row), Source{Columns: []string{"phon"}}, `no column "phon": Did you mean "phone"?`},
		"a sheet that was cut off":   {with("", "xl/worksheets/sheet1.xml", `<worksheet><sheetData>`+row), Source{}, "is damaged: It cannot be read to its end"},
		"a part that is missing":     {with(row, "xl/_rels/workbook.xml.rels", relsHead+`<Relationship Id="rId1" Type="`+relKinds+`worksheet" Target="sheet9.xml"/></Relationships>`), Source{}, "is damaged"},
		"a file that is made of us":  {with("", "xl/worksheets/sheet1.xml", `<!DOCTYPE x [<!ENTITY a "b">]>`+sheetOf(row)), Source{}, "is damaged"},
		"rows in the wrong order":    {with(`<row r="5"><c t="s"><v>0</v></c></row><row r="4"><c><v>1</v></c></row>`), Source{}, "is damaged"},
		"a word processor's archive": {book{"_rels/.rels": relsHead + `<Relationship Id="a" Type="x" Target="word/document.xml"/></Relationships>`}, Source{}, "is no Excel workbook"},
		"an archive of other files":  {book{"contacts.csv": "phone"}, Source{}, "is no Excel workbook"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.book.read(t, c.src); !strings.Contains(got, c.want) {
				t.Errorf("%s\nwant %s", got, c.want)
			}
		})
	}
	for what, data := range map[string]string{
		"Save it as .xlsx without one":         "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1 and more",
		"Save it from the spreadsheet program": "phone,name\n",
	} {
		if got := table(t, Source{Kind: XLSX, Path: "leads.xlsx"}, Options{Root: fileOf(t, "leads.xlsx", []byte(data))}); !strings.Contains(got, what) {
			t.Errorf("%s\nwant %s", got, what)
		}
	}
}

// TestACutWorkbookIsAnError cuts the file, and damages each byte of its sheet: the
// rows that come out are the whole table, or there is an error.
func TestACutWorkbookIsAnError(t *testing.T) {
	var rows strings.Builder
	for i := range 30 {
		fmt.Fprintf(&rows, "<row><c><v>%d</v></c></row>", int64(4915110000000)+int64(i))
	}
	whole := with(headRow + rows.String())
	data := whole.bytes(t)
	want := whole.read(t, Source{})
	for n := 0; n < len(data); n += 7 {
		for kind, broken := range map[string][]byte{"cut": data[:n], "changed": append(append(bytes.Clone(data[:n]), data[n]^0x55), data[n+1:]...)} {
			got := tableOf(t, Source{Kind: XLSX, Path: "leads.xlsx"}, Options{Root: fileOf(t, "leads.xlsx", broken)}, eachRow)
			if got != want && !strings.Contains(got, "leads.xlsx: ") {
				t.Fatalf("%s at %d of %d:\n%s", kind, n, len(data), got)
			}
		}
	}
}

func TestEscapesOfWorkbooks(t *testing.T) {
	for in, want := range map[string]string{
		"a_x000D_b": "a\rb", "_x005F_x000D_": "_x000D_", "_x00e9_": "é", "_x": "_x", "_x12": "_x12", "snake_xyz_case": "snake_xyz_case", "_x00GG_": "_x00GG_", "_x0041": "_x0041",
	} {
		if got := unescape(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestFormatsOfDates(t *testing.T) {
	for code, want := range map[string]dateKind{
		"General": noDate, "0.00": noDate, `0" days"`: noDate, "[h]:mm:ss": noDate, "[Red]0": noDate, `\d0`: noDate, "@": noDate, `"h`: noDate,
		"d/m/yy": wholeDay, "[$-F800]dddd, mmmm dd, yyyy": wholeDay, "yyyy;@": wholeDay, "h:mm AM/PM": timeOfDay, "mm:ss.0": timeOfDay, `yyyy\-mm\-dd hh:mm`: moment,
	} {
		if got := kindOfFormat(code); got != want {
			t.Errorf("%q: %d, want %d", code, got, want)
		}
	}
}

// FuzzXLSX reads workbooks with any sheet, texts and styles: no panic, no endless
// loop, and an error or a table.
func FuzzXLSX(f *testing.F) {
	f.Add([]byte(sheetOf(headRow+`<row><c s="1"><v>45000</v></c></row>`)), []byte(with("")["xl/sharedStrings.xml"]), []byte(with("")["xl/styles.xml"]))
	f.Add([]byte(`<worksheet><sheetData><row r="1"><c r="ZZZ1"/></row></sheetData></worksheet>`), []byte("<sst><si>"), []byte("<styleSheet/>"))
	f.Fuzz(func(t *testing.T, sheet, texts, styles []byte) {
		with("", "xl/worksheets/sheet1.xml", string(sheet), "xl/sharedStrings.xml", string(texts), "xl/styles.xml", string(styles)).read(t, Source{})
	})
}
