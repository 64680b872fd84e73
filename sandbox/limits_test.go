package sandbox_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/handbill/handbill/sandbox"
)

func list(header, body, footer, button, sections string) string {
	return fmt.Sprintf(`{"type":"list"%s,"body":{"text":%q}%s,"action":{"button":%q,"sections":[%s]}}`, header, body, footer, button, sections)
}

func rows(from, n int) string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf(`{"id":"r%d","title":"Row %d"}`, from+i, from+i))
	}
	return strings.Join(out, ",")
}

func section(title, rows string) string { return fmt.Sprintf(`{"title":%q,"rows":[%s]}`, title, rows) }

func products(n int) string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf(`{"product_retailer_id":"p%d"}`, i))
	}
	return strings.Join(out, ",")
}

func repeat(n int, f func(i int) string) string {
	var out []string
	for i := range n {
		out = append(out, f(i))
	}
	return strings.Join(out, ",")
}

func replyButtons(n int) string {
	return repeat(n, func(i int) string {
		return fmt.Sprintf(`{"type":"reply","reply":{"id":"b%d","title":"Button %d"}}`, i, i)
	})
}

func buttons(list string) string {
	return `{"type":"button","body":{"text":"Keep it?"},"action":{"buttons":[` + list + `]}}`
}

func button(id, title string) string {
	return fmt.Sprintf(`{"type":"reply","reply":{"id":%q,"title":%q}}`, id, title)
}

func cards(n int, body string) string {
	return repeat(n, func(i int) string {
		return fmt.Sprintf(`{"card_index":%d,"type":"cta_url","header":{"type":"image","image":{"link":"https://shop.example/%d.jpg"}},"body":{"text":%q},"action":{"name":"cta_url","parameters":{"display_text":"Buy","url":"https://shop.example/%d"}}}`, i, i, body, i)
	})
}

func template(components string) string {
	return message(`"type":"template","template":{"name":"spring_sale","language":{"code":"en_US"},"components":[` + components + `]}`)
}

func bodyParam(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return `{"type":"body","parameters":[{"type":"text","text":` + string(b) + `}]}`
}

