package cloud

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"

	"github.com/handbill/handbill/account"
)

// templateFields are the fields that handbill uses. Meta answers half of them only
// when asked.
const templateFields = "id,name,language,status,category,previous_category,correct_category,sub_category,quality_score,rejected_reason,parameter_format,message_send_ttl_seconds,last_updated_time,components"

const (
	// templatePage is the page size: even a page of the largest carousels stays
	// below the client's size limit.
	templatePage = 100
	// maxTemplatePages stops a list that never ends. An account has at most 6,000
	// templates (Meta, template-management, 2026-09-11).
	maxTemplatePages = 100
)

// Account implements providers.TemplateReader: it is waba_id.
func (p *Provider) Account() string { return p.config.WABAID }

// Templates implements providers.TemplateReader. It builds each page's URL from
// Meta's cursor: the URLs in Meta's answers hold the token.
// Source: Meta, reference of the template API, 2026-09-11.
func (p *Provider) Templates(ctx context.Context) ([]account.Template, error) {
	if p.config.WABAID == "" {
		return nil, errors.New("templates belong to an account, and the number's is not known: declare waba_id in the provider block")
	}
	var pages [][]account.Template
	seen := map[string]bool{}
	for after := ""; ; {
		query := url.Values{"fields": {templateFields}, "limit": {strconv.Itoa(templatePage)}}
		if after != "" {
			query.Set("after", after)
		}
		body, err := p.get(ctx, p.config.WABAID+"/message_templates", query)
		if err != nil {
			return nil, fmt.Errorf("page %d of the account's templates: %w", len(pages)+1, err)
		}
		page, next, err := decodeTemplates(body)
		if err != nil {
			return nil, fmt.Errorf("page %d of the account's templates: %w", len(pages)+1, err)
		}
		pages = append(pages, page)
		switch {
		case next == "":
			return account.Join(pages)
		case seen[next] || len(pages) == maxTemplatePages:
			return nil, errors.New("the list of the account's templates does not end")
		}
		seen[next], after = true, next
	}
}

// decodeTemplates reads a page; next is the cursor of the following page, "" at
// the end.
func decodeTemplates(body []byte) (page []account.Template, next string, err error) {
	var list struct {
		Data   *[]json.RawMessage `json:"data"`
		Paging paging             `json:"paging"`
	}
	if json.Unmarshal(body, &list) != nil || list.Data == nil {
		return nil, "", errors.New("the answer is not JSON of the documented form")
	}
	for _, raw := range *list.Data {
		t, err := account.Decode(raw)
		if err != nil {
			return nil, "", err
		}
		page = append(page, t)
	}
	if next, err = list.Paging.next(); err != nil {
		return nil, "", err
	}
	return page, next, nil
}
