package plan

import (
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"
	"pgregory.net/rapid"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/internal/openmap"
	"github.com/handbill/handbill/message"
)

func TestWindow(t *testing.T) {
	at := testAt
	ago := func(d time.Duration) uint32 { return uint32(at.Add(-d).Unix()) }
	for _, c := range []struct {
		name    string
		here    window // at the campaign's number
		shut    uint32 // at any number
		claimed time.Time
		want    time.Time // zero for unknown
	}{
		{"nothing is known", window{}, 0, time.Time{}, time.Time{}},
		{"the state knows an event", window{inbound: ago(time.Hour)}, 0, time.Time{}, at.Add(23 * time.Hour)},
		{"the audience claims one", window{}, 0, at.Add(-2 * time.Hour), at.Add(22 * time.Hour)},
		{"the state is newer", window{inbound: ago(time.Hour)}, 0, at.Add(-2 * time.Hour), at.Add(23 * time.Hour)},
		{"the audience is newer", window{inbound: ago(30 * time.Hour)}, 0, at.Add(-2 * time.Hour), at.Add(22 * time.Hour)},
		{"a claim about the future", window{}, 0, at.Add(time.Hour), time.Time{}},
		{"the provider said it is shut", window{ago(2 * time.Hour), ago(time.Hour)}, 0, time.Time{}, at.Add(-time.Hour)},
		{"shut, and the claim is older", window{ago(3 * time.Hour), ago(time.Hour)}, 0, at.Add(-2 * time.Hour), at.Add(-time.Hour)},
		{"shut, and they wrote again", window{ago(3 * time.Hour), ago(2 * time.Hour)}, 0, at.Add(-time.Hour), at.Add(23 * time.Hour)},
		{"all were shut since", window{inbound: ago(2 * time.Hour)}, ago(time.Hour), time.Time{}, at.Add(-time.Hour)},
	} {
		t.Run(c.name, func(t *testing.T) {
			var here windows
			*put(&here.people, 1) = c.here
			var got time.Time
			if ends := here.window(1, person{shut: c.shut}, c.claimed, at).Ends(); ends != 0 {
				got = time.UnixMilli(ends)
			}
			if !got.Equal(c.want) {
				t.Errorf("the window ends at %v, want %v", got, c.want)
			}
		})
	}
}

func put[V any](t *openmap.Map[V], key uint64) *V {
	v, _ := t.Put(key)
	return v
}

func TestWait(t *testing.T) {
	berlin := &Quiet{From: 20 * 60, Until: 9 * 60, Timezone: "Europe/Berlin", Attribute: 0}
	noon := &Quiet{From: 12 * 60, Until: 13 * 60, Timezone: "UTC", Attribute: -1}
	bounded := &Quiet{From: -1, NotBefore: testAt, NotAfter: testAt.Add(time.Hour), Timezone: "UTC"}
	for _, c := range []struct {
		name   string
		quiet  *Quiet
		at     time.Time
		zone   string
		reason delivery.Reason
	}{
		{"no schedule", nil, testAt, "", ""},
		{"day", berlin, testAt, "", ""},
		{"evening in Berlin", berlin, time.Date(2026, 3, 1, 19, 0, 0, 0, time.UTC), "", "quiet_hours"},
		{"afternoon in New York", berlin, time.Date(2026, 3, 1, 19, 0, 0, 0, time.UTC), "America/New_York", ""},
		{"night in New York", berlin, testAt, "America/New_York", "quiet_hours"},
		{"unknown zone", berlin, time.Date(2026, 3, 1, 19, 0, 0, 0, time.UTC), "Mars/Olympus", "quiet_hours"},
		{"day in Berlin, night in New York", berlin, testAt.Add(time.Hour), "Europe/Berlin America/New_York", "quiet_hours"},
		{"day in Berlin and London", berlin, testAt.Add(time.Hour), "Europe/Berlin Europe/London", ""},
		{"end of the quiet hours", noon, time.Date(2026, 3, 1, 13, 0, 0, 0, time.UTC), "", ""},
		{"begin of the quiet hours", noon, time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), "", "quiet_hours"},
		{"too early", bounded, testAt.Add(-time.Second), "", "not_before"},
		{"in time", bounded, testAt, "", ""},
		{"too late", bounded, testAt.Add(time.Hour), "", "expired"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if reason := c.quiet.Wait(&Clock{}, c.at, c.zone); reason != c.reason {
				t.Errorf("got %q, want %q", reason, c.reason)
			}
		})
	}
}

