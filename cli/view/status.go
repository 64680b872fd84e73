package view

import (
	"fmt"
	"io"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// StatusReport is the final report of "handbill status".
type StatusReport struct {
	FormatVersion string           `json:"format_version"`
	At            time.Time        `json:"at"`
	Campaigns     []CampaignStatus `json:"campaigns"`
	Findings      []StatusFinding  `json:"findings"`
	// Waiting counts webhook events that are accepted but not yet joined into the
	// state.
	Waiting int `json:"waiting"`
	// Notices count, by kind, what came in besides messages and statuses; empty if
	// the report is about one campaign.
	Notices []NoticeStatus `json:"notices"`
	// Templates are the declared templates as they were last known; empty if the report
	// is about one campaign.
	Templates []TemplateStatus `json:"templates,omitempty"`
	// Doubts lists some deliveries in doubt of each campaign.
	Doubts []Doubt `json:"doubts"`
	// Runs are the open runs of a state that machines share.
	Runs []OpenRun `json:"runs,omitempty"`
	// Diagnostics are what keeps apply from sending from this state.
	Diagnostics []Diagnostic `json:"diagnostics,omitempty"`
}

// CampaignStatus is one campaign revision: planned is the sum of accepted,
// rejected, in_doubt, held, held_out, pending and cancelled.
type CampaignStatus struct {
	Address  string `json:"address"`
	Revision int    `json:"revision"`
	Planned  int    `json:"planned"`
	Accepted int    `json:"accepted"`
	Rejected int    `json:"rejected"`
	InDoubt  int    `json:"in_doubt"`
	Held     int    `json:"held"`
	HeldOut  int    `json:"held_out,omitempty"` // by the campaign's experiment
	// HeldFor counts the held messages by reason, as of the last run.
	HeldFor map[delivery.Reason]int `json:"held_for,omitempty"`
	// HeldUntil is when the first of them may be sent; zero if that is not known.
	HeldUntil time.Time               `json:"held_until,omitzero"`
	Pending   int                     `json:"pending"`
	Cancelled int                     `json:"cancelled"`
	Skipped   map[delivery.Reason]int `json:"skipped"`

	// The current status of the accepted messages.
	Sent      int `json:"sent"`
	Delivered int `json:"delivered"`
	Read      int `json:"read"`
	Failed    int `json:"failed"`
	// Silent counts accepted messages without any status.
	Silent  int `json:"silent"`
	Replied int `json:"replied"`
	Clicked int `json:"clicked"` // messages of which the person followed a link

	Failures []Failure     `json:"failures"`
	Orders   []OrderStatus `json:"orders"`
	// Variants splits the counts by the variant that people received; empty without
	// variants.
	Variants []VariantStatus `json:"variants,omitempty"`
	// Links are the links of its messages; empty without links.
	Links []LinkStatus `json:"links,omitempty"`
	// Experiment is set if the campaign had one in the last apply.
	Experiment *ExperimentStatus `json:"experiment,omitempty"`
	// Billing counts the accepted messages by the price that the provider reported.
	Billing  []BillingStatus `json:"billing"`
	OptedOut int             `json:"opted_out"`
	Running  bool            `json:"running"`
	// Run is the open run that sends it now, in a state that machines share; 0 for none.
	Run     int64     `json:"run,omitempty"`
	LastRun time.Time `json:"last_run,omitzero"`
	// Halted is why the last run stopped early. Halt is set if a person has to lift
	// the halt before anything is sent.
	Halted delivery.HaltReason `json:"halted,omitempty"`
	Halt   *Halt               `json:"halt,omitempty"`
}

// Failure is one cause of refusals and failed deliveries.
type Failure struct {
	Code   string `json:"code"`
	Title  string `json:"title"`
	Count  int    `json:"count"`
	Advice string `json:"advice"`
}

// OrderStatus sums up the orders that answer a campaign, in one currency.
type OrderStatus struct {
	Currency string `json:"currency"`
	Count    int    `json:"count"`
	Value    string `json:"value"`
}

// StatusFinding is a contradiction that a person should look at.
type StatusFinding struct {
	At       time.Time `json:"at"`
	Kind     string    `json:"kind"`
	Campaign string    `json:"campaign"`
	Detail   string    `json:"detail"`
}

// Doubt is one delivery in doubt.
type Doubt struct {
	Address   string    `json:"address"`
	Recipient string    `json:"recipient"`
	Since     time.Time `json:"since"`
	Cause     string    `json:"cause"`
}

// BuildStatus makes the campaigns' part of a report from the state's counts. advice
// returns what a person can do about a provider's code. halts are the campaigns
// that a person has to resume.
func BuildStatus(runs []state.Run, funnel []state.FunnelRow, orders []state.OrderCount, halts []state.Halt, advice func(code string) string) []CampaignStatus {
	type key struct {
		campaign string
		revision int
	}
	byKey := map[key]*CampaignStatus{}
	get := func(k key) *CampaignStatus {
		c := byKey[k]
		if c == nil {
			c = &CampaignStatus{Address: k.campaign, Revision: k.revision, Skipped: map[delivery.Reason]int{}, Failures: []Failure{}, Orders: []OrderStatus{}, Billing: []BillingStatus{}}
			byKey[k] = c
		}
		return c
	}
	for i := range runs { // oldest first: the last run of a revision stands
		for _, cr := range runs[i].Campaigns {
			c := get(key{cr.Campaign, cr.Revision})
			c.Planned, c.Held, c.Cancelled, c.Skipped = cr.Planned, cr.Held, cr.Cancelled, cr.Skipped
			c.HeldFor, c.HeldUntil = cr.HeldFor, cr.HeldTill
			c.LastRun, c.Running, c.Halted = runs[i].Started, runs[i].Ended.IsZero(), cr.Halted
		}
	}
	for _, row := range funnel {
		if message.AddressType(row.Campaign) == "campaign" {
			get(key{row.Campaign, row.Revision}).add(row, advice)
			continue
		}
		// The revision of a reply is the number of the message that it answers, and
		// no plan counted it before.
		c := get(key{row.Campaign, 1})
		c.add(row, advice)
		c.Planned += row.Count
	}
	latest := map[string]*CampaignStatus{}
	out := make([]CampaignStatus, 0, len(byKey))
	for k, c := range byKey {
		c.Pending = max(c.Planned-c.Accepted-c.Rejected-c.InDoubt-c.Held-c.HeldOut-c.Cancelled, 0)
		sort.Slice(c.Failures, func(i, j int) bool {
			a, b := c.Failures[i], c.Failures[j]
			return a.Count > b.Count || a.Count == b.Count && a.Code+a.Title < b.Code+b.Title
		})
		if l := latest[k.campaign]; l == nil || l.Revision < c.Revision {
			latest[k.campaign] = c
		}
	}
	for i := range halts {
		if c := latest[halts[i].Campaign]; c != nil {
			h := &halts[i]
			c.Halted = h.Reason
			c.Halt = NewHalt(h.Campaign, Halt{Reason: h.Reason, Code: h.Code, Title: h.Title, Advice: h.Advice, Since: h.Since}, true)
		}
	}
	for _, o := range orders {
		if c := latest[o.Campaign]; c != nil {
			c.Orders = append(c.Orders, OrderStatus{o.Currency, o.Orders, o.Value})
		}
	}
	for _, c := range byKey {
		out = append(out, *c)
	}
	sort.Slice(out, func(i, j int) bool {
		return out[i].Address < out[j].Address || out[i].Address == out[j].Address && out[i].Revision < out[j].Revision
	})
	return out
}

// add adds deliveries that have the same status.
func (c *CampaignStatus) add(row state.FunnelRow, advice func(string) string) {
	switch row.Send {
	case state.Accepted:
		c.Accepted += row.Count
		if row.Replied {
			c.Replied += row.Count
		}
		if row.Clicked {
			c.Clicked += row.Count
		}
		c.accepted(row)
		c.billed(row)
	case state.Rejected:
		c.Rejected += row.Count
	case state.InDoubt, state.Sending:
		c.InDoubt += row.Count
	case state.HeldOut:
		c.HeldOut += row.Count
	}
	if row.Send == state.Rejected || row.Send == state.Accepted && row.Failed && row.Rank < message.RankDelivered {
		if row.Code == "131050" {
			c.OptedOut += row.Count
		}
		for i := range c.Failures {
			if f := &c.Failures[i]; f.Code == row.Code && f.Title == row.Title {
				f.Count += row.Count
				return
			}
		}
		c.Failures = append(c.Failures, Failure{row.Code, message.SafeText(row.Title), row.Count, advice(row.Code)})
	}
}

// accepted counts the current status of accepted messages: delivered or better wins
// over failed.
func (c *CampaignStatus) accepted(row state.FunnelRow) {
	switch {
	case row.Rank >= message.RankRead:
		c.Read += row.Count
	case row.Rank == message.RankDelivered:
		c.Delivered += row.Count
	case row.Failed:
		c.Failed += row.Count
	case row.Rank == message.RankSent:
		c.Sent += row.Count
	default:
		c.Silent += row.Count
	}
}

// AddRun adds an open run, and marks its campaigns.
func (r *StatusReport) AddRun(run OpenRun) {
	for i := range run.Counts {
		for k := range r.Campaigns {
			if c := &r.Campaigns[k]; c.Address == run.Counts[i].Campaign && c.Revision == run.Counts[i].Revision {
				c.Run = run.Run
			}
		}
	}
	r.Runs = append(r.Runs, run)
}

// JSON writes the report as one document.
func (r *StatusReport) JSON(w io.Writer, _ Style) error {
	doc := *r
	doc.FormatVersion = planFormat
	doc.Campaigns, doc.Findings, doc.Doubts = list(r.Campaigns), list(r.Findings), list(r.Doubts)
	doc.Notices = list(r.Notices)
	out, err := encode(doc)
	if err != nil {
		return err
	}
	_, err = w.Write(out)
	return err
}

// Text draws the funnels for people.
func (r *StatusReport) Text(w io.Writer, s Style) error {
	var b strings.Builder
	if len(r.Campaigns) == 0 {
		b.WriteString("Nothing was sent yet.\n")
	}
	for i := range r.Campaigns {
		if i > 0 {
			b.WriteString("\n")
		}
		r.Campaigns[i].text(&b, s)
	}
	for i := range r.Runs {
		b.WriteString("\n")
		r.Runs[i].head(&b, s)
	}
	r.doubts(&b, s)
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "\n%s %s: %s\n", s.red("!"), Reason(f.Kind), message.SafeText(f.Detail))
	}
	templateLines(&b, s, r.Templates)
	noticeLines(&b, r.Notices)
	if r.Waiting > 0 {
		wait := "wait"
		if r.Waiting == 1 {
			wait = "waits"
		}
		fmt.Fprintf(&b, "\n%s %s to be counted.\n", Plural(r.Waiting, "webhook event"), wait)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *StatusReport) doubts(b *strings.Builder, s Style) {
	if len(r.Doubts) == 0 {
		return
	}
	b.WriteString("\nIn doubt, since no clear answer came; never sent again automatically:\n")
	for _, d := range r.Doubts {
		fmt.Fprintf(b, "  %s[%q]  since %s  %s\n", d.Address, s.Recipient(d.Recipient), d.Since.UTC().Format("2006-01-02 15:04 MST"), message.SafeText(d.Cause))
	}
	b.WriteString("A webhook or \"handbill refresh\" settles them where the provider tells. Otherwise look at the\nphone or at the provider's log, and say what you saw:\n    handbill resolve -as=sent|-as=not-sent ADDRESS...\n")
}

