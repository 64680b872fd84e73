package plan

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// follows is a campaign to people who were sent another one.
const follows = `
provider "sandbox" "main" {}

audience "people" {
  source "csv" { path = "contacts.csv" }
  attributes = { name = row.name, city = row.city }
  optional   = ["city"]
}

text_message "hello" { body = "Hello ${recipient.name}" }
text_message "again" { body = "${recipient.what}" }

campaign "spring" {
  provider = provider.sandbox.main
  audience = audience.people
  message  = text_message.hello
  window   = "assume_open"
  revision = 2
}

audience "silent" {
  source "campaign" {
    of     = campaign.spring
    AFTER
    filter = FILTER
  }
  attributes = { what = SHOW }
  optional   = ["what"]
}

campaign "again" {
  provider = provider.sandbox.main
  audience = audience.silent
  message  = text_message.again
  window   = "assume_open"
  on_invalid = "skip"
}
`

// followed builds the plan of a follow-up to these deliveries, of which only the second
// campaign matters, and returns it with its entries by recipient.
func followed(t *testing.T, after, filter, show string, s *memState, at time.Time) (*Campaign, map[string]Entry) {
	t.Helper()
	if after != "" {
		after = fmt.Sprintf("after = %q", after)
	}
	config := strings.NewReplacer("AFTER", after, "FILTER", filter, "SHOW", show).Replace(follows)
	w := open(t, map[string]string{"main.hcl": config, "contacts.csv": "phone,name,city\n"})
	w.in.State, w.in.At = s, at
	p, diags := w.plan(t)
	if diags.HasErrors() {
		t.Fatal(summaries(diags))
	}
	out := map[string]Entry{}
	for _, e := range collect(t, p) {
		if e.Campaign == 1 {
			out[e.Recipient.Key()] = e
		}
	}
	return &p.Campaigns[1], out
}

// told is a message of the campaign that was accepted an hour before testAt.
func told(i int, change func(*state.Delivery)) state.Delivery {
	who := number(i)
	d := state.Delivery{Key: state.Key{Campaign: "campaign.spring", Recipient: who, Revision: 2}, To: message.AddressOf(who), Send: state.Accepted, Attempt: 1, Intended: testAt.Add(-time.Hour)}
	if change != nil {
		change(&d)
	}
	return d
}

// What became of a message is what the row says, and only who was surely sent one, or
// surely refused, has a row.
func TestRowsOfOutcomes(t *testing.T) {
	const sent, half = "2026-03-01T09:00:00Z", "2026-03-01T09:30:00.25Z"
	at := testAt.Add(-30*time.Minute + 250*time.Millisecond)
	show := `join(" ", [for v in [row.sent_at, row.delivered_at, row.read_at, row.replied_at, row.delivered, row.read, row.replied, row.ordered, row.failed, row.code, row.arm, row.variant, row.attributes.name] : v == null ? "-" : tostring(v)])`
	deliveries := []state.Delivery{
		told(0, nil),
		told(1, func(d *state.Delivery) { d.Rank, d.RankAt = message.RankDelivered, at }),
		told(2, func(d *state.Delivery) {
			d.Rank, d.RankAt, d.Replied, d.Arm, d.Variant = message.RankRead, at, testAt, "short", "de"
			d.Attributes = `{"name":"Ana «ü»","gone":1}`
		}),
		told(3, func(d *state.Delivery) { d.Failed, d.FailCode = true, "131026" }),
		told(4, func(d *state.Delivery) { d.Send, d.Code, d.Attributes = state.Rejected, "131047", `{"name":null}` }),
		told(5, func(d *state.Delivery) { d.Rank, d.RankAt = message.RankPlayed, at }),
		told(6, nil),
		told(7, func(d *state.Delivery) { d.Intended = d.Intended.Add(900 * time.Millisecond) }), // and orders in the same second
		told(10, func(d *state.Delivery) { d.Send = state.InDoubt }),
		told(11, func(d *state.Delivery) { d.Send = state.Pending }),
		told(12, func(d *state.Delivery) { d.Send = state.HeldOut }),
		told(13, func(d *state.Delivery) { d.Send = state.Sending }),
		told(14, func(d *state.Delivery) { d.Revision = 1 }),
		told(15, func(d *state.Delivery) { d.Campaign = "campaign.other" }),
		told(16, func(d *state.Delivery) {
			d.Recipient = state.ErasedPrefix + "00ff"
			d.To = message.AddressOf(d.Recipient)
		}),
		told(17, func(d *state.Delivery) { d.Recipient = "DE.abc"; d.To = message.AddressOf(d.Recipient) }),
	}
	s := &memState{deliveries: deliveries, orders: []state.PlacedOrder{
		{Recipient: number(6), At: testAt.Add(-2 * time.Hour)}, {Recipient: number(7), At: testAt.Add(-2 * time.Hour)}, {Recipient: "DE.x", At: testAt.Add(-time.Hour)}},
		ties: []state.Tie{{Recipient: number(7), Person: number(7)}, {Recipient: "DE.x", Person: number(7)}}}
	c, got := followed(t, "", "true", show, s, testAt)
	texts := map[string]string{}
	for who, e := range got {
		texts[who] = strings.Join(e.Values, "")
	}
	want := map[string]string{
		number(0): sent + " - - - false false false false false - - - -",
		number(1): sent + " " + half + " - - true false false false false - - - -",
		number(2): sent + " - " + half + " 2026-03-01T10:00:00Z true true true false false - short de Ana «ü»",
		number(3): sent + " - - - false false false false true 131026 - - -",
		number(4): sent + " - - - false false false false true 131047 - - -",
		number(5): sent + " - " + half + " - true true false false false - - - -",
		number(6): sent + " - - - false false false false false - - - -",
		number(7): "2026-03-01T09:00:00.9Z" + " - - - false false false true false - - - -",
		"DE.abc":  sent + " - - - false false false false false - - - -",
	}
	if diff := cmp.Diff(want, texts); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"7 messages of campaign.spring went out before attributes were kept, so row.attributes has none for them"}, c.Notes); diff != "" {
		t.Error(diff)
	}
}

