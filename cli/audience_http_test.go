package cli_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestContactsOfAService plans with contacts that a web service answers in pages, once
// the operator has allowed its address.
func TestContactsOfAService(t *testing.T) {
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch {
		case r.Header.Get("Authorization") != "Bearer s3cret-token":
			w.WriteHeader(http.StatusUnauthorized)
		case r.URL.Query().Get("page") == "2":
			fmt.Fprint(w, `{"contacts": [{"phone": "+4915112345673", "name": null}], "paging": {}}`)
		default:
			fmt.Fprint(w, `{"contacts": [{"phone": "+4915112345671", "name": "Ann"}, {"phone": "+4915112345672", "name": "Bob"}], "paging": {"next": "/people?page=2"}}`)
		}
	}))
	defer service.Close()
	d := newDesk(t)
	d.env = append(d.env, "CRM_TOKEN=s3cret-token", "CRM="+service.URL)
	configuration := `provider "sandbox" "main" {}

audience "customers" {
  source "http" {
    url     = "${env("CRM")}/people"
    headers = { Authorization = "Bearer ${env("CRM_TOKEN")}" }
    records = "contacts"
    next    = NEXT
  }
  attributes = { name = coalesce(row.name, "there") }
}

text_message "hi" { body = "Hello ${recipient.name}" }

campaign "spring" {
  provider = provider.sandbox.main
  audience = audience.customers
  message  = text_message.hi
  window   = "assume_open"
}
`
	host := "-allow-host=" + service.Listener.Addr().String()
	d.write("main.hcl", strings.Replace(configuration, "NEXT", "try(response.json.paging.next, null)", 1))
	d.must(1, "plan")
	out := d.stderr.String()
	if !strings.Contains(out, "only https is allowed; allow a host with") {
		t.Errorf("without the flag: %s", out)
	}
	out = d.must(0, "plan", host)
	for _, want := range []string{"3 recipients; read as UTF-8; read from 2 pages", "3 messages to send", "Hello A•••"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in: %s", want, out)
		}
	}
	for _, secret := range []string{"s3cret-token", service.URL} {
		if strings.Contains(out+d.stderr.String(), secret) {
			t.Errorf("%q is in: %s", secret, out)
		}
	}
	d.write("main.hcl", strings.Replace(configuration, "NEXT", "response.json.paging.next", 1))
	d.must(1, "plan", host)
	if out = d.stderr.String(); !strings.Contains(out, "response (page 2): next has no result for this page") {
		t.Errorf("a page without the key: %s", out)
	}
}
