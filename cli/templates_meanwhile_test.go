package cli_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/handbill/handbill/internal/pgtest"
)

// meanwhileShop is templateShop with a campaign that needs none of its templates.
const meanwhileShop = templateShop + `
data "template" "ready" {
  provider = provider.cloud.main
  name     = "ready"
}

template_message "ready" {
  template = data.template.ready
  language = "en"
}

campaign "now" {
  provider = provider.cloud.main
  audience = audience.people
  message  = template_message.ready
}
`

// meanwhile is a desk whose account reviews templates for five minutes, and whose
// network tells of each message. first is called at the first wait, when everything
// was sent that can be.
func meanwhile(t *testing.T, shared bool, first func(*desk)) (*desk, *accountWorld) {
	d := newDesk(t)
	var slept atomic.Int64 // the clock goes, and waits for reviews take no time
	d.clock = func() time.Time { return time.Now().Add(time.Duration(slept.Load())) }
	world := slowWorld(d, 5*time.Minute)
	world.put("ready", "en", "MARKETING", `[{"type":"BODY","text":"It is ready."}]`)
	sent := make(chan struct{}, 16)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		world.handler.ServeHTTP(w, r)
		if strings.HasSuffix(r.URL.Path, "/messages") {
			sent <- struct{}{}
		}
	}))
	t.Cleanup(server.Close)
	d.env = append(d.env, "BASE="+server.URL+world.base, "TOKEN=a-token", "ACCOUNT="+world.account)
	source := meanwhileShop
	if shared {
		schema := pgtest.Schema()
		d.env = append(d.env, "HANDBILL_STATE_URL="+pgtest.Shared(t).URL())
		source += "\nhandbill {\n  state \"postgres\" {\n    url    = env(\"HANDBILL_STATE_URL\")\n    schema = \"" + schema + "\"\n  }\n}\n"
	}
	d.write("main.hcl", source)
	d.write("contacts.csv", "phone,name,lang\n+4915112345601,Ana,en\n+4915112345602,Ben,de\n")
	if shared {
		d.must(0, "init")
	}
	waits := 0
	d.waited = func(long time.Duration) {
		slept.Add(int64(long))
		if waits++; waits > 1 {
			return
		}
		for range 2 {
			select {
			case <-sent:
			case <-time.After(time.Minute):
				t.Error("nothing is sent while a template is waited for")
				return
			}
		}
		first(d)
	}
	return d, world
}

// TestOthersAreSentWhileATemplateIsReviewed checks that campaigns that need no template
// of those that are reviewed are sent during the wait, and the others after it, in one
// apply; and that an apply that is interrupted or killed during the wait leaves the
// rest to the next one, which creates nothing again and sends nothing twice.
func TestOthersAreSentWhileATemplateIsReviewed(t *testing.T) {
	t.Parallel()
	for _, shared := range []bool{false, true} {
		for name, end := range map[string]func(*desk, context.CancelFunc){
			"to its end":  func(*desk, context.CancelFunc) {},
			"interrupted": func(d *desk, _ context.CancelFunc) { d.interrupts <- os.Interrupt },
			"killed":      func(_ *desk, cancel context.CancelFunc) { cancel() },
		} {
			t.Run(name+map[bool]string{true: " on PostgreSQL"}[shared], func(t *testing.T) {
				if testing.Short() && shared && name == "killed" {
					t.Skip("the other two")
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				d, world := meanwhile(t, shared, func(d *desk) { end(d, cancel) })
				code := d.runIn(ctx, "apply", "-auto-approve")
				if name == "to its end" && (code != 0 || !strings.Contains(d.stdout.String(), "4 messages sent")) {
					t.Fatalf("exit %d\n%s%s", code, d.stdout.String(), d.stderr.String())
				}
				if taken, early := world.sent(); name != "to its end" && (code == 0 || taken != 2 || early != 0) {
					t.Errorf("exit %d, %d messages taken, %d refused\n%s", code, taken, early, d.stderr.String())
				}
				d.must(0, "apply", "-auto-approve")
				if taken, early := world.sent(); taken != 4 || early != 0 {
					t.Errorf("%d messages taken, %d refused", taken, early)
				}
				if n := len(world.writes()); n != 3 {
					t.Errorf("changed in the account: %q", world.writes())
				}
				d.must(0, "plan", "-detailed-exitcode")
			})
		}
	}
}
