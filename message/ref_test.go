package message

import "testing"

func TestRef(t *testing.T) {
	const lineage = "0123456789abcdef0123456789abcdef"
	ref := NewRef(lineage, "campaign.spring", "+4915112345678", 1, 2)
	if len(ref) != 46 {
		t.Errorf("ref %q has %d characters", ref, len(ref))
	}
	if again := NewRef(lineage, "campaign.spring", "+4915112345678", 1, 2); again != ref {
		t.Errorf("the same attempt got %q and %q", ref, again)
	}
	others := map[string]string{
		"attempt":   NewRef(lineage, "campaign.spring", "+4915112345678", 1, 3),
		"revision":  NewRef(lineage, "campaign.spring", "+4915112345678", 2, 2),
		"recipient": NewRef(lineage, "campaign.spring", "+4915112345679", 1, 2),
		"campaign":  NewRef(lineage, "campaign.sprin", "g+4915112345678", 1, 2),
	}
	for what, other := range others {
		if other == ref {
			t.Errorf("another %s got the same ref", what)
		}
	}
	if !OurRef(lineage, ref) {
		t.Error("own ref not recognised")
	}
	forged := ref[:len(ref)-1] + "A"
	for _, foreign := range []string{"", "hb1.", ref[:20], ref + "x", forged, "order-17"} {
		if foreign != ref && OurRef(lineage, foreign) {
			t.Errorf("foreign ref %q taken for ours", foreign)
		}
	}
	if OurRef("another", ref) {
		t.Error("ref of another lineage taken for ours")
	}
}

// References are stored in states and by providers, so they must never change.
func TestReferences(t *testing.T) {
	refs := NewReferences("0123456789abcdef0123456789abcdef")
	for range 2 {
		if got, want := refs.Of("campaign.spring", "+4915112345678", 1, 2), "hb1.FOO7MGIP.OTJBPVN4MOHLNL24SQAC6CIP.CX4FOSKD"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
