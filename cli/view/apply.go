package view

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// ApplyReport is the final report of "handbill apply".
type ApplyReport struct {
	// Templates are the template blocks that were changed or waited for.
	Templates []AppliedTemplate
	// Singletons are the objects of numbers and accounts that were changed.
	Singletons []AppliedTemplate
	// Catalogs are the managed catalogs, and the products of them that failed.
	Catalogs  []AppliedCatalog
	Campaigns []AppliedCampaign
	Took      time.Duration
	Stopped   bool
	// Broken says that the state failed. Campaigns are then what could still be
	// read.
	Broken  bool
	Outputs []Output
	Hints   bool
}

// AppliedCampaign is the result of a run for one campaign.
type AppliedCampaign struct {
	state.CampaignRun
	Sent         int
	Provider     string
	Refused      map[string]int    // by cause, in this run
	Advice       map[string]string // what to do about causes in Refused, if anything
	Unsent       map[string]int    // tried in this run and left pending, by cause
	Gates        map[delivery.Reason]int
	Halt         *Halt
	Existing     int
	DoubtsBefore int
}

// Halt is why sending stopped early.
type Halt struct {
	Reason delivery.HaltReason `json:"reason"`
	Code   string              `json:"code,omitempty"`
	Title  string              `json:"title,omitempty"`
	Advice string              `json:"advice,omitempty"`
	// Since is when it was halted, by this run or an earlier one.
	Since time.Time `json:"since,omitzero"`
	// Resume is the command that lifts a halt that stays; "" for one that
	// lifts itself.
	Resume string `json:"resume,omitempty"`
}

// resume is the command that lifts the halt of a campaign.
func resume(campaign string) string { return "handbill apply -resume=" + campaign }

// NewHalt is a halt for views; stays says that only a person lifts it.
func NewHalt(campaign string, h Halt, stays bool) *Halt {
	h.Advice = message.SafeText(h.Advice)
	if stays {
		h.Resume = resume(campaign)
	}
	return &h
}

// lines say what happened, what to do about it, and how to continue.
func (h *Halt) lines(s Style, indent string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s%s %s\n", indent, s.red("Halted:"), haltText(h))
	for _, l := range wrap(h.Advice, s.textWidth()-len(indent)) {
		fmt.Fprintf(&b, "%s%s\n", indent, l)
	}
	if h.Resume != "" {
		fmt.Fprintf(&b, "%sNothing more is sent, by any apply, before somebody lifts it:\n%s    %s\n", indent, indent, message.SafeText(h.Resume))
	}
	return b.String()
}

// Output is an output's value after apply.
type Output struct {
	Name      string
	Value     string // JSON
	Sensitive bool
}

// Failed reports whether something was refused or sending stopped early.
func (r *ApplyReport) Failed() bool {
	for _, t := range slices.Concat(r.Singletons, r.Templates) {
		if t.bad() {
			return true
		}
	}
	for i := range r.Catalogs {
		if r.Catalogs[i].bad() {
			return true
		}
	}
	for i := range r.Campaigns {
		if c := &r.Campaigns[i]; len(c.Refused) > 0 || len(c.Unsent) > 0 || c.Halt != nil {
			return true
		}
	}
	return false
}

// InDoubt is how many sends are in doubt after the run.
func (r *ApplyReport) InDoubt() int {
	n := 0
	for i := range r.Campaigns {
		n += r.Campaigns[i].InDoubt
	}
	return n
}

// NewDoubts is how many sends came into doubt by this run.
func (r *ApplyReport) NewDoubts() int {
	n := 0
	for i := range r.Campaigns {
		n += max(r.Campaigns[i].InDoubt-r.Campaigns[i].DoubtsBefore, 0)
	}
	return n
}

// Sent is how many messages this run sent.
func (r *ApplyReport) Sent() int {
	n := 0
	for i := range r.Campaigns {
		n += r.Campaigns[i].Sent
	}
	return n
}

