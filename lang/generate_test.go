package lang_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/lang"
)

// toldTemplate draws one language of a template as an account may report it,
// including parts that a block can express and parts that it can't.
func toldTemplate(t *rapid.T, name, language, category string) account.Template {
	text := rapid.SampledFrom([]string{"Hello ${x} %{y}", "Guten \"Tag\"", "a\nb", "\\n back", "ünï 🎉 code", "{{ open", "#{z}", "<<EOT"})
	named := rapid.Bool().Draw(t, "named")
	variable := func(i int) string {
		if named {
			return "{{" + string(rune('a'+i)) + "_name}}"
		}
		return fmt.Sprintf("{{%d}}", i+1)
	}
	var parts []any
	body := text.Draw(t, "body")
	row, params := []string{}, []any{}
	for i := range rapid.IntRange(0, 3).Draw(t, "variables") {
		body += " " + variable(i) + " " + text.Draw(t, "text")
		row, params = append(row, "s"+body), append(params, map[string]string{"param_name": strings.Trim(variable(i), "{}"), "example": "s" + body})
	}
	part := map[string]any{"type": "BODY", "text": body}
	if rapid.Bool().Draw(t, "samples") && len(row) > 0 {
		part["example"] = map[string]any{"body_text": [][]string{row}}
		if named {
			part["example"] = map[string]any{"body_text_named_params": params}
		}
	}
	if category == "AUTHENTICATION" {
		part["add_security_recommendation"] = true
	}
	switch rapid.IntRange(0, 5).Draw(t, "header") {
	case 1:
		parts = append(parts, map[string]any{"type": "HEADER", "format": "TEXT", "text": "A header"})
	case 2:
		parts = append(parts, map[string]any{"type": "HEADER", "format": "TEXT", "text": "For " + map[bool]string{true: "{{city}}", false: "{{1}}"}[named]})
	case 3:
		parts = append(parts, map[string]any{"type": "HEADER", "format": "IMAGE", "example": map[string]any{"header_handle": []string{"https://cdn.example.com/x"}}})
	case 4:
		parts = append(parts, map[string]any{"type": "HEADER", "format": "LOCATION"})
	}
	parts = append(parts, part)
	if rapid.Bool().Draw(t, "footer") {
		parts = append(parts, map[string]any{"type": "FOOTER", "text": text.Draw(t, "footer text")})
	}
	var buttons []any
	for i := range rapid.IntRange(0, 3).Draw(t, "buttons") {
		switch rapid.IntRange(0, 5).Draw(t, "button") {
		case 0:
			buttons = append(buttons, map[string]any{"type": "QUICK_REPLY", "text": text.Draw(t, "reply")})
		case 1:
			buttons = append(buttons, map[string]any{"type": "URL", "text": "Go", "url": "https://a.example/{{1}}", "example": []string{"https://a.example/z"}})
		case 2:
			buttons = append(buttons, map[string]any{"type": "COPY_CODE", "example": "CODE"})
		case 3:
			buttons = append(buttons, map[string]any{"type": "PHONE_NUMBER", "text": "Call", "phone_number": "+4930123456"})
		case 4:
			buttons = append(buttons, map[string]any{"type": "FLOW", "text": fmt.Sprint("Flow ", i), "flow_id": json.Number("900719925474099312"), "icon": nil})
		case 5:
			buttons = append(buttons, map[string]any{"type": "URL", "text": "Code", "url": "https://www.whatsapp.com/otp/code/?otp_type=COPY_CODE&code=otp{{1}}"})
		}
	}
	if len(buttons) > 0 {
		parts = append(parts, map[string]any{"type": "BUTTONS", "buttons": buttons})
	}
	if rapid.IntRange(0, 4).Draw(t, "strange") == 0 {
		parts = append(parts, map[string]any{"type": "HOLOGRAM", "depth": 3})
	}
	raw, err := json.Marshal(map[string]any{"id": "1", "name": name, "language": language, "status": "APPROVED", "category": category,
		"parameter_format": map[bool]string{true: "NAMED", false: "POSITIONAL"}[named], "message_send_ttl_seconds": rapid.SampledFrom([]int{0, 0, -1, 43200}).Draw(t, "ttl"), "components": parts})
	if err != nil {
		t.Fatal(err)
	}
	got, err := account.Decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// TestGeneratedTemplatesDeclareTheSame checks, for any template, that the
// generated block is valid, in canonical form, and declares the same texts, and
// that parts that it does not declare are named.
func TestGeneratedTemplatesDeclareTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		category := rapid.SampledFrom([]string{"MARKETING", "UTILITY", "AUTHENTICATION"}).Draw(t, "category")
		held, specs := map[string]account.Template{}, []*account.Spec(nil)
		for _, language := range []string{"de", "en_US"}[:rapid.IntRange(1, 2).Draw(t, "languages")] {
			got := toldTemplate(t, "spring", language, category)
			spec, err := got.Declarable()
			if err != nil {
				if got.TTL == 43200 && category == "AUTHENTICATION" || got.TTL == 0 {
					continue
				}
				t.Fatalf("%s: %v", language, err)
			}
			held[language], specs = got, append(specs, spec)
		}
		if len(specs) == 0 {
			return
		}
		src, left, err := lang.TemplateSource("block", "provider.sandbox.main", specs)
		if err != nil {
			t.Fatal(err)
		}
		formatted, diags := lang.Format(src, "generated.hcl")
		if diags.HasErrors() || string(formatted) != string(src) {
			t.Fatalf("not canonical: %v\n%s", diags, src)
		}
		cfg, diags := lang.LoadFiles(t.Context(), map[string][]byte{"main.hcl": []byte("provider \"sandbox\" \"main\" {}\n"), "generated.hcl": src}, nil,
			lang.Options{Schemas: map[string]lang.ProviderSchema{"sandbox": {}}})
		if diags.HasErrors() {
			t.Fatalf("%v\n%s", diags, src)
		}
		for _, tr := range cfg.Templates[0].Translations {
			was := held[tr.Spec.Language]
			if !tr.Spec.SameWords(&was) || tr.Spec.Category != was.Category || tr.Spec.Name != "spring" {
				t.Fatalf("%s declares other words:\n%s\n%s", tr.Address(), src, was.Told)
			}
			delete(held, tr.Spec.Language)
		}
		if !slices.Equal(slices.Sorted(maps.Keys(held)), slices.Sorted(maps.Keys(left))) {
			t.Fatalf("left out %v, and says %v", slices.Sorted(maps.Keys(held)), left)
		}
	})
}
