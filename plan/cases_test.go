package plan

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// small is a text to everybody in an audience, with windows assumed open.
const small = header + `
text_message "hello" {
  body = "Hello ${recipient.name}!"
}

audience "people" {
  source "csv" { path = "contacts.csv" }
  attributes = { name = row.name }
}

campaign "spring" {
  provider = provider.sandbox.main
  audience = audience.people
  message  = text_message.hello
  window   = "assume_open"
}
`

const smallContacts = "phone,name\n+4915112345601,Anna\n+4915112345602,Ben\n+4915112345603,Cem\n"

// add inserts text into small's campaign.
func add(text string) string {
	return strings.Replace(small, `"assume_open"`+"\n}", `"assume_open"`+"\n"+text+"\n}", 1)
}

func sent(recipients ...string) []state.Delivery {
	var list []state.Delivery
	for _, r := range recipients {
		list = append(list, past(r, state.Accepted, ""))
	}
	return list
}

const (
	anna = "+4915112345601"
	ben  = "+4915112345602"
	cem  = "+4915112345603"
)

// planCase is a small plan.
type planCase struct {
	name     string
	config   string
	contacts string
	state    *memState
	change   func(*Inputs)
	want     string   // of each entry: the last digit of the key, action, reason
	says     []string // codes of diagnostics
}

