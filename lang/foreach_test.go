package lang_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestForEachInJSON checks that for_each may come before what it refers to,
// also in the alphabetical order of names, and that it means the same in JSON
// syntax.
func TestForEachInJSON(t *testing.T) {
	t.Parallel()
	native, diags := loadSource(t, "main.hcl", []byte(`
audience "people" {
  for_each = local.markets
  contact "+4915112345601" { name = each.value.name }
}
provider "sandbox" "main" { for_each = toset(["a"]) }
text_message "hello" {
  for_each = audience.people
  body     = "${each.key} ${recipient.name}"
}
campaign "spring" {
  for_each = local.markets
  provider = provider.sandbox.main["a"]
  audience = audience.people[each.key]
  message  = text_message.hello[each.key]
}
locals { markets = { de = { name = "Ada" }, es = { name = "Bea" } } }
`))
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	json, diags := loadSource(t, "main.hcl.json", []byte(`{
  "audience": {"people": {"for_each": "${local.markets}", "contact": {"+4915112345601": {"name": "${each.value.name}"}}}},
  "provider": {"sandbox": {"main": {"for_each": "${toset([\"a\"])}"}}},
  "text_message": {"hello": {"for_each": "${audience.people}", "body": "${each.key} ${recipient.name}"}},
  "campaign": {"spring": {"for_each": "${local.markets}", "provider": "provider.sandbox.main[\"a\"]",
    "audience": "${audience.people[each.key]}", "message": "${text_message.hello[each.key]}"}},
  "locals": {"markets": {"de": {"name": "Ada"}, "es": {"name": "Bea"}}}
}`))
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	if diff := cmp.Diff(string(resourcesJSON(t, native)), string(resourcesJSON(t, json))); diff != "" {
		t.Errorf("(-native +json):\n%s", diff)
	}
}
