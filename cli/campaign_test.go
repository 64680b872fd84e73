package cli_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/handbill/handbill/sandbox"
)

func wireConfig(wire string, throughput int) string {
	return fmt.Sprintf(`
provider "sandbox" "main" {
  url        = env("SANDBOX")
  wire       = %q
  throughput = %d
}

audience "customers" {
  source "csv" {
    path = "contacts.csv"
  }
  attributes = { name = row.name }
}

text_message "hello" {
  body = "Hello ${recipient.name}, spring is here."
}

campaign "spring" {
  provider = provider.sandbox.main
  audience = audience.customers
  message  = text_message.hello
  window   = "assume_open"
}
`, wire, throughput)
}

// people returns n contacts, each with a different number.
func people(n int) string {
	var b strings.Builder
	b.WriteString("phone,name\n")
	for i := range n {
		fmt.Fprintf(&b, "+49151%08d,P%d\n", 10_000_000+i, i)
	}
	return b.String()
}

// campaignStatus is what status -json reports about a campaign.
type campaignStatus struct {
	Planned, Accepted, Rejected, Held, Pending, Cancelled int
	InDoubt                                               int `json:"in_doubt"`
	Failures                                              []struct {
		Code  string
		Count int
	}
}

func (d *desk) status() campaignStatus {
	d.t.Helper()
	var out struct{ Campaigns []campaignStatus }
	if err := json.Unmarshal([]byte(d.must(0, "status", "-json")), &out); err != nil || len(out.Campaigns) != 1 {
		d.t.Fatalf("status -json: %v: %s", err, d.stdout.String())
	}
	return out.Campaigns[0]
}

// TestLargeCampaign sends a campaign through each wire format to a network that
// throttles one in twenty and refuses one in fifty: 300 messages, or 10,000
// with HANDBILL_LARGE=1, which takes some minutes, since throttles pause.
func TestLargeCampaign(t *testing.T) {
	n, pace := 300, 300
	if os.Getenv("HANDBILL_LARGE") != "" {
		n, pace = 10_000, 1000
	}
	for _, wire := range sandbox.Providers() {
		t.Run(string(wire), func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			d.clock = time.Now
			net := newNetwork(d, sandbox.Options{AssumeOpen: true, Throughput: pace, Seed: 7, Script: &sandbox.Script{Rules: []sandbox.Rule{
				{Match: sandbox.Match{Share: 0.05}, Answer: &sandbox.ScriptAnswer{Code: "130429", HTTP: 429}},
				{Match: sandbox.Match{Share: 0.02}, Answer: &sandbox.ScriptAnswer{Code: "131026"}},
			}}})
			net.silent = true
			d.write("main.hcl", wireConfig(string(wire), pace))
			d.write("contacts.csv", people(n))
			want, least := 1, n/100 // some are refused
			if wire == sandbox.Kaleyra {
				want, least = 0, 0 // accepts everything, and reports Meta's verdict in a callback
			}
			d.must(want, "apply", "-auto-approve")
			s := d.status()
			if s.Planned != n || s.Accepted+s.Rejected != n || s.Rejected < least || s.Rejected > n/25 {
				t.Errorf("not everybody is accounted for as expected: %+v", s)
			}
			once(t, net, n, s.Accepted)
			for _, r := range net.Rates() {
				if r.Max > pace {
					t.Errorf("%d in one second, and %d are allowed", r.Max, pace)
				}
			}
			d.must(0, "plan", "-detailed-exitcode")
		})
	}
}

// once checks the ledger against the state: everybody was reached, nobody twice,
// and throttled people were reached later.
func once(t *testing.T, net *network, n, accepted int) {
	t.Helper()
	taken, throttled := map[string]int{}, map[string]bool{}
	posts := 0
	for _, e := range net.entries() {
		posts++
		if e.Accepted {
			taken[e.To]++
		} else if e.HTTP == 429 {
			throttled[e.To] = true
		}
	}
	if len(taken) != accepted {
		t.Errorf("the network took messages to %d people, the state says %d", len(taken), accepted)
	}
	for to, k := range taken {
		if k > 1 {
			t.Errorf("%s was sent to %d times", to, k)
		}
	}
	if len(throttled) < n/40 {
		t.Errorf("only %d were throttled", len(throttled))
	}
	later := 0
	for to := range throttled {
		later += taken[to]
	}
	if later < len(throttled)*9/10 {
		t.Errorf("of %d throttled ones only %d were reached later", len(throttled), later)
	}
}

// TestAccountFaults checks that a fault of the account halts the campaign with
// a sentence that says what to do, and that a fault of one recipient does not.
func TestAccountFaults(t *testing.T) {
	meta := func(code sandbox.Code) *sandbox.ScriptAnswer { return &sandbox.ScriptAnswer{Code: code} }
	for _, c := range []struct {
		name, wire string
		answer     *sandbox.ScriptAnswer
		halts      bool
		says       string
	}{
		{"wrong token", "cloud", meta("190"), true, "access_token"},
		{"wrong key", "dialog360", &sandbox.ScriptAnswer{HTTP: 401}, true, "api_key"},
		{"wrong key", "kaleyra", meta("RBC001"), true, "api_key"},
		{"wrong token", "onemsg", &sandbox.ScriptAnswer{Code: "190", HTTP: 401}, true, "token"},
		{"no balance", "kaleyra", meta("E110"), true, "top the account up"},
		{"no balance", "cloud", meta("131042"), true, "pay"},
		{"blocked account", "cloud", meta("131031"), true, "account"},
		{"blocked account", "cloud", meta("368"), true, "account"},
		{"spam", "cloud", meta("131048"), true, "quality"},
		{"closed window", "cloud", meta("131047"), false, "window"},
		{"closed window", "dialog360", meta("131047"), false, "window"},
		{"closed window", "onemsg", meta("131047"), false, "window"},
		{"not on WhatsApp", "cloud", meta("131026"), false, "not on WhatsApp"},
	} {
		t.Run(c.wire+"/"+c.name+"/"+string(c.answer.Code), func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			net := newNetwork(d, sandbox.Options{AssumeOpen: true, Throughput: 1000, Script: &sandbox.Script{Rules: []sandbox.Rule{
				{Match: sandbox.Match{Nth: 3}, Answer: c.answer},
			}}})
			d.write("main.hcl", wireConfig(c.wire, 1000))
			d.write("contacts.csv", people(20))
			d.must(1, "apply", "-auto-approve", "-parallelism=1")
			said := strings.ToLower(strings.Join(strings.Fields(d.stdout.String()), " "))
			if !strings.Contains(said, strings.ToLower(c.says)) {
				t.Errorf("it does not say %q:\n%s", c.says, d.stdout.String())
			}
			s := d.status()
			if sent := net.count(); c.halts != (sent == 3) || c.halts != (s.Pending == 18) || !c.halts && s.Rejected != 1 {
				t.Errorf("%d requests; %+v", sent, s)
			}
			if c.halts != strings.Contains(said, "halted") {
				t.Errorf("halted is not said as it should be:\n%s", d.stdout.String())
			}
		})
	}
}
