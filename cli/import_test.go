package cli_test

import (
	"strings"
	"testing"

	"github.com/handbill/handbill/sandbox"
)

// spring is a campaign with a template to five people.
const spring = `
provider "sandbox" "main" { url = env("SANDBOX") }
template_message "hi" {
  template = "hello"
  language = "en"
}
audience "all" {
  source "csv" { path = "contacts.csv" }
  region  = "DE"
  consent = true
}
campaign "spring" {
  provider = provider.sandbox.main
  audience = audience.all
  message  = template_message.hi
}
`

const fiveContacts = "phone\n+4915112345671\n+4915112345672\n+4915112345673\n+4915112345674\n+4915112345675\n"

func springDesk(t *testing.T) (*desk, *network) {
	d := newDesk(t)
	n := newNetwork(d, sandbox.Options{})
	d.write("main.hcl", spring)
	d.write("contacts.csv", fiveContacts)
	d.must(0, "init")
	return d, n
}

func wantAll(t *testing.T, got string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(strings.Join(strings.Fields(strings.ReplaceAll(got, "│", " ")), " "), p) {
			t.Errorf("%q is missing in:\n%s", p, got)
		}
	}
}

func TestImportedIsNotSentAgain(t *testing.T) {
	d, n := springDesk(t)
	d.write("old.csv", "Phone Number;Message-ID;Sent at\n0151 12345671;wamid.A;2026-02-01T10:00:00Z\n+4915112345672;wamid.B;1769940000\n+4915112345672;wamid.B;1769940000\n+4915199999999;wamid.C;2026-02-01 10:00:00\n")
	dry := d.must(0, "import", "-campaign=campaign.spring", "-dry-run", "old.csv")
	wantAll(t, dry, `recipient from "Phone Number", message id from "Message-ID", time from "Sent at"`,
		"Would be taken over: 3 deliveries of campaign.spring, revision 1", "1 row twice in the file", "Nothing was changed")
	wantAll(t, d.must(0, "plan"), "5 messages to send")

	wantAll(t, d.must(0, "import", "-campaign=campaign.spring", "old.csv"), "Taken over: 3 deliveries")
	wantAll(t, d.must(0, "import", "-campaign=campaign.spring", "old.csv"), "Taken over: 0 deliveries", "3 rows known already")
	d.must(0, "apply", "-auto-approve")
	if n.count() != 3 {
		t.Errorf("%d messages were sent, want 3", n.count())
	}
	for _, r := range n.requests {
		e := string(r.body)
		if strings.Contains(e, "15112345671") || strings.Contains(e, "15112345672") {
			t.Errorf("somebody who had it elsewhere was sent it: %s", e)
		}
	}
}

func TestImportRefusesWhatItCannotRead(t *testing.T) {
	d, _ := springDesk(t)
	d.write("bad.csv", "phone,message_id\n+4915112345671,wamid.A\nn/a,wamid.B\n4.91511E+12,wamid.C\n")
	d.must(1, "import", "-campaign=campaign.spring", "bad.csv")
	wantAll(t, d.stderr.String(), "2 rows can't be read", "bad.csv:3", "bad.csv:4", "Nothing was imported")
	wantAll(t, d.must(0, "plan"), "5 messages to send")
	wantAll(t, d.must(0, "import", "-campaign=campaign.spring", "-on-invalid=skip", "bad.csv"), "Taken over: 1 delivery", "2 rows not readable, left out")

	tests := map[string]struct {
		args []string
		file string
		want string
	}{
		"no campaign":      {nil, "phone\n", "Say with -campaign"},
		"unknown campaign": {[]string{"-campaign=campaign.autumn"}, "phone\n", "declared are: campaign.spring"},
		"no column":        {[]string{"-campaign=campaign.spring"}, "name,city\nAda,Paris\n", "-recipient=COLUMN"},
		"wrong column":     {[]string{"-campaign=campaign.spring", "-id=nope"}, "phone\n+4915112345671\n", "-id=nope is no column"},
		"future":           {[]string{"-campaign=campaign.spring"}, "phone,time\n+4915112345671,2031-01-01T00:00:00Z\n", "in the future"},
		"no time":          {[]string{"-campaign=campaign.spring"}, "phone,time\n+4915112345671,soon\n", "none of RFC 3339"},
		"bad option":       {[]string{"-campaign=campaign.spring", "-on-invalid=ask"}, "phone\n", "not one of fail, skip"},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			d.t = t
			d.write("x.csv", c.file)
			d.must(1, append(append([]string{"import"}, c.args...), "x.csv")...)
			wantAll(t, d.stderr.String(), c.want)
		})
	}
}

// TestImportDoesNotBringBackErasedPeople imports a file of another program that
// still contains an erased person.
func TestImportDoesNotBringBackErasedPeople(t *testing.T) {
	d, _ := springDesk(t)
	d.must(0, "state", "erase", "+4915112345671")
	d.write("old.csv", "phone\n+4915112345671\n+4915112345672\n")
	wantAll(t, d.must(0, "import", "-campaign=campaign.spring", "old.csv"), "Taken over: 1 delivery", "1 row of people who were erased")
	if got := d.must(0, "state", "pull"); strings.Contains(got, "4915112345671") {
		t.Errorf("the erased number is back:\n%s", got)
	}
}
