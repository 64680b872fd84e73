package dialog360_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/dialog360"
)

func open(t *testing.T, c dialog360.Config) *dialog360.Provider {
	t.Helper()
	c.APIKey = "key-of-the-test"
	p, err := dialog360.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestPublishedRequests compares with the samples in 360dialog's documentation
// of single and multi product messages.
func TestPublishedRequests(t *testing.T) {
	for _, test := range []struct {
		name string
		m    message.Message
		want string
	}{
		{"one product", &message.Product{CatalogID: "4079", ProductID: "SKU-1", Body: "BODY_TEXT", Footer: "FOOTER_TEXT"},
			`{"messaging_product":"whatsapp","recipient_type":"individual","to":"+4915112345678","type":"interactive","interactive":{
				"type":"product","body":{"text":"BODY_TEXT"},"footer":{"text":"FOOTER_TEXT"},
				"action":{"catalog_id":"4079","product_retailer_id":"SKU-1"}}}`},
		{"two sections of products", &message.ProductList{
			CatalogID: "CATALOG_ID", Header: "HEADER_CONTENT", Body: "BODY_CONTENT", Footer: "FOOTER_CONTENT",
			Sections: []message.ProductSection{{Title: "SECTION_TITLE", Products: []string{"SKU-1", "SKU-2"}}, {Title: "SECTION_TITLE_2", Products: []string{"SKU-3", "SKU-4"}}}},
			`{"messaging_product":"whatsapp","recipient_type":"individual","to":"+4915112345678","type":"interactive","interactive":{
				"type":"product_list","header":{"type":"text","text":"HEADER_CONTENT"},"body":{"text":"BODY_CONTENT"},"footer":{"text":"FOOTER_CONTENT"},
				"action":{"catalog_id":"CATALOG_ID","sections":[
					{"title":"SECTION_TITLE","product_items":[{"product_retailer_id":"SKU-1"},{"product_retailer_id":"SKU-2"}]},
					{"title":"SECTION_TITLE_2","product_items":[{"product_retailer_id":"SKU-3"},{"product_retailer_id":"SKU-4"}]}]}}}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, err := open(t, dialog360.Config{}).Encode(message.Address{Phone: "+4915112345678"}, test.m, "")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(parse(t, test.want), parse(t, string(r.Body))); diff != "" || r.Path != "/messages" {
				t.Errorf("the request differs (-published +ours):\n%s %s", r.Path, diff)
			}
		})
	}
}

func parse(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestAuthenticate(t *testing.T) {
	p := open(t, dialog360.Config{WebhookHeaders: map[string]providers.Secret{"X-Shop-Secret": "header-of-the-test"}})
	h := http.Header{}
	if _, err := p.Authenticate(h, nil); err == nil || strings.Contains(err.Error(), "header-of-the-test") {
		t.Errorf("a webhook without the header: %v", err)
	}
	h.Set("X-Shop-Secret", "header-of-the-test")
	if signed, err := p.Authenticate(h, nil); signed || err != nil {
		t.Errorf("got %v, %v", signed, err)
	}
}

func TestCheck(t *testing.T) {
	for _, test := range []struct {
		name, answer string
		status       int
		want         *providers.Health
		wantErr      string
	}{
		{"available", `{"health_status":{"can_send_message":"AVAILABLE","entities":[{"entity_type":"WABA","can_send_message":"AVAILABLE"}]}}`, 200,
			&providers.Health{Status: "AVAILABLE"}, ""},
		{"with its portfolio", `{"health_status":{"can_send_message":"AVAILABLE","entities":[{"entity_type":"BUSINESS","id":"506914307656634","can_send_message":"AVAILABLE"}]}}`, 200,
			&providers.Health{Status: "AVAILABLE", Portfolio: "506914307656634"}, ""},
		{"with a portfolio that is none", `{"health_status":{"can_send_message":"AVAILABLE","entities":[{"entity_type":"BUSINESS","id":"my shop"}]}}`, 200,
			&providers.Health{Status: "AVAILABLE"}, ""},
		{"limited", `{"health_status":{"can_send_message":"LIMITED","entities":[{"entity_type":"PHONE_NUMBER","can_send_message":"LIMITED"}]}}`, 200,
			&providers.Health{Status: "LIMITED", Findings: []providers.Finding{{Text: "Meta reports LIMITED for PHONE_NUMBER", Advice: "open WhatsApp Manager, Account quality"}}}, ""},
		{"wrong key", `{"error":"Invalid api key key-of-the-test"}`, 401, nil, "refuses the account"},
		{"not JSON", `<html>`, 200, nil, "not documented"},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/health_status" || r.Header.Get("D360-API-KEY") != "key-of-the-test" {
					t.Errorf("asked for %s", r.URL.Path)
				}
				w.WriteHeader(test.status)
				_, _ = w.Write([]byte(test.answer))
			}))
			defer server.Close()
			got, err := open(t, dialog360.Config{BaseURL: server.URL}).Check(t.Context())
			if test.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), test.wantErr) || strings.Contains(err.Error(), "key-of-the-test") {
					t.Errorf("got %v, want %q", err, test.wantErr)
				}
				return
			}
			if diff := cmp.Diff(test.want, got); err != nil || diff != "" {
				t.Errorf("%v %s", err, diff)
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	for want, c := range map[string]dialog360.Config{
		"api_key is missing":               {},
		"api_key holds white space":        {APIKey: "a b"},
		"a name in webhook_headers":        {APIKey: "k", WebhookHeaders: map[string]providers.Secret{"a b": "x"}},
		"the value of X-A is missing":      {APIKey: "k", WebhookHeaders: map[string]providers.Secret{"X-A": ""}},
		"base_url: expected https":         {APIKey: "k", BaseURL: "ftp://waba-v2.360dialog.io"},
		"throughput: expected messages":    {APIKey: "k", Throughput: -1},
		"base_url: expected a URL such as": {APIKey: "k", BaseURL: "waba-v2.360dialog.io"},
	} {
		if _, err := dialog360.New(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
