package view

import (
	"fmt"
	"strings"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/state"
)

// linkNote says what a link of a campaign looks like in its messages, and where it
// leads.
func linkNote(l *message.DraftLink) string {
	return fmt.Sprintf("%s/%s leads to %s, with %d characters of each recipient's own in place of %s", l.Base, l.StandIn, l.URL, message.TokenLength, l.StandIn)
}

// linksText writes where the links of a campaign lead, below what it refers to.
func linksText(t treeText, c *plan.Campaign) {
	for i := range c.Links {
		l := &c.Links[i]
		t.line(5, "", fmt.Sprintf("  %s = %s/%s", message.SafeText(l.Link), message.SafeText(l.Base), l.StandIn))
		t.line(5, "", t.style.dim(fmt.Sprintf("    leads to %s; %s stands for %d characters of each recipient's own", message.SafeText(l.URL), l.StandIn, message.TokenLength)))
	}
}

// markdownLinks lists where the links of each campaign lead.
func (r *PlanReport) markdownLinks(m *markdown) {
	for i := range r.Plan.Campaigns {
		c := &r.Plan.Campaigns[i]
		if len(c.Links) == 0 || i == maxRows {
			continue
		}
		b := "\n| link of " + code(c.Address) + " | in messages | leads to |\n|---|---|---|\n"
		for k := range c.Links {
			l := &c.Links[k]
			b += "| " + code(l.Link) + " | " + code(l.Base+"/"+l.StandIn) + " | " + code(l.URL) + " |\n"
		}
		m.add(b)
	}
}

// LinkStatus counts what became of one link of a campaign.
type LinkStatus struct {
	Link    string `json:"link"`
	Clicked int    `json:"clicked"` // people who followed it
	// Programs counts how often previews, scanners and robots fetched it.
	Programs int `json:"programs"`
}

// AddLinks adds what became of campaigns' links to their latest revisions.
func (r *StatusReport) AddLinks(counts []state.LinkCount) {
	for _, n := range counts {
		for i := len(r.Campaigns) - 1; i >= 0; i-- { // the revisions of a campaign are in order
			if c := &r.Campaigns[i]; c.Address == n.Campaign {
				c.Links = append(c.Links, LinkStatus{n.Link, n.Clicked, n.Programs})
				break
			}
		}
	}
}

// line is "link.shop: 12 people followed it, programs 30 times".
func (l *LinkStatus) line() string {
	out := message.SafeText(l.Link) + ": " + peopleFollowed(l.Clicked)
	if l.Programs > 0 {
		out += fmt.Sprintf("; previews and robots fetched it %s", times(l.Programs))
	}
	return out
}

func peopleFollowed(n int) string {
	if n == 1 {
		return "1 person followed it"
	}
	return Count(n) + " people followed it"
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return Count(n) + " times"
}

func (c *CampaignStatus) links(b *strings.Builder) {
	if len(c.Links) > 0 {
		b.WriteString("\n")
	}
	for i := range c.Links {
		fmt.Fprintf(b, "  %s\n", c.Links[i].line())
	}
}

// linkCell is a campaign's links in a table: "link.shop 12 of people, 30 of programs".
func (c *CampaignStatus) linkCell() string {
	var out []string
	for _, l := range c.Links {
		out = append(out, fmt.Sprintf("%s %d of people, %d of programs", l.Link, l.Clicked, l.Programs))
	}
	return strings.Join(out, "; ")
}
