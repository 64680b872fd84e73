package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// definition is what a template's components require of a send.
type definition struct {
	Type    string `json:"type"`
	Format  string `json:"format"`
	Text    string `json:"text"`
	Buttons []struct {
		Type string `json:"type"`
		URL  string `json:"url"`
	} `json:"buttons"`
	Cards []struct {
		Components []definition `json:"components"`
	} `json:"cards"`
}

func componentsOf(raw json.RawMessage) ([]definition, error) {
	var out []definition
	if raw != nil && json.Unmarshal(raw, &out) != nil {
		return nil, errors.New("components are a list of objects as Meta writes them")
	}
	return out, nil
}

// judge checks a send against the account's templates; when there are none,
// everything passes. Source: Meta, error codes and template components, read
// 2026-09-11.
func (r *registry) judge(content json.RawMessage) *refusal {
	list := r.at()
	r.mu.Lock()
	none := len(r.list) == 0
	r.mu.Unlock()
	var sent templateObject
	if none || json.Unmarshal(content, &sent) != nil {
		return nil // checked before
	}
	for i := range list {
		if t := &list[i]; t.Name == sent.Name && t.Language == sent.Language.Code {
			return t.judge(&sent)
		}
	}
	return &refusal{code: 132001, details: "template name (" + sent.Name + ") does not exist in " + sent.Language.Code}
}

func (t *Template) judge(sent *templateObject) *refusal {
	switch t.Status {
	case "APPROVED":
	case "PAUSED":
		return &refusal{code: 132015, details: "Template is paused"}
	case "DISABLED":
		return &refusal{code: 132016, details: "Template is disabled"}
	default:
		return &refusal{code: 132001, details: "template name (" + t.Name + ") is not approved"}
	}
	defs, err := componentsOf(t.Components)
	if err != nil {
		return nil
	}
	return agree(defs, sent.Components, t.Format == "NAMED")
}

// agree checks the components of a message, or of a card, against the template's.
func agree(defs []definition, given []component, named bool) *refusal {
	for _, d := range defs {
		var bad *refusal
		switch kind := strings.ToLower(d.Type); kind {
		case "body":
			bad = agreeText("body", placeholders(d.Text), parametersOf(given, "body"), named)
		case "header":
			bad = agreeHeader(d, parametersOf(given, "header"), named)
		case "buttons":
			bad = agreeButtons(d, given)
		case "carousel":
			bad = agreeCards(d, given, named)
		}
		if bad != nil {
			return bad
		}
	}
	for _, c := range given {
		kind := strings.ToLower(c.Type)
		if has := kind == "button" || kind == "tap_target_configuration"; !has && !defines(defs, kind) && len(rawParameters(c)) > 0 {
			return &refusal{code: 132012, details: kind + ": the template has none"}
		}
	}
	return nil
}

func defines(defs []definition, kind string) bool {
	for _, d := range defs {
		if strings.EqualFold(d.Type, kind) {
			return true
		}
	}
	return false
}

func rawParameters(c component) []parameter {
	var ps []parameter
	_ = json.Unmarshal(c.Parameters, &ps) // checked before
	return ps
}

func parametersOf(given []component, kind string) []parameter {
	for _, c := range given {
		if strings.EqualFold(c.Type, kind) {
			return rawParameters(c)
		}
	}
	return nil
}

// placeholders returns the names between {{ and }}, each once.
func placeholders(text string) []string {
	var out []string
	for {
		_, rest, found := strings.Cut(text, "{{")
		name, after, closed := strings.Cut(rest, "}}")
		if !found || !closed {
			return out
		}
		text = after
		if name = strings.TrimSpace(name); !strings.Contains(" "+strings.Join(out, " ")+" ", " "+name+" ") {
			out = append(out, name)
		}
	}
}

func agreeText(where string, want []string, given []parameter, named bool) *refusal {
	if len(given) != len(want) {
		return &refusal{code: 132000, details: fmt.Sprintf("%s: number of localizable_params (%d) does not match the expected number of params (%d)", where, len(given), len(want))}
	}
	for _, p := range given {
		found := !named && p.Name == ""
		for _, w := range want {
			found = found || named && p.Name == w
		}
		if !found {
			return &refusal{code: 132000, details: where + ": parameter name " + strconv.Quote(p.Name) + " is not one of the template's"}
		}
	}
	return nil
}

func agreeHeader(d definition, given []parameter, named bool) *refusal {
	format := strings.ToLower(d.Format)
	switch {
	case format == "" || format == "text":
		return agreeText("header", placeholders(d.Text), given, named)
	case len(given) != 1:
		return &refusal{code: 132012, details: fmt.Sprintf("header: Format mismatch, expected %s, received %d parameters", d.Format, len(given))}
	case given[0].Type != format && !(format == "gif" && given[0].Type == "video"):
		return &refusal{code: 132012, details: fmt.Sprintf("header: Format mismatch, expected %s, received %s", d.Format, strings.ToUpper(given[0].Type))}
	}
	return nil
}

func agreeButtons(d definition, given []component) *refusal {
	filled := map[int]bool{}
	for _, c := range given {
		if !strings.EqualFold(c.Type, "button") {
			continue
		}
		i, _ := strconv.Atoi(string(c.Index)) // checked before
		if i >= len(d.Buttons) {
			return &refusal{code: 132012, details: fmt.Sprintf("button at index %d: the template has %d", i, len(d.Buttons))}
		}
		want := strings.ToLower(d.Buttons[i].Type)
		if want == "otp" {
			want = "url"
		}
		if strings.ToLower(c.SubType) != want {
			return &refusal{code: 132012, details: fmt.Sprintf("button at index %d of type %s takes no %s", i, want, c.SubType)}
		}
		filled[i] = true
	}
	for i, b := range d.Buttons {
		kind := strings.ToLower(b.Type)
		if needs := kind == "otp" || kind == "copy_code" || kind == "url" && strings.Contains(b.URL, "{{"); needs && !filled[i] {
			return &refusal{code: 131008, details: fmt.Sprintf("button at index %d of type %s requires a parameter", i, kind)}
		}
	}
	return nil
}

func agreeCards(d definition, given []component, named bool) *refusal {
	for _, c := range given {
		if !strings.EqualFold(c.Type, "carousel") {
			continue
		}
		// A product carousel has as many cards as the message gives, all like the first.
		products := len(d.Cards) > 0 && ofProducts(d.Cards[0].Components)
		if len(c.Cards) != len(d.Cards) && !products {
			return &refusal{code: 132000, details: fmt.Sprintf("carousel: %d cards, expected %d", len(c.Cards), len(d.Cards))}
		}
		for i, card := range c.Cards {
			if products {
				i = 0
			}
			if bad := agree(d.Cards[i].Components, card.Components, named); bad != nil {
				return bad
			}
		}
		return nil
	}
	return &refusal{code: 132000, details: fmt.Sprintf("carousel: 0 cards, expected %d", len(d.Cards))}
}

func ofProducts(card []definition) bool {
	for _, d := range card {
		if strings.EqualFold(d.Type, "header") && strings.EqualFold(d.Format, "product") {
			return true
		}
	}
	return false
}
