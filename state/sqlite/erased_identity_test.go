package sqlite

import (
	"strings"
	"testing"

	"zombiezen.com/go/sqlite"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// A person who was erased stays erased after a change of number or id,
// whichever id was erased.
func TestErasedPeopleStayErasedUnderEveryId(t *testing.T) {
	one, two := message.Address{Phone: phone(1)}, message.Address{UserID: "DE.88120"}
	for name, ev := range map[string]message.Event{
		"the old id was erased": {Kind: message.EventIdentity, ID: "a", From: one, NewAddress: two, At: noon},
		"the new id was erased": {Kind: message.EventIdentity, ID: "b", From: two, NewAddress: one, At: noon},
	} {
		s, _ := create(t)
		if err := s.Erase(t.Context(), one.Key()); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Append(t.Context(), []state.Inbox{{Provider: "provider.cloud.main", Received: noon, Raw: []byte(ev.ID), Events: []message.Event{ev}}}); err != nil {
			t.Fatal(err)
		}
		run := begin(t, s)
		for _, a := range []message.Address{one, two} {
			if v := intend(t, s, run, intent(s, a.Key())); v[0].Gate != delivery.GateOptedOut {
				t.Errorf("%s: somebody erased is sent to: %+v", name, v[0])
			}
		}
		err := s.read(t.Context(), func(c *conn) error {
			for _, q := range []string{"SELECT name FROM names", "SELECT raw FROM notices", "SELECT events FROM inbox"} {
				if err := c.each(q, func(st *sqlite.Stmt) error {
					text := string(columnBlob(st, 0)) + st.ColumnText(0)
					if strings.Contains(text, two.UserID) || strings.Contains(text, strings.TrimPrefix(one.Phone, "+")) {
						t.Errorf("%s: %s has %q", name, q, text)
					}
					return nil
				}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
