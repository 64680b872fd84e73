package view_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/plan"
)

// TestPageInABrowser opens a page that contains the attacks: the style applies,
// nothing is loaded, and the browser reports no problems.
func TestPageInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser is slow")
	}
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("no Chromium on this machine")
	}
	all := canary + strings.Join(attacks, canary)
	tree := func(title string) *lang.Tree {
		return &lang.Tree{Attributes: []lang.Attribute{{Name: "body", Value: value(all)}, {Name: "button", Value: value("Open")}},
			Blocks: []lang.Block{{Type: "section", Labels: []string{"S"}, Tree: lang.Tree{Blocks: []lang.Block{{Type: "row", Labels: []string{"a"}, Tree: lang.Tree{Attributes: []lang.Attribute{{Name: "title", Value: value(title)}}}}}}}}}
	}
	r := &view.PlanReport{Plan: &plan.Plan{At: time.Unix(0, 0), Digest: "sha256:0",
		Resources: []plan.ResourceChange{{Address: "list_message.l", Type: "list_message", Change: "update", Before: tree("Old"), After: tree("New")}},
		Campaigns: []plan.Campaign{{Address: "campaign.c", Recipients: 1, Counts: plan.Counts{Send: 1}, Samples: []plan.Sample{{Recipient: all, Text: all}}}}}}
	var page bytes.Buffer
	if err := r.HTML(&page, view.Style{}); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "plan.html")
	if err := os.WriteFile(file, page.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path))
	if os.Geteuid() == 0 {
		opts = append(opts, chromedp.NoSandbox)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	ctx, cancel = chromedp.NewExecAllocator(ctx, opts...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.Navigate("file://"+file), chromedp.WaitVisible(".phone .sheet")); err != nil {
		t.Fatal(err)
	}
	for expression, want := range map[string]string{
		`getComputedStyle(document.querySelector(".phone")).borderRadius`:                                             "14px",
		`String(document.querySelectorAll("script, img, a, iframe, object, embed, link, form, base").length)`:         "0",
		`String(performance.getEntriesByType("resource").length)`:                                                     "0",
		`document.querySelector(".sheet li.new > div").innerText`:                                                     "New a",
		`document.querySelector(".sheet li.gone > div").innerText`:                                                    "Old a",
		`String(document.body.scrollWidth <= document.documentElement.clientWidth)`:                                   "true",
		`String([...document.querySelectorAll(".bubble")].every(b => b.getBoundingClientRect().right <= innerWidth))`: "true",
	} {
		got, err := chromedp.Run(ctx, chromedp.Evaluate[string](expression))
		if err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("%s is %q, want %q", expression, got, want)
		}
	}
}
