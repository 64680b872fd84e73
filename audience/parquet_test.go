package audience

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"
	"pgregory.net/rapid"

	"github.com/handbill/handbill/message"
)

// person has a column of each kind.
type person struct {
	Phone   string                  `parquet:"phone,dict"`
	Name    *string                 `parquet:"name,optional,snappy"`
	Visits  int64                   `parquet:"visits,zstd"`
	Small   int32                   `parquet:"small"`
	Big     uint64                  `parquet:"big"`
	Little  uint32                  `parquet:"little"`
	Ratio   float32                 `parquet:"ratio"`
	Score   float64                 `parquet:"score,gzip"`
	VIP     bool                    `parquet:"vip"`
	Tier    string                  `parquet:"tier,enum"`
	Extra   string                  `parquet:"extra,json"`
	ID      [16]byte                `parquet:"id,uuid"`
	Born    int32                   `parquet:"born,date"`
	Seen    int64                   `parquet:"seen,timestamp(millisecond)"`
	Wrote   int64                   `parquet:"wrote,timestamp(microsecond:local)"`
	Exact   time.Time               `parquet:"exact,timestamp(nanosecond)"`
	Old     deprecated.Int96        `parquet:"old"`
	Alarm   int32                   `parquet:"alarm,time(millisecond)"`
	Price   int64                   `parquet:"price,decimal(2:10)"`
	Balance int32                   `parquet:"balance,decimal(3:9)"`
	Tags    []string                `parquet:"tags"`
	Address struct{ Street string } `parquet:"address"`
}

func parquetBytes[T any](t testing.TB, rows []T, options ...parquet.WriterOption) []byte {
	t.Helper()
	var b bytes.Buffer
	w := parquet.NewGenericWriter[T](&b, options...)
	if _, err := w.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func parquetTable(t testing.TB, file []byte) string {
	t.Helper()
	return table(t, Source{Kind: Parquet, Path: "p.parquet"}, Options{Root: files(t, map[string]string{"p.parquet": string(file)})})
}

func TestParquet(t *testing.T) {
	name := "Ann 🌷"
	seen := time.Date(2026, 2, 1, 10, 0, 0, 0, time.UTC)
	file := parquetBytes(t, []person{{
		Phone: "+4915112345678", Name: &name, Visits: -3, Small: 7, Big: math.MaxUint64, Little: math.MaxUint32, Ratio: 0.1, Score: 4.915112e12, VIP: true,
		Tier: "gold", Extra: `{"a": [1]}`, ID: [16]byte{0x6f, 0x2c, 0x3f, 0x0e, 0x6a, 0x10, 0x4b, 0x5e, 0x9a, 0x57, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11},
		Born: 7425, Seen: seen.UnixMilli(), Wrote: seen.UnixMicro() + 5, Exact: seen.Add(1), Old: deprecated.Int96{1_000_000_000, 0, 2440588 + 20485},
		Alarm: 27_000_000, Price: 1990, Balance: -5, Tags: []string{"a"},
	}, {Phone: "+4915112345679", Extra: "null", Old: deprecated.Int96{0, 0, 2440588}}})
	want := "columns phone|name|visits|small|big|little|ratio|score|vip|tier|extra|id|born|seen|wrote|exact|old|alarm|price|balance\n" +
		"1 [+4915112345678] [Ann 🌷] -3 7 18446744073709551615 4294967295 0.1 4915112000000 true [gold] {\"a\":[1]} " +
		"[6f2c3f0e-6a10-4b5e-9a57-111111111111] [1990-05-01] [2026-02-01T10:00:00Z] [2026-02-01T10:00:00.000005] [2026-02-01T10:00:00.000000001Z] " +
		"[2026-02-01T00:00:01] [07:30:00] 19.9 -0.005\n" +
		"2 [+4915112345679] null 0 0 0 0 0 0 false [] null [00000000-0000-0000-0000-000000000000] [1970-01-01] [1970-01-01T00:00:00Z] [1970-01-01T00:00:00] "
	got := parquetTable(t, file)
	if !strings.HasPrefix(got, want) {
		t.Errorf("-want +got:\n%s", cmp.Diff(want, got))
	}
	if note := "note left out are the columns that are lists, groups or of an unknown type: \"tags\", \"address\"\n"; !strings.HasSuffix(got, note) {
		t.Error(got)
	}
}

func TestParquetProblems(t *testing.T) {
	good := parquetBytes(t, []struct {
		Phone string `parquet:"phone"`
	}{{"+4915112345678"}})
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"bytes", parquetBytes(t, []struct {
			Phone string `parquet:"phone"`
			Photo []byte `parquet:"photo"`
		}{{"1", []byte("x")}}), "error p.parquet:1: column \"photo\": bytes, not text; export it as a string\n"},
		{"not a number", parquetBytes(t, []struct {
			Score float64 `parquet:"score"`
		}{{math.NaN()}, {1}}), "error p.parquet:1: column \"score\": not a finite number\n2 1\n"},
		{"not UTF-8", parquetBytes(t, []struct {
			Name string `parquet:"name"`
		}{{"M\xfcller"}}), "error p.parquet:1: column \"name\": bytes, not text; convert it in the query\n"},
		{"lists alone", parquetBytes(t, []struct {
			Tags []string `parquet:"tags"`
		}{{[]string{"a"}}}), "has no column that is a single value"},
		{"no rows", parquetBytes(t, []struct {
			Phone string `parquet:"phone"`
		}{}), "columns phone\n"},
		{"empty", nil, "is no Parquet file"},
		{"a table in text", []byte("phone;name\n+4915112345678;Ann\n"), "is no Parquet file"},
		{"a web page", []byte("<!doctype html><html><body>Please log in</body></html>"), "is no Parquet file but a web page"},
		{"cut off", good[:len(good)-1], "is cut off: A Parquet file has its table of contents at the end. Copy it again, whole."},
		{"encrypted", append([]byte("PARE"), good[4:]...), "is encrypted"},
		{"a footer beyond the file", append(append(bytes.Clone(good[:len(good)-8]), 0xff, 0xff, 0xff, 0x7f), "PAR1"...), "is damaged"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := parquetTable(t, c.file); !strings.Contains(got, c.want) {
				t.Errorf("%s; want %s", got, c.want)
			}
		})
	}
}

