package statetest

import (
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

func snapshot(t *testing.T, s state.Store) state.Snapshot {
	t.Helper()
	snap, err := s.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { snap.Close() })
	return snap
}

func (u suite) TestASnapshotStandsStill(t *testing.T) {
	s, _ := u.create(t)
	run := begin(t, s)
	intend(t, s, run, intent(s, phone(1)))
	snap := snapshot(t, s)
	intend(t, s, run, intent(s, phone(2)))
	begin(t, s)
	table, err := snap.Compact(t.Context(), "campaign.spring", 1)
	if err != nil || table.Len() != 1 {
		t.Errorf("the snapshot has %d recipients, %v; want 1", table.Len(), err)
	}
	if m, err := snap.Meta(t.Context()); err != nil || m.Serial != 1 || m.Epoch != 1 {
		t.Errorf("the snapshot's identity is %+v, %v", m, err)
	}
}

func (u suite) TestCompactKnowsTheLastAttempt(t *testing.T) {
	s, _ := u.create(t)
	run := begin(t, s)
	user := "US.13491208655302741918"
	first := intend(t, s, run, intent(s, phone(1)), intent(s, user), intent(s, phone(3)))
	settle(t, s, run, state.Outcome{Attempt: first[0].Attempt, Send: state.Pending, Code: "130429", At: noon},
		state.Outcome{Attempt: first[1].Attempt, Send: state.Rejected, Code: "131026", Title: "not on WhatsApp", At: noon})
	again := intent(s, phone(1))
	again.Attempt, again.Digest, again.Ref = 2, [16]byte{4}, "another"
	settle(t, s, run, accepted(intend(t, s, run, again)[0], "x"))
	other := intent(s, phone(9))
	other.Revision, other.Ref = 2, "other"
	intend(t, s, run, other)

	table, err := snapshot(t, s).Compact(t.Context(), "campaign.spring", 1)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]state.Sent{
		phone(1): {Send: state.Accepted, Attempt: 2, Digest: [16]byte{4}},
		user:     {Send: state.Rejected, Attempt: 1, Digest: [16]byte{1, 2, 3}, Code: "131026"},
		phone(3): {Send: state.Sending, Attempt: 1, Digest: [16]byte{1, 2, 3}},
	}
	if diff := cmp.Diff(want, maps.Collect(table.All())); diff != "" {
		t.Errorf("all (-want +got):\n%s", diff)
	}
	for recipient, sent := range want {
		if got, ok := table.Lookup(recipient); !ok || got != sent {
			t.Errorf("%s: %+v, %v; want %+v", recipient, got, ok, sent)
		}
	}
	if got, ok := table.Lookup(phone(9)); ok {
		t.Errorf("a recipient of another revision was found: %+v", got)
	}
	rows, err := s.Funnel(t.Context(), "campaign.spring")
	wantRows := []state.FunnelRow{
		{Campaign: "campaign.spring", Revision: 1, Send: state.Sending, Count: 1},
		{Campaign: "campaign.spring", Revision: 1, Send: state.Accepted, Count: 1},
		{Campaign: "campaign.spring", Revision: 1, Send: state.Rejected, Code: "131026", Title: "not on WhatsApp", Count: 1},
		{Campaign: "campaign.spring", Revision: 2, Send: state.Sending, Count: 1},
	}
	if diff := cmp.Diff(wantRows, rows); diff != "" || err != nil {
		t.Errorf("funnel (-want +got):\n%s%v", diff, err)
	}
}

