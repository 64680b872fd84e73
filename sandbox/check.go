package sandbox

import (
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
)

// check checks one send against WhatsApp's limits and makes o.kind more specific.
func (o *outbound) check() *refusal {
	switch o.typ {
	case "text":
		return checkText(o.content)
	case "image", "video", "audio", "document", "sticker":
		return checkMedia(o.typ, o.content)
	case "location":
		return checkLocation(o.content)
	case "contacts":
		return checkContacts(o.content)
	case "reaction":
		return checkReaction(o.content)
	case "template":
		return checkTemplate(o.content)
	case "interactive":
		return o.checkInteractive()
	}
	return &refusal{code: 131051, details: "type " + strconv.Quote(o.typ) + " is not a message type"}
}

func checkText(raw json.RawMessage) *refusal {
	var t struct {
		Body       string `json:"body"`
		PreviewURL bool   `json:"preview_url"`
	}
	if r := strict(raw, &t, "text"); r != nil {
		return r
	}
	return between("Text body", t.Body, maxText, "text", "body")
}

type mediaObject struct {
	ID       string  `json:"id"`
	Link     string  `json:"link"`
	Caption  *string `json:"caption"`
	Filename *string `json:"filename"`
	Voice    *bool   `json:"voice"`
}

func checkMedia(typ string, raw json.RawMessage) *refusal {
	var m mediaObject
	if r := strict(raw, &m, typ); r != nil {
		return r
	}
	switch {
	case m.Caption != nil && (typ == "audio" || typ == "sticker"):
		return unexpected("caption", typ)
	case m.Filename != nil && typ != "document":
		return unexpected("filename", typ)
	case m.Voice != nil && typ != "audio":
		return unexpected("voice", typ)
	}
	return first(m.source(typ), atMost("Caption", m.Caption, maxCaption))
}

// source checks that exactly one of id and link names the medium.
func (m mediaObject) source(at string) *refusal {
	switch {
	case m.ID == "" && m.Link == "":
		return required(at + "['id'] or " + at + "['link']")
	case m.ID != "" && m.Link != "":
		return &refusal{code: 100, param: "Invalid parameter", details: at + " takes id or link, not both"}
	case m.Link != "":
		return webURL(at+" link", m.Link)
	}
	return nil
}

func webURL(what, s string) *refusal {
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return invalid("%s is not an http(s) URL", what)
	}
	return nil
}

func checkLocation(raw json.RawMessage) *refusal {
	var l struct {
		Latitude, Longitude decimal
		Name, Address       string
	}
	if r := strict(raw, &l, "location"); r != nil {
		return r
	}
	return first(l.Latitude.within("latitude", 90), l.Longitude.within("longitude", 180))
}

// decimal is a number that Meta takes as a string or as a number.
type decimal string

func (d *decimal) UnmarshalJSON(b []byte) error {
	*d = decimal(strings.Trim(string(b), `"`))
	return nil
}

func (d decimal) within(what string, limit float64) *refusal {
	if d == "" {
		return required(place("location", what))
	}
	v, err := strconv.ParseFloat(string(d), 64)
	if err != nil || v < -limit || v > limit {
		return invalid("%s is not a number of degrees", what)
	}
	return nil
}

func checkContacts(raw json.RawMessage) *refusal {
	type typed struct {
		Type, Email, URL, Phone string
		WaID                    string `json:"wa_id"`
	}
	var list []struct {
		Name struct {
			Formatted string `json:"formatted_name"`
			First     string `json:"first_name"`
			Last      string `json:"last_name"`
			Middle    string `json:"middle_name"`
			Suffix    string `json:"suffix"`
			Prefix    string `json:"prefix"`
		}
		Birthday  string
		Addresses []struct {
			Street, City, State, Zip, Country, Type string
			CountryCode                             string `json:"country_code"`
		}
		Emails, Phones, URLs []typed
		Org                  struct{ Company, Department, Title string }
	}
	if r := strict(raw, &list, "contacts"); r != nil {
		return r
	}
	if len(list) < 1 || len(list) > maxContacts {
		return invalid("Invalid contacts count. Min allowed contacts: 1, Max allowed contacts: %d", maxContacts)
	}
	for i, c := range list {
		if c.Name.Formatted == "" {
			return required(place("contacts", i, "name", "formatted_name"))
		}
	}
	return nil
}

func checkReaction(raw json.RawMessage) *refusal {
	var re struct {
		MessageID string  `json:"message_id"`
		Emoji     *string `json:"emoji"`
	}
	if r := strict(raw, &re, "reaction"); r != nil {
		return r
	}
	if re.MessageID == "" {
		return required(place("reaction", "message_id"))
	}
	if re.Emoji == nil {
		return required(place("reaction", "emoji"))
	}
	return nil
}
