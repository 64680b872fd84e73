package sqlite

import (
	"bytes"
	"testing"

	"github.com/handbill/handbill/state"
)

// TestRunsAreExported checks that the export of a run has the claim of consent
// on which it was made.
func TestRunsAreExported(t *testing.T) {
	s, _ := create(t)
	_, err := s.Begin(t.Context(), state.Run{Plan: "sha256:1", Campaigns: []state.CampaignRun{{Campaign: "campaign.spring", Revision: 1, ConsentBy: `row.opted_in == "yes"`}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := s.Export(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	if want := `"ConsentBy":"row.opted_in == \"yes\""`; !bytes.Contains(out.Bytes(), []byte(want)) {
		t.Errorf("%s is not in:\n%s", want, &out)
	}
}
