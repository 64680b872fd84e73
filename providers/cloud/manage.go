package cloud

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/metaobject"
)

// Abilities implements providers.TemplateWriter. The Cloud API can make every
// change if waba_id names the account.
func (p *Provider) Abilities() account.Abilities {
	if p.config.WABAID == "" {
		const why = "templates belong to an account, and the number's is not known: declare waba_id in the provider block"
		return account.NoAbilities(why)
	}
	return account.Abilities{}
}

// CreateTemplate implements providers.TemplateWriter.
func (p *Provider) CreateTemplate(ctx context.Context, s *account.Spec, handle string) providers.TemplateAnswer {
	body, err := s.Creation(handle)
	if err != nil {
		return providers.TemplateAnswer{Outcome: providers.TemplateRefused, Detail: err.Error()}
	}
	return p.change(ctx, p.config.WABAID+"/message_templates", body)
}

// EditTemplate implements providers.TemplateWriter.
func (p *Provider) EditTemplate(ctx context.Context, id string, s *account.Spec, handle string, recategorize bool) providers.TemplateAnswer {
	body, err := s.Edit(handle, recategorize)
	if err != nil {
		return providers.TemplateAnswer{Outcome: providers.TemplateRefused, Detail: err.Error()}
	}
	return p.change(ctx, url.PathEscape(id), body)
}

// change posts a change; what it returns holds neither the token nor the secrets.
func (p *Provider) change(ctx context.Context, to string, body []byte, secrets ...string) providers.TemplateAnswer {
	reply, failed := p.client.Post(ctx, p.base+"/"+to, p.header, body)
	return metaobject.TemplateAnswer(reply, failed, append(secrets, string(p.config.AccessToken))...)
}

// DeleteTemplate implements providers.TemplateWriter.
func (p *Provider) DeleteTemplate(ctx context.Context, name, id string) providers.TemplateAnswer {
	query := url.Values{"name": {name}}
	if id != "" {
		query.Set("hsm_id", id)
	}
	reply, failed := p.client.Delete(ctx, p.base+"/"+p.config.WABAID+"/message_templates?"+query.Encode(), p.header)
	return metaobject.TemplateAnswer(reply, failed, string(p.config.AccessToken))
}

// archiveBase is where Meta archives templates: another host than that of all other
// calls, and without a version. Source: Meta, template-archival, 2026-06-02.
const archiveBase = "https://api.facebook.com"

// ArchiveTemplate implements providers.TemplateWriter. An answer names the templates
// that were archived, and why others were not.
func (p *Provider) ArchiveTemplate(ctx context.Context, id string) providers.TemplateAnswer {
	body, err := json.Marshal(map[string][]string{"hsm_ids": {id}})
	if err != nil {
		return providers.TemplateAnswer{Outcome: providers.TemplateRefused, Detail: err.Error()}
	}
	base := archiveBase
	if p.base != defaultBase+"/"+p.config.APIVersion {
		base = strings.TrimSuffix(p.base, "/"+p.config.APIVersion)
	}
	reply, failed := p.client.Post(ctx, base+"/"+p.config.WABAID+"/message_templates/archive", p.header, body)
	answer := metaobject.TemplateAnswer(reply, failed, string(p.config.AccessToken))
	if answer.Outcome != providers.TemplateDone {
		return answer
	}
	var done struct {
		Archived []json.RawMessage          `json:"archived_templates"`
		Failed   map[string]json.RawMessage `json:"failed_templates"`
	}
	if json.Unmarshal(reply.Body, &done) != nil {
		return providers.TemplateAnswer{Detail: "the answer is not one that is documented"}
	}
	if why, refused := done.Failed[id]; refused {
		return providers.TemplateAnswer{Outcome: providers.TemplateRefused, Detail: fmt.Sprintf("the provider says %q", message.SafeText(string(why)))}
	}
	for _, raw := range done.Archived {
		if strings.Trim(string(raw), `"`) == id {
			return answer
		}
	}
	return providers.TemplateAnswer{Detail: "the answer names the template neither as archived nor as refused"}
}

// UploadSample implements providers.TemplateWriter, in the two steps of a
// resumable upload. How long a handle lives is not documented, so it is used at
// once. Source: Meta, resumable upload, 2026-09-11.
func (p *Provider) UploadSample(ctx context.Context, f *account.File, content []byte) (string, error) {
	body, err := p.get(ctx, "app", url.Values{"fields": {"id"}})
	if err != nil {
		return "", err
	}
	app, err := member(body, "id")
	if err != nil {
		return "", err
	}
	query := url.Values{"file_name": {path.Base(f.Path)}, "file_length": {strconv.Itoa(len(content))}, "file_type": {f.Type}}
	started, err := p.upload(ctx, url.PathEscape(app)+"/uploads?"+query.Encode(), p.header, nil)
	if err != nil {
		return "", err
	}
	session, err := member(started, "id")
	if err != nil {
		return "", err
	}
	// Only this step wants the scheme OAuth in place of Bearer.
	header := http.Header{"Authorization": {"OAuth " + string(p.config.AccessToken)}, "File_offset": {"0"}}
	done, err := p.upload(ctx, session, header, content)
	if err != nil {
		return "", err
	}
	return member(done, "h")
}

func (p *Provider) upload(ctx context.Context, to string, as http.Header, content []byte) ([]byte, error) {
	reply, failed := p.client.Post(ctx, p.base+"/"+to, as, content)
	if a := metaobject.TemplateAnswer(reply, failed, string(p.config.AccessToken)); a.Outcome != providers.TemplateDone {
		return nil, errors.New(a.Detail)
	}
	return reply.Body, nil
}

// member returns a string member of a JSON object.
func member(body []byte, name string) (string, error) {
	var all map[string]json.RawMessage
	var text string
	if json.Unmarshal(body, &all) != nil || json.Unmarshal(all[name], &text) != nil || text == "" {
		return "", errors.New("the answer to an upload is not of the documented form")
	}
	return text, nil
}