// Somebody who is held out under one id gets no follow-up under another one, whenever it
// became known that both are theirs.
func TestHeldOutUnderAnotherID(t *testing.T) {
	other := told(1, func(d *state.Delivery) { d.Recipient = "DE.x"; d.To = message.AddressOf(d.Recipient) })
	s := &memState{deliveries: []state.Delivery{told(0, func(d *state.Delivery) { d.Send = state.HeldOut }), other, told(2, nil)}}
	if _, got := followed(t, "", "true", `"x"`, s, testAt); len(got) != 2 {
		t.Errorf("before it is known: %v", got)
	}
	s.ties = []state.Tie{{Recipient: number(0), Person: number(0)}, {Recipient: "DE.x", Person: number(0)}}
	_, got := followed(t, "", "true", `"x"`, s, testAt)
	if _, ok := got[number(2)]; !ok || len(got) != 1 {
		t.Errorf("once it is known: %v", got)
	}
	s.deliveries[0].Revision = 1 // of another revision
	if _, got := followed(t, "", "true", `"x"`, s, testAt); len(got) != 2 {
		t.Errorf("held out of a former revision: %v", got)
	}
}

// Nobody gets a follow-up before its time after the message, to the fraction of a
// second; when that was delivered is the best that is known.
func TestNoFollowUpIsEarly(t *testing.T) {
	from := testAt.Add(-10*time.Minute - 400*time.Millisecond)
	for name, d := range map[string]state.Delivery{
		"delivered": told(0, func(d *state.Delivery) { d.Rank, d.RankAt = message.RankDelivered, from }),
		"read":      told(0, func(d *state.Delivery) { d.Rank, d.RankAt = message.RankRead, from }),
		"sent":      told(0, func(d *state.Delivery) { d.Intended = from }),
		"failed":    told(0, func(d *state.Delivery) { d.Intended, d.Failed = from, true }),
		// The provider's clock is an hour, or 56 years, behind.
		"delivered before": told(0, func(d *state.Delivery) {
			d.Intended, d.Rank, d.RankAt = from, message.RankDelivered, from.Add(-time.Hour)
		}),
		"read in 1970": told(0, func(d *state.Delivery) { d.Intended, d.Rank, d.RankAt = from, message.RankRead, time.Unix(1, 0) }),
	} {
		due := from.Add(48 * time.Hour)
		whole := due.Add(400 * time.Millisecond)
		for _, at := range []time.Time{testAt, due.Add(-time.Millisecond), due.Add(time.Second)} {
			c, got := followed(t, "48h", "true", `"x"`, &memState{deliveries: []state.Delivery{d}}, at)
			e := got[number(0)]
			if early := at.Before(due); early != (e.Action == Defer) {
				t.Errorf("%s: %s at %s, due at %s", name, e.Action, at, due)
			} else if early && (e.Reason != delivery.ReasonNotDue || !e.Due.Equal(whole) || !c.Due.Equal(whole) || e.Digest == [16]byte{}) {
				t.Errorf("%s: %s until %s, the campaign until %s; due at %s", name, e.Reason, e.Due, c.Due, due)
			} else if !early && (e.Action != Send || !e.Due.IsZero()) {
				t.Errorf("%s: %s %s", name, e.Action, e.Due)
			}
		}
	}
}

