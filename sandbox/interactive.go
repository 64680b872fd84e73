package sandbox

import (
	"encoding/json"
	"strings"
)

type interactive struct {
	Type   string          `json:"type"`
	Header json.RawMessage `json:"header"`
	Body   *textPart       `json:"body"`
	Footer *textPart       `json:"footer"`
	Action json.RawMessage `json:"action"`
}

type textPart struct {
	Text string `json:"text"`
}

type headerPart struct {
	Type     string          `json:"type"`
	Text     string          `json:"text"`
	SubText  string          `json:"sub_text"`
	Image    json.RawMessage `json:"image"`
	Video    json.RawMessage `json:"video"`
	Document json.RawMessage `json:"document"`
}

// shape is what a type of interactive message may have beside its action.
// Source: Meta, messages/interactive-* and share-products, read 2026-09-11.
type shape struct {
	header     string // "", "text", "media" (text or media)
	needHeader bool
	noBody     bool // the body may be left out
	noFooter   bool // a footer is refused
	action     func(json.RawMessage) *refusal
}

func shapeOf(typ string) (shape, bool) {
	switch typ {
	case "list":
		return shape{header: "text", action: checkList}, true
	case "button":
		return shape{header: "media", action: checkButtons}, true
	case "cta_url":
		return shape{header: "media", action: checkLink}, true
	case "flow":
		return shape{header: "media", action: checkFlow}, true
	case "product":
		return shape{noBody: true, action: checkProduct}, true
	case "product_list":
		return shape{header: "text", needHeader: true, action: checkProductList}, true
	case "catalog_message":
		return shape{action: checkCatalog}, true
	case "carousel":
		return shape{noFooter: true, action: checkCarousel}, true
	case "location_request_message":
		return shape{noFooter: true, action: named("send_location")}, true
	case "address_message":
		return shape{header: "media", action: checkAddress}, true
	case "voice_call":
		return shape{action: checkCall}, true
	case "call_permission_request":
		return shape{noBody: true, action: named("call_permission_request")}, true
	case "request_contact_info":
		return shape{action: named("request_contact_info")}, true
	}
	return shape{}, false
}

func (o *outbound) checkInteractive() *refusal {
	var i interactive
	if r := strict(o.content, &i, "interactive"); r != nil {
		return r
	}
	sh, ok := shapeOf(i.Type)
	if !ok {
		return &refusal{code: 100, param: "Param interactive['type'] is not a known type", details: i.Type}
	}
	o.kind = i.Type
	if i.Action == nil {
		return required(place("interactive", "action"))
	}
	return first(sh.checkHeader(i.Header), sh.checkBody(i.Body), sh.checkFooter(i.Footer), sh.action(i.Action))
}

func (sh shape) checkHeader(raw json.RawMessage) *refusal {
	if raw == nil {
		if sh.needHeader {
			return required(place("interactive", "header"))
		}
		return nil
	}
	if sh.header == "" {
		return unexpected("header", "interactive")
	}
	var h headerPart
	if r := strict(raw, &h, "header"); r != nil {
		return r
	}
	switch {
	case h.Type == "text":
		return between("Header text", h.Text, maxHeader, "interactive", "header", "text")
	case sh.header == "text":
		return invalid("Text cannot be null for header type text")
	case h.Type == "image":
		return checkHeaderMedia("image", h.Image)
	case h.Type == "video":
		return checkHeaderMedia("video", h.Video)
	case h.Type == "document":
		return checkHeaderMedia("document", h.Document)
	}
	return invalid("header type %q is not one of text, image, video, document", h.Type)
}

func checkHeaderMedia(typ string, raw json.RawMessage) *refusal {
	if raw == nil {
		return required(place("interactive", "header", typ))
	}
	var m mediaObject
	if r := strict(raw, &m, typ); r != nil {
		return r
	}
	if m.Caption != nil {
		return unexpected("caption", typ)
	}
	if m.Filename != nil && typ != "document" {
		return unexpected("filename", typ)
	}
	return m.source(typ)
}

func (sh shape) checkBody(b *textPart) *refusal {
	if b == nil {
		if sh.noBody {
			return nil
		}
		return required(place("interactive", "body"))
	}
	return between("Body text", b.Text, maxBody, "interactive", "body", "text")
}

