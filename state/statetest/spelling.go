package statetest

import (
	"testing"
	"time"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// spellings are pairs of numbers of one account: as WhatsApp writes it, and as people
// do.
var spellings = [][2]string{
	{"+5511987654321", "+551187654321"},
	{"+5215512345678", "+525512345678"},
	{"+5491123456789", "+541123456789"},
	{"+2290197123456", "+22997123456"},
}

// bothWays runs a test twice, with each spelling known first.
func bothWays(t *testing.T, test func(t *testing.T, known, asked string)) {
	t.Helper()
	for _, pair := range spellings {
		for i := range pair {
			t.Run(pair[i], func(t *testing.T) { test(t, pair[i], pair[1-i]) })
		}
	}
}

func (u suite) TestGatesCountInEitherSpelling(t *testing.T) {
	bothWays(t, func(t *testing.T, known, asked string) {
		s, _ := u.create(t)
		run := begin(t, s)
		try := func(name string, gate delivery.Gate, change func(*state.Intent)) {
			t.Helper()
			in := intent(s, asked)
			in.Campaign, in.Ref = "campaign."+name, name
			change(&in)
			if v := intend(t, s, run, in)[0]; v.Gate != gate {
				t.Errorf("%s: gate %q, want %q", name, v.Gate, gate)
			}
		}
		try("window_unknown", delivery.GateWindowUnknown, func(in *state.Intent) { in.Window = true })
		events(t, s, message.Event{Kind: message.EventInbound, ID: "in1", At: noon.Add(-time.Hour), From: message.Address{Phone: known}, Type: "text"})
		try("window_open", "", func(in *state.Intent) { in.Window = true })

		in := intent(s, known)
		in.Campaign, in.Ref = "campaign.other", "other"
		settle(t, s, run, accepted(intend(t, s, run, in)[0], "x"))
		try("capped", delivery.GateCap, func(in *state.Intent) { in.CapCount, in.CapPer = 1, time.Hour })

		if err := s.OptOut(t.Context(), known, "stop_word", "STOP"); err != nil {
			t.Fatal(err)
		}
		try("opted_out", delivery.GateOptedOut, func(in *state.Intent) { in.Marketing = true })
		if p := person(t, s, asked); !p.OptedOut || !p.LastInbound.Equal(noon.Add(-time.Hour)) {
			t.Errorf("known as %s: %+v", known, p)
		}
		if err := s.OptIn(t.Context(), asked, "START"); err != nil {
			t.Fatal(err)
		}
		for _, spelling := range []string{known, asked} {
			if p := person(t, s, spelling); p.OptedOut {
				t.Errorf("still opted out as %s", spelling)
			}
		}
		var list []string
		for o, err := range s.OptOuts(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, o.Recipient)
		}
		if len(list) != 0 {
			t.Errorf("opted out: %v", list)
		}
	})
}

func (u suite) TestADeliveryIsOneInEitherSpelling(t *testing.T) {
	bothWays(t, func(t *testing.T, known, asked string) {
		s, _ := u.create(t)
		run := begin(t, s)
		settle(t, s, run, state.Outcome{Attempt: intend(t, s, run, intent(s, known))[0].Attempt, Send: state.Pending, At: noon})
		in := intent(s, asked)
		if v := intend(t, s, run, in)[0]; v.Gate != delivery.GateAttempt || v.Next != 2 {
			t.Fatalf("a first attempt as %s: %+v", asked, v)
		}
		in.Attempt, in.Ref = 2, message.NewRef(lineage(s), in.Campaign, asked, 1, 2)
		settle(t, s, run, accepted(intend(t, s, run, in)[0], "x"))
		if d := oneDelivery(t, s); d.Recipient != known || d.Send != state.Accepted || d.Attempt != 2 {
			t.Errorf("%+v", d)
		}
		if v := intend(t, s, run, intent(s, asked))[0]; v.Gate != delivery.GateSent {
			t.Errorf("sent again as %s: %+v", asked, v)
		}
		again := ordered(s, asked, 3)
		if v := intend(t, s, run, again)[0]; v.Gate != "" {
			t.Errorf("an order as %s: %+v", asked, v)
		}
		if d := oneDelivery(t, s); d.Recipient != known || d.Attempt != 3 {
			t.Errorf("%+v", d)
		}
	})
}

func (u suite) TestEraseForgetsEitherSpelling(t *testing.T) {
	bothWays(t, func(t *testing.T, known, asked string) {
		s, _ := u.create(t)
		run := begin(t, s)
		events(t, s, message.Event{Kind: message.EventInbound, ID: "in1", At: noon, From: message.Address{Phone: known}, Type: "text", ProfileName: "Ann"})
		for i, spelling := range []string{known, asked} {
			in := intent(s, spelling)
			in.Campaign, in.Ref = "campaign."+string(rune('a'+i)), string(rune('a'+i))
			settle(t, s, run, accepted(intend(t, s, run, in)[0], wamidOf(i)))
		}
		if err := s.Erase(t.Context(), asked); err != nil {
			t.Fatal(err)
		}
		for _, d := range deliveries(t, s) {
			if d.Recipient == known || d.Recipient == asked || d.ID != "" {
				t.Errorf("after Erase: %+v", d)
			}
		}
		for _, spelling := range []string{known, asked} {
			if p := person(t, s, spelling); p.ProfileName != "" || p.OptOut != "erased" {
				t.Errorf("%s: %+v", spelling, p)
			}
			in := intent(s, spelling)
			in.Marketing = true
			if v := intend(t, s, run, in)[0]; v.Gate != delivery.GateOptedOut {
				t.Errorf("%s after Erase: %+v", spelling, v)
			}
		}
	})
}
