package view

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
)

// campaignText writes one campaign: what it refers to, what changed, and what
// happens to its recipients.
func campaignText(b *strings.Builder, s Style, p *plan.Plan, c *plan.Campaign) {
	change := campaignChange(p, c.Address)
	if c.Counts.Sends() == 0 && (change == nil || change.Change == "no-op") && len(c.Counts.Skip) == 0 && c.NewlyHeldOut() == 0 {
		return
	}
	head := "will send nothing"
	if n := c.Counts.Sends(); c.Halted() {
		head = "is halted and will send nothing"
	} else if n > 0 {
		head = "will send " + Plural(n, "message") + notDue(c.Counts.Defer[delivery.ReasonNotDue], n)
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

// notDue says how many of the messages to send a later plan sends; "" for none.
func notDue(n, of int) string {
	switch n {
	case 0:
		return ""
	case of:
		return ", not due yet"
	}
	return fmt.Sprintf(", %s of them not due yet", Count(n))
}

func campaignChange(p *plan.Plan, address string) *plan.ResourceChange {
	for i := range p.Resources {
		if p.Resources[i].Address == address {
			return &p.Resources[i]
		}
	}
	return nil
}

// campaignFacts writes what a campaign refers to, and what follows from that.
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
	linksText(t, c)
	if c.Revision > 1 && c.Change != plan.Update { // an update shows what changes of it
		t.line(5, "", fmt.Sprintf("  revision = %d", c.Revision))
	}
}

// besideContent returns the source of one field of the envelope of a campaign's
// message; "" if it is not set.
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

// paceNote says how fast messages are sent and how long that takes.
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

// limitNote compares the conversations that a campaign starts with the messaging
// limit of its number.
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

// countLine is one line of a campaign's counts.
type countLine struct {
	mark, name, note string
	count            int
}

// sendingLines are the counts of messages that apply would send.
func sendingLines(c *plan.Campaign) []countLine {
	lines := []countLine{
		{"create", "send", "", c.Counts.Send},
		{"create", "fallback", fallbackNote(c), c.Counts.Fallback},
		{"create", "retry", "", c.Counts.Retry},
		{"create", "replace", "sent before", c.Counts.Replace},
	}
	for _, reason := range sorted(c.Counts.Defer) {
		lines = append(lines, countLine{"create", "later", laterNote(c, reason), c.Counts.Defer[reason]})
	}
	return nonZero(lines)
}

// laterNote says why messages are sent later, and, if they wait for the recipients'
// local time or for the time after another message, when the first of them may be sent.
func laterNote(c *plan.Campaign, reason delivery.Reason) string {
	first := map[delivery.Reason]time.Time{delivery.ReasonLocalTime: c.Next, delivery.ReasonNotDue: c.Due}[reason]
	if first.IsZero() {
		return Reason(reason)
	}
	return Reason(reason) + ", the first at " + first.UTC().Format("2006-01-02 15:04 MST")
}

// Waiting says in a line what a plan that changes nothing now waits for.
func (r *PlanReport) Waiting() string {
	reasons, first := map[delivery.Reason]int{}, time.Time{}
	for i := range r.Plan.Campaigns {
		c := &r.Plan.Campaigns[i]
		for reason, n := range c.Counts.Defer {
			reasons[reason] += n
		}
		for _, at := range []time.Time{c.Next, c.Due} {
			if !at.IsZero() && (first.IsZero() || at.Before(first)) {
				first = at
			}
		}
	}
	line := "Nothing to send now."
	for i, reason := range sorted(reasons) {
		line += []string{" Later: ", ", "}[min(i, 1)] + Count(reasons[reason]) + " " + Reason(reason)
	}
	if !first.IsZero() {
		line += "; the first at " + first.UTC().Format("2006-01-02 15:04 MST")
	}
	return line
}

// fallbackNote says what recipients get whose window is closed.
func fallbackNote(c *plan.Campaign) string {
	switch {
	case c.Experiment != nil:
		return "window closed: the fallback of each arm"
	case len(c.Variants) > 0:
		return "window closed: the fallback of each variant"
	}
	return "window closed: " + c.Fallback
}

// settledLines are the counts of recipients who get nothing.
func settledLines(c *plan.Campaign) []countLine {
	skipped := 0
	for _, n := range c.Counts.Skip {
		skipped += n
	}
	return nonZero([]countLine{
		{"", "sent", oldTextNote(c), c.Counts.Sent},
		{"update", "in doubt", "see handbill status", c.Counts.InDoubt},
		{"", "refused", "-retry=failed plans them again", c.Counts.Refused},
		{"", "held out", heldOutNote(c), c.Counts.HeldOut},
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
		line := costText(c.Cost)
		if c.CostLimit != "" {
			line += "  " + t.style.dim("# of "+message.SafeText(c.CostLimit)+" that price_guard allows")
		}
		t.line(6, " ", line)
		for _, what := range c.Cost.Depends {
			t.line(6, " ", t.style.dim("      # depends on "+message.SafeText(what)))
		}
	}
}

func costText(c *plan.Cost) string {
	line := "cost  " + costRange(c)
	if c.Unpriced > 0 {
		line += fmt.Sprintf("  # %s without a price", Plural(c.Unpriced, "recipient"))
	}
	return line
}

// costNote says what an estimate by Meta's rates is made of: the messages by market, the
// most first, and what it depends on; "" by a price file.
func costNote(c *plan.Cost) string {
	if len(c.ByMarket) == 0 {
		return ""
	}
	var parts []string
	for _, name := range slices.SortedFunc(maps.Keys(c.ByMarket), func(a, b string) int {
		return cmp.Or(c.ByMarket[b]-c.ByMarket[a], strings.Compare(a, b))
	}) {
		parts = append(parts, name+" "+Count(c.ByMarket[name]))
	}
	out := "messages by market: " + strings.Join(parts, ", ")
	for _, what := range c.Depends {
		out += "; depends on " + what
	}
	return out
}

// costRange is "about 45.00 EUR", or "30.00 to 45.00 EUR".
func costRange(c *plan.Cost) string {
	if c.Least != "" {
		return c.Least + " to " + c.Amount + " " + message.SafeText(c.Currency)
	}
	return "about " + c.Amount + " " + message.SafeText(c.Currency)
}

func samplesText(t treeText, c *plan.Campaign) {
	if len(c.Variants) > 0 {
		variantsText(t, c)
	}
	if c.Experiment != nil {
		experimentText(t, c.Experiment)
	}
	if len(c.Variants) > 0 || c.Experiment != nil {
		return
	}
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
