package sandbox

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// phoneView is one phone of the page.
type phoneView struct {
	Key, Provider, Number, Display, User, Name string
	Open                                       bool // the 24-hour window
	Bubbles                                    []bubbleView
}

// bubbleView is one message as WhatsApp draws it.
type bubbleView struct {
	ID, Wamid string
	Out       bool // from the business
	Quote     string
	Media     string // "image", "video", …: drawn as a placeholder
	MediaName string
	Title     string // header
	Text      []run
	Footer    string
	Label     string // a small caption above: "Template spring_sale"
	Sheet     *sheetView
	Taps      []tapView
	Cards     []cardView
	Time      string
	Tick      string // "", "✓", "✓✓", "!"
	Word      string // sent, delivered, read, failed 131026
}

// run is a stretch of text in one style of WhatsApp's formatting.
type run struct{ Style, Text string }

// tapView is something to tap: its label, and the inbound message that a tap
// sends. Without Type it is a link.
type tapView struct{ Type, ID, Title, Description, URL string }

// sheetView slides up: a list's rows or a catalog's products.
type sheetView struct {
	Button, Title, Catalog string
	Sections               []sheetSection
}

type sheetSection struct {
	Title    string
	Rows     []tapView
	Products []productView
}

// productView is a product with an invented price: the sandbox has no catalog.
type productView struct{ ID, Price string }

type cardView struct {
	Media, MediaName string
	Text             []run
	Taps             []tapView
	Product          *productView
	Catalog          string
}

// phone draws a chat.
func (s *Sandbox) phone(c chat, now time.Time) phoneView {
	p := phoneView{
		Key: chatKey(c.num, c.user), Provider: string(c.num.provider), Number: c.num.id,
		Display: "+" + c.num.display, User: c.user, Name: c.name, Open: s.opt.AssumeOpen || c.num.windowOpen(c.user, now),
	}
	if !isUserID(c.user) {
		p.User = "+" + c.user
	}
	texts := map[string]string{}
	for _, b := range c.bubbles {
		v := bubbleView{ID: "m" + hex.EncodeToString([]byte(b.id)), Wamid: b.id, Out: b.out, Time: b.at.Format("15:04")}
		if b.out {
			s.drawSent(&v, b)
		} else {
			drawInbound(&v, b.in)
		}
		v.Quote = texts[b.context]
		texts[b.id] = v.plain()
		p.Bubbles = append(p.Bubbles, v)
	}
	return p
}

// plain returns the start of the text, for quotes.
func (v bubbleView) plain() string {
	var b strings.Builder
	for _, r := range v.Text {
		b.WriteString(r.Text)
	}
	if b.Len() == 0 {
		return v.Title + v.Label + v.MediaName
	}
	if r := []rune(b.String()); len(r) > 80 {
		return string(r[:80]) + "…"
	}
	return b.String()
}

func (s *Sandbox) drawSent(v *bubbleView, b bubble) {
	if _, steps, ok := s.History(b.id); ok && len(steps) > 0 {
		last := steps[len(steps)-1]
		v.Word = last.Word
		v.Tick = map[string]string{"sent": "✓", "delivered": "✓✓", "read": "✓✓", "failed": "!"}[last.Word]
		if last.Code != 0 {
			v.Word = fmt.Sprintf("failed %d", last.Code)
		}
	}
	switch b.typ {
	case "interactive":
		drawInteractive(v, b.content)
	case "template":
		drawTemplate(v, b.content)
	case "text":
		var t struct{ Body string }
		decodeDrawn(b.content, &t)
		v.Text = runs(t.Body)
	default:
		drawOther(v, b.typ, b.content)
	}
}

// decodeDrawn reads content that was checked before; what doesn't fit is not
// drawn.
func decodeDrawn(raw json.RawMessage, into any) { _ = json.Unmarshal(raw, into) }

type drawnAction struct {
	Button    string
	CatalogID string `json:"catalog_id"`
	ProductID string `json:"product_retailer_id"`
	Sections  []struct {
		Title string
		Rows  []struct{ ID, Title, Description string }
		Items []struct {
			ID string `json:"product_retailer_id"`
		} `json:"product_items"`
	}
	Buttons []struct {
		Reply struct{ ID, Title string }
		Quick struct{ ID, Title string } `json:"quick_reply"`
	}
	Parameters struct {
		Text  string `json:"display_text"`
		URL   string
		CTA   string `json:"flow_cta"`
		Thumb string `json:"thumbnail_product_retailer_id"`
	}
	Cards []struct {
		Header headerPart
		Body   textPart
		Action drawnAction
	}
}

