package view

import (
	"io"
	"sort"
	"strings"
	"time"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
)

// Bounds of the page, which keep it below 2 MB whatever the size of the plan. What
// is left out is counted.
const (
	maxPageChanges   = 120
	maxPageCampaigns = 60
	maxPageFindings  = 100
	maxPageLines     = 1500  // of differences, over all resources
	maxPageWords     = 60000 // bytes of drawn messages
	maxPlaces        = 60    // of one reason in one campaign
	maxAllPlaces     = 4000
)

// planPage is the data of the template of a plan.
type planPage struct {
	page
	Failed                                   bool
	Verdict, Version, Digest, Config, Apply  string
	At                                       time.Time
	Figures                                  []figure
	Findings                                 []pageFinding
	Checks                                   []plan.Check
	Changes                                  []pageChange
	Templates                                []pageManaged
	Drift                                    []plan.Drift
	Catalogs                                 []string
	MoreTemplates                            int
	Campaigns                                []pageCampaign
	Outputs                                  []figureRow
	MoreFindings, MoreChanges, MoreCampaigns int
}

type pageFinding struct{ Severity, Summary, Detail, Place, Code string }

type pageChange struct {
	Address, Change, Verb, From string
	Sides                       []side
	Lines                       []diffLine
	More                        int
}

type pageCampaign struct {
	Address, Message, Audience, Provider, Pace, Cost string
	Recipients                                       string
	Notes, Links                                     []string
	Bar                                              bar
	Skipped                                          []skipGroup
	Samples                                          []side
	Variants                                         []pageVariant
	Experiment                                       *pageExperiment
}

type skipGroup struct {
	Reason, Total string
	Places        []string
	More          int
}

type figureRow struct{ Name, Value string }

// HTML writes the plan as one self-contained page: what each message looks like
// before and after, who gets it, and who does not and why.
func (r *PlanReport) HTML(w io.Writer, s Style) error {
	base, err := newPage("handbill plan")
	if err != nil {
		return err
	}
	skipped, err := r.skipped()
	if err != nil {
		return err
	}
	p := planPage{page: base, Failed: r.Failed, Version: r.Plan.Version, Digest: r.Plan.Digest, Config: r.Plan.Config, At: r.Plan.At.UTC(), Checks: r.Plan.Checks}
	p.Verdict = strings.ReplaceAll(r.verdict(), "**", "")
	if r.Changes() && !r.Failed {
		p.Apply = "handbill apply -expect=" + r.Plan.Digest
		if r.SavedAs != "" {
			p.Apply = r.ApplyCommand
		}
	}
	p.Figures = r.figures()
	p.findings(r.Diagnostics)
	p.changes(r)
	p.Drift, p.Catalogs = r.Plan.Drift, r.catalogHeads()
	p.Templates, p.MoreTemplates = pageTemplates(readAlone(r.Plan.Managed))
	for i := range r.Plan.Campaigns {
		if i == maxPageCampaigns {
			p.MoreCampaigns = len(r.Plan.Campaigns) - i
			break
		}
		p.Campaigns = append(p.Campaigns, r.pageCampaign(i, skipped[i], s))
	}
	for _, o := range r.Plan.Outputs {
		p.Outputs = append(p.Outputs, figureRow{o.Name, cutText(outputValue(&o), 2*longLine)})
	}
	return render(w, "plan.html", &p)
}

func (r *PlanReport) figures() []figure {
	recipients, left := 0, 0
	for i := range r.Plan.Campaigns {
		c := &r.Plan.Campaigns[i]
		recipients += c.Recipients
		for _, n := range c.Counts.Skip {
			left += n
		}
	}
	return []figure{
		{Count(r.Sends()), "messages to send"}, {Count(recipients), "recipients"}, {Count(left), "left out"},
		{Count(r.settledBefore()), "had it before"}, {Count(len(r.changed())), "resources change"},
	}
}

func (p *planPage) findings(diags []Diagnostic) {
	list := append([]Diagnostic(nil), diags...)
	sort.SliceStable(list, func(i, j int) bool { return list[i].Severity < list[j].Severity })
	for i, d := range list {
		if i == maxPageFindings {
			p.MoreFindings = len(list) - i
			return
		}
		f := pageFinding{Severity: d.Severity, Summary: cutText(d.Summary, longLine), Detail: cutText(d.Detail, 2000)}
		if d.Range != nil {
			f.Place = (&message.Place{File: d.Range.Filename, Line: d.Range.Start.Line}).String()
		}
		if d.Snippet != nil {
			f.Code = cutText(d.Snippet.Code, longLine)
		}
		p.Findings = append(p.Findings, f)
	}
}

