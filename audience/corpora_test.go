package audience

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// layout is a file of the corpus with the expected result.
type layout struct {
	File     string
	Phone    phoneColumns
	Fallback string
	Country  string
	Consent  string
	Expect   []expectation
}

type expectation struct {
	To, Refuse, Skip, BSUID, Username string
	Note                              string
	Consent                           *bool
}

// phoneColumns is one column, or two that are joined: calling code and number.
type phoneColumns []string

func (p *phoneColumns) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*p = phoneColumns{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(p))
}

// TestCorpora reads files in the layouts of real exports.
func TestCorpora(t *testing.T) {
	dir := os.Getenv("HANDBILL_CORPORA")
	if dir == "" {
		t.Skip("HANDBILL_CORPORA is not set")
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join("..", dir)
	}
	data, err := os.ReadFile(filepath.Join(dir, "audiences", "expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var layouts []layout
	if err := json.Unmarshal(data, &layouts); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(filepath.Join(dir, "audiences"))
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for _, l := range layouts {
		t.Run(l.File, func(t *testing.T) { l.check(t, root) })
	}
}

func (l layout) check(t *testing.T, root *os.Root) {
	src := Source{Kind: CSV, Path: l.File}
	r, err := Open(t.Context(), src, Options{Root: root})
	if err == nil {
		err = readAll(r)
	}
	if l.File == "excel-semicolon-cp1252.csv" {
		if err == nil {
			t.Error("Windows-1252 was read as UTF-8 without a word")
		}
		src.Encoding = "cp1252"
	}
	if r, err = Open(context.Background(), src, Options{Root: root}); err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	want := slices.DeleteFunc(slices.Clone(l.Expect), func(e expectation) bool { return e.Skip != "" })
	i := 0
	for row, err := range r.Rows() {
		if i >= len(want) {
			t.Fatalf("%v: more rows than expected", row.Place)
		}
		l.row(t, r, row, err, want[i])
		i++
	}
	if i != len(want) {
		t.Errorf("%d rows, want %d", i, len(want))
	}
}

func (l layout) row(t *testing.T, r *Reader, row Row, err error, want expectation) {
	if err != nil {
		if want.Refuse == "" || !isRowError(err) {
			t.Errorf("%v: %v", row.Place, err)
		}
		return
	}
	cell := func(name string) string {
		i := slices.Index(r.Columns, name)
		if i < 0 {
			t.Fatalf("no column %q in %q", name, r.Columns)
		}
		return row.Values[i].Text
	}
	raw := cell(l.Phone[0])
	if len(l.Phone) > 1 {
		raw = "+" + raw + cell(l.Phone[1]) // as a configuration would join them
	}
	if raw == "" && l.Fallback != "" {
		raw = cell(l.Fallback)
	}
	got, err := numbers().Parse(raw, l.Country)
	var refused *NumberError
	errors.As(err, &refused)
	switch {
	case want.To != "":
		if got != "+"+want.To {
			t.Errorf("%v: %s, %v; want +%s", row.Place, got, err, want.To)
		}
	case want.BSUID != "":
		if id, ok := userID(raw); !ok || id != want.BSUID || refused == nil || refused.Reason != "user_id" {
			t.Errorf("%v: user id %q, %v", row.Place, id, err)
		}
	case refused == nil:
		t.Errorf("%v: taken as %s, want it refused: %s%s", row.Place, got, want.Refuse, want.Username)
	}
	if want.Consent != nil && (cell(l.Consent) == "yes" || cell(l.Consent) == "TRUE") != *want.Consent {
		t.Errorf("%v: consent %q", row.Place, cell(l.Consent))
	}
}

// readAll reads the rows and returns the first error.
func readAll(r *Reader) error {
	defer r.Close()
	for _, err := range r.Rows() {
		if err != nil {
			return err
		}
	}
	return nil
}
