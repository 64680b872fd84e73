package view_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"iter"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"
	"pgregory.net/rapid"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/internal/attack"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
)

// canary is part of every foreign text, so that a test finds it in the output.
const canary = "zqx"

// attacks are the parts of which foreign texts are made.
var attacks = attack.Texts()

func foreign(t *rapid.T, label string) string {
	parts := rapid.SliceOfN(rapid.SampledFrom(attacks), 0, 6).Draw(t, label)
	out := canary
	for i, p := range parts {
		if i%2 == 0 {
			out = p + out
		} else {
			out += p
		}
	}
	return out
}

// value is a foreign text as the JSON of an argument.
func value(s string) string {
	out, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(out)
}

// attackedReport is a plan in which every text is foreign.
func attackedReport(t *rapid.T) *view.PlanReport {
	f := func(label string) string { return foreign(t, label) }
	attr := func(name string) lang.Attribute { return lang.Attribute{Name: name, Value: value(f(name))} }
	tree := func() *lang.Tree {
		return &lang.Tree{Attributes: []lang.Attribute{attr("header"), attr("body"), attr("footer"), attr("button"), attr("odd")},
			Blocks: []lang.Block{{Type: "section", Labels: []string{f("section")}, Tree: lang.Tree{Blocks: []lang.Block{
				{Type: "row", Labels: []string{f("id")}, Tree: lang.Tree{Attributes: []lang.Attribute{attr("title"), attr("description")}}}}}}}}
	}
	expression := &lang.Tree{Attributes: []lang.Attribute{{Name: "filter", Value: f("filter"), Reference: true}, attr("path")}}
	reason := f("reason")
	p := &plan.Plan{
		Version: f("version"), At: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC), Digest: "sha256:" + f("digest"),
		Resources: []plan.ResourceChange{
			{Address: "list_message." + f("name"), Type: "list_message", Change: "update", Before: tree(), After: tree(), From: f("from")},
			{Address: "audience.a", Type: "audience", Change: "update", Before: expression, After: &lang.Tree{Attributes: []lang.Attribute{{Name: "filter", Value: f("filter"), Reference: true}}}},
			{Address: "text_message.t", Type: "text_message", Change: "create", After: tree()},
		},
		Campaigns: []plan.Campaign{{Address: "campaign." + f("campaign"), Message: f("message"), Audience: f("audience"), Provider: f("provider"),
			Recipients: 3, Notes: []string{f("note")}, Counts: plan.Counts{Send: 1, Skip: map[delivery.Reason]int{delivery.Reason(reason): 1}, Defer: map[delivery.Reason]int{delivery.Reason(f("defer")): 1}},
			Samples: []plan.Sample{{Recipient: f("recipient"), Why: "first", Text: f("sample")}}, Cost: &plan.Cost{Amount: "1", Currency: f("currency"), Unpriced: 1}}},
		Checks:  []plan.Check{{Name: f("check"), Status: "fail", Message: f("checked")}},
		Outputs: []plan.Output{{Name: f("output"), Value: value(f("value")), Change: "create"}},
	}
	p.Entries = func() iter.Seq2[plan.Entry, error] {
		return func(yield func(plan.Entry, error) bool) {
			e := plan.Entry{Action: plan.Skip, Reason: delivery.Reason(reason), Draft: -1}
			e.Recipient.Place = message.Place{File: canary + reason, Line: 7}
			yield(e, nil)
		}
	}
	return &view.PlanReport{Plan: p, Hints: true, SavedAs: f("file"), ApplyCommand: "handbill apply " + f("command"), Diagnostics: []view.Diagnostic{
		{Severity: "error", Summary: f("summary"), Detail: f("detail"), Range: &view.Range{Filename: f("filename"), Start: view.Pos{Line: 1}}, Snippet: &view.Snippet{Code: f("snippet"), Context: f("context")}},
		{Severity: "warning", Summary: f("summary"), Detail: f("detail")},
	}}
}

// TestMarkdownIsInert checks that foreign texts are only in fences and code
// spans, and that no line is a command of a CI runner.
func TestMarkdownIsInert(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var b bytes.Buffer
		r := attackedReport(t)
		if err := r.Markdown(&b, view.Style{}); err != nil {
			t.Fatal(err)
		}
		checkText(t, b.String())
		outside := outsideOfCode(t, b.String())
		if i := strings.Index(outside, canary); i >= 0 {
			t.Fatalf("foreign text is markup: %q in\n%s", outside[max(0, i-80):min(len(outside), i+80)], b.String())
		}
		if got := strings.Count(outside, "<details>"); got != strings.Count(outside, "</details>") {
			t.Fatalf("folds do not balance:\n%s", b.String())
		}
	})
}

