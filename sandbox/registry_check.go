package sandbox

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// part is a component of a submitted template. Source: Meta, template components,
// read 2025-11-21 and 2026-09-11.
type part struct {
	Type    string `json:"type"`
	Format  string `json:"format"`
	Text    string `json:"text"`
	Example struct {
		Handle      []string      `json:"header_handle"`
		Header      []string      `json:"header_text"`
		HeaderNamed []sampledName `json:"header_text_named_params"`
		Body        [][]string    `json:"body_text"`
		BodyNamed   []sampledName `json:"body_text_named_params"`
	} `json:"example"`
	Buttons []struct {
		Type    string          `json:"type"`
		Text    string          `json:"text"`
		URL     string          `json:"url"`
		Phone   string          `json:"phone_number"`
		Example json.RawMessage `json:"example"`
	} `json:"buttons"`
	Cards []struct {
		Components []part `json:"components"`
	} `json:"cards"`
}

type sampledName struct {
	Name    string `json:"param_name"`
	Example string `json:"example"`
}

var (
	phoneNumber = regexp.MustCompile(`^\+[0-9]{5,19}$`)
	edgeBefore  = regexp.MustCompile(`^\s*\{\{`)
	// Punctuation at the end does not count as text.
	edgeAfter = regexp.MustCompile(`\}\}[\s[:punct:]]*$`)
	adjacent  = regexp.MustCompile(`\}\}\s*\{\{`)
)

func (b *templateBody) checkHead() *refusal {
	switch category := strings.ToUpper(b.Category); {
	case !templateName.MatchString(b.Name) || len(b.Name) > maxTemplateName:
		return subcode(2388046, "The template's name can only have lower-case letters, digits and underscores.")
	case !languageCode.MatchString(b.Language):
		return &refusal{code: 100, param: "Param language must be one of {…} - got " + fmt.Sprintf("%q", b.Language)}
	case category != "MARKETING" && category != "UTILITY" && category != "AUTHENTICATION":
		return &refusal{code: 100, param: "Param category must be one of {AUTHENTICATION, MARKETING, UTILITY} - got " + fmt.Sprintf("%q", b.Category)}
	case b.Format != "" && !strings.EqualFold(b.Format, "named") && !strings.EqualFold(b.Format, "positional"):
		return &refusal{code: 100, param: "Param parameter_format must be one of {NAMED, POSITIONAL}"}
	case b.TTL != nil && !lastsRight(category, *b.TTL):
		return &refusal{code: 100, param: "Param message_send_ttl_seconds is out of range"}
	}
	return nil
}

// lastsRight: AUTHENTICATION 30 to 900, UTILITY 30 to 43200, MARKETING 43200 to
// 2592000 seconds.
func lastsRight(category string, ttl int) bool {
	switch category {
	case "AUTHENTICATION":
		return ttl == -1 || ttl >= 30 && ttl <= 900
	case "UTILITY":
		return ttl == -1 || ttl >= 30 && ttl <= 43200
	}
	return ttl >= 43200 && ttl <= 2592000
}

// check checks a submitted template against Meta's rules.
func (b *templateBody) check(handles map[string]bool) *refusal {
	if bad := b.checkHead(); bad != nil {
		return bad
	}
	var parts []part
	if b.Components == nil || json.Unmarshal(b.Components, &parts) != nil {
		return &refusal{code: 100, param: "(#100) The parameter components is required."}
	}
	c := checker{named: strings.EqualFold(b.Format, "named"), code: strings.EqualFold(b.Category, "authentication"), handles: handles}
	if bad := c.parts(parts, 1024); bad != nil {
		return bad
	}
	if !c.body {
		return &refusal{code: 100, param: "Invalid parameter", subcode: 2388072, user: "A template needs a body."}
	}
	return nil
}

type checker struct {
	named, code, body bool
	handles           map[string]bool
}

func (c *checker) parts(list []part, maxBody int) *refusal {
	for i := range list {
		if bad := c.part(&list[i], maxBody); bad != nil {
			return bad
		}
	}
	return nil
}

func (c *checker) part(p *part, maxBody int) *refusal {
	switch strings.ToUpper(p.Type) {
	case "HEADER":
		return c.header(p)
	case "BODY":
		c.body = true
		return c.bodyText(p, maxBody)
	case "FOOTER":
		if !c.code && (p.Text == "" || utf8.RuneCountInString(p.Text) > 60) {
			return subcode(2388040, "The footer is too long.")
		}
		if strings.Contains(p.Text, "{{") {
			return subcode(2388073, "The footer can't have variables.")
		}
	case "BUTTONS":
		return c.buttons(p)
	case "CAROUSEL":
		if len(p.Cards) < minCards || len(p.Cards) > maxCards {
			return &refusal{code: 100, param: "A carousel has 2 to 10 cards"}
		}
		for i := range p.Cards {
			if bad := c.parts(p.Cards[i].Components, 160); bad != nil {
				return bad
			}
		}
	case "LIMITED_TIME_OFFER", "CALL_PERMISSION_REQUEST":
	default:
		return &refusal{code: 100, param: fmt.Sprintf("Param components[].type must be one of {…} - got %q", p.Type)}
	}
	return nil
}

