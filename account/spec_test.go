package account

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func spec(change func(*Spec)) *Spec {
	s := &Spec{Template: Template{Name: "spring", Language: "en", Category: Marketing, Named: true, Footer: "Bye",
		Content: Content{Header: &Header{Format: "text", Text: "For {{city}}"}, Body: "Hi {{who}}, {{what}} is open.",
			Buttons: []Button{{Type: "url", Text: "See", URL: "https://a.example/{{1}}"}, {Type: "phone_number", Text: "Call", Phone: "+4930123456"}, {Type: "copy_code"}}}},
		Samples: map[string]string{"city": "Bonn", "who": "Ana", "what": "our sale", "button[0]": "x", "button[2]": "SPRING"}}
	if change != nil {
		change(s)
	}
	return s
}

func TestCheck(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Spec)
		path   string // of the only problem; "" for none
		said   string
	}{
		"as it should be": {nil, "", ""},
		"counted":         {func(s *Spec) { counted(s) }, "", ""},
		"a gap in the count": {func(s *Spec) {
			counted(s)
			s.Body = "Hi {{1}}, {{3}} is open."
			s.Samples["3"] = "x"
			delete(s.Samples, "2")
		}, "body", "{{2}}"},
		"no body":                      {func(s *Spec) { s.Body = ""; delete(s.Samples, "who"); delete(s.Samples, "what") }, "body", "needs a body"},
		"a variable first":             {func(s *Spec) { s.Body = "{{who}} and {{what}} are here." }, "body", "2388299"},
		"a variable last":              {func(s *Spec) { s.Body = "Hi {{who}}, see {{what}}!" }, "body", "2388299"},
		"variables side by side":       {func(s *Spec) { s.Body = "Hi {{who}} {{what}} there." }, "body", "side by side"},
		"three line breaks":            {func(s *Spec) { s.Body = "Hi {{who}},\n\n\n{{what}} is open." }, "body", "2388072"},
		"a long body":                  {func(s *Spec) { s.Body += strings.Repeat("ü", 1000) }, "body", "1024"},
		"as long as it may be":         {func(s *Spec) { s.Body += strings.Repeat("ü", 1024-len("Hi {{who}}, {{what}} is open.")) }, "", ""},
		"a name with capitals":         {func(s *Spec) { s.Body = "Hi {{Who}}, {{what}} is open."; delete(s.Samples, "who") }, "body", "lower-case"},
		"braces that do not close":     {func(s *Spec) { s.Body += " {{" }, "body", "closed"},
		"a sample that is missing":     {func(s *Spec) { delete(s.Samples, "who") }, "parameters", "2388043"},
		"one name in header and body":  {func(s *Spec) { s.Header.Text = "For {{who}}"; delete(s.Samples, "city") }, "header", "name of its own"},
		"two variables in a header":    {func(s *Spec) { s.Header.Text = "{{city}} and {{land}}"; s.Samples["land"] = "x" }, "header", "at most one"},
		"formatting in a header":       {func(s *Spec) { s.Header.Text = "*For* {{city}}" }, "header", "formatting"},
		"a long header":                {func(s *Spec) { s.Header.Text = "For {{city}}" + strings.Repeat("x", 60) }, "header", "60"},
		"a variable in a footer":       {func(s *Spec) { s.Footer = "{{who}}" }, "footer", "no variables"},
		"a long footer":                {func(s *Spec) { s.Footer = strings.Repeat("x", 61) }, "footer", "60"},
		"a long button":                {func(s *Spec) { s.Buttons[1].Text = strings.Repeat("x", 26) }, "button[1]", "25"},
		"an address without a scheme":  {func(s *Spec) { s.Buttons[0].URL = "a.example/{{1}}" }, "button[0]", "2388049"},
		"a variable within an address": {func(s *Spec) { s.Buttons[0].URL = "https://a.example/{{1}}/b"; delete(s.Samples, "button[0]") }, "button[0]", "very end"},
		"a button's sample is missing": {func(s *Spec) { delete(s.Samples, "button[0]") }, "button[0]", "2388043"},
		"a number without a plus":      {func(s *Spec) { s.Buttons[1].Phone = "030123456" }, "button[1]", "192"},
		"a long coupon":                {func(s *Spec) { s.Samples["button[2]"] = strings.Repeat("X", 16) }, "button[2]", "2388055"},
		"two numbers":                  {func(s *Spec) { s.Buttons[2] = s.Buttons[1]; delete(s.Samples, "button[2]") }, "button", "phone_number"},
		"replies that stand apart": {func(s *Spec) {
			s.Buttons[0] = Button{Type: "quick_reply", Text: "a"}
			s.Buttons[2] = Button{Type: "quick_reply", Text: "b"}
			delete(s.Samples, "button[0]")
			delete(s.Samples, "button[2]")
		}, "button[2]", "side by side"},
		"tried for too short":           {func(s *Spec) { s.TTL = 3600 }, "ttl", "12 hours to 30 days"},
		"tried for half a day":          {func(s *Spec) { s.TTL = 43200 }, "", ""},
		"a code without its components": {func(s *Spec) { s.Category = Authentication }, "category", "components"},
	} {
		found := spec(c.change).Check()
		if c.path == "" && len(found) > 0 || c.path != "" && (len(found) != 1 || found[0].Path != c.path || !strings.Contains(found[0].Detail, c.said)) {
			t.Errorf("%s: %+v", name, found)
		}
	}
}