// TestCases makes small plans, and checks what is decided for each recipient
// and what the diagnostics say.
func TestCases(t *testing.T) {
	for _, c := range []planCase{
		{name: "first time", want: "1 send, 2 send, 3 send"},
		{name: "nobody", contacts: "phone,name\n", want: ""},
		{name: "some were sent", state: &memState{deliveries: sent(anna)}, want: "1 sent, 2 send, 3 send"},
		{name: "a higher revision", config: add("revision = 2"), state: &memState{deliveries: sent(anna)}, want: "1 send, 2 send, 3 send"},
		{name: "replace one", state: &memState{deliveries: sent(anna, ben)}, want: "1 replace, 2 sent, 3 send",
			change: func(in *Inputs) { in.Options.Replace = []string{`campaign.spring["` + anna + `"]`} }},
		{name: "replace all", state: &memState{deliveries: sent(anna, ben)}, want: "1 replace, 2 replace, 3 send",
			change: func(in *Inputs) { in.Options.Replace = []string{"campaign.spring"} }},
		{name: "what is in doubt is never sent again automatically", want: "1 in_doubt, 2 send, 3 send", says: []string{"replace_in_doubt"},
			state:  &memState{deliveries: []state.Delivery{past(anna, state.Sending, "")}},
			change: func(in *Inputs) { in.Options.Replace, in.Options.Retry = []string{"campaign.spring"}, "failed" }},
		{name: "retry what failed", want: "1 retry, 2 retry, 3 send",
			state:  &memState{deliveries: []state.Delivery{past(anna, state.Rejected, "131026"), past(ben, state.Rejected, "131049")}},
			change: func(in *Inputs) { in.Options.Retry = "failed" }},
		{name: "retry a code", want: "1 retry, 2 refused, 3 send",
			state:  &memState{deliveries: []state.Delivery{past(anna, state.Rejected, "131026"), past(ben, state.Rejected, "131049")}},
			change: func(in *Inputs) { in.Options.Retry = "131026" }},
		{name: "target one", want: "1 skip not_targeted, 2 send, 3 skip not_targeted",
			change: func(in *Inputs) { in.Options.Target = []string{`campaign.spring["` + ben + `"]`} }},
		{name: "exclude one", want: "1 send, 2 skip not_targeted, 3 send",
			change: func(in *Inputs) { in.Options.Exclude = []string{`campaign.spring["` + ben + `"]`} }},
		{name: "exclude what the campaign needs", want: "",
			change: func(in *Inputs) { in.Options.Exclude = []string{"text_message.hello"} }},
		{name: "an option that names nothing", want: "", says: []string{"option_address"},
			change: func(in *Inputs) { in.Options.Target = []string{"campaign.sprung"} }},
		{name: "total limit", config: add("limit {\n total = 2\n}"), want: "1 send, 2 send, 3 defer total_limit"},
		{name: "frequency cap", config: add("limit {\n per_recipient = \"1 per 24h\"\n}"), want: "1 skip frequency_cap, 2 send, 3 send",
			state: &memState{recent: []state.RecentSend{{Recipient: anna, At: testAt.Add(-time.Hour)}, {Recipient: ben, At: testAt.Add(-25 * time.Hour)}}}},
		{name: "frequency cap over two campaigns of one plan", config: add("limit {\n per_recipient = \"1 per 24h\"\n}") +
			strings.Replace(add("limit {\n per_recipient = \"1 per 24h\"\n}")[strings.Index(small, "campaign"):], `"spring"`, `"summer"`, 1),
			want: "1 send, 2 send, 3 send, 1 skip frequency_cap, 2 skip frequency_cap, 3 skip frequency_cap"},
		{name: "quiet hours", config: add("schedule {\n quiet_hours = \"09:00-11:00\"\n timezone = \"UTC\"\n}"), want: "1 defer quiet_hours, 2 defer quiet_hours, 3 defer quiet_hours"},
		{name: "not before", config: add("schedule {\n not_before = \"2026-03-02T00:00:00Z\"\n}"), want: "1 defer not_before, 2 defer not_before, 3 defer not_before"},
		{name: "not after", config: add("schedule {\n not_after = \"2026-02-02T00:00:00Z\"\n}"), want: "1 skip expired, 2 skip expired, 3 skip expired"},
		{name: "erased and opted out", state: &memState{erased: []string{anna}, people: []state.Person{{Recipient: ben, OptedOut: true}}},
			want: "1 skip erased, 2 skip opted_out, 3 send"},
		{name: "unknown window", config: strings.Replace(small, "assume_open", "known", 1), want: "1 skip window_unknown, 2 skip window_closed, 3 send",
			state: &memState{windows: []state.PersonWindow{wrote("provider.sandbox.main", ben, 25*time.Hour), wrote("provider.sandbox.main", cem, time.Hour)}}},
		{name: "windows at another number", config: strings.Replace(small, "assume_open", "known", 1), want: "1 skip window_unknown, 2 skip window_closed, 3 send",
			state: &memState{windows: []state.PersonWindow{wrote("provider.sandbox.other", anna, time.Hour), wrote("provider.sandbox.other", ben, time.Hour), shut("provider.sandbox.main", ben, time.Minute),
				wrote("provider.sandbox.main", cem, time.Hour), shut("provider.sandbox.other", cem, time.Minute)}}},
		{name: "windows that an old state found closed", config: strings.Replace(small, "assume_open", "known", 1), want: "1 skip window_closed, 2 send, 3 skip window_closed",
			state: &memState{people: []state.Person{{Recipient: anna, LastInbound: testAt.Add(-time.Minute), Shut: testAt.Add(-time.Hour)}, {Recipient: ben, Shut: testAt.Add(-time.Hour)}, {Recipient: cem, Shut: testAt.Add(-time.Minute)}},
				windows: []state.PersonWindow{wrote("provider.sandbox.main", ben, time.Minute), wrote("provider.sandbox.main", cem, time.Hour)}}},
		{name: "a window about to close", config: strings.Replace(small, "assume_open", "known", 1), want: "1 skip window_unknown, 2 skip window_closed, 3 send",
			state: &memState{windows: []state.PersonWindow{wrote("provider.sandbox.main", ben, 24*time.Hour-2*time.Minute), wrote("provider.sandbox.main", cem, 24*time.Hour-2*time.Minute-time.Second)}}},
		{name: "an empty name", contacts: smallContacts + "+4915112345604,\n", want: "1 send, 2 send, 3 send, 4 skip empty_value", says: []string{"empty_value"}},
		{name: "a ragged row", contacts: smallContacts + "+4915112345604\n", want: "1 send, 2 send, 3 send, skip unreadable_row", says: []string{"unreadable_row"}},
		{name: "no file", contacts: "-", want: "", says: []string{"audience_source"}},
		{name: "Brazil's ninth digit in the state", contacts: "phone,name\n+5511987654321,Ana\n+551187654321,Ana\n", want: "1 sent, 1 skip duplicate",
			state: &memState{deliveries: sent("+551187654321")}},
		{name: "max recipients", config: add("limit {\n max_recipients = 2\n}"), want: "1 send, 2 send, 3 send", says: []string{"guard_max_recipients"}},
		{name: "max change", config: add("limit {\n max_change = 0.5\n}"), want: "1 sent, 2 send, 3 send", says: []string{"guard_max_change"},
			state: &memState{deliveries: sent(anna, "+4915112345609")}},
		{name: "max change of the revision before", config: add("revision = 2\nlimit {\n max_change = 0.5\n}"), want: "1 send, 2 send, 3 send",
			state: &memState{deliveries: sent(anna, ben, cem)}},
		{name: "prevent resend", config: add("revision = 2\nprevent_resend = true"), want: "1 send, 2 send, 3 send", says: []string{"prevent_resend"},
			state: &memState{deliveries: sent(anna)}},
		{name: "a failed check", config: small + "check \"few\" {\n assert {\n condition = plan.campaign[\"spring\"].send <= 2\n error_message = \"too many\"\n }\n}\n",
			want: "1 send, 2 send, 3 send", says: []string{"check_failed"}},
		{name: "a check that holds", config: small + "check \"few\" {\n assert {\n condition = plan.total.messages == 3 && plan.campaign[\"spring\"].cost == null\n error_message = \"too many\"\n }\n}\n",
			want: "1 send, 2 send, 3 send"},
		{name: "a provider that can't", want: "", says: []string{"capability"},
			change: func(in *Inputs) {
				in.Supports.Message = func(*lang.Provider, *message.Draft) (message.Support, string) { return message.No, "Use another." }
			}},
		{name: "a renamed campaign", config: strings.Replace(small, `campaign "spring"`, `campaign "summer"`, 1), want: "1 send, 2 send, 3 send", says: []string{"rename_would_resend"},
			state: &memState{resources: []state.Resource{{Address: "campaign.spring", Type: "campaign", Name: "spring", Tree: []byte(`{}`)}}, deliveries: sent(anna)}},
		{name: "a renamed campaign whose messages are in doubt", config: strings.Replace(small, `campaign "spring"`, `campaign "summer"`, 1), want: "1 send, 2 send, 3 send", says: []string{"rename_would_resend"},
			state: &memState{resources: []state.Resource{{Address: "campaign.spring", Type: "campaign", Name: "spring", Tree: []byte(`{}`)}}, deliveries: []state.Delivery{past(anna, state.InDoubt, "")}}},
		{name: "a renamed campaign whose messages are under way", config: strings.Replace(small, `campaign "spring"`, `campaign "summer"`, 1), want: "1 send, 2 send, 3 send", says: []string{"rename_would_resend"},
			state: &memState{resources: []state.Resource{{Address: "campaign.spring", Type: "campaign", Name: "spring", Tree: []byte(`{}`)}}, deliveries: []state.Delivery{past(anna, state.Sending, "")}}},
		{name: "a renamed campaign whose messages nobody has", config: strings.Replace(small, `campaign "spring"`, `campaign "summer"`, 1), want: "1 send, 2 send, 3 send",
			state: &memState{resources: []state.Resource{{Address: "campaign.spring", Type: "campaign", Name: "spring", Tree: []byte(`{}`)}}, deliveries: []state.Delivery{past(anna, state.Rejected, "")}}},
		{name: "a campaign that moved", config: strings.Replace(small, `campaign "spring"`, `campaign "summer"`, 1) + "moved {\n from = campaign.spring\n to = campaign.summer\n}\n",
			want:  "1 sent, 2 send, 3 send",
			state: &memState{resources: []state.Resource{{Address: "campaign.spring", Type: "campaign", Name: "spring", Tree: []byte(`{}`)}}, deliveries: sent(anna)}},
		{name: "another campaign to the same people", want: "1 send, 2 send, 3 send",
			config: strings.NewReplacer(`campaign "spring"`, `campaign "summer"`, `"hello"`, `"other"`, `.hello`, `.other`).Replace(small),
			state:  &memState{resources: []state.Resource{{Address: "campaign.spring", Type: "campaign", Name: "spring", Tree: []byte(`{}`)}}, deliveries: sent(anna)}},
	} {
		t.Run(c.name, c.run)
	}
}

