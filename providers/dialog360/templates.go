package dialog360

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/providers/metaobject"
	"github.com/handbill/handbill/providers/wire"
)

const (
	templatePage = 100
	// maxTemplatePages stops a list that never ends. An account has at most 6,000
	// templates (Meta, template-management, 2026-09-11).
	maxTemplatePages = 100
)

// Account implements providers.TemplateReader. The account of an API key is not
// known.
func (p *Provider) Account() string { return "" }

// Templates implements providers.TemplateReader.
// Source: docs.360dialog.com, messaging API, configs/templates, 2026-11-20.
func (p *Provider) Templates(ctx context.Context) ([]account.Template, error) {
	var pages [][]account.Template
	for got := 0; len(pages) < maxTemplatePages; {
		query := url.Values{"limit": {strconv.Itoa(templatePage)}, "offset": {strconv.Itoa(got)}}
		reply, err := p.client.Get(ctx, p.base+"/v1/configs/templates?"+query.Encode(), p.header)
		if err != nil {
			return nil, fmt.Errorf("page %d of the account's templates: %w", len(pages)+1, err)
		}
		page, total, err := p.templatePage(reply)
		if err != nil {
			return nil, fmt.Errorf("page %d of the account's templates: %w", len(pages)+1, err)
		}
		pages = append(pages, page)
		switch got += len(page); {
		case got >= total:
			return whole(pages, total)
		case len(page) == 0:
			return nil, fmt.Errorf("page %d of the account's templates is empty, and %d of %d were told", len(pages), got, total)
		}
	}
	return nil, errors.New("the list of the account's templates does not end")
}

// whole joins the pages. If a template was listed twice and another one skipped,
// the number of templates is below total, which is an error.
func whole(pages [][]account.Template, total int) ([]account.Template, error) {
	list, err := account.Join(pages)
	if err == nil && len(list) < total {
		err = fmt.Errorf("the account's list of templates told %d of %d: it changed while it was read. Run the command again", len(list), total)
	}
	if err != nil {
		return nil, err
	}
	return list, nil
}

func (p *Provider) templatePage(reply wire.Reply) ([]account.Template, int, error) {
	if reply.Status != 200 {
		if a, ok := gateway(reply); ok {
			return nil, 0, errors.New("360dialog: " + a.Title)
		}
		return nil, 0, errors.New("360dialog: " + metaobject.Answer(reply, nil, string(p.config.APIKey)).Title)
	}
	return decodeTemplates(reply.Body)
}

// decodeTemplates reads a page, and how many templates there are in all.
func decodeTemplates(body []byte) (page []account.Template, total int, err error) {
	var list struct {
		Templates *[]json.RawMessage `json:"waba_templates"`
		Total     *int               `json:"total"`
	}
	if json.Unmarshal(body, &list) != nil || list.Templates == nil || list.Total == nil {
		return nil, 0, errors.New("360dialog answers in a form that is not documented")
	}
	for _, raw := range *list.Templates {
		t, err := account.Decode(raw)
		if err != nil {
			return nil, 0, err
		}
		page = append(page, t)
	}
	return page, *list.Total, nil
}
