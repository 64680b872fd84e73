package dialog360

import (
	"context"

	"github.com/handbill/handbill/providers/metaobject"
)

// MarkRead implements providers.Reader.
func (p *Provider) MarkRead(ctx context.Context, messageID string, typing bool) error {
	body := metaobject.ReadRequest(messageID, typing)
	reply, failed := p.client.Post(ctx, p.base+"/messages", p.header, body)
	return metaobject.ReadError(reply, failed, body, p.config.APIKey)
}
