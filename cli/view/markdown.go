package view

import (
	"fmt"
	"html"
	"io"
	"sort"
	"strings"
	"time"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
)

// maxMarkdown bounds a comment in bytes, so that it is below GitHub's 65,536
// characters however they are counted. Source: GitHub's answer "Body is too
// long (maximum is 65536 characters)".
const maxMarkdown = 64000

// Bounds of the parts of a comment.
const (
	maxChangeLines = 60 // of one resource
	openChanges    = 8  // resources that are not folded
	maxRows        = 40 // campaigns in the table
	maxFindings    = 25 // diagnostics
)

// Markdown writes the plan as one comment of a pull request: the marker by which a
// bot finds its comment again, the verdict, what changes, and who gets what. It is
// never longer than maxMarkdown; what is cut is counted. No text from files or
// contacts is rendered as markup: it is in fences and code spans that it can't
// close.
func (r *PlanReport) Markdown(w io.Writer, s Style) error {
	m := &markdown{left: maxMarkdown, style: s}
	tail := r.markdownTail()
	m.left -= len(tail) + 200 // and the line that counts what is cut
	m.add(fmt.Sprintf("<!-- handbill-plan %s -->\n", markerDigest(r.Plan.Digest)))
	m.add(r.verdict())
	r.markdownFindings(m)
	r.markdownChecks(m)
	r.markdownManaged(m)
	r.markdownDrift(m)
	r.markdownCatalogs(m)
	r.markdownCampaigns(m)
	r.markdownVariants(m)
	r.markdownExperiments(m)
	r.markdownLinks(m)
	r.markdownChanges(m)
	r.markdownSamples(m)
	r.markdownOutputs(m)
	if m.cut > 0 {
		m.b.WriteString(fmt.Sprintf("\n%s left out to fit a comment; the plan as text or HTML has everything.\n", Plural(m.cut, "part")))
	}
	m.b.WriteString(tail)
	_, err := io.WriteString(w, m.b.String())
	return err
}

// markdown is a comment that is being written.
type markdown struct {
	b     strings.Builder
	left  int
	cut   int
	style Style
}

// add appends a part that is shown whole or not at all.
func (m *markdown) add(part string) bool {
	if len(part) > m.left {
		m.cut++
		return false
	}
	m.left -= len(part)
	m.b.WriteString(part)
	return true
}

// markerDigest returns digest if it has the form of one, else "", so that nothing
// can end the HTML comment.
func markerDigest(digest string) string {
	if hex, ok := strings.CutPrefix(digest, "sha256:"); !ok || strings.Trim(hex, "0123456789abcdef") != "" {
		return ""
	}
	return digest
}

// verdict is the line that is read first.
func (r *PlanReport) verdict() string {
	errors := count(r.Diagnostics, "error")
	switch {
	case r.Failed && errors > 0:
		return fmt.Sprintf("**Plan failed: %s.** Nothing can be applied until this is fixed.\n", Plural(errors, "error"))
	case r.Failed:
		return "**Plan failed.** Nothing can be applied.\n"
	case !r.Changes():
		return "**No changes.** Nothing is left to send.\n"
	}
	out := "**Plan: " + r.Summary() + "**"
	if n := count(r.Diagnostics, "warning"); n > 0 {
		out += " " + Plural(n, "warning") + "."
	}
	if n := r.settledBefore(); n > 0 {
		out += fmt.Sprintf(" %s had it before.", Plural(n, "recipient"))
	}
	return out + "\n"
}

func (r *PlanReport) settledBefore() int {
	n := 0
	for i := range r.Plan.Campaigns {
		n += r.Plan.Campaigns[i].Counts.Sent + r.Plan.Campaigns[i].Counts.Replace
	}
	return n
}

// code makes a foreign text a code span: nothing in it is markup, a mention or a
// link. Vertical bars are replaced, since a table would take them for its own.
func code(s string) string {
	s = strings.ReplaceAll(inert(message.SafeText(s)), "|", "¦")
	if s == "" {
		return ""
	}
	ticks := strings.Repeat("`", longestRun(s)+1)
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") || strings.TrimSpace(s) == "" {
		return ticks + " " + s + " " + ticks
	}
	return ticks + s + ticks
}

// codeHTML escapes a foreign text for HTML.
func codeHTML(s string) string {
	return "<code>" + html.EscapeString(inert(message.SafeText(s))) + "</code>"
}

func longestRun(s string) int {
	longest, run := 0, 0
	for i := range len(s) {
		if s[i] == '`' {
			run++
			longest = max(longest, run)
		} else {
			run = 0
		}
	}
	return longest
}

// fence puts lines, which hold no line breaks, in a code block that they can't
// close.
func fence(language string, lines []string) string {
	longest := 2
	for i, l := range lines {
		lines[i] = inert(l)
		longest = max(longest, longestRun(l))
	}
	ticks := strings.Repeat("`", longest+1)
	return ticks + language + "\n" + strings.Join(lines, "\n") + "\n" + ticks + "\n"
}

