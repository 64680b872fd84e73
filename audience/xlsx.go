package audience

import (
	"archive/zip"
	"encoding/xml"
	"errors"
	"io"
	"path"
	"slices"
	"strings"
)

// The parts of an Excel workbook are XML files in a zip archive. This reads what a
// table of contacts needs of them, as a stream: excelize, the usual library, tells
// neither which numbers are dates nor that a sheet was cut off.
// Source: ECMA-376 part 1 (5th edition), chapters 18.2 to 18.8; read 2026-11.

// workbook is an open Excel file.
type workbook struct {
	in     *input
	parts  map[string]*zip.File
	sheets []sheetRef
	links  []relation // of the workbook's part
	base   string     // the folder of that part
	texts  []string   // shared strings
	dates  []dateKind
	from04 bool // days are counted from 1904
}

// sheetRef is a sheet that the workbook lists.
type sheetRef struct {
	Name  string `xml:"name,attr"`
	State string `xml:"state,attr"` // hidden, veryHidden
	ID    string `xml:"http://schemas.openxmlformats.org/officeDocument/2006/relationships id,attr"`
	// Strict documents have another name space.
	StrictID string `xml:"http://purl.oclc.org/ooxml/officeDocument/relationships id,attr"`
}

// Limits of a workbook, so that a small file cannot fill the memory.
const (
	maxTexts     = 512 << 20 // bytes of shared strings
	maxStyles    = 100_000
	maxPartBytes = 1 << 20 // of the parts that are read whole
	maxParts     = 10_000
)

// openXLSX opens a workbook and one of its sheets, and reads up to the header.
func openXLSX(src Source, in *input) (*sheetRows, error) {
	if _, err := io.Copy(io.Discard, in); err != nil { // for its digest
		return nil, err
	}
	w := &workbook{in: in}
	if err := w.open(); err != nil {
		return nil, err
	}
	ref, err := w.choose(src.Sheet)
	if err != nil {
		return nil, err
	}
	if len(w.sheets) > 1 {
		in.name += "!" + ref.Name
	}
	part, err := w.related(ref)
	if err != nil {
		return nil, err
	}
	s := &sheetRows{book: w, headerRow: src.HeaderRow}
	if s.xml, err = w.stream(part); err != nil {
		return nil, err
	}
	return s, s.header()
}

// open reads what all sheets share.
func (w *workbook) open() error {
	z, err := zip.NewReader(w.in.file, w.in.size)
	switch {
	case errors.Is(err, zip.ErrFormat):
		return w.in.fail("is no Excel workbook", w.advice())
	case err != nil:
		return w.damaged()
	case len(z.File) > maxParts:
		return w.damaged()
	}
	w.parts = map[string]*zip.File{}
	for _, f := range z.File {
		w.parts[strings.ToLower(strings.TrimPrefix(f.Name, "/"))] = f
	}
	links, err := w.relations("_rels/.rels")
	main := target(links, "", func(r relation) bool { return strings.HasSuffix(r.Type, "/officeDocument") })
	if err != nil || main == "" || !strings.HasSuffix(main, ".xml") {
		return w.in.fail("is no Excel workbook", w.advice())
	}
	w.base = path.Dir(main)
	var book struct {
		Properties struct {
			From1904 string `xml:"date1904,attr"`
		} `xml:"workbookPr"`
		Sheets []sheetRef `xml:"sheets>sheet"`
	}
	if err := w.whole(main, &book); err != nil {
		return err
	}
	w.sheets, w.from04 = book.Sheets, book.Properties.From1904 == "1" || book.Properties.From1904 == "true"
	if len(w.sheets) == 0 {
		return w.in.fail("has no sheets", w.advice())
	}
	if w.links, err = w.relations(path.Join(w.base, "_rels", path.Base(main)+".rels")); err != nil {
		return err
	}
	return errors.Join(w.readTexts(), w.readStyles())
}

// advice says what to do with a file that is none.
func (w *workbook) advice() string {
	head := make([]byte, 8)
	if n, _ := w.in.file.ReadAt(head, 0); foreign(head[:n]) == "an old Excel workbook" {
		return "It is an old .xls file, or one with a password. Save it as .xlsx without one."
	}
	return "Save it from the spreadsheet program as .xlsx, or export it as CSV in UTF-8."
}

func (w *workbook) damaged() error {
	return w.in.fail("is damaged", "It cannot be read to its end, so people may be missing. Copy it again, or save it anew.")
}