func (c *planCase) run(t *testing.T) {
	files := map[string]string{"main.hcl": small, "contacts.csv": smallContacts}
	if c.config != "" {
		files["main.hcl"] = c.config
	}
	if c.contacts != "" {
		files["contacts.csv"] = c.contacts
	}
	if c.contacts == "-" {
		delete(files, "contacts.csv")
	}
	w := open(t, files)
	if c.state != nil {
		w.in.State = c.state
	}
	if c.change != nil {
		c.change(&w.in)
	}
	p, diags := w.plan(t)
	var got, says []string
	for _, e := range collect(t, p) {
		key := e.Recipient.Key()
		got = append(got, strings.TrimSpace(fmt.Sprint(key[max(0, len(key)-1):], " ", e.Action, " ", e.Reason)))
	}
	for _, d := range diags {
		says = append(says, DiagCode(d))
	}
	if diff := cmp.Diff(c.want, strings.Join(got, ", ")); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(c.says, says); diff != "" {
		t.Errorf("diagnostics (-want +got):\n%s\n%s", diff, summaries(diags))
	}
}

// TestOneLongTitleInAThousand checks that a violation gives one diagnostic with
// file, line, count and the first rows, and no value of a recipient.
func TestOneLongTitleInAThousand(t *testing.T) {
	config := strings.Replace(small, "text_message \"hello\" {\n  body = \"Hello ${recipient.name}!\"\n}", `list_message "hello" {
  body   = "Choose"
  button = "Open"
  section "All" {
    row "one" { title = recipient.name }
  }
}`, 1)
	config = strings.Replace(config, "text_message.hello", "list_message.hello", 1)
	var b strings.Builder
	b.WriteString("phone,name\n")
	for i := range 1000 {
		name := "Anna"
		if i%250 == 7 {
			name = "Wolfeschlegelsteinhausen!"
		}
		fmt.Fprintf(&b, "+49151%08d,%s\n", i, name)
	}
	w := open(t, map[string]string{"main.hcl": config, "contacts.csv": b.String()})
	p, diags := w.plan(t)
	if len(diags) != 1 || !diags.HasErrors() {
		t.Fatalf("diagnostics: %s", summaries(diags))
	}
	said := summaries(diags)
	for _, want := range []string{"message_limit main.hcl:8:", "4 recipients", "section[0].row[0].title (list.row.title.max)", "contacts.csv:9, :259, :509 and 1 more", "24"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not in %s", want, said)
		}
	}
	if strings.Contains(said, "Wolfe") {
		t.Errorf("a value is in %s", said)
	}
	if n := p.Campaigns[0].Counts.Skip["message_limit"]; n != 4 {
		t.Errorf("%d are left out", n)
	}
}

