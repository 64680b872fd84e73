package sandbox

import (
	"context"
	"fmt"
	"net/url"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/metaobject"
	network "github.com/handbill/handbill/sandbox"
)

// Poll asks the network what became of a message. It uses the wire format's own
// call if there is one; for 360dialog it uses the Cloud API's history, since both
// share the network's ids. Kaleyra's own ids can't be polled.
func (p *Provider) Poll(ctx context.Context, messageID string) ([]message.Event, error) {
	wire, err := p.connect()
	if err != nil {
		return nil, err
	}
	if poller, ok := wire.(providers.Poller); ok {
		return poller.Poll(ctx, messageID)
	}
	if p.wire == network.Kaleyra {
		return nil, nil
	}
	return p.history(ctx, messageID)
}

func (p *Provider) history(ctx context.Context, messageID string) ([]message.Event, error) {
	address := p.base + network.BasePath(network.Cloud) + "/v26.0/1/message_history?" + url.Values{"message_id": {messageID}}.Encode()
	reply, err := p.config.Client.Get(ctx, address, providers.Header("Authorization", "Bearer sandbox"))
	if err != nil {
		return nil, err
	}
	if reply.Status != 200 {
		return nil, fmt.Errorf("the sandbox answers HTTP %d to a poll", reply.Status)
	}
	return metaobject.DecodeHistory(reply.Body, messageID)
}

// Check reads what the simulated number reports.
func (p *Provider) Check(ctx context.Context) (*providers.Health, error) {
	wire, err := p.connect()
	if err != nil {
		return nil, err
	}
	checker, ok := wire.(providers.Checker)
	if !ok {
		return &providers.Health{Status: "simulated"}, nil
	}
	return checker.Check(ctx)
}
