package onemsg

import (
	"testing"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers/wire"
)

// TestRecipientOfAnAnswer checks that the number that 1msg reports as the
// recipient is read, so that an answer to another message is noticed.
func TestRecipientOfAnAnswer(t *testing.T) {
	for words, want := range map[string]string{
		"Sent to 12025550123@c.us":              "+12025550123",
		"Sent to US.1349@lid":                   "",
		"Sent to 12025550123-1406@g.us":         "",
		"Message was Sent to 12025550123@c.us":  "",
		"Sent to 12025550123@c.us and somebody": "",
		"":                                      "",
	} {
		p := &Provider{}
		a := p.answer(wire.Reply{Status: 200, Body: []byte(`{"sent":true,"id":"wamid.1","message":"` + words + `"}`)}, nil)
		if a.Class != message.Accepted || a.Recipient != want {
			t.Errorf("%q: %s to %q", words, a.Class, a.Recipient)
		}
	}
}