func TestTemplateNeedsConsent(t *testing.T) {
	config := strings.Replace(shop, `  consent      = row.opted_in == "yes"`+"\n", "", 1)
	files := shopFiles()
	files["main.hcl"] = config
	_, diags := open(t, files).plan(t)
	said := summaries(diags)
	if len(diags) != 1 || !strings.Contains(said, "error consent_missing main.hcl:18") || !strings.Contains(said, "consent = row.opted_in") {
		t.Errorf("diagnostics: %s", said)
	}
}

func TestResourceChanges(t *testing.T) {
	first, _ := open(t, map[string]string{"main.hcl": small, "contacts.csv": smallContacts}).plan(t)
	known, err := first.StateResources()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		config string
		want   map[string]string
	}{
		{"nothing", small, map[string]string{}},
		{"a text", strings.Replace(small, "Hello", "Hi", 1), map[string]string{"text_message.hello": "update"}},
		{"a new one", small + "text_message \"bye\" {\n  body = \"Bye\"\n}\n", map[string]string{"text_message.bye": "create"}},
		{"a rename", strings.NewReplacer(`"hello"`, `"hi"`, ".hello", ".hi").Replace(small),
			map[string]string{"text_message.hello": "delete", "text_message.hi": "create", "campaign.spring": "update"}},
		{"a move", strings.NewReplacer(`"hello"`, `"hi"`, ".hello", ".hi").Replace(small) + "moved {\n  from = text_message.hello\n  to   = text_message.hi\n}\n",
			map[string]string{"text_message.hi": "move", "campaign.spring": "update"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := open(t, map[string]string{"main.hcl": c.config, "contacts.csv": smallContacts})
			w.in.State = &memState{resources: known, deliveries: sent(anna, ben, cem)}
			p, diags := w.plan(t)
			got := map[string]string{}
			for _, r := range p.Resources {
				if r.Change != NoOp {
					got[r.Address] = r.Change
				}
			}
			if !maps.Equal(got, c.want) || diags.HasErrors() {
				t.Errorf("changes are %v, want %v; %s", got, c.want, summaries(diags))
			}
			if p.Empty() != (len(c.want) == 0) {
				t.Errorf("Empty is %v", p.Empty())
			}
		})
	}
}

func TestCostOfPlan(t *testing.T) {
	w := open(t, shopFiles())
	w.in.Options.Prices = strings.NewReader("prefix,category,price,currency\n49,marketing,0.1131,EUR\n*,service,0,EUR\n")
	p, _ := w.plan(t)
	c := p.Campaigns[0]
	if c.Cost == nil || c.Counts.Fallback != 4 || c.Cost.Amount != "0.45" || c.Cost.Unpriced != 0 {
		t.Errorf("cost is %+v of %+v", c.Cost, c.Counts)
	}
}

func TestInlineContacts(t *testing.T) {
	config := strings.Replace(small, `  source "csv" { path = "contacts.csv" }
  attributes = { name = row.name }
`, `  contact "+49 151 12345601" {
    name = "Anna"
  }
  contact "US.13491208655302741918" {
    name = "Ben"
  }
`, 1)
	p, diags := open(t, map[string]string{"main.hcl": config}).plan(t)
	const want = `main.hcl:9 +4915112345601 send #0 attempt 1 ["Anna"]
main.hcl:12 US.13491208655302741918 send #0 attempt 1 ["Ben"]
`
	if diff := cmp.Diff(want, lines(t, p)); diff != "" || len(diags) > 0 {
		t.Errorf("%s\n%s", diff, summaries(diags))
	}
}