func (c *CampaignStatus) text(b *strings.Builder, s Style) {
	head := c.Address
	if c.Revision > 1 {
		head += fmt.Sprintf(" (revision %d)", c.Revision)
	}
	switch {
	case c.Run > 0:
		head += fmt.Sprintf("  in run %d, which is open", c.Run)
	case c.Running:
		head += "  sending now, or interrupted: \"handbill apply\" continues"
	}
	fmt.Fprintf(b, "%s\n", s.bold(head))
	run := state.CampaignRun{Planned: c.Planned, Accepted: c.Accepted, Rejected: c.Rejected, InDoubt: c.InDoubt, Held: c.Held, HeldOut: c.HeldOut, Cancelled: c.Cancelled, Pending: c.Pending}
	fmt.Fprintf(b, "  %s planned = %s\n", Count(c.Planned), arithmetic(&run))
	switch {
	case c.Halt != nil:
		b.WriteString(c.Halt.lines(s, "  "))
	case c.Halted != "":
		fmt.Fprintf(b, "  %s\n", s.red("halted: "+Reason(c.Halted)+". When that is fixed, \"handbill apply\" continues"))
	}
	if c.Held > 0 {
		for _, l := range heldLines(c.HeldFor, c.HeldUntil) {
			fmt.Fprintf(b, "  %s\n", l)
		}
	}
	if skipped := skipNote(c.Skipped); skipped != "" {
		fmt.Fprintf(b, "  left out of the plan: %s\n", skipped)
	}
	c.funnel(b, s)
	c.links(b)
	c.variants(b)
	c.Experiment.text(b)
	c.billing(b)
	c.failures(b, s)
	for _, o := range c.Orders {
		fmt.Fprintf(b, "\n  %s, %s %s\n", Plural(o.Count, "order"), o.Value, message.SafeText(o.Currency))
	}
}

