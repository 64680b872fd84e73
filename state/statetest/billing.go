package statetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// A price that a provider reports stays with the delivery until the provider reports
// another one, even if the recipient is erased.
func (u suite) TestWhatWasBilled(t *testing.T) {
	s, clock := u.create(t)
	run := begin(t, s)
	v := intend(t, s, run, intent(s, phone(1)), intent(s, phone(2)), intent(s, phone(3)), intent(s, phone(4)))
	for i := range 3 {
		settle(t, s, run, accepted(v[i], wamidOf(i+1)))
	}
	early := noon.Add(-time.Hour)
	free := message.Event{Kind: message.EventStatus, ID: wamidOf(3), Rank: message.RankDelivered, At: early,
		Billing: &message.Billing{Category: "moonlight", Type: "free_entry_point"}}
	events(t, s,
		priced(status(wamidOf(1), "", message.RankDelivered, early), "utility"),
		priced(status(wamidOf(1), "", message.RankSent, noon), "marketing"), // says less
		status(wamidOf(1), "", message.RankRead, noon),                      // says nothing
		priced(status(wamidOf(2), "", message.RankSent, early), "service"),
		free, free,
		priced(status(wamidOf(4), "", message.RankSent, early), "marketing")) // waits for its id
	settle(t, s, run, accepted(v[3], wamidOf(4)))
	if err := s.Erase(t.Context(), phone(3)); err != nil {
		t.Fatal(err)
	}
	row := func(rank message.Rank, b message.Billing) state.FunnelRow {
		return state.FunnelRow{Campaign: "campaign.spring", Revision: 1, Send: state.Accepted, Rank: rank, Billing: b, Count: 1}
	}
	want := []state.FunnelRow{
		row(message.RankSent, message.Billing{Billable: true, Category: "marketing", Model: "PMP", Type: "regular"}),
		row(message.RankSent, message.Billing{Category: "service", Model: "PMP", Type: "regular"}),
		row(message.RankDelivered, message.Billing{Category: "moonlight", Type: "free_entry_point"}),
		row(message.RankRead, message.Billing{Billable: true, Category: "utility", Model: "PMP", Type: "regular"}),
	}
	rows, err := s.Funnel(t.Context(), "")
	if diff := cmp.Diff(want, rows); diff != "" || err != nil {
		t.Errorf("funnel (-want +got):\n%s%v", diff, err)
	}
	for _, d := range deliveries(t, s) {
		if d.Billing.Category == "" {
			t.Errorf("nothing is known of the price of %+v", d)
		}
	}

	// Removing an attempt removes its price, even if another one gets its number.
	if _, err := s.Remove(t.Context(), "campaign.spring"); err != nil {
		t.Fatal(err)
	}
	clock.now = clock.now.Add(time.Hour)
	settle(t, s, run, accepted(intend(t, s, run, intent(s, phone(5)))[0], wamidOf(5)))
	if d := oneDelivery(t, s); d.Billing != (message.Billing{}) {
		t.Errorf("a new delivery has the price of another: %+v", d.Billing)
	}
}
