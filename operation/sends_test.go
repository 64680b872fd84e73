package operation

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/audience"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/state"
)

// An import counts every row once, depending on what the state knows. A row that
// can't be read stops the import unless such rows are skipped.
func TestImport(t *testing.T) {
	ws := newWorkspace(t)
	s := openState(t, ws)
	doubt(t, s, "+4915112345601")
	if err := s.Erase(t.Context(), "+4915112345602"); err != nil {
		t.Fatal(err)
	}
	sent := write(t, ws.Dir, "sent.csv", "phone\n+4915112345601\n+4915112345602\n015112345603\n0151 12345603\n4.9E+12\n")
	im := Import{Campaign: spring, Sends: audience.Sends{Path: sent}}
	var rows *RowsError
	if _, err := im.Run(t.Context(), ws, s); !errors.As(err, &rows) || rows.Invalid != 1 {
		t.Errorf("with a row that can't be read: %v", err)
	}
	im.Skip, im.DryRun = true, true
	want := Imported{Campaign: spring, Revision: 1, Rows: 5, New: 1, Known: 1, Repeated: 1, Erased: 1, Invalid: 1}
	for _, dry := range []bool{true, false} {
		im.DryRun = dry
		got, err := im.Run(t.Context(), ws, s)
		if err != nil {
			t.Fatal(err)
		}
		got.Reasons, got.Notes, got.RecipientColumn = nil, nil, ""
		if diff := cmp.Diff(want, *got); diff != "" {
			t.Errorf("dry %v (-want +got):\n%s", dry, diff)
		}
	}
	tally, err := s.Tally(t.Context(), spring, 1)
	if err != nil || tally.Accepted != 1 || tally.InDoubt != 1 {
		t.Errorf("the state counts %+v, %v; want what was imported and what was in doubt before", tally, err)
	}
	im.Campaign = "campaign.autumn"
	if _, err := im.Run(t.Context(), ws, s); refused(err) != "No such campaign" {
		t.Errorf("for a campaign that is not declared: %v", err)
	}
}

func TestResolve(t *testing.T) {
	s := openState(t, newWorkspace(t))
	doubt(t, s, "+4915112345601", "+4915112345602", "+4915112345603")
	how := Resolution{As: state.Accepted, Who: "ada", Why: "asked"}
	for _, step := range []struct {
		address  string
		messages int
		refused  string
	}{
		{"spring", 0, "Invalid address"},
		{`campaign.spring["+4915112345601"`, 0, "Invalid address"},
		{`campaign.spring[""]`, 0, "Invalid address"},
		{`campaign.spring["+4915112345699"]`, 0, "Nothing in doubt"},
		{`campaign.spring["+4915112345601"]`, 1, ""},
		{`campaign.spring[+4915112345602]`, 1, ""}, // a shell removed the quotes
		{spring, 1, ""},
		{spring, 0, "Nothing in doubt"},
	} {
		got, err := Resolve(t.Context(), s, step.address, how)
		if got.Messages != step.messages || refused(err) != step.refused || step.refused == "" && err != nil {
			t.Errorf("%s settled %d, %v; want %d, %q", step.address, got.Messages, err, step.messages, step.refused)
		}
	}
}

// An unknown campaign is an error, not an empty status.
func TestStatusOfAnUnknownCampaign(t *testing.T) {
	ws := newWorkspace(t)
	if _, err := ReadStatus(t.Context(), ws, "campaign.sprin"); err == nil {
		t.Error("a campaign that is neither declared nor in the state has a status")
	}
	if _, err := ReadStatus(t.Context(), ws, spring); err != nil {
		t.Errorf("a declared one without a state: %v", err)
	}
	s := openState(t, ws)
	var many []string
	for i := range maxDoubts + 5 {
		many = append(many, fmt.Sprintf("+49151123456%02d", i))
	}
	doubt(t, s, many...)
	got, err := ReadStatus(t.Context(), ws, spring)
	if err != nil || len(got.Doubts) != maxDoubts || len(got.Funnel) != 1 || got.Funnel[0].Count != len(many) {
		t.Errorf("%d doubts are listed, the funnel is %+v, %v; want the first %d, and all counted", len(got.Doubts), got.Funnel, err, maxDoubts)
	}
}

