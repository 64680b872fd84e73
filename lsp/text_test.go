package lsp

import (
	"bufio"
	"bytes"
	"io"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
)

func TestPositions(t *testing.T) {
	x := newText([]byte("a🍲é\r\nb\rc\n\xffz"))
	for _, c := range []struct {
		offset int
		want   position
	}{
		{0, position{0, 0}}, {1, position{0, 1}}, {5, position{0, 3}}, {7, position{0, 4}},
		{9, position{1, 0}}, {11, position{2, 0}}, {13, position{3, 0}}, {14, position{3, 1}}, {15, position{3, 2}},
	} {
		if got := x.position(c.offset); got != c.want {
			t.Errorf("byte %d is at %v, want %v", c.offset, got, c.want)
		}
		if got := x.offset(c.want); got != c.offset {
			t.Errorf("%v is byte %d, want %d", c.want, got, c.offset)
		}
	}
	for p, want := range map[position]int{{0, 2}: 1, {0, 99}: 7, {1, 5}: 10, {9, 0}: 15, {3, 1 << 31}: 15} {
		if got := x.offset(p); got != want {
			t.Errorf("%v is byte %d, want %d", p, got, want)
		}
	}
}

// FuzzPositions compares positions with those that the standard library's UTF-16 gives.
func FuzzPositions(f *testing.F) {
	for _, s := range []string{"", "a\nb", "a🍲é\r\nb\rc\n", "\r\r\n\n", "\xff\n"} {
		f.Add([]byte(s), uint32(1), uint32(2), "x")
	}
	f.Fuzz(func(t *testing.T, src []byte, line, character uint32, with string) {
		x := newText(src)
		if at := x.offset(position{line, character}); at < 0 || at > len(src) {
			t.Fatalf("offset %d of %d bytes", at, len(src))
		}
		for at := 0; at <= len(src); at++ {
			p := x.position(at)
			inBreak := at > 0 && at < len(src) && src[at-1] == '\r' && src[at] == '\n'
			whole := utf8.Valid(src) && (at == len(src) || utf8.RuneStart(src[at]))
			if whole && !inBreak && x.offset(p) != at {
				t.Fatalf("byte %d of %q is at %v, which is byte %d", at, src, p, x.offset(p))
			}
			if begin := strings.LastIndexAny(string(src[:at]), "\r\n") + 1; whole && !inBreak {
				if want := len(utf16.Encode([]rune(string(src[begin:at])))); int(p.Character) != want {
					t.Fatalf("byte %d of %q has character %d, want %d", at, src, p.Character, want)
				}
			}
		}
		s := span{x.position(int(line % 64)), x.position(int(character % 64))}
		if out, ok := x.replace(s, with); ok && !bytes.Contains(out.src, []byte(with)) {
			t.Fatalf("%q is not in %q", with, out.src)
		}
		x.span(hcl.Range{Start: hcl.Pos{Byte: int(line)}, End: hcl.Pos{Byte: -int(character % 64)}})
	})
}

// FuzzFrames checks that what is written can be read, and that no stream hangs the
// reader or makes it take more than there is.
func FuzzFrames(f *testing.F) {
	f.Add([]byte("Content-Length: 2\r\n\r\n{}"))
	f.Add([]byte("content-length:2\n\n{}Content-Length: 1\r\n\r\n"))
	f.Add([]byte("Content-Length: 33554432\r\n\r\n"))
	f.Fuzz(func(t *testing.T, stream []byte) {
		r := bufio.NewReaderSize(bytes.NewReader(stream), maxHeader)
		total := 0
		for {
			body, err := readFrame(r)
			if total += len(body); total > len(stream) {
				t.Fatalf("%d bytes of %d", total, len(stream))
			}
			if err == io.EOF || err != nil {
				break
			}
		}
		var out bytes.Buffer
		if err := writeFrame(&out, map[string]string{"text": string(stream)}); err != nil {
			t.Fatal(err)
		}
		if _, err := readFrame(bufio.NewReader(&out)); err != nil || out.Len() != 0 {
			t.Fatalf("what was written is read with %v, and %d bytes are left", err, out.Len())
		}
	})
}
