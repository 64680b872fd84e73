package serve_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// inGroup is a message of Ana in a group that the number is in.
func inGroup(id, text string) string {
	return strings.Replace(wrote(id, text), `{`, `{"group_id":"Y2FwaV9ncm91cDox",`, 1)
}

func TestWhatIsWrittenInAGroupIsNoWordToTheNumber(t *testing.T) {
	for _, c := range []struct {
		text    string
		stopped bool
	}{
		{"Hi", false}, // the rule's own word
		{"STOP", true},
		{"stop please", true},
		{"Please stop writing to me, thanks a lot", false}, // nobody knows to whom
		{"Stop it, Bob!", false},
		{"when does it stop?", false},
	} {
		t.Run(c.text, func(t *testing.T) {
			h := newHouse(t, hello)
			if code := h.post(envelope("messages", inGroup("wamid.g", c.text))); code != 200 {
				t.Fatalf("status %d", code)
			}
			h.stop()
			if err := h.store.FoldAll(t.Context()); err != nil {
				t.Fatal(err)
			}
			p, err := h.store.Person(t.Context(), "provider.cloud.main", ana)
			if err != nil {
				t.Fatal(err)
			}
			if !p.LastInbound.IsZero() || !p.WindowEnds.IsZero() {
				t.Errorf("a window is open until %v", p.WindowEnds)
			}
			if p.OptedOut != c.stopped {
				t.Errorf("opted out: %v, want %v (%s)", p.OptedOut, c.stopped, p.OptOut)
			}
			if sent := h.sends(); len(sent) != 0 {
				t.Errorf("answered privately: %q", sent)
			}
			kept := 0
			for n, err := range h.store.Notices(t.Context(), time.Time{}) {
				if err != nil {
					t.Fatal(err)
				}
				if kept++; n.Kind != message.EventGroup || !strings.Contains(n.Reason, "in a group") || !strings.Contains(string(n.Raw), "wamid.g") {
					t.Errorf("kept as %+v", n)
				}
			}
			if kept != 1 {
				t.Errorf("%d events are kept, want 1", kept)
			}
		})
	}
}

// A word in a group does not end a pause: START there may be meant for anybody.
func TestAWordInAGroupLiftsNoPause(t *testing.T) {
	h := newHouse(t, hello)
	for _, m := range []string{wrote("wamid.1", "How do I cancel?"), inGroup("wamid.2", "START")} {
		if code := h.post(envelope("messages", m)); code != 200 {
			t.Fatalf("status %d", code)
		}
	}
	h.stop()
	if err := h.store.FoldAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	if p, err := h.store.Person(t.Context(), "provider.cloud.main", ana); err != nil || !p.OptedOut {
		t.Errorf("%v, %+v", err, p)
	}
}

// A message that the business writes in the app from this number opens no
// window, whatever it says.
func TestAnEchoIsNoMessage(t *testing.T) {
	h := newHouse(t, hello)
	body := changes(fmt.Sprintf(`{"field":"smb_message_echoes","value":{"metadata":{"display_phone_number":"1","phone_number_id":%q},"message_echoes":[{"from":"1","to":%q,"id":"wamid.e","timestamp":"1777896000","type":"text","text":{"body":"Hi"}}]}}`, number, ana[1:]))
	if code := h.post(body); code != 200 {
		t.Fatalf("status %d", code)
	}
	h.stop()
	if err := h.store.FoldAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	if p, err := h.store.Person(t.Context(), "provider.cloud.main", ana); err != nil || !p.LastInbound.IsZero() || len(h.sends()) > 0 {
		t.Errorf("%v, %+v, %q", err, p, h.sends())
	}
}

// A notice about the messaging limit is kept for the next plan; a late notice
// does not replace a newer one.
func TestTheMessagingLimitOfANoticeIsKept(t *testing.T) {
	h := newHouse(t, hello)
	for _, c := range []struct {
		tier string
		at   int64
	}{{"TIER_2K", 1777896000}, {"TIER_250", 1777890000}} {
		body := fmt.Sprintf(`{"object":"whatsapp_business_account","entry":[{"id":"7","time":%d,"changes":[{"field":"business_capability_update","value":{"max_daily_conversations_per_business":%q}}]}]}`, c.at, c.tier)
		if code := h.post(body); code != 200 {
			t.Fatalf("status %d", code)
		}
	}
	h.stop()
	snap, err := h.store.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer snap.Close()
	l, ok, err := state.GetMessagingLimit(t.Context(), snap, address)
	if err != nil || !ok || l.People != 2000 || l.Told.Unix() != 1777896000 || l.By != "business_capability_update" {
		t.Errorf("%+v, %v, %v", l, ok, err)
	}
}