func (sh shape) checkFooter(f *textPart) *refusal {
	if f == nil {
		return nil
	}
	if sh.noFooter {
		return unexpected("footer", "interactive")
	}
	return between("Footer text", f.Text, maxFooter, "interactive", "footer", "text")
}

type listAction struct {
	Name     string `json:"name"`
	Button   string `json:"button"`
	Sections []struct {
		Title *string `json:"title"`
		Rows  []struct {
			ID          string  `json:"id"`
			Title       string  `json:"title"`
			Description *string `json:"description"`
		} `json:"rows"`
	} `json:"sections"`
}

func checkList(raw json.RawMessage) *refusal {
	var a listAction
	if r := strict(raw, &a, "action"); r != nil {
		return r
	}
	if r := between("Button label", a.Button, maxListButton, "interactive", "action", "button"); r != nil {
		return r
	}
	if n := len(a.Sections); n < 1 || n > maxSections {
		return invalid("Invalid sections count. Min allowed sections: 1, Max allowed sections: %d", maxSections)
	}
	rows, ids := 0, make(map[string]bool, maxRows)
	for i, s := range a.Sections {
		if r := sectionTitle(s.Title, len(a.Sections), i); r != nil {
			return r
		}
		if len(s.Rows) == 0 {
			return required(place("interactive", "action", "sections", i, "rows"))
		}
		if rows += len(s.Rows); rows > maxRows {
			return invalid("Total row count exceed max allowed count: %d", maxRows)
		}
		titles := make(map[string]bool, len(s.Rows))
		for j, row := range s.Rows {
			at := []any{"action", "sections", i, "rows", j}
			if r := first(
				rowText("Row id", row.ID, maxRowID, "interactive", append(at, "id")...),
				rowText("Row title", row.Title, maxRowTitle, "interactive", append(at, "title")...),
				atMost("Row description", row.Description, maxRowDesc),
			); r != nil {
				return r
			}
			if ids[row.ID] {
				return invalid("Duplicated row id in sections")
			}
			if titles[row.Title] {
				return invalid("duplicate rows in the list titles")
			}
			ids[row.ID], titles[row.Title] = true, true
		}
	}
	return nil
}

// rowText refuses a row's text in the API's own words.
func rowText(what, s string, limit int, root string, parts ...any) *refusal {
	if length(s) > limit {
		return invalid("%s is too long. Max length is %d", what, limit)
	}
	return between(what, s, limit, root, parts...)
}

func sectionTitle(title *string, sections, i int) *refusal {
	if title == nil || *title == "" {
		if sections > 1 {
			return required(place("interactive", "action", "sections", i, "title"))
		}
		return nil
	}
	return atMost("Section title", title, maxSectionTitle)
}

func checkButtons(raw json.RawMessage) *refusal {
	var a struct {
		Buttons []struct {
			Type  string `json:"type"`
			Reply struct {
				ID    string `json:"id"`
				Title string `json:"title"`
			} `json:"reply"`
		} `json:"buttons"`
	}
	if r := strict(raw, &a, "action"); r != nil {
		return r
	}
	if n := len(a.Buttons); n < 1 || n > maxButtons {
		return invalid("Invalid buttons count. Min allowed buttons: 1, Max allowed buttons: %d", maxButtons)
	}
	ids, titles := map[string]bool{}, map[string]bool{}
	for i, b := range a.Buttons {
		if b.Type != "reply" {
			return invalid("button type must be reply")
		}
		if r := first(
			between("Button id", b.Reply.ID, maxButtonID, "interactive", "action", "buttons", i, "reply", "id"),
			between("Button title", b.Reply.Title, maxButtonTitle, "interactive", "action", "buttons", i, "reply", "title"),
		); r != nil {
			return r
		}
		switch {
		case strings.TrimSpace(b.Reply.ID) != b.Reply.ID:
			return invalid("Button id must not begin or end with a space")
		case ids[b.Reply.ID]:
			return invalid("Duplicated button id")
		case titles[b.Reply.Title]:
			return invalid("Duplicated button title")
		}
		ids[b.Reply.ID], titles[b.Reply.Title] = true, true
	}
	return nil
}

