package cli_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/sandbox"
)

const watched = `
provider "sandbox" "main" {
  url        = env("SANDBOX")
  throughput = 1000
}

audience "people" {
  source "csv" { path = "contacts.csv" }
}

text_message "hello" { body = "Hello" }

campaign "spring" {
  provider = provider.sandbox.main
  audience = audience.people
  message  = text_message.hello
  window   = "assume_open"
  limit { max_recipients = 3 }
}

audience "half_an_hour_later" {
  source "campaign" {
    of    = campaign.spring
    after = "30m"
  }
}

text_message "again" { body = "Hello again" }

campaign "again" {
  provider = provider.sandbox.main
  audience = audience.half_an_hour_later
  message  = text_message.again
  window   = "assume_open"
}
`

// crowdOf are contacts from one number to another.
func crowdOf(from, to int) string {
	out := "phone\n"
	for i := from; i < to; i++ {
		out += fmt.Sprintf("+4915112%06d\n", i)
	}
	return out
}

// watching is a desk with a network, and the digest of its configuration.
func watching(t *testing.T) (*desk, *network, string) {
	d := newDesk(t)
	n := newNetwork(d, sandbox.Options{AssumeOpen: true, Throughput: 1000})
	d.write("main.hcl", watched)
	d.write("contacts.csv", crowdOf(0, 2))
	said := d.must(0, "plan")
	config := regexp.MustCompile(`(?m)^Configuration: (sha256:[0-9a-f]{64})$`).FindStringSubmatch(said)
	if config == nil {
		t.Fatalf("no digest of the configuration in\n%s", said)
	}
	return d, n, config[1]
}

// Each round sends what is due, a round that fails sends nothing and ends nothing, and an
// interrupt between two rounds ends it cleanly.
func TestWatch(t *testing.T) {
	t.Parallel()
	d, n, config := watching(t)
	var sent []int             // after each round
	began := d.wall.Load() + 1 // run lets a second pass
	between := []func(){
		func() {},
		func() {},
		func() { d.write("contacts.csv", crowdOf(0, 4)) }, // more than max_recipients
		func() { d.write("main.hcl", "nonsense") },        // not a configuration
		func() { // not the approved one, though one more would get something
			d.write("main.hcl", strings.Replace(watched, "Hello\"", "Bye\"", 1))
			d.write("contacts.csv", crowdOf(0, 3))
		},
		func() { d.write("main.hcl", watched) },
		func() { d.interrupts <- os.Interrupt },
	}
	d.waited = func(long time.Duration) {
		// What a round takes is measured by a clock that goes on, and is not waited for.
		if long > 15*time.Minute || long <= 0 {
			t.Errorf("it waits for %s", long)
		}
		sent = append(sent, n.count())
		d.wall.Store(began + int64(len(sent))*15*60)
		between[len(sent)-1]()
	}
	if code := d.run("apply", "-watch=15m", "-auto-approve", "-expect-config="+config); code != 0 {
		t.Errorf("exit %d\n%s", code, d.stderr.String())
	}
	if diff := cmp.Diff([]int{2, 2, 4, 4, 4, 4, 5}, sent); diff != "" {
		t.Errorf("sent after each round (-want +got):\n%s", diff)
	}
	for _, want := range []string{"Nothing to send now. Later: 2 not due; the first at 2026-03-02 12:30 UTC\n", "2 messages sent", "1 message sent"} {
		if !strings.Contains(d.stdout.String(), want) {
			t.Errorf("%q is missing in\n%s", want, d.stdout.String())
		}
	}
	said := d.stderr.String()
	for _, want := range []string{"12:00:02Z round 1\n", "12:45:02Z round 4\n", "More recipients than allowed", "12:45:02Z round 4 failed; nothing more is sent before round 5\n",
		"Configuration differs", "13:15:02Z round 6 failed", "ended between rounds\n"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is missing in\n%s", want, said)
		}
	}
	if strings.Contains(said, "round 7 failed") || strings.Contains(said, "round 8") {
		t.Error(said)
	}
}

