package openmap

import (
	"maps"
	"testing"

	"pgregory.net/rapid"
)

// The map behaves like Go's, even if keys are adjacent or share bits.
func TestMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var got Map[int]
		got.Reserve(rapid.IntRange(0, 100).Draw(t, "room"))
		want := map[uint64]int{}
		key := rapid.OneOf(rapid.Uint64Range(1, 200), rapid.Uint64Min(1), rapid.Map(rapid.Uint64Range(1, 50), func(k uint64) uint64 { return k << 40 }))
		for i, k := range rapid.SliceOfN(key, 0, 300).Draw(t, "keys") {
			_, known := want[k]
			v, added := got.Put(k)
			if added == known {
				t.Fatalf("%d: added is %v, known %v", k, added, known)
			}
			*v, want[k] = i, i
		}
		for k, v := range want {
			if p := got.At(k); p == nil || *p != v {
				t.Fatalf("%d is not found", k)
			}
		}
		all := map[uint64]int{}
		for k, v := range got.All() {
			all[k] = *v
		}
		if !maps.Equal(all, want) || got.Len() != len(want) {
			t.Fatalf("it has %v, want %v", all, want)
		}
		if absent := key.Draw(t, "absent"); want[absent] == 0 {
			if _, ok := want[absent]; !ok && got.At(absent) != nil {
				t.Fatalf("%d was never added and is found", absent)
			}
		}
	})
}
