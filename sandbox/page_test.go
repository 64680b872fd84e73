package sandbox_test

import (
	"strings"
	"testing"
	"time"

	"github.com/handbill/handbill/sandbox"
)

// TestPhonePage checks that the phone shows what a campaign sent, escaped and
// with its ticks.
func TestPhonePage(t *testing.T) {
	n := serve(t, sandbox.Options{Statuses: sandbox.StatusMix{Delivered: 1, Read: 1, SentAfter: time.Second}}).open()
	n.send(sandbox.Cloud, text(`Hi <script>alert(1)</script> *Ana*`))
	n.send(sandbox.Cloud, interactive(list("", "Pick one", "", "See offers", section("Plants", `{"id":"sku-1","title":"Aloe","description":"Pot 12 cm"}`))))
	n.send(sandbox.Cloud, interactive(buttons(replyButtons(2))))
	n.send(sandbox.Cloud, interactive(`{"type":"cta_url","body":{"text":"b"},"action":{"name":"cta_url","parameters":{"display_text":"Open","url":"https://shop.example/s"}}}`))
	n.send(sandbox.Cloud, interactive(`{"type":"product_list","header":{"type":"text","text":"Offers"},"body":{"text":"b"},"action":{"catalog_id":"100","sections":[{"title":"S","product_items":[`+products(2)+`]}]}}`))
	n.send(sandbox.Cloud, interactive(`{"type":"carousel","body":{"text":"b"},"action":{"cards":[`+cards(2, "card")+`]}}`))
	n.send(sandbox.Cloud, template(bodyParam("Ana")+`,{"type":"button","sub_type":"quick_reply","index":0,"parameters":[{"type":"payload","payload":"stop"}]}`))
	n.send(sandbox.Cloud, message(`"type":"image","image":{"link":"https://shop.example/a.jpg","caption":"Spring"}`))
	if _, err := n.Inbound(sandbox.Inbound{Provider: sandbox.Cloud, Number: "106540352242922", From: user, Name: `<img src=x onerror=alert(1)>`, Text: `"><svg onload=alert(1)>`}); err != nil {
		t.Fatal(err)
	}
	n.clock.Advance(time.Minute)
	got := n.get("/")
	for _, want := range []string{
		"&lt;script&gt;alert(1)&lt;/script&gt;", "<b>Ana</b>", "Pick one", `data-tap="list_reply" data-id="sku-1"`, "Pot 12 cm",
		`data-tap="button_reply" data-id="b0"`, `href="https://shop.example/s"`, `data-product="p1"`, "Send cart", "Template spring_sale",
		`data-tap="button" data-id="stop"`, "a.jpg", `class="tick read" title="read">✓✓`, "&lt;svg onload",
	} {
		if !strings.Contains(got.body, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	for _, bad := range []string{"<script>alert", "<svg onload", "<img src=x"} {
		if strings.Contains(got.body, bad) {
			t.Errorf("the page holds %s", bad)
		}
	}
	if p := got.header.Get("Content-Security-Policy"); !strings.Contains(p, "default-src 'none'") || strings.Contains(p, "unsafe") {
		t.Errorf("policy %q", p)
	}
	for path, want := range map[string]string{
		"/_sandbox/chats": `"word":"read"`, "/?chat=kaleyra/919812345678/" + user: `data-provider="kaleyra"`,
		"/_sandbox/web/page.js": "use strict", "/_sandbox/web/page.css": ".bubble", "/?chat=nonsense": `data-provider="cloud"`,
	} {
		if got := n.get(path); got.status != 200 || !strings.Contains(got.body, want) {
			t.Errorf("%s: %d lacks %s", path, got.status, want)
		}
	}
	if got := n.get("/no-such-page"); got.status != 404 {
		t.Errorf("unknown path: %d", got.status)
	}
}
