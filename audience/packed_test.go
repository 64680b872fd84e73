package audience

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"pgregory.net/rapid"
)

// packers are the kinds of packed files.
var packers = map[string]func(io.Writer) io.WriteCloser{
	".gz": func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) },
	".zst": func(w io.Writer) io.WriteCloser {
		z, err := zstd.NewWriter(w)
		if err != nil {
			panic(err)
		}
		return z
	},
}

func pack(t testing.TB, kind, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := packers[kind](&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// fileOf writes a file into a directory of its own and returns the directory.
func fileOf(t testing.TB, name string, data []byte) *os.Root {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	return root
}

// TestPackedFilesReadAsTheirContents compares rows, notes and errors.
func TestPackedFilesReadAsTheirContents(t *testing.T) {
	for name, text := range map[string]string{
		"contacts.csv":    "phone;name\n+4915110000001;Åsa\n+4915110000002\n;;\n+4915110000003;Zoë\n",
		"contacts.ndjson": "{\"phone\":\"+4915110000001\",\"n\":1}\n[]\n{\"phone\":\"+4915110000002\"}\n",
		"contacts.json":   "{\"people\":[{\"phone\":\"+4915110000001\"},{\"phone\":7}]}",
		"empty.csv":       "",
	} {
		kind := map[string]Kind{".csv": CSV, ".ndjson": NDJSON, ".json": JSON}[filepath.Ext(name)]
		src := Source{Kind: kind, Path: name}
		if kind == JSON {
			src.Records = "people"
		}
		want := table(t, src, Options{Root: fileOf(t, name, []byte(text))})
		for ext := range packers {
			src.Path = name + ext
			got := table(t, src, Options{Root: fileOf(t, src.Path, pack(t, ext, text))})
			if got = strings.ReplaceAll(got, name+ext, name); got != want {
				t.Errorf("%s%s:\n%s\nand unpacked:\n%s", name, ext, got, want)
			}
		}
	}
}

// TestACutPackedFileIsAnError cuts files anywhere: nobody is left out silently.
func TestACutPackedFileIsAnError(t *testing.T) {
	text := "phone,name\n" + strings.Repeat("+4915110000001,Ana\n+4915110000002,Bo\n", 400)
	for ext := range packers {
		whole := pack(t, ext, text)
		rapid.Check(t, func(rt *rapid.T) {
			n := rapid.IntRange(1, len(whole)-1).Draw(rt, "bytes")
			got := tableOf(t, Source{Kind: CSV, Path: "c.csv" + ext}, Options{Root: fileOf(t, "c.csv"+ext, whole[:n])}, eachRow)
			if !strings.Contains(got, "is cut off") && !strings.Contains(got, "is not compressed") {
				rt.Fatalf("%s cut after %d of %d bytes:\n%.300s", ext, n, len(whole), got)
			}
		})
	}
}

// TestPackedFilesThatAreNone says what is wrong and what to do.
func TestPackedFilesThatAreNone(t *testing.T) {
	const text = "phone,name\n+4915110000001,Ana\n"
	damaged := pack(t, ".gz", strings.Repeat(text, 50))
	damaged[len(damaged)-6] ^= 1 // in the checksum
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"c.csv.gz", []byte(text), "c.csv.gz: is not compressed with gzip"},
		{"c.csv.zst", []byte(text), "c.csv.zst: is not compressed with zstd"},
		{"c.csv.gz", damaged, "c.csv.gz: cannot be unpacked"},
		{"c.csv", pack(t, ".gz", text), "Files whose names end in .gz are unpacked"},
		{"c.csv", pack(t, ".zst", text), "Files whose names end in .zst are unpacked"},
	} {
		if got := tableOf(t, Source{Kind: CSV, Path: c.name}, Options{Root: fileOf(t, c.name, c.data)}, eachRow); !strings.Contains(got, c.want) {
			t.Errorf("%s: %s, want %q", c.name, got, c.want)
		}
	}
	bomb := pack(t, ".gz", "phone,name\n"+strings.Repeat("+4915110000001,Ana\n", 10_000))
	got := tableOf(t, Source{Kind: CSV, Path: "c.csv.gz"}, Options{Root: fileOf(t, "c.csv.gz", bomb), MaxFileBytes: 20_000}, eachRow)
	if !strings.Contains(got, "holds more than 20000 bytes") {
		t.Errorf("a small file with much in it: %.200s", got)
	}
}
