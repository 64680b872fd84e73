package sandbox

import (
	"context"
	"errors"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/providers"
)

const cannotChange = "this wire format has no way to change templates: take wire = \"cloud\", or create the template in the network's script and read it with a data block"

// writer returns the wire format's provider as a TemplateWriter. It is an error if
// templates cannot be changed there.
func (p *Provider) writer() (providers.TemplateWriter, error) {
	if p.config.URL == "" {
		return nil, errors.New("a network that is started for one run keeps no templates: run \"handbill sandbox\" and give its url")
	}
	wire, err := p.connect()
	if err != nil {
		return nil, err
	}
	w, ok := wire.(providers.TemplateWriter)
	if !ok {
		return nil, errors.New(cannotChange)
	}
	return w, nil
}

// Abilities implements providers.TemplateWriter. They are those of the wire
// format.
func (p *Provider) Abilities() account.Abilities {
	w, err := p.writer()
	if err != nil {
		why := err.Error()
		return account.NoAbilities(why)
	}
	return w.Abilities()
}

// CreateTemplate implements providers.TemplateWriter.
func (p *Provider) CreateTemplate(ctx context.Context, s *account.Spec, handle string) providers.TemplateAnswer {
	w, err := p.writer()
	if err != nil {
		return refused(err)
	}
	return w.CreateTemplate(ctx, s, handle)
}

// EditTemplate implements providers.TemplateWriter.
func (p *Provider) EditTemplate(ctx context.Context, id string, s *account.Spec, handle string, recategorize bool) providers.TemplateAnswer {
	w, err := p.writer()
	if err != nil {
		return refused(err)
	}
	return w.EditTemplate(ctx, id, s, handle, recategorize)
}

// DeleteTemplate implements providers.TemplateWriter.
func (p *Provider) DeleteTemplate(ctx context.Context, name, id string) providers.TemplateAnswer {
	w, err := p.writer()
	if err != nil {
		return refused(err)
	}
	return w.DeleteTemplate(ctx, name, id)
}

// ArchiveTemplate implements providers.TemplateWriter.
func (p *Provider) ArchiveTemplate(ctx context.Context, id string) providers.TemplateAnswer {
	w, err := p.writer()
	if err != nil {
		return refused(err)
	}
	return w.ArchiveTemplate(ctx, id)
}

// UploadSample implements providers.TemplateWriter.
func (p *Provider) UploadSample(ctx context.Context, f *account.File, content []byte) (string, error) {
	w, err := p.writer()
	if err != nil {
		return "", err
	}
	return w.UploadSample(ctx, f, content)
}

func refused(err error) providers.TemplateAnswer {
	return providers.TemplateAnswer{Outcome: providers.TemplateRefused, Detail: err.Error()}
}
