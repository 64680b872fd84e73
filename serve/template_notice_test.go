package serve_test

import (
	"testing"
	"time"

	"github.com/handbill/handbill/sandbox"
	"github.com/handbill/handbill/state"
)

// TestNoticesAboutTemplatesReachTheState checks that what the network's review decides
// about templates, and what somebody clicks on its page, is durable when the network
// gets its answer, and is in the state when serve has ended.
func TestNoticesAboutTemplatesReachTheState(t *testing.T) {
	h := newHouse(t, hello)
	now := time.Now().Add(-time.Hour).Truncate(time.Second)
	spring := sandbox.TemplateMatch{Name: "spring"}
	net := sandbox.New(sandbox.Options{Clock: func() time.Time { return now }, Webhooks: []sandbox.WebhookTarget{{Provider: sandbox.Cloud, URL: h.hook(), AppSecret: secret}},
		Script: &sandbox.Script{
			Templates: []sandbox.Template{{Name: "spring", Language: "en_US", Status: "PENDING", Category: "UTILITY"}, {Name: "news", Language: "de", Status: "PENDING"}},
			Review: []sandbox.Review{{Match: spring, Outcome: "approve", After: sandbox.Duration(time.Minute)},
				{Match: spring, Outcome: "recategorize", To: "marketing", After: sandbox.Duration(2 * time.Minute)},
				{Match: sandbox.TemplateMatch{Name: "news"}, Outcome: "reject", Reason: "promotional"}},
		}})
	posted := net.Tick(t.Context())
	now = now.Add(5 * time.Minute)
	posted += net.Tick(t.Context())
	now = now.Add(time.Minute)
	if err := net.PutTemplate(sandbox.Template{Name: "spring", Language: "en_US", Status: "PAUSED", Quality: "RED"}); err != nil {
		t.Fatal(err)
	}
	if posted += net.Tick(t.Context()); posted != 5 {
		t.Errorf("%d webhooks, want 5", posted)
	}
	h.stop()
	list, err := state.ToldTemplates(t.Context(), h.store)
	if err != nil || len(list) != 2 {
		t.Fatalf("%+v, %v", list, err)
	}
	if n := list[0]; n.Name != "news" || n.Status.Word != "REJECTED" || n.Status.Reason != "PROMOTIONAL" || n.Account != sandbox.AccountID {
		t.Errorf("%+v", n)
	}
	paused := state.ToldWord{Word: "PAUSED", At: now.UTC()}
	if s := list[1]; s.Name != "spring" || s.Language != "en_US" || s.ID == "" || s.Status != paused || s.Category.Word != "marketing" || s.Quality.Word != "RED" {
		t.Errorf("%+v", s)
	}
}
