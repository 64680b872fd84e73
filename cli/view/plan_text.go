package view

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
)

// PlanReport is what "handbill plan" and "handbill show PLANFILE" end in.
type PlanReport struct {
	Plan        *plan.Plan
	Diagnostics []Diagnostic
	// Failed says that the plan can't be applied, for the diagnostics hold
	// errors.
	Failed bool
	// Deliveries lists every send instead of only counting.
	Deliveries bool
	// Requests gives the request of an entry for the JSON list of deliveries;
	// nil leaves it out.
	Requests func(*plan.Entry) (path string, body []byte, err error)
	// SavedAs is the plan file that was written; "" for none.
	SavedAs string
	// ApplyCommand is what carries the saved plan out.
	ApplyCommand string
	// Hints are left out where a pipeline runs us.
	Hints bool
}

// Changes reports whether applying the plan would do anything.
func (r *PlanReport) Changes() bool {
	return !r.Plan.Empty()
}

// Sends is how many messages applying the plan would send.
func (r *PlanReport) Sends() int {
	return r.Plan.Sends()
}

// Text writes the plan for people.
func (r *PlanReport) Text(w io.Writer, s Style) error {
	var head, end strings.Builder
	if r.text(&head, s) {
		r.summary(&end, s)
	}
	if _, err := io.WriteString(w, inertText(head.String())); err != nil {
		return err
	}
	if r.Deliveries {
		if err := r.deliveriesText(w, s, end.Len() > 0); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, inertText(end.String()))
	return err
}

// text draws what changes, and reports whether a summary is to follow it.
func (r *PlanReport) text(b *strings.Builder, s Style) bool {
	switch {
	case r.Failed && !r.Changes():
		b.WriteString("Planning failed.\n")
		return false
	case !r.Changes():
		r.nothing(b, s)
		return false
	case r.Failed:
		b.WriteString("Planning failed. Without the errors below, handbill would perform the following\nactions:\n\n")
	default:
		b.WriteString("handbill will perform the following actions:\n\n")
	}
	for _, c := range r.Plan.Resources {
		if c.Type != "campaign" && c.Change != "no-op" {
			resourceText(b, s, &c)
		}
	}
	for i := range r.Plan.Campaigns {
		campaignText(b, s, r.Plan, &r.Plan.Campaigns[i])
	}
	r.gone(b, s)
	return true
}

// nothing is the plan that leaves everything as it is, and why.
func (r *PlanReport) nothing(b *strings.Builder, s Style) {
	b.WriteString(s.bold(s.green("No changes.")) + s.bold(" Nothing is left to send.") + "\n")
	for i := range r.Plan.Campaigns {
		c := &r.Plan.Campaigns[i]
		fmt.Fprintf(b, "\n  %s: %s", message.SafeText(c.Address), Plural(c.Recipients, "recipient"))
		for _, l := range settledLines(c) {
			fmt.Fprintf(b, ", %s %s", Count(l.count), l.name)
			if l.note != "" {
				fmt.Fprintf(b, " (%s)", l.note)
			}
		}
		b.WriteString("\n")
	}
	r.checks(b, s)
}

// resourceText draws one resource that is not a campaign.
func resourceText(b *strings.Builder, s Style, c *plan.ResourceChange) {
	verb := map[string]string{"create": "created", "update": "updated", "delete": "removed", "move": "moved"}[c.Change]
	fmt.Fprintf(b, "  %s\n", s.bold("# "+message.SafeText(c.Address)+" will be "+verb))
	if c.From != "" && c.From != c.Address {
		fmt.Fprintf(b, "  %s\n", s.bold("# (moved from "+message.SafeText(c.From)+")"))
	}
	t := treeText{style: s, b: b}
	t.contacts = contactsOf(c)
	t.resource(resourceHead(c.Address), c.Change, plan.Diff(c.Before, c.After))
	b.WriteString("\n")
}

// contactsOf is how many contacts are written into an audience's block.
func contactsOf(c *plan.ResourceChange) int {
	switch {
	case c.After != nil:
		return c.After.Contacts
	case c.Before != nil:
		return c.Before.Contacts
	}
	return 0
}

// resourceHead is `list_message "browse"` for list_message.browse.
func resourceHead(address string) string {
	parts := strings.Split(address, ".")
	for i := 1; i < len(parts); i++ {
		parts[i] = quote(parts[i])
	}
	return message.SafeText(strings.Join(parts, " "))
}

