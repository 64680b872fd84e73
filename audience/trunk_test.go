package audience

import (
	"testing"

	"pgregory.net/rapid"
)

// TestTrunkZero holds the short way of national numbers against the library's,
// in every region that has it.
func TestTrunkZero(t *testing.T) {
	n := NewNumbers()
	regions := make([]string, 0, len(n.trunk))
	for region := range n.trunk {
		regions = append(regions, region)
	}
	if n.trunk["DE"] != "+49" || len(regions) < 20 {
		t.Fatalf("only %d regions have the short way", len(regions))
	}
	rapid.Check(t, func(t *rapid.T) {
		region := rapid.SampledFrom(regions).Draw(t, "region")
		raw := rapid.StringMatching(`0[0-9]{4,15}`).Draw(t, "raw")
		short, ok := n.fastNational(raw, region)
		if !ok {
			return
		}
		long, err := n.slow(raw, region)
		if err != nil || long != short {
			t.Fatalf("%s in %s: %s, and the library says %s, %v", raw, region, short, long, err)
		}
	})
}