// Each recipient has one id, which the table of ids also gives.
func TestRecipientIDs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var k recipientIDs
		var got openmap.Map[int]
		want := map[string]int{}
		key := rapid.OneOf(rapid.StringMatching(`\+[1-9][0-9]{0,3}`), rapid.StringMatching(`US\.[0-9]{1,2}`), rapid.Just("+0123"), rapid.Just(""))
		for i, s := range rapid.SliceOfN(key, 0, 300).Draw(t, "keys") {
			_, known := want[s]
			v, added := got.Put(k.add(s))
			if added == known {
				t.Fatalf("%q: added is %v, known %v", s, added, known)
			}
			*v, want[s] = i, i
		}
		for s, v := range want {
			id, ok := k.find(s)
			if p := got.At(id); !ok || p == nil || *p != v {
				t.Fatalf("%q is not found", s)
			}
		}
		if id, ok := k.find("+999999"); ok && got.At(id) != nil {
			t.Fatal("a number that was never added is found")
		}
	})
}

func TestPrices(t *testing.T) {
	const file = `# read 2026-03-01
prefix,category,price,currency
49,marketing,0.1131,EUR
4915,marketing,0.2,EUR
*,marketing,0.05,EUR
*,service,0,EUR
`
	p, err := readPrices(strings.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	var c costCount
	for _, phone := range []string{"+4930123456", "+4915112345678", "+15551234567", "+4930999999"} {
		c.add(p, message.Address{Phone: phone}, "marketing")
	}
	c.add(p, message.Address{Phone: "+4930123456"}, "service")
	c.add(p, message.Address{Phone: "+4930123456"}, "utility")
	got := c.cost(p)
	if got.Amount != "0.48" || got.Currency != "EUR" || got.Unpriced != 1 || got.ByPrefix["49"] != 2 || got.ByPrefix["4915"] != 1 || got.ByPrefix["*"] != 2 {
		t.Errorf("cost is %+v", got)
	}
	for name, bad := range map[string]string{
		"no column":      "prefix,price,currency\n49,1,EUR\n",
		"two currencies": file + "1,marketing,0.1,USD\n",
		"twice":          file + "49,marketing,0.1,EUR\n",
		"no number":      "prefix,category,price,currency\n49,marketing,1e9,EUR\n",
		"no prefix":      "prefix,category,price,currency\nDE,marketing,1,EUR\n",
		"empty":          "",
	} {
		if _, err := readPrices(strings.NewReader(bad)); err == nil {
			t.Errorf("%s: the file is taken", name)
		}
	}
}

func TestMask(t *testing.T) {
	for key, want := range map[string]string{
		"+4915112345689":          "+49151•••••89",
		"+12025550123":            "+1202•••••23",
		"US.13491208655302741918": "US.13•••••18",
		"ab":                      "•••••",
		"":                        "",
	} {
		if got := maskKey(key); got != want {
			t.Errorf("%s is masked as %q, want %q", key, got, want)
		}
	}
	for text, want := range map[string]string{"Anna": "A•••", "Öz": "Ö•••", "X": "•", "": ""} {
		if got := maskText(text); got != want {
			t.Errorf("%q is masked as %q, want %q", text, got, want)
		}
	}
}

func TestProblemsAreGrouped(t *testing.T) {
	var p problems
	rng := hcl.Range{Filename: "main.hcl", Start: hcl.Pos{Line: 7, Column: 3}}
	for i := range 40 {
		got := 25
		if i == 3 {
			got = 31
		}
		p.add(problem{cause: cause{code: "message_limit", campaign: "campaign.spring", path: "section[0].row[1].title", rule: "list.row.title.max"},
			severity: hcl.DiagError, got: got, detail: strings.Repeat("x", got)}, rng, message.Place{File: "contacts.csv", Line: 100 + i})
	}
	p.add(problem{cause: cause{code: "empty_value", campaign: "campaign.spring"}, severity: hcl.DiagWarning, detail: "No name."}, rng, message.Place{Line: 4})
	diags := p.diagnostics()
	if len(diags) != 2 {
		t.Fatalf("%d diagnostics", len(diags))
	}
	want := "campaign.spring: 40 recipients, section[0].row[1].title (list.row.title.max): contacts.csv:100, :101, :102 and 37 more. The worst: X" + strings.Repeat("x", 30) + "."
	if diags[0].Detail != want || diags[0].Subject.Start.Line != 7 {
		t.Errorf("detail is %q", diags[0].Detail)
	}
	if want := "campaign.spring: 1 recipient: row 4. No name."; diags[1].Detail != want || DiagCode(diags[1]) != "empty_value" {
		t.Errorf("detail is %q", diags[1].Detail)
	}
}
