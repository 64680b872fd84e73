package sandbox_test

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/handbill/handbill/sandbox"
)

// browser starts Chromium, or skips the test if there is none.
func browser(t *testing.T) context.Context {
	t.Helper()
	if testing.Short() {
		t.Skip("a browser is slow")
	}
	path := ""
	for _, name := range []string{"chromium", "chromium-headless-shell", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		t.Skip("no Chromium on this machine")
	}
	// Animations are off: a click during the sheet's animation would miss the
	// button.
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.WindowSize(1320, 900),
		chromedp.Flag("force-prefers-reduced-motion", true))
	if os.Geteuid() == 0 {
		opts = append(opts, chromedp.NoSandbox)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, opts...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	return ctx
}

// TestPhoneInABrowser opens a list, taps a row, fills a cart and writes a
// message, as a person would.
func TestPhoneInABrowser(t *testing.T) {
	ctx := browser(t)
	r := receive(t)
	s := sandbox.New(sandbox.Options{
		Clock: time.Now, AssumeOpen: true, Webhooks: []sandbox.WebhookTarget{{Provider: sandbox.Cloud, URL: r.srv.URL}},
		Statuses: sandbox.StatusMix{Delivered: 1, Read: 1, SentAfter: time.Millisecond, DeliveredAfter: time.Millisecond, ReadAfter: time.Second},
	})
	srv, err := s.Start(context.Background(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	n := &network{Sandbox: s, t: t, url: srv.URL()}
	n.send(sandbox.Cloud, interactive(list("", "Pick one", "", "See offers", section("Plants", `{"id":"sku-1","title":"Aloe","description":"Pot 12 cm"}`))))
	n.send(sandbox.Cloud, interactive(`{"type":"product_list","header":{"type":"text","text":"Offers"},"body":{"text":"b"},"action":{"catalog_id":"100","sections":[{"title":"S","product_items":[`+products(2)+`]}]}}`))
	err = chromedp.Do(ctx,
		chromedp.Navigate(srv.URL()+"/"),
		chromedp.WaitVisible(`.tick.read`),
		chromedp.Click(`.bubble:nth-of-type(1) [data-open]`),
		chromedp.Click(`dialog[open] .row`),
		chromedp.WaitVisible(`.bubble.out`),
		chromedp.Click(`.bubble:nth-of-type(2) [data-open]`),
		chromedp.Click(`dialog[open] .product:nth-of-type(2) [data-more]`),
		chromedp.Click(`dialog[open] [data-cart]`),
		chromedp.WaitVisible(`.bubble.out:nth-of-type(4)`),
		chromedp.SendKeys(`.composer input`, "Is it <b>available</b>?\n"),
		chromedp.WaitVisible(`.bubble.out:nth-of-type(5)`),
	)
	if err != nil {
		t.Fatal(err)
	}
	shown, err := chromedp.Run(ctx, chromedp.Text(`.bubble.out:nth-of-type(5) .text`))
	if err != nil {
		t.Fatal(err)
	}
	page, err := chromedp.Run(ctx, chromedp.Text(`.thread`))
	if err != nil {
		t.Fatal(err)
	}
	if shown != "Is it <b>available</b>?" || !strings.Contains(page, "Cart sent") {
		t.Errorf("the phone shows %q in %s", shown, page)
	}
	wantPosted(t, s, r, `"list_reply":{"description":"Pot 12 cm","id":"sku-1","title":"Aloe"}`, `"id":"`+n.entries()[0].ID+`"`, `"quantity":1`, `"text":{"body":"Is it`)
}

// wantPosted waits until webhooks that contain all these parts have arrived.
func wantPosted(t *testing.T, s *sandbox.Sandbox, r *receiver, parts ...string) {
	t.Helper()
	deadline := time.After(time.Minute)
	for s.Totals().Pending > 0 {
		select {
		case <-deadline:
			t.Fatalf("totals %+v", s.Totals())
		case <-time.After(10 * time.Millisecond):
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	all := strings.Join(r.bodies, "\n")
	for _, p := range parts {
		if !strings.Contains(all, p) {
			t.Errorf("no webhook with %s in\n%s", p, all)
		}
	}
}