// choose finds the sheet: the one that is named, or the only one that can be seen.
func (w *workbook) choose(name string) (*sheetRef, error) {
	var names []string
	var found *sheetRef
	for i := range w.sheets {
		s := &w.sheets[i]
		if name != "" && s.Name == name {
			return s, nil
		}
		if s.State == "" || s.State == "visible" {
			names, found = append(names, s.Name), s
		}
	}
	switch {
	case name != "":
		detail := "The workbook has these: " + quoteList(names) + "."
		if near := nearest(name, names); near != "" {
			detail = sprintf("Did you mean %q? %s", near, detail)
		}
		return nil, w.in.fail(sprintf("no sheet %q", name), detail)
	case len(names) > 1:
		return nil, w.in.fail("has several sheets", sprintf("Say which one is meant, as in sheet = %q. It has these: %s.", names[0], quoteList(names)))
	case found == nil:
		return nil, w.in.fail("has hidden sheets only", "Say which one is meant: sheet = NAME.")
	}
	return found, nil
}

// relation is a line of a part that names other parts.
type relation struct {
	ID     string `xml:"Id,attr"`
	Type   string `xml:"Type,attr"`
	Target string `xml:"Target,attr"`
	Mode   string `xml:"TargetMode,attr"`
}

// relations reads which parts a part names.
func (w *workbook) relations(name string) ([]relation, error) {
	var list struct {
		Relations []relation `xml:"Relationship"`
	}
	err := w.whole(name, &list)
	return list.Relations, err
}

// target returns the name of the first part that is named and wanted; "" for none.
// base is the folder that names are relative to.
func target(links []relation, base string, wanted func(relation) bool) string {
	i := slices.IndexFunc(links, func(r relation) bool { return r.Mode != "External" && wanted(r) })
	if i < 0 {
		return ""
	}
	name := links[i].Target
	if !strings.HasPrefix(name, "/") {
		name = path.Join(base, name)
	}
	return strings.ToLower(strings.TrimPrefix(path.Clean(name), "/"))
}

// related finds the part of a sheet.
func (w *workbook) related(ref *sheetRef) (string, error) {
	id := ref.ID + ref.StrictID
	part := target(w.links, w.base, func(r relation) bool { return r.ID == id && strings.HasSuffix(r.Type, "/worksheet") })
	if part == "" {
		return "", w.in.fail(sprintf("%q is not a sheet of cells", ref.Name), "It is a chart, or macros. Name the sheet with the contacts.")
	}
	return part, nil
}

// part opens a part of the archive.
func (w *workbook) part(name string) (io.ReadCloser, error) {
	f := w.parts[strings.ToLower(name)]
	if f == nil {
		return nil, w.damaged()
	}
	r, err := f.Open()
	if err != nil {
		return nil, w.damaged()
	}
	return r, nil
}

// whole decodes a small part.
func (w *workbook) whole(name string, into any) error {
	r, err := w.part(name)
	if err != nil {
		return err
	}
	defer r.Close()
	if xml.NewDecoder(io.LimitReader(r, maxPartBytes)).Decode(into) != nil {
		return w.damaged()
	}
	return nil
}

// stream opens a large part.
func (w *workbook) stream(name string) (*xmlStream, error) {
	r, err := w.part(name)
	if err != nil {
		return nil, err
	}
	return newXMLStream(r, w), nil
}

// eachOf calls visit for each element of that name, or for each element with "", in a
// part that the workbook has once, if it has it.
func (w *workbook) eachOf(kind, root, name string, visit func(*xmlStream, *xml.StartElement) error) error {
	part := target(w.links, w.base, func(r relation) bool { return strings.HasSuffix(r.Type, "/"+kind) })
	if part == "" {
		return nil
	}
	x, err := w.stream(part)
	if err != nil {
		return err
	}
	defer x.close()
	return x.each(root, name, func(e *xml.StartElement) error { return visit(x, e) })
}

// readTexts reads the texts that cells name by number.
func (w *workbook) readTexts() error {
	size := 0
	return w.eachOf("sharedStrings", "sst", "si", func(x *xmlStream, _ *xml.StartElement) error {
		text, err := x.text("si")
		if size += len(text) + 16; size > maxTexts {
			return w.in.fail(sprintf("has more than %d MiB of texts", maxTexts>>20), "Split the workbook, or export it as CSV in UTF-8.")
		}
		w.texts = append(w.texts, text)
		return err
	})
}

// readStyles reads which styles of cells show a date.
func (w *workbook) readStyles() error {
	formats := map[string]string{}
	inside := ""
	return w.eachOf("styles", "styleSheet", "", func(_ *xmlStream, e *xml.StartElement) error {
		switch name := e.Name.Local; {
		case name == "cellXfs" || name == "cellStyleXfs" || name == "dxfs":
			inside = name
		case name == "numFmt" && inside == "" && len(formats) < maxStyles:
			formats[attr(e, "numFmtId")] = attr(e, "formatCode")
		case name == "xf" && inside == "cellXfs":
			if len(w.dates) >= maxStyles {
				return w.damaged()
			}
			id := attr(e, "numFmtId")
			code, own := formats[id]
			if !own {
				code = builtInFormat(id)
			}
			w.dates = append(w.dates, kindOfFormat(code))
		}
		return nil
	})
}
