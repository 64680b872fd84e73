package plan

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/handbill/handbill/delivery"
)

// TestLocalTimeIsTheWallClock checks that a message is sent only when the clock
// shows the hour or later everywhere the recipient may be, and that Open
// returns the first such moment, which the test finds minute by minute.
func TestLocalTimeIsTheWallClock(t *testing.T) {
	zones := []string{"Europe/Berlin", "America/Sao_Paulo", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Kiritimati", "Europe/Madrid Atlantic/Canary", "America/New_York America/Los_Angeles"}
	rapid.Check(t, func(rt *rapid.T) {
		q := &Quiet{From: -1, At: rapid.IntRange(0, 1439).Draw(rt, "at"), Within: rapid.SampledFrom([]int{1, 60, 720}).Draw(rt, "within"), Attribute: 0}
		zone := rapid.SampledFrom(zones).Draw(rt, "zone")
		now := time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.IntRange(0, 300*24*60).Draw(rt, "now")) * time.Minute)
		open, ok := q.Open(&Clock{}, now, zone)
		if !ok {
			rt.Fatal("there is no hour")
		}
		want := now
		for !goes(q, want, zone) {
			if want = want.Add(time.Minute); want.Sub(now) > 50*time.Hour {
				rt.Fatal("the search finds no hour")
			}
		}
		if !open.Equal(want) {
			rt.Fatalf("at %v: %v, the walk says %v", now, open, want)
		}
		reason := q.Wait(&Clock{}, now, zone)
		if (reason == delivery.ReasonNone) != want.Equal(now) || reason != delivery.ReasonNone && reason != delivery.ReasonLocalTime {
			rt.Fatalf("at %v it is %q", now, reason)
		}
	})
}

// goes reports whether the clock that is behind all others shows a time within
// the hour.
func goes(q *Quiet, at time.Time, zones string) bool {
	wall, behind := 0, 1<<30
	for _, name := range strings.Fields(zones) {
		loc, err := time.LoadLocation(name)
		if err != nil {
			panic(err)
		}
		local := at.In(loc)
		if _, offset := local.Zone(); offset < behind {
			wall, behind = 60*local.Hour()+local.Minute(), offset
		}
	}
	return (wall-q.At+1440)%1440 < q.Within
}

const mornings = header + `
text_message "hello" { body = "Good morning, ${recipient.name}!" }

audience "people" {
  source "csv" { path = "contacts.csv" }
  attributes = { name = row.name, timezone = row.timezone }
  optional   = ["timezone"]
}

campaign "spring" {
  provider = provider.sandbox.main
  audience = audience.people
  message  = text_message.hello
  window   = "assume_open"
  schedule {
    at       = "10:00"
    timezone = "recipient"
  }
}
`

// TestLocalTimePlans checks that recipients whose local time has come are sent
// to, that all others wait, and that the plan says until when.
func TestLocalTimePlans(t *testing.T) {
	contacts := "phone,name,timezone\n" +
		"+4915112345601,Anna,\n" + // Berlin
		"+351912345602,Ben,\n" + // Lisbon or the Azores: an hour behind
		"+12025550103,Cem,America/Los_Angeles\n" +
		"+919812345604,Dana,\n" // Kolkata
	for _, c := range []struct{ at, want, next string }{
		{"2026-03-02T04:29:00Z", "1 local_time, 2 local_time, 3 local_time, 4 local_time", "2026-03-02T04:30:00Z"},
		{"2026-03-02T04:30:00Z", "1 local_time, 2 local_time, 3 local_time, 4 send", "2026-03-02T09:00:00Z"},
		{"2026-03-02T09:00:00Z", "1 send, 2 local_time, 3 local_time, 4 local_time", "2026-03-02T11:00:00Z"},
		{"2026-03-02T09:59:59Z", "1 send, 2 local_time, 3 local_time, 4 local_time", "2026-03-02T11:00:00Z"},
		{"2026-03-02T10:00:00Z", "1 local_time, 2 local_time, 3 local_time, 4 local_time", "2026-03-02T11:00:00Z"},
		{"2026-03-02T11:30:00Z", "1 local_time, 2 send, 3 local_time, 4 local_time", "2026-03-02T18:00:00Z"},
		{"2026-03-02T18:10:00Z", "1 local_time, 2 local_time, 3 send, 4 local_time", "2026-03-03T04:30:00Z"},
		{"2026-03-29T08:00:00Z", "1 send, 2 local_time, 3 local_time, 4 local_time", "2026-03-29T10:00:00Z"}, // summer time began in Europe
	} {
		w := open(t, map[string]string{"main.hcl": mornings, "contacts.csv": contacts})
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		w.in.At = at
		p, diags := w.plan(t)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		var got []string
		for _, e := range collect(t, p) {
			what := e.Action.String()
			if e.Action == Defer {
				what = string(e.Reason)
			}
			got = append(got, e.Recipient.Phone[len(e.Recipient.Phone)-1:]+" "+what)
		}
		if list := strings.Join(got, ", "); list != c.want {
			t.Errorf("%s: got %s, want %s", c.at, list, c.want)
		}
		if next := p.Campaigns[0].Next.Format(time.RFC3339); next != c.next {
			t.Errorf("%s: the next is at %s, want %s", c.at, next, c.next)
		}
	}
}

// TestLocalTimeKeepsQuietHours checks that quiet hours apply in addition to the
// local time, even to people who may be in one of several zones. If the hour is
// always quiet in one of them, the person is left out with a reason, and never
// sent to at night.
func TestLocalTimeKeepsQuietHours(t *testing.T) {
	late := strings.Replace(mornings, `at       = "10:00"`, "at = \"18:00\"\n    quiet_hours = \"20:00-09:00\"", 1)
	w := open(t, map[string]string{"main.hcl": late, "contacts.csv": "phone,name,timezone\n+12025550101,Anna,\n+12025550102,Ben,America/New_York\n"})
	w.in.At = time.Date(2026, 3, 2, 23, 30, 0, 0, time.UTC) // 18:30 in New York
	p, diags := w.plan(t)
	entries := collect(t, p)
	if entries[0].Reason != delivery.ReasonZoneUnknown || entries[1].Action != Send {
		t.Errorf("%v %q, %v: %v", entries[0].Action, entries[0].Reason, entries[1].Action, summaries(diags))
	}
}