// An interrupt in a round ends that round as any apply, and all of it.
func TestWatchEndsInARound(t *testing.T) {
	t.Parallel()
	d, n, _ := watching(t)
	d.write("main.hcl", strings.Replace(watched, "max_recipients = 3", "max_recipients = 1000", 1))
	d.write("contacts.csv", crowdOf(0, 500))
	n.onPost = func(k int) {
		if k != 1 {
			return
		}
		d.interrupts <- os.Interrupt
		for !strings.Contains(d.stderr.String(), "Interrupted") {
			time.Sleep(time.Millisecond) // the command's own clock stands still
		}
	}
	d.waited = func(time.Duration) { d.interrupts <- os.Interrupt } // only where the first one ended nothing
	if code := d.run("apply", "-watch=15m", "-auto-approve", "-parallelism=1"); code != 130 || strings.Contains(d.stderr.String(), "round 2") {
		t.Errorf("exit %d\n%s", code, d.stderr.String())
	}
}

// What is meant once, or can hold for one round only, is refused before the first.
func TestWatchRefuses(t *testing.T) {
	t.Parallel()
	d, n, _ := watching(t)
	for want, args := range map[string][]string{
		"Nobody is asked":                  {},
		"-watch is a length of time":       {"-watch=10ms", "-auto-approve"},
		"-watch does not go with -replace": {"-auto-approve", "-replace=campaign.spring"},
		"does not go with -retry":          {"-auto-approve", "-retry=failed"},
		"does not go with -resume":         {"-auto-approve", "-resume=campaign.spring"},
		"does not go with -expect:":        {"-auto-approve", "-expect=sha256:0"},
		"does not go with -detach":         {"-auto-approve", "-detach"},
		"does not go with a saved plan":    {"-auto-approve", "saved.plan"},
		"-force-delete-templates":          {"-auto-approve", "-force-delete-templates"},
	} {
		if code := d.run(append([]string{"apply", "-watch=15m"}, args...)...); code != 1 || !strings.Contains(strings.Join(strings.FieldsFunc(d.stderr.String(), func(r rune) bool { return strings.ContainsRune(" \n│", r) }), " "), want) || strings.Contains(d.stderr.String(), "Z round") {
			t.Errorf("%v: exit %d, %q is missing in\n%s", args, code, want, d.stderr.String())
		}
	}
	if n.count() != 0 {
		t.Error("something was sent")
	}
	d.must(1, "apply", "-auto-approve", "-expect-config=sha256:0")
	d.must(6, "apply", "-auto-approve", "-detailed-exitcode", "-expect-config=sha256:0")
	d.must(1, "plan", "-expect-config=sha256:0")
	for _, empty := range []string{"-expect-config=", "-expect-config= ", "-expect="} { // as of a script that found no digest
		d.must(1, "apply", "-auto-approve", empty)
	}
	if n.count() != 0 {
		t.Error("something was sent of a configuration that nobody approved")
	}
}

// Beside a saved plan nothing may be said that only planning heeds: somebody who was left
// out too late would be sent to.
func TestSavedPlanRefusesWhatItDoesNotHeed(t *testing.T) {
	t.Parallel()
	d, n, _ := watching(t)
	d.must(0, "plan", "-out=saved.plan")
	for _, late := range []string{"-exclude=campaign.spring", "-target=campaign.again", "-replace=campaign.spring", "-retry=failed", "-refresh=false", "-prices=prices.csv", "-force-delete-templates"} {
		d.must(1, "apply", late, "saved.plan")
		name, _, _ := strings.Cut(late, "=")
		if said := strings.Join(strings.Fields(strings.ReplaceAll(d.stderr.String(), "│", " ")), " "); !strings.Contains(said, name) || !strings.Contains(said, "does not go with a saved plan") {
			t.Errorf("%s: %s", late, d.stderr.String())
		}
	}
	if n.count() != 0 {
		t.Error("something was sent")
	}
	d.must(0, "apply", "saved.plan")
	if n.count() != 2 {
		t.Errorf("%d were sent", n.count())
	}
}