// counted changes the variables of s to numbered ones.
func counted(s *Spec) {
	s.Named, s.Body, s.Header.Text = false, "Hi {{1}}, {{2}} is open.", "For {{1}}"
	s.Samples = map[string]string{"1": "Ana", "2": "our sale", "header": "Bonn", "button[0]": "x", "button[2]": "SPRING"}
}

// TestCreationReadsBack checks that a submitted template, as an account reports
// it, equals the declared one, and that its samples are where Meta expects
// them.
func TestCreationReadsBack(t *testing.T) {
	for name, change := range map[string]func(*Spec){
		"named": nil, "counted": counted, "no variables": func(s *Spec) { s.Header, s.Body, s.Samples = nil, "Hi there.", map[string]string{"button[0]": "x"} },
		"an image": func(s *Spec) { s.Header = &Header{Format: "image"} },
		"written": func(s *Spec) {
			if err := s.Write([]byte(`[{"type":"body","text":"Hi {{who}} there."},{"type":"CAROUSEL","cards":[{"components":[{"type":"body","text":"x"}]}]}]`)); err != nil {
				t.Fatal(err)
			}
		},
	} {
		s := spec(change)
		body, err := s.Creation("4::aW")
		if err != nil {
			t.Fatal(err)
		}
		var told map[string]any
		if err := json.Unmarshal(body, &told); err != nil {
			t.Fatal(err)
		}
		told["status"], told["id"] = "PENDING", 7
		raw, err := json.Marshal(told)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Decode(raw)
		if err != nil || !s.SameWords(&got) || got.Category != s.Category {
			t.Errorf("%s: %v (-declared +told):\n%s", name, err, cmp.Diff(s.Words(), got.Words()))
		}
		if other := spec(change); other.Body != "" {
			other.Body += "!"
			if other.SameWords(&got) {
				t.Errorf("%s: other words are the same", name)
			}
		}
	}
	body, err := spec(nil).Creation("")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"header_text_named_params":[{"param_name":"city","example":"Bonn"}]`, `{"param_name":"what","example":"our sale"}`,
		`"example":["https://a.example/x"]`, `"example":"SPRING"`, `"phone_number":"+4930123456"`, `"parameter_format":"named"`, `"category":"MARKETING"`} {
		if !strings.Contains(string(body), want) {
			t.Errorf("%s lacks %s", body, want)
		}
	}
	body, err = spec(counted).Creation("")
	if err != nil || !strings.Contains(string(body), `"body_text":[["Ana","our sale"]]`) || !strings.Contains(string(body), `"header_text":["Bonn"]`) {
		t.Errorf("%s, %v", body, err)
	}
}
