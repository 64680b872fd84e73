package statetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/state"
)

// linked is an intent with a link.
func linked(s state.Store, to, token, link string) state.Intent {
	in := intent(s, to)
	in.Links = []state.TokenLink{{Token: token, Link: link}}
	return in
}

func clicked(t T, s state.Store) map[string]time.Time {
	t.Helper()
	out := map[string]time.Time{}
	for _, d := range deliveries(t, s) {
		out[d.Recipient] = d.Clicked
	}
	return out
}

// Each intent's links are kept with their tokens; a person's earliest visit stands, however often and in which order
// visits are told, and those of programs are counted apart.
func (u suite) TestClicks(t *testing.T) {
	s, _ := u.create(t)
	run := begin(t, s)
	for i := range 3 {
		in := linked(s, phone(i), fmt.Sprint("Token000000", i), "link.shop")
		in.Links = append(in.Links, state.TokenLink{Token: fmt.Sprint("Other000000", i), Link: `link.help["de"]`})
		settle(t, s, run, accepted(intend(t, s, run, in)[0], wamidOf(i)))
	}
	first := noon.Add(time.Hour)
	click := func(clicks ...state.Click) {
		t.Helper()
		if err := s.Click(t.Context(), clicks); err != nil {
			t.Fatal(err)
		}
	}
	click(state.Click{Token: "Token0000000", At: first.Add(time.Minute)}, state.Click{Token: "Token0000001", Programs: 2}, state.Click{Token: "unknown"})
	click(state.Click{Token: "Token0000000", At: first.Add(time.Hour), Programs: 1}, state.Click{Token: "Token0000000", At: first}, state.Click{Token: "Other0000000", At: first.Add(time.Second)})
	click()
	l, ok, err := s.Link(t.Context(), "Token0000000")
	if want := (state.SentLink{Campaign: "campaign.spring", Link: "link.shop", Clicked: first}); err != nil || !ok || !l.Clicked.Equal(first) || l.Campaign != want.Campaign || l.Link != want.Link {
		t.Errorf("the link is %+v, %v, %v; want %+v", l, ok, err, want)
	}
	for _, token := range []string{"", "unknown", "token0000000", "Token0000000 "} {
		if l, ok, err := s.Link(t.Context(), token); ok || err != nil {
			t.Errorf("%q is %+v, %v, %v", token, l, ok, err)
		}
	}
	if got := clicked(t, s); !got[phone(0)].Equal(first) || !got[phone(1)].IsZero() || !got[phone(2)].IsZero() {
		t.Errorf("clicked: %v", got)
	}
	counts, err := s.LinkCounts(t.Context(), "campaign.spring")
	want := []state.LinkCount{{Campaign: "campaign.spring", Link: `link.help["de"]`, Clicked: 1}, {Campaign: "campaign.spring", Link: "link.shop", Clicked: 1, Programs: 3}}
	if diff := cmp.Diff(want, counts); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	rows, err := s.Funnel(t.Context(), "")
	if err != nil || len(rows) != 2 || rows[0].Clicked || rows[0].Count != 2 || !rows[1].Clicked || rows[1].Count != 1 {
		t.Errorf("the funnel is %+v, %v", rows, err)
	}
}

// A link goes with its attempt and follows its block's address; a refused intent has none. Who is erased has no token
// any more, and counts as before.
func (u suite) TestLinksGoWithAttempts(t *testing.T) {
	s, _ := u.create(t)
	run := begin(t, s)
	for i := range 2 {
		settle(t, s, run, accepted(intend(t, s, run, linked(s, phone(i), fmt.Sprint("Token000000", i), "link.shop"))[0], wamidOf(i)))
	}
	if v := intend(t, s, run, linked(s, phone(0), "Again0000000", "link.shop"))[0]; v.Attempt != 0 {
		t.Fatalf("the same delivery again: %+v", v)
	}
	known := func(token string) string {
		t.Helper()
		l, ok, err := s.Link(t.Context(), token)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(ok, " ", l.Campaign, " ", l.Link)
	}
	if got := known("Again0000000"); got != "false  " {
		t.Errorf("the link of an intent that was refused: %s", got)
	}
	if err := s.Click(t.Context(), []state.Click{{Token: "Token0000000", At: noon}}); err != nil {
		t.Fatal(err)
	}
	finishAndMove(t, s, run, "link.shop", "link.store")
	if got := known("Token0000001"); got != "true campaign.spring link.store" {
		t.Errorf("after the move: %s", got)
	}
	if err := s.Erase(t.Context(), phone(0)); err != nil {
		t.Fatal(err)
	}
	if got := known("Token0000000"); got != "false  " {
		t.Errorf("after the erasure: %s", got)
	}
	counts, err := s.LinkCounts(t.Context(), "")
	if want := []state.LinkCount{{Campaign: "campaign.spring", Link: "link.store", Clicked: 1}}; err != nil || cmp.Diff(want, counts) != "" {
		t.Errorf("after the erasure: %+v, %v", counts, err)
	}
	if _, err := s.Remove(t.Context(), "campaign.spring"); err != nil {
		t.Fatal(err)
	}
	if got := known("Token0000001"); got != "false  " {
		t.Errorf("after the campaign was removed: %s", got)
	}
	if counts, err := s.LinkCounts(t.Context(), ""); err != nil || len(counts) > 0 {
		t.Errorf("after the campaign was removed: %+v, %v", counts, err)
	}
}

func finishAndMove(t T, s state.Store, run state.Lane, from, to string) {
	t.Helper()
	err := s.Finish(context.Background(), state.Run{ID: run.Run})
	if err == nil {
		err = s.Move(context.Background(), from, to)
	}
	if err != nil {
		t.Fatal(err)
	}
}
