package sqlite

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

func TestExportShowsWhatWasOrderedAgain(t *testing.T) {
	s, clock := create(t)
	run := begin(t, s)
	settle(t, s, run, accepted(intend(t, s, run, intent(s, phone(1)))[0], "wamid.YWE="))
	clock.now = clock.now.Add(time.Hour)
	again := intent(s, phone(1))
	again.Attempt, again.Again, again.Ref = 2, true, message.NewRef(s.lineage, again.Campaign, again.Recipient, 1, 2)
	intend(t, s, run, again)
	var out bytes.Buffer
	if err := s.Export(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	want := `{"kind":"superseded","campaign":"campaign.spring","recipient":"` + phone(1) + `","revision":1,"attempt":1,"at":"2026-03-01T13:00:00Z","why":"ordered again in run 1"}`
	if !slices.Contains(strings.Split(out.String(), "\n"), want) {
		t.Errorf("no line %s in\n%s", want, &out)
	}
	if err := s.Erase(t.Context(), phone(1)); err == nil {
		out.Reset()
		err = s.Export(t.Context(), &out)
		if err != nil || strings.Contains(out.String(), phone(1)) || !strings.Contains(out.String(), `"superseded"`) {
			t.Errorf("after Erase: %v\n%s", err, &out)
		}
	} else {
		t.Error(err)
	}
	verify(t, s)
}

func TestTheDatabaseSupersedesOnlyWhatWasAccepted(t *testing.T) {
	for _, o := range []*state.Outcome{nil, {Send: state.InDoubt}, {Send: state.Rejected}} {
		s, _ := create(t)
		run := begin(t, s)
		v := intend(t, s, run, intent(s, phone(1)))[0]
		if o != nil {
			o.Attempt, o.At = v.Attempt, noon
			settle(t, s, run, *o)
		}
		if err := s.write(t.Context(), func(t *tx) error { return t.supersede(v.Attempt, run.Run) }); err == nil {
			t.Errorf("%+v was superseded", o)
		}
		verify(t, s)
	}
}