// A repetition that a person asks for waits, too.
func TestARepeatedFollowUpIsNotEarly(t *testing.T) {
	again := told(0, func(d *state.Delivery) { d.Campaign, d.Revision = "campaign.again", 1 })
	config := strings.NewReplacer("AFTER", `after = "48h"`, "FILTER", "true", "SHOW", `"x"`).Replace(follows)
	w := open(t, map[string]string{"main.hcl": config, "contacts.csv": "phone,name,city\n"})
	w.in.State = &memState{deliveries: []state.Delivery{told(0, nil), again}}
	w.in.Options.Replace = []string{"campaign.again"}
	p, diags := w.plan(t)
	if diags.HasErrors() {
		t.Fatal(summaries(diags))
	}
	if e := collect(t, p); len(e) != 1 || e[0].Action != Replace || e[0].Reason != delivery.ReasonNotDue || e[0].Due.IsZero() {
		t.Errorf("%+v", e)
	}
}

// What is planned for somebody in the holdout of the campaign before: nothing, whatever
// the follow-up looks for.
func TestWhoIsHeldOutGetsNoFollowUp(t *testing.T) {
	held := told(0, func(d *state.Delivery) { d.Send = state.HeldOut })
	for _, filter := range []string{"true", "!row.delivered", "!row.replied", "row.arm == null"} {
		if _, got := followed(t, "", filter, `"x"`, &memState{deliveries: []state.Delivery{held}}, testAt.Add(1000*time.Hour)); len(got) != 0 {
			t.Errorf("%s: %v", filter, got)
		}
	}
}

// An audience of nobody says why.
func TestAFollowUpToNobodySaysWhy(t *testing.T) {
	for want, list := range map[string][]state.Delivery{
		"revision 2 of campaign.spring has been sent to nobody yet": {told(0, func(d *state.Delivery) { d.Revision = 1 })},
		"": {told(0, nil)},
	} {
		c, _ := followed(t, "", "row.read", `"x"`, &memState{deliveries: list}, testAt)
		if got := strings.Join(c.Notes, ""); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// -target of a follow-up is no wish to send the campaign that it follows.
func TestTargetOfAFollowUp(t *testing.T) {
	config := strings.NewReplacer("AFTER", "", "FILTER", "true", "SHOW", `"x"`).Replace(follows)
	w := open(t, map[string]string{"main.hcl": config, "contacts.csv": "phone,name,city\n" + number(0) + ",Ana,\n"})
	w.in.State = &memState{deliveries: []state.Delivery{told(1, nil)}}
	w.in.Options.Target = []string{"campaign.again"}
	p, diags := w.plan(t)
	if diags.HasErrors() {
		t.Fatal(summaries(diags))
	}
	if len(p.Campaigns) != 1 || p.Campaigns[0].Address != "campaign.again" || p.Sends() != 1 {
		t.Errorf("%d campaigns, %d messages", len(p.Campaigns), p.Sends())
	}
}

// What a follow-up reads is kept with the message, and nothing else; what is too long to
// be kept makes the recipient invalid.
func TestAttributesAreKeptForFollowUps(t *testing.T) {
	for _, c := range []struct {
		show, contact, want string
		action              Action
	}{
		{`row.attributes.city`, "Ana,Köln", `{"city":"Köln"}`, Send},
		{`row.attributes.city`, "Ana,", `{"city":""}`, Send},
		{`"${row.attributes["city"]} ${row.attributes.name}"`, "\"A \"\"b\"\"\",Köln", `{"city":"Köln","name":"A \"b\""}`, Send},
		{`row.attributes[lower("NAME")]`, "Ana,Köln", `{"city":"Köln","name":"Ana"}`, Send},
		{`row.phone`, "Ana,Köln", "", Send},
		{`row.attributes.city`, "Ana," + strings.Repeat("x", maxKept-len(`{"city":""}`)), `{"city":"` + strings.Repeat("x", maxKept-len(`{"city":""}`)) + `"}`, Send},
		{`row.attributes.city`, "Ana," + strings.Repeat("x", maxKept-len(`{"city":""}`)+1), "", Skip},
	} {
		config := strings.NewReplacer("AFTER", "", "FILTER", "true", "SHOW", c.show).Replace(follows)
		config = strings.Replace(config, "revision = 2", `on_invalid = "skip"`, 1)
		w := open(t, map[string]string{"main.hcl": config, "contacts.csv": "phone,name,city\n" + number(0) + "," + c.contact + "\n"})
		w.in.State = &memState{}
		p, diags := w.plan(t)
		if diags.HasErrors() {
			t.Fatal(c.show, summaries(diags))
		}
		e := collect(t, p)[0]
		if got := p.Campaigns[0].KeptOf(&e); got != c.want || e.Action != c.action {
			t.Errorf("%s of %.40s: %s %.80s", c.show, c.contact, e.Action, got)
		}
	}
}