func (p *planPage) changes(r *PlanReport) {
	lines, words := maxPageLines, maxPageWords
	for i, c := range r.changed() {
		if i == maxPageChanges || lines <= 0 {
			p.MoreChanges = len(r.changed()) - i
			return
		}
		change := pageChange{Address: c.Address, Change: c.Change, Verb: changeVerb(c), Lines: changeLines(c, 2)}
		if c.From != c.Address {
			change.From = c.From
		}
		if n := len(change.Lines) - min(lines, 400); n > 0 {
			change.Lines, change.More = change.Lines[:len(change.Lines)-n], n
		}
		lines -= len(change.Lines)
		if IsMessage(c.Type) && words > 0 {
			change.Sides = sides(c, &words)
		}
		p.Changes = append(p.Changes, change)
	}
}

// sides draws a message before and after, until left runs out.
func sides(c *plan.ResourceChange, left *int) []side {
	before, after := TreePicture(c.Type, c.Before), TreePicture(c.Type, c.After)
	if c.Before != nil && c.After != nil {
		compare(&before, &after)
	}
	var out []side
	add := func(caption string, p *Picture) {
		out = append(out, side{caption, newPhone(p.Parts)})
		*left -= len(strings.Join(p.Words(), ""))
	}
	if c.Before != nil {
		add("before", &before)
	}
	if c.After != nil {
		add("after", &after)
	}
	return out
}

func (r *PlanReport) pageCampaign(i int, skipped []skipGroup, s Style) pageCampaign {
	c := &r.Plan.Campaigns[i]
	p := pageCampaign{Address: c.Address, Message: c.Message, Audience: c.Audience, Provider: c.Provider, Pace: paceNote(c),
		Recipients: Count(c.Recipients), Notes: c.Notes, Skipped: skipped, Bar: countsBar(c), Variants: pageVariants(c), Experiment: newPageExperiment(c)}
	if c.Cost != nil {
		p.Cost = strings.TrimPrefix(strings.ReplaceAll(costText(c.Cost), "  # ", ", "), "cost  ")
		if c.CostLimit != "" {
			p.Cost += ", of " + message.SafeText(c.CostLimit) + " that price_guard allows"
		}
		if note := costNote(c.Cost); note != "" {
			p.Cost += "; " + message.SafeText(note)
		}
	}
	for k := range c.Links {
		p.Links = append(p.Links, c.Links[k].Link+": "+linkNote(&c.Links[k]))
	}
	for _, group := range sampleGroups(c) {
		for _, sample := range group.samples {
			caption := message.SafeText(strings.TrimSpace(group.of + " " + sample.Recipient + " (" + sample.Why + ")"))
			p.Samples = append(p.Samples, side{caption, newPhone([]Part{{Role: RoleBody, Label: "body", Text: fixed(cutText(sample.Text, 1500))}})})
		}
	}
	return p
}

// countsBar counts a campaign's recipients by what happens to them.
func countsBar(c *plan.Campaign) bar {
	var b bar
	b.add("send", "", 1, c.Counts.Send)
	b.add("fallback", fallbackNote(c), 2, c.Counts.Fallback)
	b.add("retry", "", 3, c.Counts.Retry)
	b.add("replace", "sent before", 3, c.Counts.Replace)
	for _, reason := range sorted(c.Counts.Defer) {
		b.add("later", laterNote(c, reason), 4, c.Counts.Defer[reason])
	}
	b.add("sent before", oldTextNote(c), 5, c.Counts.Sent)
	b.add("in doubt", "settle with handbill resolve", 6, c.Counts.InDoubt)
	b.add("refused before", "-retry=failed plans them again", 7, c.Counts.Refused)
	b.add("held out", heldOutNote(c), 8, c.Counts.HeldOut)
	for _, reason := range byCount(c.Counts.Skip) {
		b.add("left out", Reason(reason), 8, c.Counts.Skip[reason])
	}
	b.scale()
	return b
}

// skipped collects, by campaign and reason, the places of the recipients who are
// left out: row numbers, never people.
func (r *PlanReport) skipped() ([][]skipGroup, error) {
	places := make([]map[delivery.Reason][]string, len(r.Plan.Campaigns))
	all := 0
	if r.Plan.Entries != nil {
		for e, err := range r.Plan.Entries() {
			switch {
			case err != nil:
				return nil, err
			case e.Action != plan.Skip || e.Recipient.Place.Line == 0 || all == maxAllPlaces || e.Campaign >= len(places):
				continue
			case places[e.Campaign] == nil:
				places[e.Campaign] = map[delivery.Reason][]string{}
			}
			if of := places[e.Campaign]; len(of[e.Reason]) < maxPlaces {
				of[e.Reason] = append(of[e.Reason], cutText(e.Recipient.Place.String(), 120))
				all++
			}
		}
	}
	out := make([][]skipGroup, len(places))
	for i := range places {
		counts := r.Plan.Campaigns[i].Counts.Skip
		for _, reason := range byCount(counts) {
			shown := places[i][reason]
			out[i] = append(out[i], skipGroup{Reason: Reason(reason), Total: Count(counts[reason]), Places: shown, More: counts[reason] - len(shown)})
		}
	}
	return out, nil
}
