package cloud

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/metaobject"
	"github.com/handbill/handbill/providers/wire"
)

// CatalogAbility implements providers.CatalogWriter. The Cloud API takes catalogs of
// every token with the permission catalog_management, whatever its number is.
func (p *Provider) CatalogAbility() string { return "" }

// Catalog implements providers.CatalogWriter.
func (p *Provider) Catalog(ctx context.Context, id string) (account.Catalog, error) {
	var c struct {
		ID    string `json:"id"`
		Name  string `json:"name"`
		Feeds int    `json:"feed_count"`
	}
	body, err := p.get(ctx, url.PathEscape(id), url.Values{"fields": {"id,name,feed_count"}})
	if err != nil {
		return account.Catalog{}, catalogError(err)
	}
	if json.Unmarshal(body, &c) != nil || c.ID != id {
		return account.Catalog{}, errors.New("the answer is not JSON of the documented form")
	}
	return account.Catalog{ID: c.ID, Name: c.Name, Feeds: c.Feeds}, nil
}

// catalogError adds what is to be done about a catalog that the token can't see: Meta
// answers in the same way for one that is not there.
func catalogError(err error) error {
	if errors.Is(err, errNotOffered) {
		return fmt.Errorf("%w. Compare the catalog's id, and give the token's system user the catalog and the permission catalog_management", err)
	}
	return err
}

// productFields are what is read of a product. Its price is a text for people.
// Source: Meta, product item, 2026-08-19.
const productFields = "id,retailer_id,name,description,price,currency,availability,condition,image_url,url,brand,visibility,review_status"

const (
	firstProductPage = 250
	// maxProducts stops a list that never ends.
	maxProducts = 5_000_000
)

// EachProduct implements providers.CatalogWriter. A page that is too large is asked for
// again with half as many products.
func (p *Provider) EachProduct(ctx context.Context, catalog string, each func(*account.Product) error) error {
	seen, after, limit := map[string]bool{}, "", firstProductPage
	for n := 0; ; {
		query := url.Values{"fields": {productFields}, "limit": {strconv.Itoa(limit)}}
		if after != "" {
			query.Set("after", after)
		}
		page, next, large, err := p.productPage(ctx, catalog, query)
		switch {
		case large && limit > 1:
			limit /= 2
			continue
		case err != nil:
			return fmt.Errorf("the products after the first %d: %w", n, err)
		}
		for i := range page {
			if err := each(&page[i]); err != nil {
				return err
			}
		}
		n += len(page)
		switch {
		case next == "":
			return nil
		case seen[next] || n > maxProducts:
			return errors.New("the list of the catalog's products does not end")
		}
		seen[next], after = true, next
	}
}

// productPage reads one page; next is the cursor of the following one, "" at the end.
// large says that the page is too large.
func (p *Provider) productPage(ctx context.Context, catalog string, query url.Values) (page []account.Product, next string, large bool, err error) {
	reply, err := p.client.Get(ctx, p.base+"/"+url.PathEscape(catalog)+"/products?"+query.Encode(), p.header)
	if err != nil {
		return nil, "", len(reply.Body) > wire.MaxReply, err
	}
	if reply.Status != 200 {
		e, told := metaobject.DecodeError(reply.Body)
		return nil, "", told && e.Code == 1, catalogError(p.refusal(&reply))
	}
	page, next, err = decodeProducts(reply.Body)
	return page, next, false, err
}

func decodeProducts(body []byte) (page []account.Product, next string, err error) {
	var list struct {
		Data *[]struct {
			RetailerID   string `json:"retailer_id"`
			Name         string `json:"name"`
			Description  string `json:"description"`
			Price        string `json:"price"`
			Currency     string `json:"currency"`
			Availability string `json:"availability"`
			Condition    string `json:"condition"`
			ImageURL     string `json:"image_url"`
			URL          string `json:"url"`
			Brand        string `json:"brand"`
			Visibility   string `json:"visibility"`
			Review       string `json:"review_status"`
		} `json:"data"`
		Paging paging `json:"paging"`
	}
	if json.Unmarshal(body, &list) != nil || list.Data == nil {
		return nil, "", errors.New("the answer is not JSON of the documented form")
	}
	for _, d := range *list.Data {
		if d.RetailerID == "" {
			return nil, "", errors.New("a product has no retailer_id")
		}
		page = append(page, account.Product{ID: d.RetailerID, Title: d.Name, Description: d.Description, Price: d.Price, Availability: d.Availability, Condition: d.Condition,
			ImageLink: d.ImageURL, Link: d.URL, Brand: d.Brand, Visibility: d.Visibility, Review: d.Review}.Told(d.Currency))
	}
	if next, err = list.Paging.next(); err != nil {
		return nil, "", err
	}
	return page, next, nil
}

// PostProducts implements providers.CatalogWriter.
func (p *Provider) PostProducts(ctx context.Context, catalog string, batch []byte) providers.BatchAnswer {
	reply, failed := p.client.Post(ctx, p.base+"/"+url.PathEscape(catalog)+"/items_batch", p.header, batch)
	return metaobject.BatchAnswer(reply, failed, string(p.config.AccessToken))
}

// ProductBatch implements providers.CatalogWriter.
func (p *Provider) ProductBatch(ctx context.Context, catalog, handle string) (providers.BatchStatus, error) {
	body, err := p.get(ctx, url.PathEscape(catalog)+"/check_batch_request_status", url.Values{"handle": {handle}, "load_ids_of_invalid_requests": {"true"},
		"fields": {"handle,status,errors_total_count,errors,ids_of_invalid_requests"}})
	if err != nil {
		return providers.BatchStatus{}, err
	}
	return metaobject.BatchStatus(body)
}

// CatalogLink implements providers.CatalogWriter. For numbers that the business app
// uses, too, Meta refuses to tell (code 10).
// Source: Meta, product catalogs of an account; answers as quoted, 2026-08-01.
func (p *Provider) CatalogLink(ctx context.Context, catalog string) (account.CatalogLink, error) {
	if p.config.WABAID == "" {
		return account.LinkUnknown, errors.New("the number's account is not known: declare waba_id in the provider block")
	}
	body, err := p.get(ctx, p.config.WABAID+"/product_catalogs", url.Values{"fields": {"id"}})
	if err != nil {
		return account.LinkUnknown, err
	}
	var list struct {
		Data *[]struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	if json.Unmarshal(body, &list) != nil || list.Data == nil {
		return account.LinkUnknown, errors.New("the answer is not JSON of the documented form")
	}
	for _, c := range *list.Data {
		if c.ID == catalog {
			return account.Linked, nil
		}
	}
	return account.LinkedOther, nil
}