// diffFence writes a diff in the form that GitHub and GitLab colour.
func diffFence(lines []diffLine, most int) string {
	out := make([]string, 0, min(len(lines), most)+1)
	for i, l := range lines {
		if i == most && len(lines) > most+1 {
			out = append(out, fmt.Sprintf("  # (%s)", Plural(len(lines)-most, "more line")))
			break
		}
		out = append(out, string(l.Mark)+" "+l.Text)
	}
	return fence("diff", out)
}

func fold(summary, body string) string {
	return "\n<details><summary>" + summary + "</summary>\n\n" + body + "\n</details>\n"
}

func (r *PlanReport) markdownFindings(m *markdown) {
	if len(r.Diagnostics) == 0 {
		return
	}
	list := append([]Diagnostic(nil), r.Diagnostics...)
	sort.SliceStable(list, func(i, j int) bool { return list[i].Severity < list[j].Severity })
	hidden := 0
	for i, d := range list {
		var lines []string
		if d.Range != nil {
			lines = append(lines, fmt.Sprintf("on %s line %d", message.SafeText(d.Range.Filename), d.Range.Start.Line))
		}
		if d.Snippet != nil {
			lines = append(lines, "    "+message.SafeText(cutText(d.Snippet.Code, longLine)))
		}
		lines = append(lines, wrap(cutText(d.Detail, 2000), 100)...)
		head := map[string]string{"error": "Error: ", "warning": "Warning: "}[d.Severity]
		part := "\n**" + strings.TrimSpace(head) + "** " + code(d.Summary) + "\n\n" + fence("text", lines)
		if d.Severity == "warning" {
			part = fold(head+codeHTML(d.Summary), fence("text", lines))
		}
		if i >= maxFindings || len(part) > m.left/2 {
			hidden++
			continue
		}
		m.add(part)
	}
	if hidden > 0 {
		m.add(fmt.Sprintf("\n%s not shown here.\n", Plural(hidden, "more finding")))
	}
}

func (r *PlanReport) markdownChecks(m *markdown) {
	passed := 0
	for _, c := range r.Plan.Checks {
		if c.Status == "pass" {
			passed++
			continue
		}
		m.add("\n**Check failed:** " + code(c.Name) + "\n\n" + fence("text", wrap(cutText(c.Message, 2000), 100)))
	}
	if n := len(r.Plan.Checks); n > 0 {
		m.add(fmt.Sprintf("\nChecks: %d of %d passed.\n", passed, n))
	}
}

// markdownChanges is the main part: one short diff for each resource.
func (r *PlanReport) markdownChanges(m *markdown) {
	changes := r.changed()
	hidden := 0
	for i, c := range changes {
		lines := changeLines(c, 2)
		title := codeHTML(c.Address) + " " + changeVerb(c)
		plainTitle := code(c.Address) + " " + changeVerb(c)
		if c.From != "" && c.From != c.Address {
			title += ", moved from " + codeHTML(c.From)
			plainTitle += ", moved from " + code(c.From)
		}
		if len(lines) == 0 {
			if !m.add("\n" + plainTitle + "\n") {
				hidden++
			}
			continue
		}
		body := diffFence(lines, maxChangeLines)
		part := "\n" + plainTitle + "\n\n" + body
		if i >= openChanges || c.Change == "create" && len(changes) > 3 || len(body) > 6000 {
			part = fold(title, body)
		}
		if len(part) > m.left*3/4 { // leave room for who gets it
			hidden++
			continue
		}
		m.add(part)
	}
	if hidden > 0 {
		m.add(fmt.Sprintf("\n%s not shown here.\n", Plural(hidden, "more changed resource")))
	}
}

// markdownCampaigns writes the table of who gets what.
func (r *PlanReport) markdownCampaigns(m *markdown) {
	if len(r.Plan.Campaigns) == 0 {
		return
	}
	cost := false
	for i := range r.Plan.Campaigns {
		cost = cost || r.Plan.Campaigns[i].Cost != nil
	}
	var b strings.Builder
	b.WriteString("\n| campaign | recipients | send | fallback | retry | later | sent before | left out | pace |")
	rule := "\n|---|--:|--:|--:|--:|---|--:|---|---|"
	if cost {
		b.WriteString(" cost |")
		rule += "---|"
	}
	b.WriteString(rule + "\n")
	for i := range r.Plan.Campaigns {
		if i == maxRows {
			break
		}
		b.WriteString(campaignRow(&r.Plan.Campaigns[i], cost))
	}
	if cost {
		b.WriteString(r.costNotes())
	}
	if n := len(r.Plan.Campaigns) - maxRows; n > 0 {
		fmt.Fprintf(&b, "\n%s not shown here.\n", Plural(n, "more campaign"))
	}
	m.add(b.String())
}

