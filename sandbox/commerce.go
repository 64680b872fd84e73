package sandbox

import (
	"encoding/json"
	"strings"
)

type productAction struct {
	Name      string           `json:"name"`
	CatalogID string           `json:"catalog_id"`
	ProductID string           `json:"product_retailer_id"`
	Sections  []productSection `json:"sections"`
}

type productSection struct {
	Title *string `json:"title"`
	Items []struct {
		ID string `json:"product_retailer_id"`
	} `json:"product_items"`
}

func checkProduct(raw json.RawMessage) *refusal {
	var a productAction
	if r := strict(raw, &a, "action"); r != nil {
		return r
	}
	switch {
	case a.CatalogID == "":
		return required(place("interactive", "action", "catalog_id"))
	case a.ProductID == "":
		return required(place("interactive", "action", "product_retailer_id"))
	case a.Sections != nil:
		return unexpected("sections", "action")
	}
	return nil
}

func checkProductList(raw json.RawMessage) *refusal {
	var a productAction
	if r := strict(raw, &a, "action"); r != nil {
		return r
	}
	switch {
	case a.CatalogID == "":
		return required(place("interactive", "action", "catalog_id"))
	case a.ProductID != "":
		return unexpected("product_retailer_id", "action")
	}
	return checkProductSections(a.Sections)
}

func checkProductSections(sections []productSection) *refusal {
	if n := len(sections); n < 1 || n > maxSections {
		return invalid("Invalid sections count. Min allowed sections: 1, Max allowed sections: %d", maxSections)
	}
	total := 0
	for i, s := range sections {
		if r := sectionTitle(s.Title, len(sections), i); r != nil {
			return r
		}
		if len(s.Items) == 0 {
			return required(place("interactive", "action", "sections", i, "product_items"))
		}
		if total += len(s.Items); total > maxProducts {
			return invalid("Total product count exceed max allowed count: %d", maxProducts)
		}
		for j, it := range s.Items {
			if it.ID == "" {
				return required(place("interactive", "action", "sections", i, "product_items", j, "product_retailer_id"))
			}
		}
	}
	return nil
}

func checkCatalog(raw json.RawMessage) *refusal {
	var a struct {
		Name       string `json:"name"`
		Parameters *struct {
			Thumbnail string `json:"thumbnail_product_retailer_id"`
		} `json:"parameters"`
	}
	if r := strict(raw, &a, "action"); r != nil {
		return r
	}
	if a.Name != "catalog_message" {
		return invalid("action name must be catalog_message")
	}
	if a.Parameters != nil && a.Parameters.Thumbnail == "" {
		return required(place("interactive", "action", "parameters", "thumbnail_product_retailer_id"))
	}
	return nil
}

type card struct {
	Index  *int            `json:"card_index"`
	Type   string          `json:"type"`
	Header json.RawMessage `json:"header"`
	Body   *textPart       `json:"body"`
	Action json.RawMessage `json:"action"`
}

func checkCarousel(raw json.RawMessage) *refusal {
	var a struct {
		Cards []card `json:"cards"`
	}
	if r := strict(raw, &a, "action"); r != nil {
		return r
	}
	if n := len(a.Cards); n < minCards || n > maxCards {
		return invalid("Invalid cards count. Min allowed cards: %d, Max allowed cards: %d", minCards, maxCards)
	}
	seen, kind := map[int]bool{}, ""
	for i, c := range a.Cards {
		if c.Index == nil {
			return required(place("interactive", "action", "cards", i, "card_index"))
		}
		if *c.Index < 0 || *c.Index >= maxCards || seen[*c.Index] {
			return invalid("card_index must be unique and between 0 and %d", maxCards-1)
		}
		seen[*c.Index] = true
		k, r := c.check()
		if r != nil {
			return r
		}
		if i > 0 && k != kind {
			return invalid("all cards must have the same kind and number of buttons")
		}
		kind = k
	}
	return nil
}

// check returns the card's kind, which must be the same on all cards.
func (c card) check() (kind string, r *refusal) {
	if c.Type == "product" {
		var p productAction
		if r := strict(c.Action, &p, "card action"); r != nil {
			return "", r
		}
		if c.Header != nil || p.CatalogID == "" || p.ProductID == "" {
			return "", invalid("a product card has a catalog_id and a product_retailer_id and no header")
		}
		return "product " + p.CatalogID, nil
	}
	if c.Header == nil {
		return "", required("card header")
	}
	var h headerPart
	if r := strict(c.Header, &h, "card header"); r != nil {
		return "", r
	}
	if h.Type != "image" && h.Type != "video" {
		return "", invalid("a card's header is an image or a video")
	}
	media := h.Image
	if h.Type == "video" {
		media = h.Video
	}
	buttons, r := c.buttons()
	return h.Type + " " + buttons, first(checkHeaderMedia(h.Type, media), c.checkBody(), r)
}

func (c card) checkBody() *refusal {
	if c.Body == nil {
		return nil
	}
	if strings.Count(c.Body.Text, "\n") > maxCardBreaks {
		return invalid("Card body has more than %d line breaks", maxCardBreaks)
	}
	return atMost("Card body", &c.Body.Text, maxCardBody)
}

func (c card) buttons() (kind string, r *refusal) {
	var a struct {
		Name       string          `json:"name"`
		Parameters json.RawMessage `json:"parameters"`
		Buttons    []struct {
			Type  string `json:"type"`
			Quick struct {
				ID    string `json:"id"`
				Title string `json:"title"`
			} `json:"quick_reply"`
		} `json:"buttons"`
	}
	if r := strict(c.Action, &a, "card action"); r != nil {
		return "", r
	}
	if a.Buttons == nil {
		return "cta_url", checkLink(c.Action)
	}
	for _, b := range a.Buttons {
		if b.Type != "quick_reply" {
			return "", invalid("card button type must be quick_reply")
		}
		if r := first(
			between("Button id", b.Quick.ID, maxButtonID, "quick_reply['id']"),
			between("Button title", b.Quick.Title, maxButtonTitle, "quick_reply['title']")); r != nil {
			return "", r
		}
	}
	if len(a.Buttons) == 0 {
		return "", invalid("a card needs a button")
	}
	return strings.Repeat("quick_reply ", len(a.Buttons)), nil
}