// gone draws campaigns that left the configuration.
func (r *PlanReport) gone(b *strings.Builder, s Style) {
	planned := map[string]bool{}
	for i := range r.Plan.Campaigns {
		planned[r.Plan.Campaigns[i].Address] = true
	}
	for _, c := range r.Plan.Resources {
		if c.Type == "campaign" && c.Change == "delete" && !planned[c.Address] {
			fmt.Fprintf(b, "  %s\n  %s\n", s.bold("# "+message.SafeText(c.Address)+" will be removed"),
				s.bold("# (its history stays in the state; what it had not sent will not be sent)"))
			t := treeText{style: s, b: b}
			t.line(2, s.mark("delete"), resourceHead(c.Address)+" {}")
			b.WriteString("\n")
		}
	}
}

// campaignText draws one campaign: what it names, what changed, and what
// happens to its recipients.
func campaignText(b *strings.Builder, s Style, p *plan.Plan, c *plan.Campaign) {
	change := campaignChange(p, c.Address)
	if c.Counts.Sends() == 0 && (change == nil || change.Change == "no-op") && len(c.Counts.Skip) == 0 {
		return
	}
	head := "will send nothing"
	if n := c.Counts.Sends(); c.Halted() {
		head = "is halted and will send nothing"
	} else if n > 0 {
		head = "will send " + Plural(n, "message")
	}
	fmt.Fprintf(b, "  %s\n", s.bold("# "+message.SafeText(c.Address)+" "+head))
	if h := c.Halt; h != nil && h.Lifted {
		fmt.Fprintf(b, "  %s\n", s.bold("# (its halt of "+h.Since.UTC().Format("2006-01-02 15:04 MST")+" is lifted: "+h.Why()+")"))
	}
	mark := " "
	if change != nil {
		mark = s.mark(change.Change)
		if change.From != "" && change.From != c.Address {
			fmt.Fprintf(b, "  %s\n", s.bold("# (moved from "+message.SafeText(change.From)+")"))
		}
	}
	t := treeText{style: s, b: b}
	t.line(2, mark, resourceHead(c.Address)+" {")
	campaignFacts(t, p, c)
	if change != nil && (change.Change == "update" || change.Change == "move") {
		b.WriteString("\n")
		t.body(plan.Diff(change.Before, change.After), 6)
	}
	b.WriteString("\n")
	countsText(t, c)
	samplesText(t, c)
	b.WriteString("    }\n\n")
}

func campaignChange(p *plan.Plan, address string) *plan.ResourceChange {
	for i := range p.Resources {
		if p.Resources[i].Address == address {
			return &p.Resources[i]
		}
	}
	return nil
}

// campaignFacts are the names that a reader needs, and what follows from them.
func campaignFacts(t treeText, p *plan.Plan, c *plan.Campaign) {
	facts := []struct{ name, value, note string }{
		{"message", c.Message, ""},
		{"audience", c.Audience, strings.Join(append([]string{Plural(c.Recipients, "recipient")}, c.Notes...), "; ")},
		{"provider", c.Provider, paceNote(c)},
	}
	for _, name := range []string{message.QuotePath, message.IdentityKeyHashPath} {
		if source := besideContent(p, c, name); source != "" {
			facts = append(facts, struct{ name, value, note string }{name, source, ""})
		}
	}
	width := 0
	for _, f := range facts {
		width = max(width, columns(f.value))
	}
	for _, f := range facts {
		line := fmt.Sprintf("  %-8s = %s", f.name, message.SafeText(f.value))
		if f.note != "" {
			line = fmt.Sprintf("  %-8s = %s  %s", f.name, pad(message.SafeText(f.value), width), t.style.dim("# "+message.SafeText(f.note)))
		}
		t.line(5, "", line)
	}
	if c.Revision > 1 && c.Change != plan.Update { // an update shows what changes of it
		t.line(5, "", fmt.Sprintf("  revision = %d", c.Revision))
	}
}

// besideContent is what a campaign's message has at a path of its envelope, as it is
// written; "" for nothing.
func besideContent(p *plan.Plan, c *plan.Campaign, path string) string {
	if c.Draft < 0 || c.Draft >= len(p.Drafts) {
		return ""
	}
	d := p.Drafts[c.Draft]
	for _, b := range d.Bindings {
		if b.Path != path {
			continue
		}
		var source strings.Builder
		for _, part := range b.Parts {
			if part.Slot >= 0 {
				source.WriteString(d.Slots[part.Slot])
			} else {
				source.WriteString(strconv.Quote(part.Text))
			}
		}
		return source.String()
	}
	e := message.EnvelopeOf(d.Message)
	constant := map[string]string{message.QuotePath: e.Quote, message.IdentityKeyHashPath: e.IdentityKeyHash}[path]
	if constant == "" {
		return ""
	}
	return strconv.Quote(constant)
}