func (u suite) TestRunsAndResourcesComeBack(t *testing.T) {
	s, _ := u.create(t)
	resources := []state.Resource{
		{Address: "campaign.spring", Type: "campaign", Name: "spring", Tree: []byte(`{"a":1}`), Refs: []string{"audience.all"}},
		{Address: "audience.all", Type: "audience", Name: "all", Tree: []byte(`{}`), Refs: []string{}},
	}
	run := state.Run{Lanes: []state.Lane{{Number: mainNumber}}, Started: noon, Version: "1", Plan: "sha256:1", Campaigns: []state.CampaignRun{{Campaign: "campaign.spring", Revision: 1, Planned: 2, Pending: 2}},
		Blobs: map[string][]byte{"outputs": []byte("{}")}}
	begun, err := s.Begin(t.Context(), run, resources)
	if err != nil {
		t.Fatal(err)
	}
	run.ID, run.Lanes, run.Blobs, run.Ended, run.Halted = begun.ID, nil, nil, noon.Add(time.Minute), "stop_if"
	if err := s.Finish(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Intend(t.Context(), begun.Lanes[0], []state.Intent{intent(s, phone(1))}); err == nil {
		t.Error("an intent was recorded in a run that is over")
	}
	runs, err := s.Runs(t.Context())
	if diff := cmp.Diff([]state.Run{run}, runs); diff != "" || err != nil {
		t.Errorf("runs (-want +got):\n%s%v", diff, err)
	}
	snap := snapshot(t, s)
	got, err := snap.Resources(t.Context())
	if diff := cmp.Diff(resources, got); diff != "" || err != nil {
		t.Errorf("resources (-want +got):\n%s%v", diff, err)
	}
	if data, err := snap.Get(t.Context(), "outputs"); string(data) != "{}" || err != nil {
		t.Errorf("outputs %q, %v", data, err)
	}
}

func (u suite) TestPeople(t *testing.T) {
	s, _ := u.create(t)
	ctx := t.Context()
	err := errors.Join(
		s.SetAttributes(ctx, phone(1), map[string]string{"city": "Bonn", "size": "L"}),
		s.SetAttributes(ctx, phone(1), map[string]string{"size": ""}),
		s.Handover(ctx, phone(1), true),
		s.OptOut(ctx, phone(2), "stop_word", "STOP"),
	)
	if err != nil {
		t.Fatal(err)
	}
	// The stop of a person who changes their number holds for the new number too.
	events(t, s, message.Event{Kind: message.EventIdentity, At: noon, From: message.Address{Phone: phone(2)}, NewAddress: message.Address{Phone: phone(3)}})
	var got []state.Person
	for p, err := range snapshot(t, s).People(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, p)
	}
	want := []state.Person{
		{Recipient: phone(1), Attributes: map[string]string{"city": "Bonn"}, Handover: true},
		{Recipient: phone(3), OptedOut: true, OptOut: "stop_word", OptOutAt: noon},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("people (-want +got):\n%s", diff)
	}
	var out []string
	for e, err := range s.OptOuts(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e.Recipient+" "+e.Evidence)
	}
	if !slices.Equal(out, []string{phone(2) + " STOP", phone(3) + " STOP"}) {
		t.Errorf("opt-outs %q", out)
	}
}

func (u suite) TestDoubtsAndRecentSendsAreListed(t *testing.T) {
	s, _ := u.create(t)
	run := begin(t, s)
	v := intend(t, s, run, intent(s, phone(1)), intent(s, phone(2)), intent(s, phone(3)))
	settle(t, s, run, accepted(v[0], "x"), state.Outcome{Attempt: v[1].Attempt, Send: state.InDoubt, Cause: "timeout", At: noon},
		state.Outcome{Attempt: v[2].Attempt, Send: state.Rejected, Code: "100", At: noon})
	var doubts, recent []string
	for d, err := range s.InDoubt(t.Context(), "campaign.spring") {
		if err != nil {
			t.Fatal(err)
		}
		doubts = append(doubts, d.Recipient+" "+d.Cause)
	}
	for r, err := range snapshot(t, s).RecentSends(t.Context(), noon.Add(-time.Hour)) {
		if err != nil {
			t.Fatal(err)
		}
		recent = append(recent, r.Recipient)
	}
	if !slices.Equal(doubts, []string{phone(2) + " timeout"}) || !slices.Equal(recent, []string{phone(1), phone(2)}) {
		t.Errorf("in doubt %q, recent %q", doubts, recent)
	}
}
