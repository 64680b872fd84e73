package plan

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/state"
)

// twoNumbers has campaigns of templates from two numbers. The second campaign
// goes to half of the people of the first and some others.
const twoNumbers = header + `
provider "sandbox" "other" {}

template_message "news" {
  template = "news"
  language = "en"
  category = "utility"
}

audience "north" {
  source "csv" { path = "north.csv" }
  consent = true
}

audience "south" {
  source "csv" { path = "south.csv" }
  consent = true
}

campaign "first" {
  provider = provider.sandbox.main
  audience = audience.north
  message  = template_message.news
}

campaign "second" {
  provider = provider.sandbox.other
  audience = audience.south
  message  = template_message.news
}
`

// numbers is an audience of n recipients, counted from the given one.
func numbers(from, n int) string {
	var b strings.Builder
	b.WriteString("phone\n")
	for i := range n {
		fmt.Fprintf(&b, "+4915112%06d\n", from+i)
	}
	return b.String()
}

func TestMessagingLimit(t *testing.T) {
	told := testAt.Add(-48 * time.Hour)
	main := func(main, other int) MessagingLimits {
		return func(p *lang.Provider) (state.MessagingLimit, bool) {
			if p.Name == "main" {
				return state.MessagingLimit{People: main, Told: told}, true
			}
			return state.MessagingLimit{People: other, Told: told}, true
		}
	}
	portfolios := func(people int, main, other string) MessagingLimits {
		return func(p *lang.Provider) (state.MessagingLimit, bool) {
			l := state.MessagingLimit{People: people, Told: told, Portfolio: other}
			if p.Name == "main" {
				l.Portfolio = main
			}
			return l, true
		}
	}
	recent := func(from, n int) (out []state.RecentSend) {
		for i := range n {
			out = append(out, state.RecentSend{Recipient: fmt.Sprintf("+4915112%06d", from+i), At: testAt.Add(-time.Hour)})
		}
		return out
	}
	for _, c := range []struct {
		name   string
		limits MessagingLimits
		state  *memState
		says   string
		starts [2]int // by campaign: the first to people 0 to 9, the second to 5 to 14
	}{
		{"without limits", nil, nil, "", [2]int{0, 0}},
		{"unknown", main(0, 0), nil, "", [2]int{10, 10}},
		{"no limit", main(-1, -1), nil, "", [2]int{10, 10}},
		{"one portfolio, and room for all", main(15, 15), nil, "", [2]int{10, 10}},
		{"one portfolio, and one too many", main(14, 14), nil, "messaging_limit", [2]int{10, 10}},
		{"two portfolios", main(14, 13), nil, "", [2]int{10, 10}},
		{"two portfolios with the same limit", portfolios(14, "1", "2"), nil, "", [2]int{10, 10}},
		{"one portfolio by its id", portfolios(14, "1", "1"), nil, "messaging_limit", [2]int{10, 10}},
		{"one portfolio is not known", portfolios(14, "1", ""), nil, "messaging_limit", [2]int{10, 10}},
		{"the smaller portfolio is too small", main(14, 9), nil, "messaging_limit", [2]int{10, 10}},
		{"whoever wrote to another number starts", main(15, 15), &memState{windows: []state.PersonWindow{wrote("provider.sandbox.other", "+4915112000000", time.Hour)}}, "", [2]int{10, 10}},
		{"whoever wrote today starts nothing", main(14, 14), &memState{windows: []state.PersonWindow{wrote("provider.sandbox.main", "+4915112000000", time.Hour)}}, "", [2]int{9, 10}},
		{"the last 24 hours leave room", main(16, 16), &memState{recent: recent(20, 1)}, "", [2]int{10, 10}},
		{"the last 24 hours leave too little", main(16, 16), &memState{recent: recent(20, 2)}, "messaging_limit_near", [2]int{10, 10}},
		{"those of the last 24 hours are the same people", main(15, 15), &memState{recent: recent(0, 10)}, "", [2]int{10, 10}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := open(t, map[string]string{"main.hcl": twoNumbers, "north.csv": numbers(0, 10), "south.csv": numbers(5, 10)})
			w.in.Messaging = c.limits
			if c.state != nil {
				w.in.State = c.state
			}
			p, diags := w.plan(t)
			var said []string
			for _, d := range diags {
				said = append(said, DiagCode(d))
			}
			if got := strings.Join(said, " "); got != c.says || diags.HasErrors() != (c.says == "messaging_limit") {
				t.Errorf("it says %q, want %q: %v", got, c.says, diags)
			}
			for i, want := range c.starts {
				m := p.Campaigns[i].Messaging
				if got := starts(m); got != want || m != nil && m.Limit != 0 && !m.Told.Equal(told) {
					t.Errorf("%s starts %d, want %d: %+v", p.Campaigns[i].Address, got, want, m)
				}
			}
		})
	}
}

func starts(m *Messaging) int {
	if m == nil {
		return 0
	}
	return m.Starts
}

// A message that waits for a later apply starts no conversation today.
func TestWhatWaitsStartsNoConversation(t *testing.T) {
	for text, want := range map[string]int{
		"limit {\n total = 4\n}": 4,
		"schedule {\n quiet_hours = \"09:00-11:00\"\n timezone = \"UTC\"\n}": 10,
		"schedule {\n not_before = \"2026-03-04T00:00:00Z\"\n}":              0,
	} {
		config := strings.Replace(twoNumbers, "audience = audience.north", "audience = audience.north\n"+text, 1)
		w := open(t, map[string]string{"main.hcl": config, "north.csv": numbers(0, 10), "south.csv": "phone\n"})
		w.in.Messaging = func(*lang.Provider) (state.MessagingLimit, bool) {
			return state.MessagingLimit{People: 250, Told: testAt}, true
		}
		p, _ := w.plan(t)
		i := slices.IndexFunc(p.Campaigns, func(c Campaign) bool { return c.Address == "campaign.first" })
		if got := starts(p.Campaigns[i].Messaging); got != want {
			t.Errorf("%s: %d, want %d", text, got, want)
		}
	}
}