// funnel draws how far accepted messages got; every stage counts the messages that
// got at least that far.
func (c *CampaignStatus) funnel(b *strings.Builder, s Style) {
	if c.Accepted == 0 {
		return
	}
	b.WriteString("\n")
	cells := 30
	if s.Width > 0 { // the text beside the bar takes less than 28 columns
		cells = min(cells, max(s.Width-28, 4))
	}
	for _, st := range c.stages() {
		full := st.n * cells / c.Accepted
		if st.n > 0 && full == 0 {
			full = 1
		}
		bar := strings.Repeat("█", full) + strings.Repeat("░", cells-full)
		if st.name == "failed" {
			bar = s.red(bar)
		} else {
			bar = s.green(bar)
		}
		fmt.Fprintf(b, "  %-9s  %s  %s  %3.0f %%\n", st.name, bar, padLeft(Count(st.n), len(Count(c.Accepted))), float64(st.n)*100/float64(c.Accepted))
	}
	if c.Silent > 0 {
		fmt.Fprintf(b, "  nothing was heard yet of %s\n", Count(c.Silent))
	}
}

// stage is one step of the funnel: how many messages got at least that far.
type stage struct {
	name string
	n    int
}

func (c *CampaignStatus) stages() []stage {
	out := []stage{
		{"accepted", c.Accepted},
		{"sent", c.Sent + c.Delivered + c.Read},
		{"delivered", c.Delivered + c.Read},
		{"read", c.Read},
		{"replied", c.Replied},
		{"failed", c.Failed},
	}
	if len(c.Links) > 0 {
		out = slices.Insert(out, len(out)-1, stage{"clicked", c.Clicked})
	}
	return out
}

func (c *CampaignStatus) failures(b *strings.Builder, s Style) {
	if len(c.Failures) == 0 {
		return
	}
	b.WriteString("\n  causes of failure:\n")
	for _, f := range c.Failures {
		fmt.Fprintf(b, "    %s  %s %s\n", padLeft(Count(f.Count), 6), message.SafeText(f.Code), f.Title)
		if f.Advice != "" {
			for _, l := range wrap(f.Advice, s.textWidth()-12) {
				fmt.Fprintf(b, "            %s\n", s.dim(l))
			}
		}
	}
}
