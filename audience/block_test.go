package audience

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Whatever a file contains, blocks give the same rows, errors, lines and notes
// as reading row by row.
func TestBlocks(t *testing.T) {
	common := []string{"+49151,Ann", "+49152,Bo", ",Cy", "+49153,Jürgen", "+49154,李雷"}
	odd := []string{
		"", ",", ",,,", "+49155", "+49156,Dora,x", "+49157,Eve,", `"+49158","Fay"`, "\"+49159\",\"two\nlines\"", `+49160,5" screen`, `,""`,
		"\x00,x", "J\xfcrgen,x", "lost \uFFFD,x", "stray\r,x", `"open,x`, "\uFEFF,x", "ｆｕｌｌ,x",
	}
	root := files(t, map[string]string{"c.csv": ""})
	rapid.Check(t, func(rt *rapid.T) {
		nl := rapid.SampledFrom([]string{"\n", "\r\n", "\r"}).Draw(rt, "line end")
		var b strings.Builder
		b.WriteString(rapid.SampledFrom([]string{"phone,name", "phone,name,"}).Draw(rt, "header") + nl)
		for range rapid.IntRange(0, 6).Draw(rt, "runs") {
			row := rapid.SampledFrom(common).Draw(rt, "common") + nl
			b.WriteString(strings.Repeat(row, rapid.SampledFrom([]int{0, 1, 5, 600, 3000}).Draw(rt, "times")))
			b.WriteString(rapid.SampledFrom(odd).Draw(rt, "odd") + nl)
		}
		text := strings.TrimSuffix(b.String(), rapid.SampledFrom([]string{"", nl}).Draw(rt, "cut"))
		if err := root.WriteFile("c.csv", []byte(text), 0o600); err != nil {
			rt.Fatal(err)
		}
		src := Source{Kind: CSV, Path: "c.csv", Delimiter: ","}
		most := rapid.SampledFrom([]int{0, 3, 700}).Draw(rt, "most rows")
		rows := tableOf(t, src, Options{Root: root, MaxRows: most}, eachRow)
		blocks := tableOf(t, src, Options{Root: root, MaxRows: most}, eachOfBlocks)
		if strings.Contains(rows, "more than") { // notes are about what was read
			rows, _, _ = strings.Cut(rows, "\nnote")
			blocks, _, _ = strings.Cut(blocks, "\nnote")
		}
		if blocks != rows {
			at := 0
			for at < min(len(rows), len(blocks)) && rows[at] == blocks[at] {
				at++
			}
			rt.Fatalf("behind %q\nrows %.300q\nblocks %.300q", rows[max(0, at-80):at], rows[at:], blocks[at:])
		}
	})
}
