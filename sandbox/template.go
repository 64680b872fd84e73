package sandbox

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
)

type templateObject struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	Language  struct {
		Code   string `json:"code"`
		Policy string `json:"policy"`
	} `json:"language"`
	Components []component `json:"components"`
}

type component struct {
	Type       string          `json:"type"`
	SubType    string          `json:"sub_type"`
	Index      decimal         `json:"index"`
	Parameters json.RawMessage `json:"parameters"`
	Cards      []struct {
		Index      *int        `json:"card_index"`
		Components []component `json:"components"`
	} `json:"cards"`
}

type parameter struct {
	Type     string  `json:"type"`
	Name     string  `json:"parameter_name"`
	Text     *string `json:"text"`
	Payload  *string `json:"payload"`
	Coupon   *string `json:"coupon_code"`
	Currency *struct {
		Fallback string `json:"fallback_value"`
		Code     string `json:"code"`
		Amount   int64  `json:"amount_1000"`
	} `json:"currency"`
	DateTime *struct {
		Fallback string `json:"fallback_value"`
	} `json:"date_time"`
	Image    *mediaObject    `json:"image"`
	Video    *mediaObject    `json:"video"`
	Document *mediaObject    `json:"document"`
	Location json.RawMessage `json:"location"`
	Product  *struct {
		ID        string `json:"product_retailer_id"`
		CatalogID string `json:"catalog_id"`
	} `json:"product"`
	Action *struct {
		Thumbnail string           `json:"thumbnail_product_retailer_id"`
		Sections  []productSection `json:"sections"`
		FlowToken string           `json:"flow_token"`
		FlowData  json.RawMessage  `json:"flow_action_data"`
	} `json:"action"`
	Offer *struct {
		Expires int64 `json:"expiration_time_ms"`
	} `json:"limited_time_offer"`
	Minutes *int `json:"ttl_minutes"`
}

var (
	templateName = regexp.MustCompile(`^[a-z0-9_]+$`)
	languageCode = regexp.MustCompile(`^[a-z]{2,3}(_[A-Za-z]{2,4})?$`)
)

func checkTemplate(raw json.RawMessage) *refusal {
	var t templateObject
	if r := strict(raw, &t, "template"); r != nil {
		return r
	}
	switch {
	case t.Name == "":
		return required(place("template", "name"))
	case len(t.Name) > maxTemplateName:
		return invalid("Template name is too long. Max length is %d", maxTemplateName)
	case !templateName.MatchString(t.Name):
		return &refusal{code: 132001, details: "template name has lower-case letters, digits and _ only"}
	case t.Language.Code == "":
		return required(place("template", "language", "code"))
	case !languageCode.MatchString(t.Language.Code):
		return &refusal{code: 132001, details: "template name (" + t.Name + ") does not exist in that language"}
	case t.Language.Policy != "" && t.Language.Policy != "deterministic":
		return invalid("language policy must be deterministic")
	}
	return checkComponents(t.Components, false)
}

func checkComponents(list []component, inCard bool) *refusal {
	seen := map[string]bool{}
	for _, c := range list {
		at := strings.ToLower(c.Type)
		if at == "button" {
			at += string(c.Index)
		}
		if seen[at] {
			return &refusal{code: 132012, details: "component " + at + " is given twice"}
		}
		seen[at] = true
		if r := c.check(inCard); r != nil {
			return r
		}
	}
	return nil
}

func (c component) check(inCard bool) *refusal {
	typ := strings.ToLower(c.Type)
	switch {
	case typ == "carousel" && !inCard:
		return c.checkCards()
	case typ == "tap_target_configuration":
		return nil
	case typ != "header" && typ != "body" && typ != "button" && typ != "limited_time_offer":
		return invalid("component type %q is not known", c.Type)
	case c.Cards != nil:
		return unexpected("cards", typ)
	case typ != "button" && (c.SubType != "" || c.Index != ""):
		return unexpected("sub_type", typ)
	}
	var ps []parameter
	if c.Parameters != nil {
		if r := strict(c.Parameters, &ps, "parameters"); r != nil {
			return r
		}
	}
	if typ == "button" {
		return c.checkButton(ps)
	}
	if typ == "header" && len(ps) > 1 {
		return &refusal{code: 132000, details: "header: number of localizable_params (" + strconv.Itoa(len(ps)) + ") does not match the expected number of params (1)"}
	}
	for _, p := range ps {
		if r := p.check(typ); r != nil {
			return r
		}
	}
	return nil
}

