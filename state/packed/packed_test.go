package packed

import (
	"fmt"
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/handbill/handbill/state"
)

// What goes through blocks comes out as it went in, whatever names the recipients
// have and however attempts are cut into blocks and put in order.
func TestBlocksKeepWhatWasSent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := map[string]state.Sent{}
		blocks := []*Block{{}}
		recipient := rapid.SampledFrom([]string{"+4915112345678", "+4915112345679", "+1", "+012", "DE.1234", "erased:7", ""})
		most := rapid.IntRange(1, 4).Draw(t, "most")
		for id := range rapid.IntRange(0, 20).Draw(t, "attempts") {
			who := recipient.Draw(t, "recipient")
			s := state.Sent{Send: rapid.SampledFrom([]state.Send{state.Accepted, state.Rejected, state.InDoubt}).Draw(t, "send"), Attempt: want[who].Attempt + 1,
				Code: rapid.SampledFrom([]string{"", "131026"}).Draw(t, "code"), Arm: rapid.SampledFrom([]string{"", "short"}).Draw(t, "arm"), Digest: [16]byte{byte(id)}}
			want[who] = s
			f := Fact{Send: s.Send, Attempt: s.Attempt, Code: s.Code, Arm: s.Arm}
			b := blocks[len(blocks)-1]
			if !b.Add(int64(id), b.Number(who), s.Digest[:], f, most) {
				b = &Block{}
				blocks = append(blocks, b)
				b.Add(int64(id), b.Number(who), s.Digest[:], f, most)
			}
		}
		f := New(nil, 0).Filler()
		for _, b := range rapid.Permutation(blocks).Draw(t, "order") {
			kept, err := Unpack(b.Facts(), b.Len())
			if err != nil {
				t.Fatal(err)
			}
			kept.Names = b.Names
			if err := f.Put(kept); err != nil {
				t.Fatal(err)
			}
		}
		x := f.Wait()
		if d := cmp.Diff(want, maps.Collect(x.All())); d != "" || x.Len() != len(want) {
			t.Fatalf("it has %d of %d (-want +got):\n%s", x.Len(), len(want), d)
		}
		for who := range want {
			if s, ok := x.Lookup(who); !ok || s != want[who] {
				t.Fatalf("%q is %+v, %v", who, s, ok)
			}
		}
		if _, ok := x.Lookup("nobody"); ok {
			t.Fatal("somebody is found who was not sent to")
		}
	})
}

// FuzzBlock decodes arbitrary bytes as a block.
func FuzzBlock(f *testing.F) {
	var b Block
	for i := range 3 {
		b.Add(int64(i+1), 4915112345678, make([]byte, 16), Fact{state.Accepted, i, fmt.Sprint(i), []string{"", "short", "long"}[i]}, 10)
	}
	f.Add(b.Facts(), 3)
	f.Add([]byte{}, 0)
	f.Add([]byte{255, 255, 255, 255, 255, 1}, 1)
	f.Fuzz(func(t *testing.T, facts []byte, n int) {
		for _, names := range [][]string{nil, {"DE.1"}} {
			got, err := Unpack(facts, n)
			if err != nil {
				return
			}
			got.Names = names
			f := New(nil, 0).Filler()
			_ = f.Put(got) // names a recipient that is not there
			f.Wait()
		}
	})
}