// A campaign that is not halted, or not in the plan, cannot be resumed.
func TestResumable(t *testing.T) {
	a := &Apply{Store: openState(t, newWorkspace(t))}
	planned := &plan.Plan{Campaigns: []plan.Campaign{{Address: spring}}}
	if err := a.Resumable(t.Context(), planned, []string{spring}); refused(err) != "Nothing to resume" {
		t.Errorf("a campaign that is not halted: %v", err)
	}
	for _, address := range []string{spring, "campaign.autumn"} {
		if err := a.Store.Halt(t.Context(), state.Halt{Campaign: address, Reason: "canary", Since: noon}); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Resumable(t.Context(), planned, []string{spring}); err != nil {
		t.Errorf("a halted campaign of the plan: %v", err)
	}
	if err := a.Resumable(t.Context(), planned, []string{"campaign.autumn"}); refused(err) != "Nothing to resume" {
		t.Errorf("a halted campaign that the plan leaves out: %v", err)
	}
}

// The samples show the extremes first, each person once, and are the same for the
// same seed.
func TestChoose(t *testing.T) {
	ws := newWorkspace(t)
	p, diags, err := Render(t.Context(), ws, ws.Config.Campaigns[0], true)
	if err != nil || diags.HasErrors() {
		t.Fatal(err, diags)
	}
	defer p.Close()
	const anna, bernadette, cy, dora = "+4915112345601", "+4915112345602", "+4915112345603", "+4915112345604"
	got, err := Choose(p, spring, message.DefaultLimits(), 3, 7)
	if err != nil || len(got) != 3 {
		t.Fatalf("%d samples, %v; want 3", len(got), err)
	}
	if s := got[0]; s.Entry.Recipient.Phone != bernadette || s.Why != "nearest to a limit, longest" {
		t.Errorf("first is %s, %q", s.Entry.Recipient.Phone, s.Why)
	}
	if s := got[1]; s.Entry.Recipient.Phone != cy || s.Why != "shortest" {
		t.Errorf("second is %s, %q", s.Entry.Recipient.Phone, s.Why)
	}
	if s := got[2]; s.Entry.Recipient.Phone != anna && s.Entry.Recipient.Phone != dora || s.Why != "at random" {
		t.Errorf("third is %s, %q", s.Entry.Recipient.Phone, s.Why)
	}
	again, err := Choose(p, spring, message.DefaultLimits(), 3, 7)
	if err != nil || again[2].Entry.Recipient.Key() != got[2].Entry.Recipient.Key() {
		t.Errorf("the same seed gives another sample: %v", err)
	}
	if s, err := FindSample(p, spring, "DE", "0151 12345604"); err != nil || s.Entry.Recipient.Phone != dora {
		t.Errorf("a number in national form: %+v, %v", s, err)
	}
	if _, err := FindSample(p, spring, "DE", "+4915112345699"); err == nil {
		t.Error("somebody outside the audience has a sample")
	}
}

// A try sends nothing to testers who opted out, under either spelling of a number,
// or who were erased.
func TestTryLeavesOutUnwillingTesters(t *testing.T) {
	ws := newWorkspace(t)
	s := openState(t, ws)
	if err := s.OptOut(t.Context(), "+5215512345678", "operator", ""); err != nil {
		t.Fatal(err)
	}
	if err := s.Erase(t.Context(), "+4915112345602"); err != nil {
		t.Fatal(err)
	}
	campaign := *ws.Config.Campaigns[0]
	campaign.Testers = []string{"+4915112345601", "+525512345678", "+4915112345602"}
	left := map[string]string{}
	try := Try{Campaign: &campaign, LeftOut: func(tester, why string) { left[tester] = why }}
	got, err := try.willing(t.Context(), ws)
	if diff := cmp.Diff([]string{"+4915112345601"}, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if len(left) != 2 {
		t.Errorf("left out are %v, want both", left)
	}
}