func (c component) checkCards() *refusal {
	if n := len(c.Cards); n < minCards || n > maxCards {
		return invalid("Invalid cards count. Min allowed cards: %d, Max allowed cards: %d", minCards, maxCards)
	}
	seen := map[int]bool{}
	for _, cd := range c.Cards {
		if cd.Index == nil || *cd.Index < 0 || seen[*cd.Index] {
			return invalid("card_index must be given, unique and not negative")
		}
		seen[*cd.Index] = true
		if r := checkComponents(cd.Components, true); r != nil {
			return r
		}
	}
	return nil
}

// checkButton checks that the parameters fit the button's sub type.
func (c component) checkButton(ps []parameter) *refusal {
	takes := map[string]string{
		"quick_reply": "payload", "url": "text", "copy_code": "coupon_code", "coupon_code": "coupon_code",
		"catalog": "action", "mpm": "action", "flow": "action", "voice_call": "", "order_details": "action",
	}
	want, known := takes[strings.ToLower(c.SubType)]
	if !known {
		return invalid("button sub_type %q is not known", c.SubType)
	}
	if i, err := strconv.Atoi(string(c.Index)); err != nil || i < 0 || i > 9 {
		return invalid("button index must be between 0 and 9")
	}
	for _, p := range ps {
		if want != "" && p.Type != want {
			return &refusal{code: 132012, details: "button " + c.SubType + " takes a parameter of type " + want}
		}
		if r := p.check("button"); r != nil {
			return r
		}
	}
	return nil
}

func (p parameter) check(in string) *refusal {
	switch p.Type {
	case "text":
		return checkParamText(p.Text)
	case "payload":
		if p.Payload == nil {
			return required("payload")
		}
	case "coupon_code":
		if p.Coupon == nil {
			return required("coupon_code")
		}
		return between("coupon_code", *p.Coupon, maxCoupon, "coupon_code")
	case "image", "video", "document":
		return p.checkMedia(in)
	case "currency", "date_time", "location", "product", "action", "limited_time_offer", "ttl_minutes":
		return p.checkOther()
	default:
		return &refusal{code: 132012, details: "parameter type " + strconv.Quote(p.Type) + " is not known"}
	}
	return nil
}

func (p parameter) checkMedia(in string) *refusal {
	m := map[string]*mediaObject{"image": p.Image, "video": p.Video, "document": p.Document}[p.Type]
	if m == nil {
		return required(p.Type)
	}
	if in != "header" {
		return &refusal{code: 132012, details: "media stand in the header only"}
	}
	return m.source(p.Type)
}

func (p parameter) checkOther() *refusal {
	present := map[string]bool{
		"currency": p.Currency != nil, "date_time": p.DateTime != nil, "location": p.Location != nil,
		"product": p.Product != nil, "action": p.Action != nil, "limited_time_offer": p.Offer != nil, "ttl_minutes": p.Minutes != nil,
	}[p.Type]
	if !present {
		return required(p.Type)
	}
	switch {
	case p.Location != nil:
		return checkLocation(p.Location)
	case p.Action != nil && p.Action.Sections != nil:
		return checkProductSections(p.Action.Sections)
	}
	return nil
}

// checkParamText checks a text parameter. Source: Meta, errors 132000, 132005 and
// 132018, read 2026-09-11.
func checkParamText(s *string) *refusal {
	switch {
	case s == nil:
		return required("text")
	case *s == "":
		return &refusal{code: 131008, details: "a template parameter must not be empty"}
	case length(*s) > maxParamText:
		return &refusal{code: 132005, details: "a template parameter is too long"}
	case strings.ContainsAny(*s, "\n\t\r") || strings.Contains(*s, "     "):
		return &refusal{code: 132018, details: "Param text cannot have new-line/tab characters or more than 4 consecutive spaces"}
	case length(*s) > maxTemplateText:
		return &refusal{code: 132005, details: "the translated text is too long"}
	}
	return nil
}