type linkAction struct {
	Name       string `json:"name"`
	Parameters struct {
		Text string `json:"display_text"`
		URL  string `json:"url"`
	} `json:"parameters"`
}

func checkLink(raw json.RawMessage) *refusal {
	var a linkAction
	if r := strict(raw, &a, "action"); r != nil {
		return r
	}
	if a.Name != "cta_url" {
		return invalid("action name must be cta_url")
	}
	if a.Parameters.URL == "" {
		return required(place("interactive", "action", "parameters", "url"))
	}
	return first(
		between("Button text", a.Parameters.Text, maxLinkText, "interactive", "action", "parameters", "display_text"),
		webURL("url", a.Parameters.URL))
}

func checkFlow(raw json.RawMessage) *refusal {
	var a struct {
		Name       string `json:"name"`
		Parameters struct {
			Version string `json:"flow_message_version"`
			ID      string `json:"flow_id"`
			Name    string `json:"flow_name"`
			CTA     string `json:"flow_cta"`
			Mode    string `json:"mode"`
			Token   string `json:"flow_token"`
			Action  string `json:"flow_action"`
			Payload *struct {
				Screen string                     `json:"screen"`
				Data   map[string]json.RawMessage `json:"data"`
			} `json:"flow_action_payload"`
		} `json:"parameters"`
	}
	if r := strict(raw, &a, "action"); r != nil {
		return r
	}
	p := a.Parameters
	switch {
	case a.Name != "flow":
		return invalid("action name must be flow")
	case p.Version != "3":
		return invalid("flow_message_version must be 3")
	case (p.ID == "") == (p.Name == ""):
		return invalid("exactly one of flow_id and flow_name is required")
	case p.Mode != "" && p.Mode != "draft" && p.Mode != "published":
		return invalid("mode must be draft or published")
	case p.Action != "" && p.Action != "navigate" && p.Action != "data_exchange":
		return invalid("flow_action must be navigate or data_exchange")
	case p.Payload != nil && p.Action == "data_exchange":
		return invalid("flow_action_payload is only for navigate")
	case p.Payload != nil && p.Payload.Data != nil && len(p.Payload.Data) == 0:
		return invalid("flow_action_payload data must not be empty")
	}
	return between("flow_cta", p.CTA, maxFlowCTA, "interactive", "action", "parameters", "flow_cta")
}

// named checks an action that has only a name.
func named(name string) func(json.RawMessage) *refusal {
	return func(raw json.RawMessage) *refusal {
		var a struct {
			Name string `json:"name"`
		}
		if r := strict(raw, &a, "action"); r != nil {
			return r
		}
		if a.Name != name {
			return invalid("action name must be %s", name)
		}
		return nil
	}
}

func checkAddress(raw json.RawMessage) *refusal {
	var a struct {
		Name       string `json:"name"`
		Parameters struct {
			Country string            `json:"country"`
			Values  map[string]string `json:"values"`
			Saved   []struct {
				ID    string            `json:"id"`
				Value map[string]string `json:"value"`
			} `json:"saved_addresses"`
			Errors map[string]string `json:"validation_errors"`
		} `json:"parameters"`
	}
	if r := strict(raw, &a, "action"); r != nil {
		return r
	}
	if a.Name != "address_message" {
		return invalid("action name must be address_message")
	}
	if a.Parameters.Country != "IN" {
		return invalid("country must be IN")
	}
	return nil
}

func checkCall(raw json.RawMessage) *refusal {
	var a struct {
		Name       string `json:"name"`
		Parameters struct {
			Text    *string `json:"display_text"`
			Minutes *int    `json:"ttl_minutes"`
			Payload *string `json:"payload"`
		} `json:"parameters"`
	}
	if r := strict(raw, &a, "action"); r != nil {
		return r
	}
	if a.Name != "voice_call" {
		return invalid("action name must be voice_call")
	}
	if m := a.Parameters.Minutes; m != nil && (*m < 1 || *m > maxCallMinutes) {
		return invalid("ttl_minutes must be between 1 and %d", maxCallMinutes)
	}
	return first(atMost("display_text", a.Parameters.Text, maxCallText), atMost("payload", a.Parameters.Payload, maxCallPayload))
}