func drawInteractive(v *bubbleView, raw json.RawMessage) {
	var m struct {
		Type         string
		Header       headerPart
		Body, Footer textPart
		Action       drawnAction
	}
	decodeDrawn(raw, &m)
	v.Text, v.Footer, v.Title = runs(m.Body.Text), m.Footer.Text, m.Header.Text
	v.Media, v.MediaName = headerMedia(m.Header)
	a := m.Action
	v.Taps = a.taps()
	switch m.Type {
	case "list", "product_list":
		v.Sheet = a.sheet(m.Header.Text)
	case "product":
		v.Sheet = &sheetView{Button: "View", Title: a.ProductID, Catalog: a.CatalogID, Sections: []sheetSection{{Products: []productView{product(a.ProductID)}}}}
	case "catalog_message":
		v.Label = "Catalog"
		if a.Parameters.Thumb != "" {
			v.Sheet = &sheetView{Button: "View catalog", Title: "Catalog", Catalog: "catalog", Sections: []sheetSection{{Products: []productView{product(a.Parameters.Thumb)}}}}
		}
	case "flow":
		v.Taps = []tapView{{Type: "flow", Title: a.Parameters.CTA}}
	case "location_request_message":
		v.Taps = []tapView{{Type: "location", Title: "Send location"}}
	case "carousel":
		for _, c := range a.Cards {
			cv := cardView{Text: runs(c.Body.Text), Taps: c.Action.taps(), Catalog: c.Action.CatalogID}
			cv.Media, cv.MediaName = headerMedia(c.Header)
			if c.Action.ProductID != "" {
				p := product(c.Action.ProductID)
				cv.Product = &p
			}
			v.Cards = append(v.Cards, cv)
		}
	case "address_message", "voice_call", "call_permission_request", "request_contact_info":
		v.Label = strings.ReplaceAll(m.Type, "_", " ")
	}
}

func (a drawnAction) taps() []tapView {
	var out []tapView
	for _, b := range a.Buttons {
		if b.Quick.Title != "" {
			b.Reply = b.Quick
		}
		out = append(out, tapView{Type: "button_reply", ID: b.Reply.ID, Title: b.Reply.Title})
	}
	if a.Parameters.URL != "" {
		out = append(out, tapView{Title: a.Parameters.Text, URL: a.Parameters.URL})
	}
	return out
}

func (a drawnAction) sheet(title string) *sheetView {
	sh := &sheetView{Button: a.Button, Title: a.Button, Catalog: a.CatalogID}
	if a.CatalogID != "" {
		sh.Button, sh.Title = "View items", title
	}
	for _, s := range a.Sections {
		sec := sheetSection{Title: s.Title}
		for _, r := range s.Rows {
			sec.Rows = append(sec.Rows, tapView{Type: "list_reply", ID: r.ID, Title: r.Title, Description: r.Description})
		}
		for _, it := range s.Items {
			sec.Products = append(sec.Products, product(it.ID))
		}
		sh.Sections = append(sh.Sections, sec)
	}
	return sh
}

func product(id string) productView {
	return productView{id, fmt.Sprintf("%d.%02d", 5+hashString(3, id)%90, hashString(4, id)%2*50)}
}

func headerMedia(h headerPart) (typ, name string) {
	raw := map[string]json.RawMessage{"image": h.Image, "video": h.Video, "document": h.Document}[h.Type]
	if raw == nil {
		return "", ""
	}
	var m mediaObject
	decodeDrawn(raw, &m)
	return h.Type, m.name()
}

// name returns the text of a medium's placeholder.
func (m mediaObject) name() string {
	switch {
	case m.Filename != nil:
		return *m.Filename
	case m.Link != "":
		return m.Link[strings.LastIndex(m.Link, "/")+1:]
	}
	return "media " + m.ID
}