// paceNote says how fast it goes and how long it takes.
func paceNote(c *plan.Campaign) string {
	if c.Throughput <= 0 {
		return ""
	}
	note := rate(c.Throughput) + " per second"
	n := c.Counts.Sends()
	if n == 0 || c.Halted() {
		return note
	}
	took := time.Duration(float64(n) / c.Throughput * float64(time.Second))
	if took < time.Second {
		return note + ": " + Duration(took) + limitNote(c.Messaging)
	}
	return note + ": about " + Duration(took) + limitNote(c.Messaging)
}

// limitNote holds the conversations that a campaign starts against what its
// number may start.
func limitNote(m *plan.Messaging) string {
	if m == nil {
		return ""
	}
	note := "; starts " + Plural(m.Starts, "conversation")
	switch {
	case m.Limit == 0:
		return note + ", messaging limit unknown"
	case m.Limit < 0:
		return note + ", no messaging limit (told " + m.Told.UTC().Format(time.DateOnly) + ")"
	}
	return note + ", " + Count(m.Limit) + " allowed in 24 h (told " + m.Told.UTC().Format(time.DateOnly) + ")"
}

// Duration is d in the units that a person plans with.
func Duration(d time.Duration) string {
	switch {
	case d < time.Second:
		return "a moment"
	case d < 90*time.Second:
		return fmt.Sprintf("%d s", int(d.Round(time.Second).Seconds()))
	case d < 90*time.Minute:
		return fmt.Sprintf("%d min", int(d.Round(time.Minute).Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%.1f h", d.Hours())
	}
	return fmt.Sprintf("%.1f days", d.Hours()/24)
}

// rate is a number of messages per second, with thousands apart.
func rate(f float64) string {
	if whole := int(f); f >= 1000 && float64(whole) == f {
		return Count(whole)
	}
	return strings.TrimRight(strings.TrimRight(fmt.Sprintf("%.2f", f), "0"), ".")
}

// countLine is one line of a campaign's counts.
type countLine struct {
	mark, name, note string
	count            int
}

// sendingLines are the counts of what apply would send.
func sendingLines(c *plan.Campaign) []countLine {
	lines := []countLine{
		{"create", "send", "", c.Counts.Send},
		{"create", "fallback", "window closed: " + c.Fallback, c.Counts.Fallback},
		{"create", "retry", "", c.Counts.Retry},
		{"create", "replace", "sent before", c.Counts.Replace},
	}
	for _, reason := range sorted(c.Counts.Defer) {
		lines = append(lines, countLine{"create", "later", Reason(reason), c.Counts.Defer[reason]})
	}
	return nonZero(lines)
}

// settledLines are the counts of those to whom nothing is sent.
func settledLines(c *plan.Campaign) []countLine {
	skipped := 0
	for _, n := range c.Counts.Skip {
		skipped += n
	}
	return nonZero([]countLine{
		{"", "sent", oldTextNote(c), c.Counts.Sent},
		{"update", "in doubt", "see handbill status", c.Counts.InDoubt},
		{"", "refused", "-retry=failed plans them again", c.Counts.Refused},
		{"skip", "skip", skipNote(c.Counts.Skip), skipped},
	})
}

func oldTextNote(c *plan.Campaign) string {
	if c.OldText == 0 {
		return ""
	}
	return Count(c.OldText) + " had an earlier text"
}

func nonZero(lines []countLine) []countLine {
	out := lines[:0]
	for _, l := range lines {
		if l.count > 0 {
			out = append(out, l)
		}
	}
	return out
}

func countsText(t treeText, c *plan.Campaign) {
	lines := append(sendingLines(c), settledLines(c)...)
	nameWidth, countWidth := 0, 0
	for _, l := range lines {
		nameWidth = max(nameWidth, columns(l.name))
		countWidth = max(countWidth, columns(Count(l.count)))
	}
	for _, l := range lines {
		mark := t.style.mark(l.mark)
		if l.mark == "skip" {
			mark = t.style.yellow("!")
		}
		line := pad(l.name, nameWidth) + "  " + padLeft(Count(l.count), countWidth)
		if l.note != "" {
			line += "  " + t.style.dim("# "+message.SafeText(l.note))
		}
		t.line(6, mark, line)
	}
	if c.Cost != nil {
		t.line(6, " ", costText(c.Cost))
	}
}

func costText(c *plan.Cost) string {
	line := fmt.Sprintf("cost  about %s %s", c.Amount, message.SafeText(c.Currency))
	if c.Unpriced > 0 {
		line += fmt.Sprintf("  # %s without a price", Plural(c.Unpriced, "recipient"))
	}
	return line
}

func samplesText(t treeText, c *plan.Campaign) {
	if len(c.Samples) == 0 {
		return
	}
	t.b.WriteString("\n")
	for i, sample := range c.Samples {
		intro := "e.g."
		if i > 0 {
			intro = "    "
		}
		line := fmt.Sprintf("  %s %s: %s", intro, message.SafeText(sample.Recipient), quote(sample.Text))
		t.line(5, "", t.style.dim(clip(line, 110)))
	}
}

// skipNote is "opted_out 21, invalid_phone 9", the most frequent first.
func skipNote(skip map[delivery.Reason]int) string {
	var parts []string
	for _, r := range byCount(skip) {
		parts = append(parts, string(r)+" "+Count(skip[r]))
	}
	return strings.Join(parts, ", ")
}

// Reason is a reason's word in words.
func Reason[T ~string](word T) string {
	return message.SafeText(strings.ReplaceAll(string(word), "_", " "))
}

func sorted[K ~string](m map[K]int) []K { return slices.Sorted(maps.Keys(m)) }

// byCount are the names with the most counted first.
func byCount[K ~string](m map[K]int) []K {
	names := sorted(m)
	slices.SortStableFunc(names, func(a, b K) int { return m[b] - m[a] })
	return names
}

// Summary is the verdict in one line.
func (r *PlanReport) Summary() string {
	add, change, remove := 0, 0, 0
	for _, c := range r.Plan.Resources {
		switch c.Change {
		case "create":
			add++
		case "update", "move":
			change++
		case "delete":
			remove++
		}
	}
	return fmt.Sprintf("%d to add, %d to change, %d to remove. %s to send.", add, change, remove, Plural(r.Sends(), "message"))
}

func (r *PlanReport) summary(b *strings.Builder, s Style) {
	fmt.Fprintf(b, "%s %s\n", s.bold("Plan:"), r.Summary())
	r.checks(b, s)
	if len(r.Plan.Outputs) > 0 {
		b.WriteString("\nOutputs:\n")
		for _, o := range r.Plan.Outputs {
			fmt.Fprintf(b, "  %s %s = %s\n", s.mark(o.Change), message.SafeText(o.Name), outputValue(&o))
		}
	}
	fmt.Fprintf(b, "\nDigest: %s\n", message.SafeText(r.Plan.Digest))
	switch {
	case r.Failed || !r.Hints:
	case r.SavedAs != "":
		fmt.Fprintf(b, "\nSaved the plan to: %s\n\nTo send exactly this, run:\n    %s\n", message.SafeText(r.SavedAs), message.SafeText(r.ApplyCommand))
	default:
		b.WriteString("\nNothing was sent. To send this, run \"handbill apply\"; to send exactly this even if\nfiles change, save the plan with -out=FILE and apply the file.\n")
	}
}

// outputValue is what an output will be.
func outputValue(o *plan.Output) string {
	switch {
	case o.Change == plan.Delete:
		return "(removed)"
	case o.Sensitive:
		return "(sensitive value)"
	}
	return jsonValue(o.Value)
}

func (r *PlanReport) checks(b *strings.Builder, s Style) {
	if len(r.Plan.Checks) == 0 {
		return
	}
	passed := 0
	for _, c := range r.Plan.Checks {
		if c.Status == "pass" {
			passed++
		}
	}
	fmt.Fprintf(b, "Checks: %d of %d passed.\n", passed, len(r.Plan.Checks))
	for _, c := range r.Plan.Checks {
		if c.Status != "pass" {
			fmt.Fprintf(b, "  %s %s: %s\n", s.red("!"), message.SafeText(c.Name), message.SafeText(c.Message))
		}
	}
}

// deliveriesText lists every recipient of every campaign, before a summary
// that follows or after all else.
func (r *PlanReport) deliveriesText(w io.Writer, s Style, followed bool) error {
	before, after := "\n", ""
	if followed {
		before, after = "", "\n"
	}
	if _, err := io.WriteString(w, before+"Deliveries:\n"); err != nil {
		return err
	}
	for e, err := range r.Plan.Entries() {
		if err != nil {
			return err
		}
		c := &r.Plan.Campaigns[e.Campaign]
		line := fmt.Sprintf("  %-8s %s[%q]", e.Action, c.Address, s.Recipient(e.Recipient.Key()))
		if e.Reason != "" {
			line += "  # " + message.SafeText(Reason(e.Reason))
		}
		if e.Recipient.Place.Line > 0 {
			line += "  " + s.dim(message.SafeText(e.Recipient.Place.String()))
		}
		if _, err := io.WriteString(w, line+"\n"); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, after)
	return err
}
