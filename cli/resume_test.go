package cli_test

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/handbill/handbill/sandbox"
)

// haltedDesk has a campaign to 40 people, a network that refuses all of them, and a
// rule that halts the campaign.
func haltedDesk(t *testing.T, rule string) (*desk, *network) {
	script := &sandbox.Script{Rules: []sandbox.Rule{{Match: sandbox.Match{Share: 1}, Answer: &sandbox.ScriptAnswer{Code: "131026"}}}}
	d := newDesk(t)
	n := newNetwork(d, sandbox.Options{Script: script})
	d.write("main.hcl", strings.Replace(spring, "message  =", rule+"\n  message  =", 1))
	var people strings.Builder
	people.WriteString("phone\n")
	for i := range 40 {
		fmt.Fprintf(&people, "+49151777%05d\n", i)
	}
	d.write("contacts.csv", people.String())
	d.must(0, "init")
	return d, n
}

// TestAHaltStays checks that a job that runs apply every hour does not lift the
// halt.
func TestAHaltStays(t *testing.T) {
	rules := map[string]struct{ rule, reason string }{
		"a failed canary":   {"canary {\n    count = 3\n    wait = \"1s\"\n    max_failure_rate = 0.2\n  }", "canary: 3 of the first 3 failed"},
		"too many refusals": {"stop_if {\n    failure_rate = 0.4\n    over = 6\n  }", "stop if: 100 % of the last 6 sends failed"},
	}
	for name, c := range rules {
		t.Run(name, func(t *testing.T) {
			d, n := haltedDesk(t, c.rule)
			wantAll(t, d.must(1, "apply", "-auto-approve", "-parallelism=1"), "Apply halted.", c.reason,
				"Nothing more is sent, by any apply, before somebody lifts it: handbill apply -resume=campaign.spring")
			sent := n.count()
			for range 5 {
				d.wall.Add(int64(time.Hour.Seconds()))
				wantAll(t, d.must(1, "apply", "-auto-approve"), "campaign.spring is halted and will send nothing", "0 messages to send", "Apply halted. 0 messages sent.", c.reason+", since 2026-03-02 12:00")
			}
			if n.count() != sent || sent == 0 || sent > 10 {
				t.Fatalf("%d messages left, and then %d more", sent, n.count()-sent)
			}
			for _, format := range []string{"text", "markdown", "json", "html"} {
				wantAll(t, d.must(0, "plan", "-format="+format)+d.stderr.String(), "2026-03-02 12:00 UTC", "handbill apply -resume=campaign.spring")
			}
			for _, format := range []string{"text", "json", "html"} {
				wantAll(t, d.must(0, "status", "-format="+format), "2026-03-02", "handbill apply -resume=campaign.spring")
			}
			fits(t, schema(t, "status.json"), d.must(0, "status", "-json"), false)
			fits(t, schema(t, "plan.json"), d.must(0, "plan", "-format=json"), false)
			fits(t, schema(t, "plan-stream.json"), d.must(0, "plan", "-json"), true)
			fits(t, schema(t, "apply-stream.json"), d.must(1, "apply", "-auto-approve", "-json"), true)
			wantAll(t, d.must(1, "apply", "-auto-approve", "-resume=campaign.spring", "-parallelism=1"), "its halt of 2026-03-02 12:00 UTC is lifted")
			if more := n.count() - sent; more == 0 || more > 10 {
				t.Errorf("%d messages left after the halt was lifted", more)
			}
			wantAll(t, d.must(0, "state", "pull"), "resumed campaign.spring", `"who":"ada`)
		})
	}
}

func TestOnlyAHaltedCampaignIsResumed(t *testing.T) {
	d, n := springDesk(t)
	d.must(1, "apply", "-auto-approve", "-resume=campaign.spring")
	wantAll(t, d.stderr.String(), "Nothing to resume", "campaign.spring is not halted, so nothing was sent")
	if n.count() != 0 {
		t.Errorf("%d messages left", n.count())
	}
}

// TestAPlanThatWasSavedBeforeTheHalt checks that the halt also stops a plan
// that was saved before it, and that the plan sends the rest once the halt is
// lifted.
func TestAPlanThatWasSavedBeforeTheHalt(t *testing.T) {
	d, n := haltedDesk(t, "canary {\n    count = 3\n    wait = \"1s\"\n    max_failure_rate = 0.2\n  }")
	d.must(0, "plan", "-out=week.plan")
	d.must(1, "apply", "week.plan")
	sent := n.count()
	wantAll(t, d.must(1, "apply", "week.plan"), "Apply halted. 0 messages sent.")
	if n.count() != sent {
		t.Errorf("%d messages left although the campaign was halted", n.count()-sent)
	}
	d.must(1, "apply", "-resume=campaign.spring", "week.plan")
	if n.count() == sent {
		t.Error("nothing left after the halt was lifted")
	}
}

// TestNoConnectionSaysWhyAndWhere checks that the report shows the reason and
// the provider of pending messages, and that the command fails.
func TestNoConnectionSaysWhyAndWhere(t *testing.T) {
	d, _ := springDesk(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d.env = append(d.env, "NOWHERE=http://"+listener.Addr().String())
	listener.Close()
	d.write("main.hcl", strings.Replace(strings.Replace(spring, `env("SANDBOX")`, `env("NOWHERE")`, 1), "message  =", "max_attempts = 1\n  message  =", 1))
	wantAll(t, d.must(1, "apply", "-auto-approve"), "Apply complete, with failures.", "5 not sent by provider.sandbox.main: no connection: the dial failed: connection refused")
	d.must(3, "apply", "-auto-approve", "-detailed-exitcode")
	fits(t, schema(t, "apply-stream.json"), d.must(1, "apply", "-auto-approve", "-json"), true)
	wantAll(t, d.stdout.String(), `"unsent":{"no connection: the dial failed: connection refused":5}`)
}