// TestLimits sends a message that is just within each limit and one that is
// just over it.
func TestLimits(t *testing.T) {
	one := section("S", rows(0, 1))
	link := func(text, url string) string {
		return interactive(fmt.Sprintf(`{"type":"cta_url","body":{"text":"b"},"action":{"name":"cta_url","parameters":{"display_text":%q,"url":%q}}}`, text, url))
	}
	productList := func(sections string) string {
		return interactive(`{"type":"product_list","header":{"type":"text","text":"H"},"body":{"text":"B"},"action":{"catalog_id":"1","sections":[` + sections + `]}}`)
	}
	flow := func(cta, extra string) string {
		return interactive(fmt.Sprintf(`{"type":"flow","body":{"text":"b"},"action":{"name":"flow","parameters":{"flow_message_version":"3","flow_id":"1","flow_cta":%q%s}}}`, cta, extra))
	}
	carousel := func(cards string) string {
		return interactive(`{"type":"carousel","body":{"text":"b"},"action":{"cards":[` + cards + `]}}`)
	}
	cases := []struct{ name, good, bad, want string }{
		{"text body", text(x(4096)), text(x(4097)), "Max length: 4096"},
		{"text body empty", text("x"), text(""), "text['body']"},
		{"text body blank", text("x"), text("  "), "must not be blank"},
		{"opaque", message(`"type":"text","text":{"body":"b"},"biz_opaque_callback_data":"` + x(512) + `"`), message(`"type":"text","text":{"body":"b"},"biz_opaque_callback_data":"` + x(513) + `"`), "512"},
		{"caption", message(`"type":"image","image":{"id":"1","caption":"` + x(1024) + `"}`), message(`"type":"image","image":{"id":"1","caption":"` + x(1025) + `"}`), "Max length is 1024"},
		{"media source", message(`"type":"image","image":{"id":"1"}`), message(`"type":"image","image":{"id":"1","link":"https://a.example/1.jpg"}`), "not both"},
		{"media link", message(`"type":"image","image":{"link":"https://a.example/1.jpg"}`), message(`"type":"image","image":{"link":"ftp://a.example/1.jpg"}`), "URL"},
		{"audio caption", message(`"type":"audio","audio":{"id":"1","voice":true}`), message(`"type":"audio","audio":{"id":"1","caption":"c"}`), "caption"},
		{"unknown field", text("x"), message(`"type":"text","text":{"body":"b","bold":true}`), "bold"},
		{"two contents", text("x"), message(`"type":"text","text":{"body":"b"},"image":{"id":"1"}`), "beside"},
		{"latitude", message(`"type":"location","location":{"latitude":"90","longitude":"0"}`), message(`"type":"location","location":{"latitude":"90.1","longitude":"0"}`), "latitude"},
		{"list header", interactive(list(`,"header":{"type":"text","text":"`+x(60)+`"}`, "b", "", "B", one)), interactive(list(`,"header":{"type":"text","text":"`+x(61)+`"}`, "b", "", "B", one)), "Header text"},
		{"list header kind", interactive(list("", "b", "", "B", one)), interactive(list(`,"header":{"type":"image","image":{"id":"1"}}`, "b", "", "B", one)), "Text cannot be null for header type text"},
		{"list body", interactive(list("", x(1024), "", "B", one)), interactive(list("", x(1025), "", "B", one)), "Body text length invalid. Min length: 1, Max length: 1024"},
		{"list footer", interactive(list("", "b", `,"footer":{"text":"`+x(60)+`"}`, "B", one)), interactive(list("", "b", `,"footer":{"text":"`+x(61)+`"}`, "B", one)), "Footer text"},
		{"list button", interactive(list("", "b", "", x(20), one)), interactive(list("", "b", "", x(21), one)), "Button label"},
		{"list rows", interactive(list("", "b", "", "B", section("A", rows(0, 5))+","+section("B", rows(5, 5)))), interactive(list("", "b", "", "B", section("A", rows(0, 5))+","+section("B", rows(5, 6)))), "Total row count exceed max allowed count: 10"},
		{"list sections", interactive(list("", "b", "", "B", repeat(10, func(i int) string { return section("S", rows(i, 1)) }))), interactive(list("", "b", "", "B", repeat(11, func(i int) string { return section("S", rows(i, 1)) }))), "Invalid sections count"},
		{"list section title", interactive(list("", "b", "", "B", section(x(24), rows(0, 1)))), interactive(list("", "b", "", "B", section(x(25), rows(0, 1)))), "Section title"},
		{"list titles of two", interactive(list("", "b", "", "B", section("", rows(0, 1)))), interactive(list("", "b", "", "B", section("", rows(0, 1))+","+section("B", rows(1, 1)))), "['sections'][0]['title']"},
		{"list empty section", interactive(list("", "b", "", "B", one)), interactive(list("", "b", "", "B", section("S", ""))), "['rows']"},
		{"row id", interactive(list("", "b", "", "B", section("S", `{"id":"`+x(200)+`","title":"T"}`))), interactive(list("", "b", "", "B", section("S", `{"id":"`+x(201)+`","title":"T"}`))), "Row id is too long. Max length is 200"},
		{"row id unique", interactive(list("", "b", "", "B", section("S", rows(0, 2)))), interactive(list("", "b", "", "B", section("S", `{"id":"1","title":"A"},{"id":"1","title":"B"}`))), "Duplicated row id"},
		{"row title", interactive(list("", "b", "", "B", section("S", `{"id":"1","title":"`+x(24)+`"}`))), interactive(list("", "b", "", "B", section("S", `{"id":"1","title":"`+x(25)+`"}`))), "Row title is too long. Max length is 24"},
		{"row description", interactive(list("", "b", "", "B", section("S", `{"id":"1","title":"T","description":"`+x(72)+`"}`))), interactive(list("", "b", "", "B", section("S", `{"id":"1","title":"T","description":"`+x(73)+`"}`))), "Row description"},
		{"buttons", interactive(buttons(replyButtons(3))), interactive(buttons(replyButtons(4))), "Invalid buttons count. Min allowed buttons: 1, Max allowed buttons: 3"},
		{"button id", interactive(buttons(button(x(256), "T"))), interactive(buttons(button(x(257), "T"))), "Button id"},
		{"button id spaces", interactive(buttons(button("a", "T"))), interactive(buttons(button("a ", "T"))), "space"},
		{"button title", interactive(buttons(button("a", x(20)))), interactive(buttons(button("a", x(21)))), "Button title length invalid. Min length: 1, Max length: 20"},
		{"button titles unique", interactive(buttons(button("a", "A") + "," + button("b", "B"))), interactive(buttons(button("a", "A") + "," + button("b", "A"))), "Duplicated button title"},
		{"button header", interactive(`{"type":"button","header":{"type":"image","image":{"id":"1"}},"body":{"text":"b"},"action":{"buttons":[` + replyButtons(1) + `]}}`), interactive(`{"type":"button","header":{"type":"audio","audio":{"id":"1"}},"body":{"text":"b"},"action":{"buttons":[` + replyButtons(1) + `]}}`), "audio"},
		{"link text", link(x(20), "https://a.example"), link(x(21), "https://a.example"), "Button text"},
		{"link URL", link("Open", "https://a.example"), link("Open", "javascript:alert(1)"), "URL"},
		{"product", interactive(`{"type":"product","action":{"catalog_id":"1","product_retailer_id":"p"}}`), interactive(`{"type":"product","header":{"type":"text","text":"H"},"action":{"catalog_id":"1","product_retailer_id":"p"}}`), "header"},
		{"product list header", productList(`{"title":"S","product_items":[` + products(1) + `]}`), interactive(`{"type":"product_list","body":{"text":"B"},"action":{"catalog_id":"1","sections":[{"title":"S","product_items":[` + products(1) + `]}]}}`), "header"},
		{"products", productList(`{"title":"S","product_items":[` + products(30) + `]}`), productList(`{"title":"S","product_items":[` + products(31) + `]}`), "Total product count"},
		{"product titles", productList(`{"product_items":[` + products(1) + `]}`), productList(`{"title":"A","product_items":[` + products(1) + `]},{"product_items":[` + products(1) + `]}`), "title"},
		{"catalog body", interactive(`{"type":"catalog_message","body":{"text":"b"},"action":{"name":"catalog_message"}}`), interactive(`{"type":"catalog_message","action":{"name":"catalog_message"}}`), "body"},
		{"flow cta", flow(x(30), ""), flow(x(31), ""), "flow_cta"},
		{"flow id", flow("Go", ""), flow("Go", `,"flow_name":"f"`), "exactly one"},
		{"flow data", flow("Go", `,"flow_action_payload":{"screen":"S"}`), flow("Go", `,"flow_action_payload":{"screen":"S","data":{}}`), "must not be empty"},
		{"cards", carousel(cards(10, "b")), carousel(cards(11, "b")), "Invalid cards count"},
		{"cards at least", carousel(cards(2, "b")), carousel(cards(1, "b")), "Invalid cards count"},
		{"card body", carousel(cards(2, x(160))), carousel(cards(2, x(161))), "Card body"},
		{"location request", interactive(`{"type":"location_request_message","body":{"text":"b"},"action":{"name":"send_location"}}`), interactive(`{"type":"location_request_message","body":{"text":"b"},"footer":{"text":"f"},"action":{"name":"send_location"}}`), "footer"},
		{"call minutes", interactive(`{"type":"voice_call","body":{"text":"b"},"action":{"name":"voice_call","parameters":{"ttl_minutes":43200}}}`), interactive(`{"type":"voice_call","body":{"text":"b"},"action":{"name":"voice_call","parameters":{"ttl_minutes":43201}}}`), "ttl_minutes"},
		{"template parameter", template(bodyParam("Ana")), template(bodyParam("")), "empty"},
		{"template newline", template(bodyParam("a    b")), template(bodyParam("a\nb")), "132018"},
		{"template spaces", template(bodyParam("a    b")), template(bodyParam("a     b")), "132018"},
		{"template length", template(bodyParam(x(1024))), template(bodyParam(x(1025))), "132005"},
		{"template header", template(`{"type":"header","parameters":[{"type":"text","text":"a"}]}`), template(`{"type":"header","parameters":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}`), "132000"},
		{"template coupon", template(`{"type":"button","sub_type":"copy_code","index":0,"parameters":[{"type":"coupon_code","coupon_code":"` + x(20) + `"}]}`), template(`{"type":"button","sub_type":"copy_code","index":"0","parameters":[{"type":"coupon_code","coupon_code":"` + x(21) + `"}]}`), "coupon_code"},
		{"template button index", template(`{"type":"button","sub_type":"quick_reply","index":"9","parameters":[{"type":"payload","payload":"p"}]}`), template(`{"type":"button","sub_type":"quick_reply","index":"10","parameters":[{"type":"payload","payload":"p"}]}`), "index"},
		{"template name", template(""), strings.Replace(template(""), "spring_sale", "Spring", 1), "132001"},
		{"to", text("x"), strings.Replace(text("x"), user, "Ana", 1), "phone number"},
	}
	n := serve(t, sandbox.Options{AssumeOpen: true, Throughput: -1})
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := n.send(sandbox.Cloud, c.good); got.status != 200 {
				t.Errorf("within the limit: %d %s", got.status, got.body)
			}
			got := n.send(sandbox.Cloud, c.bad)
			if got.status < 400 || got.status > 404 || !strings.Contains(unquote(t, got.body), c.want) {
				t.Errorf("over the limit: want %q, got %d %s", c.want, got.status, got.body)
			}
		})
	}
}

// unquote joins the texts of an error object.
func unquote(t *testing.T, body string) string {
	t.Helper()
	var e struct {
		Error struct {
			Message string
			Data    struct{ Details string } `json:"error_data"`
		}
	}
	if err := json.Unmarshal([]byte(body), &e); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return e.Error.Message + " | " + e.Error.Data.Details
}
