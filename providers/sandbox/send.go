package sandbox

import (
	"context"

	"github.com/handbill/handbill/message"
)

// Send posts r once, to the simulated network.
func (p *Provider) Send(ctx context.Context, r message.Request) message.Answer {
	wire, err := p.connect()
	if err != nil {
		return message.Answer{Class: message.NotSent, Title: "the sandbox could not be started", Advice: err.Error()}
	}
	return wire.Send(ctx, r)
}
