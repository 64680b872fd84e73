package sandbox

import (
	"context"
	"errors"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/providers"
)

// catalogs returns the wire format's provider as a CatalogWriter. It is an error if
// catalogs can't be changed there.
func (p *Provider) catalogs() (providers.CatalogWriter, error) {
	if p.config.URL == "" {
		return nil, errors.New("a network that is started for one run keeps no catalogs: run \"handbill sandbox\" and give its url")
	}
	wire, err := p.connect()
	if err != nil {
		return nil, err
	}
	w, ok := wire.(providers.CatalogWriter)
	if !ok {
		return nil, errors.New("this wire format has no way to change catalogs: take wire = \"cloud\"")
	}
	return w, nil
}

// CatalogAbility implements providers.CatalogWriter.
func (p *Provider) CatalogAbility() string {
	w, err := p.catalogs()
	if err != nil {
		return err.Error()
	}
	return w.CatalogAbility()
}

// Catalog implements providers.CatalogWriter.
func (p *Provider) Catalog(ctx context.Context, id string) (account.Catalog, error) {
	w, err := p.catalogs()
	if err != nil {
		return account.Catalog{}, err
	}
	return w.Catalog(ctx, id)
}

// EachProduct implements providers.CatalogWriter.
func (p *Provider) EachProduct(ctx context.Context, catalog string, each func(*account.Product) error) error {
	w, err := p.catalogs()
	if err != nil {
		return err
	}
	return w.EachProduct(ctx, catalog, each)
}

// PostProducts implements providers.CatalogWriter.
func (p *Provider) PostProducts(ctx context.Context, catalog string, batch []byte) providers.BatchAnswer {
	w, err := p.catalogs()
	if err != nil {
		return providers.BatchAnswer{Outcome: providers.BatchRefused, Detail: err.Error()}
	}
	return w.PostProducts(ctx, catalog, batch)
}

// ProductBatch implements providers.CatalogWriter.
func (p *Provider) ProductBatch(ctx context.Context, catalog, handle string) (providers.BatchStatus, error) {
	w, err := p.catalogs()
	if err != nil {
		return providers.BatchStatus{}, err
	}
	return w.ProductBatch(ctx, catalog, handle)
}

// CatalogLink implements providers.CatalogWriter.
func (p *Provider) CatalogLink(ctx context.Context, catalog string) (account.CatalogLink, error) {
	w, err := p.catalogs()
	if err != nil {
		return account.LinkUnknown, err
	}
	return w.CatalogLink(ctx, catalog)
}