// Text writes the end of an apply for people: the verdict, the counts of every
// campaign, and what to do about messages that were not sent.
func (r *ApplyReport) Text(w io.Writer, s Style) error {
	var b strings.Builder
	head := s.bold(s.green("Apply complete!"))
	switch {
	case r.Broken && len(r.Campaigns) == 0:
		return say(w, "\n"+s.bold(s.red("Apply did not complete."))+"\n")
	case r.Broken:
		head = s.bold(s.red("Apply did not complete."))
	case r.Stopped:
		head = s.bold(s.yellow("Apply interrupted."))
	case r.halted():
		head = s.bold(s.red("Apply halted."))
	case r.awaits():
		head = s.bold(s.yellow("Apply complete, and a template waits for approval."))
	case r.Failed() || r.NewDoubts() > 0:
		head = s.bold(s.yellow("Apply complete, with failures."))
	}
	fmt.Fprintf(&b, "\n%s %s sent%s.\n", head, Plural(r.Sent(), "message"), took(r.Took))
	templateSteps(&b, s, r.Singletons)
	r.catalogs(&b, s)
	templateSteps(&b, s, r.Templates)
	for i := range r.Campaigns {
		r.campaign(&b, s, &r.Campaigns[i])
	}
	if len(r.Outputs) > 0 {
		b.WriteString("\n" + outputsText(r.Outputs))
	}
	return say(w, b.String())
}

// awaits reports whether the only problem is that templates are not approved yet.
// approved yet.
func (r *ApplyReport) awaits() bool {
	late := false
	for i := range r.Templates {
		if r.Templates[i].Did == "failed" {
			return false
		}
		late = late || r.Templates[i].Did == "late"
	}
	rest := ApplyReport{Campaigns: r.Campaigns, Catalogs: r.Catalogs, Singletons: r.Singletons}
	return late && !rest.Failed() && r.NewDoubts() == 0
}

func (r *ApplyReport) halted() bool {
	for i := range r.Campaigns {
		if r.Campaigns[i].Halt != nil {
			return true
		}
	}
	return false
}

// took says how long a run took, if it is long enough to mention.
func took(d time.Duration) string {
	switch {
	case d < 2*time.Second:
		return ""
	case d < time.Minute:
		return fmt.Sprintf(" in %.0f s", d.Seconds())
	}
	return " in " + Duration(d)
}

// heldLines say why messages are held, and until when where it is known.
func heldLines(reasons map[delivery.Reason]int, till time.Time) []string {
	var lines []string
	for _, reason := range byCount(reasons) {
		until := ""
		if !till.IsZero() {
			until = ", until " + till.UTC().Format("2006-01-02 15:04 MST")
		}
		lines = append(lines, fmt.Sprintf("%s held: %s%s", padLeft(Count(reasons[reason]), 6), Reason(reason), until))
	}
	return lines
}

func (r *ApplyReport) campaign(b *strings.Builder, s Style, c *AppliedCampaign) {
	if c.Planned == 0 && c.Sent == 0 {
		return
	}
	fmt.Fprintf(b, "\n  %s: %s planned = %s\n", s.bold(c.Campaign), Count(c.Planned), arithmetic(&c.CampaignRun))
	for _, cause := range byCount(c.Refused) {
		fmt.Fprintf(b, "    %s refused: %s\n", padLeft(Count(c.Refused[cause]), 6), message.SafeText(cause))
		if advice := c.Advice[cause]; advice != "" {
			for _, l := range wrap(advice, s.textWidth()-11) {
				fmt.Fprintf(b, "           %s\n", l)
			}
		}
	}
	for _, cause := range byCount(c.Unsent) {
		fmt.Fprintf(b, "    %s not sent by %s: %s\n", padLeft(Count(c.Unsent[cause]), 6), message.SafeText(c.Provider), message.SafeText(cause))
	}
	for _, gate := range byCount(c.Gates) {
		fmt.Fprintf(b, "    %s left out since the plan: %s\n", padLeft(Count(c.Gates[gate]), 6), Reason(gate))
	}
	for _, l := range heldLines(c.HeldFor, c.HeldTill) {
		fmt.Fprintf(b, "    %s\n", l)
	}
	if c.Halt != nil {
		b.WriteString("\n" + c.Halt.lines(s, "    "))
	}
	if n := c.InDoubt - c.DoubtsBefore; n > 0 {
		fmt.Fprintf(b, "    %s in doubt: no clear answer came. They are not sent again automatically;\n           a webhook, \"handbill refresh\" or \"handbill resolve\" settles them.\n", padLeft(Count(n), 6))
	}
	if r.Hints && (c.Held > 0 || c.Pending > 0) && (c.Halt == nil || c.Halt.Resume == "") {
		fmt.Fprintf(b, "    Run the same command again to continue with the rest.\n")
	}
}

// causes makes the causes safe to show, since they are the providers' words.
func causes(counts map[string]int) map[string]int {
	out := make(map[string]int, len(counts))
	for cause, n := range counts {
		out[message.SafeText(cause)] += n
	}
	return out
}