// TestParquetGroups reads a file of many groups and pages, whole and only the
// columns that are needed.
func TestParquetGroups(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		type row struct {
			Phone string  `parquet:"phone,dict"`
			Name  *string `parquet:"name,optional"`
			Age   int64   `parquet:"age,delta"`
		}
		rows := make([]row, rapid.IntRange(0, 3000).Draw(rt, "rows"))
		var want strings.Builder
		only := rapid.SampledFrom([][]int{{0, 1, 2}, {0}, {2}, {0, 1}, nil}).Draw(rt, "only")
		for i := range rows {
			rows[i] = row{Phone: fmt.Sprint("+49", i%700), Age: int64(i * i)}
			if i%3 > 0 {
				name := strings.Repeat("x", i%11)
				rows[i].Name = &name
			}
			cells := []message.Value{message.Str(rows[i].Phone), {}, {Kind: message.Number, Text: fmt.Sprint(rows[i].Age)}}
			if rows[i].Name != nil {
				cells[1] = message.Str(*rows[i].Name)
			}
			kept := make([]message.Value, len(cells))
			for _, at := range only {
				kept[at] = cells[at]
			}
			fmt.Fprintln(&want, i+1, kept)
		}
		file := parquetBytes(t, rows, parquet.MaxRowsPerRowGroup(int64(rapid.IntRange(1, 1500).Draw(rt, "group"))),
			parquet.PageBufferSize(rapid.IntRange(64, 4096).Draw(rt, "page")), parquet.DataPageVersion(rapid.IntRange(1, 2).Draw(rt, "version")))
		r, err := Open(t.Context(), Source{Kind: Parquet, Path: "p.parquet"}, Options{Root: files(t, map[string]string{"p.parquet": string(file)})})
		if err != nil {
			rt.Fatal(err)
		}
		defer r.Close()
		r.Only(only)
		var got strings.Builder
		for row, err := range r.Rows() {
			if err != nil {
				rt.Fatal(err)
			}
			fmt.Fprintln(&got, row.Place.Line, row.Values)
		}
		if got.String() != want.String() {
			rt.Fatal(cmp.Diff(want.String(), got.String()))
		}
	})
}

