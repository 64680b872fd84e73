package sqlite

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/state"
)

func TestHaltsLastUntilSomebodyResumes(t *testing.T) {
	s, _ := create(t)
	since := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	spring := state.Halt{Campaign: "campaign.spring", Reason: "canary", Code: "131026", Title: "3 of the first 9 failed", Advice: "Look.", Since: since}
	autumn := state.Halt{Campaign: "campaign.autumn", Reason: "stop_if", Since: since}
	for _, h := range []state.Halt{spring, autumn, {Campaign: "campaign.spring", Reason: "breaker", Since: since.Add(time.Hour)}} {
		if err := s.Halt(t.Context(), h); err != nil {
			t.Fatal(err)
		}
	}
	want := func(s *Store, want ...state.Halt) {
		t.Helper()
		got, err := s.Halts(t.Context())
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v\n%s", err, diff)
		}
	}
	path := s.opt
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	want(s, autumn, spring) // the first reason stands
	begin := func(resume ...string) {
		t.Helper()
		if _, err := s.Begin(t.Context(), state.Run{Resume: resume, Who: "ada"}, []state.Resource{{Address: "campaign.spring", Type: "campaign", Name: "spring"}}); err != nil {
			t.Fatal(err)
		}
	}
	begin()
	want(s, autumn, spring)
	if err := s.Move(t.Context(), "campaign.spring", "campaign.may"); err != nil {
		t.Fatal(err)
	}
	spring.Campaign = "campaign.may"
	want(s, autumn, spring)
	begin("campaign.autumn")
	want(s, spring)
	begin("campaign.may")
	want(s)
	verify(t, s)
}

func TestARemovedCampaignIsNotHalted(t *testing.T) {
	s, _ := create(t)
	if _, err := s.Begin(t.Context(), state.Run{}, []state.Resource{{Address: "campaign.spring", Type: "campaign", Name: "spring"}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Halt(t.Context(), state.Halt{Campaign: "campaign.spring", Reason: "canary"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Remove(t.Context(), "campaign.spring"); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Halts(t.Context()); len(got) > 0 || err != nil {
		t.Errorf("%v, %v", got, err)
	}
}