// outsideOfCode removes fenced blocks, code spans and code elements from a Markdown
// text, by CommonMark's rules.
func outsideOfCode(t *rapid.T, md string) string {
	var out strings.Builder
	open := ""
	for _, line := range strings.Split(md, "\n") {
		trimmed := strings.TrimLeft(line, " ")
		run := trimmed[:len(trimmed)-len(strings.TrimLeft(trimmed, "`"))]
		switch {
		case open != "" && len(run) >= len(open) && strings.Trim(trimmed, "` ") == "":
			open = ""
		case open != "":
		case len(run) >= 3 && len(line)-len(trimmed) < 4 && !strings.Contains(trimmed[len(run):], "`"):
			open = run
		default:
			out.WriteString(withoutSpans(line) + "\n")
		}
	}
	if open != "" {
		t.Fatalf("a fence is not closed:\n%s", md)
	}
	return regexp.MustCompile(`<code>[^<]*</code>`).ReplaceAllString(out.String(), "CODE")
}

// withoutSpans removes the code spans from one line, cell by cell in a table row:
// bars bind more tightly than backticks.
func withoutSpans(line string) string {
	if strings.HasPrefix(line, "| ") {
		cells := regexp.MustCompile(`(?:[^|\\]|\\.)*`).FindAllString(line, -1)
		for i, c := range cells {
			cells[i] = spans(c)
		}
		return strings.Join(cells, "|")
	}
	return spans(line)
}

func spans(s string) string {
	var out strings.Builder
	for s != "" {
		from := strings.IndexByte(s, '`')
		if from < 0 {
			break
		}
		rest := strings.TrimLeft(s[from:], "`")
		ticks := s[from : len(s)-len(rest)]
		to := -1
		for at := 0; at < len(rest); {
			k := strings.IndexByte(rest[at:], '`')
			if k < 0 {
				break
			}
			tail := strings.TrimLeft(rest[at+k:], "`")
			if run := len(rest[at+k:]) - len(tail); run == len(ticks) {
				to = at + k
				break
			} else {
				at += k + run
			}
		}
		out.WriteString(s[:from])
		if to < 0 {
			out.WriteString(ticks)
			s = rest
			continue
		}
		out.WriteString("CODE")
		s = rest[to+len(ticks):]
	}
	return out.String() + s
}

// checkText checks what must be true of every text that handbill writes.
func checkText(t *rapid.T, text string) {
	if !utf8.ValidString(text) {
		t.Fatal("not UTF-8")
	}
	for i, r := range text {
		if r != '\n' && unicode.IsControl(r) || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0x200b || r == 0x2028 {
			t.Fatalf("the character %U got through: %q", r, text[max(0, i-60):min(len(text), i+60)])
		}
	}
	for _, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(strings.TrimLeftFunc(line, unicode.IsSpace), "::") || strings.Contains(line, "##[") {
			t.Fatalf("a line is a command of a runner: %q", line)
		}
	}
}

// TestTextIsInert checks the same for terminals.
func TestTextIsInert(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := attackedReport(t)
		var b bytes.Buffer
		if err := r.Text(&b, view.Style{}); err != nil {
			t.Fatal(err)
		}
		view.Diagnostics(&b, view.Style{}, r.Diagnostics)
		for i := range r.Plan.Resources {
			c := &r.Plan.Resources[i]
			if view.IsMessage(c.Type) {
				b.WriteString(view.TreePicture(c.Type, c.After).Terminal(view.Style{}))
			}
		}
		checkText(t, b.String())
	})
}

// allowed are the elements that the pages consist of.
var allowed = map[string]bool{"html": true, "head": true, "meta": true, "title": true, "style": true, "body": true, "main": true, "header": true,
	"h1": true, "h2": true, "h3": true, "h4": true, "p": true, "time": true, "code": true, "pre": true, "ul": true, "li": true, "b": true,
	"section": true, "span": true, "div": true, "table": true, "thead": true, "tbody": true, "tr": true, "th": true, "td": true,
	"details": true, "summary": true, "figure": true, "figcaption": true, "svg": true, "rect": true, "text": true}

var allowedAttributes = map[string]bool{"lang": true, "charset": true, "http-equiv": true, "content": true, "name": true, "class": true, "datetime": true,
	"scope": true, "open": true, "viewBox": true, "preserveAspectRatio": true, "aria-hidden": true, "role": true, "aria-label": true, "x": true, "y": true, "width": true, "height": true, "rx": true}

// TestPagesAreInert checks that a page has only known elements and attributes,
// that foreign texts are only in texts and labels, and that nothing is loaded.
func TestPagesAreInert(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var b bytes.Buffer
		if err := attackedReport(t).HTML(&b, view.Style{}); err != nil {
			t.Fatal(err)
		}
		checkPage(t, b.Bytes())
		b.Reset()
		if err := attackedStatus(t).HTML(&b, view.Style{}); err != nil {
			t.Fatal(err)
		}
		checkPage(t, b.Bytes())
	})
}

func checkPage(t *rapid.T, page []byte) {
	checkText(t, string(page))
	doc, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for n := range doc.Descendants() {
		if n.Type == html.CommentNode {
			t.Fatalf("a comment: %q", n.Data)
		}
		if n.Type != html.ElementNode {
			continue
		}
		if !allowed[n.Data] {
			t.Fatalf("an element <%s>", n.Data)
		}
		if (n.Data == "style" || n.Data == "title") && strings.Contains(n.FirstChild.Data, canary) {
			t.Fatalf("foreign text in <%s>", n.Data)
		}
		for _, a := range n.Attr {
			if !allowedAttributes[a.Key] || a.Key != "aria-label" && strings.Contains(a.Val, canary) {
				t.Fatalf("an attribute %s=%q of <%s>", a.Key, a.Val, n.Data)
			}
		}
	}
}