// FuzzParquet checks that damaged files end in an error or a table, and that no
// row is missing without an error.
func FuzzParquet(f *testing.F) {
	name := "Ann"
	for _, version := range []int{1, 2} {
		f.Add(parquetBytes(f, []person{{Phone: "+4915112345678", Name: &name}, {Phone: "+4915112345679", Extra: "{}"}}, parquet.DataPageVersion(version)))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		const large = 1 << 20
		if len(file) > large {
			return
		}
		root, err := os.OpenRoot(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		defer root.Close()
		if err := root.WriteFile("p.parquet", file, 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := Open(t.Context(), Source{Kind: Parquet, Path: "p.parquet"}, Options{Root: root})
		var own *Error
		if err != nil {
			if !errors.As(err, &own) {
				t.Errorf("an error of type %T: %v", err, err)
			}
			return
		}
		defer r.Close()
		rows := 0
		for _, err := range r.Rows() {
			rows++
			if err != nil && !errors.As(err, &own) {
				t.Errorf("an error of type %T: %v", err, err)
			}
			if err != nil && !own.Row {
				return
			}
		}
		if p := r.src.(*parquetRows); int64(rows) != p.file.NumRows() {
			t.Errorf("%d rows of %d", rows, p.file.NumRows())
		}
	})
}

// TestParquetCut checks that a file that was cut, or of which a byte was changed,
// does not lose anybody in silence.
func TestParquetCut(t *testing.T) {
	type row struct {
		Phone string `parquet:"phone"`
	}
	rows := make([]row, 40)
	for i := range rows {
		rows[i].Phone = fmt.Sprint("+49151123456", i+10)
	}
	file := parquetBytes(t, rows, parquet.MaxRowsPerRowGroup(15), parquet.Compression(&parquet.Snappy))
	footer := len(file) - 8 - int(binary.LittleEndian.Uint32(file[len(file)-8:]))
	for at := range file {
		cut := parquetTable(t, file[:at])
		if !strings.HasPrefix(cut, "open: ") {
			t.Fatalf("cut at byte %d: %s", at, cut)
		}
		changed := bytes.Clone(file)
		changed[at] ^= 0x55
		got := parquetTable(t, changed)
		if n := strings.Count(got, "\n") - 1; n != len(rows) && !strings.Contains(got, "p.parquet") {
			t.Fatalf("byte %d of %d, footer at %d: %d rows: %s", at, len(file), footer, n, got)
		}
	}
}

// BenchmarkParquet reads contacts, and says how fast that is beside the library alone,
// which reads the same columns into structs.
func BenchmarkParquet(b *testing.B) {
	type contact struct {
		Phone string  `parquet:"phone,snappy"`
		Name  string  `parquet:"name,snappy"`
		City  string  `parquet:"city,dict,snappy"`
		Visit int64   `parquet:"visit,timestamp(millisecond),snappy"`
		Score float64 `parquet:"score,snappy"`
	}
	rows := make([]contact, 200_000)
	for i := range rows {
		rows[i] = contact{fmt.Sprint("+49151", 10_000_000+i), fmt.Sprint("Name ", i), fmt.Sprint("City ", i%500), 1_770_000_000_000 + int64(i), float64(i) / 7}
	}
	file := parquetBytes(b, rows, parquet.MaxRowsPerRowGroup(50_000))
	root := files(b, map[string]string{"p.parquet": string(file)})
	var ours, alone time.Duration
	for b.Loop() {
		start := time.Now()
		if err := readSource(b.Context(), root, Source{Kind: Parquet, Path: "p.parquet"}); err != nil {
			b.Fatal(err)
		}
		ours += time.Since(start)
		start = time.Now()
		r := parquet.NewGenericReader[contact](bytes.NewReader(file))
		buf := make([]contact, parquetAtATime)
		n := 0
		for {
			k, err := r.Read(buf)
			if n += k; err != nil {
				break
			}
		}
		if n != len(rows) {
			b.Fatalf("%d rows", n)
		}
		alone += time.Since(start)
	}
	b.ReportMetric(float64(alone)/float64(ours), "of-the-library")
}