func drawTemplate(v *bubbleView, raw json.RawMessage) {
	var t templateObject
	decodeDrawn(raw, &t)
	v.Label = "Template " + t.Name + " · " + t.Language.Code
	for _, c := range t.Components {
		var ps []parameter
		decodeDrawn(c.Parameters, &ps)
		switch strings.ToLower(c.Type) {
		case "header":
			for _, p := range ps {
				drawHeaderParameter(v, p)
			}
		case "body":
			for i, p := range ps {
				v.Text = append(v.Text, run{"", fmt.Sprintf("{{%s}} ", paramName(p, i))}, run{"b", paramText(p) + "\n"})
			}
		case "button":
			drawTemplateButton(v, c, ps)
		case "carousel":
			v.Footer = fmt.Sprintf("%d cards", len(c.Cards))
		}
	}
}

func drawHeaderParameter(v *bubbleView, p parameter) {
	for typ, m := range map[string]*mediaObject{"image": p.Image, "video": p.Video, "document": p.Document} {
		if m != nil {
			v.Media, v.MediaName = typ, m.name()
		}
	}
	if p.Text != nil {
		v.Title = *p.Text
	}
}

func drawTemplateButton(v *bubbleView, c component, ps []parameter) {
	title := "Button " + string(c.Index)
	for _, p := range ps {
		switch {
		case p.Payload != nil:
			v.Taps = append(v.Taps, tapView{Type: "button", ID: *p.Payload, Title: *p.Payload})
			return
		case p.Coupon != nil:
			title = "Copy code " + *p.Coupon
		case p.Text != nil:
			title = "Open …" + *p.Text
		}
	}
	v.Taps = append(v.Taps, tapView{Title: title})
}

func paramName(p parameter, i int) string {
	if p.Name != "" {
		return p.Name
	}
	return fmt.Sprint(i + 1)
}

func paramText(p parameter) string {
	switch {
	case p.Text != nil:
		return *p.Text
	case p.Currency != nil:
		return p.Currency.Fallback
	case p.DateTime != nil:
		return p.DateTime.Fallback
	}
	return p.Type
}

func drawOther(v *bubbleView, typ string, raw json.RawMessage) {
	var m struct {
		mediaObject
		Name, Address, Emoji string
	}
	decodeDrawn(raw, &m)
	switch typ {
	case "location":
		v.Media, v.MediaName = "location", m.Name
	case "reaction":
		v.Text = []run{{"", m.Emoji}}
	case "contacts":
		v.Media, v.MediaName = "contact", "Contact"
	default:
		v.Media, v.MediaName = typ, m.name()
		if m.Caption != nil {
			v.Text = runs(*m.Caption)
		}
	}
}

func drawInbound(v *bubbleView, in Inbound) {
	switch in.Type {
	case "list_reply", "button_reply", "button":
		v.Text, v.Footer = []run{{"b", in.Title}}, in.Description
	case "order":
		v.Label, v.Text = "Cart sent", runs(in.Text)
		for _, it := range in.Items {
			v.Text = append(v.Text, run{"", fmt.Sprintf("%d × %s, %.2f %s\n", it.Quantity, it.Product, it.Price, it.Currency)})
		}
	case "text":
		v.Text = runs(in.Text)
	case "reaction":
		v.Text = []run{{"", in.Emoji}}
	case "flow":
		v.Label = "Form sent"
	default:
		v.Media, v.MediaName, v.Text = in.Type, in.Filename, runs(in.Text)
	}
}

// runs splits a text at WhatsApp's *bold*, _italic_ and ~strike~.
func runs(s string) []run {
	styles := map[byte]string{'*': "b", '_': "i", '~': "s"}
	var out []run
	start := 0
	for i := 0; i < len(s); i++ {
		style, ok := styles[s[i]]
		if !ok || (i > 0 && isWord(s[i-1])) {
			continue
		}
		end := strings.IndexByte(s[i+1:], s[i])
		if end < 1 || strings.ContainsAny(s[i+1:i+1+end], "\n") || s[i+1] == ' ' {
			continue
		}
		if after := i + 2 + end; after < len(s) && isWord(s[after]) {
			continue
		}
		out = append(out, run{"", s[start:i]}, run{style, s[i+1 : i+1+end]})
		i += end + 1
		start = i + 1
	}
	return append(out, run{"", s[start:]})
}

func isWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c >= 0x80
}