func attackedStatus(t *rapid.T) *view.StatusReport {
	f := func(label string) string { return foreign(t, label) }
	return &view.StatusReport{At: time.Unix(0, 0), Campaigns: []view.CampaignStatus{{Address: f("address"), Planned: 3, Accepted: 2, Delivered: 1, Rejected: 1,
		Halted: delivery.HaltReason(f("halted")), Skipped: map[delivery.Reason]int{delivery.Reason(f("reason")): 2}, Failures: []view.Failure{{Code: f("code"), Title: f("title"), Count: 1, Advice: f("advice")}},
		Orders: []view.OrderStatus{{Currency: f("currency"), Count: 1, Value: f("value")}}}},
		Doubts:   []view.Doubt{{Address: f("address"), Recipient: f("recipient"), Cause: f("cause")}},
		Findings: []view.StatusFinding{{Kind: f("kind"), Campaign: f("campaign"), Detail: f("detail")}}}
}

// TestCSVIsInert checks that no cell is a formula, and that the table can be
// read again.
func TestCSVIsInert(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var b bytes.Buffer
		if err := attackedStatus(t).CSV(&b, view.Style{}); err != nil {
			t.Fatal(err)
		}
		checkText(t, b.String())
		rows, err := csv.NewReader(&b).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, cell := range rows[1] {
			if trimmed := strings.TrimSpace(cell); trimmed != "" && strings.Contains("=+-@", trimmed[:1]) {
				t.Fatalf("a formula: %q", cell)
			}
		}
	})
}

// TestPlansOfAnySizeFit checks that a plan of many recipients, campaigns and
// resources gives one comment and one page of bounded size.
func TestPlansOfAnySizeFit(t *testing.T) {
	r := &view.PlanReport{Plan: &plan.Plan{Digest: "sha256:0", At: time.Unix(0, 0)}}
	tree := func(i, rows int) *lang.Tree {
		section := lang.Block{Type: "section", Labels: []string{"S"}}
		for n := range rows {
			section.Blocks = append(section.Blocks, lang.Block{Type: "row", Labels: []string{fmt.Sprint("row", n)},
				Tree: lang.Tree{Attributes: []lang.Attribute{{Name: "title", Value: value(fmt.Sprintf("<Title %d of %d>", n, i))}}}})
		}
		return &lang.Tree{Attributes: []lang.Attribute{{Name: "body", Value: value(strings.Repeat("text & <more> ", 70))}}, Blocks: []lang.Block{section}}
	}
	for i := range 500 {
		r.Plan.Resources = append(r.Plan.Resources, plan.ResourceChange{Address: fmt.Sprintf("list_message.m%d", i), Type: "list_message", Change: "update", Before: tree(i, 10), After: tree(i+1, 10)})
		c := plan.Campaign{Address: fmt.Sprintf("campaign.c%d", i), Recipients: 1000, Counts: plan.Counts{Send: 500, Skip: map[delivery.Reason]int{}}}
		for n := range 50 {
			c.Counts.Skip[delivery.Reason(fmt.Sprintf("reason_%d", n))] = 10
		}
		c.Samples = []plan.Sample{{Recipient: "+49151•••••01", Why: "longest", Text: strings.Repeat("text ", 900)}}
		r.Plan.Campaigns = append(r.Plan.Campaigns, c)
		r.Diagnostics = append(r.Diagnostics, view.Diagnostic{Severity: "warning", Summary: "Summary", Detail: strings.Repeat("detail ", 500)})
	}
	r.Plan.Entries = func() iter.Seq2[plan.Entry, error] {
		return func(yield func(plan.Entry, error) bool) {
			for i := range 100_000 {
				e := plan.Entry{Campaign: i % 500, Action: plan.Skip, Reason: delivery.Reason(fmt.Sprintf("reason_%d", i%50)), Draft: -1}
				e.Recipient.Place = message.Place{File: "contacts.csv", Line: i + 2}
				if !yield(e, nil) {
					return
				}
			}
		}
	}
	var md, page bytes.Buffer
	if err := r.Markdown(&md, view.Style{}); err != nil {
		t.Fatal(err)
	}
	if err := r.HTML(&page, view.Style{}); err != nil {
		t.Fatal(err)
	}
	if n := utf8.RuneCount(md.Bytes()); n >= 65_000 {
		t.Errorf("the comment has %d characters", n)
	}
	if n := page.Len(); n >= 2_000_000 {
		t.Errorf("the page has %d bytes", n)
	}
	for _, want := range []string{"more campaigns not shown", "not shown here", "Digest `sha256:0`"} {
		if !strings.Contains(md.String(), want) {
			t.Errorf("the comment does not say %q", want)
		}
	}
}