func haltText(h *Halt) string {
	out := Reason(h.Reason)
	if h.Code != "" {
		out += ", code " + message.SafeText(h.Code)
	}
	if h.Title != "" {
		out += ": " + message.SafeText(h.Title)
	}
	if h.Resume != "" && !h.Since.IsZero() {
		out += ", since " + h.Since.UTC().Format("2006-01-02 15:04 MST")
	}
	return out
}

// arithmetic writes the counts as a sum, without terms that are zero.
func arithmetic(c *state.CampaignRun) string {
	var parts []string
	for _, term := range []struct {
		n    int
		name string
	}{{c.Accepted, "accepted"}, {c.Rejected, "rejected"}, {c.Cancelled, "cancelled"}, {c.Held, "held"}, {c.HeldOut, "held out"}, {c.Pending, "pending"}, {c.InDoubt, "in doubt"}} {
		if term.n > 0 || term.name == "accepted" {
			parts = append(parts, Count(term.n)+" "+term.name)
		}
	}
	return strings.Join(parts, " + ")
}

// outputsText lists outputs as after an apply.
func outputsText(outputs []Output) string {
	var b strings.Builder
	b.WriteString("Outputs:\n\n")
	for _, o := range outputs {
		value := "<sensitive>"
		if !o.Sensitive {
			value = jsonValue(o.Value)
		}
		fmt.Fprintf(&b, "%s = %s\n", message.SafeText(o.Name), value)
	}
	return b.String()
}

// Delivery is one event of a run.
type Delivery struct {
	Kind, Campaign, Provider, Recipient string
	Attempt                             int
	Outcome, MessageID, Code, Title     string
	Again                               bool
	Reason                              string
	Until                               time.Time
	Done, Total                         int
}

// ApplyStream writes a run as JSON objects, one per line.
type ApplyStream struct {
	stream *stream
	style  Style
}

// NewApplyStream returns a stream that writes to w.
func NewApplyStream(w io.Writer, s Style, now func() time.Time) *ApplyStream {
	return &ApplyStream{stream: &stream{w: w, now: now}, style: s}
}

// Start says what is about to be sent.
func (a *ApplyStream) Start(r *PlanReport) {
	for i := range r.Plan.Campaigns {
		c := &r.Plan.Campaigns[i]
		if n := c.Counts.Sends(); n > 0 {
			a.stream.write("info", "apply_start", c.Address+": sending "+Plural(n, "message"),
				field{"campaign", c.Address}, field{"messages", n})
		}
	}
}

// Delivery writes one event: a final outcome as a delivery, a pause or an attempt
// that will be repeated as progress.
func (a *ApplyStream) Delivery(d Delivery) {
	recipient, id := a.style.Recipient(d.Recipient), ""
	if a.style.ShowRecipients { // an id holds the number, merely encoded
		id = d.MessageID
	}
	switch {
	case d.Kind == "answered" && !d.Again, d.Kind == "gated", d.Kind == "held":
		outcome := d.Outcome
		if outcome == "" {
			outcome = d.Kind
		}
		a.stream.write("info", "delivery", fmt.Sprintf("%s[%q]: %s", d.Campaign, recipient, outcome),
			field{"campaign", d.Campaign}, field{"recipient", recipient}, field{"outcome", outcome},
			field{"message_id", id}, field{"code", d.Code}, field{"title", d.Title}, field{"reason", d.Reason}, field{"attempt", d.Attempt})
	default:
		a.stream.write("info", "apply_progress", fmt.Sprintf("%s: %s %s", d.Provider, d.Kind, Reason(d.Reason)),
			field{"provider", d.Provider}, field{"campaign", d.Campaign}, field{"event", d.Kind}, field{"reason", d.Reason},
			field{"code", d.Code}, field{"done", d.Done}, field{"total", d.Total})
	}
}

// Complete writes the counts of every campaign and the outputs.
func (a *ApplyStream) Complete(r *ApplyReport) {
	for i := range r.Campaigns {
		c := &r.Campaigns[i]
		a.stream.write("info", "apply_complete", fmt.Sprintf("%s: %d planned = %s", c.Campaign, c.Planned, arithmetic(&c.CampaignRun)),
			field{"campaign", c.Campaign}, field{"planned", c.Planned}, field{"accepted", c.Accepted}, field{"rejected", c.Rejected},
			field{"cancelled", c.Cancelled}, field{"held", c.Held}, field{"held_out", c.HeldOut}, field{"pending", c.Pending}, field{"in_doubt", c.InDoubt},
			field{"sent", c.Sent}, field{"stopped", r.Stopped}, field{"halt", c.Halt}, field{"provider", c.Provider}, field{"unsent", causes(c.Unsent)})
	}
	a.stream.outputs(r.Outputs)
}
