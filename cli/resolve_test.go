package cli_test

import (
	"crypto/rand"
	"path/filepath"
	"testing"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/state/sqlite"
)

// A webhook that shows that a doubtful message was taken may wait to be joined
// when somebody settles the message as not sent. It is joined first, so the
// message is not sent a second time.
func TestResolveJoinsWhatWaitsFirst(t *testing.T) {
	for _, c := range []struct {
		name   string
		waits  bool
		code   int // exit code of resolve
		second int // messages that the next apply sends
	}{
		{"a status with our reference waits", true, 1, 4},
		{"nothing waits", false, 0, 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, n := springDesk(t)
			ref := doubt(t, d, "+4915112345671")
			if c.waits {
				putInbox(t, d, message.Event{Kind: message.EventStatus, ID: "wamid.taken", Ref: ref, Rank: message.RankDelivered, At: d.now(),
					From: message.Address{Phone: "+4915112345671"}})
			}
			d.must(c.code, "resolve", "-as=not-sent", "campaign.spring")
			d.must(0, "apply", "-auto-approve")
			if n.count() != c.second {
				t.Errorf("%d messages were sent, want %d", n.count(), c.second)
			}
		})
	}
}

func openForTest(t *testing.T, d *desk) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(d.dir, "handbill.state"), Clock: d.now, Rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// doubt leaves a message of campaign.spring in doubt, as a killed apply does, and
// returns its reference.
func doubt(t *testing.T, d *desk, to string) string {
	t.Helper()
	s := openForTest(t, d)
	meta, err := s.Meta(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	run, err := s.Begin(t.Context(), state.Run{Lanes: []state.Lane{{Number: "provider.sandbox.main"}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	k := state.Key{Campaign: "campaign.spring", Recipient: to, Revision: 1}
	ref := message.NewRef(meta.Lineage, k.Campaign, k.Recipient, 1, 1)
	v, err := s.Intend(t.Context(), run.Lanes[0], []state.Intent{{Key: k, To: message.Address{Phone: to}, Attempt: 1, Ref: ref, Message: "list_message.browse"}})
	if err != nil || v[0].Attempt == 0 {
		t.Fatal(v, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return ref
}

func putInbox(t *testing.T, d *desk, ev message.Event) {
	t.Helper()
	s := openForTest(t, d)
	if _, err := s.Append(t.Context(), []state.Inbox{{Provider: "provider.sandbox.main", Received: d.now(), Raw: []byte("x"), Events: []message.Event{ev}}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
