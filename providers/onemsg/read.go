package onemsg

import (
	"context"
	"errors"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers/metaobject"
)

// MarkRead implements providers.Reader. 1msg has no way to show that an answer
// is being written, so typing marks the message as read and nothing more.
// Source: 1msg, OpenAPI 2.39, readMessage, 2026-11-20.
func (p *Provider) MarkRead(ctx context.Context, messageID string, _ bool) error {
	w := &writer{}
	w.Open('{')
	w.Field("messageId", messageID)
	w.Close('}')
	reply, failed := p.client.Post(ctx, p.base+"/readMessage", p.header, w.Bytes())
	if failed == nil && reply.Status < 300 {
		if a := p.answer(reply, w.Bytes()); a.Class != message.Unknown { // a 200 that says why not
			return errors.New(a.Title)
		}
	}
	return metaobject.ReadError(reply, failed, w.Bytes(), p.config.Token)
}
