package cloud

import (
	"context"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers/metaobject"
)

// Send posts r once.
func (p *Provider) Send(ctx context.Context, r message.Request) message.Answer {
	reply, failed := p.client.Post(ctx, p.base+"/"+p.config.PhoneNumberID+r.Path, p.header, r.Body)
	if failed != nil {
		return *failed
	}
	return metaobject.Answer(reply, r.Body, string(p.config.AccessToken))
}

// Distrust uses new connections from now on; see wire.Client.
func (p *Provider) Distrust() { p.client.Distrust() }
