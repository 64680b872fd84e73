package sqlite

import (
	"bytes"
	"testing"
	"time"

	"github.com/handbill/handbill/state"
)

// TestCooldownIsAboutMarketing: after 131049 a marketing template waits a day,
// and a message that is no marketing does not.
func TestCooldownIsAboutMarketing(t *testing.T) {
	s, _ := create(t)
	run := begin(t, s)
	v := intend(t, s, run, intent(s, phone(1)))
	until := s.opt.Clock().Add(24 * time.Hour)
	settle(t, s, run, state.Outcome{Attempt: v[0].Attempt, Send: state.Rejected, Code: "131049", Cooldown: until})
	next := intent(s, phone(1))
	next.Campaign, next.Ref, next.Marketing = "campaign.summer", "", true
	if v := intend(t, s, run, next)[0]; v.Gate != state.GateCooldown || v.Until.Sub(until).Abs() > time.Millisecond {
		t.Errorf("marketing: %+v", v)
	}
	next.NoCooldown = true
	if v := intend(t, s, run, next)[0]; v.Gate != "" {
		t.Errorf("no marketing: %+v", v)
	}
}

// TestRunsAreExported with the claim of consent that they were made on.
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
