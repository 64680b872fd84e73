package audience

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/unicode"

	"github.com/handbill/handbill/message"
)

func readJSON(t testing.TB, kind Kind, text string, src Source) string {
	t.Helper()
	src.Kind, src.Path = kind, "c.json"
	return table(t, src, Options{Root: files(t, map[string]string{"c.json": text})})
}

func TestNDJSON(t *testing.T) {
	const note = "note read as UTF-8\n"
	for _, c := range []struct {
		name, text string
		src        Source
		want       string
	}{
		{"kinds", `{"phone":"+1","n":3,"f":0.50,"e":1.5e3,"ok":true,"none":null,"tags":["a", "b"],"at":{"x": 1}}` + "\n", Source{},
			"columns phone|n|f|e|ok|none|tags|at\n1 [+1] 3 0.5 1500 true null [\"a\",\"b\"] {\"x\":1}\n" + note},
		{"columns are the union, in order", "{\"b\":1}\n{\"a\":2,\"b\":3}\n\n{\"c\":4}", Source{},
			"columns b|a|c\n1 1 null null\n2 3 2 null\n4 null null 4\n" + note},
		{"declared columns", "{\"b\":1}\n", Source{Columns: []string{"a", "b"}}, "columns a|b\n1 null 1\n" + note},
		{"escapes", `{"n\u0061me":"J\u00fcrgen \"J\" \ud83d\ude00"}`, Source{}, "columns name\n1 [Jürgen \"J\" 😀]\n" + note},
		{"windows line ends and a mark", "\uFEFF{\"a\":1}\r\n{\"a\":2}\r\n", Source{}, "columns a\n1 1\n2 2\nnote read as UTF-8 with a byte order mark\n"},
		{"a long number stays as it is", `{"phone":4915112345678,"id":12345678901234567890123}`, Source{}, "columns phone|id\n1 4915112345678 12345678901234567890123\n" + note},
		{"a broken line", "{\"a\":1}\n{\"a\":\n{\"a\":3}\n", Source{},
			"columns a\n1 1\nerror c.json:2: not JSON: The text ends in the middle of a value.\n3 3\n" + note},
		{"a value in place of a record", "{\"a\":1}\n17\n[1]\n", Source{},
			"columns a\n1 1\nerror c.json:2: the record is not an object: Each record must be an object, so that its values have names.\n" +
				"error c.json:3: the record is an array, not an object: A document with one array of objects is read by source \"json\".\n" + note},
		{"a key twice", "{\"a\":1,\"a\":2}\n{\"a\":3}\n", Source{}, "columns a\nerror c.json:1: the key \"a\" stands twice in the object\n2 3\n" + note},
		{"a huge exponent", "{\"a\":1}\n{\"a\":1e100000000}\n", Source{}, "columns a\n1 1\nerror c.json:2: a number with an exponent beyond 308\n" + note},
		{"a NUL", "{\"b\":1,\"a\":\"\\u0000\"}\n", Source{}, "columns b\nerror c.json:1: a string holds a NUL character\n" + note},
		{"bytes that are not UTF-8", "{\"a\":\"x\"}\n{\"a\":\"J\xfcrgen\"}\n", Source{},
			"columns a\n1 [x]\nerror c.json:2: bytes that are not UTF-8: Files that Excel saves as plain \"CSV\" are in Windows-1252: say encoding = \"windows-1252\" in the source, or save the file as \"CSV UTF-8\".\n" + note},
		{"a document", "[\n{\"a\":1}\n]\n", Source{}, "open: c.json:1: the record is an array, not an object: A document with one array of objects is read by source \"json\".\n"},
		{"empty", "", Source{}, "columns \n" + note},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, readJSON(t, NDJSON, c.text, c.src)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestJSON(t *testing.T) {
	const note = "note read as UTF-8\n"
	utf16 := encode(t, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder(), `[{"a":"ü"}]`)
	for _, c := range []struct {
		name, text string
		src        Source
		want       string
	}{
		{"an array", "[\n {\"a\":1},\n {\"a\":2,\n  \"b\":\"x\"}\n]\n", Source{}, "columns a|b\n2 1 null\n3 2 [x]\n" + note},
		{"within the document", "{\"meta\":{\"data\":[1]},\n\"data\":{\"n\":[[]],\"contacts\":[\n{\"a\":1}],\"next\":null}}", Source{Records: "data.contacts"}, "columns a\n3 1\n" + note},
		{"UTF-16", utf16, Source{}, "columns a\n1 [ü]\nnote read as UTF-16LE with a byte order mark\n"},
		{"an empty array", "[]", Source{}, "columns \n" + note},
		{"no record", `[{"a":1},7,{"a":3}]`, Source{}, "columns a\n1 1\nerror c.json[1]: the record is not an object: Each record must be an object, so that its values have names.\n1 3\n" + note},
		{"a key twice", "[{\"a\":1},\n {\"a\":2,\"b\":3}, {\"b\":1,\"b\":2}]", Source{}, "columns a|b\n1 1 null\n2 2 3\nerror c.json:2[2]: the key \"b\" stands twice in the object\n" + note},
		{"an object in place of an array", `{"page":1,"contacts":[{"a":1}]}`, Source{}, "open: c.json: an object where an array is needed: Say where the array of contacts is: records = \"contacts\".\n"},
		{"an object without an array", `{"page":1}`, Source{}, "open: c.json: an object where an array is needed: Say where the array of contacts is, such as records = \"data.contacts\".\n"},
		{"a misspelt path", `{"contacts":[{"a":1}]}`, Source{Records: "contact"}, "open: c.json: records: no key at \"contact\": Did you mean \"contacts\"? The object has these keys: \"contacts\".\n"},
		{"a path to a scalar", `{"contacts":7}`, Source{Records: "contacts"}, "open: c.json:1: records: no array there: The path must lead to an array of objects.\n"},
		{"a path through a scalar", `{"contacts":7}`, Source{Records: "contacts.x"}, "open: c.json:1: records: there is no object that could hold \"x\"\n"},
		{"cut off", "[{\"a\":1},\n{\"a\":2}\n", Source{}, "columns a\n1 1\n2 2\nerror c.json:2: not JSON: The document ends in the middle of a value. Is it complete?\n" + note},
		{"cut off in a record", "[{\"a\":1},\n{\"a\":", Source{}, "columns a\n1 1\nerror c.json[1]: not JSON: The document ends in the middle of a value. Is it complete?\n" + note},
		{"broken", "[{\"a\":1},\n{a:2}]", Source{}, "columns a\n1 1\nerror c.json[1]: not JSON: The document breaks at or after this line.\n" + note},
		{"two documents", "[{\"a\":1}]\n[]", Source{}, "columns a\n1 1\nerror c.json:1: text after the document's end: If it is one record per line, say source \"ndjson\".\n" + note},
		{"one record per line", "{\"a\":1}\n{\"a\":2}\n", Source{}, "open: c.json: an object where an array is needed: Say where the array of contacts is, such as records = \"data.contacts\".\n"},
		{"empty", "", Source{}, "open: c.json:1: not JSON: The document ends in the middle of a value. Is it complete?\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, readJSON(t, JSON, c.text, c.src)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestJSONBounds(t *testing.T) {
	deep := func(n int) string { return `{"a":` + strings.Repeat("[", n) + strings.Repeat("]", n) + "}" }
	big := `{"a":"` + strings.Repeat("x", 3*maxRecordBytes) + `"}`
	for _, c := range []struct {
		name       string
		kind       Kind
		text, want string
	}{
		{"as deep as may be", NDJSON, deep(maxDepth - 1), "1 [["},
		{"too deep", NDJSON, "{\"a\":1}\n" + deep(maxDepth), "error c.json:2: nested deeper than 64"},
		{"far too deep", NDJSON, "{\"a\":1}\n" + deep(100_000), "error c.json:2: not JSON"},
		{"too deep beside the array", JSON, `{"x":` + deep(maxDepth) + `,"a":[]}`, "open: c.json:1: nested deeper than 64"},
		{"too long a line", NDJSON, "{\"a\":1}\n" + big, "1 1\nerror c.json:2: line of more than 1048576 bytes"},
		{"too long an element", JSON, "[{\"a\":1},\n" + big + "]", "1 1\nerror c.json[1]: value of more than 1048576 bytes"},
		{"too long a value beside the array", JSON, `{"x":"` + strings.Repeat("x", 3*maxRecordBytes) + `","a":[]}`, "open: c.json:1: value of more than 1048576 bytes"},
	} {
		if got := readJSON(t, c.kind, c.text, Source{Records: map[bool]string{true: "a"}[strings.HasPrefix(c.text, `{"x"`)]}); !strings.Contains(got, c.want) {
			t.Errorf("%s: %.200s; want %s", c.name, got, c.want)
		}
	}
}

// A key that first appears late is left out with a note. If it is declared, it
// is a column from the first row on.
func TestLateKey(t *testing.T) {
	text := strings.Repeat("{\"a\":1}\n", lookAhead) + "{\"a\":2,\"late\":3}\n"
	got := readJSON(t, NDJSON, text, Source{})
	if want := "1001 2\nnote read as UTF-8\nnote key \"late\", first seen in line 1001 after 1000 records without it"; !strings.Contains(got, want) {
		t.Errorf("%.200s", got[len(got)-200:])
	}
	if got := readJSON(t, NDJSON, text, Source{Columns: []string{"late"}}); !strings.Contains(got, "1001 3 2\n") {
		t.Errorf("%.200s", got[len(got)-200:])
	}
}

// The same records give the same rows from a JSON file and from an NDJSON file.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{`{"a":1}`, `{"a":"\u00e4","b":[1,{"c":null}]}`, `{"a":-0.0e-5,"a":true}`, `{"":"\""}`, `{ "a" : 1 , "b" : "x" }`} {
		f.Add([]byte(s))
	}
	root := files(f, map[string]string{"c.json": ""})
	f.Fuzz(func(t *testing.T, data []byte) {
		if strings.ContainsAny(string(data), "\r\n") || strings.HasPrefix(string(data), "\uFEFF") {
			return
		}
		read := func(kind Kind, text string) (out string) {
			if err := root.WriteFile("c.json", []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			r, err := Open(t.Context(), Source{Kind: kind, Path: "c.json"}, Options{Root: root})
			if err != nil {
				return ""
			}
			defer r.Close()
			for row, err := range r.Rows() {
				if err != nil {
					return ""
				}
				out += fmt.Sprint(r.Columns, row.Values)
			}
			return out
		}
		if a, b := read(NDJSON, string(data)+"\n"), read(JSON, "["+string(data)+"]"); a != "" && a != b {
			t.Errorf("as a line: %s\nin an array: %s", a, b)
		}
	})
}

func BenchmarkNDJSON(b *testing.B) {
	var text strings.Builder
	for i := range benchRows {
		fmt.Fprintf(&text, `{"phone":"+49151%08d","name":"Name%d","country":"DE","ok":true,"seen":%d}`+"\n", i, i, i)
	}
	for kind, doc := range map[Kind]string{NDJSON: text.String(), JSON: "[" + strings.ReplaceAll(strings.TrimSpace(text.String()), "\n", ",\n") + "]"} {
		root := files(b, map[string]string{"c.json": doc})
		b.Run(map[Kind]string{NDJSON: "lines", JSON: "document"}[kind], func(b *testing.B) { benchRead(b, root, kind) })
	}
}

func benchRead(b *testing.B, root *os.Root, kind Kind) {
	b.ReportAllocs()
	for b.Loop() {
		r, err := Open(b.Context(), Source{Kind: kind, Path: "c.json"}, Options{Root: root})
		if err != nil {
			b.Fatal(err)
		}
		if err := readAll(r); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*benchRows/b.Elapsed().Seconds(), "rows/s")
}

func TestNumberText(t *testing.T) {
	for in, want := range map[string]string{
		"0": "0", "-0": "0", "3": "3", "-3": "-3", "1.50": "1.5", "0.1": "0.1", "1e3": "1000", "1E-2": "0.01", "19.90": "19.9", "100.0": "100",
	} {
		if got, err := number(in); err != nil || got != (message.Value{Kind: message.Number, Text: want}) {
			t.Errorf("number(%s) = %v, %v; want %s", in, got, err, want)
		}
	}
}
