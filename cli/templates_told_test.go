package cli_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/handbill/handbill/providers/metaobject"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/state/sqlite"
)

// webhook accepts a webhook about templates as serve does while an apply runs: each
// value is a change of Meta's, at a moment.
func (d *desk) webhook(at time.Time, values ...string) {
	d.t.Helper()
	var changes []string
	for _, v := range values {
		changes = append(changes, `{"field":"message_template_status_update","value":`+v+`}`)
	}
	body := fmt.Appendf(nil, `{"entry":[{"id":"102290129340398","time":%d,"changes":[%s]}]}`, at.Unix(), strings.Join(changes, ","))
	evs, err := metaobject.DecodeEnvelope(body)
	if err != nil {
		d.t.Fatal(err)
	}
	s, err := sqlite.Open(context.Background(), sqlite.Options{Path: filepath.Join(d.dir, "handbill.state"), Clock: d.now, Rand: rand.Reader})
	if err != nil {
		d.t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Append(context.Background(), []state.Inbox{{Provider: "provider.cloud.main", Received: d.now(), Raw: body, Events: evs}}); err != nil {
		d.t.Fatal(err)
	}
	if err := s.FoldAll(context.Background()); err != nil {
		d.t.Fatal(err)
	}
}

// approval is a notice that the shop's template is approved in a language.
func approval(language, category string) string {
	value := `{"event":"APPROVED","message_template_name":"spring","message_template_language":"` + language + `","reason":"NONE"`
	if category != "" {
		value += `,"message_template_category":"` + category + `"`
	}
	return value + "}"
}

// TestAWaitingApplyTakesWhatAWebhookReports checks that an apply that waits uses the
// status that serve recorded instead of asking again; where the category is not
// reported, it asks at once. An approval of before its own request counts for nothing.
func TestAWaitingApplyTakesWhatAWebhookReports(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, category string
		asks           int // after the webhook
		code, sent     int
	}{
		{"all that matters", "MARKETING", 0, 0, 2},
		{"no category", "", 1, 0, 2},
		{"another category", "UTILITY", 0, 1, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d, k := templateDesk(t, func(d *desk) *accountWorld { return slowWorld(d, 5*time.Minute) })
			var waited time.Duration
			asked := 0
			d.waited = func(long time.Duration) {
				waited += long
				switch late := 5*time.Minute + 2*time.Second; {
				case waited == 3*time.Second: // an old notice arrives late, and one about another template
					d.webhook(d.now().Add(-time.Minute), approval("en", "MARKETING"), approval("de", "MARKETING"), approval("fr", "MARKETING"),
						strings.Replace(approval("en", "MARKETING"), "spring", "spring_2", 1))
				case waited >= late && asked == 0:
					d.webhook(d.now(), approval("en", c.category), approval("de", c.category), approval("fr", c.category))
					asked = len(k.asked)
				}
			}
			if code := d.run("apply", "-auto-approve"); code != c.code {
				t.Fatalf("exit %d\n%s%s", code, d.stdout.String(), d.stderr.String())
			}
			lists := 0
			for _, a := range k.asked[asked:] {
				if strings.HasSuffix(a, "/message_templates") {
					lists++
				}
			}
			if asked == 0 || lists != c.asks || waited > 5*time.Minute+3*time.Second {
				t.Errorf("asked %d times after the webhook, waited %s", lists, waited)
			}
			if taken, early := k.world.sent(); taken != c.sent || early != 0 {
				t.Errorf("%d messages taken, %d refused", taken, early)
			}
		})
	}
}
