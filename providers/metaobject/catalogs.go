package metaobject

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/wire"
)

// BatchAnswer returns what a reply to a batch of products means. A batch without a
// handle was not taken, although the reply is a success. The result holds none of the
// secrets.
// Source: Meta, catalog batch API; answers as developers quote them, 2026-08-19.
func BatchAnswer(r wire.Reply, failed *message.Answer, secrets ...string) providers.BatchAnswer {
	var body struct {
		Handles    *[]string `json:"handles"`
		Validation []struct {
			RetailerID string           `json:"retailer_id"`
			Errors     []batchViolation `json:"errors"`
		} `json:"validation_status"`
	}
	change := TemplateAnswer(r, failed, secrets...)
	switch change.Outcome {
	case providers.TemplateBusy:
		return providers.BatchAnswer{Outcome: providers.BatchBusy, Code: change.Code, Detail: change.Detail, Wait: change.Wait}
	case providers.TemplateUnknown:
		return providers.BatchAnswer{Code: change.Code, Detail: change.Detail}
	case providers.TemplateDone:
	default:
		return providers.BatchAnswer{Outcome: providers.BatchRefused, Code: change.Code, Detail: change.Detail}
	}
	if json.Unmarshal(r.Body, &body) != nil || body.Handles == nil {
		return providers.BatchAnswer{Detail: "the answer is not one that is documented"}
	}
	out := providers.BatchAnswer{Outcome: providers.BatchTaken, Invalid: map[string]string{}}
	for _, v := range body.Validation {
		if len(v.Errors) > 0 {
			out.Invalid[v.RetailerID] = v.Errors[0].quoted(secrets)
		}
	}
	if len(*body.Handles) > 0 {
		out.Handle = (*body.Handles)[0]
	}
	if out.Handle == "" {
		out.Outcome, out.Detail = providers.BatchRefused, "the catalog took nothing: its answer has no handle"
	}
	return out
}

type batchViolation struct {
	ID      flexText `json:"id"`
	Message string   `json:"message"`
}

// quoted is the provider's own text, in quotes.
func (v *batchViolation) quoted(secrets []string) string {
	return (&templateError{Message: v.Message}).words(secrets)
}

// flexText is a text, or a number that is taken for one.
type flexText string

// UnmarshalJSON takes a string or a number.
func (t *flexText) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) == nil {
		*t = flexText(s)
		return nil
	}
	var n json.Number
	if err := json.Unmarshal(b, &n); err != nil {
		return err
	}
	*t = flexText(n)
	return nil
}

// BatchStatus reads how far a batch is. Meta publishes no list of its words: what
// tells of an end is final, and all else goes on.
// Source: Meta, catalog batch API, 2026-08-19.
func BatchStatus(body []byte) (providers.BatchStatus, error) {
	var list struct {
		Data []struct {
			Status  string           `json:"status"`
			Total   int              `json:"errors_total_count"`
			Errors  []batchViolation `json:"errors"`
			Invalid []flexText       `json:"ids_of_invalid_requests"`
		} `json:"data"`
	}
	if json.Unmarshal(body, &list) != nil || len(list.Data) != 1 {
		return providers.BatchStatus{}, errors.New("the answer about a batch is not JSON of the documented form")
	}
	d := &list.Data[0]
	word := strings.ToLower(d.Status)
	out := providers.BatchStatus{Status: message.SafeText(d.Status), Invalid: map[string]string{}}
	out.Failed = strings.Contains(word, "error") || strings.Contains(word, "cancel") || strings.Contains(word, "fail")
	out.Final = out.Failed || word == "finished"
	for _, id := range d.Invalid {
		out.Invalid[string(id)] = ""
	}
	for i := range d.Errors { // samples
		out.Invalid[string(d.Errors[i].ID)] = d.Errors[i].quoted(nil)
	}
	if d.Total > len(out.Invalid) {
		out.Status += ", " + strconv.Itoa(d.Total) + " errors"
	}
	return out, nil
}