func (c *checker) header(p *part) *refusal {
	switch strings.ToUpper(p.Format) {
	case "TEXT":
		vars := placeholders(p.Text)
		switch {
		case p.Text == "" || utf8.RuneCountInString(p.Text) > 60:
			return subcode(2388040, "The header is too long.")
		case len(vars) > 1 || strings.ContainsAny(p.Text, "\n*"):
			return subcode(2388072, "The header can't have new lines, formatting, emoji or more than one variable.")
		case len(vars) == 1 && !sampled(vars, c.named, p.Example.HeaderNamed, p.Example.Header):
			return subcode(2388043, "The header's sample is missing.")
		}
	case "IMAGE", "VIDEO", "DOCUMENT", "GIF":
		if len(p.Example.Handle) == 0 {
			return subcode(2388273, "The header's sample is missing.")
		}
		for _, h := range p.Example.Handle {
			if !c.handles[h] {
				return subcode(2388273, "The header's sample is no handle of an upload.")
			}
		}
	case "LOCATION", "PRODUCT":
	default:
		return subcode(2388047, "The header's format is not known.")
	}
	return nil
}

// sampled reports whether each variable has a sample.
func sampled(vars []string, isNamed bool, given []sampledName, listed []string) bool {
	if !isNamed {
		return len(listed) >= len(vars)
	}
	have := map[string]bool{}
	for _, n := range given {
		have[n.Name] = n.Example != ""
	}
	for _, v := range vars {
		if !have[v] {
			return false
		}
	}
	return true
}

func (c *checker) bodyText(p *part, most int) *refusal {
	if c.code && p.Text == "" {
		return nil // Meta writes the text of authentication templates
	}
	vars := placeholders(p.Text)
	var listed []string
	if len(p.Example.Body) > 0 {
		listed = p.Example.Body[0]
	}
	switch {
	case p.Text == "" || utf8.RuneCountInString(p.Text) > most:
		return subcode(2388040, "The body is too long.")
	case edgeBefore.MatchString(p.Text) || edgeAfter.MatchString(p.Text):
		return subcode(2388299, "Variables can't be at the start or end of the template.")
	case adjacent.MatchString(p.Text) || strings.Contains(p.Text, "\n\n\n"):
		return subcode(2388072, "The body can't have variables side by side, or more than two new lines in a row.")
	case len(vars) > 0 && !sampled(vars, c.named, p.Example.BodyNamed, listed):
		return subcode(2388043, "The body's samples are missing.")
	}
	for i, v := range vars {
		if !c.named && v != fmt.Sprint(i+1) {
			return subcode(2388072, "The body's variables are not counted from 1.")
		}
	}
	return nil
}

func (c *checker) buttons(p *part) *refusal {
	if len(p.Buttons) == 0 || len(p.Buttons) > 10 {
		return &refusal{code: 100, param: "A template has 1 to 10 buttons"}
	}
	for _, b := range p.Buttons {
		if utf8.RuneCountInString(b.Text) > 25 {
			return subcode(2388040, "A button's text is too long.")
		}
		switch strings.ToUpper(b.Type) {
		case "URL":
			if len(b.URL) > 2000 || !isWebURL(strings.TrimSuffix(b.URL, "{{1}}")) || strings.Contains(strings.TrimSuffix(b.URL, "{{1}}"), "{{") {
				return subcode(2388049, "A button's address is not valid.")
			}
			if strings.Contains(b.URL, "{{1}}") && len(b.Example) == 0 {
				return subcode(2388043, "The sample of a button's address is missing.")
			}
		case "PHONE_NUMBER":
			if !phoneNumber.MatchString(b.Phone) {
				return &refusal{code: 192, param: "Invalid phone number"}
			}
		case "COPY_CODE":
			var code string
			if json.Unmarshal(b.Example, &code) != nil || code == "" || utf8.RuneCountInString(code) > maxCoupon {
				return subcode(2388055, "The coupon code's sample is missing or too long.")
			}
		}
	}
	return nil
}

// readBack returns submitted components as Meta lists them: type names in upper
// case, new URLs for uploaded files, and the button of a code as a URL button.
func (r *registry) readBack(raw json.RawMessage) json.RawMessage {
	var list []map[string]any
	if json.Unmarshal(raw, &list) != nil {
		return raw // checked before
	}
	for _, c := range list {
		r.readBackPart(c)
	}
	out, err := json.Marshal(list)
	if err != nil {
		return raw
	}
	return out
}

func (r *registry) readBackPart(c map[string]any) {
	for _, key := range []string{"type", "format"} {
		if s, ok := c[key].(string); ok {
			c[key] = strings.ToUpper(s)
		}
	}
	if example, ok := c["example"].(map[string]any); ok && example["header_handle"] != nil {
		example["header_handle"] = []string{"https://scontent.example/" + digits(hashString(r.key, fmt.Sprint(example["header_handle"], len(r.list), len(r.writes))), 12)}
	}
	buttons, _ := c["buttons"].([]any)
	for _, b := range buttons {
		if b, ok := b.(map[string]any); ok {
			kind, _ := b["type"].(string)
			b["type"] = strings.ToUpper(kind)
			if strings.EqualFold(kind, "otp") {
				b["type"], b["url"] = "URL", fmt.Sprintf("https://www.whatsapp.com/otp/code/?otp_type=%v&code=otp{{1}}", b["otp_type"])
			}
		}
	}
	cards, _ := c["cards"].([]any)
	for _, card := range cards {
		card, _ := card.(map[string]any)
		parts, _ := card["components"].([]any)
		for _, p := range parts {
			if p, ok := p.(map[string]any); ok {
				r.readBackPart(p)
			}
		}
	}
}
