package sandbox

import (
	"context"
	"errors"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/providers"
)

// MarkRead implements providers.Reader. It fails if the wire format cannot do it.
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

// Account implements providers.TemplateReader: a network has one account.
func (p *Provider) Account() string { return AccountID }

// Templates implements providers.TemplateReader. It fails if the wire format has
// no list.
func (p *Provider) Templates(ctx context.Context) ([]account.Template, error) {
	if p.config.URL == "" {
		return nil, errors.New("a network that is started for one run has no templates: run \"handbill sandbox\" and give its url")
	}
	wire, err := p.connect()
	if err != nil {
		return nil, err
	}
	reader, ok := wire.(providers.TemplateReader)
	if !ok {
		return nil, errors.New("this wire format has no list of templates: write the template's name as a text, which is sent unchecked, and take the data block out")
	}
	return reader.Templates(ctx)
}