// costNotes is a list of what the costs are made of.
func (r *PlanReport) costNotes() (out string) {
	for i := range r.Plan.Campaigns[:min(len(r.Plan.Campaigns), maxRows)] {
		c := &r.Plan.Campaigns[i]
		if c.Cost == nil || costNote(c.Cost) == "" {
			continue
		}
		if out == "" {
			out = "\n"
		}
		out += "- Cost of " + code(c.Address) + ": " + code(costNote(c.Cost)) + "\n"
	}
	return out
}

func campaignRow(c *plan.Campaign, cost bool) string {
	cells := []string{
		code(c.Address), Count(c.Recipients), Count(c.Counts.Send), Count(c.Counts.Fallback), Count(c.Counts.Retry),
		reasonsCell(c.Counts.Defer), Count(c.Counts.Sent), reasonsCell(c.Counts.Skip), paceNote(c),
	}
	for _, first := range []time.Time{c.Next, c.Due} {
		if !first.IsZero() {
			cells[5] += ", first at " + first.UTC().Format("2006-01-02 15:04 MST")
		}
	}
	if c.Counts.Replace > 0 {
		cells[4] += fmt.Sprintf(", %s replaced", Count(c.Counts.Replace))
	}
	if c.Counts.Refused > 0 {
		cells[6] += fmt.Sprintf(", %s refused", Count(c.Counts.Refused))
	}
	if c.Counts.HeldOut > 0 {
		cells[7] += fmt.Sprintf(", %s held out", Count(c.Counts.HeldOut))
	}
	if c.Counts.InDoubt > 0 {
		cells[6] += fmt.Sprintf(", %s in doubt", Count(c.Counts.InDoubt))
	}
	if cost {
		cells = append(cells, costCell(c.Cost, c.CostLimit))
	}
	return "| " + strings.Join(cells, " | ") + " |\n"
}

func costCell(c *plan.Cost, limit string) string {
	if c == nil {
		return ""
	}
	out := code(strings.TrimPrefix(costRange(c), "about "))
	if limit != "" {
		out += " of " + code(limit) + " allowed"
	}
	if c.Unpriced > 0 {
		out += ", " + Count(c.Unpriced) + " without a price"
	}
	return out
}

const maxReasons = 8

// reasonsCell is "36: opted_out 21, invalid_phone 9", the most frequent first.
func reasonsCell(reasons map[delivery.Reason]int) string {
	if len(reasons) == 0 {
		return "0"
	}
	total, shown := 0, 0
	var parts []string
	for _, name := range byCount(reasons) {
		total += reasons[name]
		if len(parts) < maxReasons {
			parts = append(parts, code(string(name))+" "+Count(reasons[name]))
			shown++
		}
	}
	out := Count(total) + ": " + strings.Join(parts, ", ")
	if n := len(reasons) - shown; n > 0 {
		out += ", " + Plural(n, "more reason")
	}
	return out
}

func (r *PlanReport) markdownSamples(m *markdown) {
	for i := range r.Plan.Campaigns {
		c := &r.Plan.Campaigns[i]
		if len(c.Samples) == 0 || i == maxRows {
			continue
		}
		var lines []string
		for _, group := range sampleGroups(c) {
			for _, sample := range group.samples {
				lines = append(lines, message.SafeText(strings.TrimSpace(group.of+" "+sample.Recipient+" ("+sample.Why+")")))
				for _, l := range strings.Split(cutText(sample.Text, 1200), "\n") {
					lines = append(lines, "  | "+message.SafeText(l))
				}
			}
		}
		m.add(fold("Samples of "+codeHTML(c.Address), fence("text", lines)))
	}
}

func (r *PlanReport) markdownOutputs(m *markdown) {
	var lines []string
	for _, o := range r.Plan.Outputs {
		lines = append(lines, message.SafeText(o.Name)+" = "+cutText(outputValue(&o), 2*longLine))
	}
	if len(lines) > 0 {
		m.add(fold("Outputs", fence("text", lines)))
	}
}

// markdownTail says what was approved and how it is applied.
func (r *PlanReport) markdownTail() string {
	if r.Failed && r.Plan.Digest == "" {
		return ""
	}
	if r.Failed {
		return "\nDigest " + code(r.Plan.Digest) + "\n"
	}
	out := "\nDigest " + code(r.Plan.Digest) + ", planned for " + r.Plan.At.UTC().Format("2006-01-02 15:04 MST") + ". "
	switch {
	case !r.Changes():
	case r.SavedAs != "":
		out += "Apply exactly this with " + code(r.ApplyCommand)
		if !r.Plan.Expires.IsZero() {
			out += ", until " + r.Plan.Expires.UTC().Format(time.DateTime) + " UTC"
		}
		out += "."
	default:
		out += "Apply exactly this with " + code("handbill apply -expect="+r.Plan.Digest) + "."
	}
	if r.Plan.Config != "" {
		out += " Digest of the configuration alone: " + code(r.Plan.Config) + "."
	}
	return out + "\n"
}
