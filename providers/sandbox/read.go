package sandbox

import (
	"context"
	"errors"

	"github.com/handbill/handbill/providers"
)

// MarkRead implements providers.Reader, where the wire format has a way.
func (p *Provider) MarkRead(ctx context.Context, messageID string, typing bool) error {
	wire, err := p.connect()
	if err != nil {
		return err
	}
	reader, ok := wire.(providers.Reader)
	if !ok {
		return errors.New("this wire format has no way to mark a message as read")
	}
	return reader.MarkRead(ctx, messageID, typing)
}
