package statetest

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/state"
)

func managedOf(t T, s state.Store) []state.Managed {
	t.Helper()
	snap, err := s.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer snap.Close()
	list, err := snap.Managed(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestManaged checks that managed resources are stored whole, replaced and forgotten
// by address, in one transaction that does not raise the serial. A snapshot keeps
// showing the earlier ones.
func (u suite) TestManaged(t *testing.T) {
	s, _ := u.create(t)
	ctx := t.Context()
	before, err := s.Meta(ctx)
	if err != nil {
		t.Fatal(err)
	}
	german := state.Managed{Address: "template.spring.de", Kind: "template", Provider: mainNumber, Account: "1022", Key: "spring/de",
		Intent: &state.ManagedIntent{Change: "create", Digest: "sha256:1", At: noon}}
	english := state.Managed{Address: "template.spring.en_US", Kind: "template", Provider: mainNumber, Key: "spring/en_US", RemoteID: "161",
		Declared: json.RawMessage(`{"body":"Hello"}`), Observed: json.RawMessage(`{"status":"APPROVED","other":{"new":[1]}}`), ObservedAt: noon,
		Status: "APPROVED", Category: "marketing", Since: noon.Add(-time.Hour), Edits: []time.Time{noon.Add(-time.Minute)}}
	english.OnDestroy, english.PreventDestroy, english.Used = "archive", true, noon
	if err := s.Manage(ctx, []state.Managed{english, german}, []string{"template.spring.fr"}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]state.Managed{german, english}, managedOf(t, s)); diff != "" {
		t.Errorf("(-kept +told):\n%s", diff)
	}
	snap := snapshot(t, s)
	defer snap.Close()
	known := german
	known.RemoteID, known.Intent, known.Since = "162", nil, noon
	moved := english
	moved.Address = "template.summer.en_US"
	if err := s.Manage(ctx, []state.Managed{known, moved}, []string{english.Address}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]state.Managed{known, moved}, managedOf(t, s)); diff != "" {
		t.Errorf("after a change and a move (-kept +told):\n%s", diff)
	}
	if list, err := snap.Managed(ctx); err != nil || len(list) != 2 || list[0].Intent == nil {
		t.Errorf("a snapshot shows what came after it: %+v, %v", list, err)
	}
	if after, err := s.Meta(ctx); err != nil || after.Serial != before.Serial {
		t.Errorf("the serial went from %d to %d, %v", before.Serial, after.Serial, err)
	}
	if err := s.Manage(ctx, nil, []string{known.Address, moved.Address}); err != nil || len(managedOf(t, s)) != 0 {
		t.Errorf("%d are left, %v", len(managedOf(t, s)), err)
	}
}

// TestProducts checks that products of catalogs are kept, replaced and forgotten by
// catalog and id, and that a snapshot keeps showing the earlier ones.
func (u suite) TestProducts(t *testing.T) {
	s, _ := u.create(t)
	ctx := t.Context()
	list := func(snap state.Snapshot, catalog string) []state.KeptProduct {
		t.Helper()
		var out []state.KeptProduct
		for p, err := range snap.Products(ctx, catalog) {
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, p)
		}
		return out
	}
	a, b := state.KeptProduct{Catalog: "1", ID: "a", Digest: "0a", Review: "approved"}, state.KeptProduct{Catalog: "1", ID: "B ü", Digest: "0b"}
	other := state.KeptProduct{Catalog: "2", ID: "a", Digest: "0c"}
	for catalog, keep := range map[string][]state.KeptProduct{"1": {a, b}, "2": {other}} {
		if err := s.KeepProducts(ctx, catalog, keep, []string{"gone"}); err != nil {
			t.Fatal(err)
		}
	}
	snap := snapshot(t, s)
	defer snap.Close()
	a.Digest, a.Review = "1a", "rejected"
	if err := s.KeepProducts(ctx, "1", []state.KeptProduct{a}, []string{b.ID}); err != nil {
		t.Fatal(err)
	}
	if got := list(snap, "1"); len(got) != 2 || got[0] != b || got[1].Digest != "0a" {
		t.Errorf("a snapshot shows what came after it: %+v", got)
	}
	after := snapshot(t, s)
	defer after.Close()
	if diff := cmp.Diff([]state.KeptProduct{a, other}, list(after, "")); diff != "" {
		t.Errorf("(-kept +told):\n%s", diff)
	}
	if diff := cmp.Diff([]state.KeptProduct{other}, list(after, "2")); diff != "" {
		t.Errorf("of one catalog (-kept +told):\n%s", diff)
	}
	for range after.Products(ctx, "") {
		break
	}
	if got := list(after, "1"); len(got) != 1 {
		t.Errorf("after a walk that was broken off: %+v", got)
	}
}
