package metaobject

import (
	"errors"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/wire"
)

// ReadRequest returns the body that marks a person's message as read. With typing
// it also shows that an answer is being written, for at most 25 seconds or until
// the answer comes.
// Source: Meta, messages/mark-message-as-read and typing-indicators, 2026-09-11.
func ReadRequest(messageID string, typing bool) []byte {
	w := &writer{}
	w.Open('{')
	w.Field("messaging_product", "whatsapp")
	w.Field("status", "read")
	w.Field("message_id", messageID)
	if typing {
		w.Begin("typing_indicator", '{')
		w.Field("type", "text")
		w.Close('}')
	}
	w.Close('}')
	return w.Bytes()
}

// ReadError returns why such a request failed, or nil if it succeeded.
func ReadError(r wire.Reply, failed *message.Answer, request []byte, secret providers.Secret) error {
	switch {
	case failed != nil:
		return errors.New(failed.Title)
	case r.Status >= 200 && r.Status < 300:
		return nil
	}
	a := wire.ByStatus(r)
	if e, ok := DecodeError(r.Body); ok {
		a = ByCode(e, r.Status, request, string(secret))
	}
	return errors.New(a.Code + " " + a.Title)
}
